"""The work on the site of one ticket as people look at it before they decide."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import msgspec
from msgspec.structs import replace

from dispatch_core import events, evidence, tickets
from dispatch_core.evidence import SiteRecord, SiteVisit, SlotPhoto, Standing
from dispatch_core.ids import Slot, TicketId
from geo import shapes
from server.adapters import journal
from server.adapters.evidence_views import (
    Allowed,
    EvidenceView,
    Fence,
    PhotoView,
    RawFix,
    Told,
    VisitView,
    photo_view,
    visit_view,
)
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.usecases.on_site import slots_owed
from server.usecases.ticket_answer import answer_of

FIXES_MOST = 500
AROUND = timedelta(minutes=10)
LONGEST = timedelta(hours=12)
"""Fixes are given for so long of a visit that nobody checked out of."""


class EvidenceReads:
    """Reads of one company's records."""

    def __init__(self, pool: Pool, policies: Policies) -> None:
        self._pool = pool
        self._policies = policies

    async def record(
        self, company: int, ticket_id: str, now: datetime, *, manager: bool
    ) -> EvidenceView | None:
        """The record of a ticket; None if there is no such ticket. `manager`: who asks may let
        work close without its photos."""
        of_ticket, of_site = f"ticket:{ticket_id}", f"evidence:{ticket_id}"
        city = await self._policies.at(company, now)
        async with self._pool.company(company, isolation="repeatable_read", readonly=True) as c:
            heads = await journal.load_heads(c, [of_ticket, of_site])
            if of_ticket not in heads:
                return None
            ticket: tickets.Ticket = heads[of_ticket].state
            record: SiteRecord = heads[of_site].state if of_site in heads else SiteRecord()
            told = await _facts(c, company, of_site)
            stands = evidence.standing(record, slots_owed(ticket, city), ticket.reopened)
            photos = await self._photos(c, company, TicketId(ticket_id), ticket, record, told)
            return EvidenceView(
                ticket=answer_of(TicketId(ticket_id), ticket, city), version=record.version,
                round=ticket.reopened, verdict=stands.verdict, slots=stands.slots,
                missing=stands.missing, site_review=stands.site_review,
                waived=record.waived_round == ticket.reopened,
                held=record.held,
                visits=[
                    await _visit(c, company, visit, told) for visit in record.visits
                ],
                photos=photos, fence=await _fence(c, company, ticket, city.evidence.fence.within_m),
                valves=record.valves, unanswered=record.unanswered,
                to_desk=record.unanswered >= city.evidence.no_answer_most,
                declined=record.declined,
                may=_may(record, stands, ticket, manager=manager),
            )  # fmt: skip

    async def _photos(
        self, c: asyncpg.Connection, company: int, ticket_id: TicketId, ticket: tickets.Ticket,
        record: SiteRecord, told: list[Told],
    ) -> dict[Slot, PhotoView]:  # fmt: skip
        gone = await _gone(c, company, [p.photo for p in record.photos.values()])
        is_open = ticket.state in tickets.OPEN
        views = {
            slot: photo_view(
                ticket_id, slot, held, told, gone=gone.get(held.photo),
                may=_may_photo(held, ticket.reopened) if is_open else [],
            )
            for slot, held in record.photos.items()
        }  # fmt: skip
        for slot, view in views.items():
            if view.suspect is not None:
                row = await c.fetchrow(
                    "SELECT crew_id, extract(epoch FROM taken_at)::bigint FROM evidence_job"
                    " WHERE company_id = $1 AND ticket_id = $2 AND slot = $3 AND photo_id = $4"
                    " ORDER BY taken_at LIMIT 1",
                    company, view.suspect.ticket, view.suspect.slot, view.suspect.photo,
                )  # fmt: skip
                if row is not None:
                    suspect = replace(view.suspect, crew=row[0], at=row[1])
                    views[slot] = replace(view, suspect=suspect)
        return views


def _may(
    record: SiteRecord, stands: Standing, ticket: tickets.Ticket, *, manager: bool
) -> list[Allowed]:
    """What was refused may be taken back, too."""
    if ticket.state not in tickets.OPEN:
        return []
    visited = any(visit.round == ticket.reopened for visit in record.visits)
    found: list[Allowed] = ["check-in"] if visited else []
    waives = manager and stands.verdict not in {"not_owed", "accept"}
    return [*found, "waive"] if waives else found


def _may_photo(held: SlotPhoto, round_: int) -> list[Allowed]:
    """A photo of an earlier round counts for nothing, and nobody decides on it any more."""
    if held.round != round_:
        return []
    found: list[Allowed] = []
    if not (held.overruled and held.verdict == "accept" and not held.again):
        found.append("accept")
    if not (held.overruled and held.verdict == "block"):
        found.append("refuse")
    return found if held.again else [*found, "again"]


async def _facts(c: asyncpg.Connection, company: int, stream: str) -> list[Told]:
    rows: Sequence[Any] = await c.fetch(
        "SELECT kind, v, body, extract(epoch FROM business_at)::bigint FROM journal"
        " WHERE company_id = $1 AND stream = $2 ORDER BY version",
        company,
        stream,
    )
    return [(events.decode(row[0], row[1], row[2].encode()), row[3]) for row in rows]


async def _visit(
    c: asyncpg.Connection, company: int, visit: SiteVisit, told: list[Told]
) -> VisitView:
    """With the crew's fixes from a little before it came until a little after it left."""
    came = datetime.fromtimestamp(visit.in_at, UTC)
    left = came + LONGEST if visit.out_at is None else datetime.fromtimestamp(visit.out_at, UTC)
    rows = await c.fetch(
        "SELECT round(extract(epoch FROM fixed_at) * 1000)::bigint, lon, lat, accuracy_m::float8,"
        " verdict FROM crew_fix WHERE company_id = $1 AND crew_id = $2"
        " AND fixed_at BETWEEN $3 AND $4 ORDER BY fixed_at LIMIT $5",
        company, visit.crew, came - AROUND, left + AROUND, FIXES_MOST + 1,
    )  # fmt: skip
    fixes = [
        RawFix(at_ms=row[0], lon=row[1], lat=row[2], accuracy_m=row[3], verdict=row[4])
        for row in rows[:FIXES_MOST]
    ]
    return visit_view(visit, told, fixes, cut=len(rows) > FIXES_MOST)


async def _fence(
    c: asyncpg.Connection, company: int, ticket: tickets.Ticket, within_m: float
) -> Fence:
    wkb = await c.fetchval(
        "SELECT outline FROM building WHERE company_id = $1 AND building_id = $2",
        company,
        ticket.place.building,
    )
    drawn = None if wkb is None else shapes.to_geojson(wkb)
    lon, lat = ticket.place.lon, ticket.place.lat
    return Fence(
        lon=lon, lat=lat, within_m=within_m,
        outline=None if drawn is None else msgspec.Raw(drawn.encode()),
        border=msgspec.Raw(shapes.around(wkb, lon, lat, within_m).encode()),
    )  # fmt: skip


async def _gone(c: asyncpg.Connection, company: int, photos: Sequence[str]) -> dict[str, int]:
    rows = await c.fetch(
        "SELECT photo_id, extract(epoch FROM gone_at)::bigint FROM photo"
        " WHERE company_id = $1 AND photo_id = ANY($2::text[]) AND gone_at IS NOT NULL",
        company,
        list(photos),
    )
    return {row[0]: row[1] for row in rows}
