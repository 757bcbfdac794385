"""Geometries in WGS-84 degrees: plain constructors and the few measures others need."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.bounds import Bounds

Geometry: TypeAlias = shapely.Geometry
Geometries: TypeAlias = NDArray[np.object_]
LonLat = tuple[float, float]

EARTH_RADIUS_M = 6_371_008.8


def polygon(rings: Sequence[Sequence[LonLat]]) -> Geometry:
    """A polygon of (lon, lat) rings, the first one outside, the others holes; closed or not.

    Self-crossing input is repaired, so the result may be a multipolygon.
    Raises ValueError for a ring of fewer than three points.
    """
    shape = shapely.Polygon(rings[0], list(rings[1:]))
    return shape if shapely.is_valid(shape) else shapely.make_valid(shape)


def line(coords: Sequence[LonLat]) -> Geometry:
    """A line through two or more (lon, lat) points."""
    return shapely.LineString(coords)


def point(lon: float, lat: float) -> Geometry:
    """A point."""
    return shapely.Point(lon, lat)


def from_wkb(shapes: Sequence[bytes] | Sequence[str]) -> Geometries:
    """Geometries of WKB bytes or hex strings, in order."""
    geometries = np.empty(len(shapes), object)
    if len(shapes):
        geometries[:] = shapely.from_wkb(np.array(shapes, object))
    return geometries


def to_wkb(geometries: Geometries) -> list[bytes]:
    """Little-endian WKB of each geometry."""
    return list(shapely.to_wkb(geometries, byte_order=1))


def rings_of(geometry: Geometry) -> list[NDArray[np.float64]]:
    """Every ring of a polygon or of several, outer ones and holes, each (points, 2) lon and lat."""
    return [
        shapely.get_coordinates(ring) for ring in shapely.get_rings(shapely.get_parts(geometry))
    ]


def to_geojson(wkb: bytes) -> str | None:
    """A WKB geometry as GeoJSON (RFC 7946); None for what cannot be read."""
    try:
        text: str = shapely.to_geojson(shapely.from_wkb(wkb))
    except shapely.errors.GEOSException:
        return None
    return text


def around(wkb: bytes | None, lon: float, lat: float, metres: float) -> str:
    """The line that is so many metres from a geometry, or from a place where there is none, as
    GeoJSON: on the plane that touches the sphere there, exact enough for a map."""
    try:
        shape: Geometry | None = None if wkb is None else shapely.from_wkb(wkb)
    except shapely.errors.GEOSException:
        shape = None
    degree = np.radians(EARTH_RADIUS_M)
    scale = np.array([degree * np.cos(np.radians(lat)), degree])
    flat = shapely.transform(point(lon, lat) if shape is None else shape, lambda at: at * scale)
    text: str = shapely.to_geojson(
        shapely.transform(shapely.buffer(flat, metres, quad_segs=16), lambda at: at / scale)
    )
    return text


def array(geometries: Sequence[Geometry]) -> Geometries:
    """An object array, one entry per geometry, whatever their kinds."""
    out = np.empty(len(geometries), object)
    out[:] = geometries
    return out


def bounds_of(geometries: Geometries) -> Bounds:
    """The box around all geometries. Raises ValueError when all are empty."""
    return Bounds(*(float(v) for v in shapely.total_bounds(geometries)))


def inner_points(geometries: Geometries) -> NDArray[np.float64]:
    """A (lon, lat) inside each geometry, shape (n, 2)."""
    xy: NDArray[np.float64] = shapely.get_coordinates(shapely.point_on_surface(geometries))
    return xy


def areas_m2(geometries: Geometries) -> NDArray[np.float64]:
    """Area of each small geometry in square metres, on the sphere, within 0.5 %."""
    middle = shapely.bounds(geometries)[:, [1, 3]].mean(axis=1)
    degree = np.radians(EARTH_RADIUS_M)
    area: NDArray[np.float64] = shapely.area(geometries) * degree**2 * np.cos(np.radians(middle))
    return area


def repaired(geometries: Geometries) -> Geometries:
    """The same geometries with invalid ones made valid, each of the dimension it had before."""
    out = geometries.copy()
    bad = np.flatnonzero(~shapely.is_valid(out))
    for i, fixed in zip(bad, shapely.make_valid(out[bad]), strict=True):
        out[i] = of_dimension(fixed, int(shapely.get_dimensions(out[i])))
    return out


def of_dimension(geometry: Geometry, dimension: int) -> Geometry:
    """The parts of a mixed geometry that have this dimension (0 points, 1 lines, 2 areas), as one;
    empty when none has."""
    if geometry.geom_type != "GeometryCollection":
        return geometry
    parts = shapely.get_parts(geometry)
    return shapely.union_all(parts[shapely.get_dimensions(parts) == dimension])
