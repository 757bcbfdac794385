"""Topic `happenings`: what just happened, one line per fact, in a ring of 64 slots.

A line is made from its fact alone. The slot is the only thing a fact does not know: line n of a
company, n being the row version that the feed counts on, stands in slot n modulo 64.
"""

from __future__ import annotations

from typing import Any, get_args, get_type_hints

from dispatch_core.events import (
    CrewBack,
    CrewStopped,
    DeadlineNear,
    DeadlinePassed,
    Event,
    OutageEnded,
    OutageOpened,
    PositionLost,
    PositionRegained,
    SpikeEnded,
    SpikeStarted,
    TicketClosed,
    TicketConfirmed,
    TicketDispatched,
    TicketDisplaced,
    TicketFact,
    TicketHandling,
    TicketVerifying,
    kind_of,
)
from realtime.facts import Fact
from realtime.layers.rows import HappeningRow

TOPIC = "happenings"
SLOTS = 64

WHAT: frozenset[str] = frozenset(get_args(get_type_hints(HappeningRow)["what"]))
"""The kinds of event that make a line, as the row's type names them."""


def slot(n: int) -> str:
    """The key of line n: `00` to `63`."""
    return f"{n % SLOTS:02d}"


def line(fact: Fact) -> HappeningRow | None:
    """The line that a fact makes; None for a fact that is not worth one."""
    event = fact.event
    what: Any = kind_of(type(event))
    if what not in WHAT:
        return None
    ticket = event.ticket if isinstance(event, TicketFact) else None
    return HappeningRow(
        what=what,
        at=fact.at,
        stream=fact.stream,
        level=ticket.level if ticket else None,
        kind=ticket.kind if ticket else None,
        place=ticket.address if ticket else _place(event),
        crew_name=_crew_name(event),
        minutes=_minutes(event, fact.at),
    )


def _place(event: Event) -> str:
    match event:
        case OutageOpened() | OutageEnded() | SpikeStarted() | SpikeEnded():
            return event.name
        case _:
            return ""


def _crew_name(event: Event) -> str | None:
    match event:
        case TicketDispatched() | TicketConfirmed() | TicketHandling() | TicketVerifying():
            return event.crew_name
        case TicketClosed() | TicketDisplaced():
            return event.crew_name
        case PositionLost() | PositionRegained() | CrewStopped() | CrewBack():
            return event.name
        case _:
            return None


def _minutes(event: Event, at: int) -> int | None:
    match event:
        case TicketClosed():
            return event.took_s // 60
        case OutageEnded():
            return event.lasted_s // 60
        case DeadlineNear():
            return max(0, event.deadline - at) // 60
        case DeadlinePassed():
            return max(0, at - event.deadline) // 60
        case _:
            return None
