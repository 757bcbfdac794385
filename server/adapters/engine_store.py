"""What the core's engines read and write, one transaction of one company at a time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import asyncpg

from dispatch_core import arrears, network, rooms, sentiment
from dispatch_core.events import Event
from server.adapters import journal, register
from server.adapters.clock import BusinessClock, system_now
from server.adapters.commits import lock_id
from server.adapters.pool import Pool

ACTOR = "system:core"
KEEP_DAYS = {
    "feed_log": 14,
    "room_reading": 800,
    "network_reading": 800,
    "crew_fix": 400,
    "weather": 800,
    "mention": 400,
}
"""How long partitions are kept: the wall as it was for two weeks, readings for two seasons."""


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


class EngineTransaction:
    """Everything an engine does between BEGIN and COMMIT."""

    def __init__(self, c: asyncpg.Connection, company: int, key: bytes, now: datetime) -> None:
        self._c = c
        self.company = company
        self.now = now
        self._writes = journal.Writes(company, key, now, system_now())

    # ---------------------------------------------------------------- facts
    async def heads(self, streams: Collection[str]) -> dict[str, Any]:
        """The states of the streams that could be locked; a stream in use elsewhere is left out."""
        locks = {lock_id(f"s/{self.company}/{s}"): s for s in streams}
        rows = await self._c.fetch(
            "SELECT k FROM unnest($1::bigint[]) AS k WHERE pg_try_advisory_xact_lock(k)",
            sorted(locks),
        )
        free = [locks[row[0]] for row in rows]
        found = await journal.load_heads(self._c, free)
        for stream in free:
            self._writes.heads[stream] = found.get(stream) or journal.StreamHead()
        return {stream: self._writes.heads[stream].state for stream in free}

    def append(self, stream: str, new: Sequence[Event], *, grounds: str, policy: str) -> None:
        """Facts to be written by `flush`; the stream was loaded by `heads`."""
        self._writes.append(stream, new, actor=ACTOR, grounds=grounds, policy=policy)

    async def flush(self) -> None:
        """Write the facts."""
        await self._writes.flush(self._c)

    async def tell(self, told: Sequence[tuple[str, Event]]) -> None:
        """States for the feed that are not journalled."""
        if told:
            await journal.tell(self._c, self.company, self.now, told)

    # ---------------------------------------------------------------- batches
    async def waiting(self) -> list[Waiting]:
        """Batches not taken yet, oldest first, locked against another core."""
        rows = await self._c.fetch(
            "SELECT batch_id, kind FROM telemetry_batch WHERE company_id = $1 AND NOT taken"
            " ORDER BY batch_id LIMIT 20"
            " FOR UPDATE SKIP LOCKED",
            self.company,
        )
        return [Waiting(r[0], r[1]) for r in rows]

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
        """Each point's newest reading taken after `since`."""
        rows = await self._c.fetch(
            "SELECT DISTINCT ON (point_id) point_id, extract(epoch FROM read_at)::bigint,"
            " round(celsius::numeric, 2)::float8 FROM room_reading"
            " WHERE company_id = $1 AND read_at > $2 ORDER BY point_id, read_at DESC",
            self.company,
            since,
        )
        return [Reading(*r) for r in rows]

    async def last_network_readings(self, since: datetime) -> list[NetworkRead]:
        """Each node's newest reading taken after `since`."""
        rows = await self._c.fetch(
            "SELECT DISTINCT ON (node_id) node_id, extract(epoch FROM read_at)::bigint,"
            " round(supply_c::numeric, 1)::float8, round(return_c::numeric, 1)::float8"
            " FROM network_reading WHERE company_id = $1 AND read_at > $2"
            " ORDER BY node_id, read_at DESC",
            self.company,
            since,
        )
        return [NetworkRead(*r) for r in rows]

    # ---------------------------------------------------------------- tickets and crews
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

    # ---------------------------------------------------------------- figures
    async def timezone(self) -> str:
        """The company's zone."""
        zone: str = await self._c.fetchval(
            "SELECT timezone FROM company WHERE company_id = $1", self.company
        )
        return zone

    async def requests_by_hour(self, since: datetime) -> dict[int, int]:
        """UTC hour (Unix seconds) -> requests received in it."""
        rows = await self._c.fetch(
            "SELECT extract(epoch FROM date_trunc('hour', received_at))::bigint,"
            " sum(reports)::bigint FROM ticket"
            " WHERE company_id = $1 AND received_at >= $2 AND received_at <= $3 GROUP BY 1",
            self.company,
            since,
            self.now,
        )
        return {r[0]: r[1] for r in rows}

    async def requests_since(self, since: datetime) -> int:
        """Requests received after `since`."""
        n: int = await self._c.fetchval(
            "SELECT coalesce(sum(reports), 0)::bigint FROM ticket"
            " WHERE company_id = $1 AND received_at > $2 AND received_at <= $3",
            self.company,
            since,
            self.now,
        )
        return n

    async def usual_hours(self) -> dict[tuple[str, int], tuple[int, int, int]]:
        """(day type, local hour) -> (low, usual, high)."""
        rows = await self._c.fetch(
            "SELECT day_type, hour, low, usual, high FROM usual_hour WHERE company_id = $1",
            self.company,
        )
        return {(r[0], r[1]): (r[2], r[3], r[4]) for r in rows}

    async def closing(self, day_start: datetime) -> tuple[int, int, int, int]:
        """(due in the last 7 days, of them closed, closed today, received today);
        cancelled tickets are left out."""
        row = await self._c.fetchrow(
            "SELECT count(*) FILTER (WHERE solved_due_at BETWEEN $2 AND $3"
            " AND state <> 'cancelled') AS due,"
            " count(*) FILTER (WHERE solved_due_at BETWEEN $2 AND $3"
            " AND state = 'closed') AS closed,"
            " count(*) FILTER (WHERE closed_at >= $4 AND state = 'closed') AS closed_today,"
            " count(*) FILTER (WHERE received_at >= $4) AS received_today"
            " FROM ticket WHERE company_id = $1 AND received_at >= $2 - interval '2 days'",
            self.company,
            self.now - timedelta(days=7),
            self.now,
            day_start,
        )
        return row["due"], row["closed"], row["closed_today"], row["received_today"]

    # ---------------------------------------------------------------- sentiment
    async def windows(self, since: datetime) -> dict[str, sentiment.Window]:
        """Mentions per community after `since`, up to now."""
        rows = await self._c.fetch(
            "SELECT community_id, topic, count(*), count(*) FILTER (WHERE value <= $4),"
            " sum(value)::float8 FROM mention"
            " WHERE company_id = $1 AND said_at > $2 AND said_at <= $3"
            " AND community_id IS NOT NULL GROUP BY 1, 2",
            self.company,
            since,
            self.now,
            sentiment.POLICY.negative_value,
        )
        gathered: dict[str, list[asyncpg.Record]] = {}
        for row in rows:
            gathered.setdefault(row[0], []).append(row)
        return {
            community: sentiment.Window(
                mentions=sum(r[2] for r in of),
                negative=sum(r[3] for r in of),
                mean_value=sum(r[4] for r in of) / sum(r[2] for r in of),
                topics={r[1]: r[2] for r in of},
                negative_topics={r[1]: r[3] for r in of if r[3]},
            )
            for community, of in gathered.items()
        }

    async def usual_negative(self, window_s: int) -> dict[str, float]:
        """Per community, the mean count of negative mentions in the same
        hours of the 7 days before."""
        rows = await self._c.fetch(
            "SELECT community_id, count(*) / 7.0::float8 FROM mention, generate_series(1, 7) AS d"
            " WHERE company_id = $1 AND value <= $2 AND community_id IS NOT NULL"
            " AND said_at > $3::timestamptz - d * interval '1 day' - make_interval(secs => $4)"
            " AND said_at <= $3::timestamptz - d * interval '1 day' GROUP BY 1",
            self.company,
            sentiment.POLICY.negative_value,
            self.now,
            float(window_s),
        )
        return {r[0]: float(r[1]) for r in rows}

    # ---------------------------------------------------------------- arrears
    async def last_round(self) -> int | None:
        """When the last round of the heat map was held, business time."""
        at: int | None = await self._c.fetchval(
            "SELECT extract(epoch FROM at)::bigint FROM arrears_round WHERE company_id = $1",
            self.company,
        )
        return at

    async def grid_origin(self) -> tuple[float, float] | None:
        """The city's centre (lon, lat), or that of the households without a map."""
        row = await self._c.fetchrow(
            "SELECT center_lon, center_lat FROM city WHERE company_id = $1", self.company
        )
        return (row[0], row[1]) if row else None

    async def household_standing(self) -> list[asyncpg.Record]:
        """(household, lon, lat, in arrears, changed at) of every household with an account."""
        rows: list[asyncpg.Record] = await self._c.fetch(
            "SELECT h.household_id, h.lon, h.lat, a.unpaid_fen > 0,"
            " extract(epoch FROM a.changed_at)::bigint"
            " FROM household h JOIN account_balance a USING (company_id, household_id)"
            " WHERE h.company_id = $1",
            self.company,
        )
        return rows

    async def looks(self) -> dict[arrears.Cell, arrears.Look]:
        """What was counted in each cell at its last look."""
        rows = await self._c.fetch(
            "SELECT size_m, x, y, households, in_arrears, extract(epoch FROM at)::bigint"
            " FROM arrears_look WHERE company_id = $1",
            self.company,
        )
        return {
            arrears.Cell(r[0], r[1], r[2]): arrears.Look(households=r[3], in_arrears=r[4], at=r[5])
            for r in rows
        }

    async def save_round(self, looks: Mapping[arrears.Cell, arrears.Look]) -> None:
        """Remember the looks and when the round was."""
        rows = [
            (c.size_m, c.x, c.y, look.households, look.in_arrears, look.at)
            for c, look in looks.items()
        ]
        if rows:
            await self._c.execute(
                "INSERT INTO arrears_look (company_id, size_m, x, y, households, in_arrears, at)"
                " SELECT $1, s, x, y, h, a, to_timestamp(t)"
                " FROM unnest($2::int[], $3::int[], $4::int[], $5::int[], $6::int[], $7::bigint[])"
                " AS l(s, x, y, h, a, t) ON CONFLICT (company_id, size_m, x, y) DO UPDATE"
                " SET households = excluded.households, in_arrears = excluded.in_arrears,"
                " at = excluded.at",
                self.company,
                *journal.columns(rows),
            )
        await self._c.execute(
            "INSERT INTO arrears_round VALUES ($1, $2)"
            " ON CONFLICT (company_id) DO UPDATE SET at = excluded.at",
            self.company,
            self.now,
        )

    async def housekeeping(self) -> None:
        """Partitions ahead, old partitions and old idempotency keys away."""
        today = system_now().date()
        await self._c.execute("SELECT ensure_partitions($1, 8)", today - timedelta(days=1))
        for table, days in KEEP_DAYS.items():
            await self._c.execute(
                "SELECT drop_partitions($1, $2)", table, today - timedelta(days=days)
            )
        await self._c.execute(
            "DELETE FROM idempotency WHERE company_id = $1"
            " AND created_at < now() - interval '90 days'",
            self.company,
        )


class EngineStore:
    """Opens transactions for the engines."""

    def __init__(self, pool: Pool, clock: BusinessClock, journal_key: bytes) -> None:
        self._pool = pool
        self._clock = clock
        self._key = journal_key

    @asynccontextmanager
    async def company(self, company: int) -> AsyncIterator[EngineTransaction]:
        """A transaction of one company at the business time it began."""
        async with self._pool.company(company) as c:
            yield EngineTransaction(c, company, self._key, self._clock.now())

    async def reload_clock(self) -> None:
        """Take up a moved business clock."""
        await self._clock.load(self._pool)
