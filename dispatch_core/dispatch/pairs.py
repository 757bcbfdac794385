"""Jobs that need two crews at one start: which two, when, and who gives way to both."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch import rules
from dispatch_core.dispatch.found import Found, Moved, gives_way
from dispatch_core.dispatch.search import Search
from ext import visits

CONSIDERED = 6
"""The crews that could begin soonest are paired with one another, and"""
CALM = 3
"""with those that could soonest if nothing gave way to them."""
ROUNDS = 8


def best_pairs(
    search: Search, j: int, mask: NDArray[np.uint32], n: int
) -> tuple[list[Found], NDArray[np.uint32]]:
    """The `n` best pairs with different first crews, and the masks: where only one crew has a place
    in its day it is left out for want of a second."""
    pairs, mask = _pairs(search, j, mask)
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


def safe_pair(search: Search, j: int, mask: NDArray[np.uint32], found: list[Found]) -> Found | None:
    """The two crews that would be there soonest if they, or one of them, left the less urgent
    ticket that they work on; None where that is no better than what there is."""
    able = np.flatnonzero(mask == 0).tolist()
    rows = {row for k in able for row in search.may_be_left(k)}
    if not rows or not search.most_displaced(j):
        return None
    with search.as_if_driving(sorted(rows)):
        pairs, _ = _pairs(search, j, mask)
    best = min((f.order for f in found), default=None)
    safe = [
        (p.order[0], left, p.order, p)
        for p in pairs
        if (left := sum(g.row in rows for g in p.gone))
        and (best is None or p.order[0] < best[0])
    ]  # fmt: skip
    return min(safe, key=lambda s: s[:3])[3] if safe else None


def _pairs(
    search: Search, j: int, mask: NDArray[np.uint32]
) -> tuple[list[Found], NDArray[np.uint32]]:
    """Pairs of the crews that could begin soonest, the best first, and the masks with what keeps a
    crew from a place in its day. Nobody gives way while a pair can begin in time without."""
    with _alone(search, j):
        mask, alone = mask.copy(), []
        for k in np.flatnonzero(mask == 0).tolist():
            one = search.one(j, k)
            if one is None:
                mask[k] |= np.uint32(rules.BIT[search.time_rule(j, k)])
            else:
                alone.append(one)
        calm = [f if not f.gone else search.one(j, f.crew, displace=0) for f in alone]
        able = [
            *_soonest(alone)[:CONSIDERED],
            *_soonest([f for f in calm if f is not None])[:CALM],
        ]
        both = combinations(dict.fromkeys(able), 2)
        pairs = [p for a, b in both if (p := _together(search, j, a, b, 0))]
    if any(p.in_time and not p.gone for p in pairs):
        pairs = [p for p in pairs if not p.gone]
    return sorted(pairs, key=lambda f: f.order), mask


def _soonest(found: list[Found]) -> list[int]:
    """The crews, who can begin soonest first."""
    return [f.crew for f in sorted(found, key=lambda f: (f.option.start, f.order))]


def _together(search: Search, j: int, a: int, b: int, ready: int) -> Found | None:
    """Two crews at one start. Where they are late and others may give way to them, either may take
    of what may be displaced first; with nothing displaced it may still be best."""
    calm = _at_one_start(search, j, a, b, ready, 0)
    most = search.most_displaced(j)
    if not most or (calm is not None and calm.in_time):
        return calm
    first = _at_one_start(search, j, a, b, ready, most)
    second = _at_one_start(search, j, b, a, ready, most)
    if second is not None and second.other is not None:
        second = second._replace(crew=a, option=second.other, mate=b, other=second.option)
    pairs = [p for p in (calm, first, second) if p is not None]
    return min(pairs, key=lambda f: f.order, default=None)


def _at_one_start(search: Search, j: int, a: int, b: int, ready: int, most: int) -> Found | None:
    """The earliest start that both can keep; each begins when the later one is there. The second
    one's day is searched as it is after the first one's half is in, with what gave way to it."""
    for _ in range(ROUNDS):
        one = search.one(j, a, ready=ready, displace=most)
        if one is None:
            return None
        with search.as_done(j, one, search.sheet.spare):
            other = search.one(j, b, ready=one.option.start, displace=most - len(one.gone))
            if other is None:
                return None
            ready = other.option.start
            after = _after(search, j, one, other) if ready == one.option.start else None
        if after is not None:
            return _pair(search, one, other, after)
    return None


def _after(search: Search, j: int, one: Found, other: Found) -> dict[int, tuple[int, int]]:
    """The rows of what gives way or waits, with who has them and when, once both halves are in."""
    options = (one.option, other.option)
    rows = [
        *(d.ticket for o in options for d in o.displaced),
        *(d.ticket for o in options for d in o.delayed),
    ]
    with search.as_done(j, other, j):
        return {row: _planned(search, row) for row in rows}


def _planned(search: Search, row: int) -> tuple[int, int]:
    """Who has a visit, -1: nobody, and when it begins."""
    plan = search.sheet.plan
    k = plan.crew_of(row)
    if k < 0:
        return -1, visits.NEVER
    return k, int(plan.starts(k)[plan.route(k).tolist().index(row)])


def _pair(search: Search, one: Found, other: Found, after: dict[int, tuple[int, int]]) -> Found:
    """Both halves as one, with what each of the others is told for both."""
    sheet = search.sheet
    displaced = {d.ticket for half in (one, other) for d in half.option.displaced}
    gone, late = [], []
    for row, (crew, start) in after.items():
        was, due = _planned(search, row)[1], int(sheet.rows["due"][row])
        if row in displaced:
            gone.append(gives_way(sheet, row, was, crew, start))
        elif was <= due < start:
            late.append(Moved(row, int(sheet.rows["level"][row]), was, crew, start))
    return Found(
        one.crew, one.option, one.via or other.via, tuple(gone), tuple(late),
        mate=other.crew, other=other.option,
    )  # fmt: skip


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
