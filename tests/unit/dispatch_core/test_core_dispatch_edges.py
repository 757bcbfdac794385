"""Edges of the plan and of proposals where a rule, a lock or a clock is easily lost."""

from __future__ import annotations

from typing import Any

import pytest
from dispatch_town import AT, HOUR, changed, given, inputs, task, team
from msgspec.structs import replace

from dispatch_core.dispatch import (
    Change,
    Desk,
    InHand,
    MoreOf,
    Plan,
    Task,
    Team,
    in_force,
    make_plan,
    price,
    propose,
    what_if,
)
from dispatch_core.events import Pause, Work
from dispatch_core.ids import CrewId, TicketId

NIGHT = AT + 12 * HOUR  # 22:00


def starts(plan: Plan) -> dict[str, int]:
    return {t: v.start_at for d in plan.days for v in d.visits for t in v.tickets}


def test_a_red_ticket_is_not_drawn_into_the_morning_by_one_of_its_building() -> None:
    crew = team("C1", shift="20:00-08:00", shift_ends_at=AT + 22 * HOUR, members=3)
    w = Work(trade="indoor", minutes=40)
    red = task("T1", level="red", work=w, building="B1", due_at=NIGHT + 1800, received_at=NIGHT)
    blue = task(
        "T2",
        level="blue",
        work=replace(w, home_visit=True),
        building="B1",
        due_at=NIGHT + 20 * HOUR,
        received_at=NIGHT,
    )
    p = make_plan(replace(inputs([crew], [red, blue]), at=NIGHT), 500, 500)
    assert starts(p)["T1"] < NIGHT + HOUR


def test_a_ticket_does_not_wait_for_the_agreed_hour_of_another() -> None:
    crew = team("C1")
    w = Work(trade="indoor", minutes=40)
    y = task("T1", level="yellow", work=w, building="B1", due_at=AT + 2 * HOUR)
    b = task(
        "T2",
        level="blue",
        work=w,
        building="B1",
        due_at=AT + 20 * HOUR,
        appointed_from=AT + 5 * HOUR,
        appointed_until=AT + 6 * HOUR,
    )
    p = make_plan(inputs([crew], [y, b]), 500, 500)
    assert starts(p)["T1"] <= AT + 2 * HOUR


def test_a_home_is_not_entered_at_night_unless_that_was_agreed() -> None:
    crew = team("C1", shift="20:00-08:00", shift_ends_at=AT + 22 * HOUR)
    w = Work(trade="indoor", minutes=40, home_visit=True)
    b = task(
        "T2",
        level="blue",
        work=w,
        due_at=NIGHT + 20 * HOUR,
        appointed_from=NIGHT,
        appointed_until=NIGHT + HOUR,
        night_agreed=False,
    )
    p = Desk(replace(inputs([crew], [b]), at=NIGHT)).propose(TicketId("T2"))
    assert not p.choices


def test_a_window_that_reaches_into_the_night_ends_with_the_day() -> None:
    # 19:30: a window 18:00-23:00, not agreed for the night, an hour of work, two hours of way
    at = AT + 9 * HOUR + 1800
    crew = team("C1", (30_000, 0), shift="12:00-24:00", shift_ends_at=AT + 14 * HOUR)
    w = Work(trade="indoor", minutes=60, home_visit=True)
    b = task(
        "T2",
        level="blue",
        work=w,
        due_at=at + 20 * HOUR,
        appointed_from=AT + 8 * HOUR,
        appointed_until=AT + 13 * HOUR,
        night_agreed=False,
    )
    p = Desk(replace(inputs([crew], [b]), at=at)).propose(TicketId("T2"))
    assert not p.choices or p.choices[0].end_at <= AT + 11 * HOUR


def test_a_locked_start_that_has_passed_locks_the_crew_alone() -> None:
    crew = team("C1", (2_000, 0))
    t = task("T1", work=Work(trade="indoor", minutes=30), pinned="C1", pinned_at=AT - 60)
    i = inputs([crew], [t])
    d = Desk(i).propose(TicketId("T1"))
    assert d.choices
    assert "T1" in starts(make_plan(i, 100, 100))


def test_the_same_crew_may_be_added_twice() -> None:
    crew = team("C1")
    jobs = [
        task(f"T{n}", (n * 500, 0), work=Work(trade="indoor", minutes=120), due_at=AT + 7 * HOUR)
        for n in range(12)
    ]
    i = inputs([crew], jobs)
    a = what_if(i, Change(extra_crews=[MoreOf(like=CrewId("C1"), n=2)]), 500)
    b = what_if(
        i, Change(extra_crews=[MoreOf(like=CrewId("C1"), n=1), MoreOf(like=CrewId("C1"), n=1)]), 500
    )
    assert a.then.served == b.then.served


def test_a_lock_is_kept_beside_a_job_of_two_crews() -> None:
    a, b = team("C1"), team("C2")
    w = Work(trade="indoor", minutes=60)
    lock = task("T1", (100, 0), work=w, pinned="C1", pinned_at=AT + 2 * HOUR)
    two = task("T2", (200, 0), work=replace(w, crews=2, minutes=150), due_at=AT + 20 * HOUR)
    p = make_plan(inputs([a, b], [lock, two]), 500, 500)
    assert not p.unplanned


def test_a_ticket_in_hand_without_a_place_does_not_hold_up_its_crew() -> None:
    t = task("T1", None, state="dispatched", crew="C1")
    t2 = task("T2", (100, 0))
    c = team("C1", in_hand=[InHand(ticket=TicketId("T1"), stage="confirmed", since_at=AT - 60)])
    t = replace(t, state="confirmed")
    p = make_plan(inputs([c], [t, t2]), 500, 500)
    assert p.figures.travel_s < 7200
    assert "T2" in starts(p)


def test_what_waits_for_the_morning_waits_for_the_crew_of_its_district() -> None:
    crew = team(
        "C1", on_duty=False, shift_ends_at=None, shift="08:00-20:00", territory=["B"], place=None
    )
    home = Work(trade="indoor", home_visit=True)
    t = task("T1", work=home, district="A", due_at=NIGHT + 20 * HOUR)
    p = make_plan(replace(inputs([crew], [t]), at=NIGHT), 300, 300)
    assert [u.reasons for u in p.unplanned] == [["territory"]]


def test_home_hours_of_a_companion_do_not_bind_a_red_ticket() -> None:
    at = AT + 9 * HOUR + 35 * 60  # 19:35
    w = Work(trade="indoor", minutes=40)
    red = task("T1", level="red", work=w, building="B1", received_at=at, due_at=at + 1740)
    blue = task("T2", work=replace(w, home_visit=True), building="B1", due_at=at + 20 * HOUR)
    crew = team("C1", (3_000, 0), shift="12:00-23:59", shift_ends_at=at + 4 * HOUR)
    both = make_plan(replace(inputs([crew], [red, blue]), at=at), 300, 300)
    assert "T1" in starts(both)


def test_parts_of_a_companion_do_not_bind_a_red_ticket() -> None:
    w = Work(trade="indoor", minutes=40)
    a = team("C1", parts={"阀": 1})
    red = task("T1", level="red", work=replace(w, parts={"阀": 1}), building="B1", due_at=AT + 1740)
    blue = task("T2", work=replace(w, parts={"阀": 1}), building="B1")
    both = make_plan(inputs([a], [red, blue]), 300, 300)
    assert "T1" in starts(both)


def test_a_companion_does_not_push_a_red_ticket_over_the_end_of_a_shift() -> None:
    """both together outlast the shift, the red one alone fits"""
    w = Work(trade="indoor", minutes=60)
    a = team("C1", shift_ends_at=AT + 90 * 60)
    red = task("T1", level="red", work=w, building="B1", due_at=AT + 1740)
    blue = task("T2", work=w, building="B1")
    both = make_plan(inputs([a], [red, blue]), 300, 300)
    assert "T1" in starts(both)


def test_a_companion_does_not_take_the_nearer_crew_from_a_red_ticket() -> None:
    """red: both crews may; blue: only the far one may -> together only the far one"""
    w = Work(trade="indoor", minutes=30)
    near, far = team("C1", (300, 0)), team("C2", (12_000, 0), skill=5)
    red = task("T1", level="red", work=w, building="B1", due_at=AT + 1740)
    blue = task("T2", work=replace(w, skill=5), building="B1")
    both = make_plan(inputs([near, far], [red, blue]), 300, 300)
    assert starts(both)["T1"] <= AT + 600


def busy(
    n: int, x: int, stage: str = "en_route", minutes: int = 150, **more: Any
) -> tuple[Team, Task]:
    """A crew with a blue ticket in hand three kilometres on."""
    work = Work(trade="indoor", minutes=minutes)
    return given(team(f"C{n}", (x, 0)), task(f"B{n}", (x + 3_000, 0), work=work, **more), stage)


def red_for_two(**more: Any) -> Task:
    work = Work(trade="indoor", crews=2, minutes=30)
    return task("R", (200, 0), level="red", work=work, due_at=AT + 1_740, **more)


def test_a_red_job_for_two_crews_takes_both_from_what_is_less_urgent() -> None:
    (a, x), (b, y) = busy(1, 0), busy(2, 500)
    moment = inputs([a, b], [x, y, red_for_two()])
    best = propose(moment, TicketId("R")).choices[0]
    assert {best.crew, best.with_crew} == {"C1", "C2"}
    assert best.start_at <= AT + 1_740
    assert {d.ticket for d in best.displaced} == {"B1", "B2"}
    assert all(d.start_at is not None and d.start_at >= best.end_at for d in best.displaced)
    named = price(moment, TicketId("R"), best.crew, with_crew=best.with_crew)
    assert named.choice == best


def test_two_that_give_way_to_both_halves_are_not_told_the_same_hour_of_a_crew() -> None:
    """the second crew's shift is over after the red job: both go to the first one's day"""
    (a, x), (b, y) = busy(1, 0, minutes=60), busy(2, 500, minutes=60)
    b = replace(b, shift_ends_at=AT + 3_000)
    best = propose(inputs([a, b], [x, y, red_for_two()]), TicketId("R")).choices[0]
    told = sorted((d.start_at or 0, d.crew) for d in best.displaced)
    assert [crew for _, crew in told] == ["C1", "C1"]
    assert told[0][0] + 3_600 <= told[1][0]


def test_no_more_give_way_to_two_crews_than_to_one() -> None:
    (a, x), (b, y) = busy(1, 0), busy(2, 500)
    moment = inputs([a, b], [x, y, red_for_two()])
    policy = changed(moment.policy, displacing={"most": 1})
    proposal = propose(replace(moment, policy=policy), TicketId("R"))
    assert proposal.choices
    assert all(len(c.displaced) <= 1 for c in proposal.choices)


def test_nobody_gives_way_to_two_crews_while_two_are_free() -> None:
    (a, x), (b, y) = busy(1, 0), busy(2, 500)
    free = [team("C3", (3_000, 0)), team("C4", (4_000, 0))]
    proposal = propose(inputs([a, b, *free], [x, y, red_for_two()]), TicketId("R"))
    assert {proposal.choices[0].crew, proposal.choices[0].with_crew} == {"C3", "C4"}
    assert all(not c.displaced for c in proposal.choices)


@pytest.mark.parametrize("other", ["on_site", None])
def test_a_red_job_for_two_is_made_safe_for_by_two(other: str | None) -> None:
    a, x = busy(1, 0, "on_site")
    b, y = (team("C2", (500, 0)), None) if other is None else busy(2, 500, other)
    tasks = [t for t in (x, y, red_for_two()) if t is not None]
    proposal = propose(inputs([a, b], tasks), TicketId("R"))
    safe = proposal.safe_first
    assert safe is not None
    assert {safe.crew, safe.with_crew} == {"C1", "C2"}
    assert safe.start_at <= AT + 1_740 < proposal.choices[0].start_at
    assert {d.ticket for d in safe.displaced} == {t.ticket for t in tasks} - {"R"}


def test_who_gives_way_is_told_a_time_in_its_own_window_or_none() -> None:
    window = {"appointed_from": AT, "appointed_until": AT + HOUR}
    a, x = busy(1, 0, minutes=60, **window)
    red = task("R", (200, 0), level="red", work=Work(trade="indoor", minutes=60), due_at=AT + 1_740)
    (alone,) = propose(inputs([a], [x, red]), TicketId("R")).choices[0].displaced
    assert (alone.ticket, alone.crew, alone.start_at) == ("B1", None, None)
    far = team("C2", (12_000, 0))
    best = propose(inputs([a, far], [x, red]), TicketId("R")).choices[0]
    (gone,) = best.displaced
    assert (best.crew, gone.crew) == ("C1", "C2")
    assert gone.start_at is not None
    assert gone.start_at <= AT + HOUR


def test_who_gives_way_in_the_evening_is_not_sent_to_a_home_by_night() -> None:
    at = AT + 9 * HOUR + 1_800  # 19:30
    a = team("C1", shift="12:00-24:00", shift_ends_at=AT + 14 * HOUR)
    home = Work(trade="indoor", minutes=40, home_visit=True)
    a, x = given(a, task("B1", (3_000, 0), work=home, due_at=at + HOUR), "en_route")
    red = task(
        "R", (200, 0), level="red", work=Work(trade="indoor", minutes=60),
        received_at=at, due_at=at + 1_740,
    )  # fmt: skip
    (gone,) = propose(replace(inputs([a], [x, red]), at=at), TicketId("R")).choices[0].displaced
    assert (gone.ticket, gone.crew, gone.start_at) == ("B1", None, None)


@pytest.mark.parametrize("crews", [1, 2])
def test_a_red_ticket_is_planned_beyond_the_shift_as_it_is_proposed(crews: int) -> None:
    teams = [team(f"C{n}", shift_ends_at=AT + 600) for n in (1, 2)]
    work = Work(trade="indoor", minutes=60, crews=crews)
    red = task("R", (200, 0), level="red", work=work, due_at=AT + 1_740)
    blue = task("B", (300, 0))
    moment = inputs(teams, [red, blue])
    plan = make_plan(moment, 100)
    assert starts(plan)["R"] == propose(moment, TicketId("R")).choices[0].start_at
    assert [u.ticket for u in plan.unplanned] == ["B"]
    again = make_plan(replace(moment, at=AT + 60, plan=1, held=in_force(plan)), 100)
    assert "R" in starts(again)
    assert again.changed == []


def test_a_red_ticket_does_not_outlast_a_shift_while_another_crew_is_in_time() -> None:
    ends = team("C1", shift_ends_at=AT + 600)
    red = task("R", (200, 0), level="red", work=Work(trade="indoor", minutes=60), due_at=AT + 1_740)
    plan = make_plan(inputs([ends, team("C2", (3_000, 0))], [red]), 100)
    assert {d.crew for d in plan.days for v in d.visits if "R" in v.tickets} == {"C2"}


def test_a_job_for_two_crews_leaves_each_its_break() -> None:
    """90 minutes from now on would end after the break has to begin: it comes first"""
    pause = [Pause(after="10:30", before="11:00", minutes=30)]
    crews = [team("C1", breaks=pause), team("C2")]
    work = Work(trade="indoor", crews=2, minutes=90)
    plan = make_plan(inputs(crews, [task("R", (200, 0), level="red", work=work)]), 100)
    (rest,) = plan.days[0].breaks
    assert not plan.unplanned
    assert starts(plan)["R"] >= rest.until_at


@pytest.mark.parametrize("stage", ["confirmed", "en_route"])
def test_what_a_crew_took_for_a_later_hour_is_not_begun_now(stage: str) -> None:
    crew, later = given(
        team("C1"),
        task("B1", (3_000, 0), appointed_from=AT + 4 * HOUR, appointed_until=AT + 5 * HOUR),
        stage,
    )
    plan = make_plan(inputs([crew], [later, task("T2", (500, 0))]), 100, 100)
    assert starts(plan)["T2"] < AT + HOUR
    assert AT + 4 * HOUR <= starts(plan)["B1"] <= AT + 5 * HOUR


def test_both_breaks_of_a_shift_are_left_free() -> None:
    pauses = [
        Pause(after="11:00", before="12:00", minutes=30),
        Pause(after="16:00", before="16:30", minutes=30),
    ]
    jobs = [
        task(f"T{n}", (n * 50, 0), work=Work(trade="indoor", minutes=55), due_at=AT + 7 * HOUR)
        for n in range(8)
    ]
    plan = make_plan(inputs([team("C1", breaks=pauses)], jobs), 1000, 1000)
    busy = [(v.start_at, v.end_at) for v in plan.days[0].visits]
    for first, last in ((AT + HOUR, AT + 2 * HOUR), (AT + 6 * HOUR, AT + 6 * HOUR + 1800)):
        starts_at = range(first, last + 1, 60)
        assert any(all(e <= at or b >= at + 1800 for b, e in busy) for at in starts_at)
