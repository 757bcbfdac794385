"""Calls are foreseen from what is known, in the time left, as many as the day lets expect."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks._trsp_outlook import DRAWS, Anticipation, Past, outlook

DAY = 100_000
POLICY = Anticipation()
ALL = Anticipation(horizon=1 << 20)


def past(rows: int, seed: int = 0) -> Past:
    random = np.random.default_rng(seed)
    opens = random.integers(0, DAY, rows)
    return Past(opens, opens + random.integers(0, 20_000, rows), random.integers(0, 9_000, rows))


@settings(max_examples=40, deadline=None)
@given(rows=st.integers(1, 60), now=st.integers(0, DAY), seed=st.integers(0, 1 << 40))
def test_calls_are_of_known_requests_and_still_to_come(rows: int, now: int, seed: int) -> None:
    known = past(rows, seed % 1000)
    found = outlook(known, before=rows // 2, now=now, day=DAY, policy=POLICY, seed=seed)
    if found is None:
        return
    assert 0 < len(found.place) <= POLICY.calls
    assert found.share >= 0
    for part in (found.place, found.time, found.needs):
        assert part.min() >= 0
        assert part.max() < rows
    assert (found.known > now).all()
    assert (found.known - now <= DAY * POLICY.horizon >> 10).all()
    assert (found.known <= known.opens[found.time]).all()
    assert (found.known <= known.closes[found.time] - known.way[found.place]).all()


def expected(rows: int, before: int, now: int, policy: Anticipation = ALL) -> float:
    found = outlook(past(rows), before=before, now=now, day=DAY, policy=policy, seed=1)
    return 0 if found is None else found.share * len(found.place) / 65536


def test_a_busy_morning_lets_expect_a_busy_afternoon() -> None:
    assert expected(50, 40, DAY // 4) < expected(90, 40, DAY // 4)
    assert expected(90, 40, DAY // 2) < expected(90, 40, DAY // 4)


def test_before_the_day_as_many_are_expected_as_are_usual() -> None:
    assert expected(60, 60, 0) == pytest.approx(ALL.usual - 60, rel=0.15)
    assert expected(60, 60, 0, Anticipation(horizon=1 << 20, weight=512)) == pytest.approx(
        (ALL.usual - 60) / 2, rel=0.15
    )
    assert expected(120, 120, 0) == 0


def test_the_same_past_and_seed_give_the_same_calls() -> None:
    a, b, c = (
        outlook(past(30), before=30, now=0, day=DAY, policy=POLICY, seed=seed) for seed in (1, 1, 2)
    )
    assert a is not None
    assert b is not None
    assert c is not None
    for x, y in zip(a, b, strict=True):
        assert np.array_equal(x, y)
    assert not np.array_equal(a.known, c.known)


def test_nothing_is_foreseen_from_nothing_or_after_the_last_call() -> None:
    none = Past(*(np.zeros(0, np.int64) for _ in range(3)))
    assert outlook(none, before=0, now=0, day=DAY, policy=POLICY, seed=1) is None
    assert outlook(past(20), before=20, now=2 * DAY, day=DAY, policy=POLICY, seed=1) is None
    assert (
        outlook(past(20), before=20, now=0, day=DAY, policy=Anticipation(calls=0), seed=1) is None
    )
    assert POLICY.calls <= DRAWS
