"""The printed morning report: what stands on it, and on how many pages."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec
import pytest

from dispatch_core import reports
from dispatch_core.reports import Tally
from server.adapters.report_pages import Document, Table
from server.adapters.report_pdf import render
from server.api.reports import ReportView, document

Language = Literal["zh", "en"]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


def view(crews: Sequence[str], reds: int, remark: str = "") -> ReportView:
    """A report with one figure of each kind, so many crews and open reds."""
    red = {
        "version": 3, "level": "red", "kind": "leak", "state": "accepted", "crew_name": None,
        "address": "道里区 经纬街 128 号", "due_clock": "respond", "due_at": 1768347000,
        "overdue": False,
    }  # fmt: skip
    done = {"dispatched": 9, "confirmed": 8, "on_site": 8, "finished": 8}
    values = {**Tally().figures(), "open_n": 1, "closing_rate_pct": 98.5, "outdoor_lowest_c": -29.0}
    told = {
        "day": "2026-01-14", "company": "暖城热力", "timezone": "Asia/Shanghai", "version": 1,
        "frozen_at": 1768347000, "figures": [],
        "remarks": [{"text": remark, "by": "陈值班"}] if remark else [],
        "report": {
            "from_at": 1768260600, "until_at": 1768347000, "figures": values,
            "by_crew": [{"crew": f"C{n}", "name": name, **done} for n, name in enumerate(crews)],
            "reds": [{"ticket": f"260114-{n:06d}", **red} for n in range(reds)],
        },
    }  # fmt: skip
    return msgspec.structs.replace(
        msgspec.convert(told, ReportView), figures=reports.figures(values)
    )


def cells(made: Document) -> Iterator[str]:
    tables: list[Table] = [*made.figures, made.wide, made.remarks, made.halves]
    for table in tables:
        for row in table.rows:
            assert len(row) == len(table.widths) == len(table.align)
            yield from row


def pages(made: Document) -> int:
    printed = render(made)
    (count,) = re.findall(rb"/Count (\d+)", printed)
    return int(count)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_has_its_unit_and_no_code_is_printed(language: Language) -> None:
    made = document(view(["道南二次网一班"], 2, "含演练工单一件"), language)
    said = set(cells(made))
    assert said >= {"98.5 %", "−29.0 °C", "1 件" if language == "zh" else "1 ticket"}
    assert {"陈值班", "含演练工单一件"} <= said
    assert ("待派发" if language == "zh" else "to dispatch") in said
    assert not said & {"accepted", "leak", "red", "respond"}
    assert all(re.search(r"\D", value) for table in made.figures for _, value in table.rows)


def test_an_ordinary_day_is_two_pages_and_a_crowded_one_breaks_where_it_may() -> None:
    usual = [f"道北二次网{n}班" for n in range(50)]
    for language in LANGUAGES:
        assert pages(document(view(usual, 4), language)) == 2
    assert pages(document(view([], 0), "zh")) == 1
    long = [f"道南区第{n}换热站联合抢修大队" for n in range(200)]
    crowded = pages(document(view(long, 40, "夜间抢修。" * 400), "zh"))
    # 200 crews and 40 reds in single lines fill six pages; wrapped in half-width columns ten
    assert 6 <= crowded <= 9
