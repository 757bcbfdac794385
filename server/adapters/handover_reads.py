"""What is handed over between shifts, as it stands now, and the handovers that were drawn up."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import asyncpg

from dispatch_core.cases import Case
from dispatch_core.crews import Crew
from dispatch_core.events import (
    HandedCrew,
    HandedOutage,
    HandedPromise,
    HandedTicket,
    HandoverDrawn,
)
from dispatch_core.handovers import Handover
from dispatch_core.ids import CrewId, HandoverId, OutageId, TicketId, Words, split_stream
from dispatch_core.outages import Outage
from dispatch_core.tickets import Ticket
from server.adapters import journal
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.usecases.handovers import HandoverAnswer, answer_of

MOST = 100


class HandoverReads:
    """Reads of one company's handovers."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def draw(self, company: int, by: str, note: Words | None) -> HandoverDrawn:
        """The list as it stands now."""
        async with self._pool.company(company, readonly=True) as c:
            return drawn(
                await _states(c, "ticket", "SELECT 'ticket:' || ticket_id FROM ticket"
                              " WHERE company_id = $1 AND open", company),
                await _states(c, "crew", "SELECT stream FROM stream_head WHERE company_id = $1"
                              " AND stream >= 'crew:' AND stream < 'crew;'", company),
                await _states(c, "outage", "SELECT 'outage:' || outage_id FROM outage"
                              " WHERE company_id = $1 AND open", company),
                await _states(c, "case", "SELECT 'case:' || case_id FROM external_case"
                              " WHERE company_id = $1 AND open", company),
                by,
                note,
            )  # fmt: skip

    async def page(self, company: int, limit: int) -> list[HandoverAnswer]:
        """The latest handovers, newest first, notes opened."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT stream FROM stream_head WHERE company_id = $1"
                " AND stream >= 'handover:' AND stream < 'handover;'"
                " ORDER BY stream DESC LIMIT $2",
                company,
                min(limit, MOST),
            )
            heads = await journal.load_heads(c, [r[0] for r in rows])
            return [
                await self._answer(c, company, split_stream(r[0])[1], heads[r[0]].state)
                for r in rows
            ]

    async def one(self, company: int, handover: str) -> HandoverAnswer | None:
        """One handover; None if there is no such."""
        async with self._pool.company(company, readonly=True) as c:
            stream = f"handover:{handover}"
            head = (await journal.load_heads(c, [stream])).get(stream)
            return None if head is None else await self._answer(c, company, handover, head.state)

    async def _answer(
        self, c: asyncpg.Connection, company: int, handover: str, state: Handover
    ) -> HandoverAnswer:
        note = state.drawn.note
        text = None
        if note is not None:
            sealed = await c.fetchval(
                "SELECT body FROM person_words WHERE company_id = $1 AND words_id = $2",
                company,
                note.id,
            )
            text = None if sealed is None else self._vault.open_words(company, note.id, sealed)
        return answer_of(HandoverId(handover), state, text)


def drawn(
    tickets: Mapping[str, Ticket],
    crews: Mapping[str, Crew],
    outages: Mapping[str, Outage],
    cases: Mapping[str, Case],
    by: str,
    note: Words | None,
) -> HandoverDrawn:
    """The list from the states by their names; reds first by deadline."""
    ordered = sorted(tickets.items(), key=lambda item: (_due_at(item[1]), item[0]))
    handed = {name: (t, _handed(name, t)) for name, t in ordered}
    levels = {"red": 0, "yellow": 0, "blue": 0}
    for _, ticket in ordered:
        levels[ticket.level] += 1
    return HandoverDrawn(
        reds=[h for t, h in handed.values() if t.level == "red"],
        overdue=[h for t, h in handed.values() if h.overdue and t.level != "red"],
        outages=[_outage(name, outages[name]) for name in sorted(outages)],
        silent=[
            HandedCrew(
                crew=CrewId(name), name=c.name, since=c.position_lost_since, ticket=c.doing[1]
            )
            for name, c in sorted(crews.items())
            if c.position_lost_since is not None
        ],
        lost=[h for t, h in handed.values() if t.lost_contact],
        promises=sorted(_promises(tickets, cases), key=lambda p: (p.by_at, p.ticket, p.what)),
        open=levels,
        note=note,
        by=by,
    )


def _due_at(ticket: Ticket) -> int:
    return ticket.due.at if ticket.due else 2**40


def _handed(name: str, t: Ticket) -> HandedTicket:
    due = t.due
    return HandedTicket(
        ticket=TicketId(name), version=t.version, level=t.level, kind=t.kind,
        address=t.place.address, state=t.state, crew_name=t.crew_name,
        due_clock=due.clock if due else None, due_at=due.at if due else None,
        overdue=due is not None and due.warned == "passed",
    )  # fmt: skip


def _outage(name: str, o: Outage) -> HandedOutage:
    return HandedOutage(
        outage=OutageId(name), name=o.name, node=o.node, buildings=len(o.buildings),
        households=o.households, opened_at=o.opened_at, expected_end_at=o.expected_end_at,
    )  # fmt: skip


def _promises(tickets: Mapping[str, Ticket], cases: Mapping[str, Case]) -> list[HandedPromise]:
    out = []
    for name, t in tickets.items():
        said: list[tuple[Any, int]] = []
        if t.appointed is not None:
            said.append(("appointment", t.appointed.until_at))
        if t.parts_wait is not None:
            said.append(("parts", t.parts_wait.expected_at))
        if t.state == "verifying":
            said.append(("call_back", t.clocks.solved))
        out += [
            HandedPromise(what=what, ticket=TicketId(name), address=t.place.address, by_at=at)
            for what, at in said
        ]
    for case in cases.values():
        due, ticket = case.due, tickets.get(case.ticket)
        if due is not None and ticket is not None:
            out.append(
                HandedPromise(
                    what="case_reply", ticket=case.ticket, address=ticket.place.address,
                    by_at=due.at,
                )
            )  # fmt: skip
    return out


async def _states(c: asyncpg.Connection, kind: str, names: str, company: int) -> dict[str, Any]:
    rows = await c.fetch(names, company)
    heads = await journal.load_heads(c, [r[0] for r in rows])
    return {stream.removeprefix(f"{kind}:"): head.state for stream, head in heads.items()}
