"""The register of a city's buildings, streets and places, in plain words, from what an
OpenStreetMap file holds."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.nearest import NONE, containing, nearest
from geo.shapes import Geometries, areas_m2, array, inner_points, point, to_wkb
from server.sources.osm import COMMUNITY_LEVEL, DISTRICT_LEVEL, Extract, Thing

STREET_WITHIN_M: Final = 300.0
PLACE_WITHIN_M: Final = 5_000.0
DISTRICT_PLACES = frozenset({"district"})
COMMUNITY_PLACES = frozenset({"suburb", "quarter", "neighbourhood"})
CITY_PLACES = ("city", "town", "village")
MAX_LEVELS: Final = 200


@dataclass(frozen=True, slots=True)
class BuildingRecord:
    """One building that addresses match against."""

    id: str
    """`osm:w123` (way) or `osm:r123` (relation)."""
    name: str | None
    street: str | None
    """As mapped, else the nearest named street within 300 m."""
    house_number: str | None
    address: str
    """Words a dispatcher can say; ends in 附近 when only the nearest street is known."""
    lon: float
    lat: float
    """A point inside the outline, WGS-84."""
    outline_wkb: bytes
    levels: int | None
    use: str
    """The value of the tag `building`, e.g. apartments; `yes` when the mapper did not say."""
    area_m2: float
    district: str | None
    community: str | None


@dataclass(frozen=True, slots=True)
class PlaceRecord:
    """A named place: city, district, suburb, neighbourhood, village, ..."""

    name: str
    cls: str
    lon: float
    lat: float


def places_of(extract: Extract) -> list[PlaceRecord]:
    """The named places, one for a name and class: seats of government first, then other nodes, then
    areas; else in the file's order."""
    rows = _of(extract, "place")
    points = inner_points(extract.shapes[rows])
    out: dict[tuple[str, str], PlaceRecord] = {}
    mapped = [(extract.things[i], p) for i, p in zip(rows, points.tolist(), strict=True)]
    for thing, (lon, lat) in sorted(mapped, key=_standing):
        out.setdefault((thing.name, thing.cls), PlaceRecord(thing.name, thing.cls, lon, lat))
    return list(out.values())


def _standing(mapped: tuple[Thing, object]) -> tuple[bool, bool]:
    thing = mapped[0]
    return "capital" not in thing.tags, not thing.id.startswith("n")


def city_name(places: list[PlaceRecord], extract: Extract) -> str | None:
    """The name of the largest kind of settlement, the one nearest to the middle; None when there is
    none."""
    lon, lat = extract.bounds.center
    for cls in CITY_PLACES:
        named = [p for p in places if p.cls == cls]
        if named:
            return min(named, key=lambda p: (p.lon - lon) ** 2 + (p.lat - lat) ** 2).name
    return None


def streets_of(extract: Extract) -> list[str]:
    """The names of all streets, sorted."""
    return sorted({t.name for t in extract.things if t.layer == "road" and t.name})


def buildings_of(extract: Extract, places: list[PlaceRecord]) -> list[BuildingRecord]:
    """Every building with its words: as tagged, else by its name, else by the street it stands
    nearest to."""
    rows = _of(extract, "building")
    shapes = extract.shapes[rows]
    points = inner_points(shapes)
    streets = _named(extract, [i for i in _of(extract, "road") if extract.things[i].name])
    near_street = _names(streets[1], nearest(points, streets[0], STREET_WITHIN_M))
    districts = _located(extract, places, points, DISTRICT_LEVEL, DISTRICT_PLACES)
    communities = _located(extract, places, points, COMMUNITY_LEVEL, COMMUNITY_PLACES)
    records = []
    for k, (wkb, area) in enumerate(zip(to_wkb(shapes), areas_m2(shapes).tolist(), strict=True)):
        thing = extract.things[rows[k]]
        tags = thing.tags
        street, number = tags.get("addr:street"), tags.get("addr:housenumber")
        district = districts[k] or tags.get("addr:district")
        records.append(
            BuildingRecord(
                id=f"osm:{thing.id}",
                name=thing.name or None,
                street=street or near_street[k],
                house_number=number,
                address=_address(thing, district, near_street[k]),
                lon=float(points[k, 0]),
                lat=float(points[k, 1]),
                outline_wkb=wkb,
                levels=levels_of(tags),
                use=thing.cls,
                area_m2=round(area, 1),
                district=district,
                community=communities[k],
            )
        )
    return records


def levels_of(tags: dict[str, str]) -> int | None:
    """Storeys above ground as tagged; None when not tagged or not a plausible number."""
    try:
        levels = float(tags.get("building:levels", ""))
    except ValueError:
        return None
    return round(levels) if isfinite(levels) and 0.5 <= levels <= MAX_LEVELS else None


def _address(thing: Thing, district: str | None, near: str | None) -> str:
    tags = thing.tags
    if full := tags.get("addr:full"):
        return full
    street, number = tags.get("addr:street"), tags.get("addr:housenumber")
    if number and number.isdecimal() and street and not street.isascii():
        number += "号"
    if street:
        words = [w for w in (street, number, thing.name) if w]
    elif thing.name and not any(c.isdecimal() for c in thing.name):
        words = [thing.name]
    elif near:  # a name like 4号楼 stands a hundred times in a city
        words = [f"{near} 附近", thing.name] if thing.name else [f"{near} 附近"]
    else:
        words = [thing.name or f"建筑 {thing.id}"]
    return " ".join([district, *words] if district else words)


def _located(
    extract: Extract,
    places: list[PlaceRecord],
    points: NDArray[np.float64],
    level: str,
    classes: frozenset[str],
) -> list[str | None]:
    """The administrative area around each point, else the nearest place of these classes."""
    areas = _named(extract, [i for i in _of(extract, "admin") if extract.things[i].cls == level])
    inside = _names(areas[1], containing(points, areas[0]))
    rows = [p for p in places if p.cls in classes]
    here = array([point(p.lon, p.lat) for p in rows])
    close = _names([p.name for p in rows], nearest(points, here, PLACE_WITHIN_M))
    return [a or b for a, b in zip(inside, close, strict=True)]


def _of(extract: Extract, layer: str) -> list[int]:
    return [i for i, thing in enumerate(extract.things) if thing.layer == layer]


def _named(extract: Extract, rows: list[int]) -> tuple[Geometries, list[str]]:
    return extract.shapes[rows], [extract.things[i].name for i in rows]


def _names(names: list[str], chosen: NDArray[np.int64]) -> list[str | None]:
    return [None if i == NONE else names[i] for i in chosen.tolist()]
