"""Where a crew counts from, whether it stands, and when it arrives."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.positions import Fix, crew_place, standing
from geo.travel import TravelModel, between

NOW = 1_768_345_200
MODEL = TravelModel()
HERE, THERE = (126_600_000, 45_750_000), (126_660_000, 45_750_000)


def fix(ago_s: int, east_m: float = 0.0, speed_mmps: int | None = None) -> Fix:
    return Fix(
        lon_u=HERE[0] + round(east_m / 77_600 * 1e6), lat_u=HERE[1], fixed_at=NOW - ago_s,
        heard_at=NOW - ago_s, speed_mmps=speed_mmps,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("fixes", "stands"),
    [
        ([], False),
        ([fix(5)], False),
        ([fix(5, speed_mmps=300)], True),
        ([fix(5, speed_mmps=6_000)], False),
        ([fix(90, 8.0), fix(60, -6.0), fix(30), fix(0, 5.0)], True),
        ([fix(90), fix(60, 300), fix(30, 600), fix(0, 900)], False),
        ([fix(90), fix(60, 300), fix(30, 10), fix(0)], False),
        ([fix(900, 5_000), fix(60), fix(0)], True),
        ([fix(900, 5_000), fix(0, speed_mmps=0)], True),
        ([fix(20), fix(0, 2.0, speed_mmps=9_000)], False),
    ],
    ids=["none", "one", "one slow", "one fast", "jitter", "drives", "went and came back",
         "long ago elsewhere", "slow after silence", "too short to tell"],
)  # fmt: skip
def test_standing(fixes, stands):
    assert standing(fixes) is stands


def test_on_site_it_is_where_its_ticket_is():
    place = crew_place("C", "on_site", "T", THERE, [fix(4_000)], NOW, MODEL)
    assert (place.place, place.age_s, place.arrives_at) == (THERE, 4_000, None)
    lost = crew_place("C", "on_site", "T", THERE, [], NOW, MODEL, NOW - 600)
    assert (lost.place, lost.fix, lost.age_s, lost.lost_since) == (THERE, None, None, NOW - 600)


def test_nobody_knows_where_a_crew_without_a_fix_is():
    place = crew_place("C", "en_route", "T", THERE, [], NOW, MODEL)
    assert (place.place, place.arrives_at, place.arrives_late_at) == (None, None, None)


@given(st.integers(0, 5_000), st.integers(-5_000, 5_000))
def test_an_arrival_counts_from_its_fix_and_is_never_past(ago_s, clock_off_s):
    told = fix(ago_s)
    told = Fix(lon_u=told.lon_u, lat_u=told.lat_u, fixed_at=told.fixed_at + clock_off_s,
               heard_at=told.heard_at)  # fmt: skip
    place = crew_place("C", "en_route", "T", THERE, [told], NOW, MODEL)
    assert place.age_s is not None
    assert place.age_s >= ago_s >= 0
    since = NOW - place.age_s
    assert place.arrives_at == max(NOW, since + between(MODEL, HERE, THERE, since))
    assert place.arrives_late_at is not None
    assert place.arrives_late_at >= place.arrives_at >= NOW
