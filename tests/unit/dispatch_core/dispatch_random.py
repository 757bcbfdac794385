"""Random moments of a small town, for properties of dispatch."""

from __future__ import annotations

from typing import Any

import msgspec
from dispatch_town import AT, HOUR, POLICY, changed, inputs, spot, task, team
from hypothesis import strategies as st

from dispatch_core.dispatch import InHand, Inputs, Permitted, Store, Task, Team
from dispatch_core.events import Pause, Work

DISTRICTS = ["道里区", "南岗区", "香坊区"]
BUILDINGS = {"B1": (100, 100), "B2": (180, 100), "B3": (-2_500, 900)}
STAGES = ["dispatched", "dispatched", "confirmed"]
_places = st.tuples(st.integers(-6_000, 6_000), st.integers(-6_000, 6_000))
_trades = st.sampled_from(["indoor", "indoor", "indoor", "secondary"])
_parts = st.dictionaries(st.sampled_from(["valve", "clamp"]), st.integers(1, 2), max_size=1)
_once_in = {n: st.integers(1, n).map(lambda x: x == 1) for n in (2, 4, 8)}


@st.composite
def teams(draw: st.DrawFn, name: str) -> Team:
    """A crew, mostly able to work."""

    def rarely(n: int, value: Any, usually: Any) -> Any:
        return value if draw(_once_in[n]) else usually

    at = draw(_places)
    on_duty = not draw(_once_in[8])
    ends = rarely(8, draw(st.sampled_from([None, AT - HOUR])), AT + draw(st.integers(1, 8)) * HOUR)
    return team(
        name,
        at,
        trades=rarely(4, ["secondary"], ["indoor", "secondary"]),
        certificates=rarely(4, [], ["welder", "confined_space"]),
        skill=draw(st.integers(1, 5)),
        members=draw(st.integers(2, 4)),
        on_duty=on_duty,
        shift=draw(st.sampled_from(["06:00-18:00", "14:00-23:00", "20:00-06:00", ""])),
        shift_ends_at=ends if on_duty else None,
        place=rarely(8, None, spot(*at)) if on_duty else None,
        base=rarely(4, None, spot(*at)),
        fix_age_s=rarely(4, draw(st.sampled_from([400, 2_000])), 10),
        stopped=draw(_once_in[8]),
        territory=rarely(4, draw(st.lists(st.sampled_from(DISTRICTS), unique=True)), []),
        equipment=rarely(2, ["pump"], []),
        parts=rarely(2, draw(_parts), None),
        breaks=rarely(2, [Pause(after="11:00", before="13:00", minutes=30)], []),
    )


@st.composite
def tasks(draw: st.DrawFn, name: str, crews: list[str]) -> Task:
    """A ticket, mostly one that somebody can do."""

    def rarely(n: int, value: Any, usually: Any) -> Any:
        return value if draw(_once_in[n]) else usually

    level = draw(st.sampled_from(["red", "yellow", "blue", "blue"]))
    permits = rarely(8, [draw(st.sampled_from(["confined_space", "hot_work"]))], [])
    work = Work(
        trade=draw(_trades),
        owner=rarely(8, "resident", "company"),
        certificates=rarely(4, ["welder"], []),
        permits=permits,
        skill=rarely(4, 4, 1),
        minutes=draw(st.sampled_from([20, 45, 120])),
        crews=rarely(4, 2, 1),
        parts=rarely(4, draw(_parts), {}),
        vehicle=rarely(8, ["pump"], []),
        home_visit=draw(st.booleans()),
    )
    window = rarely(4, draw(st.sampled_from([(0, HOUR), (HOUR, 2 * HOUR), (-HOUR, -60)])), None)
    pinned = rarely(8, draw(st.sampled_from([*crews, None])), None)
    building = rarely(2, draw(st.sampled_from(sorted(BUILDINGS))), None)
    return task(
        name,
        draw(_places) if building is None else BUILDINGS[building],
        level=level,
        work=work,
        due_at=AT + draw(st.integers(-HOUR, 5 * HOUR)),
        building=building,
        pipe=rarely(2, "P1", None),
        district=draw(st.sampled_from([None, *DISTRICTS])),
        pinned=pinned,
        pinned_at=rarely(2, AT + HOUR, None) if pinned else None,
        appointed_from=window and AT + window[0],
        appointed_until=window and AT + window[1],
        night_agreed=draw(st.booleans()),
        permits=[
            Permitted(
                permit=p,
                valid_until=AT + rarely(4, -60, 2 * HOUR),
                guard=draw(st.booleans()),
                gas_at=rarely(4, None, AT - 60),
            )
            for p in permits
            if not draw(_once_in[4])
        ],
        parts_at=rarely(8, AT + HOUR, None),
        degree_hours_m=rarely(4, 4_000, 0),
        visits_by={crew: 2 for crew in crews if draw(_once_in[4])},
        danger=draw(_once_in[4]),
    )


@st.composite
def moments(draw: st.DrawFn, most_teams: int = 5, most_tasks: int = 9) -> Inputs:
    """Inputs at ten in the morning, in the evening or by night, with tickets in hand."""
    names = [f"C{n}" for n in range(draw(st.integers(0, most_teams)))]
    crews = {name: draw(teams(name)) for name in names}
    found = [draw(tasks(f"T{n}", names)) for n in range(draw(st.integers(0, most_tasks)))]
    found = [_nowhere(t) if draw(_once_in[8]) else t for t in found]
    given = [_given(draw, t, crews) for t in found]
    rules: dict[str, Any] = {
        "night_territories": draw(st.sampled_from(["all", [["道里区", "南岗区"]]])),
        "in_hand_max": draw(st.sampled_from([6, 6, 1])),
        "permit_before": draw(st.sampled_from([
            dict.fromkeys(("red", "yellow", "blue"), "dispatch"), POLICY.rules.permit_before,
        ])),
    }  # fmt: skip
    displacing = {
        "most": draw(st.sampled_from([3, 2, 1, 0])),
        "levels": draw(st.sampled_from([["blue", "yellow"], ["blue", "yellow"], ["blue"], []])),
    }
    stores = [Store(store="S1", place=spot(300, 300), parts={"valve": 9})]
    return inputs(
        list(crews.values()), given,
        policy=changed(POLICY, rules=rules, displacing=displacing),
        stores=draw(st.sampled_from([[], stores])),
        closed_districts=["香坊区"] if draw(_once_in[8]) else [],
        seed=draw(st.integers(0, 3)),
    )  # fmt: skip


def _nowhere(ticket: Task) -> Task:
    area = ticket.place if ticket.ticket in {"T1", "T3"} else None
    return msgspec.structs.replace(
        ticket, place=None, area=area, precision="community", building=None
    )


def _given(draw: st.DrawFn, ticket: Task, crews: dict[str, Team]) -> Task:
    """The ticket after it was, perhaps, given to a crew on duty, or to two."""
    able = [c for c, t in crews.items() if t.on_duty]
    if ticket.place is None or len(able) < ticket.work.crews or not draw(st.booleans()):
        return ticket
    chosen = draw(st.permutations(able))[: ticket.work.crews]
    stages = list(STAGES)
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
