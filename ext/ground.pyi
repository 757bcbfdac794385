"""The ground a planner stands on: its problem and search in C, made from checked arrays."""

from typing_extensions import disjoint_base

from ext.plan_input import MOST_TICKS as MOST_TICKS

MOST_COST: int
NEAR: int
SETTINGS: dict[str, int]
"""Figures of the search: removed tasks, and chances of 1024 (see ext/search.pxd)."""

@disjoint_base
class Ground:
    """Checked arrays as a model and a search; freed with it."""
