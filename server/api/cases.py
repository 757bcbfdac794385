"""External cases: taken in one by one, carried to the reply, read with their clocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import Parameter

from dispatch_core import cases
from dispatch_core.cases import CaseStep
from dispatch_core.ids import CaseId, CaseState
from server.adapters.accounts import Principal
from server.adapters.case_reads import CaseFilter, CasePage, CaseReads, CaseTrace
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.case_intake import CASE_EXAMPLE, CaseBody, CaseIntake
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.api.wishes import checked
from server.ports import SecretText
from server.usecases.cases import CaseAndTicket, CaseAnswer, StepCase

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=10_000)]
Version = Annotated[int, msgspec.Meta(ge=1)]


class SeenBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The version of the case that the caller saw."""

    version: Version


class ExtendBody(SeenBody, kw_only=True, forbid_unknown_fields=True):
    """More time for the reply, and why."""

    reason: Text


class ReplyBody(SeenBody, kw_only=True, forbid_unknown_fields=True):
    """What the origin is told; `satisfied`: what the citizen said of it, if anything."""

    words: Text
    satisfied: bool | None = None


class ReturnBody(SeenBody, kw_only=True, forbid_unknown_fields=True):
    """The origin does not take the reply."""

    reason: Text | None = None


class CloseBody(SeenBody, kw_only=True, forbid_unknown_fields=True):
    """The origin took the reply."""

    satisfied: bool | None = None


@dataclass(frozen=True, slots=True)
class _Step:
    body: type[SeenBody]
    example: dict[str, object]
    summary: str
    text: Callable[[Any], str | None]
    command: Callable[[Any, Principal, SecretText | None], CaseStep]


def _none(_: SeenBody) -> None:
    return None


READERS = frozenset({"administrator", "manager", "seat"})
"""Roles of people who may read what was written of a case: it may name a resident."""
STEPS: dict[str, _Step] = {
    "sign": _Step(
        SeenBody, {"version": 1}, "Sign for a case: it is ours", _none,
        lambda b, by, _: cases.SignFor(version=b.version, by=by.actor),
    ),
    "contact": _Step(
        SeenBody, {"version": 2}, "The citizen was spoken to", _none,
        lambda b, by, _: cases.ContactCitizen(version=b.version, by=by.actor),
    ),
    "extend": _Step(
        ExtendBody, {"version": 3, "reason": "等待开挖许可"}, "More time for the reply",
        lambda b: str(b.reason),
        lambda b, by, text: cases.ExtendReply(
            version=b.version, by=by.actor, reason=_words(text)
        ),
    ),
    "reply": _Step(
        ReplyBody, {"version": 4, "words": "已修复，室温 20 ℃。", "satisfied": True},
        "Reply to the origin", lambda b: str(b.words),
        lambda b, by, text: cases.Reply(
            version=b.version, by=by.actor, words=_words(text), satisfied=b.satisfied
        ),
    ),
    "return": _Step(
        ReturnBody, {"version": 5, "reason": "回复不完整"},
        "The origin returns the case for rework: its clocks start anew", lambda b: b.reason,
        lambda b, _, text: cases.ReturnForRework(
            version=b.version, reason=text.words if text else None
        ),
    ),
    "close": _Step(
        CloseBody, {"version": 6, "satisfied": True}, "The origin took the reply", _none,
        lambda b, by, _: cases.CloseCase(
            version=b.version, by=by.actor, satisfied=b.satisfied
        ),
    ),
}  # fmt: skip


def _words(text: SecretText | None) -> Any:  # noqa: ANN401
    return text.words if text else None


def create_handlers(
    gate: Gate,
    commits: Commits,
    vault: Vault,
    reads: CaseReads,
    policies: Policies,
    clock: BusinessClock,
    intake: CaseIntake,
) -> list[BaseRouteHandler]:
    """Taking in, steps and reading."""

    @post(
        "/api/cases",
        status_code=201,
        tags=["cases"],
        operation_class=described(
            CaseBody, CASE_EXAMPLE, CaseAndTicket,
            {"case": {"id": "hotline_12345-2601140815"}, "ticket": {"id": "260114-004711"}},
            status="201",
        ),
    )  # fmt: skip
    async def take_in(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Hang a case on a ticket: the named one, else the open one it belongs to, else a new one.
        The same origin and number again is answered 200 with the case that is there."""
        principal = await gate.principal(request)
        key = idempotency_key(request)
        body = await request.body()
        answer = await intake.submit(
            principal, "POST /api/cases", key, body_hash(body), decode_body(body, CaseBody)
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    def handler(name: str, of: _Step) -> HTTPRouteHandler:
        @post(
            f"/api/cases/{{case_id:str}}/{name}",
            status_code=200,
            tags=["cases"],
            summary=of.summary,
            name=f"case-{name}",
            operation_class=described(
                of.body, of.example, CaseAnswer, {"id": "hotline_12345-2601140815", "version": 2}
            ),
        )
        async def step(request: Request[Any, Any, Any], case_id: str) -> Response[bytes]:
            """409 with the present state if the case is not as the caller saw it."""
            principal = await gate.principal(request)
            key = idempotency_key(request)
            body = await request.body()
            wish = decode_body(body, of.body)
            text = of.text(wish)
            checked(text, "the text")
            sealed = vault.words(principal.company, text) if text else None
            use_case = StepCase(
                case=CaseId(case_id),
                command=of.command(wish, principal, sealed),
                city=await policies.at(principal.company, clock.now()),
                words=sealed,
            )
            answer = await commits.submit(
                principal, f"POST /api/cases/{case_id}/{name}", key, body_hash(body), use_case
            )
            return Response(answer.body, status_code=answer.status, media_type="application/json")

        return step

    @get("/api/cases", tags=["cases"])
    async def listed(  # noqa: PLR0913 - each filter is a query parameter
        request: Request[Any, Any, Any],
        *,
        origin: str | None = None,
        number: str | None = None,
        in_state: Annotated[CaseState | None, Parameter(query="state")] = None,
        is_open: Annotated[bool | None, Parameter(query="open")] = None,
        overdue: bool | None = None,
        ticket: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> CasePage:
        """Cases, the clock that runs out first at the top, page by page."""
        principal = await gate.principal(request)
        wanted = CaseFilter(
            origin=origin, number=cases.plain_number(number) if number else None, state=in_state,
            open=is_open, overdue=overdue, ticket=ticket, limit=limit, after=after,
        )  # fmt: skip
        return await reads.page(principal.company, wanted)

    @get("/api/cases/{case_id:str}", tags=["cases"])
    async def one(request: Request[Any, Any, Any], case_id: str) -> CaseTrace:
        """One case, everything that happened to it, and, for people who speak with residents, what
        was written."""
        principal = await gate.principal(request)
        reader = principal.actor if principal.role in READERS else None
        return found(await reads.trace(principal.company, case_id, reader), "case", case_id)

    return [
        take_in, *(handler(name, of) for name, of in STEPS.items()), listed, one,
        *intake.handlers(gate),
    ]  # fmt: skip
