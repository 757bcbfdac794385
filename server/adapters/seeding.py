"""Filling a company with the demo's register, and whether that may be done."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import asyncpg

from server.adapters.address_sql import bump_register_version
from server.adapters.cities import City, write_city
from server.adapters.clock import BusinessClock
from server.adapters.register import RegisterTable, replace_table
from server.settings import UserError

STANDARD_COMPANY = "demo"


class DemoRun(NamedTuple):
    """A company that the demo lives in."""

    company: str
    city: str
    seed: int
    points: int


STANDARD = DemoRun(STANDARD_COMPANY, "generated", 1, 2_400)


async def state(dsn: str, company: int) -> str:
    """`empty`, `started`, `seeded`, or `others`: another source has written.

    Raises what asyncpg raises when the database is away.
    """
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        lived = await connection.fetchval(
            "SELECT past_lived FROM demo_run WHERE company_id = $1", company
        )
        if lived is not None:
            return "seeded" if lived else "started"
        written = await connection.fetchval(
            "SELECT EXISTS (SELECT FROM journal WHERE company_id = $1)"
            " OR EXISTS (SELECT FROM telemetry_batch WHERE company_id = $1)"
            " OR EXISTS (SELECT FROM household WHERE company_id = $1)",
            company,
        )
        return "others" if written else "empty"
    finally:
        await connection.close(timeout=5)


async def runs(dsn: str, *, begin: bool) -> list[DemoRun]:
    """The demos that live here; with `begin` the standard one too, if nothing else is here."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        rows = await connection.fetch(
            "SELECT c.code, d.city, d.seed, d.points FROM demo_run d"
            " JOIN company c USING (company_id) ORDER BY d.company_id"
        )
        codes = [r["code"] for r in await connection.fetch("SELECT code, company_id FROM company")]
        first = await connection.fetchval("SELECT min(company_id) FROM company")
    finally:
        await connection.close(timeout=5)
    found = [DemoRun(*row) for row in rows]
    if begin and not found and codes == ["demo"] and await state(dsn, first) == "empty":
        return [STANDARD]
    return found


async def fill(
    dsn: str,
    company: int,
    city: City | None,
    tables: Sequence[RegisterTable],
    run: DemoRun,
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
            await bump_register_version(connection, company)
            await connection.execute(
                "INSERT INTO demo_run (company_id, city, seed, points) VALUES ($1, $2, $3, $4)",
                company,
                run.city,
                run.seed,
                run.points,
            )
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
        await connection.execute(
            "UPDATE demo_run SET past_lived = true WHERE company_id = $1", company
        )
    finally:
        await connection.close(timeout=5)


async def alone(dsn: str) -> bool:
    """Whether there is one company only: the business clock is everybody's, and only then may it be
    moved through a past."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        return bool(await connection.fetchval("SELECT count(*) = 1 FROM company"))
    finally:
        await connection.close(timeout=5)


async def end(dsn: str) -> None:
    """No demo goes on here, and business time is real time again."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            await connection.execute("DELETE FROM demo_run")
            await connection.execute(
                "UPDATE business_clock SET anchor_business = clock_timestamp(),"
                " anchor_system = clock_timestamp(), rate = 1"
            )
    finally:
        await connection.close(timeout=5)


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
