"""What a plan does not move: visits begun or about to begin, and jobs of two crews at one start."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np

from dispatch_core.dispatch.board import FAR, Board
from dispatch_core.dispatch.days import begun, kept
from dispatch_core.dispatch.units import Unit, units_of
from dispatch_core.ids import RuleCode
from dispatch_core.levels import SEVERITY

GIVE_WAY_S = 3_600
"""While red tickets wait, a less urgent job of two crews begins so much later, if its clock lets
it: its start is fixed before everything else, and would keep both crews from them."""
LIKED_S = 600
"""A pair that has the job already is kept unless another could begin so much earlier."""
_Pair = tuple[int, int, int, int, int]
"""The start, sooner for one that is liked; when either could; first crew, second crew, start."""


class Fixed(msgspec.Struct):
    """Seconds after the inputs' time; crews and tickets by row."""

    heads: list[list[int]]
    """Of every crew the tickets at the head of its day, in order."""
    soon: list[list[Unit]]
    """Behind them the visits that are about to begin."""
    free_at: list[int]
    """When each crew is done with them."""
    place: list[int]
    """Where it then is, a row of `Board.seconds`."""
    starts: dict[int, int]
    """Jobs of two crews in the heads -> when both can begin."""
    pairs: dict[int, tuple[int, int, int]]
    """Jobs of two crews to be planned -> first crew, second crew, start."""
    torn: dict[int, RuleCode]
    """Tickets that are nobody's in this plan -> why: no two crews can begin together, or wait for
    each other in a circle; or who was given it can keep neither window nor shift."""


def fix(board: Board, before: dict[int, int]) -> Fixed:
    """The fixed part of the plan; `before`: ticket -> crew in the plan in force."""
    fixed = Fixed(
        heads=_heads(board), soon=[[] for _ in board.crews],
        free_at=[], place=[], starts={}, pairs={}, torn={},
    )  # fmt: skip
    _run(board, fixed)
    _freeze(board, fixed, before)
    _outlast(board, fixed, before)
    in_heads = {j for head in fixed.heads for j in head} | set(fixed.torn)
    tasks = board.inputs.tasks
    waiting = [j for j in range(len(tasks)) if board.for_two(j) and j not in in_heads]
    waiting.sort(key=lambda j: (SEVERITY[tasks[j].level], tasks[j].due_at, j))
    _choose(board, fixed, waiting)
    return fixed


def _heads(board: Board) -> list[list[int]]:
    """Begun visits; all in hand of a crew that takes no more; the second half of what the other
    crew has begun."""
    hand = kept(board)
    heads = [
        list(hand[k]) if crew.later is not None else first
        for k, (crew, first) in enumerate(zip(board.crews, begun(board), strict=True))
    ]
    for j, holders in sorted(board.holders.items()):
        if len(holders) > 1 and any(j in heads[k] for k in holders):
            for k in holders:
                if j not in heads[k] and j in hand[k]:
                    heads[k].append(j)
            _part(board, heads, j)
    return heads


def _part(board: Board, heads: list[list[int]], j: int) -> None:
    """Take a job of two crews out of the one head it stands in, unless that crew has begun it."""
    with_it = [k for k, head in enumerate(heads) if j in head]
    if len(with_it) == 1 and all(
        board.task_row.get(h.ticket) != j for h in board.crews[with_it[0]].begun
    ):
        heads[with_it[0]].remove(j)


def _freeze(board: Board, fixed: Fixed, before: dict[int, int]) -> None:
    """Behind the heads, what the plan in force lets begin within the time that nothing is moved in
    any more, as far as it can be kept; not where a red ticket waits that the crew may take."""
    inputs, tasks = board.inputs, board.inputs.tasks
    until = inputs.at + inputs.policy.churn.frozen_within_s
    in_heads = {j for head in fixed.heads for j in head} | set(fixed.torn)
    reds = [
        j for j, task in enumerate(tasks)
        if task.level == "red" and j not in board.holders and j not in in_heads
    ]  # fmt: skip
    for day in inputs.held:
        k = board.team_row.get(day.crew, -1)
        if k < 0 or board.crews[k].later is not None:
            continue
        for slot in day.visits:
            rows = [board.task_row[t] for t in slot.tickets if t in board.task_row]
            rows = [j for j in rows if j not in in_heads]
            own = all(k in board.holders.get(j, ()) for j in rows)
            hurry = any(not board.masks[j, k] for j in reds if j not in rows)
            if slot.start_at > until or (rows and hurry and not own):
                break
            if not all(_stays(board, j, k) for j in rows):
                break
            if not _append(board, fixed, k, units_of(board, rows, before)):
                break
            in_heads.update(rows)


def _stays(board: Board, j: int, k: int) -> bool:
    """Whether a ticket is a crew's own, or nobody's and the crew may have it."""
    others = [h for h in board.holders.get(j, []) if h != k]
    return not board.for_two(j) and not others and not board.masks[j, k]


def _outlast(board: Board, fixed: Fixed, before: dict[int, int]) -> None:
    """Red tickets that nobody can begin in time within the shift go behind what is fixed of the
    crew that is there soonest, which works on them after its shift: all else is over by then. One
    that another crew was planned to have is not moved, for the search counts who is."""
    tasks, longer = board.inputs.tasks, board.inputs.policy.rules.red_beyond_shift_s
    taken = {j for head in fixed.heads for j in head} | set(fixed.torn)
    taken |= {j for units in fixed.soon for unit in units for j in unit.rows}
    reds = [
        j for j, task in enumerate(tasks)
        if task.level == "red" and j not in taken and not board.for_two(j)
    ]  # fmt: skip
    for j in sorted(reds, key=lambda j: (tasks[j].due_at, j)) if longer else []:
        [unit] = units_of(board, [j], before)
        to, within, after = board.place_of_task(j), [], []
        for k in [unit.holder] if unit.holder >= 0 else np.flatnonzero(unit.mask == 0).tolist():
            crew, free_at = board.crews[k], fixed.free_at[k]
            start = max(free_at + int(board.seconds[fixed.place[k], to]), unit.earliest)
            over = start + unit.lasts - crew.end_at
            if start > unit.latest or over > longer:
                continue
            if over <= 0:
                within.append(start)
            elif (
                free_at <= crew.end_at
                and unit.before in {-1, k}
                and start == _beside_rests(board, k, free_at, fixed.place[k], j, start)
                and not board.missing(tasks[j], crew)
            ):
                after.append((start, k))
        if after and min(within, default=FAR) > max(board.after(tasks[j].due_at), min(after)[0]):
            _append(board, fixed, min(after)[1], [unit], longer)


def _append(board: Board, fixed: Fixed, k: int, units: list[Unit], longer: int = 0) -> bool:
    """Put visits behind what is fixed, if all keep their windows and the shift, or end no later
    than `longer` after it."""
    at, place = fixed.free_at[k], fixed.place[k]
    for unit in units:
        to = board.place_of_task(unit.lead)
        at = max(at + int(board.seconds[place, to]), unit.earliest)
        if at > unit.latest or at + unit.lasts > board.crews[k].end_at + longer:
            return False
        at, place = at + unit.lasts, to
    fixed.free_at[k], fixed.place[k] = at, place
    fixed.soon[k] += units
    return True


def _run(board: Board, fixed: Fixed) -> None:
    """Time the heads; a job of two crews begins when both are there. Where crews wait for each
    other in a circle, the least urgent job that is waited for is torn out."""
    crews = range(len(board.crews))
    fixed.free_at = [crew.free_at for crew in board.crews]
    fixed.place = list(crews)
    done = [0 for _ in crews]
    while any(done[k] < len(fixed.heads[k]) for k in crews):
        moved = False
        for k in crews:
            while done[k] < len(fixed.heads[k]) and _step(board, fixed, done, k):
                moved = True
        if not moved:
            stuck = {fixed.heads[k][done[k]] for k in crews if done[k] < len(fixed.heads[k])}
            tasks = board.inputs.tasks
            worst = max(stuck, key=lambda j: (SEVERITY[tasks[j].level], tasks[j].due_at, j))
            _tear(fixed, worst, "second_crew")


def _step(board: Board, fixed: Fixed, done: list[int], k: int) -> bool:
    """The next visit of a crew, if the other crew that it needs is there too."""
    j = fixed.heads[k][done[k]]
    both = [k2 for k2, head in enumerate(fixed.heads) if j in head]
    if any(fixed.heads[k2].index(j) != done[k2] for k2 in both):
        return False
    to = board.place_of_task(j)
    opens, closes = head_window(board, j)
    start = max(fixed.free_at[k2] + int(board.seconds[fixed.place[k2], to]) for k2 in both)
    start = max(start, opens)
    ends = start + board.service(board.inputs.tasks[j])
    if start > closes:
        _tear(fixed, j, board.timings[j].by)
        return True
    if closes < FAR and ends > min(board.crews[k2].end_at for k2 in both):
        _tear(fixed, j, "shift_end")
        return True
    for k2 in both:
        fixed.free_at[k2] = ends
        fixed.place[k2] = to
        done[k2] += 1
    if len(both) > 1:
        fixed.starts[j] = start
    return True


def head_window(board: Board, j: int) -> tuple[int, int]:
    """When a visit at the head of a day may start: what is begun goes on, whatever was agreed, but
    nobody knocks before the agreed hour."""
    task, timing = board.inputs.tasks[j], board.timings[j]
    opens = board.after(timing.earliest)
    if any(h.ticket == task.ticket for crew in board.crews for h in crew.begun):
        return 0 if task.state == "handling" else opens, FAR
    latest = FAR if timing.latest is None else board.after(timing.latest)
    return opens, min(FAR - 1, latest)


def _tear(fixed: Fixed, j: int, why: RuleCode) -> None:
    """Take a ticket out of every head."""
    fixed.torn[j] = why
    for head in fixed.heads:
        if j in head:
            head.remove(j)


def _choose(board: Board, fixed: Fixed, waiting: list[int]) -> None:
    """A pair and a start for each job, the most urgent first; each crew does its jobs of this kind
    one after another, so that none can wait for another in a circle."""
    free_at, place = list(fixed.free_at), list(fixed.place)
    held, hand, locks = _held(board), kept(board), _locks(board)
    hurry = any(
        task.level == "red" and j not in board.holders and not board.for_two(j)
        for j, task in enumerate(board.inputs.tasks)
    )
    for j in waiting:
        task, timing = board.inputs.tasks[j], board.timings[j]
        opens = board.after(timing.earliest)
        if hurry and task.level != "red" and timing.latest is None:
            opens = max(opens, min(GIVE_WAY_S, task.due_at - board.inputs.at))
        lasts, to = board.service(task), board.place_of_task(j)
        able = [k for k in range(len(board.crews)) if not board.masks[j, k]]
        given = [k for k in board.holders.get(j, []) if k in able]
        if any(j in hand[k] and k not in able for k in board.holders.get(j, [])):
            fixed.torn[j] = "second_crew"
            continue
        liked, at = held.get(j, (set(), 0))
        longer = board.inputs.policy.rules.red_beyond_shift_s if task.level == "red" else 0
        found: list[_Pair] = []
        after: list[_Pair] = []
        there = {k: max(free_at[k] + int(board.seconds[place[k], to]), opens) for k in able}
        for i, a in enumerate(able):
            for b in able[i + 1 :]:
                if len(given) > 1 and {a, b} != set(given[:2]):
                    continue
                if len(given) == 1 and given[0] not in {a, b}:
                    continue
                start = _beside_locks(board, (*locks[a], *locks[b]), j, max(there[a], there[b]))
                start = _beside_rests(board, a, free_at[a], place[a], j, start)
                start = _beside_rests(board, b, free_at[b], place[b], j, start)
                if {a, b} == liked and start <= at <= start + LIKED_S:
                    start = at
                late = timing.latest is not None and start > timing.latest - board.inputs.at
                end_at = min(board.crews[a].end_at, board.crews[b].end_at)
                if late or start > end_at or start + lasts > end_at + longer:
                    continue
                wish = start - (LIKED_S if {a, b} == liked else 0)
                pair = (wish, there[a] + there[b], a, b, start)
                (found if start + lasts <= end_at else after).append(pair)
        best = _best(found, after, board.after(task.due_at))
        if best is None:
            fixed.torn[j] = "second_crew"
            continue
        _, _, a, b, start = best
        first = given[0] if given else a
        fixed.pairs[j] = (first, b if first == a else a, start)
        for k in (a, b):
            free_at[k], place[k] = start + lasts, to


def _best(within: list[_Pair], after: list[_Pair], due: int) -> _Pair | None:
    """The best pair that keeps its shifts, unless it is late and one that outlasts them is not, or
    less so."""
    if after and (not within or min(within)[4] > max(due, min(after)[4])):
        return min(after)
    return min(within, default=None)


def _locks(board: Board) -> list[list[int]]:
    """Of every crew the rows of single tickets that a person locked to it at a start to come."""
    found: list[list[int]] = [[] for _ in board.crews]
    for j, task in enumerate(board.inputs.tasks):
        k = -1 if task.pinned is None else board.team_row.get(task.pinned, -1)
        ahead = task.pinned_at is not None and task.pinned_at >= board.inputs.at
        if k >= 0 and ahead and not board.for_two(j) and not board.masks[j, k]:
            found[k].append(j)
    return found


def _beside_locks(board: Board, locks: Iterable[int], j: int, start: int) -> int:
    """The first start from `start` on at which a job leaves room for locked ones."""
    tasks, to = board.inputs.tasks, board.place_of_task(j)
    lasts = board.service(tasks[j])
    for lock in sorted(locks, key=lambda row: board.timings[row].earliest):
        at, place = board.after(board.timings[lock].earliest), board.place_of_task(lock)
        over = at + board.service(tasks[lock]) + int(board.seconds[place, to])
        if start < over and start + lasts + int(board.seconds[to, place]) > at:
            start = over
    return start


def _beside_rests(board: Board, k: int, free_at: int, place: int, j: int, start: int) -> int:
    """The first start from `start` on at which a job leaves room for a crew's breaks: they come
    before the way there where it would end too late for them."""
    lasts, way = board.service(board.inputs.tasks[j]), board.seconds[place, board.place_of_task(j)]
    for rest in board.crews[k].rests:
        if start + lasts > rest.ends:
            free_at = max(free_at, rest.begins) + rest.lasts
            start = max(start, free_at + int(way))
    return start


def _held(board: Board) -> dict[int, tuple[set[int], int]]:
    """Of the plan in force, for each ticket: its crews and its start."""
    found: dict[int, tuple[set[int], int]] = {}
    for day in board.inputs.held:
        k = board.team_row.get(day.crew)
        for slot in day.visits if k is not None else []:
            for ticket in slot.tickets:
                if ticket in board.task_row and k is not None:
                    crews, _ = found.setdefault(board.task_row[ticket], (set(), 0))
                    crews.add(k)
                    found[board.task_row[ticket]] = crews, board.after(slot.start_at)
    return found
