"""What an address is answered with, and how a match of the book becomes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from dispatch_core.addresses import Book, Match
from server.adapters.address_sql import Details, Flat

Verdict = Literal["matched", "ambiguous", "unmatched"]
Precision = Literal["flat", "unit", "building", "street", "community", "none"]

NEAR_M = 60.0
"""Beyond this a coordinate names no building."""


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a place; the first that is given counts."""

    household: str | None = None
    text: str | None = None
    spot: tuple[float, float] | None = None
    """Longitude and latitude, WGS-84 degrees."""


class FoundBuilding(msgspec.Struct, frozen=True, kw_only=True):
    """A building of the register."""

    id: str
    address: str
    lon: float
    lat: float


class AddressCandidate(msgspec.Struct, frozen=True, kw_only=True):
    """A building that may be meant."""

    building: str
    address: str
    score: float
    reasons: list[str]


class AddressAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """Where an address is, as far as it is certain."""

    verdict: Verdict
    score: float
    precision: Precision
    building: FoundBuilding | None = None
    unit: int | None = None
    floor: int | None = None
    flat: str | None = None
    household: str | None = None
    reasons: list[str] = []
    candidates: list[AddressCandidate] = []
    street_spot: tuple[float, float] | None = None
    """The middle of the street or community that is certain, when the building is not."""
    area: str | None = None
    """The register's name of that street or community."""
    community: str | None = None
    district: str | None = None


def unmatched(*reasons: str, score: float = 0.0) -> AddressAnswer:
    """Nothing is known."""
    return AddressAnswer(verdict="unmatched", score=score, precision="none", reasons=list(reasons))


def household_answer(details: Details, household: str) -> AddressAnswer:
    """The flat of a household number."""
    flat = details.households.get(household)
    if flat is None:
        return unmatched("no_such_household")
    return _of_flat(details, flat, 1.0, ["household_number"])


def _of_flat(details: Details, flat: Flat, score: float, reasons: list[str]) -> AddressAnswer:
    building = details.buildings[flat.building]
    return AddressAnswer(
        verdict="matched", score=score, precision="flat",
        building=FoundBuilding(
            id=flat.building, address=building.address, lon=building.lon, lat=building.lat
        ),
        unit=flat.unit, floor=flat.floor, flat=flat.flat, household=flat.household,
        reasons=reasons, community=building.community, district=building.district or None,
    )  # fmt: skip


def spot_answer(details: Details, spot: tuple[float, float] | None) -> AddressAnswer:
    """The building nearest to a coordinate, surer the nearer it is."""
    if spot is None:
        return unmatched("nothing_asked")
    if spot not in details.near:
        return unmatched("no_building_near")
    building_id, metres = details.near[spot]
    building = details.buildings[building_id]
    return AddressAnswer(
        verdict="matched", score=round(1 - metres / (4 * NEAR_M), 3), precision="building",
        building=FoundBuilding(
            id=building_id, address=building.address, lon=building.lon, lat=building.lat
        ),
        reasons=["nearest_building"], community=building.community,
        district=building.district or None,
    )  # fmt: skip


def answer_of(book: Book, details: Details, match: Match) -> AddressAnswer:
    """A match of the book with what the register says of its buildings and flats."""
    if match.household is not None:
        return _with_household(book, details, match)
    if match.building is None:
        return _rough(book, details, match)
    building_id = book.ids[match.building]
    building = details.buildings.get(building_id)
    if building is None:  # gone since the book was made
        return unmatched("register_changed")
    reasons = list(match.reasons)
    precision: Precision = match.precision
    flat: Flat | None = None
    if match.flat is not None:
        flat, doubt = details.flat(building_id, match.unit, match.flat)
        if flat is None:
            reasons.append(doubt)
            precision = "building" if match.unit is None or doubt == "unit_unknown" else "unit"
    elif match.unit is not None and details.unit_is_unknown(building_id, match.unit):
        reasons.append("unit_unknown")
        precision = "building"
    return AddressAnswer(
        verdict="matched",
        score=match.score,
        precision=precision,
        building=FoundBuilding(
            id=building_id, address=building.address, lon=building.lon, lat=building.lat
        ),
        unit=flat.unit if flat else match.unit,
        floor=flat.floor if flat else match.floor,
        flat=flat.flat if flat else match.flat,
        household=flat.household if flat else None,
        reasons=reasons,
        candidates=_candidates(book, details, match),
        community=building.community,
        district=building.district or None,
    )


def _with_household(book: Book, details: Details, match: Match) -> AddressAnswer:
    """A household number that stands in the text is surer than the words beside it, unless they
    name another building."""
    flat = details.households.get(match.household or "")
    words = match._replace(household=None)
    if flat is None:
        if match.reasons == ("household_number",):
            return unmatched("no_such_household")
        said = answer_of(book, details, words)
        return msgspec.structs.replace(said, reasons=[*said.reasons, "no_such_household"])
    if match.building is not None and book.ids[match.building] != flat.building:
        said = answer_of(book, details, words)
        return AddressAnswer(
            verdict="ambiguous", score=said.score, precision="none",
            reasons=["household_elsewhere", *said.reasons], candidates=said.candidates,
        )  # fmt: skip
    return _of_flat(details, flat, 1.0, ["household_number"])


def _rough(book: Book, details: Details, match: Match) -> AddressAnswer:
    """What is certain although the building is not."""
    area, spot = None, None
    if match.precision == "community" and match.community is not None:
        area = book.communities[match.community]
        inside = book.in_community[match.community].values()
        spot = book.middle(b for many in inside for b in many)
    elif match.precision == "street" and match.street is not None:
        area = book.streets[match.street]
        spot = book.middle(b for many in book.at_number[match.street].values() for b in many)
    return AddressAnswer(
        verdict=match.verdict, score=match.score,
        precision=match.precision if spot is not None else "none",
        reasons=list(match.reasons), candidates=_candidates(book, details, match),
        street_spot=spot, area=area if spot is not None else None,
    )  # fmt: skip


def _candidates(book: Book, details: Details, match: Match) -> list[AddressCandidate]:
    return [
        AddressCandidate(
            building=book.ids[c.building],
            address=details.buildings[book.ids[c.building]].address,
            score=c.score,
            reasons=list(c.reasons),
        )
        for c in match.candidates
        if book.ids[c.building] in details.buildings
    ]


def merged(
    ours: Iterable[AddressCandidate], more: Iterable[AddressCandidate], most: int
) -> list[AddressCandidate]:
    """Candidates of two searches, the first ones first, each building once."""
    seen: dict[str, AddressCandidate] = {}
    for one in (*ours, *more):
        seen.setdefault(one.building, one)
    return list(seen.values())[:most]
