"""What a fact about the visit makes of a ticket: agreed, permitted, locked, or said by the core."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from dispatch_core.events import (
    Event,
    TicketAppointed,
    TicketEscalated,
    TicketLinked,
    TicketPartsAwaited,
    TicketPartsLate,
    TicketPartsReady,
    TicketPermitted,
    TicketPinned,
    TicketProposedAgain,
    TicketUnpinned,
    TicketUnproposed,
    TicketWorkSet,
)
from dispatch_core.tickets.state import Ticket, unwarned
from dispatch_core.tickets.visit import (
    Appointment,
    Escalation,
    HeldPermit,
    Lock,
    PartsWait,
    escalation,
)

Said = TicketEscalated | TicketUnproposed | TicketProposedAgain | TicketPartsLate | TicketLinked


def without(escalated: Sequence[Escalation], *gone: Escalation) -> list[Escalation]:
    """The escalations that still stand once these clocks begin anew."""
    return [e for e in escalated if e not in gone]


def said(ticket: Ticket, event: Said, at: int) -> Ticket:
    """The core or a seat said something; nothing that a person decided upon has changed."""
    match event:
        case TicketEscalated():
            return replace(ticket, escalated=[*ticket.escalated, escalation(event.clock)])
        case TicketUnproposed():
            known = ticket.escalated if event.again else without(ticket.escalated, "no_crew")
            return replace(ticket, unproposed_since=event.since, escalated=known)
        case TicketProposedAgain():
            return replace(ticket, unproposed_since=None, proposed_at=at)
        case TicketPartsLate():
            wait = ticket.parts_wait
            return replace(ticket, parts_wait=replace(wait, late=True) if wait else None)
        case TicketLinked():
            return replace(ticket, link=event.digest)


def agreed(base: Ticket, event: Event) -> Ticket:
    """The visit changes. Raises ValueError for what is no fact of a ticket."""
    match event:
        case TicketWorkSet():
            return replace(base, work=event.work)
        case TicketAppointed():
            return _appointed(base, event)
        case TicketPermitted():
            held = HeldPermit(
                number=event.number, valid_until=event.valid_until, guard=event.guard,
                gas=event.gas,
            )  # fmt: skip
            return replace(base, permits={**base.permits, event.permit: held})
        case TicketPartsAwaited():
            wait = PartsWait(parts=event.parts, store=event.store, expected_at=event.expected_at)
            return replace(base, parts_wait=wait, reserved=event.store)
        case TicketPartsReady():
            return replace(base, parts_wait=None)
        case TicketPinned():
            lock = Lock(crew=event.crew, crew_name=event.crew_name, start_at=event.start_at)
            return replace(base, pinned=lock)
        case TicketUnpinned():
            return replace(base, pinned=None)
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of a ticket")


def _appointed(base: Ticket, event: TicketAppointed) -> Ticket:
    window = None
    if event.from_at is not None and event.until_at is not None:
        window = Appointment(
            from_at=event.from_at, until_at=event.until_at, night_agreed=event.night_agreed
        )
    base = replace(base, appointed=window)
    if event.on_site_by is None:
        return base
    return replace(
        base, clocks=replace(base.clocks, on_site=event.on_site_by),
        warned=unwarned(base.warned, "on_site"), escalated=without(base.escalated, "on_site"),
    )  # fmt: skip
