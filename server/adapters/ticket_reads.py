"""Tickets for people and integrators: filtered lists by keyset, and one ticket with its trace."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec

from dispatch_core import tickets
from dispatch_core.errors import Invalid, Unavailable
from dispatch_core.ids import TicketId
from server.adapters.case_reads import cases_of_tickets
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.traces import ChainView, Trace, Traces, TraceStep
from server.adapters.vault import Vault
from server.adapters.written import Written, written_at
from server.ports import CityPolicy
from server.usecases.cases import CaseAnswer
from server.usecases.ticket_answer import TicketAnswer, answer_of

MOST = 500
_decode = msgspec.json.Decoder(tickets.Ticket).decode


class TicketTrace(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket with everything that happened to it and on its site, and the external cases on it:
    these have clocks of their own, whether or not the ticket is over."""

    ticket: TicketAnswer
    trace: list[TraceStep]
    """Of both streams, in the order in which it was written; each counts its own versions."""
    chain: ChainView
    evidence_chain: ChainView | None
    """Of the work on site; None where nothing was said of it."""
    cases: list[CaseAnswer]


class TicketWords(msgspec.Struct, frozen=True, kw_only=True):
    """What was written at the steps of a ticket, oldest first."""

    items: list[Written]


class TicketFilter(msgspec.Struct, frozen=True, kw_only=True):
    """What to list. `after` is the `next` of the page before.
    `figure` names a figure of the wall."""

    state: str | None = None
    level: str | None = None
    open: bool | None = None
    overdue: bool | None = None
    near: bool | None = None
    lost_contact: bool | None = None
    crew: str | None = None
    building: str | None = None
    community: str | None = None
    source: str | None = None
    received_from: int | None = None
    received_to: int | None = None
    figure: str | None = None
    limit: int = 50
    after: str | None = None


class TicketPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, newest first; `next` is None on the last one."""

    items: list[TicketAnswer]
    next: str | None
    total: int
    """How many tickets the filter finds, on all pages."""
    reports: int
    """How many calls or complaints those stand for."""


class TicketReads:
    """Reads of one company's tickets."""

    def __init__(self, pool: Pool, traces: Traces, policies: Policies, vault: Vault) -> None:
        self._pool = pool
        self._traces = traces
        self._policies = policies
        self._vault = vault

    async def _city(self, company: int, now: datetime) -> CityPolicy | None:
        """The rules in force; None while their file cannot be used: tickets are read even then."""
        try:
            return await self._policies.at(company, now)
        except Unavailable as refused:
            if refused.code != "bad_policy":
                raise
            return None

    async def page(self, company: int, wanted: TicketFilter, now: datetime) -> TicketPage:
        """A page of tickets.

        Raises:
            Invalid: `bad_page`, `after` is no `next` of ours; `bad_limit`; `bad_time`;
                `unknown_figure`.
        """
        if not 1 <= wanted.limit <= MOST:
            raise Invalid(
                "bad_limit", f"limit is {wanted.limit}.", f"Ask for 1 to {MOST} at a time."
            )
        where = ["t.company_id = $1"]
        args: list[object] = [company]

        def add(condition: str, *values: object) -> None:
            text = condition
            for value in values:
                args.append(value)
                text = text.replace("?", f"${len(args)}", 1)
            where.append(text)

        _conditions(wanted, now, add)
        all_pages, all_args = " AND ".join(where), list(args)
        if wanted.after is not None:
            add("(t.received_at, t.ticket_id) < (?, ?)", *_position(wanted.after))
        args.append(wanted.limit + 1)
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT t.ticket_id, t.received_at, h.state FROM ticket t JOIN stream_head h"
                " ON h.company_id = t.company_id AND h.stream = 'ticket:' || t.ticket_id"
                f" WHERE {' AND '.join(where)}"
                f" ORDER BY t.received_at DESC, t.ticket_id DESC LIMIT ${len(args)}",
                *args,
            )
            whole = await c.fetchrow(
                "SELECT count(*) AS total, coalesce(sum(t.reports), 0)::bigint AS reports"
                f" FROM ticket t WHERE {all_pages}",
                *all_args,
            )
        city = await self._city(company, now)
        shown = rows[: wanted.limit]
        last = shown[-1] if len(rows) > wanted.limit else None
        return TicketPage(
            items=[answer_of_row(r, city) for r in shown],
            next=f"{int(last['received_at'].timestamp())}.{last['ticket_id']}" if last else None,
            total=whole["total"],
            reports=whole["reports"],
        )

    async def trace(self, company: int, ticket_id: str, now: datetime) -> TicketTrace | None:
        """A ticket, every fact of it, and whether the chain holds; None if there is no such."""
        found = await self._traces.read(company, f"ticket:{ticket_id}")
        if found is None:
            return None
        answer = answer_of(TicketId(ticket_id), found.state, await self._city(company, now))
        site = await self._traces.read(company, f"evidence:{ticket_id}")
        async with self._pool.company(company, readonly=True) as c:
            hung = await cases_of_tickets(c, company, [ticket_id])
        return TicketTrace(
            ticket=answer, trace=_merged(found, site), chain=found.chain,
            evidence_chain=site.chain if site else None, cases=hung,
        )  # fmt: skip

    async def written(self, company: int, ticket_id: str, reader: str) -> TicketWords | None:
        """What people wrote at its steps, for `reader`, which is noted; None if there is no such
        ticket."""
        found = await self._traces.read(company, f"ticket:{ticket_id}")
        if found is None:
            return None
        of = f"ticket:{ticket_id}"
        steps = _merged(found, await self._traces.read(company, f"evidence:{ticket_id}"))
        return TicketWords(
            items=await written_at(self._pool, self._vault, company, steps, of=of, reader=reader)
        )


def _merged(ticket: Trace, site: Trace | None) -> list[TraceStep]:
    """What a crew said on site stands before what that made of the ticket in the same commit."""
    if site is None:
        return ticket.steps
    steps = [*site.steps, *ticket.steps]
    return sorted(steps, key=lambda step: (step.system_at, step.stream, step.version))


def answer_of_row(row: asyncpg.Record, city: CityPolicy | None) -> TicketAnswer:
    """A row with `ticket_id` and the stream's `state` as the API shows it."""
    return answer_of(row["ticket_id"], _decode(row["state"]), city)


_NAMED = {
    "crew": "? IN (t.crew_id, t.with_crew_id)", "building": "t.building_id = ?",
    "community": "t.community_id = ?",
}  # fmt: skip
"""Filters by the id of another thing."""


def _conditions(wanted: TicketFilter, now: datetime, add: Callable[..., None]) -> None:
    if wanted.state == "open":
        add("t.open")
    elif wanted.state is not None:
        add("t.state = ?", wanted.state)
    for column in ("level", "open", "overdue", "near", "lost_contact", "source"):
        value = getattr(wanted, column)
        if value is not None:
            add(f"t.{column} = ?", value)
    for name, condition in _NAMED.items():
        value = getattr(wanted, name)
        if value is not None:
            add(condition, value)
    if wanted.received_from is not None:
        add("t.received_at >= ?", _time(wanted.received_from))
    if wanted.received_to is not None:
        add("t.received_at < ?", _time(wanted.received_to))
    match wanted.figure:
        case None:
            pass
        case "requests":
            add("t.received_at > ? AND t.received_at <= ?", now - timedelta(hours=1), now)
        case "closing":  # what keeps the rate down: due in the last 7 days and not closed
            add("t.solved_due_at BETWEEN ? AND ?", now - timedelta(days=7), now)
            add("t.state NOT IN ('closed', 'cancelled')")
        case other:
            raise Invalid(
                "unknown_figure", f"There is no figure {other!r}.", "Figures: requests, closing."
            )


def _time(at: int) -> datetime:
    try:
        return datetime.fromtimestamp(at, UTC)
    except (OverflowError, ValueError, OSError):
        raise Invalid(
            "bad_time", f"{at} is no time.", "Give seconds since 1970-01-01 UTC."
        ) from None


def _position(after: str) -> tuple[datetime, str]:
    seconds, dot, ticket_id = after.partition(".")
    if not dot or not seconds.isdecimal() or len(seconds) > 11:
        raise Invalid(
            "bad_page", f"after={after!r} is no page.", "Give back `next` as it was answered."
        )
    return datetime.fromtimestamp(int(seconds), UTC), ticket_id
