"""Areas that reach beyond the file's border: closed along that border, so that a river cut off by
it still shows."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely

from geo.bounds import Bounds
from geo.shapes import Geometry, LonLat, of_dimension

Chain = Sequence[LonLat | None]
"""A way's points; None for one that the file does not hold."""

REACH = 0.1
"""An open end farther from the border than this share of the box's shorter side was not cut by
it."""


def assemble(chains: Sequence[Chain], box: Bounds, inside: LonLat | None) -> Geometry | None:
    """The area whose border the chains are, within `box`; None when its border has gaps that the
    box does not explain.

    Outer and inner borders alike: an area cut by a box is inside on every second stretch of the
    box's side between the points where its border crosses, so there are two ways to close it. The
    one that holds `inside` is taken; with nothing known to lie inside, the one that closes on fewer
    metres of the box's side.
    """
    runs = [r for chain in chains for r in _runs(chain)]
    if not runs:
        return None
    merged = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(
        [shapely.LineString(r) for r in runs])))  # fmt: skip
    side = _Side(box)
    ends: list[float] = []
    for part in merged:
        if not shapely.is_closed(part):
            coords = shapely.get_coordinates(part)
            for x, y in (coords[0], coords[-1]):
                if side.distance(x, y) > REACH * min(side.width, side.height):
                    return None
                ends.append(side.position(x, y))
    if not ends:
        return _area(list(merged), box)
    return _closed(list(merged), ends, side, inside)


def _runs(chain: Chain) -> list[list[LonLat]]:
    """The stretches of a way whose points the file holds. A closed way is turned to begin after a
    gap."""
    points = list(chain)
    if len(points) > 1 and points[0] is not None and points[0] == points[-1] and None in points:
        gap = points.index(None)
        points = points[gap:-1] + points[: gap + 1]
    runs: list[list[LonLat]] = [[]]
    for p in points:
        if p is None:
            runs.append([])
        elif not runs[-1] or runs[-1][-1] != p:
            runs[-1].append(p)
    return [r for r in runs if len(r) > 1]


def _closed(
    lines: list[Geometry], ends: list[float], side: _Side, inside: LonLat | None
) -> Geometry | None:
    order = np.argsort(ends, kind="stable")
    around = [ends[i] for i in order]
    stretches = list(zip(around, [*around[1:], around[0]], strict=True))
    ways = [stretches[0::2], stretches[1::2]]
    if inside is None:
        ways = [min(ways, key=lambda w: sum((b - a) % side.length for a, b in w))]
    links = _links(lines, side)
    for way in ways:
        shape = _area([*lines, *links, *(side.walk(a, b) for a, b in way)], side.box)
        if shape is not None and (inside is None or shapely.intersects_xy(shape, *inside)):
            return shape
    return None


def _links(lines: list[Geometry], side: _Side) -> list[Geometry]:
    """From each open end straight to the border."""
    out = []
    for part in lines:
        if not shapely.is_closed(part):
            coords = shapely.get_coordinates(part)
            for x, y in (coords[0], coords[-1]):
                foot = side.at(side.position(x, y))
                if foot != (x, y):
                    out.append(shapely.LineString([(x, y), foot]))
    return out


def _area(lines: list[Geometry], box: Bounds) -> Geometry | None:
    noded = shapely.union_all(np.array([x for x in lines if shapely.length(x) > 0], object))
    shape = shapely.make_valid(shapely.build_area(noded))
    shape = of_dimension(shapely.clip_by_rect(shape, box.west, box.south, box.east, box.north), 2)
    return None if shapely.is_empty(shape) or shapely.area(shape) == 0 else shape


class _Side:
    """The side of a box as one line, walked counter-clockwise from its south-west corner; positions
    in degrees."""

    def __init__(self, box: Bounds) -> None:
        self.box = box
        self.width, self.height = box.east - box.west, box.north - box.south
        self.length = 2 * (self.width + self.height)

    def _nearest(self, x: float, y: float) -> tuple[float, int]:
        b = self.box
        return min(
            (abs(y - b.south), 0), (abs(b.east - x), 1), (abs(b.north - y), 2), (abs(x - b.west), 3)
        )

    def distance(self, x: float, y: float) -> float:
        return self._nearest(x, y)[0]

    def position(self, x: float, y: float) -> float:
        b, w, h = self.box, self.width, self.height
        x, y = min(max(x, b.west), b.east), min(max(y, b.south), b.north)
        edge = self._nearest(x, y)[1]
        along = (x - b.west, w + y - b.south, w + h + b.east - x, 2 * w + h + b.north - y)
        return along[edge]

    def at(self, position: float) -> LonLat:
        b, w, h = self.box, self.width, self.height
        s = position % self.length
        if s < w:
            return b.west + s, b.south
        if s < w + h:
            return b.east, b.south + s - w
        if s < 2 * w + h:
            return b.east - (s - w - h), b.north
        return b.west, b.north - (s - 2 * w - h)

    def walk(self, start: float, end: float) -> Geometry:
        """The side from one position on to another, counter-clockwise round its corners.

        It begins and ends at exactly `at(start)` and `at(end)`: lines that miss by a last bit do
        not close an area.
        """
        corners = (0.0, self.width, self.width + self.height, 2 * self.width + self.height)
        if start <= end:
            between = [c for c in corners if start < c < end]
        else:
            between = [c for c in corners if c > start] + [c for c in corners if c < end]
        return shapely.LineString([self.at(s) for s in (start, *between, end)])
