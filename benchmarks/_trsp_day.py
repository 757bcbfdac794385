"""A day of the technician problem: requests are called in, the product's planner answers each.

`Day` is told which requests are known and looks at no others. What was driven to stays; a crew
leaves, from home or from where it is, at the one of a few times that cost no duration which keeps
most in reserve for calls to come. A request that finds no place in the plan as it stands begins
with a hot search without the reserve, for room for it; where that finds none, the request is
refused at once: asking again at later calls found no place either and took time from the others.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._slices import run, steps_in
from benchmarks._trsp import CREWS, TICKS, Instance, problem
from benchmarks._trsp_outlook import Anticipation, Past, outlook
from ext.planner import STORE, Planner

WEIGHT = 10**11
"""The cost of a request that is left out, ten times that once it was planned."""


ROOM = {"regret": 400}
"""Settings of the search for room: it puts in by regret more often."""


@dataclass(frozen=True)
class Ways:
    """How a day is run: one set for all instances."""

    policy: Anticipation = field(default_factory=Anticipation)
    loss: int = 1024
    """Of 1024 of a day: what it counts that nobody can come to a call."""
    keen: int = 1024
    """Of 1024 of the time that a call adds."""
    leave: int = 512
    """Of 1024: where between earliest and latest good time a crew leaves home, as the search has it
    """
    choices_of_leaving: tuple[int, ...] = (0, 256, 512, 768, 1024)
    """... and those that are tried once there is a plan, for crews on their way, too."""
    room_seconds: float = 0.05
    """Of one core, from the beginning of an event: to find room for a call that has no place."""
    room_steps: int = 6000
    room_heat: int = 60 * TICKS
    hot: int = 2 * TICKS
    cold: int = TICKS // 10
    first_seconds: float = 3.0
    """Of one core, before the day."""
    event_seconds: float = 0.08
    """Of one core at an event, searching."""


@dataclass
class Technician:
    """Where one is, and what it has; `log` holds (node, left, started), `home` when it left for
    home."""

    place: int
    free: int
    tools: int
    parts: NDArray[np.int32]
    departed: bool = False
    stocked: bool = False
    home: int = -1
    log: list[tuple[int, int, int]] = field(default_factory=list)


class Day:
    """One instance as it becomes known. Times in ticks, requests by node."""

    def __init__(self, instance: Instance, ways: Ways, seed: int) -> None:
        self.instance, self.ways, self.seed = instance, ways, seed
        self.all = problem(instance)
        self.travel = self.all["travel"]
        self.end = int(instance.closes[1])
        crews = range(CREWS)
        self.crews = [
            Technician(
                k + 1,
                int(instance.opens[k + 1]),
                int(instance.tools[k + 1]),
                instance.parts[k + 1].copy(),
            )
            for k in crews
        ]
        self.routes: list[list[int]] = [[] for _ in crews]
        """Nodes still to be visited, 0 the depot."""
        self.leaves = np.full((CREWS, 2), -1)
        self.goes = np.full(CREWS, -1)
        """When they leave for the next visit; -1: nothing says so."""
        self.known: list[int] = []
        self.before = 0
        self.open: set[int] = set()
        self.promised: set[int] = set()
        self.events = 0

    # -------------------------------------------------------- time goes by

    def advance(self, until: int) -> None:
        """Everything that begins before `until` happens as planned."""
        for k, crew in enumerate(self.crews):
            while crew.home < 0 and self._next(k, crew, until):
                pass
            if crew.home < 0:
                crew.free = max(crew.free, min(until, self.end))

    def _next(self, k: int, crew: Technician, until: int) -> bool:
        """The crew's next leg, if it begins before `until`."""
        route, opens = self.routes[k], self.instance.opens
        if not route:
            if crew.departed and crew.free < until:
                crew.home = crew.free
            return False
        node = route[0]
        way = int(self.travel[crew.place, node])
        if self.goes[k] >= 0:
            left = max(crew.free, int(self.goes[k]), int(opens[node]) - way if crew.departed else 0)
        elif crew.departed:
            left = max(crew.free, int(opens[node]) - way)
        else:
            first, last = (int(t) for t in self.leaves[k])
            left = max(first + ((last - first) * self.ways.leave >> 10), crew.free)
        if left >= until:
            return False
        start = max(left + way, int(opens[node]))
        route.pop(0)
        self.goes[k] = -1
        crew.log.append((node, left, start))
        crew.place, crew.free, crew.departed = node, start + int(self.instance.service[node]), True
        if node == 0:
            crew.stocked = True
        else:
            self.open.discard(node)
            if not crew.stocked:
                crew.parts = crew.parts - self.instance.parts[node]
        return True

    # -------------------------------------------------------- plans

    def tell(self, nodes: list[int], now: int) -> float:
        """These are known now (-1: before the day); plans anew, and returns the processor time."""
        begin = time.process_time()
        self.known += nodes
        self.open |= set(nodes)
        if now < 0:
            self.before = len(self.known)
        else:
            self.advance(now)
        tasks = sorted(self.open)
        arguments = self._problem(tasks, max(now, 0))
        seconds = self.ways.first_seconds if now < 0 else self.ways.event_seconds
        if now < 0:
            self.rate = steps_in(arguments, 1.0, 2000)
        else:
            arguments |= {"hot": self.ways.hot, "cold": self.ways.cold}
        budget = max(int(self.rate * seconds), 500)
        plan = Planner(**arguments, budget=budget, seed=self.seed + self.events)
        if plan.cost()["unplanned"] and now >= 0:
            arguments["routes"] = self._room(arguments, begin + self.ways.room_seconds)
            plan = Planner(**arguments, budget=budget, seed=self.seed + self.events)
        run(plan, begin + seconds)
        self._take(plan, tasks)
        self.events += 1
        return time.process_time() - begin

    def _room(self, arguments: dict[str, Any], until: float) -> list[list[int]]:
        """Tasks of routes that have room for everything, if a search for just that finds them."""
        given = {name: value for name, value in arguments.items() if not name.startswith("call_")}
        steps = self.ways.room_steps
        given |= {"hot": self.ways.room_heat, "cold": self.ways.room_heat >> 2}
        plan = Planner(**given, budget=steps, seed=self.seed + self.events, settings=ROOM)
        while plan.iterations < steps and time.process_time() < until:
            plan.improve(100)
            if not plan.cost()["unplanned"]:
                break
        lists: list[list[int]] = plan.task_lists()
        return lists

    def _problem(self, tasks: list[int], now: int) -> dict[str, Any]:
        rows = np.array(tasks, np.intp) - CREWS - 1
        numbers = {v: i for i, v in enumerate(tasks)}
        given = {
            name: value[rows] if name.startswith("task_") and name != "task_weight" else value
            for name, value in self.all.items()
        }
        crews = self.crews
        return given | self._calls(now) | {
            "task_weight": np.array([WEIGHT * (10 if v in self.promised else 1) for v in tasks]),
            "crew_place": np.array([c.place for c in crews]),
            "crew_home": np.arange(1, CREWS + 1),
            "crew_start": np.array([min(max(c.free, now), self.end) for c in crews]),
            "crew_end": np.array([0 if c.home >= 0 else self.end for c in crews]),
            "crew_departed": np.array([c.departed and c.home < 0 for c in crews]),
            "crew_stocked": np.array([c.stocked for c in crews]),
            "crew_parts": np.array([c.parts for c in crews]),
            "routes": [[numbers[v] for v in route if v in numbers] for route in self.routes],
        }  # fmt: skip

    def _calls(self, now: int) -> dict[str, Any]:
        """The calls that are foreseen, from what is known."""
        nodes, inst, ways = np.array(self.known), self.instance, self.ways
        past = Past(
            inst.opens[nodes].astype(np.int64),
            inst.closes[nodes].astype(np.int64),
            self.travel[0, nodes].astype(np.int64),
        )
        seen = outlook(
            past,
            before=self.before,
            now=now,
            day=self.end,
            policy=ways.policy,
            seed=self.seed * 1000 + self.events,
        )
        if seen is None:
            return {}
        place, when, needs = nodes[seen.place], nodes[seen.time], nodes[seen.needs]
        rows = needs - CREWS - 1
        return {
            "call_place": place,
            "call_known": seen.known,
            "call_open": inst.opens[when],
            "call_close": inst.closes[when],
            "call_service": inst.service[needs],
            "call_crews": self.all["task_crews"][rows],
            "call_tools": inst.tools[needs],
            "call_parts": inst.parts[needs],
            "call_loss": self.end * ways.loss >> 10,
            "call_share": seen.share,
            "call_keen": ways.keen,
            "call_leave": ways.leave,
        }

    def _take(self, plan: Planner, tasks: list[int]) -> None:
        """Make the plan the one that is driven."""
        first, visit, _ = plan.routes()
        for k in range(CREWS):
            row = visit[first[k] : first[k + 1]]
            self.routes[k] = [0 if v == STORE else tasks[v] for v in row]
        self.leaves = plan.leaves()[:, :2]
        self.goes = plan.sets_out(self.ways.choices_of_leaving)
        out, _ = plan.unplanned()
        self.open -= {tasks[j] for j in out}
        self.promised |= self.open

    # -------------------------------------------------------- what came of it

    def log(self) -> str:
        """The day as the checker reads it."""
        lines = []
        for k, crew in enumerate(self.crews):
            if not crew.log:
                continue
            visits = " ".join(
                f"{v}@{left / TICKS:.4f}/{start / TICKS:.4f}" for v, left, start in crew.log
            )
            lines.append(f"{k + 1}: {visits} home@{crew.home / TICKS:.4f}\n")
        return "".join(lines)


def live(
    instance: Instance, releases: dict[int, float], ways: Ways, seed: int
) -> tuple[str, list[float]]:
    """(the log, processor seconds of every event) of a day; `releases` by node, -1: before it."""
    day = Day(instance, ways, seed)
    day.tell(sorted(v for v, t in releases.items() if t < 0), -1)
    times = sorted({t for t in releases.values() if t >= 0})
    seconds = [
        day.tell(sorted(v for v, at in releases.items() if at == t), round(t * TICKS))
        for t in times
    ]
    day.advance(1 << 30)
    return day.log(), seconds
