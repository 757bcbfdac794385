"""How the evidence of each open ticket stands: what is to be told anew, and what was told."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

import asyncpg

from dispatch_core.ids import EvidenceNeed, TicketId
from server.adapters.columns import columns


class Untold(NamedTuple):
    """A record that has changed, or whose ticket or policy has, since it was told."""

    ticket: TicketId
    open: bool
    needs: EvidenceNeed | None
    since: datetime | None


class Told(NamedTuple):
    """What was told of a record."""

    ticket: TicketId
    version: int
    ticket_version: int
    policy: str
    open: bool
    needs: EvidenceNeed | None
    unjudged: bool
    rank: int
    """0 red, 1 yellow, 2 blue."""
    since: datetime | None
    crew: str | None
    """Who was there last."""


async def untold(c: asyncpg.Connection, company: int, policy: str, most: int) -> list[Untold]:
    """Records to be told anew; no fact is added to them until the transaction ends."""
    rows = await c.fetch(
        "SELECT s.ticket_id, s.open, s.needs, s.since FROM evidence_standing s"
        " JOIN ticket t USING (company_id, ticket_id)"
        " WHERE s.company_id = $1 AND (s.open OR s.version <> s.told_version)"
        " AND (s.version <> s.told_version OR t.version <> s.ticket_version OR s.policy <> $2)"
        " ORDER BY s.ticket_id LIMIT $3 FOR UPDATE OF s SKIP LOCKED",
        company, policy, most,
    )  # fmt: skip
    return [Untold(*row) for row in rows]


async def save(c: asyncpg.Connection, company: int, told: Sequence[Told]) -> None:
    """What was told; the rows were locked by `untold`."""
    if not told:
        return
    await c.execute(
        "UPDATE evidence_standing s SET told_version = u.version,"
        " ticket_version = u.ticket_version, policy = u.policy, open = u.open, needs = u.needs,"
        " unjudged = u.unjudged, rank = u.rank, since = u.since, crew_id = u.crew"
        " FROM unnest($2::text[], $3::int[], $4::int[], $5::text[], $6::bool[], $7::text[],"
        " $8::bool[], $9::smallint[], $10::timestamptz[], $11::text[])"
        " AS u(ticket_id, version, ticket_version, policy, open, needs, unjudged, rank, since,"
        " crew) WHERE s.company_id = $1 AND s.ticket_id = u.ticket_id",
        company, *columns(told),
    )  # fmt: skip
