"""Crews over HTTP: the register's further data, what lies on the van, stopped and back."""

from __future__ import annotations

from typing import Any

import pytest
from path_house import House, eventually
from path_work import crew_on_duty, receive, register_crew, step

BASE = {"lon": 126.63, "lat": 45.75, "datum": "wgs84"}
BREAK = {"after": "11:00", "before": "13:00", "minutes": 40}


def crew_now(house: House, crew: str) -> Any:
    return house.person.get(f"/api/crews/{crew}")


def told(house: House, crew: str) -> list[str]:
    rows = house.sql("SELECT kind FROM journal WHERE stream = $1 ORDER BY version", f"crew:{crew}")
    return [row[0] for row in rows]


def test_what_a_crew_is_entered_with_and_what_is_left_away(house: House) -> None:
    more = {"skill": 5, "territory": ["道里区"], "base": BASE, "breaks": [BREAK],
            "equipment": ["pump"]}  # fmt: skip
    crew = register_crew(house.person, "CF1", **more)
    assert (crew["skill"], crew["territory"], crew["breaks"]) == (5, ["道里区"], [BREAK])
    assert crew["base"] == {"lon": 126.63, "lat": 45.75}
    assert (crew["equipment"], crew["parts"], crew["stopped"]) == (["pump"], None, None)
    again = register_crew(house.person, "CF1")
    assert again == crew
    assert register_crew(house.person, "CF1", territory=[])["territory"] == []
    assert told(house, "CF1") == ["crew_registered", "crew_registered"]


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"skill": 6}, "bad_body"), ({"skill": 0}, "bad_body"),
        ({"base": {"lon": 126.6, "lat": 45.7}}, "datum_missing"),
        ({"base": BASE | {"lat": 95}}, "coordinate_out_of_range"),
        ({"breaks": [BREAK | {"after": "25:00"}]}, "bad_crew"),
        ({"breaks": [BREAK | {"minutes": 0}]}, "bad_crew"),
        ({"breaks": [{"after": "11:00"}]}, "bad_body"),
    ],
)  # fmt: skip
def test_data_that_no_crew_can_have(house: House, more: Any, code: str) -> None:
    body = {
        "name": "班",
        "trades": ["indoor"],
        "members": 2,
        "vehicle": "v",
        "shift": "06:00-18:00",
    }
    answer = house.person.post("/api/crews/CF2", body | more)
    assert (answer.status_code, answer.json()["code"]) == (422, code), answer.text


def test_a_van_is_counted(house: House) -> None:
    register_crew(house.person, "CF3")
    crew = house.person.ok("/api/crews/CF3/stock", {"parts": {"闸阀": 2, "垫片": 0}})
    assert crew["parts"] == {"闸阀": 2}
    same = house.person.ok("/api/crews/CF3/stock", {"parts": {"闸阀": 2}})
    assert same["version"] == crew["version"]
    answer = house.person.post("/api/crews/CF3/stock", {"parts": {"闸阀": -1}})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_body")
    for name, body in (("stock", {"parts": {}}), ("stop", {"reason_code": "sick"}), ("back", {})):
        answer = house.person.post(f"/api/crews/CF-none/{name}", body)
        assert (answer.status_code, answer.json()["code"]) == (404, "no_such_crew")


def test_a_stopped_crew_keeps_its_tickets_and_takes_no_more(house: House) -> None:
    crew = crew_on_duty(house, "CF4")
    mine = receive(house.person, accepted=True, separate=True)
    mine = step(house.person, mine, "dispatch", crew=crew)
    stopped = house.person.ok(f"/api/crews/{crew}/stop", {"reason_code": "breakdown"})
    assert stopped["stopped"]["reason_code"] == "breakdown"
    assert stopped["tickets"] == [mine["id"]]
    grounds = house.sql(
        "SELECT grounds FROM journal WHERE stream = $1 ORDER BY version DESC LIMIT 1",
        f"crew:{crew}",
    )
    assert mine["id"] in grounds[0][0]
    other = receive(house.person, accepted=True, separate=True)
    answer = house.person.post(
        f"/api/tickets/{other['id']}/dispatch", {"version": other["version"], "crew": crew}
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "crew_stopped")
    mine = step(house.person, mine, "displace", reason_code="crew_stopped")
    assert crew_now(house, crew)["tickets"] == []
    back = house.person.ok(f"/api/crews/{crew}/back")
    assert back["stopped"] is None
    assert house.person.ok(f"/api/crews/{crew}/back")["version"] == back["version"]
    step(house.person, other, "dispatch", crew=crew)


def test_a_stop_with_an_end_is_over_by_itself_once(house: House) -> None:
    register_crew(house.person, "CF5")
    now = int(house.business_now().timestamp())
    body = {"reason_code": "sick", "until_at": now - 1}
    answer = house.person.post("/api/crews/CF5/stop", body)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_time")
    house.person.ok("/api/crews/CF5/stop", body | {"until_at": now + 3})
    eventually(lambda: crew_now(house, "CF5")["stopped"] is None, "the crew is back")
    register_crew(house.person, "CF6")  # and another round of the watch
    house.person.ok("/api/crews/CF6/stop", body | {"until_at": now + 60})
    assert told(house, "CF5").count("crew_back") == 1
    assert crew_now(house, "CF6")["stopped"]["until_at"] == now + 60
