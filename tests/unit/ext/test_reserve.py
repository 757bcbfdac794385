"""The reserve of a plan is what foreseen calls would cost it, worked out again in plain Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plan_rules import DAY, some_problem

from ext.planner import STORE, Planner

FEATURES = ("departed", "open_end", "store", "pinned", "tight", "closed", "directed")
NEVER = 1 << 40


def some_calls(seed: int, problem: dict[str, Any], calls: int) -> dict[str, Any]:
    random = np.random.default_rng(seed + 1)
    opens = random.integers(0, DAY, calls)
    crews, places = len(problem["crew_place"]), len(problem["travel"])
    found: dict[str, Any] = {
        "call_place": random.integers(0, places, calls),
        "call_known": np.maximum(opens - random.integers(0, 300, calls), 0),
        "call_open": opens,
        "call_close": opens + random.integers(0, 150, calls),
        "call_service": random.integers(0, 40, calls),
        "call_crews": random.integers(0, 1 << crews, (calls, 1), dtype=np.uint64),
        "call_loss": random.integers(0, 500, calls),
        "call_share": 3 * 65536 + 1000,
        "call_keen": int(random.choice([0, 500, 1024])),
        "call_leave": int(random.choice([0, 512, 1024])),
    }
    if "crew_parts" in problem:
        found["call_tools"] = random.choice([0, 1, 2, 4], calls)
        found["call_parts"] = random.integers(0, 3, (calls, 5)) * random.integers(0, 2, (calls, 1))
    return found


class Slow:
    """The same, by trying every time of leaving home and walking every route."""

    def __init__(self, problem: dict[str, Any], plan: Planner) -> None:
        self.p = problem
        self.first, self.visit, _ = plan.routes()
        self.leaves = plan.leaves()
        self.crews = len(problem["crew_place"])
        self.home = problem.get("crew_home", np.asarray(problem["crew_place"]))

    def value(self) -> int:
        calls = len(self.p["call_place"])
        ticks = sum(min(self.counts(c, k) for k in range(self.crews)) for c in range(calls))
        return ticks * self.p["call_share"] >> 16

    def counts(self, c: int, k: int) -> int:
        loss = int(self.p["call_loss"][c])
        if not int(self.p["call_crews"][c, 0]) >> k & 1:
            return loss
        least = self.least(c, k)
        if least >= NEVER:
            return loss
        keen = self.p["call_keen"]
        return min(loss, (least >> 10) * keen + ((least & 1023) * keen >> 10))

    def stops(self, k: int) -> list[tuple[int, int, int, int]]:
        """(place, opens, closes, service) of every visit of a crew's route."""
        p = self.p
        return [
            (int(p["crew_store"][k]), int(p["store_open"]), 1 << 28, int(p["store_service"]))
            if v == STORE
            else (
                *(int(p["task_" + name][v]) for name in ("place", "open", "close", "service")),
            )
            for v in self.visit[self.first[k] : self.first[k + 1]]
        ]  # fmt: skip

    def travel(self, a: int, b: int) -> int:
        return 0 if b < 0 else int(self.p["travel"][a, b])

    def end(self, k: int, at: int, clock: int, stops: list[tuple[int, int, int, int]]) -> int:
        """When the crew is home after these, NEVER if a window or its shift breaks."""
        for place, opens, closes, service in stops:
            clock = max(clock + self.travel(at, place), opens)
            if clock > closes:
                return NEVER
            clock, at = clock + service, place
        clock += self.travel(at, int(self.home[k]))
        return clock if clock <= self.p["crew_end"][k] else NEVER

    def least(self, c: int, k: int) -> int:
        p, stops = self.p, self.stops(k)
        place, start = int(p["crew_place"][k]), int(p["crew_start"][k])
        departed = bool(np.broadcast_to(p.get("crew_departed", False), self.crews)[k])
        if start + self.travel(place, int(self.home[k])) > p["crew_end"][k]:
            return NEVER
        known = int(p["call_known"][c])
        call = tuple(int(p["call_" + name][c]) for name in ("place", "open", "close", "service"))
        first, last, _ = (int(t) for t in self.leaves[k])
        clock = start if departed or not stops else first + ((last - first) * p["call_leave"] >> 10)
        ends = self.end(k, place, clock, stops)
        best, at = NEVER, place
        for i in range(len(stops) + 1):
            goes_on = clock
            if i < len(stops) and (i or departed):
                goes_on = max(clock, stops[i][1] - self.travel(at, stops[i][0]))
            home = i == 0 and not departed
            if home and not stops:
                goes_on = NEVER
            way = [call]
            if not self.fit(c, k, i):
                store = int(p["crew_store"][k]) if "crew_store" in p else -1
                # The store's hours are left out of account.
                way = [(store, 0, 1 << 28, int(p["store_service"])), call] if store >= 0 else []
            if way and known <= goes_on:
                rest = [*way, *stops[i:]]
                if home:
                    whole = min(
                        (self.end(k, at, t, rest) - t for t in range(max(start, known), DAY + 300)),
                        default=NEVER,
                    )
                    before = int(self.leaves[k, 2] - first) if stops else 0
                    more = whole - before if whole < NEVER >> 1 else NEVER
                else:
                    until = self.end(k, at, max(clock, known), rest)
                    more = until - ends if until < NEVER else NEVER
                best = min(best, more)
            if i < len(stops):
                clock = max(goes_on + self.travel(at, stops[i][0]), stops[i][1]) + stops[i][3]
                at = stops[i][0]
        return max(best, 0)

    def fit(self, c: int, k: int, i: int) -> bool:
        """Whether the crew has what the call needs, put in at position i."""
        p = self.p
        if "crew_parts" not in p or p["crew_stocked"][k]:
            return True
        route = self.visit[self.first[k] : self.first[k + 1]].tolist()
        if STORE in route[:i]:
            return True
        before = route[: route.index(STORE)] if STORE in route else route
        need = p["call_parts"][c] + sum((p["task_parts"][v] for v in before), np.zeros(5, int))
        return not int(p["call_tools"][c]) & ~int(p["crew_tools"][k]) and bool(
            (need <= p["crew_parts"][k]).all()
        )


@settings(max_examples=60, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    crews=st.integers(1, 5),
    tasks=st.integers(0, 10),
    calls=st.integers(1, 11),
    features=st.sets(st.sampled_from(FEATURES)),
)
def test_the_reserve_is_what_the_calls_would_cost_the_plan(
    seed: int, crews: int, tasks: int, calls: int, features: set[str]
) -> None:
    problem = some_problem(seed, crews, tasks, features)
    problem |= some_calls(seed, problem, calls)
    plan = Planner(**problem, budget=200)
    assert plan.cost()["reserve"] == Slow(problem, plan).value()
    plan.improve(200)
    assert plan.cost()["reserve"] == Slow(problem, plan).value()
    assert plan.improve(0) == plan.cost()["total"]


def test_a_crew_waits_where_a_call_is_likely() -> None:
    """Both orders of two visits last as long; late in the day a call is likely by the first."""
    line = np.array([0, 10, 20, 10])
    problem: dict[str, Any] = {
        "travel": np.abs(line[:, None] - line),
        "crew_place": [0],
        "crew_start": 0,
        "crew_end": 200,
        "task_place": [1, 2],
        "task_service": 10,
        "task_open": 0,
        "task_close": 200,
        "task_weight": 10**6,
        "task_crews": np.ones((2, 1), np.uint64),
        "duration_cost": 1,
        "travel_cost": 0,
        "budget": 400,
    }
    calls = {
        "call_place": [3],
        "call_known": 25,
        "call_open": 25,
        "call_close": 60,
        "call_service": 5,
        "call_crews": np.ones((1, 1), np.uint64),
        "call_loss": 500,
        "call_share": 65536,
        "call_leave": 0,
    }
    plan = Planner(**problem, **calls)
    plan.improve(400)
    assert plan.task_lists() == [[1, 0]]
    assert plan.cost()["reserve"] == 5
    assert Planner(**problem).cost()["reserve"] == 0


def beside_the_way(**calls: Any) -> Planner:
    """One crew with one visit, which may be at any time, and one call."""
    return Planner(
        travel=np.array([[0, 10], [10, 0]]),
        crew_place=[0],
        crew_start=0,
        crew_end=200,
        task_place=[1],
        task_service=10,
        task_open=0,
        task_close=100,
        task_weight=10**6,
        task_crews=np.ones((1, 1), np.uint64),
        duration_cost=1,
        travel_cost=0,
        budget=10,
        call_service=5,
        call_crews=np.ones((1, 1), np.uint64),
        call_loss=500,
        call_share=65536,
        **calls,
    )


def test_a_crew_leaves_when_a_call_would_lose_least() -> None:
    by_home: dict[str, Any] = {
        "call_place": [0],
        "call_known": 30,
        "call_open": 30,
        "call_close": 40,
    }
    stays = beside_the_way(**by_home, call_leave=0)
    assert stays.leaves()[0, :2].tolist() == [0, 90]
    assert stays.sets_out([0, 512, 1024]).tolist() == [45]
    assert stays.sets_out([0]).tolist() == [0]
    bare = {"call_place": []}
    assert beside_the_way(**bare).sets_out([0, 512]).tolist() == [-1]


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 1 << 30),
    features=st.sets(st.sampled_from(FEATURES)),
    choices=st.lists(st.integers(0, 1024), max_size=3),
)
def test_the_time_of_leaving_costs_no_duration_and_asking_changes_nothing(
    seed: int, features: set[str], choices: list[int]
) -> None:
    problem = some_problem(seed, 4, 10, features)
    problem |= some_calls(seed, problem, 9)
    asked, other = Planner(**problem, budget=400), Planner(**problem, budget=400)
    asked.improve(200)
    other.improve(200)
    slow, departed = Slow(problem, asked), np.broadcast_to(problem.get("crew_departed", False), 4)
    for k, at in enumerate(asked.sets_out(choices).tolist()):
        stops = slow.stops(k)
        if at < 0:
            assert not stops
            continue
        first, last, end = (int(t) for t in slow.leaves[k])
        place = int(problem["crew_place"][k])
        if departed[k]:
            assert slow.end(k, place, at, stops) == end
        else:
            assert first <= at <= last
            assert slow.end(k, place, at, stops) - at == end - first
    assert asked.improve(200) == other.improve(200)
    assert asked.task_lists() == other.task_lists()


def test_calls_that_make_no_sense_are_refused() -> None:
    problem = some_problem(1, 2, 3, set())
    calls = some_calls(1, problem, 2)
    for name, wrong in (
        ("call_place", [0, 99]), ("call_known", [1]), ("call_keen", 2000),
        ("call_share", -1), ("call_loss", None),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=name):
            Planner(**problem, **(calls | {name: wrong}), budget=1)
