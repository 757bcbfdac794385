"""Commands on stores: enter or count one, and hand parts to a crew."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch_core import crews, stores
from dispatch_core.commands import IssueParts, StockCrew, StockStore
from dispatch_core.errors import NotFound
from dispatch_core.events import Event
from dispatch_core.ids import StoreId, TicketId, unix
from dispatch_core.stores import Store
from server.ports import Decision, Loaded, Wanted
from server.usecases.streams import named


class StoreAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A store as its commands answer it. WGS-84."""

    id: StoreId
    version: int
    name: str
    lon: float
    lat: float
    parts: dict[str, int]
    """All that lies there, part -> pieces."""
    free: dict[str, int]
    """What of it is kept for no ticket."""
    reserved: dict[TicketId, dict[str, int]]


def answer_of(store_id: StoreId, store: Store) -> StoreAnswer:
    """What a caller is told of a store."""
    return StoreAnswer(
        id=store_id, version=store.version, name=store.name, lon=store.lon, lat=store.lat,
        parts=store.parts, free=store.free(), reserved=store.reserved,
    )  # fmt: skip


def _after(store: Store | None, events: Sequence[Event], now: datetime) -> Store:
    for event in events:
        store = stores.apply(store, event, unix(now))
    if store is None:
        raise ValueError("no fact, no store")
    return store


@dataclass(frozen=True, slots=True, kw_only=True)
class StockStoreParts:
    """Enter a store or count it; where all is so already, nothing is written."""

    store: StoreId
    command: StockStore

    def wanted(self) -> Wanted:
        """The store's stream."""
        return Wanted(streams=(named("store", self.store),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The store's fact."""
        stream = named("store", self.store)
        before: Store | None = loaded.state(stream)[0]
        events = stores.decide(before, self.command)
        return Decision(
            appends={stream: events} if events else {},
            answer=answer_of(self.store, _after(before, events, now)),
            status=201 if before is None else 200,
            grounds="the store was entered" if before is None else "the store was counted",
            policy=stores.POLICY,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueStoreParts:
    """A crew takes parts away: they lie on its van from then on."""

    store: StoreId
    command: IssueParts
    by: str

    def wanted(self) -> Wanted:
        """The streams of the store and of the crew."""
        return Wanted(streams=(named("store", self.store), named("crew", self.command.crew)))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of the store and of the crew. Raises NotFound `no_such_crew`."""
        stream, crew_stream = named("store", self.store), named("crew", self.command.crew)
        before: Store | None = loaded.state(stream)[0]
        crew: crews.Crew | None = loaded.state(crew_stream)[0]
        if crew is None:
            raise NotFound(
                "no_such_crew", f"There is no crew {self.command.crew}.", "Choose a crew."
            )
        events = stores.decide(before, self.command)
        on_van = Counter(crew.parts or {}) + Counter(self.command.parts)
        stocked = crews.decide(crew, StockCrew(parts=dict(on_van), by=self.by), now)
        return Decision(
            appends={stream: events, crew_stream: stocked},
            answer=answer_of(self.store, _after(before, events, now)),
            grounds=_grounds(self.store, self.command.ticket),
            policy=stores.POLICY,
        )


def _grounds(store: StoreId, ticket: TicketId | None) -> str:
    return f"taken from store {store}" + (f" for ticket {ticket}" if ticket else "")
