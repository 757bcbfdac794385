"""The 24 hours of a morning report, counted from the journal; and the reports that were frozen."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from datetime import UTC, datetime

import asyncpg
import msgspec

from dispatch_core import events, reports
from dispatch_core.events import HandedTicket, ReportFrozen
from dispatch_core.reports import Report, Tally
from server.adapters import journal
from server.adapters.handover_reads import drawn
from server.adapters.pool import Pool
from server.adapters.vault import Vault

MOST = 100
AT_ONCE = 1_000
"""Facts that are read and counted at once."""


class Remarked(msgspec.Struct, frozen=True, kw_only=True):
    """A remark on a report, opened for people of the desk."""

    text: str
    by: str


class ReportAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A frozen report; times are Unix seconds, figures are in the unit that their name ends with
    (`_n` pieces, `_min` minutes, `_pct` per cent, `_c` degrees Celsius)."""

    day: str
    company: str
    timezone: str
    version: int
    frozen_at: int
    report: ReportFrozen
    remarks: list[Remarked]


class ReportReads:
    """Reads of one company's morning reports."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def page(self, company: int, limit: int) -> list[str]:
        """The days that have a report, newest first."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT substr(stream, 8) FROM stream_head WHERE company_id = $1"
                " AND stream >= 'report:' AND stream < 'report;' ORDER BY stream DESC LIMIT $2",
                company,
                min(limit, MOST),
            )
        return [r[0] for r in rows]

    async def one(self, company: int, day: str) -> ReportAnswer | None:
        """The report of a day; None if there is none."""
        async with self._pool.company(company, readonly=True) as c:
            head = (await journal.load_heads(c, [f"report:{day}"])).get(f"report:{day}")
            if head is None:
                return None
            state: Report = head.state
            who = await c.fetchrow(
                "SELECT name, timezone FROM company WHERE company_id = $1", company
            )
            return ReportAnswer(
                day=day,
                company=who["name"],
                timezone=who["timezone"],
                version=state.version,
                frozen_at=state.frozen_at,
                report=state.frozen,
                remarks=[await self._remark(c, company, r) for r in state.remarks],
            )

    async def _remark(
        self, c: asyncpg.Connection, company: int, said: events.ReportCorrected
    ) -> Remarked:
        sealed = await c.fetchval(
            "SELECT body FROM person_words WHERE company_id = $1 AND words_id = $2",
            company,
            said.remark.id,
        )
        text = "" if sealed is None else self._vault.open_words(company, said.remark.id, sealed)
        return Remarked(text=text, by=said.by.removeprefix("person:"))

    async def behind(self, company: int, day: str, figure: str) -> list[str] | None:
        """The streams whose facts a figure counted, counted again from the journal; None if there
        is no report of the day."""
        found = await self.one(company, day)
        if found is None:
            return None
        span = (_time(found.report.from_at), _time(found.report.until_at))
        kinds = reports.counted_in(figure)
        if not kinds:
            return []
        async with self._pool.company(company, readonly=True) as c:
            return (await count(c, company, span, kinds)).behind.get(figure, [])


async def count(
    c: asyncpg.Connection,
    company: int,
    span: tuple[datetime, datetime],
    counted: Collection[type] = reports.ALL_COUNTED,
) -> Tally:
    """Every fact of a span of business time that a report counts, or those of some sorts. Counted
    by a thread, some at a time: on a great day they are a hundred thousand."""
    tally = Tally()
    found = await c.cursor(
        "SELECT j.stream, j.kind, j.v, j.body, extract(epoch FROM j.business_at)::bigint AS at,"
        " extract(epoch FROM t.received_at)::bigint AS received"
        " FROM journal j LEFT JOIN ticket t ON t.company_id = j.company_id"
        "  AND j.stream = 'ticket:' || t.ticket_id"
        " WHERE j.company_id = $1 AND j.business_at >= $2 AND j.business_at < $3"
        " AND j.kind = ANY($4::text[]) ORDER BY j.business_at, j.stream, j.version",
        company,
        *span,
        [events.kind_of(kind) for kind in counted],
    )
    while rows := await found.fetch(AT_ONCE):
        await asyncio.to_thread(_take, tally, rows)
    return tally


def _take(tally: Tally, rows: Sequence[asyncpg.Record]) -> None:
    for row in rows:
        event = events.decode(row["kind"], row["v"], row["body"].encode())
        tally.take(row["stream"], event, row["at"], row["received"])


async def wanted(c: asyncpg.Connection, company: int, stream: str) -> bool:
    """Whether a report is still to be made: it was not begun, and there has ever been a ticket."""
    found: bool = await c.fetchval(
        "SELECT EXISTS (SELECT FROM ticket WHERE company_id = $1)"
        " AND NOT EXISTS (SELECT FROM stream_head WHERE company_id = $1 AND stream = $2)",
        company,
        stream,
    )
    return found


async def beside(
    c: asyncpg.Connection, company: int, span: tuple[datetime, datetime]
) -> dict[str, float | int | None]:
    """Figures that no fact counts: what was due, what stood open at the end, the weather."""
    row = await c.fetchrow(
        "SELECT count(*) FILTER (WHERE solved_due_at >= $2 AND solved_due_at < $3"
        "   AND state <> 'cancelled') AS due,"
        " count(*) FILTER (WHERE solved_due_at >= $2 AND solved_due_at < $3"
        "   AND closed_at < $3 AND state <> 'cancelled') AS closed,"
        " count(*) FILTER (WHERE received_at < $3 AND (closed_at IS NULL OR closed_at >= $3))"
        "   AS open,"
        " count(*) FILTER (WHERE received_at < $3 AND (closed_at IS NULL OR closed_at >= $3)"
        "   AND level = 'red') AS open_red"
        " FROM ticket WHERE company_id = $1 AND (open OR solved_due_at >= $2 OR closed_at >= $2)",
        company,
        *span,
    )
    weather = await c.fetchrow(
        "SELECT round(min(outdoor_c)::numeric, 1)::float8,"
        " round(avg(outdoor_c)::numeric, 1)::float8"
        " FROM weather WHERE company_id = $1 AND observed_at >= $2 AND observed_at < $3",
        company,
        *span,
    )
    return {
        "solved_due_n": row["due"],
        "closing_rate_pct": round(100 * row["closed"] / row["due"], 1) if row["due"] else None,
        "open_n": row["open"],
        "open_red_n": row["open_red"],
        "outdoor_lowest_c": weather[0],
        "outdoor_mean_c": weather[1],
    }


async def open_reds(c: asyncpg.Connection, company: int, until: datetime) -> list[HandedTicket]:
    """The red tickets that stood open at a time, by deadline."""
    rows = await c.fetch(
        "SELECT 'ticket:' || ticket_id FROM ticket WHERE company_id = $1 AND level = 'red'"
        " AND received_at < $2 AND (closed_at IS NULL OR closed_at >= $2)",
        company,
        until,
    )
    heads = await journal.load_heads(c, [r[0] for r in rows])
    tickets = {name.removeprefix("ticket:"): head.state for name, head in heads.items()}
    return drawn(tickets, {}, {}, {}, "system:core", None).reds


def _time(at: int) -> datetime:
    return datetime.fromtimestamp(at, UTC)
