"""Streets that were only drawn, made into ways: joined where their lines cross or end at one
another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np
import shapely

from geo.road_graph import KMH, Way
from geo.shapes import EARTH_RADIUS_M, Geometry, array

JOIN_M = 12.0
"""A street that ends so near another one ends in it."""

_NEW = -1
_Cuts = defaultdict[int, list[tuple[float, int]]]


def ways_of(
    drawn: Sequence[tuple[str, Geometry]],
) -> tuple[list[Way], dict[int, tuple[float, float]]]:
    """Ways of lines in degrees, each with its class, and where their nodes lie; classes that no van
    uses are left out. Where lines cross there is a junction: bridges are not known."""
    usable = [(cls, shape) for cls, shape in drawn if cls in KMH]
    lines = array([shape for _, shape in usable])
    if not len(lines):
        return [], {}
    middle = float(shapely.get_coordinates(lines)[:, 1].mean())
    scale = np.radians(EARTH_RADIUS_M) * np.array([np.cos(np.radians(middle)), 1.0])
    plane = shapely.transform(lines, lambda xy: xy * scale)
    where: dict[int, tuple[float, float]] = {}
    cuts: _Cuts = defaultdict(list)
    for i, j in shapely.STRtree(plane).query(plane, predicate="dwithin", distance=JOIN_M).T:
        if i < j:
            for at_i, at_j in _meetings(plane[i], plane[j]):
                node = len(where)
                x, y = shapely.get_coordinates(shapely.line_interpolate_point(plane[i], at_i))[0]
                where[node] = (x / scale[0], y / scale[1])
                cuts[i].append((at_i, node))
                cuts[j].append((at_j, node))
    ways = []
    for number, (cls, _) in enumerate(usable):
        corners = shapely.get_coordinates(plane[number])
        steps = np.hypot(*np.diff(corners, axis=0).T)
        stations = [(at, _NEW) for at in [0.0, *steps.cumsum().tolist()]]
        nodes = []
        for at, known in sorted([*stations, *cuts[number]]):
            node = known
            if node == _NEW:
                node = len(where)
                x, y = shapely.get_coordinates(shapely.line_interpolate_point(plane[number], at))[0]
                where[node] = (x / scale[0], y / scale[1])
            nodes.append(node)
        ways.append(Way(nodes, cls, 0, None))
    return ways, where


def _meetings(a: Geometry, b: Geometry) -> list[tuple[float, float]]:
    """How far along each of two lines they meet, for every place where they do."""
    points = shapely.points(shapely.get_coordinates(shapely.intersection(a, b)))
    if not len(points):
        near = shapely.points(shapely.get_coordinates(shapely.shortest_line(a, b)))
        return [(float(a.project(near[0])), float(b.project(near[1])))]
    return [(float(a.project(p)), float(b.project(p))) for p in points]
