"""The records behind a mark of the wall:
a point's readings, a crew, a node, a community, a cell, outages. No residents."""

from __future__ import annotations

from typing import Any

import asyncpg
import msgspec

from dispatch_core import crews, outages
from dispatch_core.ids import CrewId, OutageId, StoreId
from server.adapters import journal
from server.adapters.pool import Pool
from server.adapters.traces import ChainView, Traces, TraceStep
from server.usecases.crews import CrewAnswer
from server.usecases.crews import answer_of as crew_answer
from server.usecases.outages import OutageAnswer
from server.usecases.outages import answer_of as outage_answer
from server.usecases.stores import StoreAnswer
from server.usecases.stores import answer_of as store_answer


class OutageTrace(msgspec.Struct, frozen=True, kw_only=True):
    """An outage with everything that happened to it."""

    outage: OutageAnswer
    trace: list[TraceStep]
    chain: ChainView


class Records:
    """Reads of one company's records."""

    def __init__(self, pool: Pool, traces: Traces) -> None:
        self._pool = pool
        self._traces = traces

    async def outage(self, company: int, outage_id: str) -> OutageTrace | None:
        """An outage, open or ended, with everything that happened to it."""
        found = await self._traces.read(company, f"outage:{outage_id}")
        if found is None:
            return None
        answer = outage_answer(OutageId(outage_id), found.state)
        return OutageTrace(outage=answer, trace=found.steps, chain=found.chain)

    async def crew(self, company: int, crew_id: str) -> CrewAnswer | None:
        """A crew as it stands."""
        async with self._pool.company(company, readonly=True) as c:
            head = (await journal.load_heads(c, [f"crew:{crew_id}"])).get(f"crew:{crew_id}")
        if head is None or not isinstance(head.state, crews.Crew):
            return None
        return crew_answer(CrewId(crew_id), head.state)

    async def crews(self, company: int) -> list[CrewAnswer]:
        """Every crew, by id."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT stream FROM stream_head WHERE company_id = $1 AND stream LIKE 'crew:%'"
                " ORDER BY stream",
                company,
            )
            heads = await journal.load_heads(c, [r[0] for r in rows])
        return [crew_answer(CrewId(s.removeprefix("crew:")), heads[s].state) for s in sorted(heads)]

    async def stores(self, company: int) -> list[StoreAnswer]:
        """Every store, by id."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT stream FROM stream_head WHERE company_id = $1 AND stream LIKE 'store:%'",
                company,
            )
            heads = await journal.load_heads(c, [r[0] for r in rows])
        return [
            store_answer(StoreId(s.removeprefix("store:")), heads[s].state) for s in sorted(heads)
        ]

    async def outages(self, company: int, *, ended: bool) -> list[OutageAnswer]:
        """Outages, newest first: those that are open, or all of the last 500."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT stream FROM stream_head WHERE company_id = $1 AND stream LIKE 'outage:%'"
                " AND ($2 OR state::json->>'ended_at' IS NULL) ORDER BY stream DESC LIMIT 500",
                company,
                ended,
            )
            heads = await journal.load_heads(c, [r[0] for r in rows])
        found = []
        for row in rows:
            state = heads[row[0]].state
            if isinstance(state, outages.Outage) and (ended or state.ended_at is None):
                found.append(outage_answer(OutageId(row[0].removeprefix("outage:")), state))
        return found

    async def point(self, company: int, point_id: str) -> dict[str, Any] | None:
        """A room-temperature point at its building and its readings of the last 24 h of data."""
        async with self._pool.company(company, readonly=True) as c:
            site = await c.fetchrow(
                "SELECT p.point_id AS id, b.building_id AS building, b.address, b.lon, b.lat,"
                " b.substation_id AS substation"
                " FROM point p JOIN building b USING (company_id, building_id)"
                " WHERE p.company_id = $1 AND p.point_id = $2",
                company,
                point_id,
            )
            if site is None:
                return None
            rows = await c.fetch(
                "SELECT extract(epoch FROM read_at)::bigint AS read_at, celsius::float8 AS celsius"
                " FROM room_reading"
                " WHERE company_id = $1 AND point_id = $2"
                " AND received_at > now() - interval '2 days' ORDER BY read_at DESC LIMIT 96",
                company,
                point_id,
            )
        return {**dict(site), "readings": [dict(r) for r in rows]}

    async def node(self, company: int, node_id: str) -> dict[str, Any] | None:
        """A plant or substation and its latest readings."""
        async with self._pool.company(company, readonly=True) as c:
            node = await c.fetchrow(
                "SELECT node_id AS id, kind, parent_id AS parent, name, lon, lat,"
                " supply_low_c FROM node"
                " WHERE company_id = $1 AND node_id = $2",
                company,
                node_id,
            )
            if node is None:
                return None
            rows = await c.fetch(
                "SELECT extract(epoch FROM read_at)::bigint AS read_at, supply_c::float8,"
                " return_c::float8, flow_m3h::float8,"
                " makeup_m3h::float8, pressure_kpa::float8 FROM network_reading"
                " WHERE company_id = $1 AND node_id = $2 ORDER BY read_at DESC LIMIT 120",
                company,
                node_id,
            )
        return {**dict(node), "readings": [dict(r) for r in rows]}

    async def community(self, company: int, community_id: str) -> dict[str, Any] | None:
        """A community and what was counted of the latest mentions;
        their words stay where they are."""
        async with self._pool.company(company, readonly=True) as c:
            row: asyncpg.Record | None = await c.fetchrow(
                "SELECT community_id AS id, name, district, lon, lat, radius_m FROM community"
                " WHERE company_id = $1 AND community_id = $2",
                company,
                community_id,
            )
            if row is None:
                return None
            mentions = await c.fetch(
                "SELECT mention_id AS id, extract(epoch FROM said_at)::bigint AS said_at,"
                " value::float8, topic, channel FROM mention"
                " WHERE company_id = $1 AND community_id = $2 ORDER BY said_at DESC LIMIT 100",
                company,
                community_id,
            )
        return {**dict(row), "mentions": [dict(m) for m in mentions]}

    async def cell(self, company: int, key: str) -> dict[str, Any] | None:
        """What a cell of the arrears map has shown, newest first: bands, never counts."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT kind, extract(epoch FROM business_at)::bigint AS at, policy, body"
                " FROM journal WHERE company_id = $1 AND stream = $2"
                " ORDER BY version DESC LIMIT 100",
                company,
                f"cell:{key}",
            )
        if not rows:
            return None
        return {
            "id": key,
            "rounds": [
                {
                    "at": r["at"],
                    "band": msgspec.json.decode(r["body"]).get("band"),
                    "policy": r["policy"],
                }
                for r in rows
            ],
        }

    async def building_search(self, company: int, words: str) -> list[dict[str, Any]]:
        """Buildings whose address resembles the words, best first."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT building_id AS id, name, address, lon, lat, district,"
                " community_id AS community, similarity(address, $2)::float8 AS score FROM building"
                " WHERE company_id = $1 AND (address ILIKE '%' || $3 || '%' OR address % $2)"
                " ORDER BY score DESC, building_id LIMIT 20",
                company,
                words,
                words.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_"),
            )
        return [dict(r) for r in rows]
