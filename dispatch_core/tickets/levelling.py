"""Another response level, and what it does to the clock to respond."""

from __future__ import annotations

import msgspec

from dispatch_core import levels
from dispatch_core.events import TicketLevelChanged
from dispatch_core.ids import Level, LevelReason, Words
from dispatch_core.tickets.state import Ticket, warned_after


def level_changed(
    ticket: Ticket,
    level: Level,
    reason_code: LevelReason,
    reason: Words | None,
    at: int,
    policy: levels.Policy,
) -> TicketLevelChanged:
    """The fact that the ticket has another level from `at` on."""
    raised = levels.SEVERITY[level] < levels.SEVERITY[ticket.level]
    respond = levels.respond_after_change(
        ticket.clocks, ticket.started_at, level, raised=raised, at=at, policy=policy
    )
    clocks = msgspec.structs.replace(ticket.clocks, respond=respond)
    return TicketLevelChanged(
        ticket=msgspec.structs.replace(ticket.label, level=level),
        due=levels.due(ticket.state, clocks, warned_after(ticket, respond)),
        from_level=ticket.level,
        reason_code=reason_code,
        reason=reason,
        respond_by=respond,
        policy=policy.version,
    )
