"""The rolling plan: what it groups, keeps, moves and leaves out, and what if."""

from __future__ import annotations

import random

import msgspec
import pytest
from dispatch_checker import check_plan
from dispatch_town import AT, HOUR, POLICY, changed, given, inputs, spot, task, team

from dispatch_core.dispatch import (
    Change,
    CrewDay,
    Held,
    Inputs,
    MoreOf,
    Plan,
    Slot,
    Store,
    Task,
    in_force,
    make_plan,
    what_if,
)
from dispatch_core.errors import Invalid, NotFound
from dispatch_core.events import Pause, Span, Work
from dispatch_core.ids import CrewId, TicketId

TWO = Work(trade="indoor", crews=2, minutes=60)


def day(plan: Plan, crew: str) -> CrewDay:
    return next(d for d in plan.days if d.crew == crew)


def tickets(plan: Plan, crew: str) -> list[list[str]]:
    return [v.tickets for v in day(plan, crew).visits]


def planned(moment: Inputs, iterations: int = 300) -> Plan:
    """A plan that keeps every rule."""
    plan = make_plan(moment, iterations)
    check_plan(moment, plan)
    return plan


def test_each_crew_does_what_is_near() -> None:
    west, east = team("C1", (-5_000, 0)), team("C2", (5_000, 0))
    plan = planned(
        inputs(
            [west, east], [task("T1", (4_800, 0)), task("T2", (-4_800, 0)), task("T3", (-5_100, 0))]
        )
    )
    assert tickets(plan, "C2") == [["T1"]]
    assert sorted(tickets(plan, "C1")) == [["T2"], ["T3"]]
    assert plan.figures.served == 3
    assert plan.figures.unplanned == 0
    assert plan.figures.travel_s > 0


def test_tickets_of_a_building_and_of_a_pipe_are_one_visit() -> None:
    moment = inputs(
        [team()],
        [
            task("T1", (500, 0), building="B1"),
            task("T2", (500, 0), building="B1", level="yellow"),
            task("T3", (600, 0), building="B2", pipe="P1"),
            task("T4", (500, 0), building="B1", pipe="P1", work=Work(trade="plant")),
            task("T5", (640, 0), building="B3", pipe="P1"),
            task("T6", (2_000, 0), building="B4", pipe="P1"),
        ],
    )
    plan = planned(moment)
    assert sorted(tickets(plan, "C1")) == [["T2", "T1"], ["T3", "T5"], ["T6"]]
    visit = next(v for v in day(plan, "C1").visits if v.tickets == ["T2", "T1"])
    assert (visit.level, visit.address) == ("yellow", "T2 号楼")
    assert visit.end_at - visit.start_at == 1_800 + 1_800 * POLICY.grouping.further_pm // 1_000
    assert [u.reasons for u in plan.unplanned] == [["trade"]]
    alone = changed(POLICY, grouping={"same_building": False, "pipe_within_m": 0})
    plan = planned(msgspec.structs.replace(moment, policy=alone))
    assert all(len(v) == 1 for v in tickets(plan, "C1"))


def test_what_people_gave_to_a_crew_stays_and_what_is_begun_comes_first() -> None:
    crew, one = given(team(), task("T1", (3_000, 0)), "en_route")
    crew, two = given(crew, task("T2", (100, 0)), "confirmed")
    crew, three = given(crew, task("T3", (200, 0)))
    plan = planned(inputs([crew, team("C2", (3_000, 0))], [one, two, three]))
    assert tickets(plan, "C1")[:2] == [["T1"], ["T2"]]
    assert [v.state for v in day(plan, "C1").visits] == ["en_route", "confirmed", "dispatched"]
    assert [v.frozen for v in day(plan, "C1").visits] == [True, True, False]


def test_a_stopped_crews_tickets_go_to_others() -> None:
    crew, one = given(team(stopped=True), task("T1"), "on_site", -600)
    crew, two = given(crew, task("T2"))
    plan = planned(inputs([crew, team("C2", (3_000, 0))], [one, two]))
    assert tickets(plan, "C1") == [["T1"]]
    assert tickets(plan, "C2") == [["T2"]]


def test_work_on_site_goes_on_for_what_is_left_of_it() -> None:
    crew, one = given(team(), task("T1"), "on_site", -600)
    over, two = given(team("C2"), task("T2"), "on_site", -7_200)
    plan = planned(inputs([crew, over], [one, two]))
    assert [v.end_at - AT for d in plan.days for v in d.visits] == [1_200, POLICY.overrun_s]


def test_what_is_about_to_begin_stays_and_the_rest_may_move() -> None:
    crews = [team("C1"), team("C2", (9_000, 0))]
    soon, later = task("T1", (200, 0)), task("T2", (8_000, 0))
    before = msgspec.structs.replace(
        make_plan(inputs([crews[0]], [soon, later]), 100), policy="before"
    )
    assert tickets(before, "C1") == [["T1"], ["T2"]]
    moment = inputs(crews, [soon, later], held=in_force(before))
    plan = planned(moment)
    assert tickets(plan, "C1")[0] == ["T1"]
    assert day(plan, "C1").visits[0].frozen
    assert tickets(plan, "C2") == [["T2"]]
    assert plan.changed == ["T2"]
    assert plan.figures.changed == 1
    stiff = changed(POLICY, churn={"cap_pm": 0, "cap_min": 0})
    plan = planned(msgspec.structs.replace(moment, policy=stiff))
    assert tickets(plan, "C1") == [["T1"], ["T2"]]
    assert (plan.changed, plan.figures.cap) == ([], 0)


def test_a_red_ticket_unfreezes_what_nobody_was_told_of() -> None:
    blue, red = task("T1", (3_000, 0)), task("T2", (-300, 0), level="red")
    before = make_plan(inputs([team()], [blue]), 50)
    plan = planned(inputs([team()], [blue, red], held=in_force(before)))
    assert tickets(plan, "C1") == [["T2"], ["T1"]]


def test_two_crews_at_one_start() -> None:
    crews = [team("C1"), team("C2", (4_000, 0)), team("C3", trades=["plant"])]
    plan = planned(inputs(crews, [task("T1", work=TWO), task("T2", (600, 0), work=TWO)]))
    visits = [day(plan, c).visits for c in ("C1", "C2")]
    assert [v.start_at for v in visits[0]] == [v.start_at for v in visits[1]]
    assert {v.with_crew for v in visits[0]} == {"C2"}
    again = planned(inputs(crews, [task("T1", work=TWO)], held=in_force(plan)))
    assert tickets(again, "C1") == tickets(again, "C2") == [["T1"]]
    one = planned(inputs(crews[:1], [task("T1", work=TWO)]))
    assert [u.reasons for u in one.unplanned] == [["second_crew"]]


def test_crews_that_wait_for_each_other_in_a_circle_are_told_of() -> None:
    a, b = team("C1"), team("C2", (4_000, 0))
    jobs = [task("T1", work=TWO, due_at=AT + HOUR), task("T2", (900, 0), work=TWO)]
    a, first = given(a, jobs[0], "confirmed", -500)
    a, second = given(a, jobs[1], "confirmed", -400)
    b, _ = given(b, jobs[1], "confirmed", -500)
    b, _ = given(b, jobs[0], "confirmed", -400)
    first, second = (msgspec.structs.replace(t, with_crew="C2") for t in (first, second))
    plan = planned(inputs([a, b], [first, second]))
    assert tickets(plan, "C1") == tickets(plan, "C2") == [["T1"]]
    assert [(u.ticket, u.reasons) for u in plan.unplanned] == [("T2", ["second_crew"])]


def test_overlapping_locks_leave_one_out_with_a_reason() -> None:
    locked = {"pinned": "C1", "pinned_at": AT + HOUR}
    plan = planned(
        inputs([team(), team("C2")], [task("T1", **locked), task("T2", (600, 0), **locked)])
    )
    assert len(tickets(plan, "C1")) == 1
    assert tickets(plan, "C2") == []
    assert day(plan, "C1").visits[0].start_at == AT + HOUR
    (out,) = plan.unplanned
    assert out.reasons == ["out_of_time", "pinned_elsewhere"]


def test_bad_crews_and_tickets_are_no_errors() -> None:
    teams = [
        team("C1", shift_ends_at=None),
        team("C2", on_duty=False, shift="??"),
        team("C3", trades=[]),
    ]
    hard = Work(trade="indoor", skill=9)
    moment = inputs(teams, [task("T1"), task("T2", work=hard), task("T3", district="nowhere")])
    plan = planned(moment)
    assert [u.reasons for u in plan.unplanned] == [
        ["no_shift", "trade"], ["skill", "trade"], ["no_shift", "trade"]
    ]  # fmt: skip


def test_a_break_is_taken_in_its_time() -> None:
    crew = team(breaks=[Pause(after="11:30", before="12:30", minutes=45)])
    work = Work(trade="indoor", minutes=60)
    plan = planned(inputs([crew], [task(f"T{n}", (300 * n, 0), work=work) for n in range(5)]))
    (rest,) = day(plan, "C1").breaks
    assert AT + 5_400 <= rest.from_at <= AT + 9_000
    assert rest.until_at - rest.from_at == 45 * 60


def test_a_shift_that_begins_soon_is_planned_for() -> None:
    crew = team(on_duty=False, shift="14:00-22:00", place=None)
    plan = planned(inputs([crew], [task()]))
    assert day(plan, "C1").visits[0].start_at >= AT + 4 * HOUR
    far = changed(POLICY, rounds={"ahead_s": HOUR})
    assert planned(inputs([crew], [task()], policy=far)).unplanned[0].reasons == ["off_duty"]


def test_parts_run_out_and_are_fetched() -> None:
    valve = Work(trade="indoor", parts={"valve": 1})
    jobs = [task(f"T{n}", (500 * n, 0), work=valve) for n in range(3)]
    crew = team(parts={"valve": 2})
    out = planned(inputs([crew], jobs)).unplanned
    assert [u.reasons for u in out] == [["parts"]]
    store = Store(store="S1", place=spot(700, 700), parts={"valve": 9})
    plan = planned(inputs([crew], jobs, stores=[store]))
    assert plan.unplanned == []
    assert day(plan, "C1").visits[-1].start_at - AT > 2 * 1_800 + POLICY.pick_up_s


def test_a_store_gives_no_piece_twice_and_the_most_urgent_have_it() -> None:
    valve = Work(trade="indoor", parts={"valve": 1})
    jobs = [task(f"T{n}", (500 * n, 0), work=valve, due_at=AT + 9 * HOUR - n) for n in range(5)]
    store = Store(store="S1", place=spot(700, 700), parts={"valve": 2, "pipe": 50})
    crews = [team("C1", parts={}), team("C2", (3_000, 0), parts={"valve": 1})]
    plan = planned(inputs(crews, jobs, stores=[store]))
    left = {u.ticket: u.reasons for u in plan.unplanned}
    assert left == {"T0": ["parts"], "T1": ["parts"]}
    assert ["T2"] in tickets(plan, "C2")  # from the van; T3 and T4 go before it at the store
    none = msgspec.structs.replace(store, parts={"pipe": 50})
    crews = [team("C1", parts={"valve": 1}), team("C2", (3_000, 0), parts={"valve": 1})]
    plan = planned(inputs(crews, jobs, stores=[none]))
    assert sorted(u.ticket for u in plan.unplanned) == ["T0", "T1", "T2"]
    assert sorted(len(tickets(plan, crew)) for crew in ("C1", "C2")) == [1, 1]


def test_who_is_to_come_after_the_plan_ends_is_told_so() -> None:
    ends = AT + POLICY.rounds.ahead_s
    tomorrow = {"appointed_from": ends + HOUR, "appointed_until": ends + 3 * HOUR}
    today = {"appointed_from": ends - HOUR, "appointed_until": ends + HOUR}
    plan = planned(inputs([team()], [task("T1", **tomorrow), task("T2", **today)]))
    assert plan.ends_at == ends
    assert {u.ticket: u.reasons for u in plan.unplanned} == {
        "T1": ["after_plan"], "T2": ["shift_end"],
    }  # fmt: skip
    other = inputs([team(trades=["plant"])], [task("T1", **tomorrow)])
    assert planned(other).unplanned[0].reasons == ["trade"]


def test_a_gain_that_is_not_worth_it_leaves_the_order_as_it_is() -> None:
    jobs = [task("T1", (300, 0)), task("T2", (100, 0)), task("T3", (9_000, 0))]
    first = make_plan(inputs([team()], jobs), 300)
    assert tickets(first, "C1")[0] == ["T2"]
    held = [Held(crew=CrewId("C1"), visits=[Slot(tickets=[TicketId(t)], start_at=AT + 2 * HOUR)
                 for t in ("T1", "T2", "T3")])]  # fmt: skip
    kept = planned(inputs([team()], jobs, held=held, plan=1))
    assert tickets(kept, "C1") == [["T1"], ["T2"], ["T3"]]
    assert kept.figures.iterations == 300
    at_once = changed(POLICY, churn={"worth_s": 1})
    moved = planned(inputs([team()], jobs, held=held, plan=1, policy=at_once))
    assert tickets(moved, "C1")[0] == ["T2"]


def test_a_break_is_told_once_and_is_over_when_it_is_over() -> None:
    crew = team(breaks=[Pause(after="11:00", before="13:00", minutes=40)])
    job = task("T1", (200, 0), work=Work(trade="indoor", minutes=60))
    told, held = set(), []
    for minute in range(60, 190, 10):
        at = AT + minute * 60
        plan = planned(msgspec.structs.replace(inputs([crew], [job], held=held), at=at))
        held = in_force(plan)
        told |= {(b.from_at - AT, b.until_at - AT) for b in day(plan, "C1").breaks}
        begins = day(plan, "C1").visits[0].start_at
        assert max(AT + 100 * 60, at) <= begins <= max(AT + 100 * 60, at) + 600
    assert told == {(3_600, 3_600 + 2_400)}


def test_a_break_that_was_worked_through_is_still_owed() -> None:
    crew = team(breaks=[Pause(after="09:00", before="13:00", minutes=40)])
    held = [
        Held(crew=CrewId("C1"), visits=[], breaks=[Span(from_at=AT - 600, until_at=AT + 1_800)])
    ]
    rests = planned(inputs([crew], [task()], held=held))
    assert day(rests, "C1").visits[0].start_at >= AT + 1_800
    works, job = given(crew, task("T1"), "on_site")
    plan = planned(inputs([works], [job, task("T2")], held=held))
    assert [b.from_at > AT for b in day(plan, "C1").breaks] == [True]


def test_a_burst_is_shared_out_at_once() -> None:
    crews = [team(f"C{k}", (1_000 * k, 0)) for k in range(6)]
    jobs = [task(f"T{k}", (1_000 * k + 50, 0)) for k in range(6)]
    plan = planned(inputs(crews, jobs), 0)
    assert [tickets(plan, f"C{k}") for k in range(6)] == [[[f"T{k}"]] for k in range(6)]


def test_what_if_a_crew_breaks_down_a_district_closes_more_crews_come() -> None:
    crews = [team("C1"), team("C2", (3_000, 0))]
    jobs = [task("T1", (100, 0), district="A"), task("T2", (3_100, 0), district="B")]
    moment = inputs(crews, jobs)
    before = msgspec.json.encode(moment)
    outcome = what_if(moment, Change(crews_down=["C2"]), 100)
    assert (outcome.now.served, outcome.then.served) == (2, 2)
    assert [(m.ticket, m.from_crew, m.to_crew) for m in outcome.changes] == [("T2", "C2", "C1")]
    assert outcome.then.travel_s > outcome.now.travel_s
    outcome = what_if(moment, Change(districts_closed=["B", "Z"]), 100)
    assert [(u.ticket, u.reasons) for u in outcome.unplanned] == [("T2", ["district_closed"])]
    assert outcome.notes == ["nothing_in:Z"]
    busy = [task(f"T{n}", (100 * n, 0), work=Work(trade="indoor", minutes=240)) for n in range(6)]
    outcome = what_if(inputs(crews, busy), Change(extra_crews=[MoreOf(like="C1", n=2)]), 100)
    assert outcome.then.served > outcome.now.served
    assert {m.to_crew for m in outcome.changes} & {"C1+1", "C1+2"}
    late = [task("T1", (100, 0), due_at=AT + 1_000), task("T2", (3_100, 0), due_at=AT + 1_000)]
    outcome = what_if(inputs(crews, late), Change(crews_down=["C2"]), 100)
    assert [m.ticket for m in outcome.late] == ["T2"] or [m.ticket for m in outcome.late] == ["T1"]
    assert msgspec.json.encode(moment) == before


def test_what_if_refuses_what_there_is_not() -> None:
    moment = inputs([team()], [task()])
    with pytest.raises(NotFound, match="no_such_crew"):
        what_if(moment, Change(crews_down=["C9"]), 10)
    for n in (0, 51):
        with pytest.raises(Invalid, match="bad_change"):
            what_if(moment, Change(extra_crews=[MoreOf(like="C1", n=n)]), 10)
    with pytest.raises(Invalid, match="bad_change"):
        what_if(moment, Change(at=AT - 1), 10)


def test_a_day_of_rounds_keeps_every_rule_and_the_cap() -> None:
    chance = random.Random(4)

    def somewhere() -> tuple[int, int]:
        return chance.randrange(-6_000, 6_000), chance.randrange(-6_000, 6_000)

    def another(n: int) -> Task:
        level = chance.choice(["blue", "blue", "blue", "yellow", "red"])
        work = Work(trade="indoor", skill=chance.randint(1, 3), crews=chance.choice([1] * 9 + [2]))
        return task(f"T{n:03}", somewhere(), level=level, work=work, building=f"B{n // 2}")

    crews = [team(f"C{k:02}", somewhere(), skill=chance.randint(2, 5)) for k in range(12)]
    jobs = [another(n) for n in range(60)]
    capped = changed(POLICY, churn={"cap_pm": 60, "cap_min": 1})
    moment, moved = inputs(crews, jobs, policy=capped), 0
    for n in range(6):
        plan = planned(moment, 400)
        moved += plan.figures.changed
        assert plan.figures.changed <= plan.figures.cap
        jobs = [*jobs[3:], *(another(60 + 3 * n + i) for i in range(3))]
        moment = msgspec.structs.replace(
            moment, at=AT + 60 * (n + 1), tasks=jobs, held=in_force(plan), plan=n + 1
        )
    assert moved > 0
