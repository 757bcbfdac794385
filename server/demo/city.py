"""The generated city: the map's features, and the buildings that may be heated."""

from __future__ import annotations

import itertools
import math
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from geo.bounds import Bounds
from geo.shapes import line, point, polygon
from geo.tiles import Feature
from server.demo import names
from server.demo.communities import choose, metres, thinned
from server.demo.footprints import PLANTS, Body, block_uses, make_bodies
from server.demo.nature import Nature, make_nature
from server.demo.plane import Poly, Pt, Warp, dense
from server.demo.records import Home, Options
from server.demo.streets import PLAZA, Plan, make_plan

CENTER_LON, CENTER_LAT = 125.6, 46.2
"""Open farmland: no town of this size is there."""
ATTRIBUTION = "generated city"
MARGIN_M = 900.0


@dataclass(frozen=True, slots=True)
class City:
    """A generated city, ready for the tile writer and for `fill_city`."""

    name: str
    attribution: str
    bounds: Bounds
    """The town with a margin: the view. The land around goes on beyond it."""
    features: list[Feature]
    communities: list[list[Home]]
    """Heated buildings, one list per community; all of a list carry its name."""
    plants: list[tuple[str, float, float]]
    """Name, lon, lat of the heat plants."""


def make_city(seed: int, options: Options | None = None) -> City:
    """The same city for the same seed and options. Takes a few seconds, no clock, no disk."""
    options = options or Options()
    rng = random.Random(f"city:{seed}")  # noqa: S311 - must repeat
    warp = Warp(rng, CENTER_LON, CENTER_LAT)
    plan = make_plan(rng)
    nature = make_nature(rng, plan)
    uses = block_uses(rng, plan.blocks)
    bodies = list(make_bodies(rng, plan, uses, nature))
    outlines = [warp.body(b.at, b.angle, b.shape) for b in bodies]
    communities = _communities(rng, plan, bodies, outlines, warp, options)
    features = [*_ground(plan, nature, warp), *_buildings(bodies, outlines, communities)]
    features += _places(plan, nature, warp, communities)
    town = [warp.bend(p) for p in plan.urban]
    reach = [(x + dx, y + dx) for x, y in town for dx in (-MARGIN_M, MARGIN_M)]
    reach += [warp.bend(at) for _, at in PLANTS]
    return City(
        name=names.CITY,
        attribution=ATTRIBUTION,
        bounds=Bounds.around(warp.degrees(p) for p in reach),
        features=features,
        communities=communities,
        plants=[(name, *warp.place(at)) for name, at in PLANTS],
    )


def _ground(plan: Plan, nature: Nature, warp: Warp) -> list[Feature]:
    def ring(r: Poly) -> list[Pt]:
        return [warp.place(p) for p in dense(r, 70, closed=True)]

    def bent(r: Poly) -> list[Pt]:
        return [warp.place(p) for p in dense(r, 70)]

    out: list[Feature] = []
    for cls, rings in nature.green:
        out.append(Feature("green", cls, "", 0.0, polygon([ring(r) for r in rings])))
    for cls, rings in nature.water:
        name = names.RIVER if cls == "river" else ""
        out.append(Feature("water", cls, name, 0.0, polygon([ring(r) for r in rings])))
    for cls, name, points in nature.streams:
        out.append(Feature("waterway", cls, name, 0.0, line(bent(points))))
    out.extend(Feature("rail", "rail", "", 0.0, line(bent(r))) for r in nature.rails)
    out.extend(Feature("road", r.cls, r.name, 0.0, line(bent(r.points))) for r in plan.roads)
    return out


def _buildings(
    bodies: Sequence[Body], outlines: Sequence[Poly], communities: Sequence[Sequence[Home]]
) -> list[Feature]:
    named = {h.id: h.name for c in communities for h in c}
    return [
        Feature("building", b.use, named.get(_id(k), ""), b.levels * 3.0, polygon([o]))
        for k, (b, o) in enumerate(zip(bodies, outlines, strict=True))
    ]


def _id(k: int) -> str:
    return f"demo:{k:05d}"


def _places(
    plan: Plan, nature: Nature, warp: Warp, communities: Sequence[Sequence[Home]]
) -> list[Feature]:
    out = [("city", names.CITY, warp.place((PLAZA[0] + 60, PLAZA[1] - 120)))]
    middle = {"jb": (-300.0, 2150.0), "db": (-2600.0, 420.0), "dn": (250.0, -1500.0)}
    out += [("district", names.DISTRICTS[d], warp.place(at)) for d, at in middle.items()]
    out += [("suburb", name, warp.place(at)) for name, _, at in plan.suburbs]
    out += [("island", name, warp.place(at)) for name, at in nature.islands]
    out += [("village", name, warp.place(at)) for name, at, _ in nature.villages]
    for homes in communities:
        lon = sum(h.lon for h in homes) / len(homes)
        lat = sum(h.lat for h in homes) / len(homes)
        out.append(("neighbourhood", homes[0].community, (lon, lat)))
    return [Feature("place", cls, name, 0.0, point(*at)) for cls, name, at in out]


def _communities(
    rng: random.Random, plan: Plan, bodies: Sequence[Body], outlines: Sequence[Poly], warp: Warp,
    options: Options,
) -> list[list[Home]]:  # fmt: skip
    able = [k for k, b in enumerate(bodies) if b.use == "apartments" and b.block >= 0]
    able = [able[i] for i in thinned(rng, len(able), options.buildings)]
    at = [warp.place(bodies[k].at) for k in able]
    sets = choose(
        rng, metres(at), [bodies[k].block for k in able], options.buildings, options.communities
    )
    spare = list(names.COMMUNITIES)
    rng.shuffle(spare)
    while len(spare) < len(sets):
        spare += [f"{n}{len(spare) // len(names.COMMUNITIES) + 1}期" for n in names.COMMUNITIES]
    doors = _Doors(plan, warp)
    out: list[list[Home]] = []
    for name, chosen in zip(spare, sets, strict=False):
        homes: list[Home] = []
        for number, j in enumerate(sorted(chosen, key=lambda j: (-at[j][1], at[j][0])), start=1):
            k = able[j]
            body = bodies[k]
            lon, lat = at[j]
            street, door = doors.at((lon, lat))
            district = names.DISTRICTS[plan.blocks[body.block].district]
            homes.append(
                Home(
                    id=_id(k), name=f"{name} {number} 栋", street=street, house_number=f"{door}",
                    address=f"{district} {street} {door} 号 {name} {number} 栋", lon=lon, lat=lat,
                    outline_wkb=_wkb(outlines[k]), levels=body.levels, use=body.use,
                    area_m2=round(warp.square_metres(outlines[k]), 1), district=district,
                    community=name,
                )
            )  # fmt: skip
        out.append(homes)
    return out


class _Doors:
    """House numbers: the nearest named street, the way along it, odd and even by side."""

    def __init__(self, plan: Plan, warp: Warp) -> None:
        self._names: list[str] = []
        spots: list[tuple[float, float, float, float, int, float]] = []
        wanted = {"primary", "secondary", "tertiary", "residential", "trunk"}
        for road in plan.roads:
            if not road.name or road.cls not in wanted:
                continue
            self._names.append(road.name)
            points = [warp.place(p) for p in dense(road.points, 24)]
            run = 0.0
            for p, q in itertools.pairwise(points):
                spots.append((*p, q[0] - p[0], q[1] - p[1], len(self._names) - 1, run))
                run += math.hypot((q[0] - p[0]) * 77_000, (q[1] - p[1]) * 111_150)
        self._spots = np.array(spots)
        self._taken: set[tuple[str, int]] = set()

    def at(self, p: Pt) -> tuple[str, int]:
        """Street and number; no pair is given twice."""
        dx = (self._spots[:, 0] - p[0]) * 77_000
        dy = (self._spots[:, 1] - p[1]) * 111_150
        s = self._spots[int(np.argmin(dx * dx + dy * dy))]
        left = s[2] * (p[1] - s[1]) - s[3] * (p[0] - s[0]) > 0
        number = 2 * int(s[5] // 14) + (1 if left else 2)
        street = self._names[int(s[4])]
        while (street, number) in self._taken:
            number += 2
        self._taken.add((street, number))
        return street, number


def _wkb(outline: Sequence[Pt]) -> bytes:
    """A little-endian WKB polygon of one closed ring."""
    ring = [*outline, outline[0]]
    flat = [v for p in ring for v in p]
    return struct.pack(f"<BIII{len(flat)}d", 1, 3, 1, len(ring), *flat)
