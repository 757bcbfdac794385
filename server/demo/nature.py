"""Water, green and villages of the generated city, in the flat plane."""

from __future__ import annotations

import itertools
import math
import random
from dataclasses import dataclass, field

from server.demo import names
from server.demo.plane import Poly, Pt
from server.demo.streets import (
    EDGE_X,
    EDGE_Y,
    PLAZA,
    RAIL_ANGLE,
    RAIL_AT,
    RIVER_NORTH,
    RIVER_SOUTH,
    STREAM_ANGLE,
    STREAM_AT,
    Plan,
    Road,
    in_river,
    in_town,
    smooth,
)

RIVER_X = 8200.0
"""Half the length of the river, which flows out of the picture."""


@dataclass(slots=True)
class Nature:
    """Rings and lines in flat metres; the first ring of an area is its outside."""

    water: list[tuple[str, list[Poly]]] = field(default_factory=list)
    green: list[tuple[str, list[Poly]]] = field(default_factory=list)
    """Class and rings."""
    streams: list[tuple[str, str, Poly]] = field(default_factory=list)
    """Class, name, line."""
    rails: list[Poly] = field(default_factory=list)
    islands: list[tuple[str, Pt]] = field(default_factory=list)
    villages: list[tuple[str, Pt, float]] = field(default_factory=list)
    """Name, middle, direction of its street."""


def make_nature(rng: random.Random, plan: Plan) -> Nature:
    """Around a plan; adds the villages' and the island's roads to it."""
    out = Nature()
    _river(rng, out)
    _island_paths(plan)
    _stream(out)
    _rails(out)
    _forests(rng, plan, out)
    _villages(rng, plan, out)
    return out


def _bank(x: float, phases: list[float], reach: float) -> float:
    """A bank's wander in metres: little in town, more outside."""
    wild = min(1.0, max(0.0, (abs(x) - 3600) / 1800))
    wave = math.sin(x / 410 + phases[0]) + 0.7 * math.sin(x / 173 + phases[1])
    return wave * (6 + reach * wild) + reach * 2.2 * wild * math.sin(x / 900 + phases[2])


def _river(rng: random.Random, out: Nature) -> None:
    ph = [[rng.uniform(0, 6.28) for _ in range(3)] for _ in range(2)]
    xs = [-RIVER_X + k * 55 for k in range(int(2 * RIVER_X / 55) + 1)]
    south = [(x, RIVER_SOUTH + 48 + _bank(x, ph[0], 70)) for x in xs]
    north = [(x, RIVER_NORTH - 48 + _bank(x, ph[1], 85)) for x in xs]
    mid = (RIVER_SOUTH + RIVER_NORTH) / 2
    holes = [
        _lens(rng, (-420.0, mid + 55), 900, 128),
        _lens(rng, (2150.0, mid - 70), 330, 46),
        _lens(rng, (-2900.0, mid - 25), 420, 60),
        _lens(rng, (4900.0, mid + 10), 620, 95),
        _lens(rng, (-5500.0, mid + 60), 760, 110),
    ]
    out.water.append(("river", [[*south, *reversed(north)], *holes]))
    out.green.extend(("park" if k == 0 else "wetland", [h]) for k, h in enumerate(holes))
    out.islands.append((names.ISLAND, (-420.0, mid + 55)))
    out.streams.append(("river", names.RIVER, [(x, mid - 95) for x in xs[::6]]))
    for x in (-4700.0, -3950.0, 4300.0, 5600.0, 6300.0):
        side = rng.choice((-1, 1))
        y = (RIVER_SOUTH - 330) if side < 0 else (RIVER_NORTH + 330)
        at = (x + rng.uniform(-150, 150), y + rng.uniform(-60, 60))
        out.water.append(("oxbow", [_lens(rng, at, rng.uniform(180, 380), rng.uniform(35, 80))]))
    # the strip between the embankment road and the water is the riverside park
    for edge, bank, sign in ((RIVER_SOUTH, south, 1), (RIVER_NORTH, north, -1)):
        town = [p for p in bank if abs(p[0]) < 3500]
        road = [(x, edge + sign * 14) for x in (3500.0, -3500.0)]
        out.green.append(("park", [[*town, *road]]))


def _lens(rng: random.Random, at: Pt, half: float, wide: float, n: int = 40) -> Poly:
    """An island or oxbow: pointed along x."""
    a, b, bow = rng.uniform(0, 6), rng.uniform(0, 6), rng.uniform(-0.25, 0.25)
    ring: Poly = []
    for k in range(n):
        t = math.tau * k / n
        x = math.cos(t)
        y = math.sin(t) * (1 - abs(x) ** 2.2) ** 0.5 if abs(x) < 1 else 0.0
        wobble = 1 + 0.12 * math.sin(3 * t + a) + 0.08 * math.sin(7 * t + b)
        ring.append((at[0] + half * x, at[1] + wide * (y * wobble + bow * (1 - x * x))))
    return ring


def blob(rng: random.Random, at: Pt, size: float, n: int = 26) -> Poly:
    """A patch of ground or water without corners, about `size` metres in radius."""
    a, b, flat = rng.uniform(0, 6), rng.uniform(0, 6), rng.uniform(0.55, 1.0)
    turn = rng.uniform(0, math.pi)
    ring: Poly = []
    for k in range(n):
        t = math.tau * k / n
        r = size * (1 + 0.22 * math.sin(2 * t + a) + 0.13 * math.sin(5 * t + b))
        x, y = r * math.cos(t), r * flat * math.sin(t)
        ring.append(
            (
                at[0] + x * math.cos(turn) - y * math.sin(turn),
                at[1] + x * math.sin(turn) + y * math.cos(turn),
            )
        )
    return ring


def _island_paths(plan: Plan) -> None:
    mid = (RIVER_SOUTH + RIVER_NORTH) / 2 + 55
    loop = [(-1180.0, mid), (-700.0, mid + 70), (-100.0, mid + 60), (330.0, mid + 5),
            (-50.0, mid - 55), (-700.0, mid - 60), (-1180.0, mid)]  # fmt: skip
    plan.roads.append(Road("footway", "柳岛环路", smooth(loop, 2)))
    foot = PLAZA[0] + (mid - PLAZA[1]) / math.tan(math.radians(73))
    plan.roads.append(
        Road("footway", "柳岛桥", [(foot - 160, RIVER_SOUTH), (foot - 160, mid - 50)])
    )


def _stream(out: Nature) -> None:
    c, s = math.cos(STREAM_ANGLE), math.sin(STREAM_ANGLE)
    n = (-s, c)
    ts = [-EDGE_Y + k * 60 for k in range(int((EDGE_Y + RIVER_SOUTH + 90) / 60))]
    line = []
    for t in ts:
        w = 9 * math.sin(t / 210) + (90 * math.sin(t / 700) if t < -3300 else 0)
        line.append((STREAM_AT[0] + c * t + n[0] * w, STREAM_AT[1] + s * t + n[1] * w))
    out.streams.append(("stream", names.STREAM, line))
    town = [p for p in line if -3300 < p[1] < RIVER_SOUTH - 20]
    left = [(p[0] - 24, p[1]) for p in town]
    right = [(p[0] + 24, p[1]) for p in town]
    out.green.append(("park", [[*right, *reversed(left)]]))
    thin_l = [(p[0] - 5, p[1]) for p in line]
    out.water.append(("stream", [[*[(p[0] + 5, p[1]) for p in line], *reversed(thin_l)]]))


def _rails(out: Nature) -> None:
    c, s = math.cos(RAIL_ANGLE), math.sin(RAIL_ANGLE)
    n = (-s, c)

    def at(t: float, off: float) -> Pt:
        return RAIL_AT[0] + c * t + n[0] * off, RAIL_AT[1] + s * t + n[1] * off

    for off in (-4.0, 4.0):
        out.rails.append([at(-EDGE_X * 1.02, off), at(EDGE_X * 1.02, off)])
    for off in (-28.0, -20.0, -12.0, 12.0, 20.0, 28.0):
        side = 4.0 if off > 0 else -4.0
        out.rails.append([at(-620, side), at(-480, off), at(420, off), at(560, side)])
    # the branch to the north leaves east of the ring and crosses the river there
    bend = [
        at(3500, 4),
        at(4150, 30),
        (4550.0, 420.0),
        (4640.0, 1200.0),
        (4600.0, 2600.0),
        (4300.0, EDGE_Y),
    ]
    out.rails.append(smooth(bend))


def _forests(rng: random.Random, plan: Plan, out: Nature) -> None:
    while len(out.green) < 78:
        at = (rng.uniform(-EDGE_X, EDGE_X) * 1.05, rng.uniform(-EDGE_Y, EDGE_Y) * 1.05)
        size = rng.uniform(90, 330)
        ring = blob(rng, at, size)
        if any(in_town(plan, p) or in_river(p, 120) for p in ring):
            continue
        out.green.append((rng.choice(("forest", "forest", "grass", "orchard")), [ring]))
    for _ in range(9):
        at = (rng.uniform(-EDGE_X, EDGE_X) * 0.95, rng.uniform(-EDGE_Y, EDGE_Y) * 0.93)
        ring = blob(rng, at, rng.uniform(35, 110))
        if not any(in_town(plan, p) or in_river(p, 150) for p in ring):
            out.water.append(("pond", [ring]))


def _villages(rng: random.Random, plan: Plan, out: Nature) -> None:
    spare = list(names.VILLAGES)
    trunk = [r for r in plan.roads if r.cls in {"primary", "secondary"}]
    for _ in range(4000):
        if not spare:
            return
        at = (rng.uniform(-EDGE_X, EDGE_X) * 0.88, rng.uniform(-EDGE_Y, EDGE_Y) * 0.9)
        clear = [(at[0] + dx, at[1] + dy) for dx in (-420, 0, 420) for dy in (-300, 0, 300)]
        if any(in_town(plan, p) or in_river(p, 260) for p in clear):
            continue
        if any(math.dist(at, v[1]) < 1500 for v in out.villages):
            continue
        angle = rng.uniform(-0.5, 0.5)
        out.villages.append((spare.pop(0), at, angle))
        c, s = math.cos(angle), math.sin(angle)
        ends = [(at[0] + c * t, at[1] + s * t) for t in (-330, 330)]
        plan.roads.append(Road("residential", out.villages[-1][0] + "街", ends))
        spots = [p for r in trunk for p in _along(r.points) if not in_town(plan, p)]
        near = min(spots, key=lambda p: math.dist(p, at))
        if not in_river(near):
            start = min(ends, key=lambda p: math.dist(p, near))
            bow = ((start[0] + near[0]) / 2 + 60, (start[1] + near[1]) / 2 - 40)
            plan.roads.append(Road("unclassified", "", smooth([start, bow, near], 2)))


def _along(points: Poly, step: float = 200) -> Poly:
    out: Poly = []
    for p, q in itertools.pairwise(points):
        n = max(1, int(math.dist(p, q) / step))
        out.extend((p[0] + (q[0] - p[0]) * k / n, p[1] + (q[1] - p[1]) * k / n) for k in range(n))
    return out
