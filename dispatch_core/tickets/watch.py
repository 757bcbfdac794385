"""What a ticket must be warned of as time passes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from dispatch_core import levels
from dispatch_core.events import (
    DeadlineNear,
    DeadlinePassed,
    Event,
    LostContact,
)
from dispatch_core.ids import (
    unix,
)
from dispatch_core.tickets.state import Ticket, apply


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
    silent_s = policy.silent_s(ticket.state)
    if silent_s is not None and not ticket.lost_contact and at >= ticket.heard_at + silent_s:
        events.append(
            LostContact(
                ticket=ticket.label,
                due=ticket.due,
                state=ticket.state,
                silent_since=ticket.heard_at,
            )
        )
    return events


def next_look(ticket: Ticket, policy: levels.Policy = levels.POLICY) -> int | None:
    """When `watch` can next have something to say (Unix seconds); None while it never will."""
    times = []
    for deadline, clock in levels.running(ticket.state, ticket.clocks):
        said = ticket.warned.get(clock, "no")
        if said != "passed":
            times.append(deadline - policy.near_s if said == "no" else deadline)
    silent_s = policy.silent_s(ticket.state)
    if silent_s is not None and not ticket.lost_contact:
        times.append(ticket.heard_at + silent_s)
    return min(times, default=None)
