"""Which buildings are heated, which community each belongs to, and where the substations stand."""

from __future__ import annotations

import itertools
import random
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Metres = NDArray[np.float64]


def metres(lonlat: Sequence[tuple[float, float]]) -> Metres:
    """Degrees to local metres around the mean, shape (n, 2)."""
    at = np.asarray(lonlat, dtype=np.float64)
    mid = at.mean(axis=0)
    scale = np.array([111_320.0 * np.cos(np.radians(mid[1])), 111_150.0])
    out: Metres = (at - mid) * scale
    return out


SERVED = 1.7
"""The company serves one building here and one there: it has the choice among this many
times its own, so that its communities reach across the town."""


def thinned(rng: random.Random, places: int, buildings: int) -> list[int]:
    """Indexes, ascending, of the places that may be served at all."""
    return sorted(rng.sample(range(places), min(places, int(SERVED * buildings))))


def choose(
    rng: random.Random, at: Metres, groups: Sequence[int], buildings: int, communities: int
) -> list[list[int]]:
    """Indexes of `buildings` buildings in `communities` compact sets, spread over the city.

    Whole groups (blocks) are taken before the next nearest one. Fewer if the city has fewer.
    """
    communities = max(1, min(communities, buildings, len(at)))
    buildings = min(buildings, len(at))
    group = np.asarray(groups)
    keys, inverse = np.unique(group, return_inverse=True)
    count = np.bincount(inverse)
    middles: Metres = np.stack([np.bincount(inverse, at[:, k]) / count for k in (0, 1)], axis=1)
    seeds = _spread(rng, middles, min(communities, len(keys)))
    sizes = _sizes(rng, buildings, len(seeds))
    free = np.ones(len(at), dtype=bool)
    out: list[list[int]] = []
    for seed, size in zip(seeds, sizes, strict=True):
        far = np.hypot(*(middles - middles[seed]).T)[inverse]
        own = np.hypot(*(at - middles[seed]).T)
        order = np.lexsort((own, np.round(far)))
        mine = order[free[order]][:size]
        free[mine] = False
        out.append([int(k) for k in mine])
    return out


def _spread(rng: random.Random, at: Metres, n: int) -> list[int]:
    """Farthest-point sampling softened by chance, so that the picks are even but not a lattice."""
    noise = np.array([rng.uniform(0.55, 1.0) for _ in range(len(at))])
    picks = [int(np.argmin(np.hypot(*(at - np.median(at, axis=0)).T)))]
    near = np.hypot(*(at - at[picks[0]]).T)
    while len(picks) < n:
        picks.append(int(np.argmax(near * noise)))
        near = np.minimum(near, np.hypot(*(at - at[picks[-1]]).T))
    return picks


def _sizes(rng: random.Random, total: int, n: int) -> list[int]:
    """n sizes of two thirds to four thirds of the mean, with exactly this sum."""
    weights = [rng.uniform(0.66, 1.34) for _ in range(n)]
    ends = [0.0]
    for w in weights:
        ends.append(ends[-1] + w)
    cuts = [round(e / ends[-1] * total) for e in ends]
    return [b - a for a, b in itertools.pairwise(cuts)]


def cluster(
    rng: random.Random, at: Metres, n: int, rounds: int = 12
) -> tuple[NDArray[np.int64], Metres]:
    """k-means: the cluster of each place, shape (len(at),), and the middles, shape (n, 2)."""
    n = min(n, len(at))
    middles = at[_spread(rng, at, n)].copy()
    of = np.zeros(len(at), dtype=np.int64)
    for _ in range(rounds):
        of = np.argmin(((at[:, None, :] - middles[None]) ** 2).sum(axis=2), axis=1)
        for k in range(n):
            if (of == k).any():
                middles[k] = at[of == k].mean(axis=0)
    used, of = np.unique(of, return_inverse=True)
    return of, middles[used]
