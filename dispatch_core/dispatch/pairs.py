"""Jobs that need two crews at one start: which two, and when."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch import rules
from dispatch_core.dispatch.search import Found, Search

CONSIDERED = 6
"""The crews that could begin soonest are paired with one another."""
ROUNDS = 8


def best_pairs(
    search: Search, j: int, mask: NDArray[np.uint32], n: int
) -> tuple[list[Found], NDArray[np.uint32]]:
    """The `n` best pairs with different first crews, and the masks: where only one crew has a place
    in its day it is left out for want of a second."""
    with _alone(search, j):
        mask, soonest = mask.copy(), []
        for k in np.flatnonzero(mask == 0).tolist():
            one = search.one(j, k)
            if one is None:
                mask[k] |= np.uint32(rules.BIT[search.time_rule(j, k)])
            else:
                soonest.append(one)
        soonest.sort(key=lambda f: (f.option.start, f.order))
        able = [f.crew for f in soonest[:CONSIDERED]]
        pairs = [p for a, b in combinations(able, 2) if (p := _together(search, j, a, b, 0))]
    pairs.sort(key=lambda f: f.order)
    found: list[Found] = []
    for pair in pairs:
        if pair.crew not in {f.crew for f in found}:
            found.append(pair)
    if not found:
        mask[mask == 0] |= np.uint32(rules.BIT["second_crew"])
    return found[:n], mask


def pair_at(
    search: Search, j: int, mask: NDArray[np.uint32], k: int, mate: int | None, ready: int
) -> Found | None:
    """A named crew with a named second, or with the one that makes the best pair; None: no pair."""
    with _alone(search, j):
        mates = np.flatnonzero(mask == 0).tolist() if mate is None else [mate]
        pairs = [p for m in mates if m != k and (p := _together(search, j, k, m, ready))]
    return min(pairs, key=lambda f: f.order, default=None)


def _together(search: Search, j: int, a: int, b: int, ready: int) -> Found | None:
    """The earliest start that both can keep; each begins when the later one is there."""
    most = search.most_displaced(j)
    for _ in range(ROUNDS):
        one = search.one(j, a, ready=ready, displace=most)
        if one is None:
            return None
        gone = len(one.option.displaced)
        other = search.one(j, b, ready=ready, displace=most - gone)
        if other is None or _overlap(one, other):
            return None
        start = max(one.option.start, other.option.start)
        if one.option.start == other.option.start:
            return Found(a, one.option, one.via or other.via, b, other.option)
        ready = start
    return None


def _overlap(one: Found, other: Found) -> bool:
    """Whether what gives way to one crew's half is reckoned with in the other's day: the two were
    found apart from one another."""
    return bool(one.option.displaced) and bool(other.option.displaced)


@contextmanager
def _alone(search: Search, j: int) -> Iterator[None]:
    """The ticket is taken out of the day of the second crew that has it."""
    sheet = search.sheet
    halves = {k: row for (task, k), row in sheet.halves.items() if task == j}
    before = {k: sheet.plan.route(k) for k in halves}
    for k, row in halves.items():
        rest = [r for r in before[k].tolist() if r != row]
        sheet.plan.set_route(k, np.array(rest, np.int32))
    try:
        yield
    finally:
        for k, route in before.items():
            sheet.plan.set_route(k, route)
