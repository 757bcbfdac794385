"""A moment's tickets and crews as the planner's kernel takes them.

Costs are thousandths of a second of travel, times seconds after the inputs'. The kernel's tasks
are, in this order: what is fixed at the head of each crew's day, visits to be planned, and both
halves of each job of two crews.
"""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch.board import FAR, Board
from dispatch_core.dispatch.burst import first_visits
from dispatch_core.dispatch.days import in_order
from dispatch_core.dispatch.daytime import Rest
from dispatch_core.dispatch.fixed import fix, head_window
from dispatch_core.dispatch.inputs import Task
from dispatch_core.dispatch.score import given
from dispatch_core.dispatch.stock import Stock
from dispatch_core.dispatch.units import Unit, parts_of, units_of
from dispatch_core.ids import Level
from ext import assignment, planner

LEFT_OUT: dict[Level, int] = {
    "red": 200_000_000_000, "yellow": 20_000_000_000, "blue": 2_000_000_000
}  # fmt: skip
"""What a ticket without a crew costs: more than two days of lateness of its own level."""
BOTH_OR_NONE = 10 * LEFT_OUT["red"]
"""The same of each half of a job of two crews: it has its time, the rest is planned around it."""
MOST_PIECES = 32_767
"""As many as the kernel counts."""
PLENTY = 30_000
"""Pieces on a van of which nobody has said what lies on it."""
MOST_KINDS = 32
"""Kinds of part that the kernel counts from visit to visit."""


class Problem:
    """Laid out once for one search."""

    def __init__(self, board: Board) -> None:
        self.board = board
        tasks = board.inputs.tasks
        self.stores = self._stores()
        before = _before(board)
        self.kinds, self.rare = self._kinds()
        self.stock = Stock(board, self._possible(), self.stores, before)
        self.before = {j: k for j, k in before.items() if not self.stock.is_short(j, k)}
        self.fixed = fix(board, self.before)
        self.heads = [(j, k) for k, head in enumerate(self.fixed.heads) for j in head]
        self.soon = [(u, k) for k, units in enumerate(self.fixed.soon) for u in units]
        placed = {j for j, _ in self.heads} | {j for u, _ in self.soon for j in u.rows}
        placed |= set(self.fixed.torn)
        left = [j for j in range(len(tasks)) if j not in placed and not board.for_two(j)]
        self.units: list[Unit] = units_of(board, left, self.before)
        self.halves = [(j, k) for j, (a, b, _) in sorted(self.fixed.pairs.items()) for k in (a, b)]
        self.rests = [self._rest(k) for k in range(len(board.crews))]
        """Of every crew the next break that the shift still has room for."""
        self.masks = [self._mask(unit) for unit in self.units]
        """Of each visit to be planned what keeps it from each crew, uint32 (K)."""
        self.extras = [self._extra(unit) for unit in self.units]
        """Of each what it costs more with each crew, int32 (K)."""

    # -------------------------------------------------------- numbers of the kernel's tasks

    @property
    def first_unit(self) -> int:
        """The first visit to be planned."""
        return len(self.heads) + len(self.soon)

    @property
    def first_half(self) -> int:
        """The first half of a job of two crews."""
        return self.first_unit + len(self.units)

    @property
    def size(self) -> int:
        """All of them."""
        return self.first_half + len(self.halves)

    # -------------------------------------------------------- the kernel

    def kernel(self, budget: int) -> planner.Planner | None:
        """The search, at its first plan; None where there is nothing to plan or nobody for it."""
        board, policy = self.board, self.board.inputs.policy
        if not self.size or not board.crews:
            return None
        crews, tasks = self._crews(), self._tasks()
        return planner.Planner(
            board.seconds,
            **crews,
            **tasks,
            **self._parts(self.kinds),
            budget=budget,
            seed=1 + board.inputs.seed,
            travel_cost=policy.weights.travel,
            churn_cost=policy.weights.churn_s * 1_000,
            most_changes=self._most_changes(),
            frozen=self._frozen(),
            routes=self._routes(),
        )

    def _crews(self) -> dict[str, Any]:
        board, fixed = self.board, self.fixed
        n = len(board.crews)
        ends = np.zeros(n, np.int64)
        starts = np.array([crew.free_at for crew in board.crews], np.int64)
        rests = np.array(
            [(r.begins, r.ends, r.lasts) if r is not None else (-1, -1, 0) for r in self.rests],
            np.int64,
        ).reshape(n, 3)
        for k, crew in enumerate(board.crews):
            busy = bool(fixed.heads[k] or fixed.soon[k])
            if crew.later is None:
                day = self._day_ends(k)
                ends[k] = max(day, fixed.free_at[k]) if busy else day
            elif busy:
                ends[k] = fixed.free_at[k]
            else:
                starts[k], ends[k] = 1, 0
        for j, k in self.halves:  # of a red job both may work on after their shift
            lasts = board.service(board.inputs.tasks[j])
            ends[k] = max(ends[k], fixed.pairs[j][2] + lasts)
        return {
            "crew_place": np.arange(n),
            "crew_start": starts,
            "crew_end": ends,
            "crew_home": np.full(n, -1),
            "crew_departed": np.ones(n, bool),
            "break_early": rests[:, 0],
            "break_late": rests[:, 1],
            "break_length": rests[:, 2],
        }

    def _day_ends(self, k: int) -> int:
        """By when a crew's planned visits are over: the kernel places one break, so that a day with
        another one is planned up to it; the rest follows once the first is over."""
        crew, fits = self.board.crews[k], self._fitting(k)
        return min(crew.end_at, fits[1].ends) if len(fits) > 1 else crew.end_at

    def _rest(self, k: int) -> Rest | None:
        return next(iter(self._fitting(k)), None)

    def _fitting(self, k: int) -> list[Rest]:
        crew, free_at = self.board.crews[k], self.fixed.free_at[k]
        if crew.later is not None:
            return []
        return [r for r in crew.rests if max(r.begins, free_at) + r.lasts <= crew.end_at]

    def _tasks(self) -> dict[str, Any]:
        board, fixed, inputs = self.board, self.fixed, self.board.inputs
        crews = len(board.crews)
        broken = np.zeros((self.size, crews), np.uint32)
        extra = np.zeros((self.size, crews), np.int32)
        named: dict[str, list[int]] = {
            "task_place": [], "task_service": [], "task_open": [], "task_close": [],
            "task_due": [], "task_late_cost": [], "task_weight": [], "task_pinned": [],
            "task_before": [],
        }  # fmt: skip

        def add(*figures: int) -> None:
            for column, figure in zip(named.values(), figures, strict=True):
                column.append(figure)

        for j, k in self.heads:
            opens, closes = head_window(board, j)
            opens = max(opens, fixed.starts.get(j, 0))
            lasts = board.service(inputs.tasks[j])
            add(board.place_of_task(j), lasts, opens, closes, *self.clock([j]), k, -1)
        for n, (unit, pinned) in enumerate(
            [*self.soon, *((unit, unit.holder) for unit in self.units)], len(self.heads)
        ):
            if n >= self.first_unit:
                broken[n] = self.masks[n - self.first_unit]
                extra[n] = self.extras[n - self.first_unit]
            opens, closes = unit.earliest, min(unit.latest, FAR)
            if closes < opens:
                broken[n], closes = 1, opens
            add(
                board.place_of_task(unit.lead), unit.lasts, opens, closes,
                *self.clock(unit.rows), pinned, unit.before,
            )  # fmt: skip
        for j, k in self.halves:
            start = fixed.pairs[j][2]
            lasts = board.service(inputs.tasks[j])
            place = board.place_of_task(j)
            due, late, _ = self.clock([j])
            add(place, lasts, start, start, due, late, BOTH_OR_NONE, k, -1)
        columns = {name: np.array(column, np.int64) for name, column in named.items()}
        return {**columns, "task_crews": assignment.pack(broken), "task_extra": extra}

    def clock(self, rows: list[int]) -> tuple[int, int, int]:
        """When a visit is due, what a second after it costs, and what leaving it out costs.

        A red ticket is due at once; a cold building's clock counts as running out sooner.
        """
        inputs, due, late, weight = self.board.inputs, FAR, 0, 0
        for j in rows:
            task = inputs.tasks[j]
            left = max(0, task.due_at - inputs.at)
            cold = task.degree_hours_m * inputs.policy.weights.degree_hour_s // 1_000
            due = min(due, 0 if task.level == "red" else max(0, left - cold))
            late += self.board.late_cost(task)
            weight += LEFT_OUT[task.level]
        return min(due, FAR), late, weight

    def _mask(self, unit: Unit) -> NDArray[np.uint32]:
        """What keeps a visit from each crew; parts not on the van come from its own store, while
        there are any."""
        mask = unit.mask.copy()
        if not any(self.board.inputs.tasks[j].work.parts for j in unit.rows):
            return mask
        for k in range(len(self.board.crews)):
            for j in unit.rows:
                if k in self.board.holders.get(j, ()):
                    continue
                if self.stock.is_short(j, k) or self.lacks_rare(self.board.inputs.tasks[j], k):
                    mask[k] = 1
        return mask

    def _extra(self, unit: Unit) -> NDArray[np.int32]:
        parts = given(self.board, unit.lead)
        return (parts.continuity + parts.skill + parts.parts) * np.int32(1_000)

    # -------------------------------------------------------- parts

    def _kinds(self) -> tuple[list[str], dict[str, int]]:
        """The kinds of part that most tickets need, which are counted; and of every other kind the
        pieces that all tickets without a crew need."""
        board = self.board
        tasks = [t.work.parts for j, t in enumerate(board.inputs.tasks) if j not in board.holders]
        asked = Counter(kind for parts in tasks for kind in parts)
        order = sorted(asked, key=lambda kind: (-asked[kind], kind))
        rare = {kind: sum(p.get(kind, 0) for p in tasks) for kind in order[MOST_KINDS:]}
        return sorted(order[:MOST_KINDS]), rare

    def _possible(self) -> list[int]:
        """The tickets that some crew may have."""
        tasks, crews = self.board.inputs.tasks, range(len(self.board.crews))
        return [
            j for j, mask in enumerate(self.board.masks)
            if any(not mask[k] and not self.lacks_rare(tasks[j], k) for k in crews)
        ]  # fmt: skip

    def lacks_rare(self, task: Task, k: int) -> bool:
        """Whether the work needs a kind of part that is not counted, and the crew's van has not
        enough of it for all tickets at once: only then could it run out on the way."""
        parts, spoken = self.board.inputs.teams[k].parts, self.board.spoken_for[k]
        return parts is not None and any(
            kind in self.rare and parts.get(kind, 0) - spoken.get(kind, 0) < self.rare[kind]
            for kind in task.work.parts
        )

    def _stores(self) -> list[int]:
        """Of every crew the store where it fetches parts: the one that serves most tickets, then
        the nearest; -1: there is none."""
        board = self.board
        if not board.inputs.stores:
            return [-1] * len(board.crews)
        served = [0] * len(board.inputs.stores)
        for task in board.inputs.tasks:
            for s in board.stores_for(task) if task.work.parts else []:
                served[s] += 1
        return [
            min(
                range(len(served)),
                key=lambda s: (-served[s], int(board.seconds[k, board.place_of_store(s)]), s),
            )
            for k in range(len(board.crews))
        ]

    def _parts(self, kinds: list[str]) -> dict[str, Any]:
        """What lies on each van beyond what its tickets in hand take, and what is needed more."""
        board = self.board
        if not kinds:
            return {}
        on_van = np.zeros((len(board.crews), len(kinds)), np.int32)
        for k, crew in enumerate(board.crews):
            spoken, parts = board.spoken_for[k], crew.team.parts
            for p, kind in enumerate(kinds):
                free = PLENTY if parts is None else parts.get(kind, 0) - spoken.get(kind, 0)
                on_van[k, p] = min(PLENTY, max(0, free))
        needed = np.zeros((self.size, len(kinds)), np.int32)
        place = {kind: p for p, kind in enumerate(kinds)}
        for n, unit in enumerate([*(u for u, _ in self.soon), *self.units], len(self.heads)):
            rows = [j for j in unit.rows if j not in board.holders]
            for part, pieces in parts_of(board, rows).items():
                if part in place:
                    needed[n, place[part]] = min(MOST_PIECES, pieces)
        for n, (j, _) in enumerate(self.halves, self.first_half):
            if n % 2 == self.first_half % 2 and j not in board.holders:
                for part, pieces in parts_of(board, [j]).items():
                    if part in place:
                        needed[n, place[part]] = min(MOST_PIECES, pieces)
        stores = [board.place_of_store(s) if s >= 0 else -1 for s in self.stores]
        return {
            "crew_parts": on_van,
            "task_parts": needed,
            "crew_store": np.array(stores, np.int64),
            "store_service": np.full(len(stores), board.inputs.policy.pick_up_s),
        }

    # -------------------------------------------------------- what there was

    def _frozen(self) -> list[list[int]]:
        frozen: list[list[int]] = [[] for _ in self.board.crews]
        for n, (_, k) in enumerate(self.heads):
            frozen[k].append(n)
        for n, (_, k) in enumerate(self.soon, len(self.heads)):
            frozen[k].append(n)
        return frozen

    def _routes(self) -> list[list[int]]:
        """The plan in force with the jobs of two crews where their start is, then a first visit for
        crews without one in a burst of tickets."""
        unit_of = {j: n for n, u in enumerate(self.units, self.first_unit) for j in u.rows}
        routes = [
            list(dict.fromkeys(unit_of[j] for j in day if j in unit_of))
            for day in in_order(self.board)
        ]
        seen: set[int] = set()
        for route in routes:
            route[:] = [n for n in route if n not in seen]
            seen.update(route)
        planned = self._planned_starts()
        for n, (j, k) in sorted(
            enumerate(self.halves, self.first_half), key=lambda h: self.fixed.pairs[h[1][0]][2]
        ):
            start = self.fixed.pairs[j][2]
            before = [i for i, m in enumerate(routes[k]) if planned.get(m, -1) < start]
            routes[k].insert(before[-1] + 1 if before else 0, n)
            planned[n] = start
        first_visits(self, routes)
        return routes

    def _planned_starts(self) -> dict[int, int]:
        """Number of a visit -> when the plan in force has it begin."""
        starts = {
            self.board.task_row[ticket]: self.board.after(slot.start_at)
            for day in self.board.inputs.held
            for slot in day.visits
            for ticket in slot.tickets
            if ticket in self.board.task_row
        }
        return {
            n: starts[unit.lead]
            for n, unit in enumerate(self.units, self.first_unit)
            if unit.lead in starts
        }

    def _most_changes(self) -> int:
        """The cap on visits that may change crew, so that the tickets in them keep theirs."""
        sizes = sorted(
            (sum(j in self.before for j in u.rows) for u in self.units if u.before >= 0),
            reverse=True,
        )
        room, most = self.cap, 0
        for size in sizes:
            room -= size
            if room < 0:
                break
            most += 1
        return most

    @property
    def cap(self) -> int:
        """How many tickets may change crew."""
        churn = self.board.inputs.policy.churn
        return max(churn.cap_min, len(self.before) * churn.cap_pm // 1_000)


def _before(board: Board) -> dict[int, int]:
    """Tickets that nobody was given -> the crew that the plan in force has for them, if it may
    still have them: a change that must be is not held back."""
    found: dict[int, int] = {}
    for day in board.inputs.held:
        k = board.team_row.get(day.crew)
        for slot in day.visits if k is not None else []:
            for ticket in slot.tickets:
                j = board.task_row.get(ticket, -1)
                if k is None or j < 0 or j in board.holders or j in found or board.for_two(j):
                    continue
                if not board.masks[j, k]:
                    found[j] = k
    return found
