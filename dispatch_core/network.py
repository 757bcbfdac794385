"""Plants and substations: when a supply temperature is low, and the figure over all of them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from statistics import median
from typing import Literal

import msgspec

from dispatch_core.events import NetworkState, SupplyMeasured


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """A low supply is over only once it is `margin_c` above its bound. Degrees Celsius."""

    version: str = "network-1"
    margin_c: float = 1.0
    least_c: float = -40.0
    most_c: float = 200.0


POLICY = Policy()


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A plant or substation of the heat tree."""

    node: str
    name: str
    node_kind: Literal["plant", "substation"]
    lon: float
    lat: float
    supply_low_c: float


def possible(celsius: float | None, policy: Policy = POLICY) -> bool:
    """Whether water in a network can have this temperature; an absent reading can."""
    return celsius is None or (
        math.isfinite(celsius) and policy.least_c <= celsius <= policy.most_c
    )


def decide(
    last: NetworkState | None,
    node: Node,
    supply_c: float | None,
    return_c: float | None,
    read_at: int,
    policy: Policy = POLICY,
) -> NetworkState | None:
    """The node's state after a reading; None for a reading older than the last.

    Raises ValueError for an impossible temperature: ask `possible` first.
    """
    if not (possible(supply_c, policy) and possible(return_c, policy)):
        raise ValueError("an impossible temperature is a sensor's fault, no state of the network")
    if last is not None and last.read_at is not None and read_at <= last.read_at:
        return None
    was_low = last is not None and last.low
    bound = node.supply_low_c + (policy.margin_c if was_low else 0.0)
    low = was_low if supply_c is None else supply_c < bound
    return NetworkState(
        node=node.node,
        name=node.name,
        node_kind=node.node_kind,
        lon=node.lon,
        lat=node.lat,
        supply_c=supply_c,
        return_c=return_c,
        supply_low_c=node.supply_low_c,
        low=low,
        read_at=read_at,
    )


def supply(states: Iterable[NetworkState], at: int, silent_s: int) -> SupplyMeasured:
    """The figure over all substations; one silent for longer than `silent_s` does not report."""
    stations = [s for s in states if s.node_kind == "substation"]
    heard = [
        (s.supply_c, s.name, s.low)
        for s in stations
        if s.supply_c is not None and s.read_at is not None and at - s.read_at <= silent_s
    ]
    lowest = min(heard, default=None)
    return SupplyMeasured(
        median_c=round(median(c for c, _, _ in heard), 1) if heard else None,
        lowest_c=lowest[0] if lowest else None,
        lowest_name=lowest[1] if lowest else None,
        reporting=len(heard),
        substations=len(stations),
        low=sum(low for _, _, low in heard),
    )
