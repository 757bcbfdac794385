"""What a resident may see of a ticket by its link: the step reached, and when the crew comes."""

from __future__ import annotations

import hashlib
import math
from datetime import datetime
from typing import Literal, NamedTuple

import asyncpg
import msgspec

from dispatch_core.ids import Level, RequestKind, TicketId, TicketState, unix
from dispatch_core.tickets import Ticket
from realtime.layers import plan as plan_layer
from realtime.layers.rows import CrewDayRow
from server.adapters import journal
from server.adapters.pool import Pool
from server.adapters.vault import Vault

Step = Literal["accept", "dispatch", "handle", "verify", "close"]
ENDED_SHOWN_S = 24 * 3600
"""A link still says for a day that its ticket is over; then it leads nowhere."""
STALE_FIX_S = 600
"""An older fix says nothing of where the crew is."""
WINDOW_S = 15 * 60
"""An arrival is told as a window this much to either side, rounded outwards to five minutes."""
_REACHED: dict[TicketState, Step] = {
    "received": "accept", "accepted": "dispatch", "dispatched": "dispatch",
    "confirmed": "handle", "handling": "handle", "verifying": "verify", "closed": "close",
    "cancelled": "close",
}  # fmt: skip
_KINDS: dict[str, Step] = {
    "ticket_accepted": "accept", "ticket_confirmed": "dispatch", "ticket_handling": "handle",
    "ticket_verifying": "verify", "ticket_closed": "close",
}  # fmt: skip
STEPS: tuple[Step, ...] = ("accept", "dispatch", "handle", "verify", "close")


class StepView(msgspec.Struct, frozen=True, kw_only=True):
    """One of the five steps; `at` None: not done yet."""

    step: Step
    at: int | None


class FollowView(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket by its link: no person, no address, no number of a household."""

    company: str
    timezone: str
    kind: RequestKind
    level: Level
    state: TicketState
    step: Step
    """The step that is under way, or the last one."""
    steps: list[StepView]
    crew_distance_m: int | None
    """As the crow flies, to the next 100 m; None unless a crew is on its way."""
    arrive_from: int | None
    arrive_until: int | None
    waits_for: Literal["parts", "appointment"] | None
    updated_at: int
    ended: bool


def digest_of(token: str) -> str:
    """What is kept of a link's secret."""
    return hashlib.sha256(token.encode()).hexdigest()


class Contact(NamedTuple):
    """A ticket's resident, in plain: for a sealed message only."""

    pseudonym: str
    name: str | None
    phone: str


class Follow:
    """Reads by the secret of a link, without a session."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def contact(self, company: int, ticket: str) -> Contact | None:
        """Who can be written to about a ticket; None where no phone is known."""
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(
                "SELECT p.pseudonym, p.body FROM ticket t JOIN person p"
                " ON p.company_id = t.company_id AND p.pseudonym = t.resident"
                " WHERE t.company_id = $1 AND t.ticket_id = $2",
                company,
                ticket,
            )
        if row is None:
            return None
        person = self._vault.open_person(company, row["pseudonym"], row["body"])
        return Contact(row["pseudonym"], person.name, person.phone) if person.phone else None

    async def look(self, token: str, now: datetime) -> FollowView | None:
        """The ticket behind a link; None where the link leads nowhere (any more)."""
        async with self._pool.connection() as c:
            row = await c.fetchrow("SELECT * FROM linked_ticket($1)", digest_of(token))
        if row is None:
            return None
        company, ticket_id = row["company_id"], TicketId(row["ticket_id"])
        async with self._pool.company(company, readonly=True) as c:
            found = await _ticket(c, ticket_id)
            if found is None:
                return None
            ticket_id, ticket = found
            ended_at = ticket.closed_at
            if ended_at is not None and unix(now) - ended_at > ENDED_SHOWN_S:
                return None
            return await _view(c, company, ticket_id, ticket, now)


async def _ticket(c: asyncpg.Connection, name: TicketId) -> tuple[TicketId, Ticket] | None:
    """The ticket, or the open one that it was merged into."""
    for _ in range(8):
        head = (await journal.load_heads(c, [f"ticket:{name}"])).get(f"ticket:{name}")
        if head is None:
            return None
        ticket: Ticket = head.state
        if ticket.merged_into is None:
            return name, ticket
        name = ticket.merged_into
    return None


async def _view(
    c: asyncpg.Connection, company: int, name: TicketId, ticket: Ticket, now: datetime
) -> FollowView:
    who = await c.fetchrow("SELECT name, timezone FROM company WHERE company_id = $1", company)
    rows = await c.fetch(
        "SELECT kind, extract(epoch FROM business_at)::bigint AS at FROM journal"
        " WHERE company_id = $1 AND stream = $2 ORDER BY version",
        company,
        f"ticket:{name}",
    )
    done: dict[Step, int] = {}
    for row in rows:
        if row["kind"] in {"ticket_reopened", "ticket_displaced"}:
            done = {step: at for step, at in done.items() if step == "accept"}
        step = _KINDS.get(row["kind"])
        if step is not None:
            done[step] = row["at"]
    start = await _start(c, company, name, ticket)
    return FollowView(
        company=who["name"],
        timezone=who["timezone"],
        kind=ticket.kind,
        level=ticket.level,
        state=ticket.state,
        step=_REACHED[ticket.state],
        steps=[StepView(step=step, at=done.get(step)) for step in STEPS],
        crew_distance_m=await _distance(c, company, ticket, now),
        arrive_from=None if start is None else (start - WINDOW_S) // 300 * 300,
        arrive_until=None if start is None else -(-(start + WINDOW_S) // 300) * 300,
        waits_for=_waits_for(ticket, unix(now)),
        updated_at=unix(now),
        ended=ticket.state in {"closed", "cancelled"},
    )


def _waits_for(ticket: Ticket, at: int) -> Literal["parts", "appointment"] | None:
    if ticket.state in {"handling", "verifying", "closed", "cancelled"}:
        return None
    if ticket.parts_wait is not None:
        return "parts"
    agreed = ticket.appointed
    return "appointment" if agreed is not None and agreed.from_at > at else None


async def _start(c: asyncpg.Connection, company: int, name: TicketId, ticket: Ticket) -> int | None:
    """When its crew's plan has the visit begin; else what was agreed. A place in the plan without a
    crew may move with every round: nobody is told of it."""
    if ticket.state not in {"accepted", "dispatched", "confirmed"}:
        return None
    if ticket.crew is not None:
        body = await c.fetchval(
            "SELECT body FROM layer_row WHERE company_id = $1 AND topic = 'plan' AND key = $2",
            company,
            ticket.crew,
        )
        day: CrewDayRow | None = None if body is None else plan_layer.decode(body)
        for visit in day.visits if day else ():
            if name in visit.tickets:
                return visit.start_at
    return None if ticket.appointed is None else ticket.appointed.from_at


async def _distance(
    c: asyncpg.Connection, company: int, ticket: Ticket, now: datetime
) -> int | None:
    if ticket.state != "confirmed" or ticket.crew is None:
        return None
    row = await c.fetchrow(
        "SELECT lon, lat, extract(epoch FROM heard_at)::bigint AS at FROM crew_last_fix"
        " WHERE company_id = $1 AND crew_id = $2",
        company,
        ticket.crew,
    )
    if row is None or unix(now) - row["at"] > STALE_FIX_S:
        return None
    east = (row["lon"] - ticket.place.lon) * 111_320 * math.cos(math.radians(row["lat"]))
    north = (row["lat"] - ticket.place.lat) * 111_150
    return math.ceil(math.hypot(east, north) / 100) * 100
