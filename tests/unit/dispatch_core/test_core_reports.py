"""The morning report: which day, every fact counted once, every figure named, frozen once."""

from __future__ import annotations

import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core import events as e
from dispatch_core import reports
from dispatch_core.errors import Conflict
from dispatch_core.ids import CrewId, Place, Words
from dispatch_core.reports import Freeze, Remark, Tally

ZONE = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 1, 14, tzinfo=UTC)
LABEL = e.TicketLabel(level="red", kind="leak", address="经纬街 128 号")
PLACE = Place(building="b1", lon=126.6, lat=45.7, address="x", community=None, district=None)
CLOCKS = e.Clocks(first_contact=1, respond=2, on_site=None, solved=3)
FACT: dict[str, Any] = {"ticket": LABEL, "due": None}
CREW: dict[str, Any] = {"crew": CrewId("C1"), "crew_name": "一班"}


def received(level: str = "red", reasons: list[str] | None = None) -> e.TicketReceived:
    label: Any = e.TicketLabel(level=level, kind="leak", address="x")  # type: ignore[arg-type]
    return e.TicketReceived(
        ticket=label, due=None, level_reason="danger", source="phone", place=PLACE, reports=1,
        resident=None, words=None, outage=None, clocks=CLOCKS, policy="p", reasons=reasons or [],
    )  # fmt: skip


def dispatched(**more: Any) -> e.TicketDispatched:
    return e.TicketDispatched(
        **FACT, **CREW, from_crew=None, by="person:wang", reason_code=None, reason=None, **more
    )


def closed(*, satisfied: bool | None) -> e.TicketClosed:
    return e.TicketClosed(**FACT, satisfied=satisfied, took_s=3600, crew_name="一班")


@pytest.mark.parametrize(
    ("local", "until"),
    [
        ((2026, 1, 14, 7, 30), "2026-01-14"),
        ((2026, 1, 14, 7, 29, 59), "2026-01-13"),
        ((2026, 1, 14, 23, 59), "2026-01-14"),
        ((2026, 1, 1, 0, 0), "2025-12-31"),
    ],
)
def test_the_report_of_a_day_runs_to_half_past_seven(local: tuple[int, ...], until: str) -> None:
    start, end = reports.due(datetime(*local, tzinfo=ZONE))  # type: ignore[misc, arg-type]
    assert reports.name_of(end) == until
    assert (end.hour, end.minute) == (start.hour, start.minute) == (7, 30)
    assert end - start == timedelta(days=1)
    assert start < end <= datetime(*local, tzinfo=ZONE)  # type: ignore[misc, arg-type]


def test_each_way_of_giving_out_a_ticket_counts_as_what_it_is() -> None:
    tally = Tally()
    given_out = [
        dispatched(), dispatched(decision="d", rank=1), dispatched(decision="d", rank=2),
        dispatched(decision="d", rank=None), dispatched(decision="d", rank=1, auto=True),
    ]  # fmt: skip
    for event in given_out:
        tally.take("ticket:1", event, 100, 0)
    figures = tally.figures()
    assert figures["dispatched_n"] == 5
    assert figures["by_hand_n"] == 1
    assert figures["first_choice_n"] == 1
    assert figures["overridden_n"] == 2
    assert figures["auto_confirmed_n"] == 1
    assert tally.by_crew()[0]["dispatched"] == 5


def test_call_backs_medians_and_repeats() -> None:
    tally = Tally()
    tally.take("ticket:1", received(reasons=["history:2"]), 0, 0)
    tally.take("ticket:2", received("blue"), 0, 0)
    tally.take("ticket:1", e.TicketConfirmed(**FACT, **CREW, on_site_by=9), 600, 0)
    tally.take("ticket:2", e.TicketConfirmed(**FACT, **CREW, on_site_by=9), 1200, 0)
    for told in (True, None):
        tally.take("ticket:1", closed(satisfied=told), 3600, 0)
    reopened = e.TicketReopened(
        **FACT, reason_code="dissatisfied", reason=None, source="phone", place=PLACE, reports=1,
        outage=None, received_at=0, clocks=CLOCKS, policy="p",
    )  # fmt: skip
    tally.take("ticket:2", reopened, 4000, 0)
    figures = tally.figures()
    assert (figures["received_red_n"], figures["received_blue_n"]) == (1, 1)
    assert figures["repeat_repairs_n"] == 1
    assert figures["median_respond_min"] == 15.0
    assert figures["median_on_site_min"] is None
    assert figures["median_solved_min"] == 60.0
    assert (figures["called_back_n"], figures["satisfied_n"]) == (2, 1)
    assert (figures["nobody_reached_n"], figures["dissatisfied_n"]) == (1, 1)
    assert tally.behind["repeat_repairs_n"] == ["ticket:1"]


@given(seed=st.integers(0, 10**9))
@settings(max_examples=50, deadline=None)
def test_every_count_has_as_many_records_behind_it(seed: int) -> None:
    dice = random.Random(seed)
    tally = Tally()
    made: Counter[type] = Counter()
    facts: list[e.Event] = []
    for n in range(200):
        event = dice.choice([
            received(dice.choice(["red", "yellow", "blue"])), dispatched(), closed(satisfied=True),
            e.DeadlinePassed(**FACT, clock="respond", deadline=1), e.CrewBack(name="一班", by="x"),
            e.LostContact(**FACT, state="confirmed", silent_since=1),
            received(reasons=["history:2"]), closed(satisfied=None),
            dispatched(decision="d", rank=dice.choice([1, 2, None])),
            dispatched(decision="d", rank=1, auto=True),
        ])  # fmt: skip
        made[type(event)] += 1
        facts.append(event)
        tally.take(f"ticket:{n}", event, n, 0)
    figures = tally.figures()
    for name, streams in tally.behind.items():
        assert figures[name] == len(streams)
    for kind, name in reports.COUNTED.items():
        assert figures[name] == made[kind]
    assert figures["respond_late_n"] == made[e.DeadlinePassed]
    levels = ("received_red_n", "received_yellow_n", "received_blue_n")
    assert sum(int(figures[name] or 0) for name in levels) == figures["received_n"]
    for name, streams in tally.behind.items():
        again = Tally()
        for n, event in enumerate(facts):
            if type(event) in reports.counted_in(name):
                again.take(f"ticket:{n}", event, n, 0)
        assert again.behind[name] == streams
    assert reports.counted_in("median_solved_min") == reports.counted_in("none_such") == []


def test_a_crew_that_comes_and_goes_is_one_ticket_without_a_proposal() -> None:
    tally = Tally()
    for again in (False, True, True):
        gone = e.TicketUnproposed(**FACT, since=1, rules={}, again=again)
        tally.take("ticket:1", gone, 9, 0)
    assert tally.figures()["without_proposal_n"] == 1


def test_every_figure_has_a_name_and_a_unit_in_both_languages() -> None:
    beside = {
        "solved_due_n": 1, "closing_rate_pct": 98.5, "open_n": 1, "open_red_n": 1,
        "outdoor_lowest_c": -30.0, "outdoor_mean_c": -24.5,
    }  # fmt: skip
    values = {**Tally().figures(), **beside}
    named = reports.figures(values)
    assert {f.name for f in named} == set(values)
    assert len({f.name for f in named}) == len(named)
    for figure in named:
        assert figure.zh
        assert figure.en
        assert figure.unit_zh
        assert figure.unit_en


def test_it_is_frozen_once_and_remarked_upon() -> None:
    span = reports.due(NOW.astimezone(ZONE))
    fact = reports.frozen(span, Tally(), {"open_n": 3}, [])
    (event,) = reports.decide(None, Freeze(frozen=fact), NOW)
    state = reports.apply(None, event, 1)
    assert reports.decide(state, Freeze(frozen=fact), NOW) == []
    words = Words(id="w-1", digest="d")
    remark = Remark(corrected=e.ReportCorrected(remark=words, by="person:li"))
    (said,) = reports.decide(state, remark, NOW)
    after = reports.apply(state, said, 2)
    assert after.frozen == state.frozen
    assert len(after.remarks) == 1
    with pytest.raises(Conflict) as none:
        reports.decide(None, remark, NOW)
    assert none.value.code == "not_frozen_yet"
    with pytest.raises(ValueError, match="cannot be the next"):
        reports.apply(None, said, 3)
