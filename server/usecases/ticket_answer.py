"""A ticket as callers are told of it: nothing of a resident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import msgspec

from dispatch_core import tickets
from dispatch_core.events import Event
from dispatch_core.ids import (
    Clock,
    CrewId,
    Level,
    OutageId,
    Precision,
    RequestKind,
    TicketId,
    TicketState,
    unix,
)
from dispatch_core.tickets import Ticket


class TicketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the API shows it, at its building and no closer; times are Unix seconds."""

    id: TicketId
    version: int
    state: TicketState
    kind: RequestKind
    level: Level
    lon: float
    lat: float
    address: str
    precision: Precision
    """How well the place is known; below `building` the coordinate stands for an area."""
    building: str | None
    community: str | None
    district: str | None
    source: str
    reports: int
    outage: OutageId | None
    crew: CrewId | None
    crew_name: str | None
    crew_confirmed: bool
    received_at: int
    due_at: int | None
    due_clock: Clock | None
    near: bool
    overdue: bool
    overdue_since: int | None
    lost_contact: bool
    closed_at: int | None
    possible: tuple[str, ...]
    """The commands that its state allows."""
    attached: bool
    """The request was counted on this ticket, which was open already."""
    owner: str | None
    green_channel: bool
    reasons: list[str]
    photos: int
    history: int
    """Tickets of the same fault at the same door within the days before, that were over."""
    merged_into: TicketId | None


CONFIRMED: frozenset[TicketState] = frozenset({"confirmed", "handling", "verifying", "closed"})


def answer_of(ticket_id: TicketId, ticket: Ticket, *, attached: bool = False) -> TicketAnswer:
    """What a caller is told of a ticket."""
    due = ticket.due
    overdue = due is not None and due.warned == "passed"
    return TicketAnswer(
        id=ticket_id,
        version=ticket.version,
        state=ticket.state,
        kind=ticket.kind,
        level=ticket.level,
        lon=ticket.place.lon,
        lat=ticket.place.lat,
        address=ticket.place.address,
        precision=ticket.place.precision,
        building=ticket.place.building,
        community=ticket.place.community,
        district=ticket.place.district,
        source=ticket.source,
        reports=ticket.reports,
        outage=ticket.outage,
        crew=ticket.crew,
        crew_name=ticket.crew_name,
        crew_confirmed=ticket.crew is not None and ticket.state in CONFIRMED,
        received_at=ticket.received_at,
        due_at=due.at if due else None,
        due_clock=due.clock if due else None,
        near=due is not None and due.warned == "near",
        overdue=overdue,
        overdue_since=due.at if due and overdue else None,
        lost_contact=ticket.lost_contact,
        closed_at=ticket.closed_at,
        possible=tickets.POSSIBLE[ticket.state],
        attached=attached,
        owner=ticket.owner.removeprefix("person:") if ticket.owner else None,
        green_channel=ticket.green_channel,
        reasons=ticket.reasons,
        photos=len(ticket.photos),
        history=_history(ticket.reasons),
        merged_into=ticket.merged_into,
    )


def _history(reasons: Sequence[str]) -> int:
    said = (r.removeprefix("history:") for r in reasons if r.startswith("history:"))
    return next((int(n) for n in said if n.isdecimal()), 0)


def after(ticket: Ticket | None, events: Sequence[Event], now: datetime) -> Ticket:
    """The ticket once the events have happened. Raises ValueError if there is none then."""
    for event in events:
        ticket = tickets.apply(ticket, event, unix(now))
    if ticket is None:
        raise ValueError("no fact, no ticket")
    return ticket
