"""What commands about a visit ask for beside streams: locked tickets, and which parts there are."""

from __future__ import annotations

from collections.abc import Collection

import asyncpg

from dispatch_core.ids import TicketId


async def load_pinned(
    c: asyncpg.Connection, company: int, crews: Collection[str]
) -> dict[str, list[TicketId]]:
    """Crew -> the open tickets that are locked to it."""
    if not crews:
        return {}
    rows = await c.fetch(
        "SELECT pinned_crew_id, ticket_id FROM ticket WHERE company_id = $1 AND open"
        " AND pinned_crew_id = ANY($2::text[]) ORDER BY ticket_id",
        company,
        list(crews),
    )
    found: dict[str, list[TicketId]] = {}
    for r in rows:
        found.setdefault(r["pinned_crew_id"], []).append(r["ticket_id"])
    return found


async def load_stocked(c: asyncpg.Connection, company: int) -> set[str]:
    """The parts that lie in any store or on any van."""
    rows = await c.fetch(
        "SELECT DISTINCT p.part FROM stream_head h,"
        " jsonb_object_keys(coalesce(nullif(h.state::jsonb -> 'parts', 'null'), '{}')) AS p(part)"
        " WHERE h.company_id = $1 AND (h.stream LIKE 'store:%' OR h.stream LIKE 'crew:%')",
        company,
    )
    return {r["part"] for r in rows}
