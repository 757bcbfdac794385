"""What the engine of dispatch is made of, where the core leads."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from server.adapters import lease
from server.adapters.clock import BusinessClock
from server.adapters.dispatch_snapshots import Snapshots
from server.adapters.engine_store import EngineStore
from server.adapters.feed_reads import FeedReads
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.travel import Travel
from server.jobs.dispatch_answers import DispatchAnswers
from server.jobs.dispatch_engine import Proposals
from server.jobs.engine_door import Door
from server.jobs.plan_rounds import PlanRounds
from server.jobs.worker import Worker
from server.settings import Settings

NICE = {"scores": 0, "plan": 10, "what-if": 0}
"""The plan gives way to everything else on a small machine; for the others somebody waits."""
MEMORY_MB = 4096
"""Addresses that a child may take; what it uses is a small part of that."""


class Engine:
    """Listens, proposes and plans for as long as its core leads."""

    def __init__(
        self, settings: Settings, pool: Pool, clock: BusinessClock, policies: Policies,
        reads: FeedReads,
    ) -> None:  # fmt: skip
        self._settings = settings
        self._pool = pool
        self._clock = clock
        self._policies = policies
        self._reads = reads

    @asynccontextmanager
    async def opened(
        self, store: EngineStore, connection: asyncpg.Connection, generation: int
    ) -> AsyncIterator[Callable[[], Coroutine[Any, Any, None]]]:
        """Listening, with its address in the lease row: over the leader's own connection, before
        the feed begins, whose transactions write that row too. Gives the work that is to be run,
        which raises, in a group, what ends the leadership."""
        travel = Travel(self._pool, self._settings.data, self._clock, self._policies)
        snapshots = Snapshots(self._pool, self._clock, self._policies, travel)
        scores, plan, what_if = (
            Worker(name, nice=nice, memory_mb=MEMORY_MB) for name, nice in NICE.items()
        )
        door = Door(DispatchAnswers(store, snapshots, scores, what_if).answer)

        async def work() -> None:
            async with asyncio.TaskGroup() as tasks:
                for worker in (scores, plan, what_if):
                    tasks.create_task(worker.begin())
                tasks.create_task(Proposals(store, self._reads, snapshots, scores).run())
                tasks.create_task(PlanRounds(store, self._reads, snapshots, plan).run())

        try:
            async with door.listening(self._settings.data, self._settings.engine_host) as found:
                await lease.announce(connection, generation, *found)
                yield work
        finally:
            for worker in (scores, plan, what_if):
                await worker.close()
            await travel.close()
