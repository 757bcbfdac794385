"""The commands about a ticket's visit over HTTP: what each writes, answers and refuses."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from path_house import PASSWORD, Caller, House, eventually
from path_work import at_once, carry, crew_on_duty, receive, step

from server.adapters import accounts

HOUR = 3600
PERMIT = {"permit": "hot_work", "number": "YX-1", "valid_until": 4_000_000_000}


@pytest.fixture(scope="module")
def crews(house: House) -> list[str]:
    return [crew_on_duty(house, f"F{n}") for n in range(1, 5)]


@pytest.fixture(scope="module")
def now(house: House) -> int:
    return int(house.business_now().timestamp())


def accepted(house: House, **more: Any) -> Any:
    return receive(house.person, accepted=True, separate=True, **more)


def refused(caller: Caller, ticket: Any, name: str, **body: Any) -> Any:
    said = {"version": ticket["version"]} | body
    answer = caller.post(f"/api/tickets/{ticket['id']}/{name}", said)
    problem = answer.json()
    assert answer.status_code >= 400, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["detail"]
    assert problem["what_to_do"]
    return problem | {"status": answer.status_code}


def told(house: House, ticket: Any) -> Any:
    return house.person.get(f"/api/tickets/{ticket['id']}")


def store(house: House, name: str, parts: dict[str, int]) -> Any:
    body = {"name": f"{name} 库", "lon": 126.63, "lat": 45.75, "datum": "wgs84", "parts": parts}
    return house.person.ok(f"/api/stores/{name}", body)


def store_now(house: House, name: str) -> Any:
    return next(s for s in house.person.get("/api/stores")["items"] if s["id"] == name)


def in_hand(house: House, crew: str) -> list[str]:
    return list(house.person.get(f"/api/crews/{crew}")["tickets"])


# ---------------------------------------------------------------- work
def test_the_policy_says_the_work_until_a_person_does(house: House) -> None:
    ticket = accepted(house, kind="leak")
    assert ticket["work_by"] == "policy"
    policy = ticket["work"]
    assert policy["trade"] in {"plant", "primary", "substation", "secondary", "indoor"}
    ticket = step(house.person, ticket, "work", minutes=95, crews=2, parts={"没有的件": 1})
    assert ticket["work"] == policy | {"minutes": 95, "crews": 2, "parts": {"没有的件": 1}}
    assert (ticket["work_by"], ticket["warnings"]) == ("person", ["nobody_stocks:没有的件"])
    assert refused(house.person, ticket, "work")["code"] == "same_work"
    assert refused(house.person, ticket, "work", minutes=95)["code"] == "same_work"
    store(house, "FW0", {"有的件": 1})
    ticket = step(house.person, ticket, "work", parts={"有的件": 1})
    assert (ticket["work"]["minutes"], ticket["warnings"]) == (95, [])
    assert told(house, ticket)["ticket"] == ticket
    listed = house.person.get("/api/tickets", building="B01", limit=500)["items"]
    assert next(t for t in listed if t["id"] == ticket["id"]) == ticket


def test_at_a_substation_it_is_the_substations_work(house: House) -> None:
    ticket = accepted(house, kind="repair", building=None, node="S1")
    assert (ticket["work"]["trade"], ticket["building"]) == ("substation", None)
    assert accepted(house, kind="repair")["work"]["trade"] == "indoor"


@pytest.mark.parametrize(
    "said",
    [
        {"skill": 6}, {"skill": 0}, {"minutes": 0}, {"minutes": -5}, {"crews": 3}, {"crews": 0},
        {"trade": "gardener"}, {"owner": "nobody"}, {"permits": ["fishing"]}, {"parts": {"x": 0}},
    ],
)  # fmt: skip
def test_work_that_no_crew_can_do(house: House, said: Any) -> None:
    problem = refused(house.person, accepted(house), "work", **said)
    assert (problem["status"], problem["code"]) == (422, "impossible_work")


# ---------------------------------------------------------------- appointment
def test_a_visit_is_agreed_moved_and_called_off(house: House, crews: list[str], now: int) -> None:
    ticket = accepted(house)
    window = {"from_at": now + 2 * HOUR, "until_at": now + 4 * HOUR}
    ticket = step(house.person, ticket, "appoint", **window, night_agreed=True)
    assert ticket["appointed"] == window | {"night_agreed": True}
    ticket = carry(house.person, ticket, crews[0], "confirm")
    assert ticket["clocks"]["on_site"] == window["until_at"]
    ticket = step(house.person, ticket, "appoint", from_at=None, until_at=None)
    assert ticket["appointed"] is None
    assert now < ticket["clocks"]["on_site"] < now + 2 * HOUR
    for first, last in ((now - HOUR, now - 60), (now + HOUR, now + 60), (now, now + 25 * HOUR),
                        (None, now + HOUR)):  # fmt: skip
        problem = refused(house.person, ticket, "appoint", from_at=first, until_at=last)
        assert (problem["status"], problem["code"]) == (422, "bad_window")
    step(house.person, ticket, "cancel")


# ---------------------------------------------------------------- permits
def test_a_confined_space_opens_only_to_good_air_and_a_guard(house: House, now: int) -> None:
    ticket = accepted(house)
    gas = {"oxygen_pct": 20.9, "lel_pct": 0, "co_ppm": 0, "h2s_ppm": 0, "read_at": now}
    permit = {"permit": "confined_space", "number": "YX-7", "valid_until": now + 2 * HOUR}
    for more, code, named in (
        ({}, "bad_gas", "guard"),
        ({"gas": gas}, "bad_gas", "guard"),
        ({"gas": gas | {"h2s_ppm": 6.6}, "guard": "赵师傅"}, "bad_gas", "6.6 ppm"),
        ({"gas": gas | {"oxygen_pct": 18.2}, "guard": "赵师傅"}, "bad_gas", "18.2 %"),
        ({"gas": gas, "guard": "赵师傅", "valid_until": now - 1}, "permit_expired", "run out"),
    ):
        problem = refused(house.person, ticket, "permit", **(permit | more))
        assert (problem["status"], problem["code"]) == (422, code)
        assert named in problem["detail"]
    ticket = step(house.person, ticket, "permit", **permit, gas=gas, guard="赵师傅")
    assert ticket["permits"] == [permit | {"gas": gas, "guard": "赵师傅"}]


def test_a_wall_reads_no_guards_name(house: House, now: int) -> None:
    ticket = accepted(house)
    gas = {"oxygen_pct": 20.9, "lel_pct": 0, "co_ppm": 0, "h2s_ppm": 0, "read_at": now}
    body = {"permit": "confined_space", "number": "YX-8", "valid_until": now + 2 * HOUR}
    step(house.person, ticket, "permit", **body, gas=gas, guard="赵一敏师傅")
    asyncio.run(
        accounts.add_account(house.database_url, house.company, "wall-field", "wall", PASSWORD)
    )
    wall = Caller(house.url)
    assert wall.http.post(
        "/api/sign-in", json={"user": "wall-field", "password": PASSWORD}
    ).is_success
    for path in (f"/api/tickets/{ticket['id']}", "/api/tickets?limit=500"):
        assert "赵一敏" not in wall.http.get(path).text
        assert "赵一敏" in house.person.http.get(path).text
    for path in (f"/api/tickets/{ticket['id']}/pin", "/api/stores/FW9", "/api/crews/F1/stop"):
        answer = wall.post(path, {})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_needed")
    assert wall.http.get("/api/stores").status_code == 403


# ---------------------------------------------------------------- parts and stores
def test_parts_are_kept_in_the_store_and_let_go_when_the_ticket_is_over(
    house: House, crews: list[str], now: int
) -> None:
    store(house, "FW1", {"闸阀 DN80": 3})
    one, two = accepted(house), accepted(house)
    wait = {"parts": {"闸阀 DN80": 2}, "store": "FW1", "expected_at": now + HOUR}
    one = step(house.person, one, "parts", **wait)
    assert one["parts_wait"] == wait | {"late": False}
    kept = store_now(house, "FW1")
    assert (kept["free"], kept["reserved"]) == (
        {"闸阀 DN80": 1}, {one["id"]: {"闸阀 DN80": 2}},
    )  # fmt: skip
    problem = refused(house.person, two, "parts", **wait)
    assert (problem["status"], problem["code"]) == (409, "not_in_store")
    assert problem["present"]["there"] == {"闸阀 DN80": 1}
    assert told(house, two)["ticket"]["version"] == two["version"]
    assert refused(house.person, two, "parts", **(wait | {"store": "?"}))["status"] == 404
    two = step(house.person, two, "parts", **(wait | {"store": None}))
    assert two["parts_wait"]["store"] is None

    one = step(house.person, one, "parts-ready")
    assert one["parts_wait"] is None
    assert refused(house.person, one, "parts-ready")["code"] == "no_parts_awaited"
    assert store_now(house, "FW1")["reserved"]  # ready is not yet fetched
    step(house.person, one, "cancel")
    assert store_now(house, "FW1")["reserved"] == {}

    three = step(house.person, accepted(house), "parts", **wait)
    three = carry(house.person, three, crews[0], "verify")
    step(house.person, three, "reopen")
    assert store_now(house, "FW1")["free"] == {"闸阀 DN80": 3}
    four = step(house.person, accepted(house), "parts", **wait)
    step(house.person, four, "merge", into=two["id"])
    assert store_now(house, "FW1")["free"] == {"闸阀 DN80": 3}
    for loose in (two["id"], three["id"]):
        now_it = told(house, {"id": loose})["ticket"]
        step(house.person, now_it, "cancel")


def test_the_last_part_goes_to_one_of_many(house: House, now: int) -> None:
    store(house, "FW2", {"泵": 1})
    waiting = [accepted(house) for _ in range(6)]
    body = {"parts": {"泵": 1}, "store": "FW2", "expected_at": now + HOUR}
    answers = at_once([
        lambda t=t: house.person.post(
            f"/api/tickets/{t['id']}/parts", {"version": t["version"]} | body
        )
        for t in waiting
    ])  # fmt: skip
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"not_in_store"}
    assert len(store_now(house, "FW2")["reserved"]) == 1


def test_a_crew_takes_parts_away_and_they_lie_on_its_van(
    house: House, crews: list[str], now: int
) -> None:
    store(house, "FW3", {"闸阀": 4, "垫片": 9})
    ticket = accepted(house)
    step(house.person, ticket, "parts", parts={"闸阀": 3}, store="FW3", expected_at=now + HOUR)
    house.person.ok(f"/api/crews/{crews[1]}/stock", {"parts": {"垫片": 2}})
    path = "/api/stores/FW3/issue"
    answer = house.person.post(path, {"crew": crews[1], "parts": {"闸阀": 2}})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_in_store")
    body = {"crew": crews[1], "parts": {"闸阀": 3}, "ticket": ticket["id"]}
    left = house.person.ok(path, body)
    assert (left["parts"], left["reserved"]) == ({"闸阀": 1, "垫片": 9}, {})
    assert house.person.get(f"/api/crews/{crews[1]}")["parts"] == {"垫片": 2, "闸阀": 3}
    for crew, at, code in (("nobody", "FW3", "no_such_crew"), (crews[1], "FW8", "no_such_store")):
        answer = house.person.post(f"/api/stores/{at}/issue", body | {"crew": crew, "ticket": None})
        assert (answer.status_code, answer.json()["code"]) == (404, code)


def test_a_store_is_counted_and_refused_below_what_is_kept(house: House, now: int) -> None:
    first = store(house, "FW4", {"弯头": 2})
    assert store(house, "FW4", {"弯头": 2})["version"] == first["version"]
    step(
        house.person, accepted(house), "parts", parts={"弯头": 2}, store="FW4",
        expected_at=now + HOUR,
    )  # fmt: skip
    place = {"name": "库", "lon": 126.63, "lat": 45.75, "datum": "wgs84"}
    for body, status, code in (
        (place | {"parts": {"弯头": 1}}, 409, "kept_for_tickets"),
        (place | {"parts": {"弯头": -1}}, 422, "bad_body"),
        (place | {"parts": {}, "datum": ""}, 422, "datum_missing"),
        (place | {"parts": {}, "lat": 95}, 422, "coordinate_out_of_range"),
    ):
        answer = house.person.post("/api/stores/FW4", body)
        assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text


def test_parts_that_do_not_come_are_told_once(house: House, now: int) -> None:
    ticket = accepted(house)
    soon = int(house.business_now().timestamp()) + 3
    step(house.person, ticket, "parts", parts={"补偿器": 1}, expected_at=soon)

    def late() -> list[str]:
        return [f["kind"] for f in told(house, ticket)["trace"] if f["kind"] == "ticket_parts_late"]

    eventually(late, "the parts are late")
    ticket = told(house, ticket)["ticket"]
    assert ticket["parts_wait"]["late"] is True
    step(house.person, ticket, "level", level="yellow", reason_code="less_severe")
    assert len(late()) == 1


# ---------------------------------------------------------------- locks
def test_two_locked_starts_of_a_crew_do_not_overlap(
    house: House, crews: list[str], now: int
) -> None:
    crew, at = crews[2], now + 6 * HOUR
    one = step(house.person, accepted(house), "work", minutes=60)
    one = step(house.person, one, "pin", crew=crew, start_at=at)
    assert one["pinned"] == {"crew": crew, "crew_name": f"{crew} 班", "start_at": at}
    two = step(house.person, accepted(house), "work", minutes=30)
    for start in (at - 29 * 60, at, at + 59 * 60):
        problem = refused(house.person, two, "pin", crew=crew, start_at=start)
        assert (problem["status"], problem["code"]) == (409, "locks_overlap")
        assert problem["present"] == {"ticket": one["id"], "start_at": at, "minutes": 60}
    step(house.person, two, "pin", crew=crews[3], start_at=at)
    before = step(house.person, accepted(house), "work", minutes=30)
    before = step(house.person, before, "pin", crew=crew, start_at=at - 30 * 60)
    loose = step(house.person, accepted(house), "pin", crew=crew)
    assert loose["pinned"]["start_at"] is None
    one = step(house.person, one, "unpin")
    assert one["pinned"] is None
    assert refused(house.person, one, "unpin")["code"] == "not_pinned"
    again = step(house.person, accepted(house), "pin", crew=crew, start_at=at)
    assert again["pinned"]["crew"] == crew
    assert refused(house.person, again, "pin", crew="nobody")["code"] == "no_such_crew"
    assert refused(house.person, again, "pin", crew=crew, start_at=now - 60)["code"] == "bad_time"


def test_of_locks_set_at_once_one_stands(house: House, crews: list[str], now: int) -> None:
    at = now + 12 * HOUR
    waiting = [accepted(house) for _ in range(5)]
    answers = at_once([
        lambda t=t: house.person.post(
            f"/api/tickets/{t['id']}/pin",
            {"version": t["version"], "crew": crews[2], "start_at": at},
        )
        for t in waiting
    ])  # fmt: skip
    assert sorted(a.status_code for a in answers) == [200, 409, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"locks_overlap"}


# ---------------------------------------------------------------- displacement
def test_a_displaced_ticket_waits_and_its_crew_is_free(house: House, crews: list[str]) -> None:
    ticket = carry(house.person, accepted(house), crews[0], "confirm")
    assert ticket["id"] in in_hand(house, crews[0])
    ticket = step(house.person, ticket, "displace", reason_code="by_hand", reason="张三丰先修")
    assert (ticket["state"], ticket["crew"], ticket["displaced_by"]) == ("accepted", None, None)
    assert ticket["id"] not in in_hand(house, crews[0])
    assert "张三丰" not in str(told(house, ticket))
    assert refused(house.person, ticket, "displace", reason_code="red")["code"] == "wrong_state"


def test_from_the_site_only_a_person_who_made_it_safe_takes_a_crew(
    house: House, crews: list[str]
) -> None:
    ticket = carry(house.person, accepted(house), crews[0], "handle")
    problem = refused(house.person, ticket, "displace", reason_code="red")
    assert (problem["status"], problem["code"]) == (409, "on_site")
    assert problem["present"]["state"] == "handling"
    problem = refused(house.source, ticket, "displace", reason_code="red", made_safe=True)
    assert problem["code"] == "on_site"
    ticket = step(house.person, ticket, "displace", reason_code="red", made_safe=True)
    assert ticket["state"] == "accepted"
    assert ticket["id"] not in in_hand(house, crews[0])
    fact = told(house, ticket)["trace"][-1]
    assert (fact["event"]["was"], fact["event"]["made_safe"]) == ("handling", True)


# ---------------------------------------------------------------- two crews
@pytest.mark.parametrize("end", ["verify", "cancel", "displace", "merge", "dispatch"])
def test_both_crews_have_it_and_both_are_let_go(house: House, crews: list[str], end: str) -> None:
    ticket = accepted(house)
    ticket = step(house.person, ticket, "dispatch", crew=crews[0], with_crew=crews[1])
    assert (ticket["crew"], ticket["with_crew"]) == (crews[0], crews[1])
    ticket = step(house.person, ticket, "confirm")
    for crew in crews[:2]:
        listed = house.person.get("/api/tickets", crew=crew, state="open")["items"]
        assert ticket["id"] in {item["id"] for item in listed}
        assert house.person.get(f"/api/crews/{crew}")["state"] == "en_route"
    more: dict[str, Any] = {
        "displace": {"reason_code": "by_hand"},
        "merge": {"into": accepted(house)["id"]},
        "dispatch": {"crew": crews[2], "reason_code": "nearer_crew"},
    }.get(end, {})
    if end == "verify":
        ticket = step(house.person, ticket, "handle")
        for crew in crews[:2]:
            assert house.person.get(f"/api/crews/{crew}")["state"] == "on_site"
    ticket = step(house.person, ticket, end, **more)
    for crew in crews[:2]:
        assert ticket["id"] not in in_hand(house, crew)
        assert house.person.get(f"/api/crews/{crew}")["state"] == "free"
    if end == "dispatch":
        step(house.person, ticket, "cancel")


# ---------------------------------------------------------------- versions
def test_who_saw_an_older_ticket_is_told_the_present_one(house: House) -> None:
    seen = accepted(house)
    now_it = step(house.person, seen, "work", minutes=40)
    for name, body in (
        ("work", {"minutes": 50}), ("permit", PERMIT), ("pin", {"crew": "F1"}), ("unpin", {}),
        ("parts-ready", {}), ("appoint", {"from_at": None, "until_at": None}),
    ):  # fmt: skip
        problem = refused(house.person, seen, name, **body)
        assert (problem["status"], problem["code"]) == (409, "version_conflict")
        assert problem["present"]["version"] == now_it["version"]
    assert refused(house.person, {"id": "260101-999999", "version": 1}, "work")["status"] == 404
