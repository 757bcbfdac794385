"""Waiting until a running core has taken up a moved business clock."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import asyncpg


async def core_follows(url: str, within_s: float = 5.0) -> None:
    """Until the core has read the clock once more and has ended what it began before. It reads it
    every second, and is seen to do so by waiting at a lock; one that is stopped is not waited for
    any longer than `within_s`."""
    connection = await asyncpg.connect(url, timeout=10)
    began = time.monotonic()

    async def until(query: str, *args: Any) -> None:
        while not await connection.fetchval(query, *args) and time.monotonic() - began < within_s:
            await asyncio.sleep(0.02)

    of_core = "a.datname = current_database() AND a.application_name LIKE 'heatops-core-%'"
    try:
        async with connection.transaction():
            await connection.execute("LOCK TABLE business_clock IN ACCESS EXCLUSIVE MODE")
            await until(
                "SELECT EXISTS (SELECT FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
                f" WHERE NOT l.granted AND l.relation = 'business_clock'::regclass AND {of_core})"
            )
        read_at = await connection.fetchval("SELECT clock_timestamp() + interval '20 ms'")
        await until(
            f"SELECT NOT EXISTS (SELECT FROM pg_stat_activity a WHERE {of_core}"
            " AND a.xact_start <= $1) AND clock_timestamp() > $1",
            read_at,
        )
        print(f"the core follows the clock: {time.monotonic() - began:.2f} s")
    finally:
        await connection.close(timeout=5)
