"""Beside giving tickets out: windows, permits, parts, two crews; vans filled and counted;
handovers."""

from collections import Counter

from server.demo.agreements import Agreements
from server.demo.calls import Call
from server.demo.dispatcher import Dispatcher
from server.demo.fleet import Fleet
from server.demo.jobs import HOUR, first_seen
from server.demo.run import OPENING_AT
from server.demo.shift_change import ShiftChange
from server.demo.supply import Supply, first_stock, register_calls
from server.demo.weather import local

PEOPLE = ("李调度", "王调度")
MIDNIGHT = OPENING_AT - 7 * 3600 - 300


def desk():
    dispatcher = Dispatcher(7)
    dispatcher.people = PEOPLE
    return dispatcher, Agreements(7, dispatcher)


def job(id_, level="blue", kind="not_warm", state="accepted", **work):
    body = {
        "id": id_, "version": 2, "state": state, "level": level, "kind": kind, "lon": 125.6,
        "lat": 46.2, "address": "道南区", "building": "b", "received_at": OPENING_AT,
        "work": {"permits": [], "home_visit": kind == "not_warm", **work},
    }  # fmt: skip
    made = first_seen(body, OPENING_AT)
    made.update(body, OPENING_AT)
    return made


def all_of(agreements, jobs, hours=2):
    """Every act of the first hours; each job is told that its act is done."""
    made = []
    for minute in range(0, hours * 60, 5):
        for j in jobs:
            call = agreements.before(j, OPENING_AT + minute * 60)
            if call:
                made.append(call)
                j.waiting = False
    return made


def test_some_of_each_kind_are_agreed_once():
    _, agreements = desk()
    jobs = [job(f"B{n}") for n in range(400)]
    jobs += [job(f"L{n}", "yellow", "leak") for n in range(400)]
    made = all_of(agreements, jobs)
    steps = Counter(c.step for c in made)
    assert 40 <= steps["appoint"] <= 90
    assert 8 <= steps["parts"] <= 40
    assert 10 <= steps["work"] <= 45
    assert len({(c.ticket, c.step) for c in made}) == len(made)
    assert all(c.by in PEOPLE for c in made)
    for call in made:
        if call.step == "appoint":
            begin, end = call.body["from_at"], call.body["until_at"]
            assert end - begin == 7200
            assert begin > call.at
            assert 8 <= local(begin)[1] <= 18
        if call.step == "work":
            assert call.body == {"version": 2, "crews": 2}


def test_a_window_that_nobody_kept_is_agreed_anew():
    _, agreements = desk()
    missed = job("B1")
    missed.tried |= {"appoint", "pin"}
    missed.appointed = {"from_at": OPENING_AT, "until_at": OPENING_AT + 7200}
    assert agreements.before(missed, OPENING_AT + 7200) is None
    call = agreements.before(missed, OPENING_AT + 7260)
    assert call is not None
    assert call.path.endswith("/appoint")
    assert call.body["from_at"] > OPENING_AT + 7260
    missed.waiting = False
    assert agreements.before(missed, OPENING_AT + 7320) is None


def test_parts_that_are_there_let_the_work_go_on():
    _, agreements = desk()
    waits = job("L1", "yellow", "leak")
    waits.parts_at = OPENING_AT + HOUR
    assert agreements.before(waits, OPENING_AT + HOUR / 2) is None
    call = agreements.before(waits, OPENING_AT + 2 * HOUR)
    assert call is not None
    assert call.path.endswith("/parts-ready")


def test_nobody_goes_into_a_confined_space_without_gas_guard_and_permit():
    _, agreements = desk()
    manhole = job("M1", "red", "repair", permits=["confined_space"])
    assert agreements.before(manhole, OPENING_AT) is None  # a red one is not held up at the desk
    call = agreements.there(manhole, OPENING_AT + 1200)
    assert call is not None
    assert call.body["guard"]
    assert call.body["gas"]["read_at"] == OPENING_AT + 1200
    assert 19.5 <= call.body["gas"]["oxygen_pct"] <= 23.5
    manhole.permits = {"confined_space": call.body["valid_until"]}
    assert agreements.there(manhole, OPENING_AT + 1500) is None
    hot = job("N1", "blue", "new_connection", permits=["hot_work"])
    call = agreements.before(hot, OPENING_AT)
    assert call is not None
    assert call.body["permit"] == "hot_work"
    assert "gas" not in call.body


def test_crews_are_entered_with_skill_territory_base_break_and_tools(register):
    calls = {c.path: c.body for c in register_calls(register, 7)}
    assert len(calls) == len(register.crews) + len(register.stores)
    districts = {b.district for b in register.buildings}
    for crew in register.crews:
        body = calls[f"/api/crews/{crew.id}"]
        assert 1 <= body["skill"] <= 5
        assert set(body["territory"]) <= districts
        [pause] = body["breaks"]
        assert pause["minutes"] == 40
        night = body["shift"] == "18:00-06:00"
        if night and body["territory"]:
            assert set(body["territory"]) == districts
        elif body["territory"]:
            assert len(body["territory"]) == 1
    stocked = {c.path: c.body["parts"] for c in first_stock(register, 7)}
    assert len(stocked) == len(register.crews)
    assert all(parts for parts in stocked.values())
    indoor = [c for c in register.crews if "indoor" in c.trades]
    assert all(c.parts["放气阀"] > 0 for c in indoor)
    assert len(register.stores) == 3
    assert all(s.parts for s in register.stores)


def test_what_was_used_is_counted_and_filled_up_as_the_shift_begins(small):
    supply = Supply(small, Fleet(small, 7), 7)
    crew = next(c for c in small.crews if "indoor" in c.trades and c.shift_start_min == 360)
    for n in range(5):
        done = job(f"U{n}", state="handling")
        done.crew = crew.id
        supply.used(done, OPENING_AT)
    counts = [c for c in supply.acts(OPENING_AT, OPENING_AT + 60) if c.path.endswith("/stock")]
    assert 1 <= len(counts) <= 5
    assert counts[-1].body["parts"]["放气阀"] == crew.parts["放气阀"] - len(counts)
    morning = MIDNIGHT + 30 * 3600
    filled = [
        c for c in supply.acts(morning - 60, morning) if c.path == f"/api/crews/{crew.id}/stock"
    ]
    assert [c.body["parts"] for c in filled] == [crew.parts]
    assert not [c for c in supply.acts(morning, morning + 60) if c.path.endswith("/stock")]


def test_one_van_a_day_stands_for_an_hour_and_stores_are_filled(small):
    fleet = Fleet(small, 7)
    supply = Supply(small, fleet, 7)
    made = [
        c for k in range(24 * 60) for c in supply.acts(MIDNIGHT + k * 60, MIDNIGHT + (k + 1) * 60)
    ]
    [stop] = [c for c in made if c.path.endswith("/stop")]
    [back] = [c for c in made if c.path.endswith("/back")]
    assert stop.path.split("/")[3] == back.path.split("/")[3]
    assert back.at - stop.at == 3600
    assert stop.body["until_at"] > back.at
    assert len([c for c in made if c.path.startswith("/api/stores/")]) == len(small.stores)
    van = fleet.vans[stop.path.split("/")[3]]
    van.route = [(125.7, 46.3)]
    before = van.at
    fleet.drive(stop.at + 60, stop.at + 120, frozenset())
    assert van.at == before
    assert not van.driving


def test_a_handover_is_drawn_and_signed_by_two_people():
    dispatcher, _ = desk()
    shifts = ShiftChange(7, dispatcher)
    morning = MIDNIGHT + 8 * 3600
    assert not list(shifts.acts(morning - 120, morning - 60))
    [drawn] = shifts.acts(morning - 60, morning)
    assert drawn.path == "/api/handovers"
    answer = {"id": "20260114-0800", "version": 1, "signed": {}}
    signed = []
    last: Call = drawn
    for side in ("leaving", "coming"):
        shifts.answer(last, 200, answer)
        [last] = shifts.acts(morning, morning + 1)
        assert last.body == {"version": answer["version"], "side": side}
        signed.append(last.by)
        answer = answer | {"version": answer["version"] + 1}
        answer["signed"] = answer["signed"] | {side: {"by": last.by}}
    shifts.answer(last, 200, answer)
    assert not list(shifts.acts(morning + 1, morning + 2))
    assert sorted(signed) == sorted(PEOPLE)
    assert signed[0] == drawn.by
    dispatcher.people = ()
    assert not list(shifts.acts(morning - 60, morning))
