"""Travel times of a company from the best source that answers: a router by URL, the imported
city's roads, great circles; whoever gets less than was meant is told why."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
import numpy as np

from dispatch_core.ids import unix
from geo.roads import Unusable
from geo.travel import (
    Note,
    Places,
    RoadsUsed,
    Seconds,
    Source,
    TravelModel,
    TravelTable,
    as_bytes,
    completed,
    great_circle_table,
)
from geo.travel_memo import TravelMemo
from server.adapters import travel_store
from server.adapters.cities import tiles_folder
from server.adapters.clock import BusinessClock, monotonic
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.road_files import UnreadableRoads, roads_beside
from server.adapters.travel_roads import CityRoads, found_again
from server.adapters.travel_routers import RouterClient, RouterFailed
from server.adapters.travel_settings import Router, TravelSettings

log = logging.getLogger(__name__)

LOOK_AGAIN_S: Final = 5.0
TRAFFIC_S: Final = 600.0
"""What a router said is remembered at most for so long: it may know of jams."""
ASK_AGAIN_S: Final = 30.0
"""A router that failed is left alone for so long: nobody waits for its silence twice."""


class TravelStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a company's travel times come from."""

    source: Source
    wanted: Source
    note: Note | None
    version: int
    """Of the model in force; 0: the policy's figures alone."""
    journeys: int
    """How many it was learnt from."""
    road_nodes: int
    """Of the roads that are loaded; 0: none."""


class _Base(NamedTuple):
    """What holds for a company for some seconds."""

    code: str
    roads: Path | None
    """The file of its city's roads, None where there is none."""
    model: TravelModel
    off_road_m: int


class _Found(NamedTuple):
    source: Source
    times: Seconds
    """UNKNOWN where the source knows no way."""
    roads: RoadsUsed | None


class _City:
    """The roads of one company, what its router said, and the troubles with its sources."""

    def __init__(self) -> None:
        self.turn = asyncio.Lock()
        """One question at a time: the next one finds its pairs remembered."""
        self.roads = CityRoads()
        self.asked = TravelMemo()
        self.base: tuple[float, _Base] | None = None
        self.notes: dict[Source, Note] = {}
        self.asked_again_at = float("-inf")
        self.status: TravelStatus | None = None


class Travel:
    """The travel times of an installation; one for a process."""

    def __init__(self, pool: Pool, data: Path, clock: BusinessClock, policies: Policies) -> None:
        self._pool = pool
        self._cities = data / "cities"
        self._clock = clock
        self._policies = policies
        self._settings = TravelSettings(data)
        self._clients: dict[Router, RouterClient] = {}
        self._known: dict[int, _City] = {}

    async def close(self) -> None:
        """Let the routers' connections go."""
        for client in self._clients.values():
            await client.close()
        self._clients.clear()

    async def model(self, company: int) -> TravelModel:
        """The model in force: the one learnt last, else the policy's figures."""
        return (await self._base(company)).model

    async def table(self, company: int, a: Places, b: Places, at: int) -> TravelTable:
        """Travel times from each of `a` (n, 2) to each of `b` (m, 2) at a departure at `at`.

        A source that fails gives way to the next at once, and the table's note says so. Raises
        Unavailable only when the database or the policy does.
        """
        base, city = await self._base(company), self._city(company)
        router = self._settings.router(base.code)
        wanted: Source = router.kind if router else "roads" if base.roads else "great_circle"
        found = None
        if router is not None:
            found = await self._by_router(city, router, a, b)
        if found is None and base.roads is not None:
            found = await self._by_roads(city, base.roads, base, a, b, at)
        source: Source = "great_circle" if found is None else found.source
        note = self._note(city, wanted, source)
        city.status = self._told(base, city, source, wanted, note)
        table = great_circle_table(base.model, a, b, at)
        if found is None:
            return msgspec.structs.replace(table, note=note)
        times, patched = completed(found.times, base.model, a, b, at)
        return msgspec.structs.replace(
            table,
            source=source,
            found=as_bytes(times),
            patched=patched,
            note=note,
            roads=found.roads,
        )

    async def found_again(self, company: int, table: TravelTable) -> TravelTable:
        """A slim table of a decision with its times again; any other as it is.

        Raises:
            LookupError: what it was found on is gone, or gives other times; the text says which.
        """
        base = await self._base(company)
        try:
            return await asyncio.to_thread(
                found_again, tiles_folder(self._cities, base.code), table
            )
        except Unusable as error:
            raise LookupError(str(error)) from error

    async def status(self, company: int) -> TravelStatus:
        """As it stood with the last table, asked for now if there was none yet."""
        city = self._city(company)
        if city.status is None:
            nowhere = np.zeros((1, 2), np.int32)
            await self.table(company, nowhere, nowhere, unix(self._clock.now()))
        assert city.status is not None  # noqa: S101 - a table tells it
        return city.status

    def _city(self, company: int) -> _City:
        return self._known.setdefault(company, _City())

    async def _base(self, company: int) -> _Base:
        city = self._city(company)
        if city.base is not None and monotonic() - city.base[0] < LOOK_AGAIN_S:
            return city.base[1]
        now = self._clock.now()
        policy = await self._policies.at(company, now)
        offset = travel_store.offset_s(now, policy.timezone)
        async with self._pool.company(company, readonly=True) as c:
            code, tiles = await travel_store.company_and_tiles(c, company)
            model = await travel_store.newest_model(c, company)
        if model is None:
            model = policy.travel.prior(offset)
        elif model.utc_offset_s != offset:
            model = msgspec.structs.replace(model, utc_offset_s=offset)
        roads = None
        if tiles is not None:
            file = roads_beside(tiles_folder(self._cities, code) / f"{tiles}.pmtiles")
            roads = file if await asyncio.to_thread(file.is_file) else None
        base = _Base(code, roads, model, policy.travel.off_road_m)
        city.base = monotonic(), base
        return base

    async def _by_router(self, city: _City, router: Router, a: Places, b: Places) -> _Found | None:
        if monotonic() < city.asked_again_at:
            return None
        client = self._clients.get(router)
        if client is None:
            client = self._clients[router] = RouterClient(router)
        async with city.turn:
            try:
                key = router, int(monotonic() // TRAFFIC_S)
                for origins, ends in city.asked.missing(key, a, b):
                    city.asked.learn(origins, ends, await client.table(origins, ends))
            except RouterFailed as failed:
                city.asked_again_at = monotonic() + ASK_AGAIN_S
                self._trouble(city, router.kind, failed.code, failed.detail)
                return None
            times = city.asked.take(a, b)
        city.notes.pop(router.kind, None)
        return _Found(router.kind, times, None)

    async def _by_roads(
        self, city: _City, file: Path, base: _Base, a: Places, b: Places, at: int
    ) -> _Found | None:
        async with city.turn:
            try:
                times, used = await asyncio.to_thread(
                    city.roads.times, file, base.model, a, b, at, base.off_road_m
                )
            except (OSError, UnreadableRoads) as error:
                self._trouble(city, "roads", "bad_roads", f"The roads cannot be read: {error}.")
                return None
            except Unusable as error:
                self._trouble(city, "roads", error.code, str(error))
                return None
        city.notes.pop("roads", None)
        return _Found("roads", times, used)

    def _trouble(self, city: _City, wanted: Source, why: str, detail: str) -> None:
        known = city.notes.get(wanted)
        if known is None or known.why != why:
            log.warning("travel times: %s gives none (%s): %s", wanted, why, detail)
            known = Note(wanted=wanted, since=unix(self._clock.now()), why=why, detail=detail)
        city.notes[wanted] = msgspec.structs.replace(known, detail=detail)

    def _note(self, city: _City, wanted: Source, source: Source) -> Note | None:
        if source != wanted:
            return city.notes.get(wanted)
        if self._settings.error is None:
            city.notes.pop(source, None)
            return None
        self._trouble(city, source, "bad_settings", self._settings.error)
        return city.notes[source]

    @staticmethod
    def _told(
        base: _Base, city: _City, source: Source, wanted: Source, note: Note | None
    ) -> TravelStatus:
        return TravelStatus(
            source=source,
            wanted=wanted,
            note=note,
            version=base.model.version,
            journeys=sum(base.model.observed),
            road_nodes=city.roads.nodes,
        )
