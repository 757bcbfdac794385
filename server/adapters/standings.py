"""What operations and finance report of households: merged so that the newest report of each thing
stands, whatever the order of arrival."""

from __future__ import annotations

from datetime import datetime

import asyncpg

_MERGE = (
    "INSERT INTO household_standing AS h (company_id, season, household_id, network, network_at,"
    " valve, valve_at, billing, billed_fen, billed_at)"
    " SELECT $1, season, household_id,"
    "  (array_agg(network ORDER BY at DESC, network) FILTER (WHERE network IS NOT NULL))[1],"
    "  max(at) FILTER (WHERE network IS NOT NULL),"
    "  coalesce((array_agg(valve ORDER BY at DESC, valve) FILTER (WHERE valve IS NOT NULL))[1],"
    "   'unknown'),"
    "  max(at) FILTER (WHERE valve IS NOT NULL),"
    "  (array_agg(billing ORDER BY at DESC, billing, billed_fen)"
    "   FILTER (WHERE billing IS NOT NULL))[1],"
    "  (array_agg(billed_fen ORDER BY at DESC, billing, billed_fen)"
    "   FILTER (WHERE billing IS NOT NULL))[1],"
    "  max(at) FILTER (WHERE billing IS NOT NULL)"
    " FROM pg_temp.in_household_standing GROUP BY season, household_id"
    # one order for all: two batches about the same households wait, and never for one another
    " ORDER BY season, household_id"
    " ON CONFLICT (company_id, season, household_id) DO UPDATE SET"
    "  network = CASE WHEN {network} THEN excluded.network ELSE h.network END,"
    "  network_at = greatest(h.network_at, excluded.network_at),"
    "  valve = CASE WHEN {valve} THEN excluded.valve ELSE h.valve END,"
    "  valve_at = greatest(h.valve_at, excluded.valve_at),"
    "  billing = CASE WHEN {billed} THEN excluded.billing ELSE h.billing END,"
    "  billed_fen = CASE WHEN {billed} THEN excluded.billed_fen ELSE h.billed_fen END,"
    "  billed_at = greatest(h.billed_at, excluded.billed_at)"
    " WHERE {network} OR {valve} OR {billed}"
).format(
    **{
        name: f"excluded.{name}_at >= coalesce(h.{name}_at, '-infinity')"
        for name in ("network", "valve", "billed")
    }
)
"""A report that says nothing of a thing has no time for it: NULL, which is never newer."""


async def merge_reports(c: asyncpg.Connection, company: int, now: datetime) -> None:
    """Merge the reports that lie in the transaction's `in_household_standing`; each has its own
    time, so that of arrival plays no part."""
    del now
    await c.execute(_MERGE, company)
