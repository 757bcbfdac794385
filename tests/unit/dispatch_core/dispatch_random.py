"""Random moments of a small town, for properties of dispatch."""

from __future__ import annotations

from typing import Any

import msgspec
from dispatch_town import AT, HOUR, POLICY, changed, inputs, spot, task, team
from hypothesis import strategies as st

from dispatch_core.dispatch import Inputs, InHand, MoreOf, Permitted, Store, Task, Team
from dispatch_core.events import Pause, Work

DISTRICTS = ["道里区", "南岗区", "香坊区"]
_places = st.tuples(st.integers(-6_000, 6_000), st.integers(-6_000, 6_000))
_trades = st.sampled_from(["indoor", "indoor", "secondary"])
_certificates = st.lists(st.sampled_from(["welder", "confined_space"]), unique=True, max_size=2)
_parts = st.dictionaries(st.sampled_from(["valve", "clamp"]), st.integers(1, 2), max_size=1)


@st.composite
def teams(draw: st.DrawFn, name: str) -> Team:
    on_duty = draw(st.sampled_from([True, True, True, False]))
    at = draw(_places)
    return team(
        name, at, trades=draw(st.lists(_trades, min_size=1, max_size=2, unique=True)),
        certificates=draw(_certificates), skill=draw(st.integers(1, 5)),
        members=draw(st.integers(2, 4)), on_duty=on_duty,
        shift=draw(st.sampled_from(["06:00-18:00", "14:00-23:00", "20:00-06:00", ""])),
        shift_ends_at=draw(st.sampled_from([None, AT - HOUR, AT + HOUR, AT + 8 * HOUR]))
        if on_duty and draw(st.booleans()) else (AT + 7 * HOUR if on_duty else None),
        place=draw(st.sampled_from([spot(*at), spot(*at), None])) if on_duty else None,
        base=draw(st.sampled_from([spot(*at), None])),
        fix_age_s=draw(st.sampled_from([10, 10, 400, 2_000])),
        stopped=draw(st.sampled_from([False, False, False, True])),
        territory=draw(st.lists(st.sampled_from(DISTRICTS), unique=True, max_size=2)),
        equipment=draw(st.lists(st.just("pump"), max_size=1)),
        parts=draw(st.one_of(st.none(), _parts)),
        breaks=draw(st.lists(st.just(Pause(after="11:00", before="13:00", minutes=30)), max_size=1)),
    )  # fmt: skip


@st.composite
def tasks(draw: st.DrawFn, name: str, crews: list[str]) -> Task:
    level = draw(st.sampled_from(["red", "yellow", "blue", "blue"]))
    work = Work(
        trade=draw(_trades),
        owner=draw(st.sampled_from(["company"] * 4 + ["resident"])),
        certificates=draw(st.lists(st.just("welder"), max_size=1)),
        permits=draw(st.lists(st.sampled_from(["confined_space", "hot_work"]), max_size=1)),
        skill=draw(st.integers(1, 4)),
        minutes=draw(st.sampled_from([20, 45, 120])),
        crews=draw(st.sampled_from([1, 1, 1, 2])),
        parts=draw(_parts),
        vehicle=draw(st.sampled_from([[], [], ["pump"]])),
        home_visit=draw(st.booleans()),
    )
    window = draw(st.sampled_from([None, None, (0, HOUR), (2 * HOUR, 3 * HOUR), (-HOUR, -60)]))
    pinned = draw(st.sampled_from([None, None, None, *crews]))
    return task(
        name, draw(st.one_of(_places, st.just((100, 100)))), level=level, work=work,
        due_at=AT + draw(st.integers(-HOUR, 5 * HOUR)),
        precision="building",
        building=draw(st.sampled_from([None, "B1", "B2"])),
        pipe=draw(st.sampled_from([None, "P1"])),
        district=draw(st.sampled_from([None, *DISTRICTS])),
        pinned=pinned,
        pinned_at=draw(st.sampled_from([None, AT + HOUR])) if pinned else None,
        appointed_from=window and AT + window[0], appointed_until=window and AT + window[1],
        night_agreed=draw(st.booleans()),
        permits=[
            Permitted(permit=p, valid_until=AT + draw(st.sampled_from([-60, 2 * HOUR])),
                      guard=draw(st.booleans()), gas_at=draw(st.sampled_from([None, AT - 60])))
            for p in work.permits if draw(st.booleans())
        ],
        parts_at=draw(st.sampled_from([None, None, AT + HOUR])),
        degree_hours_m=draw(st.sampled_from([0, 4_000])),
        visits_by={crew: 2 for crew in crews if draw(st.booleans())},
        danger=draw(st.booleans()),
    )  # fmt: skip


@st.composite
def moments(draw: st.DrawFn, most_teams: int = 5, most_tasks: int = 9) -> Inputs:
    """Inputs at ten in the morning, in the evening or by night, with tickets in hand."""
    names = [f"C{n}" for n in range(draw(st.integers(0, most_teams)))]
    crews = {name: draw(teams(name)) for name in names}
    found = [draw(tasks(f"T{n}", names)) for n in range(draw(st.integers(0, most_tasks)))]
    found = [draw(st.sampled_from([t, t, t, _nowhere(t)])) for t in found]
    given = [_given(draw, t, crews) for t in found]
    rules: dict[str, Any] = {
        "night_territories": draw(st.sampled_from(["all", [["道里区", "南岗区"]]])),
        "in_hand_max": draw(st.integers(1, 6)),
        "permit_before": draw(st.sampled_from([
            dict.fromkeys(("red", "yellow", "blue"), "dispatch"), POLICY.rules.permit_before,
        ])),
    }  # fmt: skip
    displacing = {
        "most": draw(st.integers(0, 3)),
        "levels": draw(st.sampled_from([["blue", "yellow"], ["blue"], []])),
    }
    stores = [Store(store="S1", place=spot(300, 300), parts={"valve": 9})]
    return inputs(
        list(crews.values()), given,
        policy=changed(POLICY, rules=rules, displacing=displacing),
        stores=draw(st.sampled_from([[], stores])),
        closed_districts=draw(st.sampled_from([[], [], ["香坊区"]])),
        seed=draw(st.integers(0, 3)),
    )  # fmt: skip


def _nowhere(ticket: Task) -> Task:
    return msgspec.structs.replace(ticket, place=None, precision="community", building=None)


def _given(draw: st.DrawFn, ticket: Task, crews: dict[str, Team]) -> Task:
    """The ticket after it was, perhaps, given to a crew on duty, or to two."""
    able = [c for c, t in crews.items() if t.on_duty]
    if ticket.place is None or len(able) < ticket.work.crews or not draw(st.booleans()):
        return ticket
    chosen = draw(st.permutations(able))[: ticket.work.crews]
    stages = ["dispatched", "confirmed"]
    begun = {h.stage for c in chosen for h in crews[c].in_hand}
    if not begun & {"en_route", "on_site"}:
        stages += ["en_route", "on_site"]
    stage = draw(st.sampled_from(stages))
    states = {"dispatched": "dispatched", "on_site": "handling"}
    for crew in chosen:
        hand = InHand(ticket=ticket.ticket, stage=stage, since_at=AT - 600)
        crews[crew] = msgspec.structs.replace(
            crews[crew],
            in_hand=[*crews[crew].in_hand, hand],
            place=ticket.place if stage == "on_site" else crews[crew].place,
        )
    return msgspec.structs.replace(
        ticket, crew=chosen[0], with_crew=chosen[1] if len(chosen) > 1 else None,
        state=states.get(stage, "confirmed"), pinned=None, pinned_at=None,
    )  # fmt: skip


__all__ = ["MoreOf", "moments"]
