"""The 07:30 report: the days there are, one day with its records, and the printed page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Annotated, Any, Literal, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler

from dispatch_core import reports
from dispatch_core.errors import Invalid
from dispatch_core.events import ReportCorrected
from dispatch_core.reports import Figure
from server.adapters.accounts import Role
from server.adapters.commits import Commits
from server.adapters.report_pages import Document, Table, fonts_in
from server.adapters.report_printer import Printer
from server.adapters.report_reads import ReportAnswer, ReportReads
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.api.pages import DIST
from server.usecases.reports import RemarkAnswer, RemarkReport

DESK: tuple[Role, ...] = ("administrator", "manager", "seat")


class ReportList(msgspec.Struct, frozen=True, kw_only=True):
    """Days that have a report, newest first."""

    items: list[str]


class ReportView(ReportAnswer, frozen=True, kw_only=True):
    """A report with its figures named, in the order in which they are read."""

    figures: list[Figure]


class Behind(msgspec.Struct, frozen=True, kw_only=True):
    """What a figure counted: journal streams, e.g. `ticket:260114-000123`, one for each time."""

    figure: str
    streams: list[str]


class RemarkBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A remark beside the frozen figures."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Writing(NamedTuple):
    """What a remark needs."""

    commits: Commits
    vault: Vault


def create_handlers(gate: Gate, reads: ReportReads, writing: Writing) -> list[BaseRouteHandler]:
    """List, read, trace, print, remark."""
    commits, vault = writing
    printer = Printer()

    @get("/api/reports", tags=["reports"])
    async def listed(request: Request[Any, Any, Any], limit: int = 60) -> ReportList:
        """The days that have a report."""
        principal = await gate.person(request, *DESK)
        return ReportList(items=await reads.page(principal.company, max(1, limit)))

    @get("/api/reports/{name:str}", tags=["reports"])
    async def one(
        request: Request[Any, Any, Any], name: str, language: Literal["zh", "en"] = "zh"
    ) -> Response[ReportView] | Response[bytes]:
        """The report of a day, `2026-01-14`, or printed, `2026-01-14.pdf`."""
        principal = await gate.person(request, *DESK)
        day = _day(name.removesuffix(".pdf"))
        report = found(await reads.one(principal.company, day), "report", day)
        view = ReportView(
            **{f: getattr(report, f) for f in report.__struct_fields__},
            figures=reports.figures(report.report.figures),
        )
        if not name.endswith(".pdf"):
            return Response(view)
        body = await printer.print(document(view, language))
        headers = {"Content-Disposition": f'inline; filename="report-{day}.pdf"'}
        return Response(body, media_type="application/pdf", headers=headers)

    @get("/api/reports/{day:str}/records", tags=["reports"])
    async def records(request: Request[Any, Any, Any], day: str, figure: str) -> Behind:
        """What a figure counted, counted again; nothing for one that counts no records."""
        principal = await gate.person(request, *DESK)
        streams = await reads.behind(principal.company, _day(day), figure)
        return Behind(figure=figure, streams=found(streams, "report", day))

    @post(
        "/api/reports/{day:str}/remarks",
        status_code=200,
        tags=["reports"],
        operation_class=described(
            RemarkBody, {"text": "含 02:10 文化街抢修"}, RemarkAnswer,
            {"day": "2026-01-14", "version": 2, "remarks": 1},
        ),
    )  # fmt: skip
    async def remark(request: Request[Any, Any, Any], day: str) -> Response[bytes]:
        """Write a remark beside the figures, which stay as they are."""
        principal = await gate.person(request, *DESK)
        key = idempotency_key(request)
        raw = await request.body()
        text = vault.words(principal.company, decode_body(raw, RemarkBody).text)
        command = reports.Remark(corrected=ReportCorrected(remark=text.words, by=principal.actor))
        use_case = RemarkReport(day=_day(day), command=command, text=text)
        answer = await commits.submit(
            principal, f"POST /api/reports/{day}/remarks", key, body_hash(raw), use_case
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [listed, one, records, remark]


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat()
    except ValueError:
        raise Invalid("bad_day", f"{text!r} is no day.", "Give it as 2026-01-14.") from None


_HEADS = {
    "zh": {
        "title": "{company} 早会报告", "under": "{since} 至 {until}（07:30 冻结，数据不再变动）",
        "demand": "受理与闭环", "clocks": "时限", "quality": "回访与重复报修", "dispatch": "调度",
        "network": "管网与室温", "cases": "外部转办与舆情", "weather": "天气",
        "crews": "班组（工单数）", "crew": "班组", "dispatched": "派发", "confirmed": "接单",
        "on_site": "到场", "finished": "完工", "reds": "在办红色工单", "no_reds": "无",
        "ticket": "工单", "address": "地址", "state": "班组 / 状态", "due": "最近时限",
        "remark": "备注",
    },
    "en": {
        "title": "{company}: morning report", "under": "{since} to {until}, frozen at 07:30",
        "demand": "Intake and closing", "clocks": "Clocks", "quality": "Call-backs and repeats",
        "dispatch": "Dispatch", "network": "Network and rooms", "cases": "Cases and public mood",
        "weather": "Weather", "crews": "Crews (tickets)", "crew": "Crew", "dispatched": "Given",
        "confirmed": "Taken", "on_site": "On site", "finished": "Finished",
        "reds": "Open red tickets", "no_reds": "None", "ticket": "Ticket", "address": "Address",
        "state": "Crew / state", "due": "Next deadline", "remark": "Remarks",
    },
}  # fmt: skip


_WITHOUT_CREW = {
    "zh": {"received": "待受理", "accepted": "待派发", "verifying": "待回访"},
    "en": {"received": "to accept", "accepted": "to dispatch", "verifying": "to verify"},
}


def document(view: ReportView, language: Literal["zh", "en"]) -> Document:
    """The report as it is printed."""
    words, bare, zone = _HEADS[language], _WITHOUT_CREW[language], ZoneInfo(view.timezone)

    def at(seconds: int) -> str:
        return f"{datetime.fromtimestamp(seconds, zone):%Y-%m-%d %H:%M}"

    figures = [
        Table(
            heading=words[group],
            rows=[[_name(f, language), _value(f, language)] for f in named],
            widths=[66, 34],
            align=["LEFT", "RIGHT"],
        )
        for group, named in _groups(view.figures)
    ]
    columns = ("dispatched", "confirmed", "on_site", "finished")
    crews = [[str(c["name"]), *(str(c[name]) for name in columns)] for c in view.report.by_crew]
    reds = [
        [
            r.ticket,
            r.address,
            r.crew_name or bare.get(r.state, r.state),
            at(r.due_at) if r.due_at else "-",
        ]
        for r in view.report.reds
    ]
    since, until = at(view.report.from_at), at(view.report.until_at)
    return Document(
        fonts=fonts_in(DIST / "assets"),
        title=words["title"].format(company=view.company),
        under=words["under"].format(since=since, until=until),
        figures=figures,
        wide=Table(
            heading=words["reds"],
            rows=[[words["ticket"], words["address"], words["state"], words["due"]], *reds]
            if reds
            else [[words["no_reds"]]],
            widths=[17, 45, 20, 18] if reds else [100],
            align=["LEFT", "LEFT", "LEFT", "RIGHT"] if reds else ["LEFT"],
            named=bool(reds),
        ),
        remarks=Table(
            heading=words["remark"],
            rows=[[r.by, r.text] for r in view.remarks],
            widths=[17, 83],
            align=["LEFT", "LEFT"],
        ),
        halves=Table(
            heading=words["crews"],
            rows=[[words["crew"], *(words[name] for name in columns)], *crews],
            widths=[38, 14, 14, 15, 19],
            align=["LEFT", "RIGHT", "RIGHT", "RIGHT", "RIGHT"],
            named=True,
        ),
        foot=view.company,
    )


def _groups(figures: Sequence[Figure]) -> Iterator[tuple[str, list[Figure]]]:
    for group, named in groupby(figures, key=lambda f: f.group):
        yield group, list(named)


def _name(figure: Figure, language: Literal["zh", "en"]) -> str:
    return figure.zh if language == "zh" else figure.en


def _value(figure: Figure, language: Literal["zh", "en"]) -> str:
    if figure.value is None:
        return "-"
    unit = figure.unit_zh if language == "zh" else figure.unit_en
    if figure.value == 1:
        unit = unit.removesuffix("s")
    return f"{figure.value:,} {unit}".replace("-", "−")
