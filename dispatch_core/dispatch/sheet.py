"""The crews' days in the arrays of the insertion kernel, for proposals and prices."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from msgspec.structs import replace
from numpy.typing import NDArray

from dispatch_core.dispatch import rules
from dispatch_core.dispatch.board import Board
from dispatch_core.dispatch.days import begun, in_order
from dispatch_core.dispatch.via import Via
from dispatch_core.ids import CrewId, Level
from ext import assignment, visits

STATES = {
    "on_site": visits.ON_SITE,
    "en_route": visits.EN_ROUTE,
    "confirmed": visits.CONFIRMED,
    "dispatched": visits.PLANNED,
}
LEVELS: dict[Level, int] = {"red": 0, "yellow": 1, "blue": 2}


class Sheet:
    """The days of all crews as rows: tickets, the second crews' halves of visits, breaks."""

    def __init__(self, board: Board) -> None:
        self.board = board
        tasks = board.inputs.tasks
        self.via = Via(board)
        self.first = begun(board)
        self.days = in_order(board)
        self.halves = self._halves()
        rests = [(k, n) for k, crew in enumerate(board.crews) for n in range(len(crew.rests))]
        self.rests = {rest: len(tasks) + len(self.halves) + i for i, rest in enumerate(rests)}
        self.spare = len(tasks) + len(self.halves) + len(rests)
        """A row that no day has: for the half of a job of two crews while the other is sought."""
        self.rows = np.zeros(self.spare + 1, visits.TICKET)
        self._fill()
        broken = np.ones((len(self.rows), len(board.crews)), np.uint32)
        for j in range(len(tasks)):
            if not board.for_two(j):
                broken[j] = board.masks[j]
                broken[j, [k for k in range(len(board.crews)) if (j, k) in self.via.needed]] = 1
        self.crews = np.zeros(len(board.crews), visits.CREW)
        for k, crew in enumerate(board.crews):
            self.crews[k] = (k, crew.free_at, -1, crew.end_at, len(self.first[k]))
        self.eligible = assignment.pack(broken)
        travel = visits.Travel.of_matrix(self.via.seconds)
        self.plan = visits.Plan(travel, self.rows, self.crews, self.eligible)
        for k, day in enumerate(self.days):
            self.plan.set_route(k, np.array(self._with_rests(k, day), np.int32))

    def _halves(self) -> dict[tuple[int, int], int]:
        """(ticket, second crew) -> the row of its half. Where only one crew has a job for two and
        has not begun it, it is no visit yet and leaves the day."""
        tasks = self.board.inputs.tasks
        who: dict[int, list[int]] = {}
        for k, day in enumerate(self.days):
            for j in day:
                if self.board.for_two(j):
                    who.setdefault(j, []).append(k)
        halves: dict[tuple[int, int], int] = {}
        for j, crews in sorted(who.items()):
            lead = self.board.team_row.get(tasks[j].crew or CrewId(""), -1)
            order = sorted(crews, key=lambda k: (k != lead, j not in self.first[k], k))
            if len(order) > 1:
                halves[j, order[1]] = len(tasks) + len(halves)
            for k in order[2:] if len(order) > 1 else order:
                if j not in self.first[k]:
                    self.days[k].remove(j)
        return halves

    def _fill(self) -> None:
        board, inputs = self.board, self.board.inputs
        for j in range(len(inputs.tasks)):
            self.rows[j] = self.row(j)
        planned = {
            (board.task_row[t], held.crew): board.after(slot.start_at)
            for held in inputs.held
            for slot in held.visits
            for t in slot.tickets
            if t in board.task_row
        }
        for (j, k), row in self.halves.items():
            at = planned.get((j, board.crews[k].team.crew), -1)
            self.rows["level"][j] = 0
            if at >= 0 and not any(j in first for first in self.first):
                self.rows["earliest"][j] = self.rows["latest"][j] = at
            self.rows[row] = self.rows[j]
            self.rows["state"][row] = self._state(j, k)
        for (k, n), row in self.rests.items():
            rest, never = board.crews[k].rests[n], visits.NEVER
            self.rows[row] = (-1, rest.lasts, rest.begins, rest.ends, never, 0, 0, 0, 0, 0, 0, -1)
        self.rows[self.spare] = (-1, 0, 0, visits.NEVER, visits.NEVER, 0, 0, 0, 0, 0, 0, -1)
        for k, day in enumerate(self.days):
            for j in day:
                row = self.row_in(j, k)
                if (j, k) in self.via.needed and self.rows["state"][row] == visits.PLANNED:
                    self.rows["place"][row] = self.via.row[j]

    def row(self, j: int) -> NDArray[np.void]:
        """A ticket as the kernel takes it, TICKET of shape (). What a crew has begun starts when
        the crew is there, and keeps its latest start in case it gives way."""
        board, task = self.board, self.board.inputs.tasks[j]
        policy, timing = board.inputs.policy, board.timings[j]
        holders = board.holders.get(j, [])
        state = max((self._state(j, k) for k in holders), default=visits.PLANNED)
        open_ = state == visits.PLANNED
        latest = timing.latest if state != visits.ON_SITE else None
        told = bool(holders) or task.appointed_until is not None
        answer = np.zeros((), visits.TICKET)
        answer["place"] = board.place_of_task(j)
        answer["service"] = board.service(task)
        answer["earliest"] = board.after(timing.earliest) if open_ else 0
        answer["latest"] = visits.NEVER if latest is None else board.after(latest)
        answer["due"] = board.after(task.due_at)
        answer["weight"] = board.late_cost(task)
        answer["urgency"] = policy.weights.level.of(task.level)
        answer["impact"] = max(0, task.degree_hours_m)
        answer["level"] = LEVELS[task.level] if task.level in policy.displacing.levels else 0
        answer["state"] = state
        answer["churn"] = policy.weights.churn_s if told else 0
        answer["before"] = holders[0] if holders else -1
        return answer

    def window(self, j: int) -> rules.Timing:
        """When work on a ticket may start once whoever has begun it is taken away."""
        task = self.board.inputs.tasks[j]
        if task.state != "handling":
            return self.board.timings[j]
        return rules.timing(replace(task, state="accepted"), self.board.inputs)

    def _state(self, j: int, k: int) -> int:
        ticket = self.board.inputs.tasks[j].ticket
        stages = [h.stage for h in self.board.crews[k].team.in_hand if h.ticket == ticket]
        return STATES[stages[0]] if stages else visits.PLANNED

    def row_in(self, j: int, k: int) -> int:
        """The row of a ticket in a crew's route."""
        return self.halves.get((j, k), j)

    def ticket_of(self, row: int) -> int:
        """The ticket of a row, -1 for a break."""
        if row < len(self.board.inputs.tasks):
            return row
        return next((j for (j, _), half in self.halves.items() if half == row), -1)

    def _with_rests(self, k: int, day: list[int]) -> list[int]:
        """The crew's rows in order; each break stands behind the first visit that ends in its
        window, before one that would end after it."""
        route = [self.row_in(j, k) for j in day]
        for n, rest in enumerate(self.board.crews[k].rests):
            position = len(self.first[k])
            for i, (_, end) in enumerate(self.times(k, route)):
                if end > rest.ends:
                    break
                position = max(position, i + 1)
                if end >= rest.begins:
                    break
            route.insert(position, self.rests[k, n])
        return route

    def times(self, k: int, route: Sequence[int]) -> list[tuple[int, int]]:
        """When each row of a crew's route starts and ends, everything as early as it goes."""
        at, place = self.board.crews[k].free_at, k
        found: list[tuple[int, int]] = []
        for row in route:
            there = int(self.rows["place"][row])
            if there >= 0:
                at += int(self.via.seconds[place, there])
                place = there
            at = max(at, int(self.rows["earliest"][row]))
            found.append((at, at + int(self.rows["service"][row])))
            at = found[-1][1]
        return found
