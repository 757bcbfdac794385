"""A grid of 1,000,000 points, counted and weighted, against the same written with numpy.bincount.

The baseline is what one writes with numpy: cell numbers from coordinates, then numpy.bincount. Its
second half alone, with the cell numbers given, stands beside it and is not judged.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from statistics import median

import numpy as np
from numpy.typing import NDArray

from benchmarks._figure import figure
from ext.spatial import bin_counts

POINTS = 1_000_000
ROUNDS = 15
WIDTH, HEIGHT, CELL = 207, 193, 100.0
"""A city of 20.7 x 19.3 km in cells of 100 m."""


def milliseconds(work: Callable[[], object]) -> float:
    """Time of one call."""
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def main() -> None:
    """Print every figure."""
    random = np.random.default_rng(7)
    low = 300_000.0, 5_000_000.0
    x = low[0] + np.clip(random.normal(10_400, 3900, POINTS), 0, WIDTH * CELL - 1)
    y = low[1] + np.clip(random.normal(9700, 3300, POINTS), 0, HEIGHT * CELL - 1)
    weights: dict[str, NDArray[np.float64] | None] = {
        "counts": None,
        "weighted": random.exponential(1000, POINTS),
    }

    def numbers() -> NDArray[np.int64]:
        column = ((x - low[0]) / CELL).astype(np.int64)
        row = ((y - low[1]) / CELL).astype(np.int64)
        return row * WIDTH + column

    given = numbers()
    for name, weight in weights.items():

        def ours(weight: NDArray[np.float64] | None = weight) -> NDArray[np.float64]:
            return bin_counts(x, y, weight, *low, CELL, WIDTH, HEIGHT)

        def theirs(weight: NDArray[np.float64] | None = weight) -> NDArray[np.generic]:
            return np.bincount(numbers(), weights=weight, minlength=WIDTH * HEIGHT)

        def half(weight: NDArray[np.float64] | None = weight) -> NDArray[np.generic]:
            return np.bincount(given, weights=weight, minlength=WIDTH * HEIGHT)

        assert np.array_equal(ours().ravel(), theirs())
        runs = [
            (milliseconds(ours), milliseconds(theirs), milliseconds(half)) for _ in range(ROUNDS)
        ]
        kernel, whole, alone = (median(column) for column in zip(*runs, strict=True))
        ratio = whole / kernel
        figure(
            f"binning.{name}", kernel, "ms", baseline=whole, ratio=ratio,
            target=">= 2.5", ok=ratio >= 2.5,
        )  # fmt: skip
        figure(f"binning.{name}_cells_given", kernel, "ms", baseline=alone, ratio=alone / kernel)


if __name__ == "__main__":
    main()
