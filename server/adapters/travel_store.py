"""What travel learns and keeps: counts of each hour's journeys, and the models made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import numpy as np

from geo.travel import SLOTS, TravelModel
from geo.travel_learn import DETOUR_BINS, SPEED_BINS, Counts, Fixes, Learnt

HOUR = timedelta(hours=1)
KIND = "crew-positions"
"""How telemetry_batch calls batches of fixes."""


class Hours(NamedTuple):
    """Counts of many hours, added up."""

    speeds: Counts
    """(48, SPEED_BINS)"""
    detours: Counts
    """(DETOUR_BINS)"""


def offset_s(now: datetime, timezone: str) -> int:
    """How far a zone's clock is ahead of UTC at a time, seconds."""
    ahead = now.astimezone(ZoneInfo(timezone)).utcoffset()
    return 0 if ahead is None else int(ahead.total_seconds())


async def newest_model(c: asyncpg.Connection, company: int) -> TravelModel | None:
    """The model that was learnt last; None before anything was."""
    body = await c.fetchval(
        "SELECT body FROM travel_model WHERE company_id = $1 ORDER BY version DESC LIMIT 1", company
    )
    return None if body is None else msgspec.json.decode(body, type=TravelModel)


async def add_model(c: asyncpg.Connection, company: int, now: datetime, model: TravelModel) -> None:
    """Put a model in force."""
    await c.execute(
        "INSERT INTO travel_model (company_id, version, made_at, body) VALUES ($1, $2, $3, $4)",
        company,
        model.version,
        now,
        msgspec.json.encode(model).decode(),
    )


async def next_hour(c: asyncpg.Connection, company: int, until: datetime) -> datetime | None:
    """The first hour, ended before `until`, in which fixes arrived and that was not learnt from."""
    known = await c.fetchval("SELECT max(hour_at) FROM travel_speed WHERE company_id = $1", company)
    since = datetime.min.replace(tzinfo=UTC) if known is None else known + HOUR
    first: datetime | None = await c.fetchval(
        "SELECT min(business_at) FROM telemetry_batch WHERE company_id = $1 AND kind = $2"
        " AND business_at >= $3",
        company,
        KIND,
        since,
    )
    if first is None:
        return None
    hour = first.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    return hour if hour + HOUR <= until else None


async def fixes_of(c: asyncpg.Connection, company: int, hour: datetime) -> Fixes:
    """All fixes that were taken in an hour."""
    # crew by crew, so that the index finds them
    crew_ids = await c.fetch("SELECT crew_id FROM crew_last_fix WHERE company_id = $1", company)
    rows = await c.fetch(
        "SELECT f.crew_id, extract(epoch FROM f.fixed_at)::bigint,"
        " extract(epoch FROM b.business_at)::bigint, f.lon, f.lat, f.accuracy_m::float8, f.datum"
        " FROM crew_fix f JOIN telemetry_batch b USING (company_id, batch_id)"
        " WHERE f.company_id = $1 AND f.fixed_at >= $2 AND f.fixed_at < $3 AND f.crew_id = ANY($4)",
        company,
        hour,
        hour + HOUR,
        [r[0] for r in crew_ids],
    )
    return await asyncio.to_thread(_as_arrays, rows)  # tens of thousands


def _as_arrays(rows: Sequence[asyncpg.Record]) -> Fixes:
    crews = {crew: i for i, crew in enumerate(sorted({r[0] for r in rows}))}
    datums = {datum: i for i, datum in enumerate(sorted({r[6] for r in rows}))}
    return Fixes(
        crew=np.array([crews[r[0]] for r in rows], np.int64),
        at=np.array([r[1] for r in rows], np.int64),
        heard_at=np.array([r[2] for r in rows], np.int64),
        lon=np.array([r[3] for r in rows], np.float64),
        lat=np.array([r[4] for r in rows], np.float64),
        accuracy_m=np.array([r[5] for r in rows], np.float64),
        datum=np.array([datums[r[6]] for r in rows], np.int64),
    )


async def company_and_tiles(c: asyncpg.Connection, company: int) -> tuple[str, str | None]:
    """A company's code, and the name of its city's basemap, None without a city."""
    row = await c.fetchrow(
        "SELECT code, tiles FROM company LEFT JOIN city USING (company_id) WHERE company_id = $1",
        company,
    )
    return row[0], row[1]


async def city_centre(c: asyncpg.Connection, company: int) -> tuple[float, float] | None:
    """Longitude and latitude of the middle of the company's city, None if it has no map."""
    row = await c.fetchrow(
        "SELECT (west + east) / 2, (south + north) / 2 FROM city WHERE company_id = $1", company
    )
    return None if row is None else (row[0], row[1])


async def add_hour(
    c: asyncpg.Connection, company: int, hour: datetime, slot: int, fixes: int, learnt: Learnt
) -> None:
    """Keep what an hour told; told again it stays as it was."""
    await c.execute(
        "INSERT INTO travel_speed (company_id, hour_at, slot, fixes, journeys, speeds, detours,"
        " left_out) VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING",
        company,
        hour,
        slot,
        fixes,
        learnt.journeys,
        learnt.speeds.tolist(),
        learnt.detours.tolist(),
        msgspec.json.encode(learnt.left_out).decode(),
    )


async def forget(c: asyncpg.Connection, company: int, before: datetime) -> None:
    """Drop hours longer ago, but the last."""
    await c.execute(
        "DELETE FROM travel_speed t WHERE company_id = $1 AND hour_at < $2 AND hour_at <"
        " (SELECT max(hour_at) FROM travel_speed WHERE company_id = $1)",
        company,
        before,
    )


async def hours(c: asyncpg.Connection, company: int, since: datetime) -> Hours:
    """The counts of all hours from `since` on."""
    speeds, detours = np.zeros((SLOTS, SPEED_BINS), np.int64), np.zeros(DETOUR_BINS, np.int64)
    for row in await c.fetch(
        "SELECT slot, i - 1, sum(n)::bigint FROM travel_speed,"
        " unnest(speeds) WITH ORDINALITY AS u(n, i)"
        " WHERE company_id = $1 AND hour_at >= $2 AND n > 0 AND i <= $3 GROUP BY 1, 2",
        company,
        since,
        SPEED_BINS,
    ):
        speeds[row[0], row[1]] = row[2]
    for row in await c.fetch(
        "SELECT i - 1, sum(n)::bigint FROM travel_speed,"
        " unnest(detours) WITH ORDINALITY AS u(n, i)"
        " WHERE company_id = $1 AND hour_at >= $2 AND n > 0 AND i <= $3 GROUP BY 1",
        company,
        since,
        DETOUR_BINS,
    ):
        detours[row[0]] = row[1]
    return Hours(speeds, detours)


async def left_out(c: asyncpg.Connection, company: int) -> dict[str, int]:
    """Fixes that nothing was learnt from, by what was wrong with them, over the hours kept."""
    rows = await c.fetch(
        "SELECT key, sum(value::bigint)::bigint FROM travel_speed, jsonb_each_text(left_out)"
        " WHERE company_id = $1 GROUP BY 1 ORDER BY 1",
        company,
    )
    return {r[0]: r[1] for r in rows}
