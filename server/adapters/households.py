"""Flats of the register, read for decisions."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from server.ports import Building, Household

_HOUSEHOLD = (
    "SELECT h.household_id, h.unit, h.floor, h.flat, h.riser_ids,"
    " coalesce(h.heated_area_m2, h.area_m2) AS area_m2, h.owner_certificate, h.gable,"
    " h.ground_floor, h.top_floor, h.valve, h.green_channel, h.pseudonym,"
    " coalesce(h.warranty_until, b.warranty_until) AS warranty_until,"
    " b.building_id, coalesce(h.lon, b.lon) AS lon, coalesce(h.lat, b.lat) AS lat, b.address,"
    " b.community_id, k.name AS community_name, b.district, b.substation_id, p.name_index,"
    " a.unpaid_fen"
    " FROM household h"
    " JOIN building b ON b.company_id = h.company_id AND b.building_id = h.building_id"
    " LEFT JOIN community k ON k.company_id = b.company_id AND k.community_id = b.community_id"
    " LEFT JOIN person p ON p.company_id = h.company_id AND p.pseudonym = h.pseudonym"
    " LEFT JOIN account_balance a ON a.company_id = h.company_id"
    "  AND a.household_id = h.household_id"
    " WHERE h.company_id = current_setting('heatops.company')::int"
)


async def load_households(c: asyncpg.Connection, wanted: Collection[str]) -> dict[str, Household]:
    """The households among `wanted` that the register knows."""
    if not wanted:
        return {}
    rows = await c.fetch(_HOUSEHOLD + " AND h.household_id = ANY($1::text[])", list(wanted))
    return {r["household_id"]: household_of(r) for r in rows}


def household_of(r: asyncpg.Record) -> Household:
    """A row of the register as a household."""
    return Household(
        id=r["household_id"],
        building=Building(
            id=r["building_id"], lon=r["lon"], lat=r["lat"], address=r["address"],
            community=r["community_id"], community_name=r["community_name"],
            district=r["district"], substation=r["substation_id"],
        ),
        unit=r["unit"],
        floor=r["floor"],
        flat=r["flat"],
        risers=list(r["riser_ids"]),
        area_m2=r["area_m2"],
        gable=r["gable"],
        ground_floor=r["ground_floor"],
        top_floor=r["top_floor"],
        valve=r["valve"],
        green_channel=r["green_channel"],
        warranty_until=r["warranty_until"],
        resident=r["pseudonym"],
        owner_name=r["name_index"],
        owner_certificate=r["owner_certificate"],
        unpaid_fen=r["unpaid_fen"],
    )  # fmt: skip


async def load_photos(c: asyncpg.Connection, wanted: Collection[str]) -> frozenset[str]:
    """The photos among `wanted` that have been taken in."""
    if not wanted:
        return frozenset()
    rows = await c.fetch(
        "SELECT photo_id FROM photo WHERE photo_id = ANY($1::text[])"
        " AND company_id = current_setting('heatops.company')::int AND gone_at IS NULL",
        list(wanted),
    )
    return frozenset(r[0] for r in rows)
