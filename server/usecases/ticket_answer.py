"""A ticket as callers are told of it: nothing of a resident."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Literal

import msgspec

from dispatch_core import tickets
from dispatch_core.events import Clocks, Event, Work
from dispatch_core.ids import (
    Clock,
    CrewId,
    Level,
    OutageId,
    PermitKind,
    Precision,
    RequestKind,
    TicketId,
    TicketState,
    unix,
)
from dispatch_core.tickets import Appointment, Escalation, HeldPermit, Lock, PartsWait, Ticket
from server.ports import CityPolicy
from server.usecases.work import work_for


class PermitAnswer(HeldPermit, frozen=True, kw_only=True):
    """A permit as it was written."""

    permit: PermitKind


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
    work: Work | None
    """What it asks of a crew; None only where the city's policy cannot be read."""
    work_by: Literal["policy", "person"]
    appointed: Appointment | None
    permits: list[PermitAnswer]
    parts_wait: PartsWait | None
    pinned: Lock | None
    with_crew: CrewId | None
    """The second crew of a job that needs two."""
    arrive_at: int | None
    """When the crew was expected as it was given the ticket."""
    auto: bool
    """The policy gave it to its crew; no person did."""
    displaced_by: TicketId | None
    escalated: list[Escalation]
    unproposed_since: int | None
    reopened: int
    clocks: Clocks
    warnings: list[str]
    """What is worth a look after this command, e.g. `nobody_stocks:DN80`."""


CONFIRMED: frozenset[TicketState] = frozenset({"confirmed", "handling", "verifying", "closed"})


def answer_of(
    ticket_id: TicketId,
    ticket: Ticket,
    city: CityPolicy | None = None,
    *,
    attached: bool = False,
) -> TicketAnswer:
    """What a caller is told of a ticket; `city` says what the work is where no person has."""
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
        work=work_for(ticket, city) if city else ticket.work,
        work_by="person" if ticket.work else "policy",
        appointed=ticket.appointed,
        permits=[
            PermitAnswer(permit=kind, **msgspec.structs.asdict(held))
            for kind, held in sorted(ticket.permits.items())
        ],
        parts_wait=ticket.parts_wait,
        pinned=ticket.pinned,
        with_crew=ticket.with_crew,
        arrive_at=ticket.arrive_at,
        auto=ticket.auto,
        displaced_by=ticket.displaced_by,
        escalated=ticket.escalated,
        unproposed_since=ticket.unproposed_since,
        reopened=ticket.reopened,
        clocks=ticket.clocks,
        warnings=[],
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
