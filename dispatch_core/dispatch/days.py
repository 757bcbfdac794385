"""The crews' days as they stand: what each has begun, was given, and is planned to do, in order."""

from __future__ import annotations

from dispatch_core.dispatch.board import Board, Standing
from dispatch_core.dispatch.inputs import InHand

STAYS: dict[str, tuple[str, ...]] = {
    "crew_stopped": ("on_site",),
    "off_duty": ("on_site",),
    "shift_end": ("on_site", "en_route", "confirmed"),
}
"""Where a rule keeps a crew from work: the stages of what it has in hand that stay with it all the
same. Under other rules everything does."""


def keeps(crew: Standing, held: InHand) -> bool:
    """Whether a ticket in hand stays with its crew; else another one is looked for."""
    return crew.later not in STAYS or held.stage in STAYS[crew.later]


def kept(board: Board) -> list[list[int]]:
    """Of every crew the rows of the tickets it has in hand and keeps: those begun in the order in
    which they are done, then those given, in order of assignment."""
    found: list[list[int]] = []
    for crew in board.crews:
        given = [h for h in crew.team.in_hand if h not in crew.begun and h.ticket in board.task_row]
        found.append([board.task_row[h.ticket] for h in (*crew.begun, *given) if keeps(crew, h)])
    return found


def begun(board: Board) -> list[list[int]]:
    """Of every crew the rows of the tickets that it has begun and keeps, in order."""
    return [
        [board.task_row[h.ticket] for h in crew.begun if keeps(crew, h)] for crew in board.crews
    ]


def in_order(board: Board) -> list[list[int]]:
    """Of every crew the rows of its day's tickets in order: begun, given but not in the plan yet,
    then as the plan in force has them. What the rules forbid by now is left away, and so is a
    ticket that another crew was given."""
    hand, first = kept(board), begun(board)
    given = {j for rows in hand for j in rows}
    planned: list[list[int]] = [[] for _ in board.crews]
    for held in board.inputs.held:
        k = board.team_row.get(held.crew)
        if k is None:
            continue
        for slot in held.visits:
            for ticket in slot.tickets:
                j = board.task_row.get(ticket, -1)
                if j >= 0 and j not in planned[k]:
                    planned[k].append(j)
    days: list[list[int]] = []
    taken: set[int] = set()
    for k in range(len(board.crews)):
        own = set(hand[k])
        new = sorted(own - set(first[k]) - set(planned[k]), key=lambda j: (_due(board, j), j))
        day = first[k] + new
        for j in planned[k]:
            free = j not in given and (j not in taken or board.for_two(j))
            if j in day or not (j in own or (free and not board.masks[j, k])):
                continue
            day.append(j)
        taken.update(day)
        days.append(day)
    return days


def _due(board: Board, j: int) -> int:
    return board.inputs.tasks[j].due_at
