"""One point's readings: hysteresis, event time, and sensors that cannot be right."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core import events as e
from dispatch_core import rooms

SITE = rooms.Site(
    building="b1", lon=126.6, lat=45.7, address="经纬街 3号", community="c1", substation="s1",
    substation_name="一号站", substation_lon=126.61, substation_lat=45.71,
)  # fmt: skip


def run(*readings: tuple[int, float]) -> tuple[rooms.Point | None, list[str], list[str]]:
    point, kinds, verdicts = None, [], []
    for read_at, celsius in readings:
        outcome = rooms.decide(point, celsius, read_at, SITE)
        point = outcome.point
        verdicts.append(outcome.verdict)
        kinds.append(e.kind_of(type(outcome.event)) if outcome.event else "")
    return point, kinds, verdicts


def test_an_alarm_rises_below_18_and_clears_at_18_and_a_half() -> None:
    point, kinds, _ = run((1, 18.0), (2, 17.9), (3, 18.4), (4, 18.49), (5, 18.5), (6, 18.0))
    assert kinds == ["", "room_alarm_raised", "room_alarm_changed", "", "room_alarm_cleared", ""]
    assert point is not None
    assert point.alarm_since is None


def test_a_change_is_told_from_half_a_degree_on_since_the_last_one_told() -> None:
    _, kinds, _ = run((1, 17.0), (2, 16.7), (3, 16.6), (4, 16.5), (5, 16.9), (6, 17.0))
    assert kinds[1:] == ["", "", "room_alarm_changed", "", "room_alarm_changed"]


def test_an_older_reading_changes_nothing() -> None:
    point, kinds, verdicts = run((10, 17.0), (9, 25.0), (10, 25.0))
    assert kinds == ["room_alarm_raised", "", ""]
    assert verdicts == ["taken", "older", "older"]
    assert point == rooms.Point(celsius=17.0, read_at=10, alarm_since=10, told_c=17.0)


@pytest.mark.parametrize("celsius", [-40.1, 60.1, math.nan, math.inf, -math.inf])
def test_an_impossible_reading_is_never_an_alarm(celsius: float) -> None:
    assert run((1, celsius)) == (None, [""], ["impossible"])
    point, kinds, _ = run((1, 17.0), (2, celsius))
    assert kinds == ["room_alarm_raised", ""]
    assert point is not None
    assert point.read_at == 1


def test_an_alarm_says_where_and_what_heats_it() -> None:
    outcome = rooms.decide(None, 16.0, 5, SITE)
    assert outcome.event == e.RoomAlarmRaised(
        celsius=16.0, bound_c=18.0, read_at=5, building="b1", lon=126.6, lat=45.7,
        address="经纬街 3号", community="c1", substation="s1", substation_name="一号站",
        substation_lon=126.61, substation_lat=45.71,
    )  # fmt: skip


@given(st.lists(st.tuples(st.integers(0, 50), st.floats(-60, 80) | st.just(math.nan))))
def test_facts_alone_give_the_alarm(readings: list[tuple[int, float]]) -> None:
    point, told = None, None
    for read_at, celsius in readings:
        outcome = rooms.decide(point, celsius, read_at, SITE)
        if outcome.event is not None:
            told = rooms.apply(told, outcome.event, 0)
        point = outcome.point
        alarm = (point.alarm_since, point.told_c) if point else (None, None)
        assert alarm == ((told.alarm_since, told.told_c) if told else (None, None))
        if point and point.alarm_since is not None:
            assert point.celsius < 18.5
        elif point:
            assert point.celsius >= 18.0


def test_a_fact_of_another_kind_is_a_broken_journal() -> None:
    with pytest.raises(ValueError, match="no fact"):
        rooms.apply(None, e.RoomAlarmChanged(celsius=1, read_at=1), 0)
