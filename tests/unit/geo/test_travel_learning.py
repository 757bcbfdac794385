"""What fixes teach: journeys from good ones, bad ones counted and left out, models that move
slowly."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.travel import FASTEST_MMPS, SLOTS, SLOWEST_MMPS
from geo.travel_learn import (
    DETOUR_BIN_PM,
    DETOUR_BINS,
    SPEED_BIN_MMPS,
    SPEED_BINS,
    Fixes,
    journeys,
    learnt_model,
)
from geo.travel_policy import TravelPolicy

HOME = (126.60, 45.75)
HOUR = 1_768_345_200
PRIOR = TravelPolicy().prior(28_800)


def drive(crew, speed_mps, *, start=HOUR, stand_s=300, leg_m=3_000.0, every_s=10, light_s=0):
    """A crew that stands, drives east, waits at a light, drives north and stands again: rows of
    (crew, at, heard_at, lon, lat, accuracy_m, datum)."""
    rows = []
    at, east, north = start, 0.0, 0.0

    def here():
        shake = 3e-5 * math.sin(at * 12.9898 + crew)
        lon = HOME[0] + east / (111_195 * math.cos(math.radians(HOME[1]))) + shake
        rows.append((crew, at, at + 2, lon, HOME[1] + north / 111_195 - shake, 12.0, 0))

    def stand(seconds):
        nonlocal at
        for _ in range(seconds // every_s):
            here()
            at += every_s

    stand(stand_s)
    for axis in (0, 1):
        gone = 0.0
        while gone < leg_m:
            here()
            at += every_s
            gone += speed_mps * every_s
            east, north = (gone, north) if axis == 0 else (east, gone)
        stand(light_s if axis == 0 else stand_s)
    return rows


def fixes(rows):
    columns = list(zip(*rows, strict=True)) or [()] * 7
    whole, real = (0, 1, 2, 6), (3, 4, 5)
    crew, at, heard, datum = (np.array(columns[i], np.int64) for i in whole)
    lon, lat, accuracy = (np.array(columns[i], np.float64) for i in real)
    return Fixes(crew, at, heard, lon, lat, accuracy, datum)


def middle(counts, low, width):
    """Of the bin that holds the middle one."""
    return low + width * (int(np.searchsorted(np.cumsum(counts), counts.sum() / 2)) + 0.5)


GOOD = [row for crew, speed in ((1, 6.0), (2, 7.0), (3, 8.0)) for row in drive(crew, speed)]


def test_journeys_tell_speed_and_detour():
    found = journeys(fixes(GOOD), HOME)
    assert found.journeys == 3
    assert found.left_out == {}
    assert middle(found.speeds, 0, SPEED_BIN_MMPS) == pytest.approx(7_000, abs=400)
    assert found.detours.sum() == 3
    assert middle(found.detours, 1_000, DETOUR_BIN_PM) == pytest.approx(1_414, abs=25)


def test_lights_are_part_of_a_journey_and_a_long_stand_is_its_end():
    light = journeys(fixes(drive(1, 10.0, light_s=120)), HOME)
    assert light.journeys == 1
    assert middle(light.speeds, 0, SPEED_BIN_MMPS) == pytest.approx(6_000 / 720 * 1_000, abs=400)
    stop = journeys(fixes(drive(1, 10.0, light_s=240)), HOME)
    assert stop.journeys == 2
    assert middle(stop.speeds, 0, SPEED_BIN_MMPS) == pytest.approx(10_000, abs=600)
    assert middle(stop.detours, 1_000, DETOUR_BIN_PM) == pytest.approx(1_000, abs=25)


def test_a_crew_that_stands_teaches_nothing():
    found = journeys(fixes(drive(1, 5.0, leg_m=0.0, stand_s=1_800)), HOME)
    assert (found.journeys, found.detours.sum()) == (0, 0)


def test_a_cut_journey_tells_its_speed_but_no_detour():
    rows = drive(1, 8.0)
    cut = [r for r in rows if r[1] < rows[0][1] + 800]
    found = journeys(fixes(cut), HOME)
    assert found.journeys == 1
    assert found.detours.sum() == 0


def spoilt(why):
    """Good fixes with bad ones among them."""
    rows, at = list(GOOD), GOOD[60]
    spot = dict(zip(("crew", "at", "heard", "lon", "lat", "accuracy", "datum"), at, strict=True))
    bad = {
        "swapped": {"lon": spot["lat"], "lat": spot["lon"], "at": spot["at"] + 3},
        "far_away": {"lat": spot["lat"] + 3.0, "at": spot["at"] + 3},
        "jump": {"lat": spot["lat"] + 0.05, "at": GOOD[61][1] + 1},
        "duplicate": {},
        "inaccurate": {"accuracy": 400.0, "lat": spot["lat"] + 0.003, "at": spot["at"] + 3},
        "clock_ahead": {"at": spot["at"] + 4_000},
        "off_the_earth": {"lon": math.nan},
    }[why]
    return [*rows, tuple((spot | bad).values())]


@pytest.mark.parametrize(
    "why",
    ["swapped", "far_away", "duplicate", "inaccurate", "clock_ahead", "off_the_earth"],
)
def test_a_bad_fix_is_counted_and_changes_nothing(why):
    found, good = journeys(fixes(spoilt(why)), HOME), journeys(fixes(GOOD), HOME)
    assert found.left_out == {why: 1}
    assert (found.speeds == good.speeds).all()
    assert (found.detours == good.detours).all()


def test_a_jump_is_no_speed():
    rows = drive(1, 8.0)
    gone = rows[len(rows) // 2]
    rows = [r for r in rows if abs(r[1] - gone[1]) > 25]  # so that it is the only one of its time
    rows.append((*gone[:4], gone[4] + 0.05, *gone[5:]))
    found = journeys(fixes(rows), HOME)
    assert found.left_out == {"jump": 1}
    assert middle(found.speeds, 0, SPEED_BIN_MMPS) == pytest.approx(8_000, abs=500)
    moved = [r if r[1] < gone[1] else (*r[:3], r[3] + 0.05, *r[4:]) for r in drive(1, 8.0)]
    found = journeys(fixes(moved), HOME)
    assert found.left_out == {"jump": 1}
    assert found.journeys == 2
    assert found.detours.sum() == 0


def test_another_datum_ends_a_journey():
    rows = drive(1, 8.0)
    half = rows[len(rows) // 2][1]
    shifted = [(*r[:6], int(r[1] >= half)) for r in rows]
    found = journeys(fixes(shifted), HOME)
    assert found.left_out == {"datum_changed": 1}
    assert found.journeys == 2


anything = st.tuples(
    st.integers(0, 3),
    st.integers(HOUR, HOUR + 1_200),
    st.integers(HOUR - 100, HOUR + 1_300),
    st.one_of(st.floats(126.5, 126.7), st.floats(allow_nan=True, allow_infinity=True)),
    st.one_of(st.floats(45.7, 45.8), st.floats(allow_nan=True, allow_infinity=True)),
    st.one_of(st.floats(0, 60), st.floats(allow_nan=True)),
    st.integers(0, 1),
)


@given(st.lists(anything, max_size=60), st.sampled_from([None, HOME]))
def test_no_fixes_are_too_bad(rows, centre):
    found = journeys(fixes(rows), centre)
    assert sum(found.left_out.values()) <= 2 * len(rows)
    assert found.speeds.min() >= 0
    assert found.detours.sum() <= found.journeys
    again = journeys(fixes(rows[::-1]), centre)
    if len({(r[0], r[1] // 20) for r in rows}) == len(rows):
        assert (again.speeds == found.speeds).all()


# ---------------------------------------------------------------- the model
NOTHING = np.zeros((SLOTS, SPEED_BINS), np.int64), np.zeros(DETOUR_BINS, np.int64)


def counted(slot, speed_mmps, n):
    speeds = NOTHING[0].copy()
    speeds[slot, min(SPEED_BINS - 1, speed_mmps // SPEED_BIN_MMPS)] += n
    return speeds


def test_without_journeys_the_policy_holds():
    assert learnt_model(PRIOR, 40, *NOTHING, version=0) == PRIOR


def test_journeys_take_over_by_and_by():
    speeds = [
        learnt_model(PRIOR, 40, counted(12, 3_100, n), NOTHING[1], version=1).speed_mmps[12]
        for n in (1, 10, 40, 400, 40_000)
    ]
    assert PRIOR.speed_mmps[12] > speeds[0] > PRIOR.speed_mmps[12] - 150
    assert speeds == sorted(speeds, reverse=True)
    assert speeds[-1] == pytest.approx(3_125, abs=30)
    model = learnt_model(PRIOR, 40, counted(12, 3_100, 7), NOTHING[1], version=5)
    assert (model.version, model.observed[12], sum(model.observed)) == (5, 7, 7)
    assert model.speed_mmps[13] == PRIOR.speed_mmps[13]


def test_one_wild_journey_moves_nothing():
    calm = counted(8, 6_000, 200)
    wild = calm + counted(8, 39_900, 3)
    a, b = (learnt_model(PRIOR, 40, x, NOTHING[1], version=1).speed_mmps[8] for x in (calm, wild))
    assert abs(a - b) <= 5


def test_the_spread_is_what_the_slowest_tenth_takes():
    speeds = counted(9, 8_000, 800) + counted(9, 4_000, 200)
    model = learnt_model(PRIOR, 1, speeds, NOTHING[1], version=1)
    assert model.spread_pm[9] == pytest.approx(1_000 + math.hypot(970, 200), abs=60)
    detours = NOTHING[1].copy()
    detours[10], detours[60] = 80_000, 20_000  # 1.20, and 2.20 for a fifth of them
    model = learnt_model(PRIOR, 1, speeds, detours, version=1)
    assert model.spread_pm[9] == pytest.approx(1_000 + math.hypot(970, 820), abs=60)


def test_the_detour_is_the_middle_one():
    detours = NOTHING[1].copy()
    detours[10], detours[30] = 2_000, 1_000  # 1.20 and 1.60
    model = learnt_model(PRIOR, 40, NOTHING[0], detours, version=1)
    assert model.detour_pm == pytest.approx(1_217, abs=10)


@given(
    st.lists(
        st.tuples(st.integers(0, 47), st.integers(0, 60_000), st.integers(1, 10**9)), max_size=5
    ),
    st.lists(st.tuples(st.integers(0, 99), st.integers(1, 10**9)), max_size=3),
    st.integers(1, 1_000),
)
def test_no_counts_make_a_model_that_no_city_has(seen, wide, weight):
    speeds, detours = NOTHING[0].copy(), NOTHING[1].copy()
    for slot, speed, n in seen:
        speeds += counted(slot, speed, n)
    for index, n in wide:
        detours[index] += n
    model = learnt_model(PRIOR, weight, speeds, detours, version=3)
    assert all(SLOWEST_MMPS <= s <= FASTEST_MMPS for s in model.speed_mmps)
    assert msgspec.json.decode(msgspec.json.encode(model), type=type(model)) == model
