"""GCJ-02 back to WGS-84: how exact over China, how fast beside a package, and whether cities across
the border are left alone.

The baseline is what one installs with pip: coord-convert's gcj2wgs, point by point, in the same
process. Both are given the same points inside China; coord-convert knows only a box around it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from coord_convert.transform import gcj2wgs
from numpy.typing import NDArray

from benchmarks._figure import figure
from geo.china import BORDER
from geo.datums import Coordinate, Datums
from geo.gcj02 import bd09_of_wgs84, gcj02_of_wgs84, wgs84_of_bd09, wgs84_of_gcj02

POINTS = 3_000_000
"""Drawn in a box around China; some 44 % of them lie inside."""
TIMED = 20_000
ROUNDS = 7
MM_A_DEGREE = 111_195e3
ACROSS = {
    "Blagoveshchensk": (127.54, 50.29), "Vladivostok": (131.886, 43.115),
    "Ussuriysk": (131.95, 43.80), "Khabarovsk": (135.07, 48.48), "Vientiane": (102.6, 17.97),
    "Hanoi": (105.85, 21.03), "Ulaanbaatar": (106.9, 47.92), "Pyongyang": (125.75, 39.03),
    "Sinuiju": (124.398, 40.10), "Seoul": (126.98, 37.57), "Bishkek": (74.6, 42.87),
    "Almaty": (76.9, 43.25), "Zabaikalsk": (117.327, 49.651), "Zamyn-Uud": (111.905, 43.728),
    "Hong Kong": (114.16, 22.28), "Macau": (113.545, 22.195), "Taipei": (121.56, 25.04),
}  # fmt: skip
WITHIN = {
    "Heihe": (127.489, 50.245), "Suifenhe": (131.15, 44.396), "Manzhouli": (117.43, 49.59),
    "Dandong": (124.383, 40.124), "Hunchun": (130.366, 42.863), "Fuyuan": (134.30, 48.362),
    "Erenhot": (111.977, 43.653), "Ruili": (97.855, 24.013), "Pingxiang": (106.766, 22.094),
    "Horgos": (80.417, 44.214), "Shenzhen": (114.058, 22.543), "Zhuhai": (113.555, 22.225),
}  # fmt: skip
Floats = NDArray[np.float64]


def seconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def worst_mm(lon: Floats, lat: Floats, back: tuple[Floats, Floats]) -> float:
    """The farthest that a place came back from where it was, millimetres."""
    east = (back[0] - lon) * np.cos(np.radians(lat))
    return float(np.hypot(east, back[1] - lat).max() * MM_A_DEGREE)


def main() -> None:
    """Print every figure."""
    random = np.random.default_rng(2)
    lon, lat = random.uniform(73.4, 135.2, POINTS), random.uniform(17.9, 53.6, POINTS)
    inside = BORDER.inside(lon, lat)
    lon, lat = lon[inside], lat[inside]
    assert len(lon) >= 1_000_000
    there = gcj02_of_wgs84(lon, lat)
    error = worst_mm(lon, lat, wgs84_of_gcj02(*there))
    figure(
        "gcj.max_error", error, "mm", target="< 1", ok=error < 1,
        note=f"{len(lon):,} points inside mainland China, there and back",
    )  # fmt: skip
    error = worst_mm(lon, lat, wgs84_of_bd09(*bd09_of_wgs84(lon, lat)))
    figure("gcj.max_error_bd09", error, "mm", target="< 1", ok=error < 1)

    x, y = there[0][:TIMED].copy(), there[1][:TIMED].copy()
    pairs = list(zip(x.tolist(), y.tolist(), strict=True))
    theirs = np.array([gcj2wgs(a, b) for a, b in pairs])
    assert worst_mm(lon[:TIMED], lat[:TIMED], (theirs[:, 0], theirs[:, 1])) < 1000
    runs = [
        (
            seconds(lambda: wgs84_of_gcj02(x, y)),
            seconds(lambda: [gcj2wgs(a, b) for a, b in pairs]),
        )
        for _ in range(ROUNDS)
    ]
    ours, package = (TIMED / median(column) for column in zip(*runs, strict=True))
    ratio = ours / package
    figure(
        "gcj.inverse_rate", ours, "points/s", baseline=package, ratio=ratio,
        target=">= 37 x", ok=ratio >= 37,
    )  # fmt: skip

    one = Datums(gcj02_enabled=True)
    spots = [Coordinate(a, b, "gcj02") for a, b in pairs]
    alone = TIMED / median(seconds(lambda: [one.to_wgs84(s) for s in spots]) for _ in range(ROUNDS))
    figure("gcj.one_by_one", alone, "points/s", baseline=package, ratio=alone / package)

    wrong = [name for name, at in ACROSS.items() if _moves(at)]
    wrong += [name for name, at in WITHIN.items() if not _moves(at)]
    figure(
        "gcj.border_cities", len(wrong), "wrong", target="0", ok=not wrong,
        note=", ".join(wrong)
        or f"{len(ACROSS)} across the border left alone, {len(WITHIN)} at it shifted",
    )  # fmt: skip


def _moves(at: tuple[float, float]) -> bool:
    """Whether GCJ-02 is anything but WGS-84 there, in either direction."""
    place = np.array([at[0]]), np.array([at[1]])
    shifted, back = gcj02_of_wgs84(*place), wgs84_of_gcj02(*place)
    return any((a != b).item() for a, b in zip(shifted + back, place + place, strict=True))


if __name__ == "__main__":
    main()
