"""Points onto a regular grid: cell numbers, counts and weighted sums."""

import numpy as np
from numpy.typing import NDArray

def bin_counts(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    weight: NDArray[np.float64] | None,
    x0: float,
    y0: float,
    cell: float,
    width: int,
    height: int,
) -> NDArray[np.float64]: ...
def bin_index(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    x0: float,
    y0: float,
    cell: float,
    width: int,
    height: int,
) -> NDArray[np.int32]: ...
