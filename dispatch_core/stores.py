"""A spare-parts store: exactly what is there, and what of it is kept for which ticket."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from dispatch_core.commands import (
    IssueParts,
    ReleaseParts,
    ReserveParts,
    StockStore,
    StoreCommand,
)
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import (
    Event,
    PartsIssued,
    PartsReleased,
    PartsReserved,
    StoreStocked,
)
from dispatch_core.ids import TicketId

POLICY = "stores-1"


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A store after `version` facts. WGS-84. Nothing in it is ever below zero."""

    version: int
    name: str
    lon: float
    lat: float
    parts: dict[str, int]
    """All that lies there, part -> pieces, also what is kept for tickets."""
    reserved: dict[TicketId, dict[str, int]] = {}
    """Ticket -> what is kept for it."""

    def free(self, ticket: TicketId | None = None) -> dict[str, int]:
        """What is kept for nobody, or for this ticket: part -> pieces, those that there are."""
        kept: Counter[str] = Counter()
        for other, parts in self.reserved.items():
            if other != ticket:
                kept.update(parts)
        left = {part: pieces - kept[part] for part, pieces in self.parts.items()}
        return {part: pieces for part, pieces in left.items() if pieces > 0}

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        return {"version": self.version, "parts": self.parts, "free": self.free()}


def decide(store: Store | None, command: StoreCommand) -> list[Event]:
    """The facts that a command makes; none where everything already is as it asks.

    Raises NotFound `no_such_store`; Invalid `bad_store`, `bad_parts`; Conflict `not_in_store`,
    `kept_for_tickets`.
    """
    if isinstance(command, StockStore):
        return _stock(store, command)
    if store is None:
        raise NotFound("no_such_store", "There is no such store.", "Check its identifier.")
    match command:
        case ReserveParts():
            _check_parts(command.parts)
            _check_there(store, command.parts, command.ticket)
            if store.reserved.get(command.ticket) == command.parts:
                return []
            return [PartsReserved(ticket=command.ticket, parts=command.parts)]
        case ReleaseParts():
            if command.ticket not in store.reserved:
                return []
            return [PartsReleased(ticket=command.ticket)]
        case IssueParts():
            _check_parts(command.parts)
            _check_there(store, command.parts, command.ticket)
            return [PartsIssued(ticket=command.ticket, crew=command.crew, parts=command.parts)]


def _stock(store: Store | None, command: StockStore) -> list[Event]:
    if not command.name:
        raise Invalid("bad_store", "A store has a name.", "Write its name.")
    if not all(part and pieces >= 0 for part, pieces in command.parts.items()):
        raise Invalid(
            "bad_parts", "A part without a name, or fewer than none of it.", "Count again."
        )
    parts = {part: pieces for part, pieces in command.parts.items() if pieces}
    if store is not None:
        kept: Counter[str] = Counter()
        for reserved in store.reserved.values():
            kept.update(reserved)
        short = sorted(part for part, pieces in kept.items() if pieces > parts.get(part, 0))
        if short:
            raise Conflict(
                "kept_for_tickets",
                f"More is kept for tickets than was counted: {', '.join(short)}.",
                "Let the tickets wait for parts from elsewhere first, or count again.",
                store.present() | {"reserved": store.reserved},
            )
        same = (store.name, store.lon, store.lat, store.parts)
        if same == (command.name, command.lon, command.lat, parts):
            return []
    return [StoreStocked(name=command.name, lon=command.lon, lat=command.lat, parts=parts)]


def _check_parts(parts: Mapping[str, int]) -> None:
    if not parts or not all(part and pieces > 0 for part, pieces in parts.items()):
        raise Invalid(
            "bad_parts", "A part without a name or pieces is none.", "Name parts, 1 piece or more."
        )


def _check_there(store: Store, parts: Mapping[str, int], ticket: TicketId | None) -> None:
    free = store.free(ticket)
    short = [f"{part}: {free.get(part, 0)}" for part, n in parts.items() if n > free.get(part, 0)]
    if short:
        raise Conflict(
            "not_in_store",
            f"{store.name} does not have so much to spare: {', '.join(short)}.",
            "Take less, choose another store, or order the parts.",
            store.present() | {"there": {part: free.get(part, 0) for part in parts}},
        )


def apply(store: Store | None, event: Event, at: int) -> Store:
    """The store after one more fact. Raises ValueError for one that cannot be the next of it."""
    del at
    replace = msgspec.structs.replace
    if isinstance(event, StoreStocked):
        old = store or Store(version=0, name="", lon=0.0, lat=0.0, parts={})
        return replace(
            old, version=old.version + 1, name=event.name, lon=event.lon, lat=event.lat,
            parts=event.parts,
        )  # fmt: skip
    if store is None:
        raise ValueError(f"{type(event).__name__} cannot be the first fact of a store")
    store = replace(store, version=store.version + 1)
    match event:
        case PartsReserved():
            return replace(store, reserved={**store.reserved, event.ticket: event.parts})
        case PartsReleased():
            return replace(store, reserved=_others(store, event.ticket))
        case PartsIssued():
            left = {part: n - event.parts.get(part, 0) for part, n in store.parts.items()}
            return replace(
                store, parts={part: n for part, n in left.items() if n > 0},
                reserved=_others(store, event.ticket),
            )  # fmt: skip
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of a store")


def _others(store: Store, ticket: TicketId | None) -> dict[TicketId, dict[str, int]]:
    return {t: parts for t, parts in store.reserved.items() if t != ticket}
