"""Topic `tickets`: one row per open ticket, from intake until it is closed or cancelled."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from dispatch_core.events import (
    ContactRegained,
    Due,
    LostContact,
    TicketAbsorbed,
    TicketAccepted,
    TicketAppointed,
    TicketCancelled,
    TicketClosed,
    TicketConfirmed,
    TicketDispatched,
    TicketDisplaced,
    TicketEscalated,
    TicketFact,
    TicketHandling,
    TicketMerged,
    TicketPartsAwaited,
    TicketPartsReady,
    TicketPinned,
    TicketPlaced,
    TicketProposedAgain,
    TicketReceived,
    TicketReopened,
    TicketRepeated,
    TicketUnpinned,
    TicketUnproposed,
    TicketVerifying,
)
from realtime.facts import Fact
from realtime.layers.rows import Row, TicketRow

TOPIC = "tickets"
LOCATED = frozenset({"flat", "unit", "building"})
"""Precisions whose coordinate is where the ticket is."""
decode = msgspec.msgpack.Decoder(TicketRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The ticket that the fact is about."""
    return (fact.name,) if isinstance(fact.event, TicketFact) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The ticket's row after the fact; None once it is no longer open."""
    event = fact.event
    if not isinstance(event, TicketFact) or fact.name != key:
        return row
    if isinstance(event, TicketClosed | TicketCancelled | TicketMerged):
        return None
    if isinstance(event, TicketReceived | TicketReopened):
        return _timed(_opened(event, fact.at), event.due)
    if not isinstance(row, TicketRow):
        return None
    return _timed(_stepped(row, event), event.due)


def _opened(event: TicketReceived | TicketReopened, at: int) -> TicketRow:
    received = isinstance(event, TicketReceived)
    return TicketRow(
        kind=event.ticket.kind,
        level=event.ticket.level,
        state="received" if received else "accepted",
        lon=event.place.lon,
        lat=event.place.lat,
        address=event.place.address,
        building=event.place.building,
        community=event.place.community,
        district=event.place.district,
        source=event.source,
        received_at=at if isinstance(event, TicketReceived) else event.received_at,
        due_at=None,
        due_clock=None,
        near=False,
        overdue=False,
        overdue_since=None,
        lost_contact=False,
        crew=None,
        crew_name=None,
        crew_confirmed=False,
        outage=event.outage,
        reports=event.reports,
        located=event.place.precision in LOCATED,
    )


def _stepped(row: TicketRow, event: TicketFact) -> TicketRow:
    row = replace(row, level=event.ticket.level, kind=event.ticket.kind)
    match event:
        case TicketAccepted():
            row = replace(row, state="accepted")
        case TicketDispatched():
            row = replace(
                row,
                state="dispatched",
                crew=event.crew,
                crew_name=event.crew_name,
                crew_confirmed=False,
                with_crew=event.with_crew,
                unproposed_since=None,
                displaced_by=None,
                auto=event.auto,
            )
        case TicketConfirmed():
            row = replace(row, state="confirmed", crew_confirmed=True)
        case TicketHandling():
            row = replace(row, state="handling")
        case TicketVerifying():
            row = replace(row, state="verifying")
        case TicketRepeated() | TicketAbsorbed():
            row = replace(row, reports=event.reports)
        case TicketPlaced():
            row = replace(
                row,
                lon=event.place.lon,
                lat=event.place.lat,
                address=event.place.address,
                building=event.place.building,
                community=event.place.community,
                district=event.place.district,
                located=event.place.precision in LOCATED,
            )
        case LostContact():
            row = replace(row, lost_contact=True)
        case ContactRegained():
            row = replace(row, lost_contact=False)
        case _:
            row = _agreed(row, event)
    return row


def _agreed(row: TicketRow, event: TicketFact) -> TicketRow:  # noqa: PLR0911 - one per event
    """What people, the store and the planner say about its visit."""
    match event:
        case TicketDisplaced():
            return replace(
                row,
                state="accepted",
                crew=None,
                crew_name=None,
                crew_confirmed=False,
                with_crew=None,
                displaced_by=event.because,
                auto=False,
            )
        case TicketAppointed():
            return replace(row, appointed_from=event.from_at, appointed_until=event.until_at)
        case TicketPartsAwaited():
            return replace(row, parts_expected_at=event.expected_at)
        case TicketPartsReady():
            return replace(row, parts_expected_at=None)
        case TicketPinned():
            return replace(row, pinned=event.crew, pinned_at=event.start_at)
        case TicketUnpinned():
            return replace(row, pinned=None, pinned_at=None)
        case TicketEscalated():
            return replace(row, escalated=True)
        case TicketUnproposed():
            return replace(row, unproposed_since=event.since)
        case TicketProposedAgain():
            return replace(row, unproposed_since=None)
        case _:
            return row


def _timed(row: TicketRow, due: Due | None) -> TicketRow:
    overdue = due is not None and due.warned == "passed"
    return replace(
        row,
        due_at=due.at if due else None,
        due_clock=due.clock if due else None,
        near=due is not None and due.warned == "near",
        overdue=overdue,
        overdue_since=due.at if due and overdue else None,
    )
