"""A city of a few blocks, a river and two streets, drawn by the product's own means."""

from __future__ import annotations

from installation import Installation

from geo.bounds import Bounds
from geo.shapes import line, point, polygon
from geo.tiles import Feature
from server.adapters.cities import BUILDING_COLUMNS, City, write_register
from server.sources.city_import import write_city

LON, LAT = 126.64, 45.76
METRE_LON, METRE_LAT = 1 / 77_700, 1 / 111_150
HALF_M = 1_200
FLATS = "B0001"
"""The one building of the register, in the middle."""


def at(x: float, y: float) -> tuple[float, float]:
    """Metres east and north of the middle, as longitude and latitude."""
    return LON + x * METRE_LON, LAT + y * METRE_LAT


def _box(x: float, y: float, width: float, height: float) -> object:
    return polygon([[at(x, y), at(x + width, y), at(x + width, y + height), at(x, y + height)]])


async def build_city(installation: Installation, company: int, code: str) -> None:
    """Tiles and register of `code`'s city."""
    south_west, north_east = at(-HALF_M, -HALF_M), at(HALF_M, HALF_M)
    bounds = Bounds(*south_west, *north_east)
    features = [
        Feature("road", "primary", "中山路", 0.0, line([at(-HALF_M, -60), at(HALF_M, -60)])),
        Feature("road", "primary", "经纬街", 0.0, line([at(-90, -HALF_M), at(-90, HALF_M)])),
        Feature("water", "river", "松花江", 0.0, _box(-HALF_M, 900, 2 * HALF_M, 250)),
        Feature("place", "suburb", "经纬街道", 0.0, point(*at(300, 500))),
        *(
            Feature("building", "apartments", "", 18.0, _box(x, y, 70, 14))
            for x in range(-1000, 1000, 200)
            for y in range(-1000, 800, 150)
        ),
    ]
    tiles = installation.data / "cities" / code / "small.pmtiles"
    tiles.parent.mkdir(parents=True, exist_ok=True)
    write_city(features, bounds, tiles, "小城", "© nobody", lambda _step, _done: None, workers=1)
    city = City("小城", "imported", "small", "© nobody", bounds, (LON, LAT))
    flats = (
        FLATS, "", "经纬街", "128", "经纬街128号", *at(0, 0), None, 6, 980.0, "apartments",
        "道里区", None, None,
    )  # fmt: skip
    await write_register(
        installation.database_url, company, city, [("building", BUILDING_COLUMNS, [flats])]
    )
