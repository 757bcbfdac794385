"""`heatops city import`: an OpenStreetMap file becomes a company's city."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from server.adapters import seeding
from server.adapters.cities import City, tiles_folder, write_register
from server.adapters.register import RegisterTable
from server.settings import Settings, UserError
from server.work.company import Progress, company_meant, owner_dsn
from server.work.tables import imported_tables


def import_city(
    settings: Settings,
    file: Path,
    *,
    company: str | None,
    new_company: str | None,
    name: str | None,
    progress: Progress,
) -> dict[str, Any]:
    """Import FILE as the city of a company; the old city stays until the new one is stored whole.

    Raises:
        UserError: `demo_city`, `which_company`, `no_such_company`, and as
            `server.sources.city_import.import_city`.
    """
    # half a second of libraries that no other command needs
    from server.sources import city_import

    dsn = owner_dsn(settings)
    code = asyncio.run(_importable(dsn, company, new_company))
    folder = tiles_folder(settings.data / "cities", code)
    folder.mkdir(parents=True, exist_ok=True)
    city = city_import.import_city(file, folder, name, progress)
    stored = City(
        city.name, "imported", city.tiles.stem, city.attribution, city.bounds, city.center
    )
    tables = imported_tables(city.buildings, city.places)
    asyncio.run(_store(dsn, code, new_company, stored, tables))
    progress("store", 1.0)
    return {
        "name": city.name,
        "company": code,
        "buildings": len(city.buildings),
        "tiles": str(city.tiles),
    }


async def _importable(dsn: str, company: str | None, new_company: str | None) -> str:
    """The code of the company meant, if its city may be replaced."""
    number, code = await company_meant(dsn, company, new_company)
    if await seeding.state(dsn, number) in {"seeded", "started"}:
        raise UserError(
            "demo_city",
            f"Company {code!r} lives in the demo's city;"
            " another map under it would make nonsense of its data.",
            "Import into a company of your own: --company CODE --new-company NAME.",
        )
    return code


async def _store(
    dsn: str, code: str, new_company: str | None, city: City, tables: Sequence[RegisterTable]
) -> None:
    number, _ = await company_meant(dsn, code, new_company)
    await write_register(dsn, number, city, tables)
