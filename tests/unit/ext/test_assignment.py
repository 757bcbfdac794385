"""Rules of eligibility against plain Python, and travel times against the haversine."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ext import assignment

Mask = NDArray[np.uint32]
sizes = st.tuples(st.integers(0, 5), st.integers(0, 130), st.integers(0, 2**32))


def broken_by(
    rule: Callable[..., None], tasks: int, crews: int, *columns: NDArray[np.generic]
) -> list[list[bool]]:
    """Where a rule breaks; whatever else is marked must stay."""
    before = np.full((tasks, crews), 6, np.uint32)
    rule(before, 8, *columns)
    assert set(np.unique(before)) <= {6, 14}
    return [[bool(cell == 14) for cell in row] for row in before]


@settings(deadline=None)
@given(sizes)
def test_each_rule_says_what_plain_python_says(size: tuple[int, int, int]) -> None:
    tasks, crews, seed = size
    r = np.random.default_rng(seed)

    def bits(n: int) -> NDArray[np.uint64]:
        few = r.integers(0, 16, n).astype(np.uint64)
        return few | (r.integers(0, 2, n).astype(np.uint64) << np.uint64(63))

    def figures(n: int, *more: int) -> NDArray[np.int32]:
        return r.integers(-3, 6, (n, *more)).astype(np.int32)

    need, has = bits(tasks), bits(crews)
    n, h = need.tolist(), has.tolist()
    assert broken_by(assignment.lacks_any, tasks, crews, need, has) == [
        [bool(a & ~b) for b in h] for a in n
    ]
    assert broken_by(assignment.shares_none, tasks, crews, need, has) == [
        [bool(a and not a & b) for b in h] for a in n
    ]
    least, have = figures(tasks), figures(crews)
    assert broken_by(assignment.below, tasks, crews, least, have) == [
        [bool(b < a) for b in have] for a in least
    ]
    begins, ends, starts, stops = (figures(k) for k in (tasks, tasks, crews, crews))
    assert broken_by(assignment.misses, tasks, crews, begins, ends, starts, stops, least) == [
        [
            bool(min(ends[j], stops[k]) - max(begins[j], starts[k]) < max(least[j], 1))
            for k in range(crews)
        ]
        for j in range(tasks)
    ]
    needed, carried = figures(tasks, 3), figures(crews, 3)
    assert broken_by(assignment.short_of, tasks, crews, needed, carried) == [
        [bool(((a > 0) & (b < a)).any()) for b in carried] for a in needed
    ]
    out = r.random(crews) < 0.5
    assert broken_by(assignment.excluded, tasks, crews, out) == [out.tolist()] * tasks
    masks = (r.integers(0, 4, (tasks, crews)) * r.integers(0, 2, (tasks, crews))).astype(np.uint32)
    for ignored in (0, 2):
        packed = assignment.pack(masks, ignored)
        assert packed.shape == (tasks, -(-crews // 64))
        for j in range(tasks):
            found = sum(int(word) << 64 * i for i, word in enumerate(packed[j]))
            assert found == sum(1 << k for k in range(crews) if not int(masks[j, k]) & ~ignored)


def test_a_shift_that_ends_before_it_starts_misses_everything() -> None:
    broken = np.zeros((1, 2), np.uint32)
    one = np.array([0], np.int32)
    assignment.misses(
        broken, 1, one, np.array([90], np.int32), np.array([50, 0], np.int32),
        np.array([20, 20], np.int32), one,
    )  # fmt: skip
    assert broken.tolist() == [[1, 0]]


def test_columns_that_do_not_fit_are_refused() -> None:
    broken = np.zeros((2, 3), np.uint32)
    bits, i32 = np.zeros(3, np.uint64), np.zeros(3, np.int32)
    grid = np.zeros((3, 1), np.int32)
    for rule, columns in (
        (assignment.lacks_any, (bits, bits)),
        (assignment.shares_none, (bits, bits)),
        (assignment.below, (i32, i32)),
        (assignment.misses, (i32, i32, i32, i32, i32)),
        (assignment.misses, (i32[:2], i32, i32, i32, i32[:2])),
        (assignment.short_of, (grid, grid)),
        (assignment.short_of, (grid[:2], np.zeros((3, 2), np.int32))),
        (assignment.excluded, (np.zeros(2, np.bool_),)),
    ):
        with pytest.raises(ValueError, match=r"columns|begin and an end"):
            rule(broken, 1, *columns)
    assert not broken.any()


# ------------------------------------------------------------------ travel

place = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


def haversine_m(a: tuple[float, float], b: tuple[float, float]) -> float:
    (lon1, lat1), (lon2, lat2) = (tuple(math.radians(x) for x in p) for p in (a, b))
    h = (
        math.sin((lat2 - lat1) / 2) ** 2
        + math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    )
    return 2 * 6371008.8 * math.asin(math.sqrt(h))


def places(points: list[tuple[float, float]]) -> NDArray[np.int32]:
    lon, lat = np.array(points).reshape(-1, 2).T
    return assignment.micro_degrees(lon, lat)


def speeds(n: int, mmps: int) -> NDArray[np.int32]:
    return np.full(n, mmps, np.int32)


@given(place, st.floats(-0.5, 0.5), st.floats(-0.5, 0.5), st.sampled_from([1000, 7000, 40000]))
def test_a_way_within_a_region_takes_what_the_haversine_says(
    a: tuple[float, float], east: float, north: float, speed: int
) -> None:
    b = (max(-180.0, min(180.0, a[0] + east)), max(-90.0, min(90.0, a[1] + north)))
    there = assignment.travel_seconds(places([a]), places([b]), speeds(1, speed), 1350)
    back = assignment.travel_seconds(places([b]), places([a]), speeds(1, speed), 1350)
    seconds = haversine_m(a, b) * 1.35 * 1000 / speed
    assert seconds * 0.9999 - 0.5 <= there[0, 0] <= seconds * 1.0001 + 1.5
    assert there[0, 0] == back[0, 0]


@given(place, place)
def test_a_way_across_a_continent_is_within_a_thousandth(
    a: tuple[float, float], b: tuple[float, float]
) -> None:
    metres = haversine_m(a, b)
    found = assignment.travel_seconds(places([a]), places([b]), speeds(1, 100_000), 1000)[0, 0]
    if metres < 5_000_000:
        assert found == pytest.approx(metres / 100, rel=1e-3, abs=1.1)
    assert found <= metres / 100 * 1.0001 + 1.5


def test_one_pair_takes_what_it_takes_in_a_matrix() -> None:
    r = np.random.default_rng(3)
    a = places([(126 + x, 45 + y) for x, y in r.random((37, 2))])
    b = places([(126 + x, 45 + y) for x, y in r.random((101, 2))])
    pace = r.integers(2000, 9000, 37).astype(np.int32)
    whole = assignment.travel_seconds(a, b, pace, 1300)
    room = np.empty((37, 101), np.int32)
    assert assignment.travel_seconds(a, b, pace, 1300, room) is not None
    assert np.array_equal(room, whole)
    for i, j in r.integers(0, 37, (50, 2)):
        one = assignment.travel_seconds(a[i : i + 1], b[j : j + 1], pace[i : i + 1], 1300)
        assert one[0, 0] == whole[i, j]
    assert (assignment.travel_seconds(a, a, pace, 1300).diagonal() == 0).all()
    assert assignment.travel_seconds(a[:0], b, pace[:0], 1300).shape == (0, 101)
    assert assignment.travel_seconds(a, b[:0], pace, 1300).shape == (37, 0)


def test_travel_times_are_these_on_every_machine() -> None:
    spots = places(
        [(126.6, 45.75), (126.6, 45.75), (126.71234, 45.70001), (127.9, 46.2), (98.7, -12)]
    )
    found = assignment.travel_seconds(spots, spots, speeds(5, 16944), 1350)
    assert found.tolist() == SECONDS


SECONDS = [
    [0, 0, 824, 8942, 557384],
    [0, 0, 824, 8942, 557384],
    [824, 824, 0, 8553, 557362],
    [8942, 8942, 8553, 0, 564910],
    [557384, 557384, 557362, 564910, 0],
]


def test_no_way_takes_more_than_seven_days() -> None:
    ends = places([(0, 0), (179, 0)])
    found = assignment.travel_seconds(ends, ends, speeds(2, 100), 10_000)
    assert found[0, 1] == 7 * 86_400


@pytest.mark.parametrize("bad", [math.nan, math.inf, -181.0, 180.5])
def test_what_is_not_on_earth_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="a place has"):
        assignment.micro_degrees(np.array([bad]), np.array([0.0]))
    with pytest.raises(ValueError, match="a place has"):
        assignment.micro_degrees(np.array([0.0]), np.array([bad]))
    with pytest.raises(ValueError, match="one length"):
        assignment.micro_degrees(np.array([0.0, 1.0]), np.array([0.0]))


def test_places_and_speeds_out_of_range_are_refused() -> None:
    home = places([(126.6, 45.75)])
    for spot in ([180_000_001, 0], [0, -90_000_001], [-(2**31), 0], [0, 2**31 - 1]):
        far = np.array([spot], np.int32)
        for a, b in ((home, far), (far, home)):
            with pytest.raises(ValueError, match="a place has"):
                assignment.travel_seconds(a, b, speeds(1, 7000), 1350)
    for speed, detour in ((99, 1350), (0, 1350), (1_000_001, 1350), (7000, 0), (7000, 10_001)):
        with pytest.raises(ValueError, match="a speed is"):
            assignment.travel_seconds(home, home, speeds(1, speed), detour)
    with pytest.raises(ValueError, match="each origin has a speed"):
        assignment.travel_seconds(home, home, speeds(2, 7000), 1350)
    with pytest.raises(ValueError, match="a row per origin"):
        assignment.travel_seconds(home, home, speeds(1, 7000), 1350, np.empty((2, 1), np.int32))
