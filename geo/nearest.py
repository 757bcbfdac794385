"""Which line, point or area of a city belongs to each of many places."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.shapes import EARTH_RADIUS_M, Geometries

Indexes = NDArray[np.int64]
NONE = -1
"""Stands for no such thing in an answer."""


def nearest(points: NDArray[np.float64], things: Geometries, within_m: float) -> Indexes:
    """For each (lon, lat) of `points` (n, 2) the index of the nearest of `things`, NONE beyond
    `within_m` metres.

    Distances are taken on a plane true to scale at the points' mean latitude: within 1 % for a
    city. Of things equally far the first is taken.
    """
    answer = np.full(len(points), NONE, np.int64)
    if not len(things) or not len(points):
        return answer
    scale = np.radians(EARTH_RADIUS_M) * np.array([np.cos(np.radians(points[:, 1].mean())), 1.0])
    plane = shapely.transform(things, lambda xy: xy * scale)
    tree = shapely.STRtree(plane)
    asked, found = tree.query_nearest(
        shapely.points(points * scale), max_distance=within_m, all_matches=True
    )
    # the tree's order among equals is its own; ours is the input's
    order = np.lexsort((found, asked))
    first, where = np.unique(asked[order], return_index=True)
    answer[first] = found[order][where]
    return answer


def containing(points: NDArray[np.float64], areas: Geometries) -> Indexes:
    """For each (lon, lat) of `points` (n, 2) the index of the smallest of `areas` that holds it,
    NONE outside all."""
    answer = np.full(len(points), NONE, np.int64)
    if not len(areas) or not len(points):
        return answer
    asked, found = shapely.STRtree(areas).query(shapely.points(points), predicate="intersects")
    order = np.lexsort((found, shapely.area(areas)[found], asked))
    first, where = np.unique(asked[order], return_index=True)
    answer[first] = found[order][where]
    return answer
