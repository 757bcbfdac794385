"""The nightly scan for contradictions: once a local day, from half past two on."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from dispatch_core.errors import Conflict
from server.adapters import contradictions
from server.adapters.engine_store import ACTOR, EngineTransaction

AT = time(2, 30)
"""Local time of day."""


async def nightly(tx: EngineTransaction) -> int:
    """Scan the season if the last night's scan has not been made; no facts: it has its own table.
    A core that was down at half past two catches up as soon as it is back."""
    policy = await tx.policy()
    since, until = night_of(tx.now, ZoneInfo(policy.timezone))
    if not await contradictions.scanned_by(tx.connection, tx.company, ACTOR, since, until):
        with suppress(Conflict):  # a person's scan is running: the next look comes soon
            await contradictions.scan(tx.connection, tx.company, policy.season, tx.now, ACTOR)
    return 0


def night_of(now: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The last half past two that has been, and the next."""
    local = now.astimezone(zone)
    day = local.date() if local.time() >= AT else local.date() - timedelta(days=1)
    return (
        datetime.combine(day, AT, zone),
        datetime.combine(day + timedelta(days=1), AT, zone),
    )
