"""What dispatch decides from, read from PostgreSQL in one snapshot of one company."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import asyncpg

from dispatch_core.crews import Crew
from dispatch_core.dispatch import Held
from dispatch_core.ids import CrewId, StoreId, TicketId
from dispatch_core.stores import Store
from dispatch_core.tickets import Ticket
from geo.positions import CrewPlace
from geo.travel import TravelModel
from server.adapters.plan_store import plan_head
from server.adapters.streams import State, decode_state
from server.adapters.travel_positions import crew_places
from server.ports import CityPolicy


@dataclass(frozen=True)
class Snapshot:
    """Everything of one moment, as the streams and tables have it."""

    at: datetime
    tickets: Mapping[TicketId, Ticket]
    """Open ones on whose site there is still work."""
    crews: Mapping[CrewId, Crew]
    stores: Mapping[StoreId, Store]
    places: Mapping[CrewId, CrewPlace]
    visits: Mapping[str, dict[CrewId, int]]
    """Building -> crew -> how often it has worked there."""
    risers: Mapping[str, str]
    """Household -> its first riser."""
    substations: Mapping[str, str]
    """Building -> the substation that heats it."""
    plan: int
    held: Sequence[Held]


class States:
    """The states of a company's streams as they were read last: what has not moved since is neither
    sent nor decoded again."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, State]] = {}

    async def read(self, c: asyncpg.Connection, company: int) -> dict[str, State]:
        """Stream -> state of every open ticket on whose site there is still work, every crew and
        every store."""
        now: dict[str, int] = dict(
            await c.fetch(
                "SELECT h.stream, h.version FROM ticket t JOIN stream_head h"
                " ON h.company_id = t.company_id AND h.stream = 'ticket:' || t.ticket_id"
                " WHERE t.company_id = $1 AND t.open AND t.state <> 'verifying'"
                " UNION ALL SELECT stream, version FROM stream_head WHERE company_id = $1"
                " AND (stream >= 'crew:' AND stream < 'crew;'"
                "  OR stream >= 'store:' AND stream < 'store;')",
                company,
            )
        )
        known = {s: k for s, k in self._known.items() if now.get(s) == k[0]}
        for stream, version, text in await c.fetch(
            "SELECT stream, version, state FROM stream_head WHERE company_id = $1"
            " AND stream = ANY($2::text[])",
            company,
            [stream for stream in now if stream not in known],
        ):
            known[stream] = version, decode_state(stream, text)
        self._known = known
        return {stream: state for stream, (_, state) in known.items()}


@dataclass
class Impact:
    """How cold the buildings of open tickets are: read every minute, since it is a matter of
    hours and of many readings."""

    read_at: float = float("-inf")
    degree_hours_m: dict[str, int] = field(default_factory=dict)
    """Building -> thousandths of a degree-hour below 18 degC that its points add up to an hour."""


async def read_snapshot(
    c: asyncpg.Connection, company: int, now: datetime, city: CityPolicy, model: TravelModel,
    states: States,
) -> Snapshot:  # fmt: skip
    """The snapshot of a repeatable-read transaction."""
    opened: dict[TicketId, Ticket] = {}
    crews: dict[CrewId, Crew] = {}
    stores: dict[StoreId, Store] = {}
    for stream, state in (await states.read(c, company)).items():
        name = stream.partition(":")[2]
        if isinstance(state, Ticket):
            opened[TicketId(name)] = state
        elif isinstance(state, Crew):
            crews[CrewId(name)] = state
        elif isinstance(state, Store):
            stores[StoreId(name)] = state
    buildings = sorted({t.place.building for t in opened.values() if t.place.building})
    since = now - timedelta(days=city.dispatch.history_days)
    head = await plan_head(c, company)
    return Snapshot(
        at=now,
        tickets=opened,
        crews=crews,
        stores=stores,
        places={
            CrewId(p.crew): p for p in await crew_places(c, company, now, model, crews, most=1)
        },
        visits=await _visits(c, company, buildings, since),
        risers=await _risers(c, company, [t.household for t in opened.values() if t.household]),
        substations=dict(
            await c.fetch(
                "SELECT building_id, substation_id FROM building WHERE company_id = $1"
                " AND building_id = ANY($2::text[]) AND substation_id IS NOT NULL",
                company,
                buildings,
            )
        ),
        plan=head.version,
        held=head.stored.held if head.stored else (),
    )


async def _visits(
    c: asyncpg.Connection, company: int, buildings: Collection[str], since: datetime
) -> dict[str, dict[CrewId, int]]:
    found: dict[str, dict[CrewId, int]] = defaultdict(dict)
    for building, crew, times in await c.fetch(
        "SELECT building_id, crew_id, count(*) FROM ticket WHERE company_id = $1"
        " AND building_id = ANY($2::text[]) AND received_at > $3 AND state = 'closed'"
        " AND crew_id IS NOT NULL GROUP BY 1, 2 ORDER BY 1, 2",
        company,
        list(buildings),
        since,
    ):
        found[building][CrewId(crew)] = times
    return found


async def _risers(
    c: asyncpg.Connection, company: int, households: Collection[str]
) -> dict[str, str]:
    return dict(
        await c.fetch(
            "SELECT household_id, building_id || '/' || riser_ids[1] FROM household"
            " WHERE company_id = $1 AND household_id = ANY($2::text[])"
            " AND cardinality(riser_ids) > 0",
            company,
            list(households),
        )
    )


async def read_impact(
    c: asyncpg.Connection, company: int, now: datetime, window_s: int
) -> dict[str, int]:
    """Building -> thousandths of a degree below 18 degC, over the window's readings, summed over
    the points: so many degree-hours go by in each hour. Buildings with open tickets only."""
    since = now - timedelta(seconds=window_s)
    arrived = await c.fetchval(
        "SELECT min(received_at) FROM telemetry_batch WHERE company_id = $1"
        " AND kind = 'room-readings' AND business_at > $2",
        company,
        since,
    )
    if arrived is None:
        return {}
    rows = await c.fetch(
        "WITH near AS (SELECT p.point_id, p.building_id FROM point p WHERE p.company_id = $1"
        "  AND p.building_id IN (SELECT building_id FROM ticket WHERE company_id = $1 AND open"
        "  AND building_id IS NOT NULL)),"
        " cold AS (SELECT r.point_id, avg(greatest(0, 18 - r.celsius)) AS deficit"
        "  FROM room_reading r WHERE r.company_id = $1 AND r.received_at >= $2 AND r.read_at > $3"
        "  AND r.read_at <= $4 AND r.celsius BETWEEN -10 AND 40"
        "  AND r.point_id IN (SELECT point_id FROM near) GROUP BY 1)"
        " SELECT n.building_id, round(1000 * sum(c.deficit))::int FROM cold c"
        " JOIN near n USING (point_id) GROUP BY 1",
        company,
        arrived,
        since,
        now,
    )
    return {building: min(amount, 2_000_000_000) for building, amount in rows if amount > 0}
