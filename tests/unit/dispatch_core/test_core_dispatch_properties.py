"""What holds of every proposal, plan and what-if, whatever the town looks like."""

from __future__ import annotations

from typing import Any

import msgspec
from dispatch_checker import check_plan, check_proposal
from dispatch_random import moments
from dispatch_town import AT, changed, inputs
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from dispatch_core.dispatch import (
    Change,
    Desk,
    Inputs,
    MoreOf,
    Plan,
    Planner,
    digest,
    in_force,
    joined,
    make_plan,
    pieces,
    what_if,
)
from dispatch_core.events import Pause

MANY = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)


@MANY
@given(moments())
def test_no_proposal_breaks_a_hard_rule(moment: Inputs) -> None:
    desk = Desk(moment)
    for task in moment.tasks:
        check_proposal(moment, desk.propose(task.ticket))


@MANY
@given(moments())
def test_no_plan_breaks_a_hard_rule_and_nothing_is_lost(moment: Inputs) -> None:
    check_plan(moment, make_plan(moment, 200))


@MANY
@given(moments(), st.data())
def test_the_next_plan_moves_no_more_than_the_cap(moment: Inputs, data: st.DataObject) -> None:
    plan = make_plan(moment, 100)
    gone = data.draw(st.sets(st.sampled_from([t.ticket for t in moment.tasks] or ["none"])))
    crews = st.sampled_from([t.crew for t in moment.teams] or ["none"])
    down = data.draw(st.sets(crews, max_size=1))
    cap = {"cap_pm": data.draw(st.sampled_from([0, 300])), "cap_min": data.draw(st.integers(0, 1))}
    later = msgspec.structs.replace(
        moment,
        at=AT + data.draw(st.sampled_from([0, 60, 1_800])),
        plan=1,
        held=in_force(plan),
        policy=changed(moment.policy, churn=cap),
        tasks=[t for t in moment.tasks if t.ticket not in gone or t.crew is not None],
        teams=[
            msgspec.structs.replace(t, stopped=t.stopped or t.crew in down) for t in moment.teams
        ],
    )  # fmt: skip
    check_plan(later, make_plan(later, 200))
    desk = Desk(later)
    for task in later.tasks:
        check_proposal(later, desk.propose(task.ticket))


@settings(MANY, max_examples=20)
@given(moments())
def test_same_inputs_same_bytes(moment: Inputs) -> None:
    again = joined(pieces(moment))
    assert digest(again) == digest(moment)
    encode = msgspec.json.encode
    for task in moment.tasks:
        assert encode(Desk(moment).propose(task.ticket)) == encode(Desk(again).propose(task.ticket))
    whole, sliced = Planner(moment, 120), Planner(again, 120)
    whole.improve(120)
    for _ in range(12):
        sliced.improve(10)
    assert encode(whole.plan()) == encode(sliced.plan())
    change = Change(
        crews_down=[t.crew for t in moment.teams[:1]],
        extra_crews=[MoreOf(like=t.crew, n=1) for t in moment.teams[:1]],
    )
    assert encode(what_if(moment, change, 60)) == encode(what_if(again, change, 60))


@settings(MANY, max_examples=20)
@given(moments())
def test_asking_changes_nothing(moment: Inputs) -> None:
    """The order in which a desk is asked, and prices between, do not change its proposals."""
    desk = Desk(moment)
    first = [desk.propose(task.ticket) for task in moment.tasks]
    for task in moment.tasks:
        for team in moment.teams:
            priced = desk.price(task.ticket, team.crew)
            assert (priced.choice is None) == (priced.refused_by is not None)
    assert [desk.propose(task.ticket) for task in reversed(moment.tasks)] == first[::-1]


@settings(MANY, max_examples=20)
@given(moments())
def test_a_proposed_crew_costs_what_it_was_proposed_at(moment: Inputs) -> None:
    desk = Desk(moment)
    for task in moment.tasks:
        for choice in desk.propose(task.ticket).choices:
            priced = desk.price(task.ticket, choice.crew, with_crew=choice.with_crew)
            assert priced.choice == choice


@settings(MANY, max_examples=20)
@given(moments())
def test_a_change_is_planned_as_strictly_as_what_is(moment: Inputs) -> None:
    down = [t.crew for t in moment.teams[:1]]
    closed = ["道里区"]
    outcome = what_if(moment, Change(crews_down=down, districts_closed=closed), 80)
    begun = {h.ticket for t in moment.teams for h in t.in_hand if h.stage == "on_site"}
    for moved in outcome.changes:
        if moved.to_crew is not None and moved.ticket not in begun:
            assert moved.to_crew not in down
    assert outcome.then.served + outcome.then.unplanned == len(moment.tasks)
    assert outcome.now.served + outcome.now.unplanned == len(moment.tasks)


def test_a_plan_of_nothing() -> None:
    plan: Plan = make_plan(inputs([], []), 10)
    assert plan.days == []
    assert plan.unplanned == []


_WILD = st.sampled_from([-(2**40), -1, 0, 1, 2**31, 2**40])


@settings(MANY, max_examples=30)
@given(moments(), st.data())
def test_figures_out_of_all_bounds_are_no_errors(moment: Inputs, data: st.DataObject) -> None:
    def wild(thing: Any, *names: str) -> Any:
        name = data.draw(st.sampled_from(names))
        return msgspec.structs.replace(thing, **{name: AT + data.draw(_WILD)})

    bad = Pause(after="11:00", before="12:00", minutes=data.draw(_WILD))
    broken = msgspec.structs.replace(
        moment,
        tasks=[
            wild(t, "due_at", "received_at", "pinned_at", "appointed_until", "parts_at")
            for t in moment.tasks
        ],
        teams=[
            msgspec.structs.replace(wild(t, "shift_ends_at", "fix_age_s"), breaks=[bad])
            for t in moment.teams
        ],
    )
    plan = make_plan(broken, 30)
    assert plan.figures.served + plan.figures.unplanned == len(moment.tasks)
    desk = Desk(broken)
    for task in broken.tasks:
        assert len(desk.propose(task.ticket).rules) == len(broken.teams)
