"""What a step of a ticket means for the crews that have it in hand, and for the store that keeps
its parts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from dispatch_core import crews, stores
from dispatch_core.commands import ReleaseParts, WorkCommand
from dispatch_core.events import Event
from dispatch_core.ids import CrewId, TicketId
from dispatch_core.tickets import Ticket
from server.ports import Loaded
from server.usecases.streams import named

Facts = dict[str, Sequence[Event]]
"""Stream -> its new facts."""


def crew_streams(ticket: Ticket | None) -> tuple[str, ...]:
    """The streams of the crews that have the ticket: none, one, or two."""
    return tuple(named("crew", crew) for crew in ticket.crews) if ticket else ()


def of_crews(
    loaded: Loaded, crew_ids: Iterable[CrewId], command: WorkCommand, now: datetime
) -> Facts:
    """What the same command makes of each crew; a crew without a fact is left out."""
    made: Facts = {}
    for crew in crew_ids:
        stream = named("crew", crew)
        events = crews.decide(loaded.state(stream)[0], command, now)
        if events:
            made[stream] = events
    return made


def store_stream(ticket: Ticket | None) -> tuple[str, ...]:
    """The stream of the store that keeps parts for the ticket, if any does."""
    return (named("store", ticket.reserved),) if ticket and ticket.reserved else ()


def parts_released(loaded: Loaded, ticket_id: TicketId, ticket: Ticket | None) -> Facts:
    """The store's fact that nothing is kept for the ticket any more."""
    made: Facts = {}
    for stream in store_stream(ticket):
        events = stores.decide(loaded.state(stream)[0], ReleaseParts(ticket=ticket_id))
        if events:
            made[stream] = events
    return made
