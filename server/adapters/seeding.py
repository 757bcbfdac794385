"""Filling a company with the demo's register, and whether that may be done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from server.adapters import projections, streams
from server.adapters.address_sql import bump_register_version
from server.adapters.cities import City, write_city
from server.adapters.journal import StreamHead
from server.adapters.numbers import BLOCK
from server.adapters.register import RegisterTable, replace_table
from server.adapters.residents import save_secrets
from server.adapters.vault import Vault
from server.ports import SecretPerson
from server.settings import UserError

STANDARD_COMPANY = "demo"


class DemoRun(NamedTuple):
    """A company that the demo lives in."""

    company: str
    city: str
    seed: int
    points: int


class Past(NamedTuple):
    """Facts of months before the demo's history, decided and sealed already; no screen shows them,
    so they go into the journal and past the feed."""

    facts: Sequence[tuple[Any, ...]]
    """Rows of the journal as `journal.Writes` gathers them, each with its business time."""
    system_at: datetime
    heads: Mapping[str, StreamHead]
    earlier: Sequence[Mapping[str, Any]]
    """States that had rows which the last ones no longer have: stream -> state, oldest first."""
    persons: Sequence[SecretPerson]


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
    past: tuple[Past, Vault] | None = None,
) -> None:
    """Write the register, the city unless one was imported, and the past if there is one, in one
    transaction; mark the company as begun."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            if city is not None:
                await write_city(connection, company, city)
            for table, columns, rows in tables:
                await replace_table(connection, company, table, columns, rows)
            if past is not None:
                await _write_past(connection, company, *past)
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
        await connection.execute("ANALYZE building, household, point, node, application, visit")
    finally:
        await connection.close(timeout=10)


_JOURNAL = (
    "stream", "version", "kind", "v", "actor", "lon", "lat", "grounds", "policy", "body",
    "prev_hash", "hash", "business_at",
)  # fmt: skip
_HEAD = ("stream", "version", "hash", "state")


async def _write_past(c: asyncpg.Connection, company: int, past: Past, vault: Vault) -> None:
    names = ", ".join(_JOURNAL)
    await _copy(c, "journal", _JOURNAL, past.facts)
    await c.execute(
        f"INSERT INTO journal (company_id, system_at, {names})"
        f" SELECT $1, $2, {names} FROM pg_temp.new_rows",
        company,
        past.system_at,
    )
    heads = [(s, h.version, h.hash, streams.encode_state(h.state)) for s, h in past.heads.items()]
    await _copy(c, "stream_head", _HEAD, heads)
    names = ", ".join(_HEAD)
    await c.execute(
        f"INSERT INTO stream_head (company_id, {names}) SELECT $1, {names} FROM pg_temp.new_rows",
        company,
    )
    await c.execute("DROP TABLE pg_temp.new_rows")
    await save_secrets(c, company, vault, past.persons, ())
    for states in (*past.earlier, {s: h.state for s, h in past.heads.items()}):
        await projections.save(c, company, states)


async def _copy(
    c: asyncpg.Connection, table: str, names: Sequence[str], rows: Sequence[tuple[Any, ...]]
) -> None:
    """Rows into `pg_temp.new_rows`, shaped like a table's columns."""
    await c.execute("DROP TABLE IF EXISTS pg_temp.new_rows")
    await c.execute(
        f"CREATE TEMP TABLE new_rows ON COMMIT DROP AS SELECT {', '.join(names)} FROM {table}"
        " WITH NO DATA"
    )
    await c.copy_records_to_table(
        "new_rows", schema_name="pg_temp", columns=names, records=list(rows)
    )


async def timezone(dsn: str, company: int) -> str:
    """The company's time zone."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        found: str = await connection.fetchval(
            "SELECT timezone FROM company WHERE company_id = $1", company
        )
    finally:
        await connection.close(timeout=5)
    return found


async def numbers(dsn: str, n: int) -> list[int]:
    """n running numbers as tickets and applications bear them, in order."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        blocks = await connection.fetch(
            "SELECT nextval('ticket_number') AS first FROM generate_series(1, $1)", -(-n // BLOCK)
        )
    finally:
        await connection.close(timeout=5)
    return [b["first"] + k for b in blocks for k in range(BLOCK)]


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


def refusal(code: str) -> UserError:
    """The demo fills only where no other source has written."""
    return UserError(
        "demo_refused",
        f"Company {code!r} holds data of another source; the demo does not mix with it.",
        "Fill another company: heatops demo --company NEWCODE.",
    )
