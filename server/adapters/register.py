"""The register in PostgreSQL: buildings, the heat tree, communities, points;
read for decisions, written in bulk."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any

import asyncpg
import msgspec

from dispatch_core import network, rooms, sentiment
from server.ports import Building, Node, Spot

_BUILDING = (
    "SELECT b.building_id, b.lon, b.lat, b.address, b.community_id, c.name AS community_name,"
    " b.district, b.substation_id"
    " FROM building b"
    " LEFT JOIN community c ON c.company_id = b.company_id AND c.community_id = b.community_id"
)
_HERE = " WHERE b.company_id = current_setting('heatops.company')::int"


RegisterTable = tuple[str, Sequence[str], Iterable[Sequence[Any]]]
"""A table's name, its columns without `company_id`, and its rows."""


async def load_buildings(c: asyncpg.Connection, wanted: Collection[str]) -> dict[str, Building]:
    """The buildings among `wanted` that the register knows."""
    if not wanted:
        return {}
    rows = await c.fetch(_BUILDING + _HERE + " AND b.building_id = ANY($1::text[])", list(wanted))
    return {r["building_id"]: _building(r) for r in rows}


def _building(r: asyncpg.Record) -> Building:
    return Building(
        id=r["building_id"],
        lon=r["lon"],
        lat=r["lat"],
        address=r["address"],
        community=r["community_id"],
        community_name=r["community_name"],
        district=r["district"],
        substation=r["substation_id"],
    )


async def load_nearest(c: asyncpg.Connection, spots: Collection[Spot]) -> dict[Spot, Building]:
    """The nearest building within 60 m of each spot, for those that have one."""
    if not spots:
        return {}
    wanted = sorted(spots)
    rows = await c.fetch(
        "SELECT k.i, n.* FROM unnest($1::float8[], $2::float8[]) WITH ORDINALITY AS k(lon, lat, i)"
        " CROSS JOIN LATERAL ("
        + _BUILDING
        + _HERE
        + " AND b.lat BETWEEN k.lat - 0.00054 AND k.lat + 0.00054"
        " AND b.lon BETWEEN k.lon - 0.00054 / cos(radians(k.lat))"
        " AND k.lon + 0.00054 / cos(radians(k.lat))"
        " ORDER BY (b.lat - k.lat) ^ 2 + ((b.lon - k.lon) * cos(radians(k.lat))) ^ 2, b.building_id"
        " LIMIT 1) AS n",
        [lon for lon, _ in wanted],
        [lat for _, lat in wanted],
    )
    return {wanted[r["i"] - 1]: _building(r) for r in rows}


async def load_nodes(c: asyncpg.Connection, wanted: Collection[str]) -> dict[str, Node]:
    """Plants, substations and buildings among `wanted`,
    each with the buildings and households behind it."""
    found: dict[str, Node] = {}
    for node_id in wanted:
        row = await c.fetchrow(
            "WITH RECURSIVE below AS ("
            "  SELECT node_id, kind, name, lon, lat, 0 AS depth FROM node"
            "   WHERE company_id = current_setting('heatops.company')::int AND node_id = $1"
            "  UNION ALL SELECT n.node_id, n.kind, n.name, n.lon, n.lat, b.depth + 1"
            "   FROM node n JOIN below b ON n.parent_id = b.node_id"
            "   WHERE n.company_id = current_setting('heatops.company')::int"
            "   AND n.kind IN ('primary', 'substation')),"
            " behind AS (SELECT building_id FROM building"
            "   WHERE company_id = current_setting('heatops.company')::int AND (building_id = $1"
            "   OR substation_id IN (SELECT node_id FROM below WHERE kind = 'substation'))),"
            " top AS (SELECT node_id, kind, name, lon, lat FROM below WHERE depth = 0"
            "   UNION ALL SELECT building_id, 'building', address, lon, lat FROM building"
            "   WHERE company_id = current_setting('heatops.company')::int AND building_id = $1)"
            " SELECT t.*, array(SELECT building_id FROM behind ORDER BY 1) AS buildings,"
            "  (SELECT count(*) FROM household h"
            "    WHERE h.company_id = current_setting('heatops.company')::int"
            "    AND h.building_id IN (SELECT building_id FROM behind)) AS households"
            " FROM top t LIMIT 1",
            node_id,
        )
        if row is not None and row["lon"] is not None:
            found[node_id] = Node(
                id=node_id,
                kind=row["kind"],
                name=row["name"],
                lon=row["lon"],
                lat=row["lat"],
                buildings=list(row["buildings"]),
                households=row["households"],
            )
    return found


async def point_sites(c: asyncpg.Connection) -> dict[str, rooms.Site]:
    """Where every room-temperature point hangs."""
    rows = await c.fetch(
        "SELECT p.point_id, b.building_id, b.lon, b.lat, b.address, b.community_id, n.node_id,"
        " n.name, n.lon AS nlon, n.lat AS nlat"
        " FROM point p"
        " JOIN building b ON b.company_id = p.company_id AND b.building_id = p.building_id"
        " LEFT JOIN node n ON n.company_id = b.company_id AND n.node_id = b.substation_id"
        " WHERE p.company_id = current_setting('heatops.company')::int"
    )
    return {
        r["point_id"]: msgspec.convert(
            {
                "building": r["building_id"],
                "lon": r["lon"],
                "lat": r["lat"],
                "address": r["address"],
                "community": r["community_id"],
                "substation": r["node_id"],
                "substation_name": r["name"],
                "substation_lon": r["nlon"],
                "substation_lat": r["nlat"],
            },
            rooms.Site,
        )
        for r in rows
    }


async def network_nodes(c: asyncpg.Connection) -> dict[str, network.Node]:
    """Plants and substations with their bounds."""
    rows = await c.fetch(
        "SELECT node_id, name, kind, lon, lat, coalesce(supply_low_c, 0) AS low FROM node"
        " WHERE company_id = current_setting('heatops.company')::int"
        " AND kind IN ('plant', 'substation') AND lon IS NOT NULL"
    )
    return {
        r["node_id"]: msgspec.convert(
            {
                "node": r["node_id"],
                "name": r["name"],
                "node_kind": r["kind"],
                "lon": r["lon"],
                "lat": r["lat"],
                "supply_low_c": r["low"],
            },
            network.Node,
        )
        for r in rows
    }


async def community_sites(c: asyncpg.Connection) -> dict[str, sentiment.Site]:
    """Communities on the map."""
    rows = await c.fetch(
        "SELECT community_id, name, lon, lat, radius_m FROM community"
        " WHERE company_id = current_setting('heatops.company')::int"
    )
    return {r[0]: sentiment.Site(name=r[1], lon=r[2], lat=r[3], radius_m=r[4]) for r in rows}


async def known(c: asyncpg.Connection, table: str) -> set[str]:
    """Every identifier of a register table: point, node, community, household or crew."""
    column = {
        "point": "point_id FROM point",
        "node": "node_id FROM node",
        "community": "community_id FROM community",
        "household": "household_id FROM household",
        "crew": "substr(stream, 6) FROM stream_head",
    }[table]
    only = " AND stream LIKE 'crew:%'" if table == "crew" else ""
    rows = await c.fetch(
        f"SELECT {column} WHERE company_id = current_setting('heatops.company')::int{only}"
    )
    return {r[0] for r in rows}


async def replace_table(
    c: asyncpg.Connection,
    company: int,
    table: str,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
) -> int:
    """Put a register table's rows of one company in place of those that were there;
    the caller's transaction, as owner."""
    names = ", ".join(columns)
    # By way of a temporary table: COPY straight in is refused under row-level security, which binds
    # an owner that is no superuser too.
    await c.execute(
        f"CREATE TEMP TABLE new_rows ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA"
    )
    records = list(rows)
    await c.copy_records_to_table(
        "new_rows", schema_name="pg_temp", columns=columns, records=records
    )
    await c.execute(f"DELETE FROM {table} WHERE company_id = $1", company)
    await c.execute(
        f"INSERT INTO {table} (company_id, {names}) SELECT $1, {names} FROM pg_temp.new_rows",
        company,
    )
    await c.execute("DROP TABLE pg_temp.new_rows")
    return len(records)
