"""Supply temperatures: low with a margin, and the figure over all substations."""

from __future__ import annotations

import math

import pytest

from dispatch_core import network
from dispatch_core.events import NetworkState, SupplyMeasured

NODE = network.Node(
    node="s1", name="一号站", node_kind="substation", lon=126.6, lat=45.7, supply_low_c=45.0
)


def read(*readings: tuple[int, float | None]) -> list[bool]:
    last: NetworkState | None = None
    lows = []
    for read_at, supply in readings:
        last = network.decide(last, NODE, supply, 38.0, read_at) or last
        assert last is not None
        lows.append(last.low)
    return lows


def test_low_below_the_bound_until_a_degree_above_it() -> None:
    assert read((1, 45.0), (2, 44.9), (3, 45.5), (4, 46.0), (5, 45.5)) == [
        False, True, True, False, False,
    ]  # fmt: skip


def test_a_missing_supply_keeps_what_was_known() -> None:
    assert read((1, 40.0), (2, None)) == [True, True]
    assert read((1, None)) == [False]


def test_an_older_reading_changes_nothing() -> None:
    first = network.decide(None, NODE, 50.0, None, 10)
    assert network.decide(first, NODE, 20.0, None, 10) is None
    assert network.decide(first, NODE, 20.0, None, 9) is None


@pytest.mark.parametrize("celsius", [-41.0, 201.0, math.nan, math.inf])
def test_an_impossible_temperature_is_no_state(celsius: float) -> None:
    assert not network.possible(celsius)
    with pytest.raises(ValueError, match="sensor"):
        network.decide(None, NODE, celsius, None, 1)
    with pytest.raises(ValueError, match="sensor"):
        network.decide(None, NODE, None, celsius, 1)


def state(name: str, supply: float | None, read_at: int, kind: str = "substation") -> NetworkState:
    return NetworkState(
        node=name, name=name, node_kind=kind, lon=0, lat=0, supply_c=supply, return_c=None,
        supply_low_c=45, low=supply is not None and supply < 45, read_at=read_at,
    )  # fmt: skip


def test_the_supply_figure_counts_who_reports() -> None:
    states = [
        state("a", 50.0, 100), state("b", 44.0, 100), state("c", 47.0, 90), state("d", 20.0, 1),
        state("e", None, 100), state("p", 95.0, 100, "plant"),
    ]  # fmt: skip
    assert network.supply(states, at=100, silent_s=60) == SupplyMeasured(
        median_c=47.0, lowest_c=44.0, lowest_name="b", reporting=3, substations=5, low=1
    )
    assert network.supply([], at=0, silent_s=60) == SupplyMeasured(
        median_c=None, lowest_c=None, lowest_name=None, reporting=0, substations=0, low=0
    )
