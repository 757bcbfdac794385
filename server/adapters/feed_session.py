"""One leadership of the feed: a connection, a generation, the floor,
and the transaction that seals."""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

import asyncpg
import msgspec

from dispatch_core.errors import Refused
from realtime import feed
from realtime.facts import Fact
from realtime.feed import Line, Sealed, TopicKey
from realtime.layers import Layer
from server.adapters import feed_store, lease
from server.adapters.feed_store import Scan

log = logging.getLogger(__name__)

FULL_SCAN_S = 10.0
RENEW_S = 0.9


class Floor:
    """Below this outbox id nothing can appear any more, so scans start there.

    A mark read before taking one's own xid x is safe once a later, untruncated scan's snapshot has
    xmin > x: every transaction that drew an id up to the mark had an xid below x, is over, and was
    seen by that scan. A speed-up, never a filter: every 10 s a scan starts from 0.
    """

    def __init__(self) -> None:
        self.id = 0
        self._marks: deque[tuple[int, int]] = deque(maxlen=50)
        self._full_at = float("-inf")

    def start(self) -> int:
        """Where this scan starts."""
        now = time.monotonic()
        if now - self._full_at > FULL_SCAN_S:
            self._full_at = now
            return 0
        return self.id

    def learn(self, scan: Scan) -> None:
        """Take up what a committed scan proved."""
        while self._marks and scan.xmin > self._marks[0][1]:
            mark, _ = self._marks.popleft()
            if not scan.truncated:
                self.id = max(self.id, mark)
        self._marks.append((scan.mark, scan.own_xid))


class Round(NamedTuple):
    """What one sealing did."""

    sealed: list[Sealed]
    heads: list[asyncpg.Record]
    """All heads when freshness was renewed, else empty."""
    more: bool


class FeedSession:
    """Seals for one generation. Not shared: its owner calls `seal` again and again."""

    def __init__(
        self,
        connection: asyncpg.Connection,
        generation: int,
        layers: Mapping[str, Layer],
        line: Line,
        topics: list[str],
    ) -> None:
        self._connection = connection
        self._generation = generation
        self._layers = layers
        self._line = line
        self._topics = topics
        self._floor = Floor()
        self._renewed_at = float("-inf")

    async def open(self) -> None:
        """Heads for every topic, and a new epoch if PostgreSQL is not the one that sealed last."""
        now, stored = await feed_store.origin(self._connection)
        unix = int(time.time())  # noqa: TID251 - an epoch is system time, not business time
        if now != stored:
            highest = await feed_store.highest_epoch(self._connection)
            epoch = max(highest, unix) + 1
            await feed_store.new_epoch(self._connection, self._generation, epoch, now)
            log.info("new epoch %s: this PostgreSQL has not sealed before", epoch)

    async def fork(self, epoch: int) -> None:
        """Go on above an epoch that somebody else wrote into Redis."""
        now, _ = await feed_store.origin(self._connection)
        highest = await feed_store.highest_epoch(self._connection)
        await feed_store.new_epoch(self._connection, self._generation, max(epoch, highest + 1), now)

    async def work(self) -> bool:
        """Whether there is anything to seal or freshness to renew; cheap, read-only."""
        if time.monotonic() - self._renewed_at >= RENEW_S:
            return True
        return await feed_store.waiting(self._connection, self._floor.id)

    async def seal(self) -> Round:
        """Fold and seal what was committed, in one transaction.

        Raises:
            lease.Lost: another process leads.
        """
        renew = time.monotonic() - self._renewed_at >= RENEW_S
        async with self._connection.transaction(isolation="repeatable_read"):
            scan = await feed_store.begin(self._connection, self._generation, self._floor.start())
            as_of = await self._as_of(scan)
            if renew:
                await feed_store.ensure_heads(self._connection, self._topics, int(scan.now))
            sealed = await self._seal_rows(scan, as_of) if scan.rows else []
            heads = await feed_store.renew(self._connection, as_of) if renew else []
            if renew:
                await feed_store.keyframes(self._connection, scan.now)
        self._floor.learn(scan)
        if renew:
            self._renewed_at = time.monotonic()
        return Round(sealed, heads, scan.truncated)

    async def _as_of(self, scan: Scan) -> float:
        if not scan.truncated:
            return scan.now
        oldest = await feed_store.oldest_after(self._connection, scan.rows[-1]["id"])
        return min(scan.now, oldest) if oldest else scan.now

    async def _seal_rows(self, scan: Scan, as_of: float) -> list[Sealed]:
        heads = await feed_store.load_heads(self._connection)
        if any((row["company_id"], self._topics[0]) not in heads for row in scan.rows):
            await feed_store.ensure_heads(self._connection, self._topics, int(scan.now))
            heads = await feed_store.load_heads(self._connection)
        facts: list[Fact] = []
        heard: dict[TopicKey, tuple[float, float | None]] = {}
        for row in scan.rows:
            if row["source"] is not None:
                at = (row["company_id"], row["source"])
                before = heard.get(at, (0.0, None))
                heard[at] = (max(before[0], row["at"]), row["cadence_s"] or before[1])
            try:
                fact = feed_store.fact_of(row)
            except (Refused, msgspec.DecodeError, KeyError, ValueError):
                log.exception(
                    "outbox row %s (%s) cannot be read and is passed over", row["id"], row["kind"]
                )
                continue
            if fact is not None:
                facts.append(fact)
        keys = feed.touched(self._layers, facts)
        stored = await feed_store.load_rows(self._connection, keys)
        sealed = feed.seal(self._layers, self._line, facts, stored, heads, as_of)
        await feed_store.write(
            self._connection, sealed, self._generation, [r["id"] for r in scan.rows]
        )
        await feed_store.note_sources(self._connection, heard)
        return sealed


async def connect(dsn: str, name: str) -> asyncpg.Connection:
    """A connection for the leader: a transaction left open for 2 s is ended by the server."""
    return await asyncpg.connect(
        dsn,
        timeout=2,
        command_timeout=10,
        server_settings={
            "application_name": name,
            "idle_in_transaction_session_timeout": "2000",
            "lock_timeout": "1000",
        },
    )


GONE = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.SerializationError,
    asyncpg.LockNotAvailableError,
    asyncpg.QueryCanceledError,
    asyncpg.InsufficientResourcesError,
    lease.Lost,
)
"""What a PostgreSQL that is away, stopping or starting raises; also a lost race for the lease."""
