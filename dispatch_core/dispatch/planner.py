"""The plan of all crews' days: laid out for the kernel, searched in slices, told in words."""

from __future__ import annotations

from dispatch_core.dispatch.answers import Plan
from dispatch_core.dispatch.board import Board
from dispatch_core.dispatch.inputs import Inputs
from dispatch_core.dispatch.problem import Problem
from dispatch_core.dispatch.telling import plan_of


class Planner:
    """One search for a plan. The same inputs, budget and iterations give the same plan, however the
    iterations were sliced."""

    def __init__(self, inputs: Inputs, budget: int | None = None) -> None:
        """`budget`: iterations over which the search settles; None: those of the policy."""
        self._problem = Problem(Board(inputs))
        self.budget = inputs.policy.rounds.iterations if budget is None else budget
        self._kernel = self._problem.kernel(max(1, self.budget))
        self._cost_before = 0 if self._kernel is None else self._kernel.cost()["total"]

    def improve(self, iterations: int) -> None:
        """Search on; the interpreter's lock is released meanwhile."""
        if self._kernel is not None:
            self._kernel.improve(iterations)

    @property
    def iterations(self) -> int:
        """Done so far."""
        return 0 if self._kernel is None else self._kernel.iterations

    def plan(self) -> Plan:
        """The best plan so far; every ticket is in it, or among the unplanned with a reason. Where
        it gains too little to be worth the disturbance, it is the one in force, with what is new
        put in."""
        told = self._kernel if self._is_worth_it() else self._problem.kernel(max(1, self.budget))
        return plan_of(self._problem, told, self.iterations)

    def _is_worth_it(self) -> bool:
        """Whether the plan is so much better than the one in force that people should follow."""
        inputs = self._problem.board.inputs
        if self._kernel is None or not inputs.held:
            return True
        gain = self._cost_before - self._kernel.cost()["total"]
        return not 0 < gain < inputs.policy.churn.worth_s * 1_000


def make_plan(inputs: Inputs, iterations: int, budget: int | None = None) -> Plan:
    """A plan after so many iterations."""
    search = Planner(inputs, budget)
    search.improve(iterations)
    return search.plan()
