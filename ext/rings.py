"""Rings as edges: what every kernel that asks for inside and outside begins with."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def edges_of(rings: Iterable[NDArray[np.float64]], what: str) -> NDArray[np.float64]:
    """The edges x, y of one end and x, y of the other, float64[edges, 4], ring after ring.

    `rings`: float64[corners, 2] each, the last corner joined to the first; `what` names what they
    bound. Raises ValueError for a ring that is none, and where there is no ring.
    """
    found = []
    for ring in rings:
        corners = np.asarray(ring, np.float64)
        is_flat = corners.ndim == 2 and corners.shape[1] == 2
        if not is_flat or len(corners) < 3 or not np.isfinite(corners).all():
            raise ValueError("a ring is float64[corners, 2] with at least three finite corners")
        found.append(np.hstack([corners, np.roll(corners, -1, axis=0)]))
    if not found:
        raise ValueError(f"a {what} has at least one ring")
    return np.concatenate(found)
