"""An OpenStreetMap file made into a city: the basemap as one PMTiles file, its roads beside it, and
the register of its buildings."""

from __future__ import annotations

import hashlib
import re
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from math import isfinite
from pathlib import Path

from geo.bounds import Bounds
from geo.shapes import point
from geo.tiles import Feature
from server.adapters.road_files import roads_beside, write_roads
from server.settings import UserError
from server.sources.city_tiles import Progress, write_city
from server.sources.osm import Extract, Thing, read_osm
from server.sources.osm_roads import read_roads
from server.sources.pbf import OLD_STAYS
from server.sources.register import (
    BuildingRecord,
    PlaceRecord,
    buildings_of,
    city_name,
    levels_of,
    places_of,
    streets_of,
)

__all__ = [
    "BuildingRecord",
    "ImportedCity",
    "PlaceRecord",
    "Progress",
    "features_of",
    "import_city",
    "write_city",
]

ATTRIBUTION = "© OpenStreetMap contributors"
STOREY_M = 3.0
HIGHEST_M = 1000.0


@dataclass(frozen=True, slots=True)
class ImportedCity:
    """What an import made. The caller stores it, and only then does the new city take the old one's
    place."""

    name: str
    bounds: Bounds
    center: tuple[float, float]
    """Longitude and latitude at which the map opens."""
    tiles: Path
    """The PMTiles file; its name comes from the input's bytes, so that no other city's file is
    overwritten."""
    attribution: str
    buildings: list[BuildingRecord]
    streets: list[str]
    places: list[PlaceRecord]
    road_nodes: int
    """Of the graph beside the tiles; 0 where the file holds no road that vans may use."""


def import_city(
    path: Path, out_dir: Path, name: str | None, progress: Progress, workers: int = 2
) -> ImportedCity:
    """Read `path`, draw its basemap into `out_dir`, lay its roads beside it and make the register.

    `progress` hears the steps `read`, `register`, `tiles` and how much of each is done. Raises
    UserError `city_file_unreadable`, `city_file_not_pbf`, `city_file_truncated`,
    `city_without_buildings` or `city_not_written`; files that are in `out_dir` already stay as they
    are.
    """
    try:
        extract = read_osm(path, progress)
        digest = _digest(path)
    except OSError as error:
        raise UserError(
            "city_file_unreadable",
            f"{path} cannot be read: {error.strerror or error}.",
            f"Check the path and that this account may read the file. {OLD_STAYS}",
        ) from error
    if not any(t.layer == "building" for t in extract.things):
        raise UserError(
            "city_without_buildings",
            f"{path.name} holds no building, so no address could ever match.",
            f"Give an extract of the whole city with its buildings. {OLD_STAYS}",
        )
    progress("register", 0.0)
    places = places_of(extract)
    buildings = buildings_of(extract, places)
    progress("register", 0.5)
    roads = read_roads(path)
    progress("register", 1.0)
    title = name or city_name(places, extract) or re.sub(r"(\.osm)?\.pbf$", "", path.name)
    tiles = out_dir / f"city-{digest[:12]}.pmtiles"
    try:
        features = features_of(extract, places)
        write_city(features, extract.bounds, tiles, title, ATTRIBUTION, progress, workers)
        if roads is not None:
            write_roads(roads, roads_beside(tiles))
    except OSError as error:
        raise UserError(
            "city_not_written",
            f"{out_dir} could not be written: {error.strerror or error}.",
            f"Free some space or make the folder writable, then import again. {OLD_STAYS}",
        ) from error
    except BrokenProcessPool as error:
        raise UserError(
            "city_not_written",
            "A process that draws the map was ended from outside, most likely for want of memory.",
            f"Free some memory or give a smaller extract, then import again. {OLD_STAYS}",
        ) from error
    return ImportedCity(
        title,
        extract.bounds,
        extract.bounds.center,
        tiles,
        ATTRIBUTION,
        buildings,
        streets_of(extract),
        places,
        0 if roads is None else len(roads.places),
    )


def features_of(extract: Extract, places: list[PlaceRecord]) -> list[Feature]:
    """What is drawn of an extract: everything but administrative areas, and each place once, as a
    point."""
    drawn = []
    for thing, shape in zip(extract.things, extract.shapes, strict=True):
        layer = thing.layer
        if layer != "admin" and layer != "place":  # noqa: PLR1714 - narrows the type
            drawn.append(Feature(layer, thing.cls, thing.name, _height_m(thing), shape))
    return drawn + [Feature("place", p.cls, p.name, 0.0, point(p.lon, p.lat)) for p in places]


def _height_m(thing: Thing) -> float:
    """As tagged in metres, else by the storeys; 0 when neither says."""
    tagged = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*m?\s*", thing.tags.get("height", ""))
    height = float(tagged[1]) if tagged else (levels_of(thing.tags) or 0) * STOREY_M
    return height if isfinite(height) and height <= HIGHEST_M else 0.0


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
