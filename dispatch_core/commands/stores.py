"""Commands on a spare-parts store."""

from __future__ import annotations

import msgspec

from dispatch_core.ids import CrewId, TicketId


class StockStore(msgspec.Struct, frozen=True, kw_only=True):
    """Enter a store into the register, or count it: all that it holds, part -> pieces. WGS-84."""

    name: str
    lon: float
    lat: float
    parts: dict[str, int]


class ReserveParts(msgspec.Struct, frozen=True, kw_only=True):
    """Keep parts for a ticket, instead of those kept for it so far."""

    ticket: TicketId
    parts: dict[str, int]


class ReleaseParts(msgspec.Struct, frozen=True, kw_only=True):
    """What is kept for the ticket is free again."""

    ticket: TicketId


class IssueParts(msgspec.Struct, frozen=True, kw_only=True):
    """A crew takes parts away, for a ticket or as its stock."""

    crew: CrewId
    parts: dict[str, int]
    ticket: TicketId | None = None


StoreCommand = StockStore | ReserveParts | ReleaseParts | IssueParts
