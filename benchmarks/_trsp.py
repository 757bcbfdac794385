"""The technician problem of Pillac, Gueret and Medaglia (2013): its files, and its rules as a
planner's arguments.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CREWS = 25
TICKS = 10_000
"""Ticks in a unit of time. Travel is rounded up, so that a plan holds under the true distances too.
"""
WEIGHT = 10**12
"""The cost of a request that is left out: more than every duration."""
STEPS_A_SECOND = 60_000
"""What the annealing cools over, in a second of one core; a slower machine cools less far."""


@dataclass(frozen=True)
class Instance:
    """Nodes: 0 the depot, 1-25 the technicians' homes, then requests. Times in ticks."""

    name: str
    xy: NDArray[np.float64]
    opens: NDArray[np.int32]
    closes: NDArray[np.int32]
    service: NDArray[np.int32]
    skills: NDArray[np.uint64]
    tools: NDArray[np.uint64]
    parts: NDArray[np.int32]

    @property
    def requests(self) -> int:
        """How many there are."""
        return len(self.opens) - CREWS - 1

    def travel(self) -> NDArray[np.int32]:
        """Ticks between nodes, rounded up."""
        x, y = self.xy.T
        far = np.hypot(x[:, None] - x, y[:, None] - y)
        return np.ceil(far * TICKS - 1e-6).astype(np.int32)


def read(path: Path) -> Instance:
    """An instance from the authors' file."""
    row = re.compile(r"\s*(\d+)" + r"\s+(\S+)" * 5 + r"\s+\[(.*?)\]" + r"\s*\[(.*?)\]" * 2)
    found = [
        m for line in path.read_text("utf-8", "replace").splitlines() if (m := row.match(line))
    ]

    def numbers(text: str) -> list[int]:
        return [int(word) for word in text.split(",") if word.strip()]

    def bits(column: int) -> NDArray[np.uint64]:
        return np.array([sum(1 << b for b in numbers(m[column])) for m in found], np.uint64)

    def ticks(column: int) -> NDArray[np.int32]:
        return np.array([round(float(m[column]) * TICKS) for m in found], np.int32)

    parts = [numbers(m[9]) for m in found]
    kinds = max(map(len, parts))
    return Instance(
        path.stem, np.array([[float(m[2]), float(m[3])] for m in found]), ticks(4), ticks(5),
        ticks(6), bits(7), bits(8), np.array([row + [0] * (kinds - len(row)) for row in parts],
        np.int32),
    )  # fmt: skip


def problem(instance: Instance) -> dict[str, Any]:
    """The planner's arguments: technicians are crews 0-24, requests are tasks from 0, nodes are
    places.
    """
    crews, tasks = slice(1, CREWS + 1), slice(CREWS + 1, None)
    able = (instance.skills[tasks, None] & ~instance.skills[None, crews]) == 0
    return {
        "travel": instance.travel(),
        "crew_place": np.arange(1, CREWS + 1),
        "crew_start": instance.opens[crews],
        "crew_end": instance.closes[crews],
        "crew_tools": instance.tools[crews],
        "crew_parts": instance.parts[crews],
        "crew_store": 0,
        "store_open": instance.opens[0],
        "store_close": instance.closes[0],
        "task_place": np.arange(CREWS + 1, len(instance.opens)),
        "task_service": instance.service[tasks],
        "task_open": instance.opens[tasks],
        "task_close": instance.closes[tasks],
        "task_weight": WEIGHT,
        "task_crews": (able.astype(np.uint64) << np.arange(CREWS, dtype=np.uint64)).sum(1)[:, None],
        "task_tools": instance.tools[tasks],
        "task_parts": instance.parts[tasks],
        "travel_cost": 0,
        "duration_cost": 1,
    }
