"""Calls that are likely to come, drawn from those that came: what a plan keeps a reserve for.

A call is made up of parts of known requests: where one stands, when another one may be visited,
what a third needs. How many are still to come follows from how many came by now and from what is
usual. Integers only; own numbers by chance (splitmix64, Steele, Lea and Flood 2014), so that the
same past and seed give the same calls.
"""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

DRAWS = 8192
"""Calls that are made up in order to know how the day's calls lie in time."""
KINDS = 6


class Anticipation(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How far ahead is looked, and how much that weighs."""

    calls: int = 256
    """Calls of a sample."""
    horizon: int = 205
    """Of 1024 of a day: calls later than that from now count nothing, sooner ones in proportion."""
    usual: int = 100
    """Requests of a day that are usual, those included that are known before it."""
    trust: int = 1024
    """Of 1024 of a day's calls: how much that weighs against what is seen of this day."""
    together: int = 512
    """Of 1024 calls: place and time of the same request."""
    weight: int = 1024
    """Of 1024: how much the reserve weighs against the plan."""


class Past(NamedTuple):
    """The requests known by now, int64 each: a row a request. Times in ticks."""

    opens: NDArray[np.int64]
    """When a visit may begin."""
    closes: NDArray[np.int64]
    """... and until when."""
    way: NDArray[np.int64]
    """Travel to it from where crews set out: nobody calls later than that before `closes`."""


class Outlook(NamedTuple):
    """A sample of calls that are not known yet, by rows of the past."""

    place: NDArray[np.int64]
    """The request at whose place it is."""
    time: NDArray[np.int64]
    """... whose window it has."""
    needs: NDArray[np.int64]
    """... whose work it is."""
    known: NDArray[np.int64]
    """When it becomes known."""
    share: int
    """How many calls one of the sample stands for, in 1 / 65536."""


def chances(seed: int, n: int) -> NDArray[np.uint64]:
    """`n` numbers of 64 bits by chance."""
    x = np.arange(1, n + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
    x += np.uint64(seed * 0xD1B54A32D192ED03 % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _below(random: NDArray[np.uint64], n: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """From 0 to n - 1, n up to 2**31."""
    scaled = (random >> np.uint64(32)) * np.asarray(n).astype(np.uint64)
    return (scaled >> np.uint64(32)).astype(np.int64)


def outlook(
    past: Past, *, before: int, now: int, day: int, policy: Anticipation, seed: int
) -> Outlook | None:
    """Calls that may come after `now`, which counts from the beginning of the `day`, in ticks.

    The first `before` rows of the past were known before the day, the others came in it. None where
    nothing is known to draw from or nothing more is likely to come.
    """
    rows = len(past.opens)
    if not rows or not policy.calls or not policy.weight:
        return None
    random = chances(seed, KINDS * DRAWS).reshape(KINDS, DRAWS)
    place, needs, time = (_below(random[i], rows) for i in range(3))
    time = np.where(_below(random[3], 1024) < policy.together, place, time)
    last = np.minimum(past.opens[time], past.closes[time] - past.way[place])
    known = _below(random[4], np.maximum(last, 0) + 1)
    by_now = int((known <= now).sum())
    ahead = known - now
    near = _below(random[5], max(day * policy.horizon >> 10, 1))
    kept = np.flatnonzero((ahead > 0) & (ahead <= near))
    if not kept.size:
        return None
    # A Bayesian mean under a gamma prior: `trust` days with the usual calls were seen before.
    usual = max(policy.usual - before, 0)
    calls = ((usual * policy.trust + (rows - before) * 1024) << 10) // (
        policy.trust + by_now * 1024 // DRAWS
    )
    sample = kept[: policy.calls]
    share = calls * kept.size * 64 // (DRAWS * sample.size) * policy.weight >> 10
    return Outlook(place[sample], time[sample], needs[sample], known[sample], share)
