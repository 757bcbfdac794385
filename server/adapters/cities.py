"""Companies and their cities as screens need them; writing a city's register as the owner."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from geo.bounds import Bounds
from server.adapters.pool import Pool
from server.adapters.register import replace_table
from server.settings import UserError


class Company(NamedTuple):
    """A company."""

    company: int
    code: str
    name: str
    timezone: str
    demo: bool


class City(NamedTuple):
    """A company's city and the file of its basemap, without folder."""

    name: str
    kind: str
    tiles: str
    attribution: str
    bounds: Bounds
    center: tuple[float, float]


class Cities:
    """The read side, one company at a time."""

    def __init__(self, pool: Pool, folder: Path) -> None:
        self._pool = pool
        self._folder = folder

    async def company(self, company: int) -> Company | None:
        """The company, None if it is gone."""
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(
                "SELECT company_id, code, name, timezone, demo FROM company WHERE company_id = $1", company
            )
        return Company(*row) if row else None

    async def city(self, company: int) -> City | None:
        """Its city, None if none was imported."""
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow("SELECT * FROM city WHERE company_id = $1", company)
        if row is None:
            return None
        return City(
            row["name"],
            row["kind"],
            row["tiles"],
            row["attribution"],
            Bounds(row["west"], row["south"], row["east"], row["north"]),
            (row["center_lon"], row["center_lat"]),
        )

    def tiles(self, code: str, name: str) -> Path:
        """Where a basemap of a company lies."""
        return tiles_folder(self._folder, code) / f"{name}.pmtiles"


def tiles_folder(folder: Path, code: str) -> Path:
    """The folder of a company's basemaps."""
    return folder / code


BUILDING_COLUMNS = (
    "building_id", "name", "street", "house_number", "address", "lon", "lat", "outline", "levels", "area_m2", "use",
    "district", "community_id", "substation_id",
)  # fmt: skip


async def write_city(c: asyncpg.Connection, company: int, city: City) -> None:
    """Put a city in place of the one that was there; the caller's transaction, as owner."""
    await c.execute(
        "INSERT INTO city (company_id, name, kind, tiles, attribution, west, south, east, north, center_lon, center_lat)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) ON CONFLICT (company_id) DO UPDATE SET"
        " name = excluded.name, kind = excluded.kind, tiles = excluded.tiles, attribution = excluded.attribution,"
        " west = excluded.west, south = excluded.south, east = excluded.east, north = excluded.north,"
        " center_lon = excluded.center_lon, center_lat = excluded.center_lat",
        company,
        city.name,
        city.kind,
        city.tiles,
        city.attribution,
        city.bounds.west,
        city.bounds.south,
        city.bounds.east,
        city.bounds.north,
        *city.center,
    )


async def write_register(
    dsn: str, company: int, city: City, tables: Sequence[tuple[str, Sequence[str], Iterable[Sequence[Any]]]]
) -> None:
    """A city and its register tables in one transaction: all of it or nothing."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            await write_city(connection, company, city)
            for table, columns, rows in tables:
                await replace_table(connection, company, table, columns, rows)
        await connection.execute("ANALYZE building")
    finally:
        await connection.close(timeout=10)


async def company_id(dsn: str, code: str) -> int:
    """The company of a code.

    Raises:
        UserError: `no_such_company`.
    """
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        found: int | None = await connection.fetchval("SELECT company_id FROM company WHERE code = $1", code)
    finally:
        await connection.close(timeout=5)
    if found is None:
        raise UserError(
            "no_such_company", f"There is no company {code!r}.", "Check the code, or import with --create to make it."
        )
    return found
