"""Filling a company with the demo's register, and whether that may be done."""

from __future__ import annotations

from collections.abc import Sequence

import asyncpg

from server.adapters.cities import City, write_city
from server.adapters.clock import BusinessClock
from server.adapters.register import RegisterTable, replace_table
from server.settings import UserError

SEEDED = "demo"
STARTED = "demo-started"
OWN = ("source:demo", "system:core")


async def state(dsn: str, company: int) -> str:
    """`empty`, `started`, `seeded`, or `others`: another source has written.

    Raises what asyncpg raises when the database is away.
    """
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        marks = {
            r[0]
            for r in await connection.fetch(
                "SELECT source FROM written_by WHERE company_id = $1", company
            )
        }
        if await connection.fetchval(
            "SELECT EXISTS (SELECT FROM journal"
            " WHERE company_id = $1 AND actor <> ALL($2::text[]))",
            company,
            list(OWN),
        ):
            return "others"
        if SEEDED in marks:
            return "seeded"
        return "started" if STARTED in marks else "empty"
    finally:
        await connection.close(timeout=5)


async def fill(
    dsn: str,
    company: int,
    city: City | None,
    tables: Sequence[RegisterTable],
) -> None:
    """Write the register, and the city unless one was imported, in one transaction;
    mark the company as begun."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            if city is not None:
                await write_city(connection, company, city)
            for table, columns, rows in tables:
                await replace_table(connection, company, table, columns, rows)
            await _mark(connection, company, STARTED)
            await connection.execute(
                "UPDATE company SET demo = true WHERE company_id = $1", company
            )
        await connection.execute("ANALYZE building, household, point, node")
    finally:
        await connection.close(timeout=10)


async def finish(dsn: str, company: int) -> None:
    """The past has been lived through; from now on only the live day goes on."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        await _mark(connection, company, SEEDED)
    finally:
        await connection.close(timeout=5)


async def alone(dsn: str, company: int) -> bool:
    """Whether no other company has facts:
    only then may the business clock be moved through a past."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return not await connection.fetchval(
            "SELECT EXISTS (SELECT FROM journal WHERE company_id <> $1)", company
        )
    finally:
        await connection.close(timeout=5)


async def _mark(connection: asyncpg.Connection, company: int, mark: str) -> None:
    await connection.execute(
        "INSERT INTO written_by VALUES ($1, $2) ON CONFLICT DO NOTHING", company, mark
    )


async def load_clock(dsn: str) -> BusinessClock:
    """The business clock as it stands."""
    connection = await asyncpg.connect(dsn, timeout=5)
    clock = BusinessClock()
    try:
        await clock.load_from(connection)
    finally:
        await connection.close(timeout=5)
    return clock


def refusal(code: str) -> UserError:
    """The demo fills only where no other source has written."""
    return UserError(
        "demo_refused",
        f"Company {code!r} holds data of another source; the demo does not mix with it.",
        "Fill another company: heatops demo --company NEWCODE.",
    )
