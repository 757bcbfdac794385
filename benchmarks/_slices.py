"""Running a planner for a time of one core: how many steps that is, and those in slices."""

from __future__ import annotations

import time
from typing import Any

from ext.planner import Planner

SLICE = 500
TRIAL = 20_000


def steps_in(problem: dict[str, Any], seconds: float, trial: int = TRIAL) -> int:
    """Steps that fit into so many seconds here, by a short search of the same problem."""
    plan = Planner(**problem, budget=trial)
    begin = time.process_time()
    plan.improve(trial)
    return max(int(trial * seconds / max(time.process_time() - begin, 1e-9)), SLICE)


def run(plan: Planner, until: float) -> None:
    """Improve until the budget is used up or the process has used so much processor time."""
    while plan.iterations < plan.budget and time.process_time() < until:
        plan.improve(min(SLICE, plan.budget - plan.iterations))
