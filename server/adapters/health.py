"""What `heatops doctor` asks the engines."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import asyncpg
import redis.asyncio

from server.adapters.migrate import migrations


class DatabaseHealth(NamedTuple):
    """PostgreSQL as it answers."""

    version: str
    pending: list[str]
    """Migrations that are not applied."""
    at: datetime
    """Its own clock, UTC."""
    durable: bool
    """Whether a commit survives a loss of power."""
    likeness: bool
    """Whether pg_trgm sees that two Chinese addresses resemble each other."""


async def database_health(dsn: str) -> DatabaseHealth:
    """Ask PostgreSQL. Raises OSError, TimeoutError or asyncpg.PostgresError when it does not
    answer."""
    connection = await asyncpg.connect(dsn, timeout=5)
    try:
        version = str(await connection.fetchval("SHOW server_version")).split()[0]
        known = await connection.fetchval("SELECT to_regclass('schema_migration') IS NOT NULL")
        rows = await connection.fetch("SELECT number FROM schema_migration") if known else []
        done = {row["number"] for row in rows}
        settings = await connection.fetch(
            "SELECT setting FROM pg_settings"
            " WHERE name IN ('fsync', 'synchronous_commit', 'full_page_writes')"
        )
        ctype = await connection.fetchval(
            "SELECT datctype FROM pg_database WHERE datname = current_database()"
        )
        return DatabaseHealth(
            version=version,
            pending=[name for number, name, _ in migrations() if number not in done],
            at=await connection.fetchval("SELECT clock_timestamp()"),
            durable=all(row["setting"] == "on" for row in settings),
            likeness=ctype not in {"C", "POSIX"},
        )
    finally:
        await connection.close(timeout=5)


async def redis_version(url: str) -> str:
    """Ask Valkey or Redis. Raises OSError or redis.RedisError when it does not answer."""
    client = redis.asyncio.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    try:
        info = await client.info("server")
        return str(info.get("valkey_version") or info["redis_version"])
    finally:
        await client.aclose()
