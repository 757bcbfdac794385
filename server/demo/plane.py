"""Convex polygons in a flat plane of metres, and the warp that bends the plane into a city."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence

Pt = tuple[float, float]
Poly = list[Pt]


def clip(poly: Sequence[Pt], at: Pt, normal: Pt) -> Poly:
    """The part of a convex polygon on the side of the line through `at` that `normal` points to."""
    out: Poly = []
    for i, q in enumerate(poly):
        p = poly[i - 1]
        a = (p[0] - at[0]) * normal[0] + (p[1] - at[1]) * normal[1]
        b = (q[0] - at[0]) * normal[0] + (q[1] - at[1]) * normal[1]
        if (a < 0) != (b < 0):
            t = a / (a - b)
            out.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
        if b >= 0:
            out.append(q)
    return out


def split(poly: Sequence[Pt], at: Pt, angle: float, gap: float = 0.0) -> tuple[Poly, Poly]:
    """Cut along the line through `at` at `angle` (radians): left and right, `gap` metres apart."""
    n = (-math.sin(angle), math.cos(angle))
    h = gap / 2
    left = clip(poly, (at[0] + n[0] * h, at[1] + n[1] * h), n)
    right = clip(poly, (at[0] - n[0] * h, at[1] - n[1] * h), (-n[0], -n[1]))
    return left, right


def chord(poly: Sequence[Pt], at: Pt, angle: float) -> tuple[Pt, Pt] | None:
    """Where the line through `at` at `angle` runs inside a convex polygon; None if it misses."""
    n = (-math.sin(angle), math.cos(angle))
    hits: list[Pt] = []
    for i, q in enumerate(poly):
        p = poly[i - 1]
        a = (p[0] - at[0]) * n[0] + (p[1] - at[1]) * n[1]
        b = (q[0] - at[0]) * n[0] + (q[1] - at[1]) * n[1]
        if (a < 0) != (b < 0):
            t = a / (a - b)
            hits.append((p[0] + t * (q[0] - p[0]), p[1] + t * (q[1] - p[1])))
    return (hits[0], hits[1]) if len(hits) >= 2 else None


def area(poly: Sequence[Pt]) -> float:
    """Signed area in square metres, positive when counter-clockwise."""
    return sum(poly[i - 1][0] * q[1] - q[0] * poly[i - 1][1] for i, q in enumerate(poly)) / 2


def centroid(poly: Sequence[Pt]) -> Pt:
    """The mean of the vertices: inside, for a convex polygon."""
    return sum(p[0] for p in poly) / len(poly), sum(p[1] for p in poly) / len(poly)


def inset(poly: Sequence[Pt], by: float) -> Poly:
    """A convex counter-clockwise polygon moved inwards by metres; empty when nothing is left."""
    out: Poly = list(poly)
    for i, q in enumerate(poly):
        p = poly[i - 1]
        length = math.dist(p, q)
        if length < 1e-6 or len(out) < 3:
            continue
        n = ((p[1] - q[1]) / length, (q[0] - p[0]) / length)
        out = clip(out, (p[0] + n[0] * by, p[1] + n[1] * by), n)
    return out if len(out) >= 3 else []


def inside(poly: Sequence[Pt], p: Pt) -> bool:
    """Whether a point lies in a simple polygon."""
    odd = False
    for i, b in enumerate(poly):
        a = poly[i - 1]
        if (a[1] > p[1]) != (b[1] > p[1]):
            odd ^= p[0] < (b[0] - a[0]) * (p[1] - a[1]) / (b[1] - a[1]) + a[0]
    return odd


def extent(poly: Sequence[Pt], angle: float) -> tuple[float, float]:
    """Least and greatest projection of the vertices on the direction `angle`."""
    c, s = math.cos(angle), math.sin(angle)
    along = [p[0] * c + p[1] * s for p in poly]
    return min(along), max(along)


def dense(points: Sequence[Pt], step: float, *, closed: bool = False) -> Poly:
    """The same line with a vertex at least every `step` metres, so that the warp can bend it."""
    out: Poly = []
    pairs = zip(points, [*points[1:], points[0]] if closed else points[1:], strict=False)
    for p, q in pairs:
        n = max(1, math.ceil(math.dist(p, q) / step))
        out.extend((p[0] + (q[0] - p[0]) * k / n, p[1] + (q[1] - p[1]) * k / n) for k in range(n))
    if not closed:
        out.append(points[-1])
    return out


class Warp:
    """A smooth, one-to-one bend of the plane followed by a local projection to WGS-84 degrees."""

    def __init__(self, rng: random.Random, lon0: float, lat0: float) -> None:
        self._ph = [rng.uniform(-0.5, 0.5) for _ in range(4)]
        self._lon0, self._lat0 = lon0, lat0
        self._m_lat = 111_150.0
        self._m_lon = 111_320.0 * math.cos(math.radians(lat0))

    def bend(self, p: Pt) -> Pt:
        """Flat metres to bent metres; turns a line by 25 degrees at most."""
        x, y = p
        a, b, c, d = self._ph
        t = math.tau
        return (
            x + 380 * math.sin(t * (y / 9000) + a) + 105 * math.sin(t * (x / 5200 + y / 6100) + b),
            y
            + 620 * math.sin(t * (x / 13500) + 0.9 + c)
            + 105 * math.sin(t * (x / 4700 - y / 5600) + d),
        )

    def degrees(self, p: Pt) -> Pt:
        """Bent metres to longitude, latitude, to the centimetre."""
        return (
            round(self._lon0 + p[0] / self._m_lon, 7),
            round(self._lat0 + p[1] / self._m_lat, 7),
        )

    def place(self, p: Pt) -> Pt:
        """Flat metres to longitude, latitude."""
        return self.degrees(self.bend(p))

    def turn(self, p: Pt, angle: float) -> float:
        """The bent direction (radians) of a flat direction at a point."""
        a = self.bend(p)
        b = self.bend((p[0] + 5 * math.cos(angle), p[1] + 5 * math.sin(angle)))
        return math.atan2(b[1] - a[1], b[0] - a[0])

    def body(self, at: Pt, angle: float, shape: Sequence[Pt]) -> list[Pt]:
        """A shape (metres around 0, 0; x along `angle`) set down at a flat place: degrees.

        It keeps its right angles, and shrinks where the bend squeezes the plane, so that
        neighbours stay apart.
        """
        ox, oy = self.bend(at)
        t = self.turn(at, angle)
        along = min(1.0, self._stretch(at, angle))
        across = min(1.0, self._stretch(at, angle + math.pi / 2))
        c, s = math.cos(t), math.sin(t)
        sized = [(x * along, y * across) for x, y in shape]
        return [self.degrees((ox + x * c - y * s, oy + x * s + y * c)) for x, y in sized]

    def _stretch(self, p: Pt, angle: float) -> float:
        q = (p[0] + 5 * math.cos(angle), p[1] + 5 * math.sin(angle))
        return math.dist(self.bend(p), self.bend(q)) / 5

    def square_metres(self, outline: Sequence[Pt]) -> float:
        """Area of a small ring of degrees."""
        return abs(area(outline)) * self._m_lon * self._m_lat
