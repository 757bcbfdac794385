"""The sham report of a month: per crew what was found, and how sure that is."""

from __future__ import annotations

import asyncio
import csv
import io
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler

from dispatch_core.errors import Invalid
from dispatch_core.evidence.sham import CrewMonth
from server.adapters.clock import BusinessClock
from server.adapters.policies import Policies
from server.adapters.sham_reads import ShamReads, ShamReport
from server.api.evidence import MANAGERS
from server.api.gate import Gate

_COLUMNS = (
    "crew", "crew_name", "tickets", "visits", "photos", "blocked", "freed", "refused", "waived",
    "out", "doubtful", "share", "low", "high", "above", "finding",
)  # fmt: skip


def create_handlers(
    gate: Gate, reads: ShamReads, policies: Policies, clock: BusinessClock
) -> list[BaseRouteHandler]:
    """`GET /api/reports/sham` and the same as CSV."""

    async def found(request: Request[Any, Any, Any], month: str) -> ShamReport:
        principal = await gate.person(request, *MANAGERS)
        city = await policies.at(principal.company, clock.now())
        since, until = _month(month, ZoneInfo(city.timezone))
        return await reads.month(principal.company, month, since, until)

    @get("/api/reports/sham", tags=["reports"])
    async def sham(request: Request[Any, Any, Any], month: str) -> ShamReport:
        """A month, `2026-01`: of every crew the tickets that stayed in doubt, and the probability
        that its true share lies above that of the others."""
        return await found(request, month)

    @get("/api/reports/sham.csv", tags=["reports"])
    async def table(request: Request[Any, Any, Any], month: str) -> Response[bytes]:
        """The same for a spreadsheet."""
        report = await found(request, month)
        body = await asyncio.to_thread(_table, report.crews)
        headers = {"Content-Disposition": f'attachment; filename="sham-{report.month}.csv"'}
        return Response(body, media_type="text/csv; charset=utf-8", headers=headers)

    return [sham, table]


def _month(text: str, zone: ZoneInfo) -> tuple[datetime, datetime]:
    try:
        since = datetime.strptime(text, "%Y-%m").replace(tzinfo=zone)
        until = since.replace(year=since.year + since.month // 12, month=since.month % 12 + 1)
    except ValueError:
        raise Invalid("bad_month", f"{text!r} is no month.", "Give it as 2026-01.") from None
    return since, until


def _table(crews: list[CrewMonth]) -> bytes:
    out = io.StringIO()
    lines = csv.writer(out)
    lines.writerow(_COLUMNS)
    for crew in crews:
        lines.writerow([_cell(getattr(crew, name)) for name in _COLUMNS])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _cell(value: object) -> object:
    """A name that a spreadsheet would take for a formula is text."""
    if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"}:
        return f"'{value}"
    return round(value, 4) if isinstance(value, float) else value
