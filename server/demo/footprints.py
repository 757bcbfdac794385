"""Buildings on the blocks of the generated city: slabs, towers, courtyards, halls and houses."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass

from server.demo.nature import Nature, blob
from server.demo.plane import Poly, Pt, area, centroid, chord, clip, extent, inset
from server.demo.streets import RAIL_ANGLE, RAIL_AT, Block, Plan, Road


@dataclass(frozen=True, slots=True)
class Body:
    """One building: a rigid outline (metres, x along `angle`) at a flat place."""

    at: Pt
    angle: float
    shape: Poly
    levels: int
    use: str
    block: int
    """Index of its block; -1 outside the ring."""


def box(length: float, depth: float) -> Poly:
    """A rectangle around 0, 0."""
    x, y = length / 2, depth / 2
    return [(-x, -y), (x, -y), (x, y), (-x, y)]


def _ell(length: float, depth: float, wing: float) -> Poly:
    x, y = length / 2, depth / 2
    return [(-x, -y), (x, -y), (x, y), (-x + depth, y), (-x + depth, y + wing), (-x, y + wing)]


def _stepped(length: float, depth: float, step: float) -> Poly:
    x, y = length / 2, depth / 2
    return [
        (-x, -y),
        (0, -y),
        (0, -y + step),
        (x, -y + step),
        (x, y + step),
        (0, y + step),
        (0, y),
        (-x, y),
    ]


def _cross(side: float, notch: float) -> Poly:
    a, b = side / 2, side / 2 - notch
    return [
        (-b, -a),
        (b, -a),
        (b, -b),
        (a, -b),
        (a, b),
        (b, b),
        (b, a),
        (-b, a),
        (-b, b),
        (-a, b),
        (-a, -b),
        (-b, -b),
    ]


def _disc(radius: float) -> Poly:
    return [
        (radius * math.cos(math.tau * k / 16), radius * math.sin(math.tau * k / 16))
        for k in range(16)
    ]


def block_uses(rng: random.Random, blocks: list[Block]) -> list[str]:
    """One use per block: home, old_home, tower_home, park, school, shop or works."""
    out: list[str] = []
    for b in blocks:
        size = abs(area(b.poly))
        dice = rng.random()
        near_rail = abs(_rail_distance(centroid(b.poly))) < 420
        if b.zone == "old":
            out.append(
                "park"
                if dice < 0.04
                else "shop"
                if dice < 0.22
                else "school"
                if dice < 0.26
                else "old_home"
            )
        elif dice < 0.07 and size > 30_000:
            out.append("park")
        elif (b.zone == "edge" or near_rail) and dice < 0.34:
            out.append("works")
        elif dice < 0.15:
            out.append("school" if size < 130_000 else "shop")
        elif dice < 0.24:
            out.append("shop")
        else:
            tall = 0.55 if b.zone in {"new", "north"} else 0.1
            out.append("tower_home" if rng.random() < tall else "home")
    return out


def _rail_distance(p: Pt) -> float:
    return (p[1] - RAIL_AT[1]) * math.cos(RAIL_ANGLE) - (p[0] - RAIL_AT[0]) * math.sin(RAIL_ANGLE)


def make_bodies(rng: random.Random, plan: Plan, uses: list[str], nature: Nature) -> Iterator[Body]:
    """Every building, block after block; adds lanes to the plan and parks to the green."""
    for k, (block, use) in enumerate(zip(plan.blocks, uses, strict=True)):
        ground = inset(block.poly, 12 if block.zone == "old" else 19)
        if len(ground) < 3 or abs(area(ground)) < 1200:
            continue
        angle = _south(block.poly)
        if use == "park":
            _park(rng, plan, block, nature)
        elif use == "old_home":
            yield from _courtyard(rng, ground, k)
        elif use in {"home", "tower_home"}:
            yield from _homes(rng, plan, ground, angle, k, tall=use == "tower_home")
        elif use == "works":
            yield from _halls(rng, ground, angle, k)
        else:
            if use == "school":
                nature.green.append(("pitch", [_pitch(ground, angle)]))
            yield from _public(rng, ground, angle, k, use)
    yield from _station_and_plants()
    for _, at, angle in nature.villages:
        yield from _village(rng, at, angle)


def _park(rng: random.Random, plan: Plan, block: Block, nature: Nature) -> None:
    """Green with a path across each way; a pond where there is room."""
    ground = inset(block.poly, 11)
    nature.green.append(("park", [ground]))
    walk = inset(block.poly, 34)
    if len(walk) < 3:
        return
    plan.roads.append(Road("footway", "", [*walk, walk[0]]))
    middle = centroid(walk)
    for corner in walk[:: max(1, len(walk) // 4)]:
        plan.roads.append(Road("footway", "", [corner, middle]))
    if abs(area(ground)) > 45_000:
        at = (middle[0] + rng.uniform(-25, 25), middle[1] + rng.uniform(-25, 25))
        nature.water.append(("pond", [blob(rng, at, rng.uniform(32, 52))]))


def _south(poly: Poly) -> float:
    """The direction of the longest side that runs nearer east-west than north-south."""
    best, angle = 0.0, 0.0
    for i, q in enumerate(poly):
        p = poly[i - 1]
        a = math.atan2(q[1] - p[1], q[0] - p[0])
        a = (a + math.pi / 2) % math.pi - math.pi / 2
        length = math.dist(p, q) * (1 if abs(a) < math.pi / 4 else 0)
        if length > best:
            best, angle = length, a
    return angle


def _rows(
    ground: Poly, angle: float, pitch: float, depth: float
) -> Iterator[tuple[float, float, float]]:
    """Rows on a convex ground: offset across, and the span along where `depth` fits."""
    lo, hi = extent(ground, angle + math.pi / 2)
    n = int((hi - lo - depth) // pitch) + 1
    start = (lo + hi) / 2 - (n - 1) * pitch / 2
    for r in range(n):
        v = start + r * pitch
        spans = [_span(ground, angle, v + s * depth / 2) for s in (-0.98, 0.98)]
        if spans[0] and spans[1]:
            yield v, max(spans[0][0], spans[1][0]), min(spans[0][1], spans[1][1])


def _span(ground: Poly, angle: float, v: float) -> tuple[float, float] | None:
    c, s = math.cos(angle), math.sin(angle)
    line = chord(ground, (-s * v, c * v), angle)
    if not line:
        return None
    a, b = sorted(p[0] * c + p[1] * s for p in line)
    return a, b


def _at(angle: float, u: float, v: float) -> Pt:
    return u * math.cos(angle) - v * math.sin(angle), u * math.sin(angle) + v * math.cos(angle)


def _homes(
    rng: random.Random, plan: Plan, ground: Poly, angle: float, k: int, *, tall: bool
) -> Iterator[Body]:
    levels = rng.choice((11, 18, 18, 26, 33)) if tall else rng.choice((5, 6, 6, 6, 7, 7, 8))
    depth = 15.0 if tall else rng.uniform(11.5, 13.5)
    pitch = depth + (48 if tall else rng.uniform(29, 36))
    unit = rng.uniform(27, 31) if tall else rng.uniform(16, 21)
    lane = rng.uniform(0.42, 0.58)
    rows = list(_rows(ground, angle, pitch, depth))
    if not rows:
        return
    lo, hi = min(r[1] for r in rows), max(r[2] for r in rows)
    lane_u = lo + (hi - lo) * lane
    with_lane = hi - lo > 190
    if with_lane:
        ends = [
            _at(angle, lane_u, rows[0][0] - pitch / 2),
            _at(angle, lane_u, rows[-1][0] + pitch / 2),
        ]
        plan.roads.append(Road("service", "", ends))
    for n, (v, a, b) in enumerate(rows):
        spans = [(a, min(b, lane_u - 7)), (max(a, lane_u + 7), b)] if with_lane else [(a, b)]
        for u0, u1 in spans:
            yield from _row(rng, (u0, u1, v), angle, (unit, depth), levels, k, n)


def _row(
    rng: random.Random, span: tuple[float, float, float], angle: float, size: tuple[float, float],
    levels: int, k: int, n: int,
) -> Iterator[Body]:  # fmt: skip
    u, end, v = span
    unit, depth = size
    tall = levels > 9
    while end - u >= unit * (1 if tall else 2) - 1:
        room = end - u
        parts = 1 if tall else min(rng.choice((2, 3, 3, 4, 4, 5)), int(room // unit))
        if not tall and 0 < room - parts * unit - 11 < 2 * unit:
            parts = min(int(room // unit), 5)
        length = parts * unit
        shape = box(length, depth)
        if tall:
            shape = _cross(unit - 2, 5.5) if levels > 20 else _stepped(unit, depth - 2, 2.0)
        elif parts >= 3 and rng.random() < 0.14:
            shape = _stepped(length, depth, 2.5)
        if rng.random() > 0.035:
            own = max(3, levels + rng.choice((0, 0, 0, 0, -1, 1)))
            use = "apartments"
            if n == 0 and not tall and rng.random() < 0.12:
                own, use = 2, "retail"
            elif rng.random() < 0.02:
                own, use, shape = 2, "kindergarten", _ell(min(length, 34), 11, 9)
            sway = rng.uniform(-2, 2) if tall else 0.0
            yield Body(_at(angle, u + length / 2, v + sway), angle, shape, own, use, k)
        u += length + (rng.uniform(24, 34) if tall else rng.uniform(9, 14))


def _courtyard(rng: random.Random, ground: Poly, k: int) -> Iterator[Body]:
    """Houses along the streets around a yard, a few inside it."""
    depth = rng.uniform(11, 13)
    levels = rng.choice((4, 5, 6, 6, 7))
    for i, q in enumerate(ground):
        p = ground[i - 1]
        length = math.dist(p, q)
        if length < 2 * depth + 14:
            continue
        d = ((q[0] - p[0]) / length, (q[1] - p[1]) / length)
        u, end = depth + 5.0, length - 3.0
        while end - u > 18:
            size = min(rng.choice((22.0, 30.0, 38.0, 48.0, 56.0)), end - u)
            mid = u + size / 2
            at = (p[0] + d[0] * mid - d[1] * depth / 2, p[1] + d[1] * mid + d[0] * depth / 2)
            shape = box(size, depth)
            if size > 34 and rng.random() < 0.25:
                shape = _ell(size, depth, 10)
            use = "apartments" if rng.random() < 0.8 else "commercial"
            if rng.random() > 0.05:
                yield Body(
                    at,
                    math.atan2(d[1], d[0]),
                    shape,
                    max(3, levels + rng.choice((-1, 0, 0, 1))),
                    use,
                    k,
                )
            u += size + rng.choice((1.5, 4.0, 8.0))
    yard = inset(ground, depth + 22)
    if len(yard) >= 3 and abs(area(yard)) > 500:
        angle = _south(yard)
        for n, (v, a, b) in enumerate(_rows(yard, angle, 32, 11)):
            yield from _row(rng, (a, b, v), angle, (15.0, 10.0), max(3, levels - 1), k, n + 1)


def _halls(rng: random.Random, ground: Poly, angle: float, k: int) -> Iterator[Body]:
    depth = rng.uniform(24, 42)
    for v, a, b in _rows(ground, angle, depth + rng.uniform(18, 30), depth):
        u = a
        while b - u > 45:
            length = min(rng.uniform(50, 130), b - u)
            if rng.random() > 0.18:
                shape = box(length, depth * rng.choice((1.0, 1.0, 0.75)))
                yield Body(_at(angle, u + length / 2, v), angle, shape, 2, "industrial", k)
            u += length + rng.uniform(14, 26)


def _pitch(ground: Poly, angle: float) -> Poly:
    """A running track's oval in the south half of a school's ground."""
    lo, _ = extent(ground, angle + math.pi / 2)
    c = centroid(ground)
    u = c[0] * math.cos(angle) + c[1] * math.sin(angle)
    ring = [
        _at(angle, u + 42 * math.cos(t) * 0.9, lo + 48 + 30 * math.sin(t))
        for t in (math.tau * j / 24 for j in range(24))
    ]
    for i, q in enumerate(ground):
        p = ground[i - 1]
        ring = clip(ring, p, (p[1] - q[1], q[0] - p[0]))
    return ring or inset(ground, 10)


def _public(rng: random.Random, ground: Poly, angle: float, k: int, use: str) -> Iterator[Body]:
    lo, hi = extent(ground, angle + math.pi / 2)
    if use == "school":
        cut = lo + min(95.0, (hi - lo) * 0.5)
        part = clip(ground, _at(angle, 0, cut), (-math.sin(angle), math.cos(angle)))
        for v, a, b in _rows(part, angle, 48, 17):
            if b - a > 46:
                length = min(b - a, rng.uniform(46, 78))
                shape = _ell(length, 15, 18) if rng.random() < 0.5 else box(length, 16)
                yield Body(
                    _at(angle, (a + b) / 2, v), angle, shape, rng.choice((4, 5)), "school", k
                )
        return
    depth = rng.uniform(26, 44)
    for v, a, b in _rows(ground, angle, depth + 34, depth):
        u = a
        while b - u > 38:
            length = min(rng.uniform(38, 92), b - u)
            levels = rng.choice((3, 5, 8, 12, 20, 28)) if length < 60 else rng.choice((3, 4, 5))
            shape = box(length, depth * rng.choice((1.0, 0.8)))
            if levels > 10:
                shape = _cross(min(length, depth, 34), 4)
            yield Body(_at(angle, u + length / 2, v), angle, shape, levels, "commercial", k)
            u += length + rng.uniform(18, 32)


PLANTS: tuple[tuple[str, Pt], ...] = (
    ("城西热源厂", (-4750.0, -1500.0)),
    ("城东热电厂", (4700.0, -1150.0)),
)
"""Heat plants, outside the ring."""


def _station_and_plants() -> Iterator[Body]:
    n = (-math.sin(RAIL_ANGLE), math.cos(RAIL_ANGLE))
    at = (RAIL_AT[0] - 30 + n[0] * 62, RAIL_AT[1] + n[1] * 62)
    yield Body(at, RAIL_ANGLE, box(190, 34), 3, "train_station", -1)
    for _, (x, y) in PLANTS:
        yield Body((x, y), 0.1, box(150, 58), 8, "industrial", -1)
        yield Body((x + 15, y - 75), 0.1, box(95, 40), 3, "industrial", -1)
        yield Body((x - 120, y - 20), 0.1, box(42, 96), 3, "industrial", -1)
        for dx in (-40, 25):
            yield Body((x + dx, y + 62), 0.0, _disc(8), 30, "chimney", -1)
        for dx in (110, 150):
            yield Body((x + dx, y - 40), 0.0, _disc(17), 6, "industrial", -1)


def _village(rng: random.Random, at: Pt, angle: float) -> Iterator[Body]:
    for side in (-62, -24, 24, 62):
        u = -300.0
        while u < 300:
            if rng.random() > 0.42:
                p = _at(angle, u, side + rng.uniform(-4, 4))
                yield Body(
                    (at[0] + p[0], at[1] + p[1]),
                    angle + rng.gauss(0, 0.04),
                    box(rng.uniform(9, 15), 8),
                    1,
                    "house",
                    -1,
                )
            u += rng.uniform(24, 40)
