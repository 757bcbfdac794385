"""What the leader does beside the feed:
takes telemetry, watches clocks, counts figures, for every company."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from dispatch_core.errors import Unavailable
from dispatch_core.events import Event
from dispatch_core.ids import unix
from realtime.reader import Gone
from server.adapters.clock import system_now
from server.adapters.engine_store import EngineStore, EngineTransaction
from server.adapters.feed_reads import FeedReads
from server.adapters.lease import Lost
from server.adapters.photo_blobs import Blobs
from server.adapters.upload_parts import UploadParts
from server.jobs import (
    cases,
    contradictions,
    evidence_desk,
    figures,
    reminders,
    reports,
    retention,
    speeds,
    suspensions,
    uploads,
    watches,
)
from server.jobs.network import NetworkEngine
from server.jobs.rooms import RoomEngine

log = logging.getLogger(__name__)

TAKE_EVERY_S = 0.15
RELOAD_S = 300.0
AWAY_S = 2.0
"""A job to which the database did not answer is tried again after this, or after its period."""


@dataclass
class CompanyEngines:
    """One company's engines and what was last told of its figures."""

    company: int
    rooms: RoomEngine = field(default_factory=RoomEngine)
    network: NetworkEngine = field(default_factory=NetworkEngine)
    told: dict[str, Event] = field(default_factory=dict)
    loaded_at: float = float("-inf")


Job = Callable[[EngineTransaction], Awaitable[int]]


class Core:
    """All jobs of the leader."""

    def __init__(
        self, store: EngineStore, reads: FeedReads, parts: UploadParts, blobs: Blobs
    ) -> None:
        self._parts = parts
        self._blobs = blobs
        self._store = store
        self._reads = reads
        self._companies: dict[int, CompanyEngines] = {}

    async def run(self) -> None:
        """Until cancelled."""
        await self._clock_and_companies()
        async with asyncio.TaskGroup() as jobs:
            jobs.create_task(self._every(1.0, self._clock_and_companies))
            jobs.create_task(self._every(TAKE_EVERY_S, self._take))
            jobs.create_task(self._every(1.0, self._watch(watches.ticket_warnings)))
            jobs.create_task(self._every(1.0, self._watch(cases.warnings)))
            jobs.create_task(self._every(0.5, self._watch(evidence_desk.stand)))
            jobs.create_task(self._every(2.0, self._watch(suspensions.plan_visits)))
            jobs.create_task(self._every(2.0, self._watch(suspensions.watch)))
            jobs.create_task(self._every(2.0, self._watch(watches.shifts)))
            jobs.create_task(self._every(2.0, self._watch(watches.stops_over)))
            jobs.create_task(self._every(5.0, self._watch(watches.lost_positions)))
            jobs.create_task(self._every(10.0, self._watch(watches.moods)))
            jobs.create_task(self._every(20.0, self._watch(watches.arrears_round)))
            jobs.create_task(self._every(5.0, self._watch(contradictions.nightly)))
            jobs.create_task(self._every(60.0, self._watch(speeds.learn)))
            jobs.create_task(self._every(5.0, self._watch(reports.freeze)))
            jobs.create_task(self._every(10.0, self._watch(reminders.start_due)))
            jobs.create_task(self._every(1.0, self._watch(reminders.write)))
            jobs.create_task(self._every(3.0, self._watch(reminders.count)))
            swept = uploads.sweep_of(self._parts, self._blobs)
            jobs.create_task(self._every(600.0, self._watch(swept)))
            jobs.create_task(self._every(60.0, self._watch(retention.retention_of(self._blobs))))
            jobs.create_task(self._every(5.0, self._figures))
            jobs.create_task(self._every(30.0, self._closing))
            jobs.create_task(self._every(3600.0, self._housekeeping))

    async def _every(self, seconds: float, job: Callable[[], Awaitable[None]]) -> None:
        while True:
            started = time.monotonic()
            try:
                await job()
            except Lost:
                raise
            except (Unavailable, Gone):  # a rare job is not put off for a whole period
                await asyncio.sleep(max(0.5, min(seconds, AWAY_S)))
                continue
            except Exception:
                log.exception("a job of the core failed and is tried again")
                await asyncio.sleep(1.0)
            await asyncio.sleep(max(0.01, seconds - (time.monotonic() - started)))

    async def _clock_and_companies(self) -> None:
        await self._store.reload_clock()
        for company in await self._reads.companies():
            self._companies.setdefault(company, CompanyEngines(company))

    def _watch(self, job: Job) -> Callable[[], Awaitable[None]]:
        async def run() -> None:
            failed: Exception | None = None
            for company in list(self._companies):
                try:
                    async with self._store.company(company) as tx:
                        if await job(tx):
                            await tx.flush()
                except Lost:
                    raise
                except Exception as error:  # noqa: BLE001 - raised once the others had their turn
                    failed = failed or error
            if failed is not None:
                raise failed

        return run

    async def _take(self) -> None:
        for engines in list(self._companies.values()):
            try:
                await self._take_company(engines)
            except BaseException:
                # What was decided is rolled back: the engines read again what is stored.
                engines.rooms.forget()
                engines.network.forget()
                raise

    async def _take_company(self, engines: CompanyEngines) -> None:
        async with self._store.company(engines.company) as tx:
            waiting = await tx.waiting()
            reload = time.monotonic() - engines.loaded_at > RELOAD_S
            if not waiting and not reload:
                return
            if reload:
                engines.rooms.forget()
                engines.network.forget()
            told = await engines.network.load(tx) if not engines.network.loaded else []
            network = [w.batch_id for w in waiting if w.kind == "network-readings"]
            if network:
                told += await engines.network.take(tx, await tx.network_readings(network))
            room = [w.batch_id for w in waiting if w.kind == "room-readings"]
            readings = await tx.room_readings(room) if room else []
            after = await engines.rooms.take(tx, readings)
            await tx.tell(told)
            await tx.taken([w.batch_id for w in waiting])
            await tx.flush()
        engines.rooms.keep(after)
        if reload:
            engines.loaded_at = time.monotonic()

    async def _figures(self) -> None:
        for engines in list(self._companies.values()):
            async with self._store.company(engines.company) as tx:
                now = unix(tx.now)
                found: list[tuple[str, Event | None]] = [
                    ("figure:requests", await figures.requests(tx)),
                    ("figure:rooms", engines.rooms.figure(now)),
                    ("figure:supply", engines.network.figure(now)),
                ]
                new = [
                    (name, e) for name, e in found if e is not None and engines.told.get(name) != e
                ]
                await tx.tell(new)
            engines.told.update(new)

    async def _closing(self) -> None:
        for engines in list(self._companies.values()):
            async with self._store.company(engines.company) as tx:
                figure = await figures.closing(tx)
                if engines.told.get("figure:closing") != figure:
                    await tx.tell([("figure:closing", figure)])
            engines.told["figure:closing"] = figure

    async def _housekeeping(self) -> None:
        await self._reads.tidy(system_now().date())
        for company in list(self._companies):
            async with self._store.company(company) as tx:
                await tx.housekeeping()
