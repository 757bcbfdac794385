"""What one more fact makes of a ticket."""

from __future__ import annotations

import msgspec

from dispatch_core.events import (
    ContactRegained,
    DeadlineNear,
    DeadlinePassed,
    Event,
    LostContact,
    TicketAbsorbed,
    TicketAccepted,
    TicketCancelled,
    TicketClosed,
    TicketConfirmed,
    TicketDispatched,
    TicketDisplaced,
    TicketEscalated,
    TicketHandling,
    TicketKindChanged,
    TicketLevelChanged,
    TicketLinked,
    TicketMerged,
    TicketOwned,
    TicketPartsLate,
    TicketPhotosAdded,
    TicketPlaced,
    TicketProposedAgain,
    TicketReceived,
    TicketReopened,
    TicketRepeated,
    TicketUnproposed,
    TicketVerifying,
    Warned,
)
from dispatch_core.ids import Clock
from dispatch_core.tickets.agreed import agreed, said, without
from dispatch_core.tickets.state import Ticket, unwarned, warned_after


def apply(ticket: Ticket | None, event: Event, at: int) -> Ticket:
    """The ticket after one more fact, which happened at `at`.

    Raises ValueError for a fact that cannot be the next of a ticket: a broken journal, not a user's
    mistake.
    """
    if isinstance(event, TicketReceived):
        if ticket is not None:
            raise ValueError("a ticket is received once")
        return Ticket(
            version=1,
            decided=1,
            state="received",
            kind=event.ticket.kind,
            level=event.ticket.level,
            place=event.place,
            source=event.source,
            reports=event.reports,
            resident=event.resident,
            outage=event.outage,
            received_at=at,
            started_at=at,
            heard_at=at,
            clocks=event.clocks,
            warned={},
            household=event.household,
            green_channel=event.green_channel,
            photos=event.photos,
            reasons=event.reasons,
            said=event.said,
        )
    if ticket is None:
        raise ValueError(f"{type(event).__name__} cannot be the first fact of a ticket")
    version = ticket.version + 1
    warned: dict[Clock, Warned]
    match event:
        case DeadlineNear():
            warned = {**ticket.warned, event.clock: "near"}
            return msgspec.structs.replace(ticket, version=version, warned=warned)
        case DeadlinePassed():
            warned = {**ticket.warned, event.clock: "passed"}
            return msgspec.structs.replace(ticket, version=version, warned=warned)
        case LostContact():
            return msgspec.structs.replace(ticket, version=version, lost_contact=True)
        case ContactRegained():
            return msgspec.structs.replace(ticket, version=version, lost_contact=False, heard_at=at)
        case (
            TicketEscalated()
            | TicketUnproposed()
            | TicketProposedAgain()
            | TicketPartsLate()
            | (TicketLinked())
        ):
            return said(msgspec.structs.replace(ticket, version=version), event, at)
        case TicketRepeated() | TicketAbsorbed() | TicketPhotosAdded():
            return _grown(msgspec.structs.replace(ticket, version=version), event, at)
        case _:
            return _moved(ticket, event, at, version)


def _moved(  # noqa: PLR0911 - one answer per event
    ticket: Ticket, event: Event, at: int, version: int
) -> Ticket:
    replace = msgspec.structs.replace
    base = replace(ticket, version=version, decided=version)
    match event:
        case TicketAccepted():
            owner = base.owner or _person(event.by)
            return replace(base, state="accepted", heard_at=at, owner=owner)
        case TicketDispatched():
            return replace(
                _off_site(base), state="dispatched", heard_at=at, crew=event.crew,
                crew_name=event.crew_name, with_crew=event.with_crew, arrive_at=event.arrive_at,
                auto=event.auto, displaced_by=None, unproposed_since=None, proposed_at=None,
                escalated=without(base.escalated, "on_site", "no_crew"),
                owner=base.owner or _person(event.by),
            )  # fmt: skip
        case TicketDisplaced():
            return replace(
                _off_site(base), state="accepted", heard_at=at, crew=None, crew_name=None,
                with_crew=None, arrive_at=None, auto=False, displaced_by=event.because,
                escalated=without(base.escalated, "on_site"),
            )  # fmt: skip
        case TicketConfirmed():
            clocks = replace(base.clocks, on_site=event.on_site_by)
            return replace(base, state="confirmed", heard_at=at, clocks=clocks)
        case TicketHandling():
            return replace(base, state="handling", heard_at=at)
        case TicketVerifying():
            return replace(base, state="verifying", heard_at=at)
        case TicketClosed():
            return replace(base, state="closed", closed_at=at, lost_contact=False, reserved=None)
        case TicketCancelled():
            return replace(base, state="cancelled", closed_at=at, lost_contact=False, reserved=None)
        case TicketReopened():
            return replace(
                base, state="accepted", heard_at=at, started_at=at, clocks=event.clocks,
                warned={}, crew=None, crew_name=None, closed_at=None, with_crew=None,
                arrive_at=None, auto=False, appointed=None, parts_wait=None, reserved=None,
                pinned=None, displaced_by=None, escalated=[], unproposed_since=None,
                proposed_at=None, reopened=base.reopened + 1,
            )  # fmt: skip
        case TicketLevelChanged():
            clocks = replace(base.clocks, respond=event.respond_by)
            anew = event.respond_by != base.clocks.respond
            return replace(
                base, level=event.ticket.level, clocks=clocks,
                warned=warned_after(base, event.respond_by),
                escalated=without(base.escalated, "respond") if anew else base.escalated,
            )  # fmt: skip
        case TicketKindChanged() | TicketOwned() | TicketPlaced() | TicketMerged():
            return _amended(base, event, at)
        case _:
            return agreed(base, event)


def _off_site(ticket: Ticket) -> Ticket:
    """No crew has confirmed: the clock to be on site stands still."""
    clocks = msgspec.structs.replace(ticket.clocks, on_site=None)
    warned = unwarned(ticket.warned, "on_site")
    return msgspec.structs.replace(ticket, clocks=clocks, warned=warned)


def _grown(
    ticket: Ticket, event: TicketRepeated | TicketAbsorbed | TicketPhotosAdded, at: int
) -> Ticket:
    """More is known; nothing that a person decided upon has changed."""
    replace = msgspec.structs.replace
    match event:
        case TicketRepeated():
            return replace(
                ticket, photos=[*ticket.photos, *event.photos], said=event.said, called_at=at,
                reports=event.reports,
                duplicates=ticket.duplicates + (event.reports - ticket.reports) * event.duplicate,
            )  # fmt: skip
        case TicketAbsorbed():
            return replace(ticket, reports=event.reports)
        case TicketPhotosAdded():
            return replace(ticket, photos=[*ticket.photos, *event.photos])


def _amended(
    base: Ticket, event: TicketKindChanged | TicketOwned | TicketPlaced | TicketMerged, at: int
) -> Ticket:
    replace = msgspec.structs.replace
    match event:
        case TicketKindChanged():
            return replace(base, kind=event.ticket.kind)
        case TicketOwned():
            return replace(base, owner=event.owner)
        case TicketPlaced():
            return replace(
                base, place=event.place, household=event.household,
                green_channel=event.green_channel,
            )  # fmt: skip
        case TicketMerged():
            return replace(
                base, state="cancelled", closed_at=at, lost_contact=False,
                merged_into=event.into, reserved=None,
            )  # fmt: skip


def _person(by: str) -> str | None:
    """Who owns a ticket from the first contact on is a person, not the source it came from."""
    return by if by.startswith("person:") else None
