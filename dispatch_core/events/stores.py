"""Events of a spare-parts store: what it holds, what is reserved for which ticket."""

from __future__ import annotations

from dispatch_core.events.base import Body
from dispatch_core.ids import CrewId, TicketId


class StoreStocked(Body, frozen=True, kw_only=True):
    """The store was entered into the register or counted: all it holds, part -> pieces."""

    name: str
    lon: float
    lat: float
    parts: dict[str, int]


class PartsReserved(Body, frozen=True, kw_only=True):
    """Parts are kept for a ticket."""

    ticket: TicketId
    parts: dict[str, int]


class PartsReleased(Body, frozen=True, kw_only=True):
    """What was kept for a ticket is free again."""

    ticket: TicketId


class PartsIssued(Body, frozen=True, kw_only=True):
    """A crew took parts away; those kept for the ticket are no longer reserved."""

    ticket: TicketId | None
    crew: CrewId
    parts: dict[str, int]
