"""Random problems for the planner, and its rules once more in plain Python, sharing no code with
it.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np

from ext.planner import BREAK, STORE, Planner

DAY = 600


def some_problem(seed: int, crews: int, tasks: int, features: set[str]) -> dict[str, Any]:
    """Arguments of a Planner. Features: departed, open_end, store, breaks, dues, extra, churn,
    frozen, fixed, pinned,
    tight (windows of an hour), closed (a crew without a shift), directed."""
    random = np.random.default_rng(seed)
    places = crews + tasks + 2
    xy = random.integers(0, 100, (places, 2))
    travel = np.abs(xy[:, None] - xy[None]).sum(2) // 2
    if "directed" in features:
        travel = travel + random.integers(0, 9, travel.shape)
        np.fill_diagonal(travel, 0)
    opens = random.integers(0, DAY // 2, tasks)
    words = (crews + 63) // 64
    bits = random.integers(0, 2, (tasks, 64 * words), dtype=np.uint8)
    bits |= random.integers(0, 2, bits.shape, dtype=np.uint8)
    problem: dict[str, Any] = {
        "travel": travel,
        "crew_place": np.arange(crews),
        "crew_start": random.integers(0, 80, crews),
        "crew_end": random.integers(DAY // 2, DAY, crews),
        "task_place": random.integers(crews, places, tasks),
        "task_service": random.integers(0, 60, tasks),
        "task_open": opens,
        "task_close": opens + (60 if "tight" in features else DAY // 2),
        "task_weight": random.choice([300, 1000, 5000], tasks),
        "task_crews": np.packbits(bits, axis=1, bitorder="little").view(np.uint64),
        "travel_cost": 2,
        "duration_cost": 3,
        "seed": seed,
    }
    if "departed" in features:
        problem["crew_departed"] = random.integers(0, 2, crews)
    if "open_end" in features:
        problem["crew_home"] = np.where(random.integers(0, 2, crews), -1, np.arange(crews))
    if "closed" in features:
        problem["crew_end"][random.integers(0, crews)] = 0
    if "store" in features:
        problem |= _supplies(random, crews, tasks, places - 1)
    if "dues" in features:
        problem["task_due"] = opens + random.integers(0, 60, tasks)
        problem["task_late_cost"] = random.integers(0, 8, tasks)
    if "extra" in features:
        problem["task_extra"] = random.integers(0, 60, (tasks, crews))
    if "pinned" in features:
        problem["task_pinned"] = np.where(
            random.integers(0, 5, tasks) == 0, random.integers(0, crews, tasks), -1
        )
    if "fixed" in features:
        fixed = random.integers(0, 6, tasks) == 0
        problem["task_fixed"] = np.where(fixed, random.integers(50, 400, tasks), -1)
    if "churn" in features:
        before = random.integers(-1, crews, tasks)
        problem |= {
            "task_before": before,
            "churn_cost": 20,
            "most_changes": int(random.integers(0, 4)),
        }
        problem["routes"] = [list(np.flatnonzero(before == k)) for k in range(crews)]
    if "frozen" in features:
        order = list(random.permutation(tasks)[: crews * 2])
        problem["frozen"] = [
            [order.pop() for _ in range(random.integers(0, 3)) if order] for _ in range(crews)
        ]
        taken = {v for row in problem["frozen"] for v in row}
        problem["routes"] = [
            [v for v in row if v not in taken] for row in problem.get("routes", [[]] * crews)
        ]
    return problem | _breaks(random, crews, features)


def _breaks(random: np.random.Generator, crews: int, features: set[str]) -> dict[str, Any]:
    if "breaks" not in features:
        return {}
    early = np.where(random.integers(0, 4, crews) > 0, random.integers(100, 200, crews), -1)
    return {"break_early": early, "break_late": early + 70, "break_length": 40}


def _supplies(random: np.random.Generator, crews: int, tasks: int, store: int) -> dict[str, Any]:
    """Tools and parts, on the vans and asked for, and the store where they are fetched."""
    return {
        "crew_store": np.where(random.integers(0, 3, crews) > 0, store, -1),
        "store_service": 15,
        "store_open": 60,
        "crew_tools": random.integers(0, 8, crews),
        "crew_parts": random.integers(0, 4, (crews, 5)),
        "task_tools": random.choice([0, 0, 1, 2, 4], tasks),
        "task_parts": random.integers(0, 3, (tasks, 5)) * random.integers(0, 2, (tasks, 1)),
        "crew_stocked": random.integers(0, 5, crews) == 0,
    }


def _column(problem: dict[str, Any], name: str, size: int, default: int) -> list[int]:
    value = problem.get(name)
    return [
        default if value is None else int(v)
        for v in np.broadcast_to(0 if value is None else value, size)
    ]


class Rules:
    """The rules of one problem over plain integers."""

    def __init__(self, problem: dict[str, Any]) -> None:
        self.crews, self.tasks = len(problem["crew_place"]), len(problem["task_place"])
        self.problem = problem
        self.travel = np.asarray(problem["travel"]).tolist()
        k, j = self.crews, self.tasks
        self.start, self.end = (
            _column(problem, "crew_start", k, 0),
            _column(problem, "crew_end", k, 0),
        )
        self.place = _column(problem, "crew_place", k, 0)
        self.home = _column(problem, "crew_home", k, 0) if "crew_home" in problem else self.place
        self.departed = _column(problem, "crew_departed", k, 0)
        self.stocked = _column(problem, "crew_stocked", k, 0)
        self.store = _column(problem, "crew_store", k, -1)
        self.tools = _column(problem, "crew_tools", k, 0)
        self.early, self.late = (
            _column(problem, "break_early", k, -1),
            _column(problem, "break_late", k, -1),
        )
        self.length = _column(problem, "break_length", k, 0)
        self.at = _column(problem, "task_place", j, 0)
        self.service = _column(problem, "task_service", j, 0)
        self.opens, self.closes = (
            _column(problem, "task_open", j, 0),
            _column(problem, "task_close", j, 0),
        )
        for task, fixed in enumerate(_column(problem, "task_fixed", j, -1)):
            if fixed >= 0:
                self.opens[task] = self.closes[task] = fixed
        self.due, self.late_cost = (
            _column(problem, "task_due", j, 0),
            _column(problem, "task_late_cost", j, 0),
        )
        self.needs = _column(problem, "task_tools", j, 0)
        self.before, self.pinned = (
            _column(problem, "task_before", j, -1),
            _column(problem, "task_pinned", j, -1),
        )
        self.weight = _column(problem, "task_weight", j, 0)
        self.parts = np.asarray(problem.get("task_parts", np.zeros((j, 1), int)))
        self.stock = np.asarray(problem.get("crew_parts", np.zeros((k, 1), int)))
        self.frozen = [list(row) for row in problem.get("frozen", [[]] * k)]
        self.kept = self.frozen

    def may(self, task: int, crew: int) -> bool:
        """Eligibility and pin."""
        bit = int(self.problem["task_crews"][task][crew // 64]) >> (crew % 64) & 1
        return bool(bit) and self.pinned[task] in {-1, crew}

    def day(self, crew: int, visits: list[int], leave: int) -> tuple[list[int], int, int] | None:
        """(starts, end, travel) when leaving then, everything as early as it can be; None if a
        window closes.
        """
        clock, at, driven, starts = leave, self.place[crew], 0, []
        for v in visits:
            if v == BREAK:
                opens, closes, lasts, to = (
                    self.early[crew],
                    self.rest_by(crew),
                    self.length[crew],
                    at,
                )
            elif v == STORE:
                get = self.problem.get
                opens, closes = int(get("store_open", 0)), int(get("store_close", 1 << 30))
                lasts, to = int(get("store_service", 0)), self.store[crew]
            else:
                opens, closes, lasts, to = (
                    self.opens[v],
                    self.closes[v],
                    self.service[v],
                    self.at[v],
                )
            driven += self.travel[at][to]
            clock = max(clock + self.travel[at][to], opens)
            if clock > closes:
                return None
            starts.append(clock)
            clock, at = clock + lasts, to
        if self.home[crew] >= 0:
            driven += self.travel[at][self.home[crew]]
            clock += self.travel[at][self.home[crew]]
        limit = self.end[crew]
        if self.early[crew] >= 0 and BREAK not in visits and visits != self.kept[crew]:
            limit = min(limit, self.rest_by(crew))
        return (starts, clock, driven) if clock <= limit else None

    def rest_by(self, crew: int) -> int:
        """When the break begins at the latest: by the rule, or as soon as the frozen visits are
        done.
        """
        clock, at = self.start[crew], self.place[crew]
        for v in self.kept[crew]:
            clock = max(clock + self.travel[at][self.at[v]], self.opens[v]) + self.service[v]
            at = self.at[v]
        return max(self.late[crew], clock)

    def check_supplies(self, crew: int, visits: list[int], frozen: int) -> None:
        """Tools and parts of every task that is not frozen."""
        have, used = bool(self.stocked[crew]), np.zeros(self.stock.shape[1], int)
        for i, v in enumerate(visits):
            have |= v == STORE
            if v < 0 or have:
                continue
            used += self.parts[v]
            if i >= frozen:
                assert not self.needs[v] & ~self.tools[crew], f"tools: crew {crew} at {v}"
                assert (used <= self.stock[crew]).all(), f"parts: crew {crew} at {v}"

    def check_break(self, crew: int, visits: list[int], starts: list[int]) -> None:
        """The break, unless the day is over before it (which `day` asks)."""
        assert visits.count(BREAK) <= (self.early[crew] >= 0)
        if BREAK in visits:
            start = starts[visits.index(BREAK)]
            assert self.early[crew] <= start <= self.rest_by(crew)

    def check(self, plan: Planner) -> int:
        """Every hard rule of the plan; returns its cost, computed anew."""
        first, visit, start = (a.tolist() for a in plan.routes())
        leaves = plan.leaves().tolist()
        out, why = (a.tolist() for a in plan.unplanned())
        assert all(why)
        cost, seen, changes = sum(self.weight[j] for j in out), list(out), 0
        extra = self.problem.get("task_extra")
        self.kept = [[v for v in row if v not in out] for row in self.frozen]
        for crew, (a, b) in enumerate(pairwise(first)):
            visits = visit[a:b]
            kept = self.kept[crew]
            assert visits[: len(kept)] == kept == self.frozen[crew][: len(kept)]
            if not visits and not (self.departed[crew] and leaves[crew][2] >= 0):
                continue
            leave, latest, end = leaves[crew]
            day = self.day(crew, visits, leave)
            assert day is not None
            assert (day[0], day[1]) == (start[a:b], end)
            assert (
                leave == latest == self.start[crew]
                if self.departed[crew]
                else leave >= self.start[crew]
            )
            self.check_supplies(crew, visits, len(kept))
            self.check_break(crew, visits, day[0])
            self.check_leaves(crew, visits, leave, latest, end)
            cost += 2 * day[2] + 3 * (end - leave)
            for v, begun in zip(visits, day[0], strict=True):
                if v < 0:
                    continue
                seen.append(v)
                assert self.may(v, crew) or v in kept
                cost += self.late_cost[v] * max(0, begun - self.due[v])
                cost += int(extra[v][crew]) if extra is not None else 0
                changes += self.before[v] not in {-1, crew}
        assert sorted(seen) == list(range(self.tasks))
        frozen = sum(
            self.before[v] not in {-1, k}
            for k, row in enumerate(self.frozen)
            for v in row
            if v not in out
        )
        most = self.problem.get("most_changes", -1)
        assert most < 0 or changes <= max(most, frozen)
        return cost + changes * int(self.problem.get("churn_cost", 0))

    def check_leaves(self, crew: int, visits: list[int], leave: int, latest: int, end: int) -> None:
        """No time of leaving makes the day shorter, none later than `latest` is as short."""
        if self.departed[crew] or visits == self.kept[crew]:
            return
        for time in range(self.start[crew], latest + 40):
            day = self.day(crew, visits, time)
            if day is None:
                assert time > latest
                continue
            lasts = day[1] - time
            assert lasts >= end - leave
            if time < leave:
                assert lasts > end - leave
            elif time <= latest:
                assert lasts == end - leave
