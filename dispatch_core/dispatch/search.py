"""Where in the crews' days a ticket goes, by the kernel, and why there is no room."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import NDArray

from dispatch_core.dispatch import rules
from dispatch_core.dispatch.board import Board
from dispatch_core.dispatch.found import LATE_STEP_S, Found, found_of
from dispatch_core.dispatch.score import given
from dispatch_core.dispatch.sheet import Sheet
from dispatch_core.ids import RuleCode
from ext import insertion, visits


class Search:
    """A sheet with the parts of the score that are given for each crew."""

    def __init__(self, sheet: Sheet) -> None:
        self.sheet = sheet
        self.board: Board = sheet.board

    # -------------------------------------------------------- the score

    def weights(self, j: int) -> NDArray[np.int64]:
        """What each part of the kernel's score counts for a ticket, thousandths of a second."""
        w, task = self.board.inputs.policy.weights, self.board.inputs.tasks[j]
        by_part = {
            "travel": w.travel, "lateness": self.board.late_cost(task), "caused": 1, "level": 1,
            "load": w.load, "continuity": 1_000, "skill": 1_000, "parts": 1_000,
            "impact": w.degree_hour_s, "churn": 1_000,
        }  # fmt: skip
        return np.array([by_part[part] for part in insertion.SCORE], np.int64)

    def most_displaced(self, j: int) -> int:
        """How many visits may give way to a ticket."""
        task, policy = self.board.inputs.tasks[j], self.board.inputs.policy.displacing
        return policy.most if task.level == "red" and policy.levels else 0

    # -------------------------------------------------------- places in days

    def singles(
        self, j: int, mask: NDArray[np.uint32], n: int
    ) -> tuple[list[Found], NDArray[np.uint32]]:
        """The `n` best crews, and the masks with the rule of those whose day has no room for it."""
        found, no_place = self._asked(j, mask, n, 0)
        if not any(f.in_time for f in found):
            found += [
                f for f in self._overtime(j, mask, n) if f.crew not in {g.crew for g in found}
            ]
            found.sort(key=lambda f: f.order)
        mask = mask.copy()
        for k in np.flatnonzero(no_place):
            if k not in {f.crew for f in found}:
                mask[k] |= np.uint32(rules.BIT[self.time_rule(j, int(k))])
        return found[:n], mask

    def _asked(
        self, j: int, mask: NDArray[np.uint32], n: int, longer: int
    ) -> tuple[list[Found], NDArray[np.bool_]]:
        """The kernel's answer: straight from the day, and by way of a store where parts are
        missing; and the crews without a place."""
        fetch = np.array([(j, k) in self.sheet.via.needed for k in range(len(mask))], bool)
        found: list[Found] = []
        no_place = np.zeros(len(mask), bool)
        for via, others in ((False, fetch), (True, ~fetch)):
            able = (mask == 0) & ~others
            if not able.any():
                continue
            of_crews = given(self.board, j)
            with self._by_way_of(j, via=via):
                answer = insertion.propose(
                    self.sheet.plan, j, np.where(others, mask | 1, mask).astype(np.uint32),
                    self.weights(j), now=0, continuity=of_crews.continuity, skill=of_crews.skill,
                    parts=of_crews.parts, late_step=LATE_STEP_S,
                    displace=self.most_displaced(j), options=n + len(self.board.holders.get(j, ())),
                )  # fmt: skip
            all_found = [found_of(self.sheet, option, via=via) for option in answer.options]
            for f in all_found:
                if self._in_day(j, f, longer):
                    found.append(f)
                else:
                    no_place[f.crew] = True
            no_place |= able & (answer.broken & np.uint32(insertion.NO_POSITION) != 0)
        if any(f.in_time and not f.gone for f in found):
            found = [f for f in found if not f.gone]
        return sorted(found, key=lambda f: f.order), no_place

    def one(
        self, j: int, k: int, *, ready: int = 0, position: int = -1, displace: int | None = None
    ) -> Found | None:
        """A ticket with one crew, whatever the rules say; None where its day has no room, for a red
        ticket not even after the shift."""
        found = self._one(j, k, ready, position, displace, 0)
        if found is not None or not (longer := self._longer(j)):
            return found
        with self._shifts_longer_by(longer):
            found = self._one(j, k, ready, position, displace, longer)
        return found if found is not None and self._ends_in_shift(j, found) else None

    def _one(
        self, j: int, k: int, ready: int, position: int, displace: int | None, longer: int
    ) -> Found | None:
        via = (j, k) in self.sheet.via.needed
        most = self.most_displaced(j) if displace is None else displace
        parts = given(self.board, j)
        with self._by_way_of(j, via=via):
            option = insertion.price(
                self.sheet.plan, j, k, self.weights(j), now=0, position=position,
                continuity=int(parts.continuity[k]), skill=int(parts.skill[k]),
                parts=int(parts.parts[k]), ready=ready, late_step=LATE_STEP_S,
                displace=0 if position >= 0 else most,
            )  # fmt: skip
        found = None if option is None else found_of(self.sheet, option, via=via)
        return found if found is not None and self._in_day(j, found, longer) else None

    def _in_day(self, j: int, found: Found, longer: int) -> bool:
        """Whether the work itself keeps its window and the shift: in a day that breaks them already
        the kernel lets a ticket stay as late as it is."""
        start, row = found.option.start, self.sheet.rows[j]
        if row["state"] != visits.PLANNED:
            return True
        ends = start + int(row["service"])
        return start <= int(row["latest"]) and ends <= self.board.crews[found.crew].end_at + longer

    def _overtime(self, j: int, mask: NDArray[np.uint32], n: int) -> list[Found]:
        """What crews reach who work on a red ticket after the end of their shift; whatever else
        they have is over by then."""
        longer = self._longer(j)
        if not longer or not (mask == 0).any():
            return []
        with self._shifts_longer_by(longer):
            found, _ = self._asked(j, mask, n, longer)
        return [f for f in found if self._ends_in_shift(j, f)]

    def _longer(self, j: int) -> int:
        """How long after a shift work on the ticket may go on."""
        red = self.board.inputs.tasks[j].level == "red"
        return self.board.inputs.policy.rules.red_beyond_shift_s if red else 0

    def _ends_in_shift(self, j: int, found: Found) -> bool:
        """Whether all visits but the red ticket's own end within the shift."""
        sheet = self.sheet
        if found.via and found.option.route[-1] != j:
            return False
        route = [r for r in found.option.route if r != j]
        end_at = self.board.crews[found.crew].end_at
        whole = found.option.route
        ends = {r: end for r, (_, end) in zip(whole, sheet.times(found.crew, whole), strict=True)}
        return not found.gone and all(ends[r] <= end_at for r in route)

    def safe_first(self, j: int, mask: NDArray[np.uint32], found: list[Found]) -> Found | None:
        """The crew that would be there soonest if it left the less urgent ticket that it works on;
        None where that is no better than what there is."""
        most = self.most_displaced(j)
        best = min((f.order for f in found), default=None)
        safe: Found | None = None
        for k in np.flatnonzero(mask == 0).tolist():
            rows = self.may_be_left(k)
            if not rows or not most:
                continue
            with self.as_if_driving(rows):
                one = self.one(j, k, displace=most)
            if one is None or (best is not None and one.order[0] >= best[0]):
                continue
            if not any(gone.row in rows for gone in one.gone):
                continue
            if safe is None or one.order < safe.order:
                safe = one
        return safe

    def may_be_left(self, k: int) -> list[int]:
        """A crew's visits on site that rank below a red ticket."""
        rows, route = self.sheet.rows, self.sheet.plan.route(k).tolist()
        return [r for r in route if rows["state"][r] == visits.ON_SITE and rows["level"][r] > 0]

    # -------------------------------------------------------- as if

    @contextmanager
    def as_new(self, j: int) -> Iterator[None]:
        """The ticket keeps its window, though a crew that has begun it already need not; a job for
        two crews is not held to the start that the plan has for both."""
        sheet, timing = self.sheet, self.board.timings[j]
        row = sheet.rows[j].copy()
        for_two = any(task == j for task, _ in sheet.halves)
        if row["state"] == visits.ON_SITE or (row["state"] == visits.PLANNED and not for_two):
            yield
            return
        row["state"], row["level"] = visits.PLANNED, sheet.row(j)["level"]
        row["earliest"] = self.board.after(timing.earliest)
        row["latest"] = visits.NEVER if timing.latest is None else self.board.after(timing.latest)
        with self._rows_as({j: row}):
            yield

    @contextmanager
    def _by_way_of(self, j: int, *, via: bool) -> Iterator[None]:
        """The ticket's place is reached by way of a store."""
        if not via:
            yield
            return
        row = self.sheet.rows[j].copy()
        row["place"] = self.sheet.via.row[j]
        with self._rows_as({j: row}):
            yield

    @contextmanager
    def as_if_driving(self, rows: list[int]) -> Iterator[None]:
        """Visits on site count as driven to."""
        changed = {}
        for r in rows:
            latest = self.sheet.window(r).latest
            changed[r] = self.sheet.rows[r].copy()
            changed[r]["state"] = visits.EN_ROUTE
            changed[r]["latest"] = visits.NEVER if latest is None else self.board.after(latest)
        with self._rows_as(changed):
            yield

    @contextmanager
    def as_done(self, j: int, found: Found, row: int) -> Iterator[None]:
        """A crew has the ticket, as `row`, at the time that was found, and what gives way for it is
        where it goes."""
        plan, option = self.sheet.plan, found.option
        taken = self.sheet.rows[j].copy()
        taken["earliest"] = taken["latest"] = option.start
        if found.via:
            taken["place"] = self.sheet.via.row[j]
        routes = {option.crew: [row if r == j else r for r in option.route]}
        moved = [d for d in option.displaced if d.to_crew not in {-1, option.crew}]
        for crew in {plan.crew_of(row), *(d.to_crew for d in moved)} - {-1, option.crew}:
            routes[crew] = [r for r in plan.route(crew).tolist() if r not in {row, j}]
        for d in sorted(moved, key=lambda d: d.position):
            routes[d.to_crew].insert(d.position, d.ticket)
        before = {crew: plan.route(crew).tolist() for crew in routes}
        with self._rows_as({row: taken}):
            self._set_routes(routes)
            try:
                yield
            finally:
                self._set_routes(before)

    def _set_routes(self, routes: dict[int, list[int]]) -> None:
        """All at once: a visit that goes from one crew to another is nobody's in between."""
        for crew in routes:
            self.sheet.plan.set_route(crew, np.zeros(0, np.int32))
        for crew, route in routes.items():
            self.sheet.plan.set_route(crew, np.array(route, np.int32))

    @contextmanager
    def _rows_as(self, changed: dict[int, NDArray[np.void]]) -> Iterator[None]:
        sheet = self.sheet
        before = {r: sheet.rows[r].copy() for r in changed}
        for r, row in changed.items():
            sheet.rows[r] = row
            sheet.plan.put_ticket(r, np.array(row, visits.TICKET), sheet.eligible[r])
        try:
            yield
        finally:
            for r, row in before.items():
                sheet.rows[r] = row
                sheet.plan.put_ticket(r, np.array(row, visits.TICKET), sheet.eligible[r])

    @contextmanager
    def _shifts_longer_by(self, seconds: int) -> Iterator[None]:
        sheet = self.sheet
        for k, crew in enumerate(sheet.crews):
            longer = crew.copy()
            if crew["end_at"] >= crew["free_at"]:
                longer["end_at"] += seconds
            sheet.plan.put_crew(k, np.array(longer, visits.CREW))
        try:
            yield
        finally:
            for k, crew in enumerate(sheet.crews):
                sheet.plan.put_crew(k, np.array(crew, visits.CREW))

    # -------------------------------------------------------- why not

    def time_rule(self, j: int, k: int) -> RuleCode:
        """What leaves no room for a ticket in the day of a crew that may have it."""
        sheet, crew, timing = self.sheet, self.board.crews[k], self.board.timings[j]
        via = (j, k) in sheet.via.needed
        to = sheet.via.row[j] if via else self.board.place_of_task(j)
        first = [sheet.row_in(f, k) for f in sheet.first[k] if f != j]
        times = sheet.times(k, first)
        at, place = (
            (times[-1][1], int(sheet.rows["place"][first[-1]])) if times else (crew.free_at, k)
        )
        lasts = int(sheet.rows["service"][j])
        start = max(at + int(sheet.via.seconds[place, to]), int(sheet.rows["earliest"][j]))
        if start > int(sheet.rows["latest"][j]):
            return timing.by
        if start + lasts > crew.end_at:
            alone = crew.free_at + int(sheet.via.seconds[k, to]) + lasts
            return "on_site" if first and alone <= crew.end_at else "shift_end"
        rests = set(sheet.rests.values())
        route = sheet.plan.route(k)
        if not rests.isdisjoint(route.tolist()):
            sheet.plan.set_route(
                k, np.array([r for r in route.tolist() if r not in rests], np.int32)
            )
            fits = self._one(j, k, 0, -1, 0, 0) is not None
            sheet.plan.set_route(k, route)
            if fits:
                return "break"
        return "out_of_time"
