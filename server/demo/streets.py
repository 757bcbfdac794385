"""The street plan of the generated city: avenues, old town, irregular blocks, in the flat plane."""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field

from server.demo import names
from server.demo.plane import Poly, Pt, area, centroid, chord, clip, extent, inside, split

RIVER_SOUTH, RIVER_NORTH = 1060.0, 1640.0
"""Flat ordinates of the two embankment roads; the water lies between them."""
EDGE_X, EDGE_Y = 7000.0, 5200.0
"""Half the sides of the mapped land."""
PLAZA: Pt = (-60.0, 330.0)
RAIL_AT: Pt = (0.0, -640.0)
RAIL_ANGLE = math.radians(9)
STREAM_AT: Pt = (2500.0, 0.0)
STREAM_ANGLE = math.radians(99)
A1_AT, A1_ANGLE = (-1560.0, 0.0), math.radians(85)
A2_AT, A2_ANGLE = (1380.0, 0.0), math.radians(94)
SOUTH_AT, SOUTH_ANGLE = (0.0, -2080.0), math.radians(-4)


@dataclass(frozen=True, slots=True)
class Road:
    """A street in the flat plane; `cls` in the words of OpenStreetMap's highway key."""

    cls: str
    name: str
    points: Poly


@dataclass(frozen=True, slots=True)
class Block:
    """Ground between streets: counter-clockwise, convex, flat metres."""

    poly: Poly
    zone: str
    """old, new, mid, north or edge: what is built there."""
    suburb: str
    district: str


@dataclass(slots=True)
class Plan:
    """Everything that streets decide."""

    urban: Poly
    roads: list[Road] = field(default_factory=list)
    blocks: list[Block] = field(default_factory=list)
    suburbs: list[tuple[str, str, Pt]] = field(default_factory=list)
    """Name, district code, flat place of the label."""


@dataclass(frozen=True, slots=True)
class _Zone:
    poly: Poly
    kind: str
    district: str
    angle: float
    block_m2: float


_BLOCK_M2 = {
    "old": 33_000.0,
    "new": 150_000.0,
    "mid": 112_000.0,
    "north": 165_000.0,
    "edge": 150_000.0,
}


def make_plan(rng: random.Random) -> Plan:
    """The same plan for the same state of `rng`."""
    plan = Plan(urban=_urban(rng))
    wide, lanes = iter(names.street_names()), iter(names.lane_names())
    main = names.MAIN_STREETS
    land = [(-EDGE_X, -EDGE_Y), (EDGE_X, -EDGE_Y), (EDGE_X, EDGE_Y), (-EDGE_X, EDGE_Y)]
    ring = plan.urban
    plan.roads.append(Road("trunk", main["ring"], [*ring, ring[0]]))
    for key, at, angle in (("a1", A1_AT, A1_ANGLE), ("a2", A2_AT, A2_ANGLE)):
        _through(plan, "primary", main[key], at, angle, land)
    south = clip(ring, (0, RIVER_SOUTH), (0, -1))
    north = clip(ring, (0, RIVER_NORTH), (0, 1))
    _inner(plan, "secondary", main["front"], south, (0, RIVER_SOUTH - 1), 0)
    _inner(plan, "secondary", main["front_n"], north, (0, RIVER_NORTH + 1), 0)
    above, below = split(south, RAIL_AT, RAIL_ANGLE, gap=84)
    _inner(plan, "primary", main["south"], south, SOUTH_AT, SOUTH_ANGLE)
    off = 46 / math.sin(STREAM_ANGLE)
    for key, dx in (("stream_w", -off), ("stream_e", off)):
        _inner(plan, "tertiary", main[key], south, (STREAM_AT[0] + dx, 0), STREAM_ANGLE)
    for zone in _zones(plan, rng, north, above, below):
        _carve_zone(plan, rng, zone, wide, lanes)
    _country(plan, land)
    return plan


def _urban(rng: random.Random) -> Poly:
    """A rounded outline, convex, counter-clockwise, whose sides become the ring road."""
    out: Poly = []
    for k in range(44):
        a = math.tau * k / 44
        c, s = math.cos(a), math.sin(a)
        rx, ry = (3950.0, 3250.0)
        out.append(
            (
                math.copysign(abs(c) ** 0.72, c) * rx + rng.uniform(-8, 8),
                -180 + math.copysign(abs(s) ** 0.72, s) * ry + rng.uniform(-8, 8),
            )
        )
    return out


def _through(plan: Plan, cls: str, name: str, at: Pt, angle: float, land: Poly) -> None:
    """An avenue through the whole city and out into the country under another name."""
    whole, within = _crossing(land, at, angle), _crossing(plan.urban, at, angle)
    a, b = sorted(within, key=lambda p: p[1])
    first, last = sorted(whole, key=lambda p: p[1])
    plan.roads.append(Road(cls, name, [a, b]))
    plan.roads.append(Road("primary", names.MAIN_STREETS["outer"], [first, a]))
    plan.roads.append(Road("primary", name[:2] + "北线", [b, last]))


def _crossing(poly: Poly, at: Pt, angle: float) -> tuple[Pt, Pt]:
    line = chord(poly, at, angle)
    if line is None:
        raise ValueError("the skeleton of the plan lies inside the town")
    return line


def _inner(plan: Plan, cls: str, name: str, poly: Poly, at: Pt, angle: float) -> None:
    line = chord(poly, at, angle)
    if line:
        plan.roads.append(Road(cls, name, list(line)))


def _zones(
    plan: Plan, rng: random.Random, north: Poly, above: Poly, below: Poly
) -> Iterator[_Zone]:
    def cut(poly: Poly, lines: list[tuple[Pt, float, float]]) -> list[Poly]:
        parts = [poly]
        for at, angle, gap in lines:
            parts = [h for p in parts for h in split(p, at, angle, gap) if abs(area(h)) > 2e4]
        return parts

    def lean(limit: float = 13) -> float:
        return math.radians(rng.choice((-1, 1)) * rng.uniform(4, limit))

    avenues = [(A1_AT, A1_ANGLE, 0.0), (A2_AT, A2_ANGLE, 0.0)]
    stream = (STREAM_AT, STREAM_ANGLE, 92.0)
    for poly in cut(north, avenues):
        yield _Zone(poly, "north", "jb", lean(9), _BLOCK_M2["north"])
    for poly in cut(above, [*avenues, stream]):
        x = centroid(poly)[0]
        if A1_AT[0] < x < A2_AT[0]:
            yield from _old_town(plan, poly)
        else:
            kind = "new" if x < 0 else "mid"
            yield _Zone(poly, kind, "db", lean(), _BLOCK_M2[kind])
    for poly in cut(below, [*avenues, (SOUTH_AT, SOUTH_ANGLE, 0.0), stream]):
        y = centroid(poly)[1]
        kind = "mid" if y > SOUTH_AT[1] else "edge"
        yield _Zone(poly, kind, "dn", lean(), _BLOCK_M2[kind])


def _old_town(plan: Plan, poly: Poly) -> Iterator[_Zone]:
    """Six wedges between the avenues that meet at the plaza."""
    angles = [math.radians(a) for a in (73, 17, 131)]
    for key, angle in zip(("r0", "r1", "r2"), angles, strict=True):
        _inner(plan, "secondary", names.MAIN_STREETS[key], poly, PLAZA, angle)
    wedges = [poly]
    for angle in angles:
        wedges = [h for w in wedges for h in split(w, PLAZA, angle) if abs(area(h)) > 5e3]
    for w in wedges:
        c = centroid(w)
        away = math.atan2(c[1] - PLAZA[1], c[0] - PLAZA[0])
        near = min(angles, key=lambda a: abs(math.sin(a - away)))
        yield _Zone(w, "old", "db", near, _BLOCK_M2["old"])


def _carve_zone(
    plan: Plan, rng: random.Random, zone: _Zone, wide: Iterator[str], lanes: Iterator[str]
) -> None:
    taken = {s[0] for s in plan.suburbs}
    free = [s for s in names.SUBURBS[zone.district] if s not in taken]
    big = abs(area(zone.poly)) > 6e5 and zone.kind != "old"
    if free and (big or not any(s[1] == zone.district for s in plan.suburbs)):
        plan.suburbs.append((free[0], zone.district, centroid(zone.poly)))
    mine = [s for s in plan.suburbs if s[1] == zone.district] or plan.suburbs
    home = min(mine, key=lambda s: math.dist(s[2], centroid(zone.poly)))[0]

    def carve(poly: Poly, depth: int) -> None:
        size = abs(area(poly))
        if size < zone.block_m2 * rng.uniform(0.85, 1.7) or size < 9000:
            if size > 2500:
                plan.blocks.append(Block(poly, zone.kind, home, zone.district))
            return
        a = zone.angle
        lo, hi = extent(poly, a)
        lo2, hi2 = extent(poly, a + math.pi / 2)
        across = (hi - lo) > (hi2 - lo2)
        t = rng.uniform(0.4, 0.6)
        cut_at = lo + (hi - lo) * t if across else lo2 + (hi2 - lo2) * t
        c = a if across else a + math.pi / 2
        base = centroid(poly)
        shift = cut_at - (base[0] * math.cos(c) + base[1] * math.sin(c))
        at = (base[0] + shift * math.cos(c), base[1] + shift * math.sin(c))
        angle = c + math.pi / 2 + math.radians(rng.gauss(0, 0.8 + 0.7 * depth))
        line = chord(poly, at, angle)
        if line is None:
            return
        cls = "tertiary" if depth == 0 or (depth == 1 and size > 8e5) else "residential"
        if depth == 0 and size > 1.6e6:
            cls = "secondary"
        if math.dist(*line) > 90:
            lane = zone.kind == "old" and cls == "residential" and math.dist(*line) < 330
            name = next(lanes, None) if lane else None
            plan.roads.append(Road(cls, name or next(wide, ""), list(line)))
        for part in split(poly, at, angle):
            carve(part, depth + 1)

    carve(zone.poly, 0)


def _country(plan: Plan, land: Poly) -> None:
    """Roads outside the ring: a motorway around the south and a highway to each side."""
    main = names.MAIN_STREETS
    bypass = [(-EDGE_X, -2300.0), (-5600.0, -3300.0), (-3900.0, -4150.0), (-1000.0, -4420.0),
              (2100.0, -4330.0), (4300.0, -3700.0), (5700.0, -2200.0), (6100.0, -200.0),
              (6250.0, 2200.0), (6000.0, 4000.0), (5200.0, EDGE_Y)]  # fmt: skip
    plan.roads.append(Road("motorway", main["bypass"], smooth(bypass)))
    for at, angle, west, east in (
        (SOUTH_AT, SOUTH_ANGLE, "暖西公路", "东南公路"),
        ((0.0, 380.0), math.radians(4), "西桥公路", "暖东公路"),
        ((0.0, 2450.0), math.radians(-3), "江西公路", "江东公路"),
    ):
        whole, within = _crossing(land, at, angle), _crossing(plan.urban, at, angle)
        (w0, w1), (u0, u1) = sorted(whole), sorted(within)
        plan.roads.append(Road("secondary", west, [w0, u0]))
        plan.roads.append(Road("secondary", east, [u1, w1]))


def smooth(points: Poly, rounds: int = 3) -> Poly:
    """Chaikin's corner cutting; the ends stay."""
    for _ in range(rounds):
        out = [points[0]]
        for p, q in itertools.pairwise(points):
            out.append((0.75 * p[0] + 0.25 * q[0], 0.75 * p[1] + 0.25 * q[1]))
            out.append((0.25 * p[0] + 0.75 * q[0], 0.25 * p[1] + 0.75 * q[1]))
        points = [*out, points[-1]]
    return points


def in_river(p: Pt, margin: float = 0.0) -> bool:
    """Whether a flat place lies between the embankments."""
    return RIVER_SOUTH - margin < p[1] < RIVER_NORTH + margin


def in_town(plan: Plan, p: Pt) -> bool:
    """Whether a flat place lies inside the ring road."""
    return inside(plan.urban, p)
