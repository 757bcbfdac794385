"""Numbers people can read out: the business day and a running number, e.g. 260114-004711."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from server.adapters.pool import Pool

BLOCK = 100
"""The sequence's increment: a process takes a block and counts within it; gaps are harmless."""


class Numbers:
    """Hands out numbers of tickets and outages, unique in the installation."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._block: Iterator[int] = iter(())

    async def next(self, now: datetime) -> str:
        """A new number for the business day of `now` (UTC). Raises Unavailable."""
        n = next(self._block, None)
        if n is None:
            async with self._pool.connection() as c:
                start: int = await c.fetchval("SELECT nextval('ticket_number')")
            fresh = iter(range(start, start + BLOCK))
            n = next(fresh)
            self._block = fresh
        return f"{now:%y%m%d}-{n:06d}"
