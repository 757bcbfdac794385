"""Tickets: lists, one ticket with its trace, and the commands of its five steps."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import Parameter

from dispatch_core import commands
from dispatch_core.errors import NotFound
from dispatch_core.ids import (
    CancelReason,
    CrewId,
    Level,
    LevelReason,
    RedispatchReason,
    ReopenReason,
    TicketId,
)
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.ticket_reads import TicketFilter, TicketPage, TicketReads, TicketTrace
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.ports import SecretText, UseCase
from server.usecases.tickets import DispatchTicket, StepTicket, TicketAnswer

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Seen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The version of the ticket that the caller saw."""

    version: Annotated[int, msgspec.Meta(ge=1)]


class DispatchBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Which crew; a reason is owed when another crew has the ticket."""

    crew: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    reason_code: RedispatchReason | None = None
    reason: Text | None = None


class CloseBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """What the call-back brought; null when nobody could be reached."""

    satisfied: bool | None


class CancelBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Why there is no work."""

    reason_code: CancelReason
    reason: Text | None = None


class ReopenBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Why it is not over."""

    reason_code: ReopenReason
    reason: Text | None = None


class LevelBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """The new level and why."""

    level: Level
    reason_code: LevelReason
    reason: Text | None = None


class _Context(NamedTuple):
    principal: Principal
    ticket: TicketId
    vault: Vault

    def text(self, reason: str | None) -> SecretText | None:
        return self.vault.words(self.principal.company, reason) if reason else None


class _Command(NamedTuple):
    body: type
    make: Callable[[Any, _Context], UseCase]
    example: dict[str, Any]
    summary: str


def _dispatch(b: DispatchBody, x: _Context) -> UseCase:
    return DispatchTicket(
        ticket=x.ticket, version=b.version, crew=CrewId(b.crew), by=x.principal.actor,
        reason_code=b.reason_code, reason=x.text(b.reason),
    )  # fmt: skip


def _close(b: CloseBody, x: _Context) -> UseCase:
    command = commands.Close(version=b.version, satisfied=b.satisfied)
    return StepTicket(ticket=x.ticket, command=command)


def _cancel(b: CancelBody, x: _Context) -> UseCase:
    text = x.text(b.reason)
    words = text.words if text else None
    return StepTicket(
        ticket=x.ticket,
        command=commands.Cancel(version=b.version, reason_code=b.reason_code, reason=words),
        reason=text,
    )


def _reopen(b: ReopenBody, x: _Context) -> UseCase:
    text = x.text(b.reason)
    words = text.words if text else None
    return StepTicket(
        ticket=x.ticket,
        command=commands.Reopen(version=b.version, reason_code=b.reason_code, reason=words),
        reason=text,
    )


def _level(b: LevelBody, x: _Context) -> UseCase:
    text = x.text(b.reason)
    words = text.words if text else None
    return StepTicket(
        ticket=x.ticket,
        command=commands.ChangeLevel(
            version=b.version, level=b.level, reason_code=b.reason_code, reason=words
        ),
        reason=text,
    )


def _step(make: Callable[[Seen, _Context], Any]) -> Callable[[Seen, _Context], UseCase]:
    return lambda b, x: StepTicket(ticket=x.ticket, command=make(b, x))


COMMANDS: dict[str, _Command] = {
    "accept": _Command(
        Seen, _step(lambda b, x: commands.Accept(version=b.version, by=x.principal.actor)),
        {"version": 1}, "A seat takes the ticket on: first contact",
    ),
    "dispatch": _Command(
        DispatchBody, _dispatch, {"version": 2, "crew": "C07"},
        "A person gives the ticket to a crew"
    ),
    "confirm": _Command(
        Seen, _step(lambda b, _: commands.Confirm(version=b.version)), {"version": 3},
        "The crew takes the ticket"
    ),
    "handle": _Command(
        Seen, _step(lambda b, _: commands.Handle(version=b.version)), {"version": 4},
        "The crew checks in on site"
    ),
    "verify": _Command(
        Seen, _step(lambda b, _: commands.Verify(version=b.version)), {"version": 5},
        "The crew has finished; the call-back is next",
    ),
    "close": _Command(
        CloseBody, _close, {"version": 6, "satisfied": True}, "The call-back was made",
    ),
    "cancel": _Command(
        CancelBody, _cancel, {"version": 2, "reason_code": "duplicate"},
        "End the ticket without work, with a reason"
    ),
    "reopen": _Command(
        ReopenBody, _reopen, {"version": 7, "reason_code": "dissatisfied"},
        "It is not over, with a reason"
    ),
    "level": _Command(
        LevelBody, _level, {"version": 2, "level": "red", "reason_code": "danger"},
        "Raise or lower the response level"
    ),
}  # fmt: skip
ANSWER_EXAMPLE = {
    "id": "260114-004711",
    "version": 4,
    "state": "confirmed",
    "level": "red",
    "kind": "leak",
}


def create_handlers(
    gate: Gate, commits: Commits, vault: Vault, reads: TicketReads, clock: BusinessClock
) -> list[BaseRouteHandler]:
    """Reading and commands."""

    def handler(name: str, of: _Command) -> HTTPRouteHandler:
        @post(
            f"/api/tickets/{{ticket_id:str}}/{name}",
            status_code=200,
            tags=["tickets"],
            summary=of.summary,
            name=f"ticket-{name}",
            operation_class=described(of.body, of.example, TicketAnswer, ANSWER_EXAMPLE),
        )
        async def command(request: Request[Any, Any, Any], ticket_id: str) -> Response[bytes]:
            """409 with the present state if the ticket is not as the caller saw it."""
            principal = await gate.principal(request)
            key = idempotency_key(request)
            body = await request.body()
            use_case = of.make(
                decode_body(body, of.body), _Context(principal, TicketId(ticket_id), vault)
            )
            route = f"POST /api/tickets/{ticket_id}/{name}"
            answer = await commits.submit(principal, route, key, body_hash(body), use_case)
            return Response(answer.body, status_code=answer.status, media_type="application/json")

        return command

    @get("/api/tickets", tags=["tickets"])
    async def tickets(  # noqa: PLR0913 - each filter is a query parameter
        request: Request[Any, Any, Any],
        *,
        in_state: Annotated[str | None, Parameter(query="state")] = None,
        level: str | None = None,
        overdue: bool | None = None,
        near: bool | None = None,
        lost_contact: bool | None = None,
        crew: str | None = None,
        building: str | None = None,
        community: str | None = None,
        source: str | None = None,
        received_from: int | None = None,
        received_to: int | None = None,
        figure: str | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> TicketPage:
        """Tickets, newest first, page by page; `state=open` for all that are not over."""
        principal = await gate.principal(request)
        wanted = TicketFilter(
            state=in_state, level=level, overdue=overdue, near=near, lost_contact=lost_contact,
            crew=crew, building=building, community=community, source=source,
            received_from=received_from, received_to=received_to, figure=figure, limit=limit,
            after=after,
        )  # fmt: skip
        return await reads.page(principal.company, wanted, clock.now())

    @get("/api/tickets/{ticket_id:str}", tags=["tickets"])
    async def ticket(request: Request[Any, Any, Any], ticket_id: str) -> TicketTrace:
        """One ticket, everything that happened to it, and whether its chain holds."""
        principal = await gate.principal(request)
        found = await reads.trace(principal.company, ticket_id)
        if found is None:
            raise NotFound(
                "no_such_ticket", f"There is no ticket {ticket_id}.", "Check its number."
            )
        return found

    return [*(handler(name, of) for name, of in COMMANDS.items()), tickets, ticket]
