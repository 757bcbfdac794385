"""Travel times that were asked before: between two looks only the crews have moved."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from geo.travel import Places, Seconds

_UNASKED: Final = -2
MOST: Final = 4_000
"""Places that are remembered, 64 MB; then all are forgotten."""

Indexes = NDArray[np.int64]


class TravelMemo:
    """Times between places under one key; another key forgets them all. Ask what `missing` names,
    `learn` it, then `take`."""

    def __init__(self) -> None:
        self._key: Hashable = None
        self._index: dict[tuple[int, int], int] = {}
        self._times: Seconds = np.empty((0, 0), np.int32)

    def missing(self, key: Hashable, a: Places, b: Places) -> list[tuple[Places, Places]]:
        """Blocks of origins (n, 2) and destinations (m, 2) that have to be asked before `take`
        knows every pair of `a` and `b`: two at most."""
        asked = {(x, y) for where in (a, b) for x, y in where.tolist()}
        if key != self._key or len(self._index) + len(asked - self._index.keys()) > MOST:
            self._key, self._index = key, {}
            self._times = np.empty((0, 0), np.int32)
        rows, columns = self._numbers(a), self._numbers(b)
        unasked = self._times[rows][:, columns] == _UNASKED
        fresh = unasked.all(axis=1)
        blocks = [(a[fresh], b)]
        unasked[fresh] = False
        blocks.append((a[unasked.any(axis=1)], b[unasked.any(axis=0)]))
        return [(origins, ends) for origins, ends in blocks if len(origins) and len(ends)]

    def learn(self, a: Places, b: Places, times: Seconds) -> None:
        """Remember times, int32 (n, m), UNKNOWN where there is no way."""
        pairs = np.ix_(self._numbers(a), self._numbers(b))
        self._times[pairs] = times

    def take(self, a: Places, b: Places) -> Seconds:
        """The times of all pairs, int32 (n, m), the caller's own. Raises LookupError for one that
        was not learnt."""
        pairs = np.ix_(self._numbers(a), self._numbers(b))
        found = self._times[pairs]
        if (found == _UNASKED).any():
            raise LookupError("travel times that nobody asked for")
        return found

    def _numbers(self, where: Places) -> Indexes:
        found = [self._index.setdefault((x, y), len(self._index)) for x, y in where.tolist()]
        if len(self._index) > len(self._times):
            size, known = max(len(self._index), min(MOST, 2 * len(self._index))), len(self._times)
            grown = np.full((size, size), _UNASKED, np.int32)
            grown[:known, :known] = self._times
            self._times = grown
        return np.array(found, np.int64)
