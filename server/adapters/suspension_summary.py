"""The season's figures of suspensions, counted from the records."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from server.adapters.pool import Pool
from server.ports import CityPolicy

DAYS = 60
"""The arrival curve reaches this far back."""


class DayCount(msgspec.Struct, frozen=True, kw_only=True):
    """Applications of one local day, YYYY-MM-DD."""

    day: str
    n: int


class Summary(msgspec.Struct, frozen=True, kw_only=True):
    """How the season's applications stand; durations from application to answer in seconds."""

    season: str
    deadline: str
    days_left: int
    """Until the deadline, which is included; negative once it has passed."""
    states: dict[str, int]
    today: int
    answered: int
    answered_automatically: int
    took_median_s: float | None
    took_p95_s: float | None
    visits_open: int
    visits_late: int
    known_late: int
    per_day: list[DayCount]


async def count(pool: Pool, company: int, policy: CityPolicy, now: datetime) -> Summary:
    """Counted in one look, so that the figures agree with each other."""
    zone = ZoneInfo(policy.timezone)
    local = now.astimezone(zone)
    midnight = datetime.combine(local.date(), datetime.min.time(), zone)
    args = (company, policy.season)
    async with pool.company(company, isolation="repeatable_read", readonly=True) as c:
        states = await c.fetch(
            "SELECT state, count(*) FROM application WHERE company_id = $1 AND season = $2"
            " GROUP BY 1",
            *args,
        )
        took = await c.fetchrow(
            "SELECT count(*) AS answered,"
            " count(*) FILTER (WHERE answered_by = 'policy') AS by_policy,"
            " percentile_disc(0.5) WITHIN GROUP (ORDER BY answered_at - applied_at) AS median,"
            " percentile_disc(0.95) WITHIN GROUP (ORDER BY answered_at - applied_at) AS p95"
            " FROM application WHERE company_id = $1 AND season = $2 AND answered_at IS NOT NULL"
            " AND source <> 'system'",
            *args,
        )
        days = await c.fetch(
            "SELECT (applied_at AT TIME ZONE $3)::date AS day, count(*) AS n FROM application"
            " WHERE company_id = $1 AND season = $2 AND applied_at >= $4 GROUP BY 1 ORDER BY 1",
            *args,
            policy.timezone,
            midnight - timedelta(days=DAYS),
        )
        visits = await c.fetchrow(
            "SELECT count(*) AS open, count(*) FILTER (WHERE due_at < $2) AS late FROM visit"
            " WHERE company_id = $1 AND open",
            company,
            now,
        )
        known_late = await c.fetchval(
            "SELECT count(*) FROM application WHERE company_id = $1 AND season = $2"
            " AND state = 'completed' AND known_by < $3",
            *args,
            now,
        )
    per_day = [DayCount(day=r["day"].isoformat(), n=r["n"]) for r in days]
    deadline = date.fromisoformat(policy.suspension.deadline)
    return Summary(
        season=policy.season,
        deadline=policy.suspension.deadline,
        days_left=(deadline - local.date()).days,
        states={r[0]: r[1] for r in states},
        today=next((d.n for d in per_day if d.day == local.date().isoformat()), 0),
        answered=took["answered"],
        answered_automatically=took["by_policy"],
        took_median_s=_seconds(took["median"]),
        took_p95_s=_seconds(took["p95"]),
        visits_open=visits["open"],
        visits_late=visits["late"],
        known_late=known_late,
        per_day=per_day,
    )


def _seconds(took: timedelta | None) -> float | None:
    return None if took is None else took.total_seconds()
