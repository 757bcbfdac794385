"""Plans the routes of crews: one problem, one seeded search, run in slices of steps.

For whoever uses it
-------------------
A `Planner` is built from arrays and is then one search over one problem; a changed problem is a new
`Planner`, warm-started by `routes=`. Nothing here reads a clock: call `improve(n)` until the time
is up, and keep `iterations` and `budget` with the inputs: the same inputs, seed, budget and
iterations give the same plan, bit for bit, however the steps were sliced. The GIL is released
inside `improve`; a Planner is for one thread at a time.

Times are integer ticks from 0 to 2**28 - 1 (seconds in the product), travel int32[L, L] from row to
column, which must hold the triangle inequality only roughly. Costs are int64. K crews, J tasks, P
kinds of parts. Arrays may be given as one number for all. What is None takes the default that
stands here:

crews   crew_place [K] where it is; crew_start [K] when it can leave; crew_end [K] when it must be
        home; crew_home [K] (None: where it is; -1: ends anywhere); crew_departed [K] bool (True:
        its clock runs from crew_start, waiting and going home count even without a visit; False: it
        leaves as late as costs least and an unused crew costs nothing); crew_tools [K] uint64 bits;
        crew_parts [K, P] at most 32767 each; crew_stocked [K] bool (needs no store any more);
        crew_store [K] place of its store, -1: none. One visit to the store refills all parts
        without limit and gives all tools; store_service, store_open, store_close [K]. break_early,
        break_late [K] (-1: no break) bound the start of a break of break_length [K], taken where
        the crew then is; it is needed unless the day ends by break_late. A break that the frozen
        visits make too late begins right behind them.
tasks   task_place, task_service [J]; task_open, task_close [J] bound the start of service (hard);
        task_fixed [J] a start that is locked, -1: none; task_due [J] and task_late_cost [J] per
        tick (soft); task_weight [J] the cost of leaving it out; task_crews uint64[J, ceil(K / 64)],
        bit k of a row: crew k may have it; task_pinned [J] the only crew that may, -1: any;
        task_tools [J] uint64; task_parts [J, P]; task_extra int32[J, K] further cost of a task with
        a crew (>= 0); task_before [J] the crew that has it now, -1: none: another one costs
        churn_cost, and at most `most_changes` (-1: any number) tasks get another.
frozen  per crew the visits at the head of its route, in order, never moved: task numbers, STORE for
        a visit to the store. What crew, tools and parts allow is not asked of them; windows and
        shift are.
routes  per crew task numbers in order, without frozen ones: the plan to start from. What breaks a
        rule in it is taken out (`taken_out`) and put elsewhere if that can be.
calls   a sample of calls that may come, for which the plan keeps a reserve: call_place [C],
        call_known [C] the moment from which it is known and may be driven to, call_open,
        call_close, call_service, call_tools [C], call_parts [C, P], call_crews like task_crews,
        call_loss [C] ticks that count if nobody can come. Each is put alone where it adds least
        time to a crew's day, behind what has been driven to when it is known; crews are taken to
        wait where they are for as long as that is in time, and to leave home `call_leave` (of 1024)
        of the way from the earliest to the latest time of `leaves`; `sets_out` finds better times
        for the best plan. call_keen (of 1024) of that
        time counts. The reserve, a part of the cost, is the sum over the sample times call_share,
        the cost of a tick in 1 / 65536. A store's hours, breaks before the call and lateness of
        others are left out of account. No call is ever planned.
costs   travel_cost and duration_cost per tick. `hot` and `cold`: the temperatures of the annealing,
        in cost; None: from the travel between neighbouring tasks. `temper` (of 1024) scales both.

A plan never breaks: windows, shifts, breaks, eligibility, pins, tools and parts, frozen visits, the
cap on changes.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from typing_extensions import disjoint_base

from ext.ground import Ground

STORE: int
"""A visit to the store in `frozen` and in the routes of a plan."""
BREAK: int
"""A break in the routes of a plan."""

NO_CREW: int
"""Reason: nobody may have the task (eligibility and pin leave no crew)."""
FROZEN_LATE: int
"""Reason: it is frozen in a route where it or one before it comes too late."""
OUT_OF_TIME: int
"""Reason: no crew that may have it reaches it in time, even with nothing but its frozen visits to
do.
"""
NO_PARTS: int
"""Reason: those that could reach it lack tools or parts and have no store they can visit in time.
"""
NO_ROOM: int
"""Reason: what is planned leaves no place for it."""
TOO_DEAR: int
"""Reason: it would cost more than its weight."""
AT_THE_CAP: int
"""Reason: a crew could take it, but no more tasks may change their crew."""

@disjoint_base
class Planner(Ground):
    """A search for the plan of least cost. ValueError names the argument that is wrong."""

    def __init__(
        self,
        travel: ArrayLike,
        *,
        crew_place: ArrayLike,
        crew_start: ArrayLike,
        crew_end: ArrayLike,
        task_place: ArrayLike,
        task_service: ArrayLike,
        task_open: ArrayLike,
        task_close: ArrayLike,
        task_weight: ArrayLike,
        task_crews: ArrayLike,
        budget: int,
        seed: int = 1,
        travel_cost: int = 1,
        duration_cost: int = 0,
        churn_cost: int = 0,
        most_changes: int = -1,
        hot: int | None = None,
        cold: int | None = None,
        temper: int = 1024,
        frozen: Sequence[Sequence[int] | NDArray[np.int32]] | None = None,
        routes: Sequence[Sequence[int] | NDArray[np.int32]] | None = None,
        settings: dict[str, int] | None = None,
        **optional: ArrayLike | None,
    ) -> None:
        """Checks the problem and makes the first plan; `optional` are the other arrays of the
        module's text.
        """

    def improve(self, steps: int) -> int:
        """That many steps of ruin and recreate; returns the cost of the best plan so far."""

    @property
    def iterations(self) -> int:
        """Steps done."""

    @property
    def budget(self) -> int:
        """Steps over which the annealing cools."""

    def cost(self) -> dict[str, int]:
        """Of the best plan: total, travel and duration (ticks), lateness, extra, churn, unplanned
        and reserve (costs), and changes, the number of tasks with another crew than before."""

    def routes(self) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """The best plan as (first [K + 1], visit [V], start [V]): crew k's visits are
        visit[first[k]:first[k + 1]], task numbers, STORE or BREAK, and `start` when their service
        starts if the crew leaves at the earliest of
        the times of `leaves`. A break that is due only after the last task is not shown."""

    def leaves(self) -> NDArray[np.int32]:
        """int32[K, 3]: the earliest and the latest time of leaving that cost the least duration,
        and the time of
        being home (or done) after leaving at the earliest; -1 for a crew without a visit that has
        not departed."""

    def sets_out(self, choices: Sequence[int]) -> NDArray[np.int32]:
        """int32[K]: when crews leave for the first visit of the best plan; -1: no visit, frozen
        ones, or no calls are foreseen.

        `choices` are of 1024: where between the earliest and the latest time that cost no duration.
        The one is taken that keeps most in reserve, crew by crew; the first of equals.
        """

    def task_lists(self) -> list[list[int]]:
        """Per crew its tasks behind the frozen visits, in order: `routes` of the next Planner."""

    def unplanned(self) -> tuple[NDArray[np.int32], NDArray[np.int8]]:
        """The tasks that the best plan leaves out, ascending, and the reason for each."""

    def taken_out(self) -> NDArray[np.int32]:
        """Tasks of the given `routes` that broke a rule where they stood, ascending."""
