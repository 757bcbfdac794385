"""Companies and their cities as screens need them; writing a city's register as the owner."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import asyncpg

from geo.bounds import Bounds
from server.adapters.address_sql import bump_register_version
from server.adapters.pool import Pool
from server.adapters.register import RegisterTable, replace_table
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
                "SELECT company_id, code, name, timezone, demo FROM company WHERE company_id = $1",
                company,
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
    "building_id", "name", "street", "house_number", "address", "lon", "lat", "outline", "levels",
    "area_m2", "use", "district", "community_id", "substation_id",
)  # fmt: skip


async def write_city(c: asyncpg.Connection, company: int, city: City) -> None:
    """Put a city in place of the one that was there; the caller's transaction, as owner."""
    await c.execute(
        "INSERT INTO city (company_id, name, kind, tiles, attribution, west, south, east, north,"
        " center_lon, center_lat)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
        " ON CONFLICT (company_id) DO UPDATE SET"
        " name = excluded.name, kind = excluded.kind, tiles = excluded.tiles,"
        " attribution = excluded.attribution, west = excluded.west, south = excluded.south,"
        " east = excluded.east, north = excluded.north,"
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
    dsn: str,
    company: int,
    city: City,
    tables: Sequence[RegisterTable],
) -> None:
    """A city and its register tables in one transaction: all of it or nothing."""
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        async with connection.transaction():
            await write_city(connection, company, city)
            for table, columns, rows in tables:
                await replace_table(connection, company, table, columns, rows)
            await bump_register_version(connection, company)
        await connection.execute("ANALYZE building")
    finally:
        await connection.close(timeout=10)


class StoredBuilding(NamedTuple):
    """A building of an imported city, as the demo's generator reads it."""

    id: str
    name: str | None
    street: str | None
    house_number: str | None
    address: str
    lon: float
    lat: float
    outline_wkb: bytes
    levels: int | None
    use: str
    area_m2: float
    district: str | None
    community: str | None


class StoredPlace(NamedTuple):
    """A named place of an imported city."""

    name: str
    cls: str
    lon: float
    lat: float


async def imported_buildings(
    dsn: str, code: str
) -> tuple[list[StoredBuilding], list[StoredPlace], str]:
    """Buildings, places and name of a company's imported city.

    Raises:
        UserError: `no_such_company`, `no_city`.
    """
    company = await company_id(dsn, code)
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        name = await connection.fetchval(
            "SELECT name FROM city WHERE company_id = $1 AND kind = 'imported'", company
        )
        if name is None:
            raise UserError(
                "no_city",
                f"Company {code!r} has no imported city.",
                "heatops city import FILE.osm.pbf comes first.",
            )
        rows = await connection.fetch(
            "SELECT b.building_id, b.name, b.street, b.house_number, b.address, b.lon, b.lat,"
            " b.outline, b.levels, b.use,"
            " coalesce(b.area_m2, 0) AS area, b.district, c.name AS community FROM building b"
            " LEFT JOIN community c USING (company_id, community_id) WHERE b.company_id = $1"
            " ORDER BY b.building_id",
            company,
        )
        places = await connection.fetch(
            "SELECT name, lon, lat FROM community WHERE company_id = $1 ORDER BY community_id",
            company,
        )
    finally:
        await connection.close(timeout=5)
    buildings = [
        StoredBuilding(
            r[0], r[1] or None, r[2] or None, r[3] or None, r[4], r[5], r[6], r[7] or b"", r[8],
            r[9], r[10], r[11] or None, r[12],
        )
        for r in rows
    ]  # fmt: skip
    return buildings, [StoredPlace(p[0], "suburb", p[1], p[2]) for p in places], name


async def company_id(dsn: str, code: str) -> int:
    """The company of a code.

    Raises:
        UserError: `no_such_company`.
    """
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        found: int | None = await connection.fetchval(
            "SELECT company_id FROM company WHERE code = $1", code
        )
    finally:
        await connection.close(timeout=5)
    if found is None:
        raise UserError(
            "no_such_company",
            f"There is no company {code!r}.",
            "Check the code, or make it: --new-company NAME.",
        )
    return found
