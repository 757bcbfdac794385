"""How long a city takes to import, and how heavy the map of a city of 500,000 buildings is."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import shapely
from pmtiles.reader import MemorySource, all_tiles

from benchmarks._figure import figure
from geo.bounds import Bounds
from geo.tiles import TILE_LIMIT, Feature
from server.sources.city_import import import_city, write_city

HARBIN = Path(__file__).parents[2] / "shared/data/city/harbin.osm.pbf"
BUILDINGS, ROADS = 500_000, 60_000
CENTER_LON, CENTER_LAT = 126.63, 45.75
METRE_LON, METRE_LAT = 1 / 77_700, 1 / 111_150


def quiet(step: str, done: float) -> None:
    """Nobody watches."""


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one run."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def large_city() -> tuple[list[Feature], Bounds]:
    """L-shaped footprints, denser towards the middle, with streets between them, over 50 km."""
    random = np.random.default_rng(7)
    distance = np.abs(random.normal(0, 9_000, BUILDINGS))
    bearing = random.uniform(0, 2 * np.pi, BUILDINGS)
    width = random.lognormal(2.9, 0.5, BUILDINGS).clip(4, 120)[:, None]
    depth = random.lognormal(2.5, 0.4, BUILDINGS).clip(4, 60)[:, None]
    turn = np.round(random.uniform(0, 6, BUILDINGS))[:, None] * 0.2
    u, v = np.array([[0, 1, 1, 0.5, 0.5, 0, 0], [0, 0, 0.5, 0.5, 1, 1, 0]])
    east = (
        (distance * np.cos(bearing))[:, None] + u * width * np.cos(turn) - v * depth * np.sin(turn)
    )
    north = (
        (distance * np.sin(bearing))[:, None] + u * width * np.sin(turn) + v * depth * np.cos(turn)
    )
    outlines = shapely.polygons(degrees(east, north))
    heights = random.integers(1, 30, BUILDINGS) * 3.0
    features = [
        Feature("building", "yes", "", height, outline)
        for outline, height in zip(outlines, heights.tolist(), strict=True)
    ]
    start = random.normal(0, 9_000, (ROADS, 2, 1))
    along = np.linspace(0, 1, 8) * random.uniform(100, 900, (ROADS, 1))
    heading = random.integers(0, 4, (ROADS, 1)) * np.pi / 2 + 0.2
    wobble = random.normal(0, 2, (ROADS, 8))
    roads = shapely.linestrings(
        degrees(
            start[:, 0] + along * np.cos(heading), start[:, 1] + along * np.sin(heading) + wobble
        )
    )
    classes = ["residential", "service", "tertiary", "footway", "secondary"]
    features += [
        Feature("road", classes[k % 5], f"路{k % 5_000}" if k % 2 else "", 0.0, road)
        for k, road in enumerate(roads)
    ]
    return features, Bounds(CENTER_LON - 0.5, CENTER_LAT - 0.4, CENTER_LON + 0.5, CENTER_LAT + 0.4)


def degrees(east: np.ndarray, north: np.ndarray) -> np.ndarray:
    """Metres from the centre to longitude and latitude, stacked last."""
    return np.stack((CENTER_LON + east * METRE_LON, CENTER_LAT + north * METRE_LAT), axis=-1)


def main() -> None:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder)
        if HARBIN.exists():
            two = seconds(lambda: import_city(HARBIN, out, None, quiet, workers=2))
            one = seconds(lambda: import_city(HARBIN, out, None, quiet, workers=1))
            figure(
                "city.harbin_import", two, "s", baseline=one, ratio=one / two,
                target="<= 15", ok=two <= 15,
            )  # fmt: skip
        else:
            why = f"{HARBIN.name} is not beside this checkout"
            print(f"city: {why}: its import is not measured", file=sys.stderr)
            figure("city.harbin_import", None, "s", target="<= 15", note=why)
        features, bounds = large_city()
        tiles = out / "large.pmtiles"
        took = seconds(lambda: write_city(features, bounds, tiles, "large", "", quiet))
        figure("city.map_of_500000_buildings", took, "s")
        figure("city.map_of_500000_buildings_size", tiles.stat().st_size / 1e6, "MB")
        sizes: dict[int, list[int]] = {}
        for (zoom, _, _), data in all_tiles(MemorySource(tiles.read_bytes())):
            sizes.setdefault(zoom, []).append(len(data))
        heaviest = max(max(of_zoom) for of_zoom in sizes.values())
        figure(
            "city.heaviest_tile", heaviest / 1024, "KiB",
            target=f"<= {TILE_LIMIT // 1024}", ok=heaviest <= TILE_LIMIT,
        )  # fmt: skip
        for zoom, of_zoom in sorted(sizes.items()):
            figure(f"city.heaviest_tile_z{zoom}", max(of_zoom) / 1024, "KiB")


if __name__ == "__main__":
    main()
