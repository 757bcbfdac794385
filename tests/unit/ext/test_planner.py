"""The planner: no plan breaks a rule, the same inputs give the same plan, and small problems are
solved.
"""

from __future__ import annotations

from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_rules import Rules, some_problem

from ext import planner
from ext.planner import Planner

FEATURES = (
    "departed", "open_end", "store", "breaks", "dues", "extra", "churn", "frozen", "fixed",
    "pinned", "tight", "closed", "directed",
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    crews=st.integers(1, 5),
    tasks=st.integers(0, 16),
    features=st.sets(st.sampled_from(FEATURES)),
)
def test_no_plan_breaks_a_rule_and_its_cost_is_what_it_says(
    seed: int, crews: int, tasks: int, features: set[str]
) -> None:
    problem = some_problem(seed, crews, tasks, features)
    rules = Rules(problem)
    plan = Planner(**problem, budget=300)
    first = plan.cost()["total"]
    assert rules.check(plan) == first
    plan.improve(300)
    assert rules.check(plan) == plan.cost()["total"] == plan.improve(0) <= first


@settings(max_examples=6, deadline=None)
@given(seed=st.integers(0, 1 << 30), features=st.sets(st.sampled_from(FEATURES)))
def test_so_it_is_with_more_crews_than_are_asked_each_time(seed: int, features: set[str]) -> None:
    problem = some_problem(seed, 70, 90, features)
    plan = Planner(**problem, budget=60)
    plan.improve(60)
    assert Rules(problem).check(plan) == plan.cost()["total"]


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 1 << 30), features=st.sets(st.sampled_from(FEATURES)))
def test_the_same_inputs_give_the_same_plan_however_the_steps_are_sliced(
    seed: int, features: set[str]
) -> None:
    problem = some_problem(seed, 4, 14, features)

    def made(*slices: int) -> list[bytes]:
        plan = Planner(**problem, budget=500)
        for steps in slices:
            plan.improve(steps)
        assert plan.iterations == sum(slices)
        return [part.tobytes() for part in (*plan.routes(), plan.leaves(), *plan.unplanned())]

    assert made(400) == made(1, 31, 1, 300, 67)


def test_another_seed_searches_elsewhere() -> None:
    problem = some_problem(5, 6, 60, set())
    plans = {
        tuple(Planner(**{**problem, "seed": seed}, budget=200).improve(20) for _ in range(1))
        for seed in range(8)
    }
    assert len(plans) > 1


def least_cost(problem: dict[str, Any], rules: Rules) -> int:
    """The cost of the best plan of a small problem without store and breaks, by trying all."""
    best: list[dict[frozenset[int], int]] = []
    for crew in range(rules.crews):
        costs = {frozenset[int](): 0}
        able = [j for j in range(rules.tasks) if rules.may(j, crew)]
        for size in range(1, len(able) + 1):
            for order in permutations(able, size):
                cost = _route_cost(rules, crew, list(order))
                whole = frozenset(order)
                if cost is not None and cost < costs.get(whole, 1 << 60):
                    costs[whole] = cost
        best.append(costs)
    weights = rules.weight
    least = {frozenset[int](): 0}
    for costs in best:
        wider: dict[frozenset[int], int] = {}
        for done, cost in least.items():
            for more, price in costs.items():
                if not done & more:
                    whole = done | more
                    wider[whole] = min(wider.get(whole, 1 << 60), cost + price)
        least = wider
    everything = range(rules.tasks)
    return min(
        cost + sum(weights[j] for j in everything if j not in done) for done, cost in least.items()
    )


def _route_cost(rules: Rules, crew: int, order: list[int]) -> int | None:
    """The least cost of the tasks in this order, over every time of leaving."""
    found: list[int] = []
    for leave in range(rules.start[crew], rules.end[crew] + 1):
        day = rules.day(crew, order, leave)
        if day is None:
            break
        found.append(2 * day[2] + 3 * (day[1] - leave))
    return min(found, default=None)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("features", [set[str](), {"tight"}, {"directed", "fixed"}], ids=str)
def test_small_problems_are_solved(seed: int, features: set[str]) -> None:
    problem = some_problem(seed, 2, 5, features)
    assert Planner(**problem, budget=2000).improve(2000) == least_cost(problem, Rules(problem))


def crews_and_tasks(**changed: Any) -> dict[str, Any]:
    """Two crews at place 0 and three tasks at places 1 to 3, ten ticks apart on a line."""
    line = np.arange(4) * 10
    problem: dict[str, Any] = {
        "travel": np.abs(line[:, None] - line), "crew_place": [0, 0], "crew_start": 0,
        "crew_end": 200, "task_place": [1, 2, 3], "task_service": 5, "task_open": 0,
        "task_close": 200, "task_weight": 1000, "task_crews": np.full((3, 1), 3, np.uint64),
        "budget": 100,
    }  # fmt: skip
    return problem | changed


@pytest.mark.parametrize(
    ("changed", "reason"),
    [
        ({"task_crews": [[0], [0], [0]]}, planner.NO_CREW),
        ({"task_crews": [[1], [1], [1]], "task_pinned": 1}, planner.NO_CREW),
        ({"crew_end": -1}, None),
        ({"crew_start": 100, "crew_end": 50}, planner.OUT_OF_TIME),
        ({"task_close": 5}, planner.OUT_OF_TIME),
        ({"frozen": [[2, 1, 0], []], "task_close": 20}, planner.FROZEN_LATE),
        ({"crew_tools": 1, "task_tools": 2}, planner.NO_PARTS),
        ({"crew_parts": [[1], [1]], "task_parts": [[2], [2], [2]]}, planner.NO_PARTS),
        ({"task_weight": 3}, planner.TOO_DEAR),
    ],
)
def test_what_cannot_be_done_comes_back_with_its_reason(
    changed: dict[str, Any], reason: int | None
) -> None:
    if reason is None:
        with pytest.raises(ValueError, match="crew_end must be from 0"):
            Planner(**crews_and_tasks(**changed))
        return
    plan = Planner(**crews_and_tasks(**changed))
    plan.improve(100)
    out, why = plan.unplanned()
    assert out.tolist() == [0, 1, 2]
    assert set(why.tolist()) == {reason}
    assert plan.routes()[1].size == 0


def test_a_day_too_full_for_one_more_says_so() -> None:
    # There and back with service takes 30, 50 and 70; the first two together 60; all three 90.
    plan = Planner(**crews_and_tasks(crew_end=[75, 0], task_service=10))
    plan.improve(100)
    out, why = plan.unplanned()
    assert (out.tolist(), why.tolist()) == ([2], [planner.NO_ROOM])


def test_a_tool_is_fetched_from_the_store() -> None:
    plan = Planner(**crews_and_tasks(crew_tools=1, task_tools=[1, 2, 1], crew_store=3))
    plan.improve(100)
    first, visit, _ = plan.routes()
    with_store = [
        visit[a:b].tolist() for a, b in pairwise(first.tolist()) if planner.STORE in visit[a:b]
    ]
    assert with_store
    assert all(row.index(planner.STORE) < row.index(1) for row in with_store)


def test_a_plan_that_breaks_a_rule_is_mended_and_told() -> None:
    wrong = crews_and_tasks(
        task_close=[200, 12, 200], routes=[[0, 1, 2], []], task_before=[0, 0, 0]
    )
    plan = Planner(**wrong)
    assert plan.taken_out().tolist() == [1]
    plan = Planner(**wrong, most_changes=0)
    plan.improve(50)
    assert plan.cost()["changes"] == 0


def test_the_cap_on_changes_holds_and_is_the_reason() -> None:
    given_ = crews_and_tasks(crew_end=[0, 200], task_before=[0, 0, 1], most_changes=1)
    plan = Planner(**given_)
    plan.improve(100)
    out, why = plan.unplanned()
    assert plan.cost()["changes"] == 1
    assert (len(out), why.tolist()) == (1, [planner.AT_THE_CAP])


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"travel": np.zeros((3, 4), int)}, "square"),
        ({"travel": np.full((4, 4), -1)}, "travel must be from 0"),
        ({"travel": np.zeros((4, 4))}, "travel must be integers"),
        ({"task_place": [1, 2, 4]}, "task_place must be from 0 to 3"),
        ({"task_service": [1, 2]}, "task_service has shape"),
        ({"task_weight": None}, "task_weight is missing"),
        ({"task_crews": np.zeros((3, 2), np.uint64)}, "task_crews has shape"),
        ({"budget": 0}, "budget must be from 1"),
        ({"frozen": [[3], []]}, "frozen has 3"),
        ({"routes": [[0], [0]]}, "task 0 stands in two places"),
        ({"routes": [[0]]}, "routes has 1 rows"),
        ({"frozen": [[planner.STORE], []]}, "has none"),
        ({"break_early": 20, "break_late": 10}, "break_late"),
        ({"crew_parts": [[1, 2], [1, 2]], "task_parts": np.zeros((3, 9), int)}, "kinds"),
        ({"settings": {"strength": 3}}, "unknown settings: strength"),
        ({"crew_colour": 3}, "unknown arguments: crew_colour"),
    ],
)
def test_bad_input_is_named(changed: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Planner(**crews_and_tasks(**changed))


def test_nobody_and_nothing_is_an_empty_plan() -> None:
    nobody = crews_and_tasks(crew_place=[], task_crews=np.zeros((3, 0), np.uint64))
    plan = Planner(**nobody)
    plan.improve(10)
    assert plan.unplanned()[1].tolist() == [planner.NO_CREW] * 3
    nothing = crews_and_tasks(task_place=[], task_crews=np.zeros((0, 1), np.uint64))
    assert Planner(**nothing).improve(10) == 0
