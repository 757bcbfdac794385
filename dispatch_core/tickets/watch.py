"""What a ticket must be warned of as time passes, and what of it the duty manager must know."""

from __future__ import annotations

from datetime import datetime

import msgspec

from dispatch_core import levels
from dispatch_core.commands import Escalate
from dispatch_core.events import (
    DeadlineNear,
    DeadlinePassed,
    Event,
    LostContact,
    TicketPartsLate,
)
from dispatch_core.ids import TicketState, unix
from dispatch_core.tickets.applied import apply
from dispatch_core.tickets.state import Ticket

DUTY = "manager"
"""To whom it is carried."""
WAITS: frozenset[TicketState] = frozenset(
    {"received", "accepted", "dispatched", "confirmed", "handling"}
)
"""Where parts that do not come keep a crew from its work."""


def watch(ticket: Ticket, now: datetime, policy: levels.Policy = levels.POLICY) -> list[Event]:
    """The warnings that have become true by `now` and are not committed yet, oldest first."""
    at = unix(now)
    events: list[Event] = []
    for deadline, clock in levels.running(ticket.state, ticket.clocks):
        said = ticket.warned.get(clock, "no")
        event: DeadlineNear | DeadlinePassed
        if deadline <= at and said != "passed":
            event = DeadlinePassed(ticket=ticket.label, due=None, clock=clock, deadline=deadline)
        elif at < deadline <= at + policy.near_s and said == "no":
            event = DeadlineNear(ticket=ticket.label, due=None, clock=clock, deadline=deadline)
        else:
            continue
        ticket = apply(ticket, event, at)
        events.append(msgspec.structs.replace(event, due=ticket.due))
    word_at = word_owed(ticket, policy)
    if word_at is not None and at >= word_at:
        events.append(
            LostContact(
                ticket=ticket.label,
                due=ticket.due,
                state=ticket.state,
                silent_since=ticket.heard_at,
            )
        )
    parts_at = _parts_owed(ticket)
    if parts_at is not None and parts_at <= at:
        events.append(TicketPartsLate(ticket=ticket.label, due=ticket.due, expected_at=parts_at))
    return events


def owed(ticket: Ticket) -> list[Escalate]:
    """What of the ticket is to be carried to the duty manager and has not been: clocks that its
    level cares for, which may have passed when the level was another, and that nobody can go."""
    late = [
        Escalate(clock=clock, deadline=deadline, to=DUTY)
        for deadline, clock in levels.running(ticket.state, ticket.clocks)
        if ticket.warned.get(clock) == "passed"
        and clock in levels.ESCALATED[ticket.level]
        and clock not in ticket.escalated
    ]
    if ticket.unproposed_since is not None and "no_crew" not in ticket.escalated:
        late.append(Escalate(clock=None, deadline=None, to=DUTY))
    return late


def word_owed(ticket: Ticket, policy: levels.Policy = levels.POLICY) -> int | None:
    """When contact is lost unless a word of the crew comes before: past the expected time. A crew
    on its way owes its check-in at the planned arrival, not by the hour it set out. None where no
    crew owes a word, or contact is lost."""
    silent_s = policy.silent_s(ticket.state)
    if silent_s is None or ticket.lost_contact:
        return None
    if ticket.state == "confirmed" and ticket.arrive_at is not None:
        return max(ticket.arrive_at, ticket.heard_at) + policy.silent_past_arrival_s
    return ticket.heard_at + silent_s


def _parts_owed(ticket: Ticket) -> int | None:
    """When the parts that it waits for should be there; None once that was said, or none are."""
    wait = ticket.parts_wait
    if wait is None or wait.late or ticket.state not in WAITS:
        return None
    return wait.expected_at


def next_look(ticket: Ticket, policy: levels.Policy = levels.POLICY) -> int | None:
    """When `watch` can next have something to say, or something is `owed` (Unix seconds; what is
    owed is so since it passed); None while it never will."""
    times = [late.deadline or ticket.unproposed_since or 0 for late in owed(ticket)]
    for deadline, clock in levels.running(ticket.state, ticket.clocks):
        said = ticket.warned.get(clock, "no")
        if said != "passed":
            times.append(deadline - policy.near_s if said == "no" else deadline)
    word_at = word_owed(ticket, policy)
    if word_at is not None:
        times.append(word_at)
    parts_at = _parts_owed(ticket)
    if parts_at is not None:
        times.append(parts_at)
    return min(times, default=None)
