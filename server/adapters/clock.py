"""System time and the injected business clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta

import asyncpg

from realtime.messages import BusinessTime
from server.adapters.pool import Pool


def system_now() -> datetime:
    """System time, for leases, sessions and `as_of`; never for a business field."""
    return datetime.now(UTC)  # noqa: TID251 - the one place that may


class BusinessClock:
    """Business time = anchor_business + (system time - anchor_system) * rate.
    Only the owner of the database moves it."""

    def __init__(self) -> None:
        self._anchor_business = self._anchor_system = system_now()
        self._rate = 1.0
        self.loaded = False

    async def load(self, pool: Pool) -> None:
        """Read the row again; raises Unavailable."""
        async with pool.connection() as connection:
            await self.load_from(connection)

    async def load_from(self, connection: asyncpg.Connection) -> None:
        """Read the row over a given connection."""
        row = await connection.fetchrow(
            "SELECT anchor_business, anchor_system, rate FROM business_clock"
        )
        self._anchor_business, self._anchor_system = row["anchor_business"], row["anchor_system"]
        self._rate = row["rate"]
        self.loaded = True

    def now(self) -> datetime:
        """Business time, UTC."""
        elapsed = (system_now() - self._anchor_system).total_seconds()
        return self._anchor_business + timedelta(seconds=elapsed * self._rate)

    def wire(self) -> BusinessTime:
        """For the clients' tick."""
        return BusinessTime(at=self.now().timestamp(), rate=self._rate)


async def set_clock(owner_dsn: str, at: datetime, rate: float) -> None:
    """Move the business clock: demo, load test and fault tests only.
    Processes take it up within a second."""
    connection = await asyncpg.connect(owner_dsn, timeout=5)
    try:
        await connection.execute(
            "UPDATE business_clock SET anchor_business = $1,"
            " anchor_system = clock_timestamp(), rate = $2",
            at,
            rate,
        )
    finally:
        await connection.close(timeout=5)


def monotonic() -> float:
    """Seconds of this machine's monotonic clock."""
    return time.monotonic()
