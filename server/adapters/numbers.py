"""Numbers people can read out: the business day and a running number, e.g. 260114-004711."""

from __future__ import annotations

import asyncio
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
        self._fetching = asyncio.Lock()
        self._zones: dict[int, ZoneInfo] = {}

    async def next(self, company: int, now: datetime) -> str:
        """A new number for the company's local business day at `now`. Raises Unavailable."""
        zone = self._zones.get(company)
        if zone is None:
            async with self._pool.company(company, readonly=True) as c:
                zone = self._zones[company] = ZoneInfo(
                    await c.fetchval("SELECT timezone FROM company WHERE company_id = $1", company)
                )
        while (n := next(self._block, None)) is None:
            await self._fetch()
        return f"{now.astimezone(zone):%y%m%d}-{n:06d}"

    async def _fetch(self) -> None:
        """A new block, asked for by one of the many who find the old one used up in a burst."""
        used_up = self._block
        async with self._fetching:
            if self._block is not used_up:
                return
            async with self._pool.connection() as c:
                start: int = await c.fetchval("SELECT nextval('ticket_number')")
            self._block = iter(range(start, start + BLOCK))
