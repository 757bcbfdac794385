"""Proposals, prices and who gives way, as a dispatcher meets them."""

from __future__ import annotations

import msgspec
import pytest
from dispatch_town import AT, HOUR, POLICY, changed, given, inputs, spot, task, team

from dispatch_core.dispatch import (
    Held,
    Inputs,
    Slot,
    Store,
    compare,
    digest,
    explain,
    joined,
    may_confirm_itself,
    pieces,
    places_of,
    price,
    propose,
)
from dispatch_core.errors import NotFound
from dispatch_core.events import Work
from geo.travel import between, great_circle_table


def test_the_nearest_able_crew_and_why() -> None:
    near = team("C1", (0, 0), skill=1)
    far = team("C2", (4_000, 0), skill=1)
    plant = team("C3", (400, 0), trades=["plant"])
    ticket = task(building="B1", visits_by={"C1": 4}, degree_hours_m=2_500)
    moment = inputs([near, far, plant], [ticket])
    proposal = propose(moment, "T1")
    assert [c.crew for c in proposal.choices] == ["C1", "C2"]
    assert proposal.left_out == {"trade": 1}
    best, second = proposal.choices
    drive = between(moment.travel.model, (126_600_000, 45_750_000), (126_607_000, 45_750_000), AT)
    assert best.arrive_at == best.start_at == AT + drive
    assert best.end_at == best.start_at + 1_800
    assert best.score["travel"] == best.facts["drive_s"] == drive
    assert best.score["continuity"] == 0
    assert second.score["continuity"] == POLICY.weights.strange_building_s
    assert best.total == sum(best.score.values()) < second.total
    assert 500 < best.distance_m < 600
    assert 0 < best.sure_s < second.sure_s
    assert explain(best) == (
        "best of 2 able crews: 2 min, 0.5 km, indoor, 4 visits to this building,"
        " 2.5 degree-hours an hour below 18 degC, no ticket late"
    )
    assert explain(second, best) == "C2班 instead of C1班: 11 min later, no ticket late"


def test_a_strong_crew_is_not_wasted_on_small_work() -> None:
    weak = team("C2", (200, 0), skill=1)
    strong = team("C1", (200, 0), skill=5, certificates=["welder", "boiler"])
    proposal = propose(inputs([weak, strong], [task()]), "T1")
    assert [c.crew for c in proposal.choices] == ["C2", "C1"]
    step = POLICY.weights.skill_step_s
    assert [c.score["skill_margin"] for c in proposal.choices] == [0, 6 * step]


def test_a_colder_building_weighs_more() -> None:
    def impact(degree_hours_m: int) -> int:
        ticket = task(at=(6_000, 0), degree_hours_m=degree_hours_m)
        return propose(inputs([team()], [ticket]), "T1").choices[0].score["impact"]

    assert 0 == impact(0) < impact(5_000) < impact(20_000)


def test_a_doubtful_position_costs_certainty() -> None:
    moment = inputs([team("C1", fix_age_s=900), team("C2", fix_age_s=20)], [task()])
    sure, doubtful = propose(moment, "T1").choices
    assert (sure.crew, doubtful.crew) == ("C2", "C1")
    assert doubtful.arrive_at >= sure.arrive_at + 900
    assert doubtful.sure_s >= 900 > sure.sure_s
    assert doubtful.facts["position_age_s"] == 900


def test_parts_are_fetched_on_the_way() -> None:
    ticket = task(at=(2_000, 0), work=Work(trade="indoor", parts={"valve": 2}))
    stores = [
        Store(store="S1", place=spot(1_000, 0), parts={"valve": 2}),
        Store(store="S2", place=spot(900, 0), parts={"valve": 1}),
    ]
    with_parts = team("C1", (-1_500, 0), parts={"valve": 2})
    without = team("C2", (0, 0), parts={"valve": 1})
    moment = inputs([with_parts, without], [ticket], stores=stores)
    first, second = propose(moment, "T1").choices
    assert (first.crew, first.score["parts"], first.facts["pieces_on_van"]) == ("C1", 0, 2)
    assert (second.crew, second.facts["store"], second.facts["pieces_on_van"]) == ("C2", "S1", 1)
    assert second.arrive_at - AT > POLICY.pick_up_s
    assert second.score["parts"] == POLICY.weights.part_missing_s
    assert "by way of store S1" in explain(second)


def test_a_red_ticket_without_a_place_is_driven_towards() -> None:
    unknown = {"at": None, "area": spot(1_000, 0), "precision": "community"}
    moment = inputs([team()], [task("T1", level="red", **unknown), task("T2", **unknown)])
    red, blue = propose(moment, "T1"), propose(moment, "T2")
    assert (red.waits_for, blue.waits_for) == ("no_place", "no_place")
    assert red.choices[0].facts["area_only"] == "community"
    assert "to the middle of its area: its place must be asked for" in explain(red.choices[0])
    assert (blue.choices, blue.left_out) == ([], {"no_place": 1})


def test_who_has_the_parts_need_not_wait_for_those_on_order() -> None:
    valve = Work(trade="indoor", parts={"valve": 1})
    moment = inputs(
        [team("C1", parts={}), team("C2", (4_000, 0), parts={"valve": 1})],
        [task(work=valve, parts_at=AT + 5 * HOUR)],
    )
    proposal = propose(moment, "T1")
    assert (proposal.waits_for, proposal.left_out) == ("parts", {"parts": 1})
    assert proposal.choices[0].crew == "C2"
    assert proposal.choices[0].start_at < AT + HOUR


def test_parts_that_other_tickets_need_are_not_counted_twice() -> None:
    valve = Work(trade="indoor", parts={"valve": 1})
    crew, first = given(team(parts={"valve": 1}), task("T0", work=valve))
    moment = inputs([crew], [first, task(work=valve)])
    assert propose(moment, "T1").left_out == {"parts": 1}
    assert propose(moment, "T0").choices[0].crew == "C1"


def _busy(level: str, stage: str, minutes: int = 120, most: int = 3) -> Inputs:
    crew, first = given(
        team(), task("T0", (100, 0), level=level, work=Work(trade="indoor", minutes=minutes)), stage
    )
    policy = changed(POLICY, displacing={"most": most})
    return inputs([crew], [first, task("T1", (300, 0), level="red")], policy=policy)


@pytest.mark.parametrize("stage", ["confirmed", "en_route"])
@pytest.mark.parametrize("level", ["blue", "yellow"])
def test_red_displaces_what_is_less_urgent_and_names_it(stage: str, level: str) -> None:
    proposal = propose(_busy(level, stage), "T1")
    choice = proposal.choices[0]
    assert choice.start_at < AT + 1_800
    assert [d.ticket for d in choice.displaced] == ["T0"]
    gone = choice.displaced[0]
    assert (gone.level, gone.crew) == (level, "C1")
    assert gone.start_at is not None
    assert gone.start_at >= choice.end_at
    assert proposal.safe_first is None


def test_red_displaces_neither_red_nor_more_than_the_policy_lets_it() -> None:
    for moment in (_busy("red", "en_route"), _busy("blue", "en_route", most=0)):
        proposal = propose(moment, "T1")
        assert all(not c.displaced for c in proposal.choices)
        assert proposal.choices[0].start_at >= AT + 7_200
    protected = changed(POLICY, displacing={"levels": ["blue"]})
    moment = msgspec.structs.replace(_busy("yellow", "en_route"), policy=protected)
    assert not propose(moment, "T1").choices[0].displaced


def test_a_crew_on_site_leaves_only_by_a_person_after_making_safe() -> None:
    proposal = propose(_busy("blue", "on_site"), "T1")
    assert all(not c.displaced for c in proposal.choices)
    safe = proposal.safe_first
    assert safe is not None
    assert [d.ticket for d in safe.displaced] == ["T0"]
    assert safe.start_at < AT + 1_800 < proposal.choices[0].start_at
    assert propose(_busy("red", "on_site"), "T1").safe_first is None


def test_nobody_gives_way_while_somebody_is_free() -> None:
    moment = _busy("blue", "en_route")
    free = team("C2", (6_000, 0))
    moment = msgspec.structs.replace(moment, teams=[*moment.teams, free])
    proposal = propose(moment, "T1")
    assert proposal.choices[0].crew == "C2"
    assert all(not c.displaced for c in proposal.choices)


def test_yellow_displaces_nobody() -> None:
    moment = _busy("blue", "en_route")
    tasks = [moment.tasks[0], task("T1", (300, 0), level="yellow", due_at=AT + 600)]
    assert not propose(msgspec.structs.replace(moment, tasks=tasks), "T1").choices[0].displaced


def test_the_price_of_another_crew() -> None:
    crew, late = given(team("C2", (3_000, 0)), task("T0", (3_100, 0), due_at=AT + 300))
    moment = inputs([team("C1"), crew], [late, task("T1", (2_800, 0), level="red")])
    priced = price(moment, "T1", "C2")
    assert priced.against is not None
    assert priced.choice is not None
    assert priced.price.best == priced.against.crew
    assert priced.price.later_s == priced.choice.start_at - priced.against.start_at
    first = price(moment, "T1", "C2", after=None)
    assert first.choice is not None
    assert first.choice.after is None
    assert first.price.newly_late == ["T0"]
    assert [d.ticket for d in first.choice.newly_late] == ["T0"]
    behind = price(moment, "T1", "C2", after="T0")
    assert behind.choice is not None
    assert behind.choice.after == "T0"
    assert behind.price.newly_late == []
    later = price(moment, "T1", "C1", start_at=AT + HOUR)
    assert later.choice is not None
    assert later.choice.start_at == AT + HOUR


def test_a_price_names_the_rule_that_forbids() -> None:
    moment = inputs([team("C1"), team("C2", trades=["plant"])], [task()])
    priced = price(moment, "T1", "C2")
    assert (priced.choice, priced.refused_by) == (None, "trade")
    assert priced.against is not None
    with pytest.raises(NotFound, match="no_such_crew"):
        price(moment, "T1", "C9")
    with pytest.raises(NotFound, match="no_such_task"):
        price(moment, "T9", "C1")


def test_two_crews_begin_together() -> None:
    ticket = task(work=Work(trade="indoor", crews=2))
    moment = inputs([team("C1"), team("C2", (5_000, 0)), team("C3", (-900, 0))], [ticket])
    best = propose(moment, "T1").choices[0]
    assert {best.crew, best.with_crew} == {"C1", "C3"}
    priced = price(moment, "T1", "C2", with_crew="C3")
    assert priced.choice is not None
    assert priced.choice.with_crew == "C3"
    assert priced.choice.start_at > best.start_at
    assert priced.price.later_s == priced.choice.start_at - best.start_at
    assert price(moment, "T1", "C2", with_crew="C2").refused_by == "second_crew"


def test_the_plan_in_force_is_reckoned_with() -> None:
    others = [task(f"T{n}", (-3_000, 0), work=Work(trade="indoor", minutes=60)) for n in (2, 3)]
    held = [Held(crew="C1", visits=[Slot(tickets=["T2", "T3"], start_at=AT + 400)])]
    red = task(level="red", due_at=AT + 300)
    moment = inputs([team("C1")], [red, *others], held=held, plan=7)
    proposal = propose(moment, "T1")
    assert proposal.plan == 7
    assert proposal.choices[0].after is None
    assert proposal.choices[0].facts["ahead"] == 0
    urgent = [msgspec.structs.replace(t, level="yellow", due_at=AT + 4_500) for t in others]
    blue = msgspec.structs.replace(moment, tasks=[task(at=(-3_300, 0)), *urgent])
    assert propose(blue, "T1").choices[0].facts["ahead"] == 2


def test_blue_confirms_itself_only_as_the_policy_says() -> None:
    auto = changed(POLICY, auto_confirm={"levels": ["blue"], "start": "09:00", "until": "17:00"})
    moment = inputs([team()], [task()], policy=auto)
    grounds = may_confirm_itself(moment, propose(moment, "T1"))
    assert grounds is not None
    assert grounds.startswith("policy test@1 auto_confirm.levels has blue:")

    def confirmed(moment: Inputs) -> bool:
        return may_confirm_itself(moment, propose(moment, "T1")) is not None

    assert not confirmed(inputs([team()], [task()]))
    assert not confirmed(inputs([team()], [task(level="yellow")], policy=auto))
    assert not confirmed(inputs([team(trades=["plant"])], [task()], policy=auto))
    assert not confirmed(inputs([team()], [task(due_at=AT + HOUR)], policy=auto))
    evening = changed(POLICY, auto_confirm={"levels": ["blue"], "start": "17:00"})
    assert not confirmed(inputs([team()], [task()], policy=evening))


def test_inputs_are_stored_in_pieces_and_compared() -> None:
    moment = inputs([team()], [task()], stores=[Store(store="S1", place=spot(1, 1), parts={})])
    rows = places_of(moment)
    assert len(rows) == 3
    table = great_circle_table(moment.travel.model, rows, rows, AT)
    moment = msgspec.structs.replace(moment, travel=table.stored())
    assert joined(pieces(moment)) == moment
    assert digest(joined(pieces(moment))) == digest(moment)
    assert compare(moment, moment) == []
    other = msgspec.structs.replace(
        moment, at=AT + 1, tasks=[task(level="red")], teams=[team(), team("C2")]
    )
    assert compare(moment, other) == ["at", "teams.C2", "tasks.T1.due_at", "tasks.T1.level"]
    assert digest(other) != digest(moment)
    unchanged = set(pieces(moment).items()) & set(pieces(other).items())
    assert {"policy", "travel", "stores"} <= {name for name, _ in unchanged}


def test_travel_times_of_the_table_hold_where_it_has_them() -> None:
    moment = inputs([team()], [task()])
    rows = places_of(moment)
    table = great_circle_table(moment.travel.model, rows, rows, AT)
    slow = (table.seconds + 900).astype("<i4").tobytes()
    roads = msgspec.structs.replace(table, source="roads", found=slow)
    far = msgspec.structs.replace(moment, travel=roads)
    usual, slower = (propose(m, "T1").choices[0].facts["drive_s"] for m in (moment, far))
    assert slower == int(usual) + 900
    assert propose(far, "T1").travel == "roads"
