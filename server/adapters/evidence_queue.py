"""Evidence that waits for a person: red tickets first, then who waited longest."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Literal

import asyncpg
import msgspec

from dispatch_core import tickets
from dispatch_core.errors import Invalid
from dispatch_core.evidence import SiteRecord, SlotState, desk_view
from dispatch_core.ids import (
    EPOCH,
    CrewId,
    EvidenceNeed,
    EvidenceVerdict,
    Level,
    Slot,
    TicketId,
    micros,
)
from server.adapters import journal
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.usecases.on_site import slots_owed

Wanted = Literal["review", "block", "unjudged"]
MOST = 200


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket whose evidence waits for a person. Times are Unix seconds."""

    ticket: TicketId
    level: Level
    kind: str
    address: str
    crew: CrewId | None
    """Who was there last."""
    crew_name: str | None
    verdict: EvidenceVerdict
    slots: dict[Slot, SlotState]
    needs: EvidenceNeed
    unjudged: bool
    site_review: bool
    """A check-in is in doubt."""
    since: int


class WaitingPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page; `next` is None on the last one."""

    items: list[Waiting]
    next: str | None


class EvidenceQueue:
    """Reads of one company's queue."""

    def __init__(self, pool: Pool, policies: Policies) -> None:
        self._pool = pool
        self._policies = policies

    async def page(
        self, company: int, now: datetime, *, state: Wanted | None, crew: str | None, limit: int,
        after: str | None,
    ) -> WaitingPage:  # fmt: skip
        """What waits, as the core last told it: within a second of the facts.

        Raises:
            Invalid: `bad_limit`; `bad_page`, `after` is no `next` of ours.
        """
        if not 1 <= limit <= MOST:
            raise Invalid("bad_limit", f"limit is {limit}.", f"Ask for 1 to {MOST} at a time.")
        query, args = _query(company, state, crew, limit, after)
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(query, *args)
            names = [f"{kind}:{r['ticket_id']}" for r in rows for kind in ("ticket", "evidence")]
            heads = await journal.load_heads(c, names)
        city = await self._policies.at(company, now)
        items = []
        for row in rows[:limit]:
            ticket: tickets.Ticket = heads[f"ticket:{row['ticket_id']}"].state
            record: SiteRecord = heads[f"evidence:{row['ticket_id']}"].state
            slots = slots_owed(ticket, city)
            seen = desk_view(record, slots, ticket.reopened)
            visits = [v for v in record.visits if v.round == ticket.reopened]
            items.append(
                Waiting(
                    ticket=row["ticket_id"], level=ticket.level, kind=ticket.kind,
                    address=ticket.place.address, crew=row["crew_id"],
                    crew_name=visits[-1].crew_name if visits else ticket.crew_name,
                    verdict=seen.verdict, slots=seen.slots, needs=row["needs"],
                    unjudged=row["unjudged"], site_review=any(v.needs_review for v in visits),
                    since=int(row["since"].timestamp()),
                )
            )  # fmt: skip
        last = rows[limit - 1] if len(rows) > limit else None
        return WaitingPage(items=items, next=None if last is None else _next(last))


def _query(
    company: int, state: Wanted | None, crew: str | None, limit: int, after: str | None
) -> tuple[str, list[object]]:
    args: list[object] = [company]
    where = ["s.company_id = $1", "s.needs IS NOT NULL"]

    def add(condition: str, *values: object) -> None:
        for value in values:
            args.append(value)
            condition = condition.replace("?", f"${len(args)}", 1)
        where.append(condition)

    if state == "unjudged":
        add("s.unjudged")
    elif state is not None:
        add("s.needs = ?", state)
    if crew is not None:
        add("s.crew_id = ?", crew)
    if after is not None:
        add("(s.rank, s.since, s.ticket_id) > (?, ?, ?)", *_position(after))
    args.append(limit + 1)
    return (
        "SELECT s.ticket_id, s.rank, s.since, s.needs, s.unjudged, s.crew_id"
        f" FROM evidence_standing s WHERE {' AND '.join(where)}"
        f" ORDER BY s.rank, s.since, s.ticket_id LIMIT ${len(args)}"
    ), args


def _next(row: asyncpg.Record) -> str:
    return f"{row['rank']}.{micros(row['since'])}.{row['ticket_id']}"


def _position(after: str) -> tuple[int, datetime, str]:
    try:
        rank, at, ticket = after.split(".", 2)
        return int(rank), EPOCH + timedelta(microseconds=int(at)), ticket
    except (ValueError, OverflowError):
        raise Invalid(
            "bad_page", f"{after!r} is no page of this list.", "Use the `next` of the page before."
        ) from None
