"""What the core's engines read and write, one transaction of one company at a time."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import accumulate
from typing import Any, NamedTuple

import asyncpg

from dispatch_core import network, rooms, sentiment
from dispatch_core.events import Event
from server.adapters import engine_reads, fix_checks, journal, lease, plan_store, register
from server.adapters.clock import BusinessClock, system_now
from server.adapters.idempotency import stream_lock, try_locks
from server.adapters.messages import save_messages
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.ports import CityPolicy, OutMessage

ACTOR = "system:core"
AHEAD = timedelta(minutes=15)
"""A reading's time may lie ahead of its arrival by less than this."""
AT_ONCE = 60_000
"""Items of the batches that are taken in one transaction; one batch at least."""


class Waiting(NamedTuple):
    """A telemetry batch that the engines have not taken."""

    batch_id: int
    kind: str


class Reading(NamedTuple):
    """A reading of a point."""

    point: str
    read_at: int
    celsius: float


class NetworkRead(NamedTuple):
    """A reading of a plant or substation."""

    node: str
    read_at: int
    supply_c: float | None
    return_c: float | None


class Beside(NamedTuple):
    """What jobs need beside the database."""

    vault: Vault
    policies: Policies


class EngineTransaction:
    """Everything an engine does between BEGIN and COMMIT."""

    def __init__(
        self, c: asyncpg.Connection, company: int, now: datetime, key: bytes, rest: Beside
    ) -> None:
        self._c = c
        self.company = company
        self.now = now
        self.vault = rest.vault
        self._policies = rest.policies
        self._writes = journal.Writes(company, key, now, system_now())
        self.figures = engine_reads.Figures(c, company, now)
        self.sentiment = engine_reads.Mentions(c, company, now)
        self.arrears = engine_reads.Arrears(c, company, now)

    @property
    def connection(self) -> asyncpg.Connection:
        """For other adapters, which speak SQL in this same transaction."""
        return self._c

    async def policy(self) -> CityPolicy:
        """The rules that hold for the company now. Raises Unavailable `bad_policy`."""
        return await self._policies.at(self.company, self.now)

    # ---------------------------------------------------------------- facts
    async def heads(self, streams: Collection[str]) -> dict[str, Any]:
        """The states of the streams that could be locked; a stream in use elsewhere is left out."""
        locks = {stream_lock(self.company, s): s for s in streams}
        free = [locks[lock] for lock in sorted(await try_locks(self._c, locks))]
        found = await journal.load_heads(self._c, free)
        for stream in free:
            self._writes.heads[stream] = found.get(stream) or journal.StreamHead()
        return {stream: self._writes.heads[stream].state for stream in free}

    def state(self, stream: str) -> Any:  # noqa: ANN401 - a state of any kind of stream
        """A stream as it will be once the facts appended so far are written."""
        return self._writes.heads[stream].state

    async def own_heads(self, streams: Collection[str]) -> None:
        """Load streams that nobody but the core writes, without a lock each: a whole city that
        turns cold would fill the server's table of locks."""
        found = await journal.load_heads(self._c, streams)
        for stream in streams:
            self._writes.heads[stream] = found.get(stream) or journal.StreamHead()

    def append(self, stream: str, new: Sequence[Event], *, grounds: str, policy: str) -> None:
        """Facts to be written by `flush`; the stream was loaded by `heads`."""
        self._writes.append(stream, new, actor=ACTOR, grounds=grounds, policy=policy)

    async def flush(self) -> None:
        """Write the facts."""
        await self._writes.flush(self._c)

    async def send(self, messages: Sequence[OutMessage]) -> None:
        """Messages that are to leave the house, committed with the facts that cause them."""
        await save_messages(self._c, self.company, self.vault, self.now, messages)

    async def tell(self, told: Sequence[tuple[str, Event]]) -> None:
        """States for the feed that are not journalled."""
        if told:
            await journal.tell(self._c, self.company, self.now, told)

    # ---------------------------------------------------------------- batches
    async def waiting(self) -> list[Waiting]:
        """Batches not taken yet, oldest first, locked against another core; not all at once after
        a time without one."""
        rows = await self._c.fetch(
            "SELECT batch_id, kind, items FROM telemetry_batch WHERE company_id = $1 AND NOT taken"
            " ORDER BY batch_id LIMIT 20"
            " FOR UPDATE SKIP LOCKED",
            self.company,
        )
        items = list(accumulate(r[2] for r in rows))
        enough = bisect_left(items, AT_ONCE) + 1
        return [Waiting(r[0], r[1]) for r in rows[:enough]]

    async def taken(self, batches: Collection[int]) -> None:
        """The engines have what these batches held."""
        await self._c.execute(
            "UPDATE telemetry_batch SET taken = true"
            " WHERE company_id = $1 AND batch_id = ANY($2::bigint[])",
            self.company,
            list(batches),
        )

    async def room_readings(self, batches: Collection[int]) -> list[Reading]:
        """The readings of room batches, in order of arrival."""
        rows = await self._c.fetch(
            "SELECT point_id, extract(epoch FROM read_at)::bigint,"
            " round(celsius::numeric, 2)::float8 FROM room_reading"
            " WHERE company_id = $1 AND batch_id = ANY($2::bigint[]) ORDER BY batch_id, read_at",
            self.company,
            list(batches),
        )
        return [Reading(*r) for r in rows]

    async def network_readings(self, batches: Collection[int]) -> list[NetworkRead]:
        """The readings of network batches, in order of arrival."""
        rows = await self._c.fetch(
            "SELECT node_id, extract(epoch FROM read_at)::bigint,"
            " round(supply_c::numeric, 1)::float8, round(return_c::numeric, 1)::float8"
            " FROM network_reading"
            " WHERE company_id = $1 AND batch_id = ANY($2::bigint[]) ORDER BY batch_id, read_at",
            self.company,
            list(batches),
        )
        return [NetworkRead(*r) for r in rows]

    # ---------------------------------------------------------------- register and memory
    async def point_sites(self) -> dict[str, rooms.Site]:
        """Where every point hangs."""
        return await register.point_sites(self._c)

    async def network_nodes(self) -> dict[str, network.Node]:
        """Plants and substations."""
        return await register.network_nodes(self._c)

    async def community_sites(self) -> dict[str, sentiment.Site]:
        """Communities."""
        return await register.community_sites(self._c)

    async def streams_like(self, prefix: str) -> dict[str, Any]:
        """States of all streams of a kind, without locking them."""
        rows = await self._c.fetch(
            "SELECT stream FROM stream_head WHERE company_id = $1 AND stream >= $2 AND stream < $3",
            self.company,
            prefix,
            prefix[:-1] + chr(ord(prefix[-1]) + 1),
        )
        found = await journal.load_heads(self._c, [r[0] for r in rows])
        return {stream: head.state for stream, head in found.items()}

    async def last_room_readings(self, since: datetime) -> list[Reading]:
        """Each point's newest reading after `since` among the batches that were taken."""
        rows = await self._c.fetch(
            "SELECT DISTINCT ON (point_id) point_id, extract(epoch FROM read_at)::bigint,"
            " round(celsius::numeric, 2)::float8 FROM room_reading"
            " WHERE company_id = $1 AND read_at > $2 AND batch_id = ANY($3::bigint[])"
            " AND received_at >= $4 ORDER BY point_id, read_at DESC",
            self.company,
            since,
            *await self._taken_since("room-readings", since),
        )
        return [Reading(*r) for r in rows]

    async def last_network_readings(self, since: datetime) -> list[NetworkRead]:
        """Each node's newest reading after `since` among the batches that were taken."""
        rows = await self._c.fetch(
            "SELECT DISTINCT ON (node_id) node_id, extract(epoch FROM read_at)::bigint,"
            " round(supply_c::numeric, 1)::float8, round(return_c::numeric, 1)::float8"
            " FROM network_reading WHERE company_id = $1 AND read_at > $2"
            " AND batch_id = ANY($3::bigint[]) AND received_at >= $4"
            " ORDER BY node_id, read_at DESC",
            self.company,
            since,
            *await self._taken_since("network-readings", since),
        )
        return [NetworkRead(*r) for r in rows]

    async def _taken_since(self, kind: str, since: datetime) -> tuple[list[int], datetime]:
        """Batches that may hold readings after `since`, and when the first of them arrived, which
        tells the partitions. What is not taken yet must still be decided, so it is not known."""
        row = await self._c.fetchrow(
            "SELECT coalesce(array_agg(batch_id), '{}'), coalesce(min(received_at), now())"
            " FROM telemetry_batch"
            " WHERE company_id = $1 AND kind = $2 AND taken AND business_at > $3",
            self.company,
            kind,
            since - AHEAD,
        )
        return row[0], row[1]

    # ---------------------------------------------------------------- tickets, crews, company
    async def tickets_to_check(self) -> list[str]:
        """Streams of open tickets whose next warning has come due."""
        rows = await self._c.fetch(
            "SELECT ticket_id FROM ticket WHERE company_id = $1 AND open AND check_at <= $2"
            " ORDER BY check_at LIMIT 500",
            self.company,
            self.now,
        )
        return [f"ticket:{r[0]}" for r in rows]

    async def last_fixes(self) -> dict[str, int]:
        """crew id -> business time its last fix arrived."""
        rows = await self._c.fetch(
            "SELECT crew_id, extract(epoch FROM heard_at)::bigint FROM crew_last_fix"
            " WHERE company_id = $1",
            self.company,
        )
        return {r[0]: r[1] for r in rows}

    async def moved(self, crew: str, since: datetime) -> bool:
        """Whether a crew's fixes since a time lie more than some 150 m apart."""
        found: bool = await self._c.fetchval(
            "SELECT coalesce(greatest((max(lat) - min(lat)) * 111150,"
            "  (max(lon) - min(lon)) * 111320 * cos(radians(avg(lat)))) > 150, false)"
            " FROM crew_fix WHERE company_id = $1 AND crew_id = $2 AND fixed_at > $3"
            " AND received_at > $4 AND verdict = ANY($5)",
            self.company,
            crew,
            since,
            system_now() - timedelta(days=1),
            fix_checks.GOOD,
        )
        return found

    async def at_work(self, crew: str) -> bool:
        """Whether a crew is checked in at some ticket."""
        found: bool = await self._c.fetchval(
            "SELECT EXISTS (SELECT FROM ticket WHERE company_id = $1 AND open"
            " AND state = 'handling' AND $2 IN (crew_id, with_crew_id))",
            self.company,
            crew,
        )
        return found

    async def timezone(self) -> str:
        """The company's zone."""
        zone: str = await self._c.fetchval(
            "SELECT timezone FROM company WHERE company_id = $1", self.company
        )
        return zone

    async def housekeeping(self) -> None:
        """Idempotency keys are kept for 90 days, what dispatch decided for two."""
        await plan_store.tidy(self._c, self.company)
        await self._c.execute(
            "DELETE FROM idempotency WHERE company_id = $1"
            " AND created_at < now() - interval '90 days'",
            self.company,
        )


class EngineStore:
    """Opens transactions for the engines, which commit only while `generation` leads."""

    def __init__(
        self, pool: Pool, clock: BusinessClock, journal_key: bytes, generation: int, rest: Beside
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._beside = rest
        self._key = journal_key
        self._generation = generation

    @asynccontextmanager
    async def company(self, company: int) -> AsyncIterator[EngineTransaction]:
        """A transaction of one company at the business time it began.

        Raises:
            lease.Lost: another core leads by now; nothing was committed.
        """
        async with self._pool.company(company) as c:
            yield EngineTransaction(c, company, self._clock.now(), self._key, self._beside)
            # A core that slept through its own succession decided from an old memory.
            if (await lease.read(c))[0] != self._generation:
                raise lease.Lost

    async def reload_clock(self) -> None:
        """Take up a moved business clock."""
        await self._clock.load(self._pool)
