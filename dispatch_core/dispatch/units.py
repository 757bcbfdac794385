"""Which tickets are one visit: those of one building, or on one pipe, that one crew can do."""

from __future__ import annotations

from collections.abc import Iterable

import msgspec
import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch.board import FAR, Board
from dispatch_core.dispatch.places import metres
from dispatch_core.levels import SEVERITY


class Unit(msgspec.Struct):
    """One visit to be planned; times in seconds after the inputs'."""

    rows: list[int]
    """Its tickets, the most urgent first."""
    offsets: list[int]
    """When work on each begins, after the first."""
    lasts: int
    earliest: int
    latest: int
    mask: NDArray[np.uint32]
    """What keeps it from each crew: what keeps any of its tickets."""
    before: int
    """The crew that the plan in force gives it to and that may still have it, -1."""
    holder: int
    """The crew that people gave it to, -1."""

    @property
    def lead(self) -> int:
        """Its most urgent ticket."""
        return self.rows[0]


def units_of(board: Board, rows: Iterable[int], before: dict[int, int]) -> list[Unit]:
    """The tickets as visits, in order of their most urgent; `before`: ticket -> crew in force."""
    tasks, grouping = board.inputs.tasks, board.inputs.policy.grouping
    order = sorted(rows, key=lambda j: (SEVERITY[tasks[j].level], tasks[j].due_at, j))
    made: list[Unit] = []
    by_key: dict[tuple[object, ...], list[Unit]] = {}
    for j in order:
        unit = _single(board, j, before.get(j, -1))
        keys = _keys(board, unit)
        into = next(
            (
                u for key in keys for u in by_key.get(key, [])
                if len(u.rows) < grouping.most and _near(board, u, j) and _joins(board, u, unit)
            ),
            None,
        )  # fmt: skip
        if into is None:
            made.append(unit)
            into = unit
        for key in keys:
            if into not in by_key.setdefault(key, []):
                by_key[key].append(into)
    return made


def _single(board: Board, j: int, before: int) -> Unit:
    timing = board.timings[j]
    holders = board.holders.get(j, [])
    holder = holders[0] if holders and not board.masks[j, holders[0]] else -1
    return Unit(
        rows=[j],
        offsets=[0],
        lasts=board.service(board.inputs.tasks[j]),
        earliest=board.after(timing.earliest),
        latest=FAR if timing.latest is None else board.after(timing.latest),
        mask=board.masks[j],
        before=before,
        holder=holder,
    )


def _keys(board: Board, unit: Unit) -> list[tuple[object, ...]]:
    """What tickets of one visit have in common; none for what stands alone."""
    task, grouping = board.inputs.tasks[unit.lead], board.inputs.policy.grouping
    if task.pinned_at is not None or board.for_two(unit.lead) or task.place is None:
        return []
    same = (task.work.trade, unit.holder, task.pinned)
    keys: list[tuple[object, ...]] = []
    if grouping.same_building and task.building is not None:
        keys.append(("building", task.building, *same))
    if grouping.pipe_within_m and task.pipe is not None:
        keys.append(("pipe", task.pipe, *same))
    return keys


def _near(board: Board, unit: Unit, j: int) -> bool:
    lead, task = board.inputs.tasks[unit.lead], board.inputs.tasks[j]
    if lead.building is not None and lead.building == task.building:
        return True
    if lead.place is None or task.place is None:
        return False
    return metres(lead.place, task.place) <= board.inputs.policy.grouping.pipe_within_m


def _joins(board: Board, unit: Unit, other: Unit) -> bool:
    """Put a single ticket at the end of a visit, if one crew can do both in one go."""
    mask = unit.mask | other.mask
    if not (mask == 0).any() and not ((unit.mask != 0).all() and (other.mask != 0).all()):
        return False
    if unit.before >= 0 and other.before >= 0 and unit.before != other.before:
        return False
    if not _parts_fit(board, [*unit.rows, other.lead], mask):
        return False
    offset = unit.lasts
    earliest = max(unit.earliest, other.earliest - offset)
    latest = min(unit.latest, other.latest - offset)
    if earliest > latest or _kept_waiting(board, unit, other, earliest):
        return False
    lasts = unit.lasts + other.lasts * board.inputs.policy.grouping.further_pm // 1_000
    joined = msgspec.structs.replace(unit, lasts=lasts, earliest=earliest, latest=latest, mask=mask)
    if _loses_crews(board, unit, joined, other):
        return False
    unit.rows.append(other.lead)
    unit.offsets.append(offset)
    unit.lasts = lasts
    unit.earliest, unit.latest, unit.mask = earliest, latest, mask
    unit.before = max(unit.before, other.before)
    return True


def _kept_waiting(board: Board, unit: Unit, other: Unit, earliest: int) -> bool:
    """Whether being one visit from `earliest` on would make a ticket late, or a red one wait, that
    could be begun sooner by itself."""
    alone = [(j, unit.earliest, offset) for j, offset in zip(unit.rows, unit.offsets, strict=True)]
    tasks = board.inputs.tasks
    return any(
        earliest > max(0, begins)
        and (tasks[j].level == "red" or board.after(tasks[j].due_at) < earliest + offset)
        for j, begins, offset in [*alone, (other.lead, other.earliest, unit.lasts)]
    )


def _loses_crews(board: Board, unit: Unit, joined: Unit, other: Unit) -> bool:
    """Whether the visit would lose crews by the ticket that joins: every one counts where the visit
    is urgent, the last one where it is not. A red ticket takes none along that is not red."""
    tasks = board.inputs.tasks
    level = tasks[unit.lead].level
    if level == "red" and tasks[other.lead].level != "red":
        return True
    alone, both = _in_time(board, unit), _in_time(board, joined)
    if level != "blue":
        return bool((alone & ~both).any())
    return bool(alone.any() and not both.any()) or (
        unit.holder >= 0 and bool(alone[unit.holder] and not both[unit.holder])
    )


def _in_time(board: Board, unit: Unit) -> NDArray[np.bool_]:
    """Which crews could do a visit now, were there no other, bool (K)."""
    way = board.seconds[: len(board.crews), board.place_of_task(unit.lead)]
    free, ends = board.spans
    start = np.maximum(free + way, unit.earliest)
    in_time: NDArray[np.bool_] = np.logical_and(
        (start <= unit.latest) & (start + unit.lasts <= ends), unit.mask == 0
    )
    return in_time


def _parts_fit(board: Board, rows: list[int], mask: NDArray[np.uint32]) -> bool:
    """Whether some crew has, or can fetch, what all the tickets need together."""
    needed = parts_of(board, rows)
    if not needed or board.inputs.stores:
        return True
    for k in np.flatnonzero(mask == 0).tolist():
        parts = board.inputs.teams[k].parts
        if parts is None or all(parts.get(part, 0) >= n for part, n in needed.items()):
            return True
    return False


def parts_of(board: Board, rows: Iterable[int]) -> dict[str, int]:
    """What tickets need together, part -> pieces."""
    needed: dict[str, int] = {}
    for j in rows:
        for part, n in board.inputs.tasks[j].work.parts.items():
            needed[part] = needed.get(part, 0) + n
    return needed
