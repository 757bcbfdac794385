"""The register given back, page by page: each page is a short transaction of its own, so that no
snapshot is held for minutes."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any

import asyncpg

from dispatch_core.crews import Crew
from dispatch_core.stores import Store
from server.adapters.imports.rows import ImportKind
from server.adapters.pool import Pool
from server.adapters.streams import decode_state
from server.adapters.vault import Vault

PAGE = 5_000
_AREA = re.compile(r"(?!.*\d{7})[\w .'-]{2,40}")
"""What an intake takes as the name of an area."""
Row = Mapping[str, Any]

_HERE = "company_id = current_setting('heatops.company')::int"
_HOUSEHOLDS = (
    "SELECT h.household_id AS key, h.household_id AS household, h.building_id AS building,"
    " b.address, h.unit, h.floor, h.flat, h.riser_ids AS risers, h.area_m2, h.heated_area_m2,"
    " h.gable, h.ground_floor, h.top_floor, h.valve, h.green_channel, h.warranty_until, h.lon,"
    " h.lat, h.pseudonym, p.body FROM household h"
    " LEFT JOIN building b USING (company_id, building_id)"
    " LEFT JOIN person p USING (company_id, pseudonym)"
    f" WHERE h.{_HERE} AND h.household_id > $1 ORDER BY h.household_id LIMIT $2"
)
_TREE = (
    "SELECT * FROM ("
    " SELECT 'a/' || community_id AS key, community_id AS node, 'community' AS kind,"
    "  NULL AS parent, name, lon, lat, NULL::float8 AS supply_low_c, NULL AS address,"
    "  NULL AS street, NULL AS house_number, district, NULL AS community, radius_m,"
    "  NULL::int AS levels, NULL::float8 AS area_m2, NULL AS use, NULL::date AS warranty_until,"
    f"  NULL::bytea AS outline FROM community WHERE {_HERE}"
    " UNION ALL SELECT 'b/' || node_id, node_id, kind, parent_id, name, lon, lat, supply_low_c,"
    "  NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL"
    f"  FROM node WHERE {_HERE}"
    " UNION ALL SELECT 'c/' || building_id, building_id, 'building', substation_id, name, lon, lat,"
    "  NULL, address, street, house_number, district, community_id, NULL, levels, area_m2, use,"
    f"  warranty_until, outline FROM building WHERE {_HERE}"
    ") AS tree WHERE key > $1 ORDER BY key LIMIT $2"
)
_CREWS = (
    f"SELECT stream AS key, state FROM stream_head WHERE {_HERE} AND stream LIKE 'crew:%'"
    " AND stream > $1 ORDER BY stream LIMIT $2"
)
_STORES = (
    f"SELECT stream AS key, state FROM stream_head WHERE {_HERE} AND stream LIKE 'store:%'"
    " AND stream > $1 ORDER BY stream LIMIT $2"
)
_POINTS = (
    "SELECT point_id AS key, point_id AS point, household_id AS household,"
    f" building_id AS building FROM point WHERE {_HERE} AND point_id > $1"
    " ORDER BY point_id LIMIT $2"
)
# By households, with one row for each season; the balance stands in the row of the newest.
_ACCOUNTS = (
    "SELECT h.household_id AS key, h.household_id AS household, s.season, a.household_id AS owes,"
    " a.unpaid_fen, a.balance_at, s.network, s.network_at, s.valve, s.valve_at, s.billing,"
    " s.billed_fen, s.billed_at,"
    " row_number() OVER (PARTITION BY h.household_id ORDER BY s.season DESC) AS nth FROM ("
    f"SELECT household_id FROM household WHERE {_HERE} AND household_id > $1"
    " ORDER BY household_id LIMIT $2) h"
    f" LEFT JOIN account_balance a ON a.{_HERE} AND a.household_id = h.household_id"
    f" LEFT JOIN household_standing s ON s.{_HERE} AND s.household_id = h.household_id"
    " ORDER BY h.household_id, s.season"
)
_TICKETS = (
    "SELECT t.ticket_id AS key, t.ticket_id AS ticket, t.kind, t.level, t.source,"
    " t.building_id AS building, t.household_id AS household, t.lon, t.lat, t.address AS place,"
    " t.reports, t.state, t.received_at, t.closed_at, t.resident AS pseudonym, p.body FROM ticket t"
    " LEFT JOIN person p ON p.company_id = t.company_id AND p.pseudonym = t.resident"
    f" WHERE t.{_HERE} AND t.ticket_id > $1 ORDER BY t.ticket_id LIMIT $2"
)
_QUERIES: dict[ImportKind, str] = {
    "households": _HOUSEHOLDS, "heat_tree": _TREE, "crews": _CREWS, "stores": _STORES,
    "points": _POINTS,
    "accounts": _ACCOUNTS, "tickets": _TICKETS,
}  # fmt: skip


class Exports:
    """Reads one company's register for its administrator."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def rows(self, company: int, kind: ImportKind) -> AsyncIterator[Sequence[Row]]:
        """All records of a kind, in pages, by key: field -> value, owners opened."""
        after = ""
        opened: Callable[[asyncpg.Connection, int, Sequence[Any]], Any] = self._opened(kind)
        while True:
            async with self._pool.company(company, readonly=True) as c:
                found = await c.fetch(_QUERIES[kind], after, PAGE)
                page: Sequence[Row] = await opened(c, company, found)
            if not found:
                return
            after = found[-1]["key"]
            yield page

    async def record(self, company: int, by: str, what: str) -> None:
        """Write down who took residents' data out of the house."""
        async with self._pool.company(company) as c:
            await c.execute(
                "INSERT INTO resident_access (company_id, by_whom, what) VALUES ($1, $2, $3)",
                company, by, what,
            )  # fmt: skip

    def _opened(self, kind: ImportKind) -> Callable[[asyncpg.Connection, int, Sequence[Any]], Any]:
        match kind:
            case "households":
                return self._households
            case "crews":
                return self._crews
            case "stores":
                return self._stores
            case "tickets":
                return self._tickets
            case "accounts":
                return self._accounts
            case "heat_tree" | "points":
                return self._plain

    @staticmethod
    async def _plain(c: asyncpg.Connection, company: int, found: Sequence[Any]) -> Sequence[Row]:
        del c, company
        return [dict(r) for r in found]

    @staticmethod
    async def _accounts(c: asyncpg.Connection, company: int, found: Sequence[Any]) -> Sequence[Row]:
        del c, company
        rows = []
        for r in found:
            if r["season"] is None and r["owes"] is None:
                continue
            row = dict(r)
            if r["nth"] > 1:
                row["unpaid_fen"] = row["balance_at"] = None
            if r["valve"] == "unknown" and r["valve_at"] is None:
                row["valve"] = None  # nobody has said anything
            rows.append(row)
        return rows

    async def _households(
        self, c: asyncpg.Connection, company: int, found: Sequence[Any]
    ) -> Sequence[Row]:
        del c
        # opening thousands is work of a tenth of a second: beside the loop
        return await asyncio.to_thread(
            lambda: [{**r, **self._person(company, r, "owner")} for r in found]
        )

    def _person(self, company: int, r: Any, role: str) -> Row:  # noqa: ANN401 - a record
        if r["body"] is None:
            return {}
        person = self._vault.open_person(company, r["pseudonym"], r["body"])
        return {f"{role}_name": person.name, f"{role}_phone": person.phone}

    @staticmethod
    async def _crews(c: asyncpg.Connection, company: int, found: Sequence[Any]) -> Sequence[Row]:
        del c, company
        rows = []
        for r in found:
            crew = decode_state(r["key"], r["state"])
            if not isinstance(crew, Crew):
                raise TypeError(r["key"])
            rows.append(
                {
                    "crew": r["key"].removeprefix("crew:"), "name": crew.name,
                    "trades": crew.trades, "certificates": crew.certificates,
                    "members": crew.members, "vehicle": crew.vehicle, "shift": crew.shift,
                    "skill": crew.skill, "territory": crew.territory,
                    "lon": crew.base.lon if crew.base else None,
                    "lat": crew.base.lat if crew.base else None,
                    "breaks": [f"{b.after}-{b.before}/{b.minutes}" for b in crew.breaks],
                    "equipment": crew.equipment, "parts": _pieces(crew.parts or {}),
                }
            )  # fmt: skip
        return rows

    @staticmethod
    async def _stores(c: asyncpg.Connection, company: int, found: Sequence[Any]) -> Sequence[Row]:
        """A row for each part; a store without parts is one row."""
        del c, company
        rows = []
        for r in found:
            store = decode_state(r["key"], r["state"])
            if not isinstance(store, Store):
                raise TypeError(r["key"])
            row = {
                "store": r["key"].removeprefix("store:"), "name": store.name, "lon": store.lon,
                "lat": store.lat,
            }  # fmt: skip
            parts = [{**row, "part": p, "pieces": n} for p, n in sorted(store.parts.items())]
            rows += parts or [row]
        return rows

    async def _tickets(
        self, c: asyncpg.Connection, company: int, found: Sequence[Any]
    ) -> Sequence[Row]:
        streams = [f"ticket:{r['key']}" for r in found]
        told = await c.fetch(
            "SELECT j.stream, w.words_id, w.body FROM ("
            "SELECT stream, version, body::json -> 'words' ->> 'id' AS words_id FROM journal"
            " WHERE company_id = $1 AND stream = ANY($2::text[])"
            " AND kind IN ('ticket_received', 'ticket_repeated')) j"
            " JOIN person_words w ON w.company_id = $1 AND w.words_id = j.words_id"
            " ORDER BY j.stream, j.version",
            company, streams,
        )  # fmt: skip
        words: dict[str, list[str]] = {}
        for t in told:
            text = self._vault.open_words(company, t["words_id"], t["body"])
            words.setdefault(t["stream"], []).append(text)
        rows = []
        for r in found:
            row = {**r, **self._person(company, r, "caller")}
            row["words"] = "\n".join(words.get(f"ticket:{r['key']}", ()))
            # a place without building is its coordinate and the name of its area
            row["area"] = r["place"] if not r["building"] and _AREA.fullmatch(r["place"]) else None
            if r["building"] or r["household"]:
                row["lon"] = row["lat"] = None
            rows.append(row)
        return rows


def _pieces(parts: Mapping[str, int]) -> list[str]:
    return [f"{part}:{pieces}" for part, pieces in sorted(parts.items())]
