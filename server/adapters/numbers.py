"""Numbers people can read out: the business day and a running number, e.g. 260114-004711."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from server.adapters.pool import Pool

BLOCK = 100
"""The sequence's increment: a process takes a block and counts within it; gaps are harmless."""


class Numbers:
    """Hands out numbers of tickets and outages, unique in the installation."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._block: Iterator[int] = iter(())
        self._zones: dict[int, ZoneInfo] = {}

    async def next(self, company: int, now: datetime) -> str:
        """A new number for the company's local business day at `now`. Raises Unavailable."""
        zone = self._zones.get(company)
        if zone is None:
            async with self._pool.company(company, readonly=True) as c:
                zone = self._zones[company] = ZoneInfo(
                    await c.fetchval("SELECT timezone FROM company WHERE company_id = $1", company)
                )
        n = next(self._block, None)
        if n is None:
            async with self._pool.connection() as c:
                start: int = await c.fetchval("SELECT nextval('ticket_number')")
            fresh = iter(range(start, start + BLOCK))
            n = next(fresh)
            self._block = fresh
        return f"{now.astimezone(zone):%y%m%d}-{n:06d}"
