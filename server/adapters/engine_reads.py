"""What the core's engines count: requests for the figures, mentions, and the arrears map."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

import asyncpg

from dispatch_core import arrears, sentiment
from server.adapters.columns import columns


class Figures:
    """Counts over one company's tickets, in the caller's transaction."""

    def __init__(self, c: asyncpg.Connection, company: int, now: datetime) -> None:
        self._c = c
        self._company = company
        self._now = now

    async def requests_by_hour(self, since: datetime) -> dict[int, int]:
        """UTC hour (Unix seconds) -> requests received in it."""
        rows = await self._c.fetch(
            "SELECT extract(epoch FROM date_trunc('hour', received_at, 'UTC'))::bigint,"
            " sum(reports)::bigint FROM ticket"
            " WHERE company_id = $1 AND received_at >= $2 AND received_at <= $3 GROUP BY 1",
            self._company,
            since,
            self._now,
        )
        return {r[0]: r[1] for r in rows}

    async def requests_since(self, since: datetime) -> int:
        """Requests received after `since`."""
        n: int = await self._c.fetchval(
            "SELECT coalesce(sum(reports), 0)::bigint FROM ticket"
            " WHERE company_id = $1 AND received_at > $2 AND received_at <= $3",
            self._company,
            since,
            self._now,
        )
        return n

    async def usual_hours(self) -> dict[tuple[str, int], tuple[int, int, int]]:
        """(day type, local hour) -> (low, usual, high)."""
        rows = await self._c.fetch(
            "SELECT day_type, hour, low, usual, high FROM usual_hour WHERE company_id = $1",
            self._company,
        )
        return {(r[0], r[1]): (r[2], r[3], r[4]) for r in rows}

    async def closing(self, day_start: datetime) -> tuple[int, int, int, int]:
        """(due in the last 7 days, of them closed, closed today, received today);
        cancelled tickets are left out."""
        row = await self._c.fetchrow(
            "SELECT (SELECT count(*) FROM ticket WHERE company_id = $1"
            "   AND solved_due_at BETWEEN $2 AND $3 AND state <> 'cancelled') AS due,"
            " (SELECT count(*) FROM ticket WHERE company_id = $1"
            "   AND solved_due_at BETWEEN $2 AND $3 AND state = 'closed') AS closed,"
            " (SELECT count(*) FROM ticket WHERE company_id = $1"
            "   AND closed_at >= $4 AND state = 'closed') AS closed_today,"
            " (SELECT count(*) FROM ticket WHERE company_id = $1 AND received_at >= $4)"
            "   AS received_today",
            self._company,
            self._now - timedelta(days=7),
            self._now,
            day_start,
        )
        return row["due"], row["closed"], row["closed_today"], row["received_today"]


class Mentions:
    """Counts over what is said of one company's communities, in the caller's transaction."""

    def __init__(self, c: asyncpg.Connection, company: int, now: datetime) -> None:
        self._c = c
        self._company = company
        self._now = now

    async def windows(self, since: datetime) -> dict[str, sentiment.Window]:
        """Mentions per community after `since`, up to now."""
        rows = await self._c.fetch(
            "SELECT community_id, topic, count(*), count(*) FILTER (WHERE value <= $4),"
            " sum(value)::float8 FROM mention"
            " WHERE company_id = $1 AND said_at > $2 AND said_at <= $3"
            " AND community_id IS NOT NULL GROUP BY 1, 2",
            self._company,
            since,
            self._now,
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
            self._company,
            sentiment.POLICY.negative_value,
            self._now,
            float(window_s),
        )
        return {r[0]: float(r[1]) for r in rows}


class Arrears:
    """The arrears map's memory and the accounts it looks at, in the caller's transaction."""

    def __init__(self, c: asyncpg.Connection, company: int, now: datetime) -> None:
        self._c = c
        self._company = company
        self._now = now

    async def last_round(self) -> int | None:
        """When the last round of the heat map was held, business time."""
        at: int | None = await self._c.fetchval(
            "SELECT extract(epoch FROM at)::bigint FROM arrears_round WHERE company_id = $1",
            self._company,
        )
        return at

    async def grid_origin(self) -> tuple[float, float] | None:
        """The city's centre (lon, lat); None without a city."""
        row = await self._c.fetchrow(
            "SELECT center_lon, center_lat FROM city WHERE company_id = $1", self._company
        )
        return (row[0], row[1]) if row else None

    async def household_standing(self) -> list[asyncpg.Record]:
        """(household, lon, lat, in arrears, changed at) of every household with an account."""
        rows: list[asyncpg.Record] = await self._c.fetch(
            "SELECT h.household_id, coalesce(h.lon, b.lon), coalesce(h.lat, b.lat),"
            " a.unpaid_fen > 0, extract(epoch FROM a.changed_at)::bigint"
            " FROM household h JOIN account_balance a USING (company_id, household_id)"
            " JOIN building b USING (company_id, building_id)"
            " WHERE h.company_id = $1",
            self._company,
        )
        return rows

    async def looks(self) -> dict[arrears.Cell, arrears.Look]:
        """What was counted in each cell at its last look."""
        rows = await self._c.fetch(
            "SELECT size_m, x, y, households, in_arrears, extract(epoch FROM at)::bigint"
            " FROM arrears_look WHERE company_id = $1",
            self._company,
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
                self._company,
                *columns(rows),
            )
        await self._c.execute(
            "INSERT INTO arrears_round VALUES ($1, $2)"
            " ON CONFLICT (company_id) DO UPDATE SET at = excluded.at",
            self._company,
            self._now,
        )
