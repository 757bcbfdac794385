"""First visits in a burst: many tickets wait and many crews are free, as after an outage."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from ext import assignment

if TYPE_CHECKING:
    from dispatch_core.dispatch.problem import Problem

MANY = 4
"""From so many tickets and crews on, the first visits of all are chosen together."""


def first_visits(problem: Problem, routes: list[list[int]]) -> None:
    """Give crews that have nothing to do one visit each so that all together cost least, urgent
    visits first; the search goes on from there."""
    board = problem.board
    placed = {n for route in routes for n in route}
    waiting = [n for n in range(len(problem.units)) if problem.first_unit + n not in placed]
    free = [
        k for k, crew in enumerate(board.crews)
        if crew.later is None and not routes[k] and not problem.fixed.heads[k]
    ]  # fmt: skip
    if len(waiting) < MANY or len(free) < MANY:
        return
    starts, columns, costs, alone = [0], [], [], []
    for n in waiting:
        unit = problem.units[n]
        mask, extra = problem.masks[n], problem.extras[n]
        due, late, weight = problem.clock(unit.rows)
        to = board.place_of_task(unit.lead)
        for column, k in enumerate(free):
            start = max(board.crews[k].free_at + int(board.seconds[k, to]), unit.earliest)
            ends = start + unit.lasts
            if mask[k] or start > unit.latest or ends > board.crews[k].end_at:
                continue
            way = board.inputs.policy.weights.travel * int(board.seconds[k, to])
            columns.append(column)
            costs.append(way + int(extra[k]) + late * max(0, start - due))
        starts.append(len(columns))
        alone.append(weight)
    matched = assignment.assign(
        np.array(starts, np.int64), np.array(columns, np.int32), np.array(costs, np.int64),
        len(free), np.array(alone, np.int64),
    )  # fmt: skip
    for n, column in zip(waiting, matched.tolist(), strict=True):
        if column != assignment.UNMATCHED:
            routes[free[column]].append(problem.first_unit + n)
