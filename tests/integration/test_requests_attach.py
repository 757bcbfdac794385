"""Requests at the front door: what the words make of them, and which open ticket they join."""

from __future__ import annotations

from typing import Any

import pytest
from path_house import Caller, House
from path_work import at_once, carry, crew_on_duty, step

COLD = {"source": "phone", "words": "家里暖气不热，冰凉"}


def call(by: Caller, household: str, **more: Any) -> Any:
    return by.ok("/api/requests", COLD | {"household": household} | more)


def caller(n: int) -> dict[str, str]:
    return {"name": f"测试{n}", "phone": f"1000-{n:07d}"}


def events(house: House, ticket: Any, kind: str) -> list[Any]:
    found = house.person.get(f"/api/tickets/{ticket['id']}")
    return [f["event"] for f in found["trace"] if f["kind"] == kind]


def test_words_give_kind_level_and_the_reason(house: House) -> None:
    first = call(house.person, "H-041", words="暖气片跑水了，没有烫伤人")
    assert (first["kind"], first["level"], first["attached"]) == ("leak", "red", False)
    assert first["reasons"] == ["danger:跑水"]
    calm = call(house.person, "H-042", words="没有漏水，就是不热")
    assert (calm["kind"], calm["level"], calm["reasons"]) == ("not_warm", "blue", ["kind:不热"])
    given = call(house.person, "H-043", level="red", kind="question", words="几点上班")
    assert (given["kind"], given["level"]) == ("question", "red")
    assert given["reasons"][:2] == ["as_given", "proposed:blue"]
    [received] = events(house, first, "ticket_received")
    assert received["level_reason"] == "danger"
    assert (received["household"], received["resident"]) == ("H-041", None)


def test_a_repeat_call_attaches_and_hurries(house: House) -> None:
    first = call(house.person, "H-044", caller=caller(44), accepted=True)
    assert (first["level"], first["reports"], first["owner"]) == ("blue", 1, "admin")
    levels = []
    for n in range(2, 7):
        again = house.person.post(
            "/api/requests",
            COLD | {"household": "H-044", "words": f"第{n}次打电话了，暖气坏了"},
        )
        assert again.status_code == 200
        answer = again.json()
        assert (answer["id"], answer["attached"]) == (first["id"], True)
        assert answer["reports"] == n
        levels.append(answer["level"])
    assert levels == ["yellow", "yellow", "yellow", "red", "red"]
    changes = events(house, first, "ticket_level_changed")
    assert [c["reason_code"] for c in changes] == ["many_reports", "many_reports"]
    separate = call(house.person, "H-044", separate=True)
    assert (separate["attached"], separate["reports"]) == (False, 1)
    other = call(house.person, "H-044", words="漏水了")
    assert (other["attached"], other["kind"]) == (False, "leak")


def test_the_same_caller_at_the_same_building_attaches_without_a_household(house: House) -> None:
    body = COLD | {"building": "B03", "caller": caller(3)}
    one, two = house.person.ok("/api/requests", body), house.person.ok("/api/requests", body)
    assert (two["id"], two["attached"], two["reports"]) == (one["id"], True, 2)
    elsewhere = house.person.ok("/api/requests", body | {"building": "B04"})
    assert not elsewhere["attached"]
    somebody = house.person.ok("/api/requests", body | {"caller": caller(5)})
    assert not somebody["attached"]


@pytest.mark.parametrize("phone", ["未知", "匿名", "-", "unknown", "0", "00000000000"])
def test_callers_with_a_withheld_number_are_not_one_person(house: House, phone: str) -> None:
    body = COLD | {"building": "B09", "caller": {"phone": phone}}
    one, two = house.person.ok("/api/requests", body), house.person.ok("/api/requests", body)
    assert (two["attached"], two["reports"]) == (False, 1)
    assert one["id"] != two["id"]


def test_a_phone_is_one_however_it_is_written(house: House) -> None:
    body = COLD | {"building": "B10"}
    first, *others = (
        house.person.ok("/api/requests", body | {"caller": {"phone": phone}})["id"]
        for phone in (
            "13933330123", "１３９３３３３０１２３", "0139-3333-0123", "+86 139 3333 0123",
            "0086 13933330123",
        )
    )  # fmt: skip
    assert set(others) == {first}


def test_danger_in_a_repeat_call_raises_at_once(house: House) -> None:
    first = call(house.person, "H-045", words="阀门渗水")
    assert first["level"] == "yellow"
    again = call(house.person, "H-045", words="现在跑水了！")
    assert (again["id"], again["level"]) == (first["id"], "red")
    [change] = events(house, first, "ticket_level_changed")
    assert change["reason_code"] == "danger"


def test_the_same_call_sent_twice_counts_but_hurries_nobody(house: House) -> None:
    first = call(house.person, "H-046", caller=caller(46))
    for n in range(2, 9):
        again = call(house.person, "H-046", caller=caller(46))
        assert (again["id"], again["reports"], again["level"]) == (first["id"], n, "blue")
    assert all(e["duplicate"] for e in events(house, first, "ticket_repeated"))


def test_the_same_fault_again_within_days_raises(house: House) -> None:
    crew = crew_on_duty(house, "RA1")
    first = call(house.person, "H-047")
    closed = carry(house.person, first, crew, "close")
    assert closed["state"] == "closed"
    again = call(house.person, "H-047")
    assert (again["attached"], again["level"], again["history"]) == (False, "yellow", 1)
    assert again["reasons"] == ["kind:不热", "kind:冰凉", "history:1"]


def test_an_open_outage_explains_a_cold_flat_but_no_leak(house: House) -> None:
    at = int(house.business_now().timestamp())
    opened = house.person.ok(
        "/api/outages", {"node": "B09", "cause": "pump", "expected_end_at": at + 3600}
    )
    cold = call(house.person, "H-057")  # in B09
    assert cold["building"] == "B09"
    assert (cold["outage"], cold["level"]) == (opened["id"], "blue")
    assert f"outage:{opened['id']}" in cold["reasons"]
    for n in range(6):
        again = call(house.person, "H-057", words=f"第{n}次问，还没来热吗，冰凉")
    assert (again["id"], again["reports"], again["level"]) == (cold["id"], 7, "blue")
    leak = call(house.person, "H-057", words="楼道跑水")
    assert (leak["outage"], leak["level"]) == (None, "red")
    house.person.ok(f"/api/outages/{opened['id']}/end", {"version": opened["version"]})
    step(house.person, again, "cancel")
    after = call(house.person, "H-057")
    assert after["outage"] is None


def test_fifty_at_once_over_two_web_processes_make_one_ticket(new_house: Any) -> None:
    with new_house(webs=2) as house:
        callers = [Caller(web.url, house.token) for web in house.webs]
        body = COLD | {"household": "H-001", "caller": caller(1)}
        answers = at_once(
            [lambda c=callers[n % 2]: c.post("/api/requests", body) for n in range(50)]
        )
        assert sorted(a.status_code for a in answers) == [200] * 49 + [201]
        assert len({a.json()["id"] for a in answers}) == 1
        page = house.person.get("/api/tickets")
        assert (page["total"], page["reports"]) == (1, 50)
        assert sorted(a.json()["reports"] for a in answers) == list(range(1, 51))
        [ticket] = page["items"]
        assert (ticket["level"], ticket["reports"]) == ("blue", 50)
