"""Waits for the lease, leads, and gives it back:
the loop around everything only one process may do."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

import asyncpg

from dispatch_core.errors import Unavailable
from realtime.reader import Gone
from server.adapters import lease
from server.adapters.feed_session import GONE, connect

log = logging.getLogger(__name__)

WATCH_EVERY_S = 0.5
AWAY = (*GONE, lease.Lost, Unavailable, Gone)
"""What ends a leadership without being a defect."""

Lead = Callable[[asyncpg.Connection, int], Awaitable[None]]
"""Leads over a connection under a generation until something ends it."""


class Leadership:
    """One process's wish to lead."""

    def __init__(self, dsn: str, holder: str, lead: Lead, name: str = "core") -> None:
        self._dsn = dsn
        self._holder = holder
        self._lead = lead
        self._name = name
        self._mine: int | None = None

    async def run(self) -> None:
        """For ever: watch, take, lead; after a lost connection
        go on if the generation still stands."""
        watch = lease.Watch()
        while True:
            connection: asyncpg.Connection | None = None
            try:
                connection = await connect(self._dsn, f"heatops-{self._name}")
                generation = await self._obtain(connection, watch)
                log.info("leading as generation %s", generation)
                self._mine = generation
                await self._lead(connection, generation)
            except asyncio.CancelledError:
                await self._release()
                raise
            except BaseExceptionGroup as group:
                gone, other = group.split(AWAY)
                if other is not None:
                    raise other from None
                log.warning("no longer leading: %s", _first(gone))
            except AWAY as error:
                log.warning("no longer leading: %s %s", type(error).__name__, error)
            finally:
                if connection is not None:
                    connection.terminate()
            watch = lease.Watch()
            await asyncio.sleep(0.2)

    async def _obtain(self, connection: asyncpg.Connection, watch: lease.Watch) -> int:
        if self._mine is not None and await lease.resume(connection, self._mine, self._name):
            return self._mine
        self._mine = None
        while True:
            generation, beat, _ = await lease.read(connection, self._name)
            if watch.may_take(generation, beat):
                taken = await lease.take(connection, generation, beat, self._holder, self._name)
                if taken is not None:
                    return taken
            await asyncio.sleep(WATCH_EVERY_S)

    async def _release(self) -> None:
        """Over a connection of its own: the leader's may be in the middle of a statement."""
        if self._mine is None:
            return
        try:
            async with asyncio.timeout(0.5):
                connection = await connect(self._dsn, f"heatops-{self._name}")
                await lease.release(connection, self._mine, self._name)
                connection.terminate()
        except GONE:
            log.info("the lease could not be given back; a standby waits 4 s")


def _first(group: BaseException | None) -> BaseException | None:
    while isinstance(group, BaseExceptionGroup):
        group = group.exceptions[0]
    return group
