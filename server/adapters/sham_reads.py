"""The month's work on site of all crews, counted from the journal."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import msgspec

from dispatch_core import events
from dispatch_core.events import Event
from dispatch_core.evidence import sham
from dispatch_core.evidence.sham import CrewMonth
from dispatch_core.ids import TicketId, split_stream
from server.adapters.pool import Pool

_KINDS = [
    events.kind_of(kind)
    for kind in (
        events.CheckedIn, events.CheckInOverruled, events.EvidenceWaived, events.PhotoJudged,
        events.PhotoOverruled, events.PhotoTaken,
    )
]  # fmt: skip


class ShamReport(msgspec.Struct, frozen=True, kw_only=True):
    """A month's crews, the likeliest to stand above the others first."""

    month: str
    prior: str
    """What was assumed of every share before a ticket was looked at."""
    level: float
    """The probability with which a share lies in its interval."""
    tickets: int
    doubtful: int
    crews: list[CrewMonth]


class ShamReads:
    """Reads of one company."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def month(self, company: int, name: str, since: datetime, until: datetime) -> ShamReport:
        """Tickets whose work on site was first spoken of in the month, with all that was said of
        them since."""
        told: defaultdict[TicketId, list[Event]] = defaultdict(list)
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT j.stream, j.kind, j.v, j.body FROM journal j"
                " JOIN (SELECT stream FROM journal WHERE company_id = $1 AND version = 1"
                "   AND stream >= 'evidence:' AND stream < 'evidence;'"
                "   AND business_at >= $2 AND business_at < $3) first USING (stream)"
                " WHERE j.company_id = $1 AND j.kind = ANY($4::text[])"
                " ORDER BY j.stream, j.version",
                company, since, until, _KINDS,
            )  # fmt: skip
        for row in rows:
            ticket = TicketId(split_stream(row[0])[1])
            told[ticket].append(events.decode(row[1], row[2], row[3].encode()))
        crews = sham.tallied(told)
        return ShamReport(
            month=name, prior="Jeffreys: Beta(1/2, 1/2)", level=sham.LEVEL,
            tickets=sum(tally.counts.tickets for tally in crews.values()),
            doubtful=sum(tally.counts.doubtful for tally in crews.values()),
            crews=sham.month(crews),
        )  # fmt: skip
