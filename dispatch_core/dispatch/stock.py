"""Who may still have parts of which there are too few for everybody: a plan gives none away twice.

The kernel takes a store as one that never runs out. So the pieces of a store are given to the most
urgent tickets beforehand, and what cannot be fetched goes only to crews with pieces on their van,
to no more tickets than these last for.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from dispatch_core.dispatch.board import Board
from dispatch_core.levels import SEVERITY


class Stock:
    """The parts of all stores and vans, for the tickets that no crew has yet."""

    def __init__(
        self, board: Board, rows: Iterable[int], stores: list[int], before: Mapping[int, int]
    ) -> None:
        """`rows`: the tickets that some crew may have; `stores`: of every crew the store where it
        fetches parts, -1: none; `before`: ticket -> crew in the plan in force."""
        self._board = board
        self._before = before
        tasks = board.inputs.tasks
        self._asking = sorted(
            (j for j in rows if tasks[j].work.parts and j not in board.holders),
            key=lambda j: (SEVERITY[tasks[j].level], tasks[j].due_at, j),
        )
        there = [self._given(s) for s in range(len(board.inputs.stores))]
        # a crew without a store is left to the kernel, which counts what is on its van
        asked = {
            k: [j for j in self._asking if j not in there[s] and not board.masks[j, k]]
            for k, s in enumerate(stores)
            if s >= 0 and board.inputs.teams[k].parts is not None
        }
        nowhere = set(self._asking).difference(*(there[s] for s in stores if s >= 0))
        allowed = self._from_vans(asked, nowhere)
        self._short = {(j, k) for k, js in asked.items() for j in js} - allowed

    def is_short(self, j: int, k: int) -> bool:
        """Whether there are no parts for a ticket with a crew, neither on its van nor in its
        store."""
        return (j, k) in self._short

    def _given(self, s: int) -> set[int]:
        """The tickets whose parts can be fetched at a store, all of them."""
        board, store = self._board, self._board.inputs.stores[s]
        left, there = Counter(store.parts), set()
        for j in self._asking:
            task = board.inputs.tasks[j]
            if s not in board.stores_for(task):
                continue
            if task.parts_store is None:
                if not _has(left, task.work.parts):
                    continue
                left.subtract(task.work.parts)
            there.add(j)
        return there

    def _from_vans(self, asked: dict[int, list[int]], nowhere: set[int]) -> set[tuple[int, int]]:
        """(ticket, crew) that what lies on the vans is enough for, all together; what can be had
        `nowhere` else comes first."""
        board, tasks = self._board, self._board.inputs.tasks
        left: dict[int, Counter[str]] = {}
        for k in asked:
            left[k] = Counter(board.inputs.teams[k].parts)
            left[k].subtract(board.spoken_for[k])
        crews: dict[int, list[int]] = {}
        for k, js in asked.items():
            for j in js:
                crews.setdefault(j, []).append(k)
        allowed: set[tuple[int, int]] = set()
        for j in self._asking:
            able = [k for k in crews.get(j, ()) if _has(left[k], tasks[j].work.parts)]
            if j in nowhere and able:
                k = min(able, key=lambda k: (self._before.get(j) != k, self._way(j, k), k))
                left[k].subtract(tasks[j].work.parts)
                allowed.add((j, k))
        for k, js in asked.items():
            for j in sorted(js, key=lambda j: self._before.get(j) != k):
                if (j, k) not in allowed and _has(left[k], tasks[j].work.parts):
                    left[k].subtract(tasks[j].work.parts)
                    allowed.add((j, k))
        return allowed

    def _way(self, j: int, k: int) -> int:
        return int(self._board.seconds[k, self._board.place_of_task(j)])


def _has(left: Counter[str], parts: Mapping[str, int]) -> bool:
    return all(left[part] >= n for part, n in parts.items())
