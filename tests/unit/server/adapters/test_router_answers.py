"""Whatever a router answers, it is a table or it is refused."""

from __future__ import annotations

import contextlib

import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.travel import LONGEST_S
from server.adapters.travel_routers import UNKNOWN, _checked, _rows
from server.adapters.travel_settings import Router

OSRM = Router(kind="osrm", url="http://router.example")
VALHALLA = Router(kind="valhalla", url="http://router.example")
REFUSED = (ValueError, msgspec.DecodeError, RecursionError)
anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=12,
)
times = st.lists(
    st.lists(st.none() | st.floats(-5, 1e7, allow_nan=False) | anything, min_size=2, max_size=2),
    min_size=2, max_size=2,
)  # fmt: skip
answers = (
    anything
    | st.builds(lambda t: {"code": "Ok", "durations": t}, times)
    | st.builds(lambda t: {"sources_to_targets": {"durations": t}}, times)
    | st.builds(
        lambda t: {"sources_to_targets": [[{"time": x, "distance": 1} for x in r] for r in t]},
        times,
    )
).map(msgspec.json.encode) | st.binary(max_size=40)


@given(answers, st.sampled_from([OSRM, VALHALLA]))
def test_a_table_or_a_refusal(raw, router):
    with contextlib.suppress(*REFUSED):
        found = _checked(_rows(router, raw), 2, 2)
        assert (found.shape, found.dtype) == ((2, 2), np.int32)
        assert ((found >= UNKNOWN) & (found <= LONGEST_S)).all()


@pytest.mark.parametrize(
    ("router", "said"),
    [
        (OSRM, '{"code": "Ok", "durations": [[0, 12.1], [null, 99999999]]}'),
        (VALHALLA, '{"sources_to_targets": {"durations": [[0, 12.1], [null, 99999999]]}}'),
        (
            VALHALLA,
            '{"sources_to_targets":[[{"time":0},{"time":12.1}],[{},{"time":99999999,"to":1}]]}',
        ),
    ],
)
def test_both_forms_of_a_table(router, said):
    found = _checked(_rows(router, said.encode()), 2, 2)
    assert found.tolist() == [[0, 13], [UNKNOWN, LONGEST_S]]
