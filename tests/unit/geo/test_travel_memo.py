"""Pairs that were asked before are not asked again, and nothing else is remembered."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import travel_memo
from geo.travel_memo import TravelMemo

spots = st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), max_size=7)


def places(where):
    return np.array(where, np.int32).reshape(-1, 2)


def answer(key, a, b):
    """What a source would say: told apart by pair and key."""
    far = a[:, None, :].astype(np.int64) * (1_000, 100) + b[None, :, :] * (10, 1)
    return (far.sum(axis=2) * 10 + key).astype(np.int32)


@given(
    st.lists(st.tuples(st.integers(0, 1), spots, spots), max_size=8), st.sampled_from([6, 4_000])
)
def test_what_is_taken_is_what_the_source_says(story, most):
    memo, asked, last = TravelMemo(), set(), None
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(travel_memo, "MOST", most)
        for key, one, other in story:
            a, b = places(one), places(other)
            asked = asked if key == last else set()
            last = key
            blocks = memo.missing(key, a, b)
            assert len(blocks) <= 2
            for origins, ends in blocks:
                pairs = {(*p, *q) for p in origins.tolist() for q in ends.tolist()}
                if most == 4_000:
                    assert not pairs <= asked, "every block has something new"
                asked |= pairs
                memo.learn(origins, ends, answer(key, origins, ends))
            assert (memo.take(a, b) == answer(key, a, b)).all()


def test_only_what_moved_is_asked():
    memo = TravelMemo()
    still, moved = places([(n, 0) for n in range(20)]), places([(0, 9), (1, 9)])
    for origins, ends in memo.missing("noon", still, still):
        memo.learn(origins, ends, answer(0, origins, ends))
    assert memo.missing("noon", still, still) == []
    everybody = np.concatenate([moved, still])
    blocks = [(len(a), len(b)) for a, b in memo.missing("noon", everybody, everybody)]
    assert blocks == [(2, 22), (20, 2)]
    assert [(len(a), len(b)) for a, b in memo.missing("one", still, still)] == [(20, 20)]


def test_nothing_is_made_up():
    memo = TravelMemo()
    memo.missing("noon", places([(0, 0)]), places([(1, 1)]))
    with pytest.raises(LookupError):
        memo.take(places([(0, 0)]), places([(1, 1)]))


def test_an_answer_is_the_callers_own():
    memo = TravelMemo()
    a = places([(0, 0), (1, 1)])
    for origins, ends in memo.missing(1, a, a):
        memo.learn(origins, ends, answer(1, origins, ends))
    memo.take(a, a)[:] = 0
    assert (memo.take(a, a) == answer(1, a, a)).all()
