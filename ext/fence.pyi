"""Many points in many fences, all pairs, and how far one point is from a fence's outline."""

from collections.abc import Iterable
from typing import Self, final

import numpy as np
from numpy.typing import NDArray

_Rings = Iterable[NDArray[np.float64]]

@final
class Fences:
    def __new__(cls, fences: Iterable[_Rings]) -> Self: ...
    def __len__(self) -> int: ...
    def pairs(
        self, x: NDArray[np.float64], y: NDArray[np.float64]
    ) -> tuple[NDArray[np.int64], NDArray[np.int32]]: ...

def signed_distance_m(rings: _Rings, lon: float, lat: float) -> float: ...
