"""The ground a planner stands on: its problem and search in C, made from checked arrays."""

MOST_COST: int
NEAR: int
SETTINGS: dict[str, int]
"""Figures of the search: removed tasks, and chances of 1024 (see ext/search.pxd)."""

class Ground:
    """Checked arrays as a model and a search; freed with it."""
