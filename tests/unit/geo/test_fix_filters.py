"""Verdicts on a crew's fixes: each filter, the order of arrival, and when jumps are believed."""

from __future__ import annotations

import itertools
from math import cos, radians

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.fixes import BELIEVED, JUMPS, Fix, FixVerdict, Limits, apart_m, judged, pace_mps, repeats
from geo.gcj02 import gcj02_of_wgs84

NOW = 1_768_345_200_000
LIMITS = Limits(
    accuracy_most_m=150.0, speed_most_mps=45.0, skew_most_s=300, repeated_most=5, anchor_after=3,
    datum_m=60.0,
)  # fmt: skip
LON, LAT = 126.64, 45.76
EAST = 1 / (111_195.0 * cos(radians(LAT)))
SHIFTED = [float(v[0]) for v in gcj02_of_wgs84(np.array([LON]), np.array([LAT]))]


def fix(
    at_s: float, east_m: float = 0.0, accuracy_m: float = 8.0, speed_mps: float | None = None
) -> Fix:
    # a receiver's last digits never stand still
    jitter = 1e-6 * (round(at_s) % 7)
    return Fix(
        NOW + round(at_s * 1000), LON + east_m * EAST, LAT + jitter, accuracy_m, speed_mps
    )  # fmt: skip


def verdicts(*fixes: Fix, known: list[tuple[Fix, FixVerdict]] | None = None, heard_s: int = 600):
    return judged(known or [], list(fixes), NOW + heard_s * 1000, LIMITS)


def drive(*starts: int) -> list[Fix]:
    return [fix(s, 8.0 * s) for s in starts]


@pytest.mark.parametrize(
    ("bad", "verdict"),
    [
        (fix(30, accuracy_m=0), "zero_accuracy"),
        (fix(30, accuracy_m=151), "inaccurate"),
        (fix(30, accuracy_m=150), "ok"),
        (fix(30, speed_mps=46.0), "too_fast"),
        (fix(30, 3_000), "too_fast"),
        (fix(30, 400), "outlier"),
        (fix(30, 300, accuracy_m=140), "ok"),
        (fix(30, 100), "ok"),
        (Fix(NOW + 30_000, 0.0, 0.0, 8.0), "too_fast"),
        (Fix(NOW + 30_000, *SHIFTED, 8.0), "datum_suspect"),
    ],
    ids=["no accuracy", "bad accuracy", "just accurate", "says it flies", "far in no time",
         "aside and back", "aside, as wrong as that", "a walk aside", "null island", "as gcj02"],
)  # fmt: skip
def test_one_among_good_ones(bad: Fix, verdict: FixVerdict) -> None:
    assert verdicts(fix(0), fix(15), bad, fix(45), fix(60)) == ["ok", "ok", verdict, "ok", "ok"]


def test_a_clock_ahead_of_the_server() -> None:
    assert verdicts(fix(0), fix(901), fix(900), heard_s=600) == ["ok", "clock_skew", "ok"]


def test_a_phone_that_lies_still_repeats_itself_and_is_where_it_says() -> None:
    same = [fix(0)._replace(at_ms=NOW + 10_000 * n) for n in range(7)]
    found = verdicts(*same)
    assert found == ["ok"] * 4 + ["repeated"] * 3
    assert set(found) <= BELIEVED
    known = [(f, v) for f, v in zip(same[:4], found, strict=False)]
    assert verdicts(same[4], known=known) == ["repeated"], "counted over what came before"
    assert verdicts(same[3], known=known) == ["repeated"], "sent twice"
    assert repeats(same[:6], same[6]) == 7
    assert repeats([*same[:3], fix(35, 9)], same[6]) == 1


def test_three_jumps_that_agree_are_where_the_crew_is() -> None:
    there = [fix(10, 9_000), fix(20, 9_050), fix(30, 9_100), fix(40, 9_150)]
    assert verdicts(fix(0), *there) == ["ok", "too_fast", "too_fast", "ok", "ok"]
    known: list[tuple[Fix, FixVerdict]] = [(fix(0), "ok")]
    for one, verdict in zip(there, ["too_fast", "too_fast", "ok", "ok"], strict=True):
        assert verdicts(one, known=known) == [verdict], "one by one as well"
        known.append((one, verdict))
    assert verdicts(fix(41, 0), known=known) == ["too_fast"], "the old place is the jump now"


def test_jumps_that_do_not_agree_are_nowhere() -> None:
    wild = [fix(10, 9_000), fix(20, -9_000), fix(30, 19_000), fix(40, -19_000)]
    assert verdicts(fix(0), *wild) == ["ok"] + ["too_fast"] * 4


def test_what_flies_by_its_own_word_never_becomes_the_place() -> None:
    assert verdicts(*[fix(10 * n, 50 * n, speed_mps=60.0) for n in range(6)]) == ["too_fast"] * 6


def test_late_ones_are_sorted_in_and_judged_where_they_belong() -> None:
    known: list[tuple[Fix, FixVerdict]] = [(f, "ok") for f in drive(0, 60, 120)]
    assert verdicts(*drive(90, 30), known=known) == ["late", "late"]
    assert verdicts(fix(90, 5_500), known=known) == ["too_fast"], "out of reach of the one after"
    aside = fix(90, 720)._replace(lat=LAT + 1_250 / 111_195)
    assert verdicts(aside, known=known) == ["outlier"], "off the track and back"
    assert verdicts(fix(-30, 4_300), known=known) == ["too_fast"], "from there nobody comes"
    assert verdicts(fix(130, 1_040), known=known) == ["ok"]


steps = st.tuples(
    st.integers(1, 120),  # seconds since the one before
    st.floats(-20.0, 20.0),  # metres a second eastwards
    st.floats(1.0, 60.0),
)


def honest(steps_: list[tuple[int, float, float]]) -> list[Fix]:
    out, at, east = [], 0, 0.0
    for n, (took, pace, accuracy) in enumerate(steps_):
        # a van that turns does not do so at full speed
        at, east = at + took, east + abs(pace) * took
        one = fix(at, east, accuracy)
        out.append(one._replace(lat=LAT + 1e-7 * n))
    return out


@given(st.lists(steps, max_size=25), st.randoms(use_true_random=False))
def test_an_honest_drive_is_believed_in_any_order(steps_, random) -> None:
    track = honest(steps_)
    mixed = random.sample(track, len(track))
    assert set(verdicts(*mixed, heard_s=4_000)) <= {"ok"}
    known: list[tuple[Fix, FixVerdict]] = []
    for one in mixed:
        (verdict,) = verdicts(one, known=known, heard_s=4_000)
        newest = max((f.at_ms for f, _ in known), default=one.at_ms)
        assert verdict == ("late" if one.at_ms < newest else "ok")
        known.append((one, verdict))


anything = st.builds(
    Fix,
    st.integers(NOW - 3_600_000, NOW + 3_600_000),
    st.sampled_from([LON, LON + 0.001, LON + 0.1, SHIFTED[0], 0.0]),
    st.sampled_from([LAT, LAT + 0.001, LAT - 0.1, SHIFTED[1], 0.0]),
    st.sampled_from([0.0, 5.0, 80.0, 400.0]),
    st.sampled_from([None, 0.0, 10.0, 80.0]),
)


@given(st.lists(anything, max_size=30), st.randoms(use_true_random=False))
def test_the_verdicts_do_not_hang_on_the_order_within_a_batch(fixes, random) -> None:
    fixes = list({f.at_ms: f for f in fixes}.values())
    found = dict(zip(fixes, verdicts(*fixes), strict=True))
    mixed = random.sample(fixes, len(fixes))
    assert verdicts(*mixed) == [found[f] for f in mixed]


@given(st.lists(anything, max_size=12), st.lists(anything, max_size=12))
def test_no_two_believed_neighbours_are_out_of_reach_but_at_a_new_anchor(first, then) -> None:
    known = list(zip(first, verdicts(*first), strict=True))
    found = known + list(zip(then, verdicts(*then, known=known), strict=True))
    assert len(found) == len(first) + len(then)
    for one, verdict in found:
        if one.accuracy_m <= 0 and one.at_ms <= NOW + 900_000:
            assert verdict == "zero_accuracy"
        if verdict in BELIEVED:
            assert 0 < one.accuracy_m <= 150
            assert one.at_ms <= NOW + 900_000
    # within one batch nothing is believed against its neighbour unless jumps led there
    track = sorted(known, key=lambda entry: entry[0].at_ms)
    good = [i for i, (_, v) in enumerate(track) if v in BELIEVED]
    for i, j in itertools.pairwise(good):
        a, b = track[i][0], track[j][0]
        jumps = sum(v in JUMPS for _, v in track[i + 1 : j])
        assert pace_mps(a, b) <= 45.0 or jumps >= 2


@given(st.floats(-170, 170), st.floats(-60, 60), st.floats(-500, 500), st.floats(-500, 500))
def test_metres_beside_the_sphere(lon, lat, east, north) -> None:
    a = Fix(0, lon, lat, 1.0)
    b = Fix(0, lon + east / 111_195 / cos(radians(lat)), lat + north / 111_195, 1.0)
    assert apart_m(a, b) == pytest.approx(np.hypot(east, north), rel=2e-3, abs=0.01)
