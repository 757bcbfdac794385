"""What a ticket asks of a crew: as a person said it, else as the city's policy does."""

from __future__ import annotations

from dispatch_core.dispatch import work_of
from dispatch_core.events import Work
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy


def work_for(ticket: Ticket, city: CityPolicy, equipment: str | None = None) -> Work:
    """The work that holds now; `equipment`: the record that it concerns, where that is said just
    now."""
    if ticket.work is not None:
        return ticket.work
    place = ticket.place.node or "building"
    return work_of(ticket.kind, ticket.level, place, ticket.reasons, equipment, city.dispatch)
