"""A register as rows of its tables: of an imported city, and of the demo."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from server.adapters.cities import BUILDING_COLUMNS
from server.adapters.register import RegisterTable
from server.adapters.vault import Vault
from server.demo.records import AnyBuilding, AnyPlace, Household, Register

_COMMUNITY_COLUMNS = ("community_id", "name", "district", "lon", "lat", "radius_m")
_HOUSEHOLD_COLUMNS = (
    "household_id", "building_id", "unit", "floor", "flat", "riser_ids", "area_m2", "gable",
    "ground_floor", "top_floor", "valve", "green_channel", "pseudonym", "lon", "lat",
    "heated_area_m2", "owner_certificate",
)  # fmt: skip
_COMMUNITY_PLACES = {"neighbourhood", "quarter", "suburb", "village", "town"}
_REACH_M = 500.0
"""How far an imported place is taken to reach: the map knows only its middle."""


def _building(b: AnyBuilding, community: str | None, substation: str | None) -> tuple[Any, ...]:
    return (
        b.id, b.name or "", b.street or "", b.house_number or "", b.address, b.lon, b.lat,
        b.outline_wkb, b.levels, b.area_m2, b.use, b.district or "", community, substation,
    )  # fmt: skip


def imported_tables(
    buildings: Sequence[AnyBuilding], places: Sequence[AnyPlace]
) -> list[RegisterTable]:
    """Buildings and communities of an imported city; its places stand for communities."""
    communities = {p.name: p for p in places if p.cls in _COMMUNITY_PLACES}
    districts = {b.community: b.district or "" for b in buildings if b.community}
    return [
        (
            "building",
            BUILDING_COLUMNS,
            [
                _building(b, f"place:{b.community}" if b.community in communities else None, None)
                for b in buildings
            ],
        ),
        (
            "community",
            _COMMUNITY_COLUMNS,
            [
                (f"place:{p.name}", p.name, districts.get(p.name, ""), p.lon, p.lat, _REACH_M)
                for p in communities.values()
            ],
        ),
    ]


def demo_tables(
    r: Register, vault: Vault, company: int, kept: Sequence[AnyBuilding]
) -> list[RegisterTable]:
    """The demo's register; `kept` are the imported city's buildings that it does not heat.

    Resident data goes only into `person`, sealed.
    """
    heated = {b.id for b in r.buildings}
    buildings = [(*_building(b, b.community, b.substation), b.warranty_until) for b in r.buildings]
    buildings += [(*_building(b, None, None), None) for b in kept if b.id not in heated]
    persons, households = _people(r, vault, company)
    return [
        (
            "community",
            _COMMUNITY_COLUMNS,
            [(c.id, c.name, c.district, c.lon, c.lat, c.radius_m) for c in r.communities],
        ),
        ("building", (*BUILDING_COLUMNS, "warranty_until"), buildings),
        (
            "node",
            ("node_id", "kind", "parent_id", "name", "lon", "lat", "supply_low_c"),
            [(n.id, n.kind, n.parent, n.name, n.lon, n.lat, n.supply_low_c) for n in r.nodes],
        ),
        ("person", ("pseudonym", "body", "name_index", "phone_index"), persons),
        ("household", _HOUSEHOLD_COLUMNS, households),
        (
            "point",
            ("point_id", "household_id", "building_id"),
            [(p.id, p.household, p.building) for p in r.points],
        ),
        (
            "usual_hour",
            ("day_type", "hour", "low", "usual", "high"),
            [(u.day_type, u.hour, u.low, u.usual, u.high) for u in r.usual_hours],
        ),
    ]


def _people(
    r: Register, vault: Vault, company: int
) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Rows of `person`, one per pseudonym, and of `household`, which knows only the pseudonym."""
    home = {b.id: (b.lon, b.lat) for b in r.buildings}
    persons: dict[str, tuple[Any, ...]] = {}
    households = []
    for h in r.households:
        person = vault.person(company, h.owner_name, h.owner_phone)
        persons[person.pseudonym] = (
            person.pseudonym,
            vault.seal_person(company, person),
            vault.blind_name(company, h.owner_name),
            vault.blind_phone(company, h.owner_phone),
        )
        number = h.owner_certificate
        certificate = vault.certificate(company, number) if number else None
        row = _household(h, person.pseudonym, home[h.building])
        households.append((*row, h.heated_m2, certificate))
    return list(persons.values()), households


def _household(h: Household, pseudonym: str, home: tuple[float, float]) -> tuple[Any, ...]:
    return (
        h.id, h.building, h.unit, h.floor, h.flat, list(h.risers), h.area_m2, h.gable, h.ground,
        h.top, h.has_valve, h.green_channel is not None, pseudonym, *home,
    )  # fmt: skip
