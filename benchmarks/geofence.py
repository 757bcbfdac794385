"""100,000 points in 500 fences, all pairs, against shapely's STRtree.

The baseline is the faster of the two ways that shapely has: a tree of the fences, built beforehand,
asked with the points; or a tree of the points asked with prepared fences. Its geometry objects are
made beforehand and do not count.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
import shapely
from numpy.typing import NDArray

from benchmarks._figure import figure
from ext.fence import Fences, signed_distance_m

POINTS, FENCES = 100_000, 500
ROUNDS = 9
WIDTH_M, HEIGHT_M = 20_700.0, 19_300.0
CALLS = 2000
Floats = NDArray[np.float64]


def milliseconds(work: Callable[[], object]) -> float:
    """Time of one call, of this thread alone: neither has another."""
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1000


def outlines(random: np.random.Generator, low_m: float, high_m: float) -> list[Floats]:
    """Fences with 5 to 60 corners, hardly ever convex, of a radius from `low_m` to `high_m`."""
    found = []
    while len(found) < FENCES:
        corners = int(random.integers(5, 61))
        angle = np.sort(random.uniform(0, 2 * np.pi, corners))
        reach = random.uniform(low_m, high_m) * random.uniform(0.5, 1.0, corners)
        x, y = random.uniform(0, WIDTH_M), random.uniform(0, HEIGHT_M)
        ring = np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])
        if shapely.Polygon(ring).is_valid:
            found.append(ring)
    return found


def compare(name: str, rings: list[Floats], x: Floats, y: Floats) -> None:
    """One figure for these fences."""
    shapes = np.array([shapely.Polygon(ring) for ring in rings])
    points = shapely.points(x, y)
    build = milliseconds(lambda: Fences([[ring] for ring in rings]))
    fences = Fences([[ring] for ring in rings])
    tree = shapely.STRtree(shapes)

    def by_fences() -> NDArray[np.int64]:
        return tree.query(points, predicate="within")

    def by_points() -> NDArray[np.int64]:
        shapely.prepare(shapes)
        return shapely.STRtree(points).query(shapes, predicate="contains")

    found = set(zip(*(part.tolist() for part in fences.pairs(x, y)), strict=True))
    assert found == set(zip(*by_fences().tolist(), strict=True))
    assert found == {(point, fence) for fence, point in by_points().T.tolist()}
    runs = [
        (milliseconds(lambda: fences.pairs(x, y)), milliseconds(by_fences), milliseconds(by_points))
        for _ in range(ROUNDS)
    ]
    ours, one, other = (median(column) for column in zip(*runs, strict=True))
    ratio = min(one, other) / ours
    figure(
        f"geofence.{name}", ours, "ms", baseline=min(one, other), ratio=ratio,
        target=">= 15 x", ok=ratio >= 15,
        note=f"{len(found):,} pairs; shapely by fences {one:.1f} ms, by points {other:.1f} ms;"
        f" ours were built in {build:.0f} ms",
    )  # fmt: skip


def main() -> None:
    """Print every figure."""
    random = np.random.default_rng(11)
    x, y = random.uniform(0, WIDTH_M, POINTS), random.uniform(0, HEIGHT_M, POINTS)
    compare("communities", outlines(random, 150, 900), x, y)
    compare("stations", outlines(random, 1500, 3500), x, y)

    lon, lat = 126.6, 45.75
    ring = outlines(random, 30, 60)[0] * (1 / 77_600, 1 / 111_150)
    ring += (lon, lat) - ring.mean(axis=0)
    shape = shapely.Polygon(ring)
    here = shapely.Point(lon + 0.002, lat)
    runs = [
        (
            milliseconds(
                lambda: [signed_distance_m([ring], lon + 0.002, lat) for _ in range(CALLS)]
            ),
            milliseconds(lambda: [shape.exterior.distance(here) for _ in range(CALLS)]),
        )
        for _ in range(ROUNDS)
    ]
    ours, theirs = (median(column) * 1000 / CALLS for column in zip(*runs, strict=True))
    figure(
        "geofence.distance", ours, "us", baseline=theirs, ratio=theirs / ours,
        note="metres to one outline; shapely's is in degrees, from objects made beforehand",
    )  # fmt: skip


if __name__ == "__main__":
    main()
