"""How far a fix is from a building, by its outline, also as a map vendor would draw it."""

from __future__ import annotations

from math import cos, hypot, radians

import numpy as np
import shapely
from numpy.typing import NDArray

from ext.fence import signed_distance_m
from geo.gcj02 import gcj02_of_wgs84
from geo.shapes import EARTH_RADIUS_M, Geometry

Ring = NDArray[np.float64]


class Outline:
    """A building's rings, float64[corners, 2] in degrees; a single corner for one that is known by
    its place alone."""

    __slots__ = ("_rings",)

    def __init__(self, rings: list[Ring]) -> None:
        self._rings = rings

    @classmethod
    def of_wkb(cls, wkb: bytes) -> Outline | None:
        """The areas of a WKB geometry; None if it has none or cannot be read."""
        try:
            shape: Geometry = shapely.from_wkb(wkb)
        except shapely.errors.GEOSException:
            return None
        areas = [p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and not p.is_empty]
        rings = shapely.get_rings(areas) if areas else []
        found = [shapely.get_coordinates(ring)[:-1] for ring in rings]
        return cls(found) if found else None

    @classmethod
    def of_place(cls, lon: float, lat: float) -> Outline:
        """One place, in degrees."""
        return cls([np.array([[lon, lat]], np.float64)])

    def metres_to(self, lon: float, lat: float) -> float:
        """Metres from a place to the outline, 0 inside it."""
        first = self._rings[0]
        if len(first) == 1:
            north = first[0, 1] - lat
            east = (first[0, 0] - lon) * cos(radians(lat))
            return hypot(float(east), float(north)) * radians(EARTH_RADIUS_M)
        return max(0.0, signed_distance_m(self._rings, lon, lat))

    def as_gcj02(self) -> Outline:
        """The outline as it is drawn in GCJ-02. This way is free to use: to ask whether a fix is
        GCJ-02 nothing has to be inverted."""
        places = [np.ascontiguousarray(ring.T) for ring in self._rings]
        return Outline([np.column_stack(gcj02_of_wgs84(*place)) for place in places])
