"""What nobody means to enter, and what no list of cases foresaw: a plan, a proposal and a price are
there all the same, and each ticket has its place or its reason."""

from __future__ import annotations

import random

import pytest
from dispatch_checker import check_plan
from dispatch_town import AT, HOUR, inputs, spot, task, team
from msgspec.structs import replace

from dispatch_core.dispatch import Desk, Store, Task, in_force, make_plan
from dispatch_core.events import Choice, Work


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


@pytest.mark.parametrize("seed", range(12))
def test_the_three_best_are_the_best_of_all_prices(seed: int) -> None:
    chance = random.Random(seed)

    def somewhere() -> tuple[int, int]:
        return chance.randrange(-6_000, 6_000), chance.randrange(-6_000, 6_000)

    def another(n: int) -> Task:
        work = Work(trade="indoor", skill=chance.randint(1, 4), minutes=chance.choice([20, 40, 90]))
        due = AT + chance.randint(-HOUR, 8 * HOUR)
        return task(
            f"T{n:02}", somewhere(), level=chance.choice(["blue", "yellow"]), work=work, due_at=due
        )

    crews = [team(f"C{k:02}", somewhere(), skill=chance.randint(1, 5)) for k in range(8)]
    moment = inputs(crews, [another(n) for n in range(20)])
    moment = replace(moment, held=in_force(make_plan(moment, 200, 200)), plan=1)
    desk = Desk(moment)

    def order(choice: Choice, due: int) -> tuple[int, int, str]:
        return -(-max(0, choice.start_at - due) // 60), choice.total, choice.crew

    for ticket in moment.tasks[:6]:
        proposal = desk.propose(ticket.ticket)
        prices = [desk.price(ticket.ticket, crew.crew) for crew in crews]
        there = [p.choice for p in prices if p.choice is not None]
        best = sorted(there, key=lambda c: order(c, ticket.due_at))[:3]
        assert [(c.crew, c.start_at, c.score) for c in proposal.choices] == [
            (c.crew, c.start_at, c.score) for c in best
        ]
        assert all(sum(c.score.values()) == c.total for c in there)
        refused = {c.crew for c, p in zip(crews, prices, strict=True) if p.choice is None}
        assert refused == {r.crew for r in proposal.rules if r.rule is not None}
