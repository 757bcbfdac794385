"""The work on site as the desk looks at it, and what people decide about it, each with a reason."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal, NamedTuple

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import Parameter

from dispatch_core.ids import EvidenceReason, PhotoId, Slot, TicketId
from server.adapters.accounts import Role
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.evidence_queue import EvidenceQueue, WaitingPage, Wanted
from server.adapters.evidence_reads import EvidenceReads
from server.adapters.evidence_views import EvidenceView
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.api.spots import Name
from server.api.ticket_commands import Text
from server.usecases.evidence import DecideOnEvidence, OfCheckIn, OfHold, OfPhoto, OfRound
from server.usecases.on_site import SiteAnswer

DESK: tuple[Role, ...] = ("administrator", "manager", "seat")
MANAGERS: tuple[Role, ...] = ("administrator", "manager")
"""Who may let work close without its photos."""


class _Reasoned(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The version of the record that the person saw, and why."""

    version: Annotated[int, msgspec.Meta(ge=0)]
    """0: nothing was said of the work on site yet."""
    reason_code: EvidenceReason
    reason: Text | None = None


class PhotoDecision(_Reasoned, kw_only=True, forbid_unknown_fields=True):
    """Which photo."""

    slot: Slot
    photo: Name


class WaiveBody(_Reasoned, kw_only=True, forbid_unknown_fields=True):
    """Why it may close without its photos, in words."""


class HoldBody(_Reasoned, kw_only=True, forbid_unknown_fields=True):
    """Whether its photos are kept whatever their age, and why, in words."""

    held: bool


class CheckInDecision(_Reasoned, kw_only=True, forbid_unknown_fields=True):
    """Which visit, and whether the crew was there."""

    visit: Annotated[int, msgspec.Meta(ge=1)]
    to: Literal["in", "out"]


class Writing(NamedTuple):
    """What a decision needs."""

    commits: Commits
    vault: Vault
    policies: Policies
    clock: BusinessClock


class Door(NamedTuple):
    """A decision: its body, what it is about, who may make it, an example and a line for the
    documentation."""

    body: type[_Reasoned]
    about: Callable[[Any], OfPhoto | OfCheckIn | OfRound | OfHold]
    roles: tuple[Role, ...]
    example: dict[str, Any]
    summary: str


def _photo(to: Literal["accept", "block", "again"]) -> Callable[[PhotoDecision], OfPhoto]:
    return lambda b: OfPhoto(slot=b.slot, photo=PhotoId(b.photo), to=to)


_PHOTO = {"version": 5, "slot": "fault_point", "photo": "0" * 64}
DOORS: dict[str, Door] = {
    "accept": Door(
        PhotoDecision, _photo("accept"), DESK, _PHOTO | {"reason_code": "known_good"},
        "Accept a photo, whatever its verdict; the verdict stays in the trace",
    ),
    "refuse": Door(
        PhotoDecision, _photo("block"), DESK, _PHOTO | {"reason_code": "reused_photo"},
        "Refuse a photo, whatever its verdict",
    ),
    "again": Door(
        PhotoDecision, _photo("again"), DESK, _PHOTO | {"reason_code": "unreadable"},
        "Ask the crew for another photo",
    ),
    "check-in": Door(
        CheckInDecision, lambda b: OfCheckIn(visit=b.visit, to=b.to), DESK,
        {"version": 5, "visit": 1, "to": "in", "reason_code": "seen_by_phone"},
        "Say whether the crew was there",
    ),
    "waive": Door(
        WaiveBody, lambda _: OfRound(), MANAGERS,
        {"version": 0, "reason_code": "no_resident", "reason": "住户不在，物业见证"},
        "Let this round close without its photos; the reason is written",
    ),
    "hold": Door(
        HoldBody, lambda b: OfHold(held=b.held), MANAGERS,
        {"version": 9, "held": True, "reason_code": "other", "reason": "诉讼保全"},
        "Keep the ticket's photos whatever their age, or no longer",
    ),
}  # fmt: skip
ANSWER = {"version": 6, "verdict": "accept", "missing": []}


class Reading(NamedTuple):
    """What is looked at before."""

    queue: EvidenceQueue
    records: EvidenceReads


def create_handlers(gate: Gate, reads: Reading, writing: Writing) -> list[BaseRouteHandler]:
    """`/api/evidence/{ticket}` and its decisions."""

    def handler(name: str, of: Door) -> HTTPRouteHandler:
        @post(
            f"/api/evidence/{{ticket_id:str}}/{name}",
            status_code=200,
            tags=["evidence"],
            summary=of.summary,
            name=f"evidence-{name}",
            operation_class=described(of.body, of.example, SiteAnswer, ANSWER),
        )
        async def decision(request: Request[Any, Any, Any], ticket_id: str) -> Response[bytes]:
            """409 with the present state if the record is not as the person saw it."""
            principal = await gate.person(request, *of.roles)
            key = idempotency_key(request)
            body = await request.body()
            asked = decode_body(body, of.body)
            use_case = DecideOnEvidence(
                ticket=TicketId(ticket_id),
                city=await writing.policies.at(principal.company, writing.clock.now()),
                by=principal.actor,
                about=of.about(asked),
                version=asked.version,
                reason_code=asked.reason_code,
                text=writing.vault.words(principal.company, asked.reason) if asked.reason else None,
            )
            route = f"POST /api/evidence/{ticket_id}/{name}"
            answer = await writing.commits.submit(principal, route, key, body_hash(body), use_case)
            return Response(answer.body, status_code=answer.status, media_type="application/json")

        return decision

    @get("/api/evidence", tags=["evidence"])
    async def waiting(
        request: Request[Any, Any, Any],
        wanted: Annotated[Wanted | None, Parameter(query="state")] = None,
        crew: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> WaitingPage:
        """Evidence that waits for a person: red tickets first, then who waited longest."""
        principal = await gate.person(request, *DESK)
        return await reads.queue.page(
            principal.company, writing.clock.now(), state=wanted, crew=crew, limit=limit,
            after=after,
        )  # fmt: skip

    @get("/api/evidence/{ticket_id:str}", tags=["evidence"])
    async def record(request: Request[Any, Any, Any], ticket_id: str) -> EvidenceView:
        """The work on site of one ticket: visits with their fixes, photos with their checks in
        words, and what may be done."""
        principal = await gate.person(request, *DESK)
        manager = principal.role in MANAGERS
        view = await reads.records.record(
            principal.company, ticket_id, writing.clock.now(), manager=manager
        )
        return found(view, "ticket", ticket_id)

    return [*(handler(name, of) for name, of in DOORS.items()), waiting, record]
