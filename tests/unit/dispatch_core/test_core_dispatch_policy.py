"""What work a ticket is, by the policy's table; figures that make no sense; the city's day."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from dispatch_town import AT, HOUR, OFFSET, POLICY
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core.dispatch import in_danger, work_of
from dispatch_core.dispatch.daytime import breaks_of, is_between, next_window, shift_at
from dispatch_core.errors import Unavailable
from dispatch_core.events import Pause
from server.adapters.policies import SHIPPED, read_policy


@pytest.mark.parametrize(
    ("kind", "level", "place", "reasons", "trade", "more"),
    [
        ("not_warm", "blue", "building", ["kind:不热"], "indoor", {"home_visit": True}),
        ("leak", "yellow", "building", ["danger:漏水"], "secondary", {"certificates": []}),
        ("leak", "red", "building", ["danger:爆管"], "secondary", {"certificates": ["welder"]}),
        ("leak", "red", "building", ["danger:井盖"], "primary", {"permits": ["confined_space"]}),
        ("repair", "red", "substation", [], "substation", {"certificates": ["low_voltage"]}),
        ("not_warm", "yellow", "plant", [], "plant", {"skill": 3}),
        ("new_connection", "blue", "building", [], "secondary", {"permits": ["hot_work"]}),
        ("question", "blue", "building", ["kind_unheard"], "indoor", {"minutes": 30}),
    ],
)
def test_work_by_kind_place_and_words(kind, level, place, reasons, trade, more) -> None:
    work = work_of(kind, level, place, reasons, "PUMP-7", POLICY)
    assert work.trade == trade
    assert {name: getattr(work, name) for name in more} == more
    assert work.equipment == "PUMP-7"


def test_a_boiler_is_known_by_its_record() -> None:
    work = work_of("repair", "red", "building", [], "qxx116-1.6/130/70-P", POLICY)
    assert (work.trade, work.certificates, work.skill) == ("plant", ["boiler"], 4)


def test_danger_is_heard_in_the_reasons() -> None:
    assert in_danger(["kind:不热", "danger:冒汽"])
    assert not in_danger(["kind:不热", "household:green_channel"])


@pytest.mark.parametrize(
    ("good", "bad", "named"),
    [
        ('home_until = "21:00"', 'home_until = "25:00"', "rules.home_until"),
        ('home_until = "21:00"', 'home_until = "07:00"', "rules.home_until"),
        ('night_from = "21:00"', 'night_from = "nine"', "rules.night_from"),
        ('night_territories = "all"', 'night_territories = [["a"], ["a"]]', "night_territories"),
        ("oxygen_max_pct = 23.5", "oxygen_max_pct = 19.0", "gas.oxygen_max_pct"),
        ("most = 3", "most = 9", "displacing.most"),
        ('levels = ["blue", "yellow"]', 'levels = ["red"]', "displacing.levels"),
        ('levels = ["blue", "yellow"]', 'levels = ["blue", "blue"]', "displacing.levels"),
        ("red = 10000, yellow", "red = 1, yellow", "weights.lateness"),
        ("travel = 1000", "travel = -1", "weights.travel"),
        ("travel = 1000", "travl = 1000", "travl"),
        ("cap_pm = 50", "cap_pm = 1001", "churn.cap_pm"),
        ("every_s = 20", "every_s = 0", "rounds.every_s"),
        ("iterations = 40000", "iterations = 0.5", "rounds.iterations"),
        ('red = "work", yellow', 'yellow', "rules.permit_before"),
        ('name = "leak"', 'name = "burst"', "jobs.burst"),
        ("minutes = 40", "minutes = 900", "jobs.not_warm"),
        ("minutes = 40", "minutes = 0", "jobs[7].minutes"),
        ('trade = "plant"', 'trade = "pipes"', "jobs[1].trade"),
        ('name = "visit"', 'name = "visit"\nkinds = ["question"]', "dispatch.jobs"),
    ],
)  # fmt: skip
def test_a_file_that_makes_no_sense_is_refused_with_the_field_named(
    tmp_path: Path, good: str, bad: str, named: str
) -> None:
    text = (SHIPPED / "default" / "default.toml").read_text("utf-8")
    head, dispatch = text.split("[dispatch]")
    assert good in dispatch
    file = tmp_path / "default.toml"
    file.write_text(f"{head}[dispatch]{dispatch.replace(good, bad, 1)}", "utf-8")
    with pytest.raises(Unavailable) as refusal:
        read_policy(file, "2026-2027", "Asia/Shanghai")
    assert refusal.value.code == "bad_policy"
    assert named in refusal.value.detail


_times = st.integers(0, 365 * 86_400).map(lambda s: AT + s)


@given(_times, st.integers(0, 23), st.integers(0, 23), st.integers(-12, 14))
def test_a_part_of_the_day_is_told_as_a_clock_tells_it(
    at: int, first: int, last: int, zone: int
) -> None:
    hour = (datetime.fromtimestamp(at, UTC) + timedelta(hours=zone)).hour
    inside = first <= hour < last if first <= last else hour >= first or hour < last
    assert is_between(at, zone * HOUR, f"{first:02}:00", f"{last:02}:00") == inside


@given(_times, st.integers(0, 13 * HOUR))
def test_homes_are_visited_whole_within_the_hours(at: int, lasts: int) -> None:
    window = next_window(at, OFFSET, "08:00", "21:00", lasts)
    assert at <= window.begins <= window.ends <= at + 2 * 86_400
    for start in window:
        assert (start + OFFSET) % 86_400 >= 8 * HOUR
        assert (start + OFFSET) % 86_400 + lasts <= 21 * HOUR


@given(_times, st.integers(0, 23), st.integers(0, 23))
def test_the_shift_that_runs_or_the_next(at: int, first: int, last: int) -> None:
    shift = shift_at(f"{first:02}:00-{last:02}:00", at, OFFSET)
    if first == last:
        assert shift is None
        return
    assert shift is not None
    assert shift.ends > at
    assert shift.begins - at <= 86_400
    assert (shift.begins + OFFSET) % 86_400 == first * HOUR
    assert shift.ends - shift.begins == (last - first) % 24 * HOUR


@pytest.mark.parametrize(
    "text", ["", "day", "08:00", "08:00-", "8-20", "08:00-08:00", "25:00-26:00"]
)
def test_what_is_no_shift(text: str) -> None:
    assert shift_at(text, AT, OFFSET) is None


def test_breaks_still_to_come() -> None:
    night = shift_at("20:00-06:00", AT, OFFSET)
    assert night is not None
    times = [("23:30", "00:30"), ("x", "y"), ("12:00", "13:00")]
    pauses = [Pause(after=after, before=before, minutes=30) for after, before in times]
    (rest,) = breaks_of(pauses, night, AT, OFFSET)
    assert (rest.begins - AT, rest.ends - AT) == (13 * HOUR + 1_800, 14 * HOUR + 1_800)
    assert breaks_of(pauses, night, rest.ends + 1, OFFSET) == []
