"""What the core's suspension jobs look for, in their transaction."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from dispatch_core.ids import VisitId
from dispatch_core.suspensions.visits import OpenVisit
from server.adapters.engine_store import EngineTransaction

AT_ONCE = 500
"""Applications that are taken in one transaction."""


class Unvisited(NamedTuple):
    """An approved application that no visit has been planned for."""

    application: str
    household: str


async def unvisited(tx: EngineTransaction) -> list[Unvisited]:
    """Those whose time for a visit has come, oldest first."""
    rows = await tx.connection.fetch(
        "SELECT a.application_id, a.household_id FROM application a"
        " JOIN household h USING (company_id, household_id)"
        " WHERE a.company_id = $1 AND a.state = 'approved' AND a.visit_id IS NULL"
        " AND a.visit_from <= $2 ORDER BY a.visit_from LIMIT $3",
        tx.company,
        tx.now,
        AT_ONCE,
    )
    return [Unvisited(*r) for r in rows]


async def open_visits(tx: EngineTransaction, buildings: Collection[str]) -> list[OpenVisit]:
    """Open visits of these buildings; the entrance is that of their first household."""
    rows = await tx.connection.fetch(
        "SELECT v.visit_id, v.action, v.building_id, v.risers,"
        " extract(epoch FROM v.due_at)::bigint AS due_at, h.unit FROM visit v"
        " JOIN stream_head s ON s.company_id = v.company_id AND s.stream = 'visit:' || v.visit_id"
        " JOIN household h ON h.company_id = v.company_id"
        "  AND h.household_id = s.state::jsonb #>> '{calls,0,household}'"
        " WHERE v.company_id = $1 AND v.open AND v.building_id = ANY($2::text[])",
        tx.company,
        list(buildings),
    )
    return [
        OpenVisit(
            visit=VisitId(r["visit_id"]), direction=r["action"], building=r["building_id"],
            unit=r["unit"], risers=list(r["risers"]), due_at=r["due_at"],
        )
        for r in rows
    ]  # fmt: skip


async def to_check(tx: EngineTransaction) -> list[str]:
    """Streams of households of which time alone has made something true."""
    rows = await tx.connection.fetch(
        "SELECT household_id FROM application WHERE company_id = $1 AND check_at <= $2"
        " ORDER BY check_at LIMIT $3",
        tx.company,
        tx.now,
        AT_ONCE,
    )
    return list(dict.fromkeys(f"heating:{r[0]}" for r in rows))
