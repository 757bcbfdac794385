"""Travel times by great circle: true distances, the same seconds for everybody, stored and
replayed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from geo.travel import (
    LONGEST_S,
    SLOTS,
    UNKNOWN,
    Note,
    RoadsUsed,
    TravelModel,
    TravelTable,
    as_bytes,
    between,
    completed,
    great_circle_table,
    late,
    metres,
    metres_along,
    places,
    seconds,
)
from geo.travel_policy import TravelPolicy

AT = 1_768_345_200  # Wednesday 2026-01-14 07:00 in Harbin
MODEL = TravelModel(
    speed_mmps=tuple(5_000 + 100 * hour for hour in range(SLOTS)),
    spread_pm=tuple(1_000 + 10 * hour for hour in range(SLOTS)),
)
lons = st.integers(-180_000_000, 180_000_000)
lats = st.integers(-90_000_000, 90_000_000)
spots = st.tuples(lons, lats)
city_spots = st.tuples(st.integers(126_300_000, 127_000_000), st.integers(45_500_000, 46_000_000))


def haversine_m(a, b):
    """Robert Sinnott's formula, on the mean sphere."""
    (x, y), (u, v) = np.radians(np.array([a, b]) / 1e6)
    half = np.sin((v - y) / 2) ** 2 + np.cos(y) * np.cos(v) * np.sin((u - x) / 2) ** 2
    return 2 * 6_371_008.8 * np.arcsin(np.sqrt(min(1.0, half)))


@given(a=spots, b=spots)
def test_distances_are_true_up_to_a_continent(a, b):
    true = haversine_m(a, b)
    assume(true < 3_000_000)
    found = metres(np.array([a], np.int32), np.array([b], np.int32))[0, 0]
    assert found == pytest.approx(true, rel=1e-3, abs=0.01)


@given(a=spots, b=spots)
def test_there_takes_as_long_as_back_and_nowhere_takes_nothing(a, b):
    assert between(MODEL, a, b, AT) == between(MODEL, b, a, AT)
    assert between(MODEL, a, a, AT) == 0
    assert 0 <= between(MODEL, a, b, AT) <= LONGEST_S


@given(a=city_spots, b=city_spots, c=city_spots)
def test_a_way_by_a_third_place_is_never_shorter(a, b, c):
    assert between(MODEL, a, c, AT) <= between(MODEL, a, b, AT) + between(MODEL, b, c, AT)


@given(a=city_spots, b=city_spots, c=city_spots)
def test_what_is_farther_takes_no_less(a, b, c):
    near, far = sorted((b, c), key=lambda spot: haversine_m(a, spot))
    assume(haversine_m(a, near) + 1e-3 < haversine_m(a, far))
    assert between(MODEL, a, near, AT) <= between(MODEL, a, far, AT)


@given(st.lists(city_spots, min_size=1, max_size=150), st.lists(city_spots, max_size=5))
def test_the_table_holds_the_same_bits_as_each_pair(a, b):
    x = np.array(a, np.int32).reshape(-1, 2)
    y = np.array(b, np.int32).reshape(-1, 2)
    found = seconds(MODEL, x, y, AT)
    assert (found.shape, found.dtype) == ((len(a), len(b)), np.int32)
    for i in {0, len(a) - 1}:
        for j, to in enumerate(b):
            assert found[i, j] == between(MODEL, a[i], to, AT)


def test_known_bits():
    """Any machine must find these: a decision stored on one is replayed on another."""
    where = np.array(
        [[126_535_000, 45_803_000], [126_650_123, 45_750_456], [-73_985_656, 40_748_433]], np.int32
    )
    assert metres(where, where)[0].tolist() == [0.0, 10670.021492407255, 10145764.903034324]


def test_the_hour_of_the_citys_clock_decides():
    monday = datetime(2026, 1, 12, tzinfo=UTC) - timedelta(hours=8)
    slots = [MODEL.slot(int((monday + timedelta(hours=h)).timestamp())) for h in range(168)]
    assert slots == [*range(24)] * 5 + [*range(24, 48)] * 2
    there = ((126_535_000, 45_803_000), (126_650_000, 45_750_000))
    times = [between(MODEL, *there, int((monday + timedelta(hours=h)).timestamp())) for h in (3, 8)]
    assert times[0] > times[1] > 0


def test_nine_of_ten_are_there_by_then():
    middle = np.array([[0, 1, 600, LONGEST_S]], np.int32)
    model = TravelModel(spread_pm=(1_400,) * SLOTS)
    assert late(model, middle, AT).tolist() == [[0, 2, 840, LONGEST_S]]


@given(
    st.lists(city_spots, max_size=4),
    st.lists(city_spots, min_size=1, max_size=4),
    st.sampled_from(["great_circle", "roads", "osrm"]),
)
def test_a_stored_table_is_the_same_when_it_is_read_again(a, b, source):
    x, y = np.array(a, np.int32).reshape(-1, 2), np.array(b, np.int32)
    table = great_circle_table(MODEL, x, y, AT)
    if source != "great_circle":
        table = msgspec.structs.replace(
            table, source=source, found=as_bytes(seconds(MODEL, x, y, AT) + 7),
            note=Note(wanted="valhalla", since=AT, why="not_answering", detail="Nobody there."),
        )  # fmt: skip
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(table.stored()), type=TravelTable)
    assert (again.seconds == table.seconds).all()
    assert (again.late == table.late).all()
    assert again.digest == table.digest
    assert (again.note, again.model) == (table.note, table.model)


def test_a_slim_table_is_made_whole_by_the_same_times_alone():
    x = np.array([[126_600_000, 45_700_000], [126_650_000, 45_750_000]], np.int32)
    times = seconds(MODEL, x, x, AT) + 7
    times[0, 1] = UNKNOWN
    whole, n = completed(times, MODEL, x, x, AT)
    assert (n, whole[0, 1], whole[1, 0]) == (
        1,
        *(seconds(MODEL, x, x, AT)[0, 1] + k for k in (0, 7)),
    )
    table = msgspec.structs.replace(
        great_circle_table(MODEL, x, x, AT), source="roads", found=as_bytes(whole), patched=1,
        roads=RoadsUsed(file="ab", middle_mmps=12_000, off_road_m=300),
    )  # fmt: skip
    slim = msgspec.msgpack.decode(msgspec.msgpack.encode(table.slim()), type=TravelTable)
    assert slim.found == b""
    with pytest.raises(LookupError):
        assert slim.seconds.any()
    assert slim.whole(times) == table
    assert (slim.whole(times).seconds == table.seconds).all()
    times[1, 0] += 1
    with pytest.raises(ValueError, match="other times"):
        slim.whole(times)
    plain = great_circle_table(MODEL, x, x, AT)
    assert plain.slim() == plain.stored()


def test_a_digest_names_every_part():
    digests = {
        m.digest
        for m in (
            MODEL, TravelModel(), TravelModel(version=1), TravelModel(detour_pm=1_351),
            TravelModel(utc_offset_s=7_200), TravelModel(observed=(1,) + (0,) * 47),
        )
    }  # fmt: skip
    assert len(digests) == 6
    x = np.array([[1, 2]], np.int32)
    assert great_circle_table(MODEL, x, x, AT).digest != great_circle_table(MODEL, x, x, 0).digest


@pytest.mark.parametrize(
    "wrong",
    [
        {"speed_mmps": (7_000,) * 47}, {"speed_mmps": (0,) * 48}, {"spread_pm": (999,) * 48},
        {"detour_pm": 900}, {"utc_offset_s": 60_000}, {"observed": (-1,) * 48},
    ],
)  # fmt: skip
def test_a_model_of_no_city_is_refused(wrong):
    with pytest.raises(ValueError, match=r"figures from|no such"):
        TravelModel(**wrong)
    raw = msgspec.json.encode(msgspec.to_builtins(TravelModel()) | wrong)
    with pytest.raises(msgspec.ValidationError):
        msgspec.json.decode(raw, type=TravelModel)


def test_places_are_on_earth():
    found = places(np.array([126.6345678, -180.0]), np.array([45.75, 90.0]))
    assert found.tolist() == [[126_634_568, 45_750_000], [-180_000_000, 90_000_000]]
    for lon, lat in ((181.0, 0.0), (0.0, 91.0), (float("nan"), 0.0), (0.0, float("inf"))):
        with pytest.raises(ValueError, match="longitude"):
            places(np.array([lon]), np.array([lat]))
    with pytest.raises(ValueError, match="two columns"):
        metres(np.zeros((2, 2)), np.zeros((2, 2), np.int32))


def test_lengths_along_a_line():
    line = np.array(
        [[126_600_000, 45_700_000], [126_610_000, 45_700_000], [126_610_000, 45_710_000]], np.int32
    )
    assert metres_along(line).tolist() == pytest.approx(
        [haversine_m(*line[:2]), haversine_m(*line[1:])]
    )
    assert metres_along(line[:1]).tolist() == []


def test_the_policys_figures_make_a_model():
    model = TravelPolicy().prior(28_800)
    assert model.version == 0
    assert model.speed_mmps[8] == 5_833 < model.speed_mmps[12] < model.speed_mmps[3]
    assert model.speed_mmps[24 + 8] > model.speed_mmps[8]
    with pytest.raises(ValueError, match="first fresh"):
        TravelPolicy(position_fresh_s=400)
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode("workday_kmh = [25]", type=TravelPolicy)
    with pytest.raises(msgspec.ValidationError):
        msgspec.toml.decode("unknown = 1", type=TravelPolicy)
