"""Each hard rule of dispatch: who is left out by it, what is said, and what mends it."""

from __future__ import annotations

from typing import Any, get_args

import pytest
from dispatch_town import AT, HOUR, POLICY, changed, given, inputs, spot, task, team

from dispatch_core.dispatch import SAID, Permitted, Store, make_plan, propose
from dispatch_core.events import Pause, Work
from dispatch_core.ids import RuleCode

CONFINED = Work(trade="indoor", permits=["confined_space"])
PERMIT = Permitted(permit="confined_space", valid_until=AT + 4 * HOUR, gas_at=AT - 60)
EVENING = 10 * HOUR + 1_800  # 20:30
NIGHT = 13 * HOUR  # 23:00
DISTRICTS = changed(POLICY, rules={"night_territories": [["north", "south"], ["west"]]})
VALVE = Work(trade="indoor", parts={"valve": 1})
STORE = Store(store="S1", place=spot(300, 0), parts={"valve": 5})

LATE = {"shift": "14:00-02:00", "shift_ends_at": AT + 16 * HOUR}
TABLE: list[tuple[RuleCode, str, dict[str, Any], dict[str, Any], dict[str, Any]]] = [
    ("no_place", "cannot be sent: where it is is not known", {}, {"at": None}, {}),
    ("district_closed", "may not go into a closed district", {}, {"district": "west"},
     {"closed_districts": ["west"]}),
    ("fault_owner", "does not mend what is not the company's", {},
     {"work": Work(trade="indoor", owner="property_firm")}, {}),
    ("trade", "is of another trade", {"trades": ["plant"]}, {}, {}),
    ("certificate", "lacks a certificate", {"certificates": ["boiler"]},
     {"work": Work(trade="indoor", certificates=["welder"])}, {}),
    ("skill", "has not the skill", {"skill": 3}, {"work": Work(trade="indoor", skill=4)}, {}),
    ("guard", "cannot keep a guard outside the confined space", {"members": 2},
     {"work": CONFINED, "permits": [PERMIT]}, {}),
    ("permit", "may not begin without the permit", {}, {"work": CONFINED}, {}),
    ("permit", "may not begin without the permit", {},
     {"work": Work(trade="indoor", permits=["hot_work"]),
      "permits": [Permitted(permit="hot_work", valid_until=AT)]}, {}),
    ("vehicle", "lacks equipment on its van", {"equipment": ["generator"]},
     {"work": Work(trade="indoor", vehicle=["pump"])}, {}),
    ("territory", "does not serve the district", {"territory": ["north"]}, {"district": "south"},
     {}),
    ("territory", "does not serve the district", {"territory": ["north"], **LATE},
     {"district": "west"}, {"at": AT + NIGHT, "policy": DISTRICTS}),
    ("crew_stopped", "can take no work for now", {"stopped": True}, {}, {}),
    ("off_duty", "is off duty", {"on_duty": False, "shift": "20:00-06:00"}, {}, {}),
    ("no_shift", "has no shift", {"shift_ends_at": None}, {}, {}),
    ("no_shift", "has no shift", {"on_duty": False, "shift": "whenever"}, {}, {}),
    ("position_lost", "has not been heard of for too long", {"fix_age_s": 1_800}, {}, {}),
    ("position_lost", "has not been heard of for too long", {"place": None, "base": None}, {}, {}),
    ("pinned_elsewhere", "is not the crew that it was locked to", {}, {"pinned": "C9"}, {}),
    ("parts", "lacks parts, and no store on the way has them", {"parts": {"valve": 0}},
     {"work": VALVE}, {}),
    ("parts", "lacks parts, and no store on the way has them", {"parts": {}},
     {"work": VALVE, "parts_at": AT + HOUR}, {"stores": [STORE]}),
    ("appointment", "could not keep the appointment", {"at": (40_000, 0)},
     {"appointed_from": AT, "appointed_until": AT + 600}, {}),
    ("appointment", "could not keep the appointment", {},
     {"appointed_from": AT - HOUR, "appointed_until": AT - 60}, {}),
    ("shift_end", "could not finish before its shift ends", {"shift_ends_at": AT + 1_800}, {}, {}),
    ("shift_end", "could not finish before its shift ends", {"shift_ends_at": AT - 60}, {}, {}),
    ("home_hours", "could not come within the hours for homes",
     {"at": (20_000, 0), "shift_ends_at": AT + 13 * HOUR},
     {"work": Work(trade="indoor", home_visit=True, minutes=25)}, {"at": AT + EVENING}),
    ("second_crew", "has no second crew beside it", {},
     {"work": Work(trade="indoor", crews=2)}, {}),
]  # fmt: skip


@pytest.mark.parametrize(("rule", "said", "crew", "ticket", "more"), TABLE)
def test_a_rule_leaves_a_crew_out_and_the_plan_says_so(
    rule: RuleCode, said: str, crew: dict[str, Any], ticket: dict[str, Any], more: dict[str, Any]
) -> None:
    moment = inputs([team(**crew)], [task(**ticket)], **more)
    proposal = propose(moment, moment.tasks[0].ticket)
    assert proposal.choices == []
    assert [(r.crew, r.rule) for r in proposal.rules] == [("C1", rule)]
    assert proposal.left_out == {rule: 1}
    assert SAID[rule] == said
    plan = make_plan(moment, 20)
    if rule != "off_duty":  # the plan reckons with the shift that is to come
        assert [u.reasons for u in plan.unplanned] == [[rule]]


@pytest.mark.parametrize(
    ("crew", "ticket", "more"),
    [
        ({}, {}, {}),
        ({"members": 2}, {"work": CONFINED, "permits": [PERMIT_GUARDED := Permitted(
            permit="confined_space", valid_until=AT + HOUR, gas_at=AT, guard=True)]}, {}),
        ({}, {"work": CONFINED, "permits": [PERMIT]}, {}),
        ({}, {"work": CONFINED, "level": "red"}, {}),  # the gas is read on the spot
        ({}, {"work": Work(trade="indoor", owner="resident"), "level": "red"}, {}),
        ({}, {"work": Work(trade="indoor", owner="resident"), "danger": True}, {}),
        ({"territory": ["north"], **LATE}, {"district": "south"},
         {"at": AT + NIGHT, "policy": DISTRICTS}),
        ({"territory": ["north"]}, {"district": None}, {}),
        ({"place": None}, {}, {}),
        ({"fix_age_s": 1_799}, {}, {}),
        ({"parts": {}}, {"work": VALVE}, {"stores": [STORE]}),
        ({"parts": None}, {"work": VALVE}, {}),
        ({"parts": {"valve": 1}}, {"work": VALVE, "parts_at": AT + HOUR}, {}),
        (LATE, {"work": Work(trade="indoor", home_visit=True), "night_agreed": True},
         {"at": AT + NIGHT}),
        (LATE, {"work": Work(trade="indoor", home_visit=True), "level": "red"}, {"at": AT + NIGHT}),
        ({}, {"level": "red", "appointed_from": AT - HOUR, "appointed_until": AT - 60}, {}),
        ({"shift_ends_at": AT + 1_800}, {"level": "red"}, {}),  # red: beyond the shift's end
        ({}, {"pinned": "C1", "pinned_at": AT + HOUR}, {}),
    ],
)  # fmt: skip
def test_what_a_rule_does_not_forbid(
    crew: dict[str, Any], ticket: dict[str, Any], more: dict[str, Any]
) -> None:
    moment = inputs([team(**crew)], [task(**ticket)], **more)
    assert [c.crew for c in propose(moment, "T1").choices] == ["C1"]


def test_every_rule_is_said() -> None:
    assert set(SAID) == set(get_args(RuleCode))


def test_a_crew_that_has_enough_in_hand_is_full_but_may_be_planned_on() -> None:
    crew, first = given(team(), task("T0"))
    moment = inputs([crew], [first, task()], policy=changed(POLICY, rules={"in_hand_max": 1}))
    assert propose(moment, "T1").left_out == {"full": 1}
    assert propose(moment, "T0").left_out == {}
    assert make_plan(moment, 20).unplanned == []


def test_a_crew_on_site_for_too_long() -> None:
    long = Work(trade="indoor", minutes=440)
    crew, first = given(team(), task("T0", work=long), "on_site")
    moment = inputs([crew], [first, task(work=Work(trade="indoor", minutes=60))])
    assert propose(moment, "T1").left_out == {"on_site": 1}
    assert make_plan(moment, 20).unplanned[0].reasons == ["on_site"]


def test_a_break_is_not_given_away() -> None:
    rest = Pause(after="10:00", before="10:40", minutes=30)
    crew = team(breaks=[rest], shift_ends_at=AT + 70 * 60)
    moment = inputs([crew], [task(work=Work(trade="indoor", minutes=60), level="yellow")])
    assert propose(moment, "T1").left_out == {"break": 1}


def test_no_room_between_what_is_locked() -> None:
    crew, first = given(team(), task("T0", pinned="C1", pinned_at=AT + 1_800))
    long = Work(trade="indoor", minutes=425)
    moment = inputs([crew], [first, task(work=long)])
    assert propose(moment, "T1").left_out == {"out_of_time": 1}
    assert make_plan(moment, 50).unplanned[0].reasons == ["out_of_time"]


def test_of_several_rules_the_one_that_lasts_longest_is_told() -> None:
    crew = team(stopped=True, trades=["plant"], fix_age_s=9_999)
    assert propose(inputs([crew], [task()]), "T1").left_out == {"trade": 1}


def test_nobody_at_all() -> None:
    moment = inputs([], [task()])
    assert propose(moment, "T1").choices == []
    assert make_plan(moment, 10).unplanned[0].reasons == ["no_crew"]


def test_what_a_ticket_waits_for() -> None:
    def waits(**ticket: Any) -> RuleCode | None:
        return propose(inputs([team()], [task(**ticket)]), "T1").waits_for

    assert waits() is None
    assert waits(at=None) == "no_place"
    assert waits(work=CONFINED, level="red") == "permit"
    assert waits(work=CONFINED, permits=[PERMIT]) is None
    assert waits(work=VALVE, parts_at=AT + HOUR) == "parts"
