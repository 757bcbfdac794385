"""What if: the plan that would follow from a change, and what it costs. Changes nothing."""

from __future__ import annotations

from collections import Counter

import msgspec

from dispatch_core.dispatch.answers import Moved, Outcome, Plan
from dispatch_core.dispatch.inputs import Change, Inputs, Task, Team
from dispatch_core.dispatch.planner import make_plan
from dispatch_core.dispatch.telling import in_force
from dispatch_core.errors import Invalid, NotFound
from dispatch_core.ids import CrewId, TicketId

MORE_MAX = 50
"""Extra crews of one kind."""


def what_if(inputs: Inputs, change: Change, iterations: int) -> Outcome:
    """Both plans are made from the same inputs with the same effort: one as things are, one with
    the change.

    Raises:
        NotFound: `no_such_crew`. Invalid: `bad_change`, no number of extra crews, or too many.
    """
    before = make_plan(inputs, iterations, iterations)
    changed, notes = _changed(inputs, change, before)
    after = make_plan(changed, iterations, iterations)
    one, other = _starts(before), _starts(after)
    tasks = {task.ticket: task for task in inputs.tasks}
    moved = [
        _moved(tasks[ticket], one.get(ticket), other.get(ticket))
        for ticket in sorted(set(one) | set(other))
        if one.get(ticket) != other.get(ticket)
    ]
    late = {m.ticket for m in moved if m.late_s > 0} - {
        ticket for ticket, (_, at) in one.items() if at > tasks[ticket].due_at
    }
    return Outcome(
        now=before.figures,
        then=after.figures,
        changes=moved,
        unplanned=after.unplanned,
        late=[m for m in moved if m.ticket in late],
        plan_basis=inputs.plan,
        iterations=iterations,
        notes=notes,
    )


def _changed(inputs: Inputs, change: Change, plan: Plan) -> tuple[Inputs, list[str]]:
    """The inputs with the change, starting from the plan without it; round after round, the cap on
    what one round may move does not hold things back, so that it is lifted."""
    replace = msgspec.structs.replace
    teams = {team.crew: team for team in inputs.teams}
    notes: list[str] = []
    for crew in change.crews_down:
        team = _team(teams, crew)
        if any(h.stage == "on_site" for h in team.in_hand):
            notes.append(f"on_site:{crew}")
        teams[crew] = replace(team, stopped=True, stopped_until=None)
    extra: Counter[CrewId] = Counter()
    for more in change.extra_crews:
        extra[more.like] += more.n
        if more.n < 1 or extra[more.like] > MORE_MAX:
            raise Invalid(
                "bad_change", f"{more.n} more crews cannot be tried.", f"Give 1 to {MORE_MAX}."
            )
    for base, count in extra.items():
        like = _team(teams, base)
        for n in range(1, count + 1):
            crew = CrewId(f"{base}+{n}")
            teams[crew] = replace(
                like, crew=crew, name=f"{like.name} +{n}", version=0, in_hand=[], stopped=False
            )
    at = inputs.at if change.at is None else change.at
    if at < inputs.at:
        raise Invalid("bad_change", "The time lies in the past.", "Give a later one.")
    closed = sorted({*inputs.closed_districts, *change.districts_closed})
    known = {task.district for task in inputs.tasks}
    notes += [f"nothing_in:{district}" for district in closed if district not in known]
    churn = replace(inputs.policy.churn, cap_pm=1_000)
    changed = replace(
        inputs, at=at, held=in_force(plan), policy=replace(inputs.policy, churn=churn),
         closed_districts=closed, teams=[teams[crew] for crew in sorted(teams)],
    )  # fmt: skip
    return changed, notes


def _team(teams: dict[CrewId, Team], crew: CrewId) -> Team:
    if crew not in teams:
        raise NotFound("no_such_crew", "There is no such crew.", "Check its identifier.")
    return teams[crew]


def _starts(plan: Plan) -> dict[TicketId, tuple[CrewId, int]]:
    """Ticket -> its first crew and start."""
    found: dict[TicketId, tuple[CrewId, int]] = {}
    for day in plan.days:
        for visit in day.visits:
            for ticket in visit.tickets:
                found.setdefault(ticket, (day.crew, visit.start_at))
    return found


def _moved(
    task: Task, before: tuple[CrewId, int] | None, after: tuple[CrewId, int] | None
) -> Moved:
    return Moved(
        ticket=task.ticket,
        level=task.level,
        address=task.address,
        from_crew=None if before is None else before[0],
        to_crew=None if after is None else after[0],
        from_at=None if before is None else before[1],
        to_at=None if after is None else after[1],
        late_s=0 if after is None else max(0, after[1] - task.due_at),
    )
