"""A box of WGS-84 degrees."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite


@dataclass(frozen=True, slots=True)
class Bounds:
    """West, south, east and north in degrees; never across the date line.

    Raises ValueError when a side is not finite, off the globe, or lies beyond its opposite.
    """

    west: float
    south: float
    east: float
    north: float

    def __post_init__(self) -> None:
        if not all(isfinite(v) for v in (self.west, self.south, self.east, self.north)):
            raise ValueError("bounds must be finite")
        if not (-180 <= self.west <= self.east <= 180 and -90 <= self.south <= self.north <= 90):
            raise ValueError(f"bounds out of order or off the globe: {self}")

    @property
    def center(self) -> tuple[float, float]:
        """Longitude and latitude of the middle."""
        return (self.west + self.east) / 2, (self.south + self.north) / 2

    def contains(self, lon: float, lat: float) -> bool:
        """Whether the point lies inside or on the border."""
        return self.west <= lon <= self.east and self.south <= lat <= self.north

    @staticmethod
    def around(points: Iterable[tuple[float, float]]) -> Bounds:
        """The smallest box around (lon, lat) points. Raises ValueError when there are none."""
        lons, lats = zip(*points, strict=True)
        return Bounds(min(lons), min(lats), max(lons), max(lats))
