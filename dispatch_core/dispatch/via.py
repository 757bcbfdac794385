"""The way to a ticket by way of a store, where its parts are not on the van."""

from __future__ import annotations

import numpy as np

from dispatch_core.dispatch.board import FAR, Board


class Via:
    """Travel times of a board, with one more row for each ticket whose parts may be fetched: the
    way there leads through the store that makes it shortest, the way from there is the usual."""

    def __init__(self, board: Board) -> None:
        tasks = board.inputs.tasks
        self.row: dict[int, int] = {}
        """Ticket -> its row by way of a store."""
        self.needed: set[tuple[int, int]] = set()
        """(ticket, crew) where the crew has to fetch parts."""
        stores: dict[int, list[int]] = {}
        for j, task in enumerate(tasks):
            able = board.stores_for(task) if task.work.parts else []
            if not able:
                continue
            lacking = [k for k, crew in enumerate(board.crews) if board.missing(task, crew)]
            if lacking:
                stores[j] = able
                self.row[j] = len(board.seconds) + len(self.row)
                self.needed |= {(j, k) for k in lacking}
        real = board.seconds
        n, more = len(real), len(self.row)
        self.seconds = np.zeros((n + more, n + more), np.int32)
        """int32 (L, L)."""
        places = [board.place_of_task(j) for j in self.row]
        self.seconds[:n, :n] = real
        self.seconds[n:, :n] = real[places]
        for j, row in self.row.items():
            self.seconds[:n, row] = FAR
            for s in stores[j]:
                at = board.place_of_store(s)
                way = real[:, at] + (
                    real[at, board.place_of_task(j)] + board.inputs.policy.pick_up_s
                )
                np.minimum(self.seconds[:n, row], way, out=self.seconds[:n, row])
        self.seconds[n:, n:] = self.seconds[places, n:]
        np.minimum(self.seconds, 7 * 86_400, out=self.seconds)
