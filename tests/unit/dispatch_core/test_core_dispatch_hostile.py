"""What nobody means to enter, and what no list of cases foresaw: a plan, a proposal and a price are
there all the same, and each ticket has its place or its reason."""

from __future__ import annotations

from dispatch_checker import check_plan
from dispatch_town import inputs, spot, task, team

from dispatch_core.dispatch import Desk, Store, make_plan
from dispatch_core.events import Work


def needing(*kinds: str, pieces: int = 1) -> Work:
    return Work(trade="indoor", parts=dict.fromkeys(kinds, pieces))


def test_more_kinds_of_part_than_the_kernel_counts_leave_nobody_without_a_plan() -> None:
    many = [f"阀 {n:03}" for n in range(60)]
    loaded = dict.fromkeys(many, 1)
    jobs = [task(f"T{n:03}", (40 * n, 0), work=needing(kind)) for n, kind in enumerate(many)]
    jobs += [task("X1", work=needing(*many)), task("X2")]
    moment = inputs([team("C1", parts=loaded), team("C2", parts={}), team("C3")], jobs)
    plan = make_plan(moment, 300, 300)
    check_plan(moment, plan)
    placed = {t for d in plan.days for v in d.visits for t in v.tickets}
    assert "X2" in placed
    assert len(placed) > 20
    assert placed | {u.ticket for u in plan.unplanned} == {t.ticket for t in jobs}
    assert Desk(moment).propose("X1").choices


def test_what_no_van_can_have_enough_of_is_told_as_parts() -> None:
    many = [f"阀 {n:03}" for n in range(40)]
    jobs = [task("T1", work=needing(*many)), task("T2", work=needing(many[-1], pieces=9))]
    store = Store(store="W1", place=spot(100, 0), parts=dict.fromkeys(many, 9))
    plan = make_plan(inputs([team(parts={})], jobs, stores=[store]), 100, 100)
    assert {u.ticket: u.reasons for u in plan.unplanned} == {"T1": ["parts"]}
