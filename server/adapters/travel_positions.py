"""The crews' places for dispatch: last fixes, states and the tickets they are at or drive to."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta

import asyncpg

from dispatch_core import crews
from dispatch_core.ids import CrewId, unix
from geo.positions import CrewPlace, Fix, Place, crew_place
from geo.travel import MICRO, TravelModel
from server.adapters import fix_checks, journal

RECENT = timedelta(minutes=3)
"""Fixes that tell whether a crew stands."""
ARRIVED = timedelta(minutes=30)
"""System time within which they arrived: tells the partitions; a crew silent for longer counts by
its last fix alone."""
MOST = 20
"""Fixes of a crew that are looked at; whether it stands is told by several, where it is by one."""
PREFIX = "crew:"


async def crew_places(
    c: asyncpg.Connection,
    company: int,
    now: datetime,
    model: TravelModel,
    register: Mapping[CrewId, crews.Crew] | None = None,
    most: int = MOST,
) -> list[CrewPlace]:
    """Every crew of the company, in order of their ids, by its `most` last fixes; of `register`
    where the caller has them loaded."""
    known = await _register(c, company) if register is None else register
    doing = {crew: state.doing for crew, state in known.items()}
    fixes = await _fixes(c, company, now, most)
    tickets = await _tickets(c, company, [t for _, t in doing.values() if t is not None])
    return [
        crew_place(
            crew,
            doing[crew][0],
            doing[crew][1],
            tickets.get(doing[crew][1] or ""),
            fixes.get(crew, []),
            unix(now),
            model,
            known[crew].position_lost_since,
        )
        for crew in sorted(known)
    ]


async def _register(c: asyncpg.Connection, company: int) -> dict[CrewId, crews.Crew]:
    rows = await c.fetch(
        "SELECT stream FROM stream_head WHERE company_id = $1 AND stream >= $2 AND stream < $3",
        company,
        PREFIX,
        PREFIX[:-1] + chr(ord(PREFIX[-1]) + 1),
    )
    heads = await journal.load_heads(c, [r[0] for r in rows])
    return {
        CrewId(stream.removeprefix(PREFIX)): head.state
        for stream, head in heads.items()
        if isinstance(head.state, crews.Crew)
    }


async def _fixes(
    c: asyncpg.Connection, company: int, now: datetime, most: int
) -> dict[str, list[Fix]]:
    """Each crew's last fix, after those of the minutes before it. A fix of the future, from a phone
    whose clock is wrong, counts with its arrival."""
    rows = await c.fetch(
        "SELECT l.crew_id, l.lon, l.lat, l.fixed_at, l.heard_at, f.lon AS before_lon,"
        " f.lat AS before_lat, f.fixed_at AS before_at, f.accuracy_m, f.speed_mps"
        " FROM crew_last_fix l LEFT JOIN LATERAL (SELECT * FROM crew_fix f"
        "   WHERE f.company_id = l.company_id AND f.crew_id = l.crew_id"
        "   AND f.fixed_at > l.fixed_at - $2::interval AND f.fixed_at <= l.fixed_at"
        "   AND f.received_at > now() - $4::interval AND f.verdict = ANY($6)"
        "   ORDER BY f.fixed_at DESC LIMIT $5) f ON true"
        " WHERE l.company_id = $1 AND l.heard_at <= $3 ORDER BY l.crew_id, f.fixed_at",
        company,
        RECENT,
        now,
        ARRIVED,
        most,
        fix_checks.GOOD,
    )
    found: defaultdict[str, list[Fix]] = defaultdict(list)
    for r in rows:
        # the last fix stands for itself also where its table was emptied
        own = r["before_at"] is not None
        found[r["crew_id"]].append(
            Fix(
                lon_u=_micro(r["before_lon"] if own else r["lon"]),
                lat_u=_micro(r["before_lat"] if own else r["lat"]),
                fixed_at=unix(r["before_at"] if own else r["fixed_at"]),
                heard_at=unix(r["heard_at"]),
                accuracy_m=None if r["accuracy_m"] is None else round(r["accuracy_m"]),
                speed_mmps=None if r["speed_mps"] is None else round(r["speed_mps"] * 1_000),
            )
        )
    return found


def _micro(degrees: float) -> int:
    return round(degrees * MICRO)


async def _tickets(c: asyncpg.Connection, company: int, wanted: list[str]) -> dict[str, Place]:
    rows = await c.fetch(
        "SELECT ticket_id, lon, lat FROM ticket WHERE company_id = $1 AND ticket_id = ANY($2)",
        company,
        wanted,
    )
    return {r[0]: (_micro(r[1]), _micro(r[2])) for r in rows}
