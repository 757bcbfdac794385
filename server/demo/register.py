"""A whole register for a city: communities, heat tree, households, points, crews, accounts."""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import date

import numpy as np

from server.demo import chance, names
from server.demo.city import City
from server.demo.communities import choose, metres, thinned
from server.demo.crews import Base, make_crews, make_stores
from server.demo.heat_tree import grow, settle
from server.demo.records import (
    Account,
    AnyBuilding,
    AnyPlace,
    Building,
    Community,
    Home,
    Household,
    Options,
    Point,
    Register,
    UsualHour,
)

_HOMELY = frozenset({"yes", "apartments", "residential", "house", "dormitory", "terrace"})
_AREA_M2 = (280.0, 2600.0)
"""Footprints that may be a block of flats, where the map does not say."""
SECOND_FLATS = 0.024
"""Share of flats whose owner has another one, too."""
NEW_FROM_LEVELS, NEW_TOWERS = 10, 0.2
"""From so many levels on, this share of buildings is under warranty still."""
FEE_FEN_PER_M2 = 3832


def fill_city(city: City, seed: int, options: Options | None = None) -> Register:
    """The register of a generated city."""
    return _register(city.name, city.communities, city.plants, seed, options or Options())


def fill(
    buildings: Sequence[AnyBuilding],
    places: Sequence[AnyPlace],
    seed: int,
    options: Options | None = None,
    city: str = names.CITY,
) -> Register:
    """The register of an imported city: residential-looking buildings around its named places.

    Raises ValueError when the city has no building that could be a block of flats.
    """
    options = options or Options()
    able = _dense([b for b in buildings if _homely(b)], options.buildings)
    if not able:
        raise ValueError("no building of this city looks like a block of flats")
    rng = random.Random(f"fill:{seed}")  # noqa: S311 - must repeat
    able = [able[i] for i in thinned(rng, len(able), options.buildings)]
    at = metres([(b.lon, b.lat) for b in able])
    sets = choose(rng, at, list(range(len(able))), options.buildings, options.communities)
    labels = _labels([[able[i] for i in chosen] for chosen in sets], places)
    district = _nearest(places, "district")
    homes = [
        [_home(able[i], label, n, district) for n, i in enumerate(chosen, start=1)]
        for label, chosen in zip(labels, sets, strict=True)
    ]
    lons, lats = [b.lon for b in able], [b.lat for b in able]
    west, east, mid = min(lons), max(lons), (min(lats) + max(lats)) / 2
    plants = [("城西热源厂", west, mid), ("城东热电厂", east, mid)]
    return _register(city, homes, plants, seed, options)


def _homely(b: AnyBuilding) -> bool:
    """Where the map does not say, a nameless building of the right size counts."""
    said = b.use in _HOMELY and not (b.use == "yes" and b.name)
    return said and _AREA_M2[0] <= b.area_m2 <= _AREA_M2[1]


def _dense(able: list[AnyBuilding], enough: int) -> list[AnyBuilding]:
    """Those with the most neighbours: quarters, no scattered houses; four times enough."""
    if len(able) <= 4 * enough:
        return able
    cells = np.floor(metres([(b.lon, b.lat) for b in able]) / 250).astype(np.int64)
    count = Counter(map(tuple, cells.tolist()))
    near = [
        sum(count[x + dx, y + dy] for dx in (-1, 0, 1) for dy in (-1, 0, 1))
        for x, y in cells.tolist()
    ]
    least = min(30, sorted(near, reverse=True)[4 * enough])
    return [b for b, n in zip(able, near, strict=True) if n >= least]


def _nearest(places: Sequence[AnyPlace], *cls: str) -> list[AnyPlace]:
    return [p for p in places if p.cls in cls]


def _home(b: AnyBuilding, community: str, number: int, districts: list[AnyPlace]) -> Home:
    district = b.district or (
        min(districts, key=lambda p: _near(p, b.lon, b.lat)).name if districts else ""
    )
    name = b.name or f"{community} {number} 栋"
    door = f"{b.house_number} 号" if b.house_number else ""
    return Home(
        id=b.id, name=name, street=b.street or "", house_number=b.house_number or "",
        address=" ".join(filter(None, (district, b.street, door, name))), lon=b.lon, lat=b.lat,
        outline_wkb=b.outline_wkb, levels=b.levels, use=b.use, area_m2=b.area_m2,
        district=district, community=community,
    )  # fmt: skip


def _near(p: AnyPlace, lon: float, lat: float) -> float:
    return math.hypot((p.lon - lon) * math.cos(math.radians(lat)), p.lat - lat)


def _labels(groups: Sequence[Sequence[AnyBuilding]], places: Sequence[AnyPlace]) -> list[str]:
    """One name for each group: the place around it, numbered when it serves twice."""
    small = _nearest(places, "neighbourhood", "quarter", "suburb", "village")
    found: list[str] = []
    for k, group in enumerate(groups):
        told = Counter(b.community for b in group if b.community)
        lon = sum(b.lon for b in group) / len(group)
        lat = sum(b.lat for b in group) / len(group)
        if told:
            found.append(told.most_common(1)[0][0])
        elif small:
            found.append(min(small, key=lambda p: _near(p, lon, lat)).name)
        else:
            found.append(names.COMMUNITIES[k % len(names.COMMUNITIES)])
    seen: Counter[str] = Counter()
    often = Counter(found)
    out: list[str] = []
    for label in found:
        seen[label] += 1
        out.append(f"{label} {seen[label]} 区" if often[label] > 1 else label)
    return out


def _register(
    city: str,
    homes: Sequence[Sequence[Home]],
    plants: Sequence[tuple[str, float, float]],
    seed: int,
    options: Options,
) -> Register:
    rng = random.Random(f"register:{seed}")  # noqa: S311 - must repeat
    communities: list[Community] = []
    buildings: list[Building] = []
    for k, group in enumerate((g for g in homes if g), start=1):
        communities.append(_community(f"XQ{k:02d}", group))
        buildings.extend(_building(rng, h, f"XQ{k:02d}") for h in group)
    buildings, upper = grow(rng, buildings, plants, options.substations)
    lower, households = settle(rng, buildings, options.households)
    households = _several_doors(households)
    points = _points(rng, households, options.points)
    owed = _accounts(rng, buildings, households)
    fed = {b.substation: b.district for b in buildings}
    bases = [Base(fed.get(n.id, ""), n) for n in upper if n.kind == "substation"]
    districts = [d for d, _ in Counter(b.district for b in buildings if b.district).most_common(4)]
    crews = make_crews(rng, bases, districts, city.removesuffix("市"), options.crews)
    usual = usual_hours(len(households))
    return Register(
        city, seed, communities, buildings, [*upper, *lower], households, points, crews, owed,
        usual, make_stores(bases, districts),
    )  # fmt: skip


def _community(id_: str, homes: Sequence[Home]) -> Community:
    lon = sum(h.lon for h in homes) / len(homes)
    lat = sum(h.lat for h in homes) / len(homes)
    east = 111_320 * math.cos(math.radians(lat))
    away = sorted(math.hypot((h.lon - lon) * east, (h.lat - lat) * 111_150) for h in homes)
    # A scattered community of an imported city is marked by its middle, not by half the town.
    reach = min(away[len(away) * 3 // 4], 450.0)
    district = Counter(h.district for h in homes).most_common(1)[0][0]
    return Community(
        id_, homes[0].community, district, round(lon, 7), round(lat, 7), round(reach + 30, 1)
    )


def _warranty(levels: int, building: str) -> date | None:
    """Two heating seasons from the handing over; towers are what is built now."""
    if levels < NEW_FROM_LEVELS or chance.unit("new", building) >= NEW_TOWERS:
        return None
    return chance.pick((date(2026, 4, 20), date(2027, 4, 20)), "warranty", building)


def _building(rng: random.Random, h: Home, community: str) -> Building:
    levels = h.levels or (
        18 if h.area_m2 < 520 and rng.random() < 0.25 else rng.choice((5, 6, 7, 7, 8))
    )
    return Building(
        id=h.id, name=h.name, street=h.street, house_number=h.house_number, address=h.address,
        lon=h.lon, lat=h.lat, outline_wkb=h.outline_wkb, levels=max(1, levels), use=h.use,
        area_m2=h.area_m2, district=h.district, community=community, substation="",
        warranty_until=_warranty(levels, h.id),
    )  # fmt: skip


def _several_doors(households: Sequence[Household]) -> list[Household]:
    """One owner in forty or so has a second flat, under a household number of its own."""
    out = list(households)
    for k, h in enumerate(households):
        if chance.unit("second flat", h.id) >= SECOND_FLATS:
            continue
        owner = households[int(chance.unit("owner of", h.id) * len(households))]
        out[k] = replace(
            h, owner_name=owner.owner_name, owner_phone=owner.owner_phone,
            owner_certificate=owner.owner_certificate,
        )  # fmt: skip
    return out


def _points(rng: random.Random, households: Sequence[Household], n: int) -> list[Point]:
    """Sensors in all buildings, more often where it is cold: gable, ground and top flats."""
    weight = [1.0 + 0.8 * h.gable + 0.5 * h.ground + 0.5 * h.top for h in households]
    keyed = ((rng.random() ** (1 / w), k) for k, w in enumerate(weight))
    chosen = sorted(k for _, k in sorted(keyed, reverse=True)[:n])
    return [
        Point(f"SW{j:05d}", households[k].id, households[k].building)
        for j, k in enumerate(chosen, start=1)
    ]


def _accounts(
    rng: random.Random, buildings: Sequence[Building], households: Sequence[Household]
) -> list[Account]:
    """One winter's arrears: neighbours owe alike, so a few quarters stand out from a low floor."""
    at = metres([(b.lon, b.lat) for b in buildings])
    centres = [
        (at[rng.randrange(len(at))], rng.uniform(350, 900), rng.uniform(0.08, 0.3))
        for _ in range(9)
    ]
    share: dict[str, float] = {}
    for b, (x, y) in zip(buildings, at.tolist(), strict=True):
        p = 0.03 + sum(
            top * math.exp(-((x - c[0]) ** 2 + (y - c[1]) ** 2) / (2 * r * r))
            for c, r, top in centres
        )
        share[b.id] = min(0.55, p * rng.uniform(0.6, 1.4))
    out: list[Account] = []
    for h in households:
        fee = int(h.heated_m2 * FEE_FEN_PER_M2)
        unpaid = rng.choice((fee, fee, fee // 2)) if rng.random() < share[h.building] else 0
        out.append(Account(h.id, max(0, unpaid)))
    return out


HOURS = (8, 7, 7, 8, 11, 17, 28, 35, 35, 28, 22, 19, 17, 16, 16, 17, 22, 30, 34, 32, 26, 20, 15, 10)
"""Requests of a January workday's hours for 60,000 households."""


COLD_SPELL = 1.2
"""The weeks before were severe already."""


def usual_hours(households: int) -> list[UsualHour]:
    """What earlier weeks counted, for the size of the company."""
    out: list[UsualHour] = []
    for hour, count in enumerate(HOURS):
        for day, factor in (("workday", 1.0), ("weekend", 0.86)):
            usual = max(1, round(count * COLD_SPELL * factor * households / 60_000))
            low, high = max(0, round(usual * 0.74)), round(usual * 1.3) + 1
            out.append(
                UsualHour("workday" if day == "workday" else "weekend", hour, low, usual, high)
            )
    return out
