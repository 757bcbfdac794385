"""The day: repeatable calls, tickets carried to their end, a fault, residents kept apart."""

import asyncio
import json
from collections import Counter

from office import Office

from server.demo import chance
from server.demo.fleet import apart_m, on_shift
from server.demo.run import OPENING_AT, backfill
from server.demo.simulate import Day
from server.demo.weather import outdoor


def play(day, office, start, end, step):
    sent = []
    at = start
    while at < end:
        after = min(end, at + step)
        for call in day.step(at, after):
            status, body = office.handle(call)
            day.answer(call, status, body)
            sent.append(call)
        office.watch(after)
        at = after
    return sent


class Direct:
    """A client without a wire: the office answers at the time its clock shows."""

    def __init__(self, office):
        self.office, self.at, self.moves = office, 0.0, []

    async def clock(self, at, rate):
        self.at = at.timestamp()
        self.moves.append((self.at, rate))
        self.office.watch(self.at)

    async def send_all(self, calls):
        return [(c, *self.office.handle(c, self.at)) for c in calls]


def test_a_morning_opens_with_work_and_a_fault(register):
    day, office = Day(register, 7), Office(register)
    client = Direct(office)
    told = []
    sent = asyncio.run(
        backfill(client, day, client.clock, lambda what, done: told.append((what, done)))
    )
    assert client.moves[-1] == (OPENING_AT, 1.0)
    assert [m[0] for m in client.moves] == sorted(m[0] for m in client.moves)
    assert told[-1] == ("history", 1.0)
    assert office.items["account-balances"] >= 60_000
    assert sent < 8000
    assert not office.refused
    levels = Counter(t["level"] for t in office.open())
    assert 2 <= levels["red"] <= 12
    assert 8 <= levels["yellow"] <= 60
    assert 150 <= levels["blue"] <= 330
    closed = [t for t in office.tickets.values() if t.state == "closed"]
    assert len(closed) > 200
    assert {t.kind for t in office.tickets.values()} >= {
        "not_warm",
        "leak",
        "repair",
        "complaint",
        "question",
        "refund",
        "change_of_data",
    }
    assert {"suspension", "resume", "temporary_stop"}.isdisjoint(
        t.kind for t in office.tickets.values()
    )
    assert {b["action"] for b in office.stops} == {"suspension", "resume", "temporary_stop"}
    assert 0.15 < office.attached / (office.attached + len(office.tickets)) < 0.35
    states = Counter(c["state"] for c in office.cases.values())
    assert 15 <= states.total() <= 80
    assert states["closed"] >= 3
    assert len(office.open_cases()) >= 3
    assert len(office.outages) == 1
    below = [r for r in office.readings.values() if r["celsius"] < 18.0]
    assert 40 <= len(below) <= 250
    supplies = sorted(r["supply_c"] for n, r in office.network.items() if n.startswith("HX"))
    assert supplies[0] < 55 < 65 < supplies[1]
    assert office.items["room-readings"] == 26 * 2400
    assert office.items["mentions"] > 50


def test_the_fault_ends_and_the_outage_is_closed(small):
    day, office = Day(small, 7), Office(small)
    play(day, office, OPENING_AT - 3 * 3600, OPENING_AT + 5 * 3600, 300)
    red = [t for t in office.tickets.values() if t.source == "control_room"]
    assert len(red) == 1
    assert red[0].state in {"verifying", "closed"}
    assert not office.outages


def test_same_seed_same_calls(small):
    def calls(seed):
        office = Office(small)
        sent = play(Day(small, seed), office, OPENING_AT, OPENING_AT + 3600, 60)
        return [(c.method, c.path, c.body, c.key) for c in sent]

    first = calls(7)
    assert calls(7) == first
    assert calls(8) != first


def test_one_key_one_body(small):
    office = Office(small)
    sent = play(Day(small, 7), office, OPENING_AT, OPENING_AT + 2 * 3600, 30)
    bodies = {}
    for c in sent:
        if c.method == "POST":
            assert c.key
            assert bodies.setdefault((c.path, c.key), c.body) == c.body


def test_residents_appear_only_as_callers(small):
    names = {h.owner_name for h in small.households if len(h.owner_name) > 2}
    phones = {h.owner_phone for h in small.households}
    office = Office(small)
    for c in play(Day(small, 7), office, OPENING_AT, OPENING_AT + 2 * 3600, 60):
        body = dict(c.body or {})
        caller = body.pop("caller", None)
        applicant = body.pop("applicant", None)
        text = json.dumps(body, ensure_ascii=False)
        assert caller is None or c.path in {"/api/requests", "/api/cases"}
        assert applicant is None or c.path == "/api/suspensions"
        assert not any(n in text for n in names)
        assert not any(p in text for p in phones)


def test_a_new_process_goes_on_where_the_old_one_stopped(small):
    office = Office(small)
    play(Day(small, 7), office, OPENING_AT - 4 * 3600, OPENING_AT, 300)
    before = {t["id"] for t in office.open()}
    assert before
    fresh = Day(small, 7)
    outages = [{"id": i, "version": 1, "node": o["node"]} for i, o in office.outages.items()]
    cases = office.open_cases()
    fresh.adopt(office.open(), outages, cases, {small.crews[0].id: (125.6, 46.2)}, OPENING_AT)
    play(fresh, office, OPENING_AT, OPENING_AT + 5 * 3600, 120)
    assert not office.refused
    assert not office.outages
    done = {i for i in before if office.tickets[i].state in {"closed", "cancelled"}}
    assert len(done) > len(before) / 3


def test_a_ticket_that_somebody_else_moved_is_read_again_not_forced(small):
    day, office = Day(small, 7), Office(small)
    play(day, office, OPENING_AT - 3600, OPENING_AT, 300)
    ids = [t["id"] for t in office.open()]
    for c in [c for c in day.step(OPENING_AT, OPENING_AT + 600) if c.ticket]:
        day.answer(c, 409, {"code": "version_conflict"})
    again = day.step(OPENING_AT + 600, OPENING_AT + 610)
    reads = [c for c in again if c.method == "GET"]
    assert reads
    assert not [c for c in again if c.ticket in {r.ticket for r in reads} and c.method == "POST"]
    for c in reads:
        day.answer(c, *office.handle(c))
    day.answer(reads[0], 404, {})
    assert reads[0].ticket not in day.desk.jobs
    play(day, office, OPENING_AT + 610, OPENING_AT + 3600, 60)
    assert not office.refused
    assert ids


def test_vans_drive_no_faster_than_winter_allows_and_one_is_out_of_sight(small):
    day, office = Day(small, 7), Office(small)
    sent = play(day, office, OPENING_AT, OPENING_AT + 1800, 10)
    last = {}
    moved = 0
    for c in sent:
        if c.path != "/api/batches/crew-positions":
            continue
        seen = {i["crew"] for i in c.body["items"]}
        duty = {w.id for w in small.crews if on_shift(w, c.at)}
        assert 1 <= len(duty - seen) <= 2
        for i in c.body["items"]:
            here = (i["lon"], i["lat"])
            if i["crew"] in last:
                before, at = last[i["crew"]]
                far = apart_m(before, here)
                assert far <= 12 * (i["fixed_at"] - at) + 25
                moved += far > 30
            last[i["crew"]] = (here, i["fixed_at"])
            assert i["datum"] == "wgs84"
    assert moved > 20


def test_a_severe_january_day():
    midnight = OPENING_AT - 7 * 3600 - 300
    temperatures = [outdoor(midnight + k * 600) for k in range(144)]
    assert -29 <= min(temperatures) < -27
    assert -24 < max(temperatures) <= -21
    assert 6 <= temperatures.index(min(temperatures)) / 6 <= 7


def test_chance_has_the_moments_it_names():
    counts = [chance.poisson(3.0, "p", k) for k in range(4000)]
    assert abs(sum(counts) / len(counts) - 3.0) < 0.15
    waits = sorted(chance.skewed(10, 0.5, "s", k) for k in range(4000))
    assert abs(waits[2000] - 10) < 0.6
    assert chance.unit("a", 1) == chance.unit("a", 1) != chance.unit("a", 2)
