"""The projected square grid of the heat map: cells of 100, 200, 400 and 800 m, each nested exactly
in the next size."""

from __future__ import annotations

from dataclasses import dataclass
from math import cos, floor, radians, sin, sqrt
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from geo.bounds import Bounds

Size = Literal[100, 200, 400, 800]
SIZES: Final[tuple[Size, ...]] = get_args(Size)
FINEST: Final = SIZES[0]
HIGHEST_LAT: Final = 75.0
"""Beyond it a city's cells would be visibly narrower in the north than in the south."""

_A, _E2 = 6_378_137.0, 6.694379990141317e-3  # WGS-84


@dataclass(frozen=True, slots=True)
class Cell:
    """Column and row of a cell from the grid's centre, eastward and northward; negative to the west
    and south."""

    size_m: Size
    x: int
    y: int

    @property
    def key(self) -> str:
        """`size:x:y`, as on the wire."""
        return f"{self.size_m}:{self.x}:{self.y}"

    @property
    def parent(self) -> Cell | None:
        """The cell of the next size that holds this one; None for the largest."""
        if self.size_m == SIZES[-1]:
            return None
        return Cell(SIZES[SIZES.index(self.size_m) + 1], self.x >> 1, self.y >> 1)

    @property
    def children(self) -> tuple[Cell, ...]:
        """The four cells of the size below that make up this one; none for the finest."""
        if self.size_m == FINEST:
            return ()
        below = SIZES[SIZES.index(self.size_m) - 1]
        return tuple(Cell(below, 2 * self.x + i, 2 * self.y + j) for j in (0, 1) for i in (0, 1))


class Grid:
    """A plane around a city's centre, cut into squares.

    The projection is equidistant cylindrical, true to scale along the centre's parallel and
    meridian (EPSG method 1028 with the ellipsoid's radii at the centre), so a cell is a box of
    degrees on every map; 25 km north of a centre at 45.8 degrees a cell is 0.4 % narrower than its
    name. Raises ValueError for a centre beyond 75 degrees of latitude.
    """

    def __init__(self, center_lon: float, center_lat: float) -> None:
        if not (abs(center_lon) <= 180 and abs(center_lat) <= HIGHEST_LAT):
            raise ValueError(f"no grid around {center_lon}, {center_lat}")
        self.center_lon, self.center_lat = center_lon, center_lat
        curve = 1 - _E2 * sin(radians(center_lat)) ** 2
        self._east_m = radians(1) * _A / sqrt(curve) * cos(radians(center_lat))
        self._north_m = radians(1) * _A * (1 - _E2) / curve**1.5

    def to_metres(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Degrees to metres east and north of the centre, element by element."""
        return (lon - self.center_lon) * self._east_m, (lat - self.center_lat) * self._north_m

    def cells_of(
        self, lon: NDArray[np.float64], lat: NDArray[np.float64], size_m: Size
    ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Column and row of the cell that holds each point; raises ValueError for a coordinate that
        is not finite."""
        if not (np.isfinite(lon).all() and np.isfinite(lat).all()):
            raise ValueError("coordinates must be finite")
        east, north = self.to_metres(lon, lat)
        shift = SIZES.index(size_m)
        # by the finest cell, so that the sizes nest whatever the rounding at an edge
        x = np.floor(east / FINEST).astype(np.int64) >> shift
        y = np.floor(north / FINEST).astype(np.int64) >> shift
        return x, y

    def cell_of(self, lon: float, lat: float, size_m: Size) -> Cell:
        """The cell that holds a point; the same as cells_of gives. Raises ValueError when not
        finite."""
        shift = SIZES.index(size_m)
        try:
            x = floor((lon - self.center_lon) * self._east_m / FINEST) >> shift
            y = floor((lat - self.center_lat) * self._north_m / FINEST) >> shift
        except (OverflowError, ValueError):
            raise ValueError("coordinates must be finite") from None
        return Cell(size_m, x, y)

    def cell_bounds(self, cell: Cell) -> Bounds:
        """The cell's box in degrees; neighbours share their sides to the last bit, and so do
        parents."""
        west, east = (
            self.center_lon + k * cell.size_m / self._east_m for k in (cell.x, cell.x + 1)
        )
        south, north = (
            self.center_lat + k * cell.size_m / self._north_m for k in (cell.y, cell.y + 1)
        )
        return Bounds(west, south, east, north)
