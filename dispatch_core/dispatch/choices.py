"""What is found in the crews' days as people are shown it: times, reasons, who gives way, price."""

from __future__ import annotations

from math import isqrt

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch.board import Board
from dispatch_core.dispatch.found import Found, Moved
from dispatch_core.dispatch.places import metres
from dispatch_core.dispatch.score import skill_over
from dispatch_core.dispatch.search import Search
from dispatch_core.events import Choice, Displacement, Price
from dispatch_core.ids import ScorePart, TicketId
from ext import insertion
from geo import travel

PARTS: dict[str, ScorePart] = {
    "travel": "travel", "lateness": "lateness", "caused": "lateness", "level": "level",
    "load": "load", "continuity": "continuity", "skill": "skill_margin", "parts": "parts",
    "impact": "impact", "churn": "churn",
}  # fmt: skip
"""Part of the kernel's score -> part of the score that is shown."""


def choice_of(search: Search, j: int, found: Found, mask: NDArray[np.uint32]) -> Choice:
    """A crew, or two, for a ticket; `mask` is what left out the others."""
    board, option = search.board, found.option
    task, crew, at = board.inputs.tasks[j], board.crews[found.crew], board.inputs.at
    start = max(o.start for o in found.options)
    score, total = _score(search, j, found)
    facts = _facts(search, j, found)
    facts["able"] = int((mask == 0).sum())
    mate = board.crews[found.mate].team if found.other is not None else None
    return Choice(
        crew=crew.team.crew,
        crew_name=crew.team.name,
        arrive_at=at + option.arrival,
        start_at=at + start,
        end_at=at + start + board.service(task),
        sure_s=_sure(search, j, found),
        distance_m=int(facts["distance_m"]),
        score=score,
        total=total,
        facts=facts,
        after=_after(search, j, option),
        displaced=[_told(search, gone) for gone in found.gone],
        newly_late=_newly_late(search, found),
        with_crew=mate.crew if mate is not None else None,
        crew_version=crew.team.version,
        with_crew_version=mate.version if mate is not None else 0,
    )


def price_of(choice: Choice | None, best: Choice | None) -> Price:
    """What a choice costs against the best: how much later, and whom it makes late or displaces
    whom the best does not."""
    if choice is None:
        return Price(
            best=best.crew if best is not None else None, later_s=0, newly_late=[], displaced=[]
        )
    late, gone = ([d.ticket for d in many] for many in (choice.newly_late, choice.displaced))
    return Price(
        best=best.crew if best is not None else None,
        later_s=choice.start_at - best.start_at if best is not None else 0,
        newly_late=late,
        displaced=gone,
    )


def _score(search: Search, j: int, found: Found) -> tuple[dict[ScorePart, int], int]:
    """Each part in whole seconds of travel, rounded so that they add up to the whole."""
    weights = search.weights(j).tolist()
    exact: dict[ScorePart, int] = dict.fromkeys(PARTS.values(), 0)
    for option in found.options:
        for name, weight, value in zip(insertion.SCORE, weights, option.score, strict=True):
            exact[PARTS[name]] += weight * value
    total = sum(exact.values()) // 1_000
    whole = {part: value // 1_000 for part, value in exact.items()}
    short = total - sum(whole.values())
    by_rest = sorted(exact, key=lambda part: (-(exact[part] % 1_000), list(exact).index(part)))
    for part in by_rest[:short]:
        whole[part] += 1
    return whole, total


def _facts(search: Search, j: int, found: Found) -> dict[str, int | str]:
    board, option = search.board, found.option
    task, crew = board.inputs.tasks[j], board.crews[found.crew]
    team = crew.team
    facts: dict[str, int | str] = {
        "distance_m": _distance(search, j, found),
        "drive_s": option.drive,
        "wait_s": option.start,
        "late_s": max(0, option.late),
        "newly_late": len(_newly_late(search, found))
        + sum(_breaches(search, gone) for gone in found.gone),
        "visits_here": task.visits_by.get(team.crew, 0),
        "degree_hours_m": task.degree_hours_m,
        "in_hand": len(team.in_hand),
        "ahead": _ahead(search, j, option),
        "trade": task.work.trade,
        "skill": team.skill,
        "skill_over": skill_over(board, j, found.crew),
    }
    if task.work.parts:
        facts["pieces_needed"] = sum(task.work.parts.values())
        if team.parts is not None:
            facts["pieces_on_van"] = sum(
                min(n, team.parts.get(part, 0)) for part, n in task.work.parts.items()
            )
    if task.place is None:
        facts["area_only"] = task.precision
    if found.via:
        facts["store"] = _store(board, j, found.crew)
    if crew.doubt_s:
        facts["position_age_s"] = team.fix_age_s or crew.doubt_s
    if task.work.equipment is not None:
        facts["equipment"] = task.work.equipment
    return facts


def _ahead(search: Search, j: int, option: insertion.Option) -> int:
    """How many visits come first."""
    route = option.route[: option.route.index(j)]
    return sum(search.sheet.ticket_of(row) >= 0 for row in route)


def _after(search: Search, j: int, option: insertion.Option) -> TicketId | None:
    before = [search.sheet.ticket_of(row) for row in option.route[: option.route.index(j)]]
    last = next((row for row in reversed(before) if row >= 0), None)
    return None if last is None else search.board.inputs.tasks[last].ticket


def _distance(search: Search, j: int, found: Found) -> int:
    """Great-circle metres from where the crew then is, by way of the store if it must."""
    board, option = search.board, found.option
    last = _after(search, j, option)
    here = board.crews[found.crew].spot
    if last is not None:
        here = board.task(last).target or here
    there = board.inputs.tasks[j].target or here
    if not found.via:
        return metres(here, there)
    store = _store(board, j, found.crew)
    stop = next(s.place for s in board.inputs.stores if s.store == store)
    return metres(here, stop) + metres(stop, there)


def _store(board: Board, j: int, k: int) -> str:
    """The store that makes the crew's way to the ticket shortest."""
    seconds, to = board.seconds, board.place_of_task(j)
    able = board.stores_for(board.inputs.tasks[j])

    def way(s: int) -> tuple[int, int]:
        at = board.place_of_store(s)
        return int(seconds[k, at]) + int(seconds[at, to]), s

    return board.inputs.stores[min(able, key=way)].store


def _sure(search: Search, j: int, found: Found) -> int:
    """What the arrival is within, nine times out of ten: the ways, the work before, and how well
    the crew's place is known are off independently of one another."""
    board, sheet = search.board, search.sheet
    furthest = 0
    for k, option in zip((found.crew, found.mate), found.options, strict=False):
        rows = option.route[: option.route.index(j) + 1]
        work = sum(int(sheet.rows["service"][row]) for row in rows[:-1])
        driven = max(0, option.arrival - board.crews[k].free_at - work)
        slow = int(travel.late(board.inputs.travel.model, np.array(driven), board.inputs.at))
        spread = work * board.inputs.policy.work_spread_pm // 1_000
        off = (slow - driven) ** 2 + spread**2 + board.crews[k].doubt_s ** 2
        furthest = max(furthest, isqrt(off))
    return furthest


def _told(search: Search, moved: Moved) -> Displacement:
    """A visit that gives way or waits, with its new time."""
    board = search.board
    task, at = board.inputs.tasks[search.sheet.ticket_of(moved.row)], board.inputs.at
    placed = moved.crew >= 0
    return Displacement(
        ticket=task.ticket,
        level=task.level,
        address=task.address,
        was_at=at + moved.was,
        crew=board.crews[moved.crew].team.crew if placed else None,
        start_at=at + moved.start if placed else None,
        late_s=max(0, moved.start - board.after(task.due_at)) if placed else 0,
    )


def _breaches(search: Search, gone: Moved) -> bool:
    """Whether what gives way had begun before its clock ran out, and does not so any more."""
    due = int(search.sheet.rows["due"][gone.row])
    return gone.was <= due < gone.start


def _newly_late(search: Search, found: Found) -> list[Displacement]:
    """Visits that keep their crew and would begin after their clock, and did not."""
    told = (_told(search, late) for late in found.late)
    return list({late.ticket: late for late in told}.values())
