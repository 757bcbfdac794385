"""Figures over tickets: requests against the same hour's usual, and the closing rate."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from dispatch_core.events import ClosingCounted, HourUsual, RequestsCounted
from dispatch_core.ids import unix
from server.adapters.engine_store import EngineTransaction

CLOSING_TARGET_PCT = 98.0
HOURS_BACK = 12
HOURS_AHEAD = 11


async def requests(tx: EngineTransaction) -> RequestsCounted:
    """Requests of this hour, of the last 60 minutes,
    and of 24 local hours around now with their usual range."""
    zone = ZoneInfo(await tx.timezone())
    usual = await tx.figures.usual_hours()
    hour = tx.now.replace(minute=0, second=0, microsecond=0)
    counted = await tx.figures.requests_by_hour(hour - timedelta(hours=HOURS_BACK))
    hours = []
    for step in range(-HOURS_BACK, HOURS_AHEAD + 1):
        at = hour + timedelta(hours=step)
        low, mid, high = _usual(usual, at.astimezone(zone)) or (None, None, None)
        hours.append(
            HourUsual(
                hour_at=unix(at),
                count=counted.get(unix(at), 0) if step <= 0 else None,
                usual_low=low,
                usual=mid,
                usual_high=high,
            )
        )
    now_local = tx.now.astimezone(zone)
    before, this = _usual(usual, now_local - timedelta(hours=1)), _usual(usual, now_local)
    part = now_local.minute / 60
    per_hour_usual = round(before[1] * (1 - part) + this[1] * part) if before and this else None
    return RequestsCounted(
        this_hour=counted.get(unix(hour), 0),
        per_hour=await tx.figures.requests_since(tx.now - timedelta(hours=1)),
        usual_per_hour=per_hour_usual,
        hours=hours,
    )


def _usual(
    usual: dict[tuple[str, int], tuple[int, int, int]], local: datetime
) -> tuple[int, int, int] | None:
    day = "weekend" if local.weekday() >= 5 else "workday"
    return usual.get((day, local.hour))


async def closing(tx: EngineTransaction) -> ClosingCounted:
    """Of the tickets whose 24 h ran out in the last 7 days, how many are closed."""
    zone = ZoneInfo(await tx.timezone())
    midnight = (
        tx.now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0).astimezone(UTC)
    )
    due, closed, closed_today, received_today = await tx.figures.closing(midnight)
    return ClosingCounted(
        due=due,
        closed=closed,
        closed_today=closed_today,
        received_today=received_today,
        target_pct=CLOSING_TARGET_PCT,
    )
