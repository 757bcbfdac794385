"""Places of a decision as rows of a matrix, and the seconds between them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch.inputs import Inputs, Spot
from geo import travel

Seconds = NDArray[np.int32]


def places_of(inputs: Inputs) -> travel.Places:
    """Every place that these inputs may ask the way to, each once, in order: int32 (n, 2)."""
    spots = {s for t in inputs.teams for s in (t.place, t.base) if s is not None}
    spots |= {t.target for t in inputs.tasks if t.target is not None}
    spots |= {s.place for s in inputs.stores}
    return rows_of(sorted(spots))


def rows_of(spots: Sequence[Spot]) -> travel.Places:
    """Places as int32 (n, 2)."""
    return np.array([(s.lon_u, s.lat_u) for s in spots], np.int32).reshape(-1, 2)


def seconds_between(inputs: Inputs, spots: Sequence[Spot]) -> Seconds:
    """Seconds from each place to each, int32 (n, n): by the table, else by great circle."""
    table, rows = inputs.travel, rows_of(spots)
    found = travel.seconds(table.model, rows, rows, inputs.at)
    if not table.found:
        return found
    at = _index(table.origins, spots), _index(table.destinations, spots)
    known = at[0] >= 0, at[1] >= 0
    found[np.ix_(*known)] = table.seconds[np.ix_(at[0][known[0]], at[1][known[1]])]
    return found


def _index(stored: bytes, spots: Sequence[Spot]) -> NDArray[np.int64]:
    places = np.frombuffer(stored, "<i4").reshape(-1, 2).tolist()
    row = {(lon, lat): n for n, (lon, lat) in enumerate(places)}
    return np.array([row.get((s.lon_u, s.lat_u), -1) for s in spots], np.int64)


def metres(one: Spot, other: Spot) -> int:
    """Great-circle distance of two places, whole metres."""
    return int(travel.metres(rows_of([one]), rows_of([other]))[0, 0])
