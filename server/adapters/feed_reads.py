"""The web processes' reads of the feed in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date

import asyncpg

from dispatch_core.errors import Unavailable
from realtime.messages import TopicTick
from realtime.reader import Gone
from server.adapters import feed_store
from server.adapters.pool import Pool

_HEAD = (
    "SELECT topic, epoch, seq, hash, as_of, source_at, cadence_s FROM feed_head"
    " WHERE company_id = $1"
)


class FeedReads:
    """Implements realtime.reader.FeedReads and realtime.session.Log over the feed's own role."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        try:
            async with self._pool.connection() as connection:
                yield connection
        except Unavailable as error:
            raise Gone from error

    async def companies(self) -> dict[int, str]:
        """Every company and its code, oldest first."""
        async with self._connection() as c:
            return dict(await c.fetch("SELECT company_id, code FROM company ORDER BY 1"))

    async def snapshot(self, company: int, topic: str) -> bytes | None:
        """A topic's rows and position from one snapshot; None before the feed's first round."""
        async with (
            self._connection() as c,
            c.transaction(isolation="repeatable_read", readonly=True),
        ):
            head = await c.fetchrow(_HEAD + " AND topic = $2", company, topic)
            if head is None:
                return None
            rows = await c.fetch(
                "SELECT key, row_version, body FROM layer_row WHERE company_id = $1 AND topic = $2",
                company,
                topic,
            )
        return feed_store.snapshot_bytes(head, rows)

    async def tidy(self, today: date) -> None:
        """Partitions a week ahead, and those that are older than they are kept away."""
        async with self._connection() as c:
            await feed_store.ensure_partitions(c, today)
            await feed_store.drop_partitions(c, today)

    async def after(
        self, company: int, topic: str, epoch: int, seq: int, upto: int | None = None
    ) -> list[tuple[int, bytes]]:
        """Sealed batches after a position, at most 500."""
        async with self._connection() as c:
            return await feed_store.log_after(c, company, topic, epoch, seq, upto)

    async def between(
        self, company: int, topic: str, epoch: int, seq: int, upto: int
    ) -> list[tuple[int, bytes]]:
        """Sealed batches after `seq` up to `upto`, at most 500."""
        return await self.after(company, topic, epoch, seq, upto)

    async def heads(self, company: int) -> dict[str, TopicTick]:
        """Where every topic of a company stands."""
        async with self._connection() as c:
            rows = await c.fetch(_HEAD, company)
        return {
            r["topic"]: TopicTick(
                epoch=r["epoch"],
                seq=r["seq"],
                hash=r["hash"],
                as_of=r["as_of"],
                source_at=r["source_at"],
                cadence_s=r["cadence_s"],
            )
            for r in rows
        }
