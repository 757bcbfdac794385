"""Outages opened, extended and ended by hand over HTTP, with what hangs on the node."""

from __future__ import annotations

from typing import Any

import pytest
from path_house import BUILDINGS, HOUSEHOLDS, House
from path_screen import Screen
from path_work import receive


def soon(house: House) -> int:
    return int(house.business_now().timestamp()) + 3600


def opened(house: House, node: str, **more: Any) -> Any:
    body = {"node": node, "cause": "pump", "expected_end_at": soon(house)} | more
    return house.person.ok("/api/outages", body)


def test_an_outage_from_opening_to_end(house: House) -> None:
    wall = Screen(house.person.http, ["outages"]).open(house.url).loaded()
    plant, station, building = (opened(house, node) for node in ("P1", "S1", "B01"))
    # other tests of this house bring in households, never buildings
    count = "SELECT count(*) FROM household WHERE company_id = $1"
    homes = house.sql(count, house.company)[0][0]
    assert homes >= len(HOUSEHOLDS)
    assert (plant["buildings"], plant["households"]) == (len(BUILDINGS), homes)
    assert station["buildings"] == len(BUILDINGS) // 2
    assert (building["buildings"], building["node_kind"]) == (1, "building")
    wall.until(lambda: plant["id"] in wall.rows("outages"), "it is on the wall")
    path = f"/api/outages/{plant['id']}"
    later = house.person.ok(f"{path}/extend", {"version": 1, "expected_end_at": soon(house) + 600})
    assert later["expected_end_at"] > plant["expected_end_at"]
    stale = house.person.post(f"{path}/end", {"version": 1})
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    assert stale.json()["present"]["version"] == 2
    ticket = receive(house.person, outage=plant["id"])
    assert ticket["outage"] == plant["id"]
    assert house.person.ok(f"{path}/end", {"version": 2})["ended_at"] is not None
    wall.until(lambda: plant["id"] not in wall.rows("outages"), "and off it")
    again = house.person.post(f"{path}/end", {"version": 3})
    assert (again.status_code, again.json()["code"]) == (409, "outage_ended")
    assert again.json()["present"]["state"] == "ended"
    listed = {o["id"] for o in house.person.get("/api/outages")["items"]}
    assert {station["id"], building["id"]} <= listed
    assert plant["id"] not in listed
    assert plant["id"] in {o["id"] for o in house.person.get("/api/outages", ended=True)["items"]}
    for left in (station, building):  # one that is open explains the cold flats of other tests
        house.person.ok(f"/api/outages/{left['id']}/end", {"version": left["version"]})
    wall.close()


@pytest.mark.parametrize(
    ("more", "status", "code"),
    [
        ({"node": "nowhere"}, 404, "no_such_node"),
        ({"cause": "other"}, 422, "reason_needed"),
        ({"cause": "mice"}, 422, "bad_body"),
        ({"expected_end_at": 1}, 422, "bad_expected_end"),
        ({"expected_end_at": 10**30}, 422, "bad_body"),
        ({"expected_end_at": -1}, 422, "bad_body"),
        ({"name": "x"}, 422, "bad_body"),
    ],
)
def test_outages_that_cannot_be_opened(
    house: House, more: dict[str, Any], status: int, code: str
) -> None:
    body = {"node": "S2", "cause": "pump", "expected_end_at": soon(house)} | more
    answer = house.person.post("/api/outages", body)
    assert (answer.status_code, answer.json()["code"]) == (status, code)
