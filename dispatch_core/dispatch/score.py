"""The parts of the score that follow from a crew and a ticket alone: continuity, skill, parts."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch.board import Board

SKILLS_COUNTED = 3
"""So many certificates beyond what is needed count at most."""


class Given(NamedTuple):
    """Seconds of travel that each crew is behind for a ticket, int32 (K) each; 0 is best."""

    continuity: NDArray[np.int32]
    """It does not know the building."""
    skill: NDArray[np.int32]
    """It can do more than is needed, and would be missed elsewhere."""
    parts: NDArray[np.int32]
    """Parts are not on its van."""


def given(board: Board, j: int) -> Given:
    """Of every crew, for a ticket."""
    w, task = board.inputs.policy.weights, board.inputs.tasks[j]
    crews = len(board.crews)
    continuity = np.zeros(crews, np.int32)
    if task.building is not None:
        continuity[:] = w.strange_building_s
        for crew, visits in task.visits_by.items():
            strange = w.known_after_visits - min(visits, w.known_after_visits)
            if crew in board.team_row:
                behind = w.strange_building_s * strange // w.known_after_visits
                continuity[board.team_row[crew]] = behind
    key = task.work.skill, tuple(sorted(task.work.certificates))
    over = board.skills_over.get(key)
    if over is None:
        over = np.array([skill_over(board, j, k) for k in range(crews)], np.int32)
        board.skills_over[key] = over
    parts = np.zeros(crews, np.int32)
    if task.work.parts:
        lacking = [board.missing(task, crew) for crew in board.crews]
        unknown = len(task.work.parts)
        parts[:] = [w.part_missing_s * (unknown if n is None else n) for n in lacking]
    return Given(continuity, over * np.int32(w.skill_step_s), parts)


def skill_over(board: Board, j: int, k: int) -> int:
    """Levels and certificates of a crew beyond what a ticket needs."""
    work, team = board.inputs.tasks[j].work, board.inputs.teams[k]
    spare = len(set(team.certificates).difference(work.certificates)) if team.certificates else 0
    return max(0, team.skill - work.skill) + min(SKILLS_COUNTED, spare)
