"""The heat tree of a generated register: from plants to risers, and the flats that hang on them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from server.demo import names
from server.demo.communities import cluster, metres
from server.demo.records import Building, Household, Node

HIGH_ZONE_FROM = 11
"""Floors from here up hang on the high-pressure circuit."""
SUPPLY_LOW_C = {"plant": 100.0, "substation": 60.0}
"""Below this a supply temperature counts as low in severe cold; policy of the generated company."""
_GREEN = ("elderly", "elderly", "elderly", "alone", "disabled", "infant")


@dataclass(slots=True)
class _Size:
    """How many flats a building has, before anybody lives there."""

    floors: int
    units: int
    doors: int
    """Flats on one landing."""
    missing: int = 0
    """Flats of the ground floor that are shops or guard rooms."""

    @property
    def flats(self) -> int:
        return self.floors * self.units * self.doors - self.missing


def grow(
    rng: random.Random,
    buildings: Sequence[Building],
    plants: Sequence[tuple[str, float, float]],
    substations: int,
) -> tuple[list[Building], list[Node]]:
    """Plants, sections and substations; the buildings come back with the substation they hang on.

    `plants` are (name, lon, lat), at least one. A substation stands beside a middling building.
    """
    at = metres([(b.lon, b.lat) for b in buildings])
    of, middles = cluster(rng, at, substations)
    nodes: list[Node] = []
    for k, (name, lon, lat) in enumerate(plants, start=1):
        nodes.append(Node(f"RY{k}", "plant", None, name, lon, lat, SUPPLY_LOW_C["plant"]))
    sections: dict[tuple[int, int], Node] = {}
    fed: list[Building] = list(buildings)
    for j in range(len(middles)):
        hut = buildings[int(np.argmin(np.hypot(*(at - middles[j]).T)))]
        k = min(
            range(len(plants)),
            key=lambda i: (plants[i][1] - hut.lon) ** 2 * 0.48 + (plants[i][2] - hut.lat) ** 2,
        )
        branch = int(hut.lat > plants[k][2]) + 1
        if (k, branch) not in sections:
            label = f"{plants[k][0]} {'南' if branch == 1 else '北'}线"
            sections[k, branch] = Node(f"RY{k + 1}-G{branch}", "primary", f"RY{k + 1}", label)
        name = f"{hut.street or hut.name} {hut.house_number or j + 1} 号换热站"
        nodes.append(
            Node(f"HX{j + 1:02d}", "substation", f"RY{k + 1}-G{branch}", name,
                 round(hut.lon + 2e-4, 7), round(hut.lat + 1e-4, 7), SUPPLY_LOW_C["substation"])
        )  # fmt: skip
    nodes.extend(sections.values())
    for i, b in enumerate(buildings):
        fed[i] = replace(b, substation=f"HX{int(of[i]) + 1:02d}")
    return fed, nodes


def settle(
    rng: random.Random, buildings: Sequence[Building], households: int
) -> tuple[list[Node], list[Household]]:
    """Circuits, entrances, units, risers and exactly `households` flats with their owners.

    Raises ValueError when there are more buildings than households.
    """
    if households < len(buildings):
        raise ValueError("every building needs a household")
    nodes: list[Node] = []
    circuits: set[str] = set()
    homes: list[Household] = []
    for b, size in zip(buildings, _sizes(rng, buildings, households), strict=True):
        old = size.floors <= 7 and rng.random() < 0.62
        for zone in "LH" if size.floors >= HIGH_ZONE_FROM else "L":
            circuit = f"{b.substation}-{zone}"
            if circuit not in circuits:
                circuits.add(circuit)
                label = "高区" if zone == "H" else "低区"
                nodes.append(Node(circuit, "circuit", b.substation, label))
            _entrance(nodes, b, zone, circuit, size, old=old)
        _flats(rng, homes, b, size, old=old)
    return nodes, homes


def _sizes(rng: random.Random, buildings: Sequence[Building], households: int) -> list[_Size]:
    """Natural sizes, then more doors to a landing or fewer low flats until the sum is exact."""
    sizes = []
    for b in buildings:
        wide = max(20.0, b.area_m2 / 12.5)
        units = 1 if b.levels > 9 else max(1, min(8, round(wide / 17)))
        sizes.append(_Size(b.levels, units, 4 if b.levels > 17 else 2))
    total = sum(s.flats for s in sizes)
    order = list(range(len(sizes)))
    while total != households:
        rng.shuffle(order)
        for i in order:
            s = sizes[i]
            if total < households:
                s.doors, gain = s.doors + 1, s.floors * s.units
                total += gain
            elif total > households and s.missing < s.units * s.doors - 1:
                s.missing += 1
                total -= 1
            elif total > households and s.floors > 1 and s.missing >= s.units * s.doors - 1:
                total -= s.flats
                s.floors, s.missing = s.floors - 1, 0
                total += s.flats
            if total == households:
                break
    return sizes


def _entrance(
    nodes: list[Node], b: Building, zone: str, circuit: str, size: _Size, *, old: bool
) -> None:
    entrance = f"{b.id}-{zone}"
    nodes.append(Node(entrance, "entrance", circuit, b.name, b.lon, b.lat))
    for u in range(1, size.units + 1):
        unit = f"{entrance}-{u}"
        nodes.append(Node(unit, "unit", entrance, f"{u} 单元"))
        risers = range(1, (2 * size.doors if old else 1) + 1)
        nodes.extend(Node(f"{unit}-R{r}", "riser", unit, f"{u} 单元 {r} 号立管") for r in risers)


def certificate(phone: str) -> str:
    """The made-up identity number of a made-up owner."""
    n = int(phone[4:])
    return f"990{n % 899 + 100}{1940 + n % 61}{n % 12 + 1:02d}{n % 28 + 1:02d}{n % 10_000:04d}"


def _flats(
    rng: random.Random, homes: list[Household], b: Building, size: _Size, *, old: bool
) -> None:
    skip = size.missing
    for floor in range(1, size.floors + 1):
        zone = "H" if floor >= HIGH_ZONE_FROM else "L"
        for u in range(1, size.units + 1):
            for d in range(1, size.doors + 1):
                if skip and floor == 1:
                    skip -= 1
                    continue
                unit = f"{b.id}-{zone}-{u}"
                risers = (f"{unit}-R{2 * d - 1}", f"{unit}-R{2 * d}") if old else (f"{unit}-R1",)
                end = (u == 1 and d == 1) or (u == size.units and d == size.doors)
                n = len(homes)
                area, phone = round(max(28, rng.gauss(62 if old else 84, 14)), 1), f"1000{n:07d}"
                homes.append(
                    Household(
                        id=f"10{n:08d}", building=b.id, unit=u, floor=floor, flat=f"{floor}{d:02d}",
                        risers=risers, gable=end, ground=floor == 1, top=floor == size.floors,
                        area_m2=area, heated_m2=round(area * (0.84 + n % 11 / 100), 1),
                        has_valve=rng.random() < (0.3 if old else 0.92),
                        green_channel=rng.choice(_GREEN) if rng.random() < 0.04 else None,
                        owner_name=rng.choice(names.SURNAMES) + rng.choice(names.GIVEN),
                        owner_phone=phone,
                        owner_certificate=certificate(phone) if n % 10 < 7 else None,
                    )
                )  # fmt: skip
