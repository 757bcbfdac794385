"""What the writers of register rows share: look rows up, merge what a file says, write what
changed."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg


class Target(NamedTuple):
    """A table of the register: its key, its other columns and all their SQL types, in order."""

    name: str
    key: str
    columns: tuple[str, ...]
    """The key first."""
    types: tuple[str, ...]


async def present(
    c: asyncpg.Connection, target: Target, keys: Collection[str]
) -> dict[str, dict[str, Any]]:
    """The rows of these keys as they stand, by key."""
    rows = await c.fetch(
        f"SELECT {', '.join(target.columns)} FROM {target.name}"
        " WHERE company_id = current_setting('heatops.company')::int"
        f" AND {target.key} = ANY($1::text[])",
        list(keys),
    )
    return {r[target.key]: dict(r) for r in rows}


async def upsert(
    c: asyncpg.Connection, company: int, target: Target, rows: Sequence[Mapping[str, Any]]
) -> None:
    """Write whole rows, by way of a temporary table: COPY straight in is refused under row-level
    security."""
    if not rows:
        return
    names = ", ".join(target.columns)
    pairs = ", ".join(f"{n} {t}" for n, t in zip(target.columns, target.types, strict=True))
    temp = f"import_{target.name}"
    await c.execute(f"CREATE TEMP TABLE IF NOT EXISTS {temp} ({pairs}) ON COMMIT DELETE ROWS")
    await c.copy_records_to_table(
        temp,
        schema_name="pg_temp",
        columns=target.columns,
        records=[tuple(row[n] for n in target.columns) for row in rows],
    )
    sets = ", ".join(f"{n} = excluded.{n}" for n in target.columns if n != target.key)
    await c.execute(
        f"INSERT INTO {target.name} (company_id, {names}) SELECT $1, {names} FROM pg_temp.{temp}"
        f" ON CONFLICT (company_id, {target.key}) DO UPDATE SET {sets}",
        company,
    )


def merged(
    before: Mapping[str, Any] | None, defaults: Mapping[str, Any], said: Mapping[str, Any]
) -> dict[str, Any]:
    """What a row says, over what stands, over what is usual."""
    return {**defaults, **(before or {}), **said}
