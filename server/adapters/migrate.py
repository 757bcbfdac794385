"""Brings a database to the newest schema: numbered SQL files, each in one transaction, once."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from server.adapters.keys import Keys
from server.settings import UserError

MIGRATION_LOCK = 0x68656174  # "heat"


def role_dsn(dsn: str, role: str, password: str) -> str:
    """The same database as `dsn`, as another role."""
    parts = urlsplit(dsn)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{role}:{quote(password)}@{host}"))


def app_dsn(dsn: str, keys: Keys) -> str:
    """`dsn` as the application's role: one company at a time, under row-level security."""
    return role_dsn(dsn, "heatops_app", keys.password("app_role"))


def feed_dsn(dsn: str, keys: Keys) -> str:
    """`dsn` as the feed's role: reads every company, writes only the feed."""
    return role_dsn(dsn, "heatops_feed", keys.password("feed_role"))


def migrations() -> list[tuple[int, str, str]]:
    """(number, file name, SQL) of every migration, in order."""
    folder = resources.files("server.adapters") / "migrations"
    names = sorted(item.name for item in folder.iterdir() if item.name.endswith(".sql"))
    return [(int(name[:4]), name, (folder / name).read_text("utf-8")) for name in names]


async def migrate(dsn: str, keys_dir: Path) -> list[str]:
    """Make keys and roles, then apply what is missing. `dsn` is the owner's.
    Returns the names applied.

    Raises:
        UserError: `database_unreachable`, `database_too_old`, `database_newer`, `roles_refused`.
    """
    keys = Keys(keys_dir)
    keys.ensure()
    try:
        connection = await asyncpg.connect(dsn, timeout=10)
    except (
        OSError,
        ValueError,
        asyncpg.PostgresError,
        asyncpg.InterfaceError,
        TimeoutError,
    ) as error:
        raise UserError(
            "database_unreachable",
            f"PostgreSQL does not answer: {error}.",
            "Check HEATOPS_DATABASE_URL and that the server runs.",
        ) from None
    try:
        if int(await connection.fetchval("SHOW server_version_num")) < 150000:
            raise UserError(
                "database_too_old",
                "This PostgreSQL is older than 15.",
                "Use PostgreSQL 15 or newer.",
            )
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        await _roles(connection, keys)
        return await _apply(connection)
    finally:
        await connection.close(timeout=5)


async def _roles(connection: asyncpg.Connection, keys: Keys) -> None:
    try:
        for role, key in (("heatops_app", "app_role"), ("heatops_feed", "feed_role")):
            password = keys.password(key)
            exists = await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", role)
            verb = "ALTER" if exists else "CREATE"
            await connection.execute(f"{verb} ROLE {role} LOGIN PASSWORD '{password}'")
    except asyncpg.InsufficientPrivilegeError:
        raise UserError(
            "roles_refused",
            "The database user of HEATOPS_DATABASE_URL may not create roles.",
            "Give it CREATEROLE, or let an administrator run `heatops migrate` once.",
        ) from None


async def _apply(connection: asyncpg.Connection) -> list[str]:
    await connection.execute(
        "CREATE TABLE IF NOT EXISTS schema_migration (number int PRIMARY KEY, name text NOT NULL,"
        " at timestamptz NOT NULL DEFAULT now())"
    )
    known = migrations()
    done = {row["number"] for row in await connection.fetch("SELECT number FROM schema_migration")}
    if done and max(done) > known[-1][0]:
        raise UserError(
            "database_newer",
            f"The database has migration {max(done)}, this version knows up to {known[-1][0]}.",
            "Start the newer version of heatops that was here before.",
        )
    applied = []
    for number, name, sql in known:
        if number in done:
            continue
        async with connection.transaction():
            await connection.execute(sql)
            await connection.execute("INSERT INTO schema_migration VALUES ($1, $2)", number, name)
        applied.append(name)
    return applied
