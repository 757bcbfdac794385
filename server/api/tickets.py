"""Tickets: lists, one ticket with its trace, and the commands of its five steps."""

from __future__ import annotations

from typing import Annotated, Any

from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler, HTTPRouteHandler
from litestar.params import Parameter
from msgspec.structs import replace

from dispatch_core.errors import NotFound
from dispatch_core.ids import TicketId
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.ticket_reads import (
    TicketFilter,
    TicketPage,
    TicketReads,
    TicketTrace,
    TicketWords,
)
from server.api.documents import body_hash, decode_body, described
from server.api.gate import Gate, idempotency_key
from server.api.ticket_commands import COMMANDS, Command, Context, Writing, check_people
from server.api.ticket_field import FIELD_COMMANDS
from server.usecases.ticket_answer import TicketAnswer

ALL: dict[str, Command] = {**COMMANDS, **FIELD_COMMANDS}
ANSWER_EXAMPLE = {
    "id": "260114-004711",
    "version": 4,
    "state": "confirmed",
    "level": "red",
    "kind": "leak",
}


def _without_guards(answer: TicketAnswer) -> TicketAnswer:
    """As a wall may show it: nobody's name."""
    return replace(answer, permits=[replace(permit, guard=None) for permit in answer.permits])


def _no_such(ticket_id: str) -> NotFound:
    return NotFound("no_such_ticket", f"There is no ticket {ticket_id}.", "Check its number.")


def create_handlers(
    gate: Gate, commits: Commits, reads: TicketReads, clock: BusinessClock, writing: Writing
) -> list[BaseRouteHandler]:
    """Reading and commands."""

    def handler(name: str, of: Command) -> HTTPRouteHandler:
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
            asked: Any = decode_body(body, of.body)
            await check_people(writing.accounts, principal.company, asked)
            city = await writing.policies.at(principal.company, clock.now())
            context = Context(principal, TicketId(ticket_id), writing.vault, city)
            use_case = of.make(asked, context)
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
        page = await reads.page(principal.company, wanted, clock.now())
        if principal.role == "wall":
            return replace(page, items=[_without_guards(item) for item in page.items])
        return page

    @get("/api/tickets/{ticket_id:str}", tags=["tickets"])
    async def ticket(request: Request[Any, Any, Any], ticket_id: str) -> TicketTrace:
        """One ticket, everything that happened to it, and whether its chain holds."""
        principal = await gate.principal(request)
        found = await reads.trace(principal.company, ticket_id, clock.now())
        if found is None:
            raise _no_such(ticket_id)
        if principal.role == "wall":
            of_ticket = [step for step in found.trace if step.stream == "ticket"]
            for step in of_ticket:
                for of_people in ("household", "resident", "guard"):
                    step.event.pop(of_people, None)
            ticket_alone = replace(found, trace=of_ticket, evidence_chain=None)
            return replace(ticket_alone, ticket=_without_guards(found.ticket))
        return found

    @get("/api/tickets/{ticket_id:str}/written", tags=["tickets"])
    async def written(request: Request[Any, Any, Any], ticket_id: str) -> TicketWords:
        """The written reasons at the steps of a ticket; who reads them is written down."""
        principal = await gate.person(request, "administrator", "manager", "seat")
        found = await reads.written(principal.company, ticket_id, principal.actor)
        if found is None:
            raise _no_such(ticket_id)
        return found

    return [*(handler(name, of) for name, of in ALL.items()), tickets, ticket, written]
