"""A plan of the kernel as crews' days, with a reason for every ticket that is in none of them."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

from dispatch_core.dispatch import rules
from dispatch_core.dispatch.answers import CrewDay, Figures, Plan, Unplanned
from dispatch_core.dispatch.inputs import Held, Slot
from dispatch_core.dispatch.problem import Problem
from dispatch_core.dispatch.units import parts_of
from dispatch_core.events import PlannedVisit, Span
from dispatch_core.events.plans import VisitState
from dispatch_core.ids import CrewId, RuleCode
from ext import planner

_STATES: tuple[VisitState, ...] = ("planned", "dispatched", "confirmed", "en_route", "on_site")


class _Stop(NamedTuple):
    """A visit as the kernel has it; times in seconds after the inputs'."""

    rows: list[int]
    offsets: list[int]
    lasts: int
    start: int
    leave: int
    fixed: bool


def plan_of(problem: Problem, kernel: planner.Planner | None, iterations: int) -> Plan:
    """The plan in words, found in so many iterations; `kernel` None: nobody is there, or there is
    nothing to do."""
    board, inputs = problem.board, problem.board.inputs
    stops, rests, travel_s = _days(problem, kernel)
    planned: dict[int, list[int]] = {}
    for k, day in enumerate(stops):
        for stop in day:
            for j in stop.rows:
                planned.setdefault(j, []).append(k)
    starts = {
        j: stop.start + offset
        for day in stops
        for stop in day
        for j, offset in zip(stop.rows, stop.offsets, strict=True)
    }
    late = Counter(
        task.level
        for j, task in enumerate(inputs.tasks)
        if j in starts and inputs.at + starts[j] > task.due_at
    )
    days = [[j for stop in day for j in stop.rows] for day in stops]
    unplanned = [
        Unplanned(
            ticket=task.ticket, level=task.level, address=task.address,
            reasons=_reasons(problem, j, days),
        )
        for j, task in enumerate(inputs.tasks)
        if j not in planned
    ]  # fmt: skip
    changed = [
        inputs.tasks[j].ticket
        for j, k in sorted(problem.before.items())
        if j in planned and k not in planned[j]
    ]
    cost = 0 if kernel is None else kernel.cost()["total"] - kernel.cost()["unplanned"]
    note = inputs.travel.note
    return Plan(
        made_at=inputs.at,
        ends_at=inputs.at + inputs.policy.rounds.ahead_s,
        days=[
            CrewDay(
                crew=crew.team.crew,
                visits=[_visit(problem, k, stop, planned) for stop in stops[k]],
                breaks=[Span(from_at=inputs.at + a, until_at=inputs.at + b) for a, b in rests[k]],
            )
            for k, crew in enumerate(board.crews)
            if crew.later is None or stops[k] or crew.rested
        ],
        unplanned=unplanned,
        changed=changed,
        figures=Figures(
            visits=sum(len(day) for day in stops),
            served=len(planned),
            unplanned=len(unplanned),
            late_red=late["red"],
            late_yellow=late["yellow"],
            late_blue=late["blue"],
            travel_s=travel_s,
            cost=cost // 1_000,
            changed=len(changed),
            cap=problem.cap,
            iterations=iterations,
        ),
        travel=inputs.travel.source,
        travel_note=None if note is None else note.why,
        policy=inputs.policy_version,
    )


def in_force(plan: Plan) -> list[Held]:
    """A plan as the inputs of the next decision carry it."""
    return [
        Held(
            crew=day.crew,
            visits=[Slot(tickets=v.tickets, start_at=v.start_at) for v in day.visits],
            breaks=day.breaks,
        )
        for day in plan.days
        if day.visits or day.breaks
    ]


# ------------------------------------------------------------ days


def _days(
    problem: Problem, kernel: planner.Planner | None
) -> tuple[list[list[_Stop]], list[list[tuple[int, int]]], int]:
    """Of every crew its visits and breaks, and the seconds driven by all."""
    board = problem.board
    stops: list[list[_Stop]] = [[] for _ in board.crews]
    at = board.inputs.at
    rests = [[(r.from_at - at, r.until_at - at) for r in crew.rested] for crew in board.crews]
    if kernel is None:
        return stops, rests, 0
    first, visits, starts = (array.tolist() for array in kernel.routes())
    alone = _alone(problem, visits)
    for k, crew in enumerate(board.crews):
        place, before = k, crew.free_at
        left: int | None = None  # when it set out for the store
        for v, start in zip(
            visits[first[k] : first[k + 1]], starts[first[k] : first[k + 1]], strict=True
        ):
            if v in alone:
                continue
            rest = problem.rests[k]
            if v == planner.BREAK and rest is not None:
                before = start + rest.lasts
                rests[k].append((start, before))
                continue
            if v == planner.STORE:
                store = board.place_of_store(problem.stores[k])
                left = max(before, start - int(board.seconds[place, store]))
                place, before = store, start + board.inputs.policy.pick_up_s
                continue
            rows, offsets, lasts, fixed = _content(problem, v)
            to = board.place_of_task(rows[0])
            way = int(board.seconds[place, to])
            leave = max(before, start - way) if left is None else left
            stops[k].append(_Stop(rows, offsets, lasts, start, leave, fixed))
            place, before, left = to, start + lasts, None
    return stops, rests, kernel.cost()["travel"]


def _content(problem: Problem, v: int) -> tuple[list[int], list[int], int, bool]:
    """The tickets of a task of the kernel, when work on each begins, how long all lasts, and
    whether the plan leaves it where it is."""
    board = problem.board
    if v < len(problem.heads):
        j = problem.heads[v][0]
        return [j], [0], board.service(board.inputs.tasks[j]), True
    if v >= problem.first_half:
        j = problem.halves[v - problem.first_half][0]
        return [j], [0], board.service(board.inputs.tasks[j]), False
    soon = v < problem.first_unit
    unit = (
        problem.soon[v - len(problem.heads)][0] if soon else problem.units[v - problem.first_unit]
    )
    locked = board.inputs.tasks[unit.lead].pinned is not None
    return unit.rows, unit.offsets, unit.lasts, soon or locked


def _alone(problem: Problem, visits: list[int]) -> set[int]:
    """Halves of jobs of two crews that only one of them has a place for: no visits."""
    halves = [v for v in visits if v >= problem.first_half]
    jobs = Counter(problem.halves[v - problem.first_half][0] for v in halves)
    return {v for v in halves if jobs[problem.halves[v - problem.first_half][0]] == 1}


def _visit(problem: Problem, k: int, stop: _Stop, planned: dict[int, list[int]]) -> PlannedVisit:
    board, at = problem.board, problem.board.inputs.at
    tasks = [board.inputs.tasks[j] for j in stop.rows]
    in_hand: dict[str, VisitState] = {h.ticket: h.stage for h in board.crews[k].team.in_hand}
    states: list[VisitState] = [in_hand.get(task.ticket, "planned") for task in tasks]
    late = [
        at + stop.start + offset - task.due_at
        for task, offset in zip(tasks, stop.offsets, strict=True)
    ]
    mates = [m for m in planned[stop.rows[0]] if m != k]
    return PlannedVisit(
        tickets=[task.ticket for task in tasks],
        level=tasks[0].level,
        kind=tasks[0].kind,
        address=tasks[0].address,
        leave_at=at + stop.leave,
        start_at=at + stop.start,
        end_at=at + stop.start + stop.lasts,
        state=max(states, key=_STATES.index),
        frozen=stop.fixed,
        late_s=max(0, *late),
        with_crew=CrewId(board.crews[mates[0]].team.crew) if mates else None,
    )


# ------------------------------------------------------------ what is left out


def _reasons(problem: Problem, j: int, days: list[list[int]]) -> list[RuleCode]:
    """The rules that left the crews out, first what keeps out those who are nearest to able: of a
    crew the first broken rule is told, so that a later one stands for less that is missing."""
    board = problem.board
    if not board.crews:
        return ["no_crew"]
    task = board.inputs.tasks[j]
    for_all = rules.of_ticket(task, board.inputs)
    if for_all is not None:
        return [for_all]
    ends_at = board.inputs.at + board.inputs.policy.rounds.ahead_s
    later = {0, rules.BIT["off_duty"]}
    if board.timings[j].earliest > ends_at and not later.isdisjoint(board.masks[j].tolist()):
        return ["after_plan"]
    codes = Counter(code for m in board.masks[j].tolist() if (code := rules.told(m)) is not None)
    able = [k for k in range(len(board.crews)) if not board.masks[j, k]]
    if j in problem.fixed.torn:
        codes[problem.fixed.torn[j]] += len(able) or 1
    elif able and board.for_two(j):
        codes["second_crew"] += len(able)
    else:
        codes.update(_time_rule(problem, j, k, days[k]) for k in able)
    return sorted(codes, key=rules.ORDER.index, reverse=True)


def _time_rule(problem: Problem, j: int, k: int, done: list[int]) -> RuleCode:
    """What leaves a crew that may have the ticket no room for it."""
    board, fixed = problem.board, problem.fixed
    crew, timing, at = board.crews[k], board.timings[j], board.inputs.at
    task = board.inputs.tasks[j]
    lasts, to = board.service(task), board.place_of_task(j)
    start = max(fixed.free_at[k] + int(board.seconds[fixed.place[k], to]), timing.earliest - at)
    if timing.latest is not None and start > timing.latest - at:
        return timing.by
    if start + lasts > crew.end_at:
        alone = crew.free_at + int(board.seconds[k, to]) + lasts
        return "on_site" if fixed.heads[k] and alone <= crew.end_at else "shift_end"
    return "parts" if _runs_out(problem, j, k, done) else "out_of_time"


def _runs_out(problem: Problem, j: int, k: int, done: list[int]) -> bool:
    """Whether the van's parts go into what the crew does, and its store cannot give more."""
    board, team = problem.board, problem.board.inputs.teams[k]
    task = board.inputs.tasks[j]
    if problem.stock.is_short(j, k) or problem.lacks_rare(task, k):
        return True
    if team.parts is None or problem.stores[k] in board.stores_for(task):
        return False
    used = parts_of(board, [j, *(row for row in done if row not in board.holders)])
    spoken = board.spoken_for[k]
    return any(
        used[part] + spoken.get(part, 0) > team.parts.get(part, 0) for part in task.work.parts
    )
