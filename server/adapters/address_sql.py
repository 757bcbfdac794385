"""What the address book reads of the register: versions, buildings, flats, likenesses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, NamedTuple, Protocol

import asyncpg

from dispatch_core.addresses import Book, Match
from server.adapters.columns import columns

HERE = "current_setting('heatops.company')::int"
NEAR_DEG = 0.00054
"""60 m of latitude."""


class Asked(Protocol):
    """The part of a query that names things of the register."""

    @property
    def household(self) -> str | None: ...
    @property
    def spot(self) -> tuple[float, float] | None: ...


class Detail(NamedTuple):
    """A building, as answers show it."""

    address: str
    lon: float
    lat: float
    community: str | None
    district: str


class Flat(NamedTuple):
    """A household of the register."""

    household: str
    building: str
    unit: int
    floor: int
    flat: str


class StoredAlias(NamedTuple):
    """A taught wording."""

    alias: str
    kind: Literal["street", "community", "building"]
    means: str
    taught_by: str
    taught_at: datetime


@dataclass(slots=True)
class Details:
    """What the register says of the buildings and households in a batch of answers."""

    buildings: dict[str, Detail] = field(default_factory=dict)
    near: dict[tuple[float, float], tuple[str, float]] = field(default_factory=dict)
    """Spot -> (building, metres), where a building is near."""
    households: dict[str, Flat] = field(default_factory=dict)
    flats: dict[tuple[str, str], list[Flat]] = field(default_factory=dict)
    """(building, flat) -> the households there, one a unit"""
    units: dict[str, frozenset[int]] = field(default_factory=dict)

    def flat(self, building: str, unit: int | None, flat: str) -> tuple[Flat | None, str]:
        """The household of a door, or why there is none."""
        there = self.flats.get((building, flat), [])
        if unit is not None:
            here = [f for f in there if f.unit == unit]
            if len(here) == 1:
                return here[0], ""
            return None, "unit_unknown" if self.unit_is_unknown(building, unit) else "flat_unknown"
        if len(there) == 1:
            return there[0], ""
        return None, "unit_missing" if there else "flat_unknown"

    def unit_is_unknown(self, building: str, unit: int) -> bool:
        """Whether the register knows units of this building, but not this one."""
        known = self.units.get(building)
        return known is not None and unit not in known


async def version_of(c: asyncpg.Connection) -> int:
    """The register's version; 0 before its first change."""
    found: int | None = await c.fetchval(
        f"SELECT version FROM register_version WHERE company_id = {HERE}"
    )
    return found or 0


async def bump_register_version(c: asyncpg.Connection, company: int) -> None:
    """Buildings, communities, households or aliases changed: books are loaded anew. In the
    transaction of the change."""
    await c.execute(
        "INSERT INTO register_version (company_id, version) VALUES ($1, 1)"
        " ON CONFLICT (company_id) DO UPDATE SET version = register_version.version + 1",
        company,
    )


async def read_aliases(c: asyncpg.Connection) -> list[StoredAlias]:
    """Everything that was taught, newest first."""
    rows = await c.fetch(
        "SELECT alias, kind, means, taught_by, taught_at FROM address_alias"
        f" WHERE company_id = {HERE} ORDER BY taught_at DESC, alias"
    )
    return [StoredAlias(*r) for r in rows]


async def details_of(
    c: asyncpg.Connection, book: Book, queries: Sequence[Asked], matches: Sequence[Match]
) -> Details:
    """Everything that the answers to `queries` need, in a few statements."""
    details = Details()
    numbers = {
        h for q, m in zip(queries, matches, strict=True) if (h := q.household or m.household)
    }
    if numbers:
        rows = await c.fetch(
            "SELECT household_id, building_id, unit, floor, flat FROM household"
            f" WHERE company_id = {HERE} AND household_id = ANY($1::text[])",
            list(numbers),
        )
        details.households = {r["household_id"]: Flat(*r) for r in rows}
    wanted = {book.ids[b] for m in matches for b in _buildings(m)}
    wanted |= {f.building for f in details.households.values()}
    details.near = await nearest_of(c, [q.spot for q in queries if q.spot])
    wanted |= {b for b, _ in details.near.values()}
    details.buildings = await building_details(c, wanted)
    await _flats(c, book, matches, details)
    return details


def _buildings(match: Match) -> Iterable[int]:
    return [c.building for c in match.candidates] + (
        [match.building] if match.building is not None else []
    )


async def building_details(c: asyncpg.Connection, wanted: Iterable[str]) -> dict[str, Detail]:
    """Buildings by id, those that there are."""
    asked = list(wanted)
    if not asked:
        return {}
    rows = await c.fetch(
        "SELECT building_id, address, lon, lat, community_id, district FROM building"
        f" WHERE company_id = {HERE} AND building_id = ANY($1::text[])",
        asked,
    )
    return {r["building_id"]: Detail(*r[1:]) for r in rows}


async def community_names(c: asyncpg.Connection, wanted: Iterable[str]) -> dict[str, str]:
    """Names of communities by id."""
    rows = await c.fetch(
        f"SELECT community_id, name FROM community WHERE company_id = {HERE}"
        " AND community_id = ANY($1::text[])",
        list(wanted),
    )
    return {r[0]: r[1] for r in rows}


async def _flats(
    c: asyncpg.Connection, book: Book, matches: Sequence[Match], details: Details
) -> None:
    doors = {
        (book.ids[m.building], m.flat)
        for m in matches
        if m.building is not None and m.flat is not None
    }
    if doors:
        rows = await c.fetch(
            "SELECT h.household_id, h.building_id, h.unit, h.floor, h.flat, d.flat AS said"
            " FROM unnest($1::text[], $2::text[]) AS d(building, flat) JOIN household h"
            f" ON h.company_id = {HERE} AND h.building_id = d.building"
            " AND upper(ltrim(h.flat, '0')) = d.flat",
            *columns(list(doors)),
        )
        for r in rows:
            details.flats.setdefault((r["building_id"], r["said"]), []).append(Flat(*r[:5]))
    units = {book.ids[m.building] for m in matches if m.building is not None and m.unit is not None}
    if units:
        rows = await c.fetch(
            "SELECT building_id, array_agg(DISTINCT unit) AS units FROM household"
            f" WHERE company_id = {HERE} AND building_id = ANY($1::text[]) GROUP BY 1",
            list(units),
        )
        details.units = {r["building_id"]: frozenset(r["units"]) for r in rows}


async def nearest_of(
    c: asyncpg.Connection, spots: Sequence[tuple[float, float]]
) -> dict[tuple[float, float], tuple[str, float]]:
    """Spot -> (building, metres) of the nearest building within 60 m."""
    if not spots:
        return {}
    wanted = sorted(set(spots))
    rows = await c.fetch(
        "SELECT k.i, n.building_id, n.metres"
        " FROM unnest($1::float8[], $2::float8[]) WITH ORDINALITY AS k(lon, lat, i)"
        " CROSS JOIN LATERAL (SELECT b.building_id, 111195 * sqrt((b.lat - k.lat) ^ 2"
        "  + ((b.lon - k.lon) * cos(radians(k.lat))) ^ 2) AS metres FROM building b"
        f" WHERE b.company_id = {HERE}"
        f" AND b.lat BETWEEN k.lat - {NEAR_DEG} AND k.lat + {NEAR_DEG}"
        f" AND b.lon BETWEEN k.lon - {NEAR_DEG} / cos(radians(k.lat))"
        f"  AND k.lon + {NEAR_DEG} / cos(radians(k.lat))"
        " ORDER BY 2, 1 LIMIT 1) AS n WHERE n.metres <= 60",
        [lon for lon, _ in wanted],
        [lat for _, lat in wanted],
    )
    return {wanted[r["i"] - 1]: (r["building_id"], r["metres"]) for r in rows}


async def similar(
    c: asyncpg.Connection, words: str, most: int
) -> list[tuple[str, str, float, str | None]]:
    """(building, address, likeness 0 to 1, community's name) by three-letter groups, best first."""
    rows = await c.fetch(
        "SELECT s.building_id, b.address, s.score, k.name FROM similar_buildings($1, $2) s"
        f" JOIN building b ON b.company_id = {HERE} AND b.building_id = s.building_id"
        " LEFT JOIN community k ON k.company_id = b.company_id AND k.community_id = b.community_id"
        " ORDER BY s.score DESC, s.building_id",
        words,
        most,
    )
    return [(r[0], r[1], r[2], r[3]) for r in rows]


async def households_like(
    c: asyncpg.Connection, digits: str, most: int
) -> list[tuple[str, str, str, str | None]]:
    """(household, building, address, community's name) of the numbers that begin so."""
    rows = await c.fetch(
        "SELECT h.household_id, b.building_id, b.address, k.name FROM household h"
        " JOIN building b ON b.company_id = h.company_id AND b.building_id = h.building_id"
        " LEFT JOIN community k ON k.company_id = b.company_id AND k.community_id = b.community_id"
        f" WHERE h.company_id = {HERE} AND h.household_id LIKE $1 || '%'"
        " ORDER BY h.household_id LIMIT $2",
        digits,
        most,
    )
    return [tuple(r) for r in rows]
