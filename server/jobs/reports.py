"""The 07:30 report: the figures of 24 hours, frozen once a local day."""

from __future__ import annotations

from datetime import timedelta
from zoneinfo import ZoneInfo

from dispatch_core import reports
from dispatch_core.ids import stream_of
from server.adapters import report_reads
from server.adapters.engine_store import EngineTransaction

GRACE = timedelta(seconds=10)
"""What was decided before half past seven is committed by then."""


async def freeze(tx: EngineTransaction) -> int:
    """Freeze the newest report that is due, if it is not; a core that was down at half past seven
    catches it up, from the same facts."""
    span = reports.due((tx.now - GRACE).astimezone(ZoneInfo(await tx.timezone())))
    stream = stream_of("report", reports.name_of(span[1]))
    if not await report_reads.wanted(tx.connection, tx.company, stream):
        return 0
    heads = await tx.heads([stream])
    if stream not in heads or heads[stream] is not None:
        return 0
    tally = await report_reads.count(tx.connection, tx.company, span)
    more = await report_reads.beside(tx.connection, tx.company, span)
    reds = await report_reads.open_reds(tx.connection, tx.company, span[1])
    command = reports.Freeze(frozen=reports.frozen(span, tally, more, reds))
    facts = reports.decide(None, command, tx.now)
    tx.append(stream, facts, grounds="half past seven", policy="reports-1")
    return 1
