"""A call looked up: what a seat sees, who may see it, and that it is written down."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from path_house import PASSWORD, Caller, House
from path_work import STEPS

from server.adapters import accounts
from server.adapters.keys import Keys
from server.adapters.vault import Vault

NAME, PHONE = "关测试", "139-2222-0007"


@pytest.fixture(scope="module")
def house(own_house: House) -> House:
    """Of its own: the owners of its register are changed."""
    return own_house


def seat(house: House, name: str, role: Any) -> Caller:
    """A signed-in person with a role."""
    add = accounts.add_account(house.database_url, house.company, name, role, PASSWORD)
    asyncio.run(add)
    caller = Caller(house.url)
    answer = caller.http.post("/api/sign-in", json={"user": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return caller


@pytest.fixture(scope="module")
def owner(house: House) -> str:
    """An owner of two households, known to the register."""
    person = Vault(Keys(house.data / "keys")).person(house.company, NAME, PHONE)
    vault = Vault(Keys(house.data / "keys"))
    house.sql(
        "INSERT INTO person VALUES ($1, $2, $3, $4, $5)",
        house.company, person.pseudonym, vault.seal_person(house.company, person),
        vault.blind_name(house.company, NAME), vault.blind_phone(house.company, PHONE),
    )  # fmt: skip
    house.sql(
        "UPDATE household SET pseudonym = $2, green_channel = household_id = 'H-048'"
        " WHERE company_id = $1 AND household_id IN ('H-048', 'H-049')",
        house.company, person.pseudonym,
    )  # fmt: skip
    return person.pseudonym


def look_up(by: Caller, **asked: str) -> Any:
    answer = by.http.post("/api/calls/look-up", json=asked)
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.json()


def test_a_ringing_number_brings_up_everything(house: House, owner: str) -> None:
    desk = seat(house, "seat-1", "seat")
    body = {
        "source": "phone", "household": "H-048", "words": "老人家里不热",
        "caller": {"name": NAME, "phone": PHONE}, "accepted": True,
    }  # fmt: skip
    ticket = desk.ok("/api/requests", body)
    assert (ticket["owner"], ticket["green_channel"], ticket["level"]) == ("seat-1", True, "yellow")
    found = look_up(desk, phone="13922220007")
    assert found["caller"] == {"pseudonym": owner, "name": NAME, "phone": "13922220007"}
    cards = {h["household"]: h for h in found["households"]}
    assert set(cards) == {"H-048", "H-049"}
    card = cards["H-048"]
    assert (card["owner_name"], card["owner_phone"], card["is_caller"]) == (NAME, PHONE, True)
    assert (card["standing"], card["valve_state"], card["green_channel"]) == (
        "heated", "unknown", True,
    )  # fmt: skip
    assert [t["id"] for t in found["tickets"]] == [ticket["id"]]
    assert found["outages"] == found["applications"] == found["cases"] == []
    for asked in ({"name": NAME}, {"household": "H-048"}):
        assert look_up(desk, **asked)["households"][0]["owner_name"] == NAME
    at_home = look_up(desk, building=card["building"])
    assert {h["building"] for h in at_home["households"]} == {card["building"]}
    unknown = look_up(desk, phone="13900009999")
    assert (unknown["caller"]["name"], unknown["households"]) == (None, [])


def test_a_tenant_is_known_by_what_was_called_about(house: House) -> None:
    desk = seat(house, "seat-1", "seat")
    tenant = {"name": "租测试", "phone": "13933330001"}
    desk.ok(
        "/api/requests",
        {"source": "phone", "household": "H-050", "kind": "repair", "caller": tenant},
    )
    found = look_up(desk, phone=tenant["phone"])
    assert [(h["household"], h["is_caller"]) for h in found["households"]] == [("H-050", False)]
    assert found["caller"]["name"] == "租测试"


def test_every_look_up_is_written_down_without_the_number(house: House, owner: str) -> None:
    desk = seat(house, "seat-2", "seat")
    look_up(desk, phone=PHONE)
    rows = house.sql("SELECT what, pseudonym FROM resident_access WHERE by_whom = 'person:seat-2'")
    assert [(r["what"], r["pseudonym"]) for r in rows] == [("look-up by phone", owner)]


def test_only_people_of_the_desk_may_look(house: House) -> None:
    wall = seat(house, "wall-1", "wall")
    before = house.sql("SELECT count(*) FROM resident_access")
    for caller in (house.source, wall):
        answer = caller.http.post("/api/calls/look-up", json={"phone": PHONE})
        assert (answer.status_code, answer.json()["code"]) == (403, "role_needed")
    assert house.sql("SELECT count(*) FROM resident_access") == before
    nobody = Caller(house.url).http.post("/api/calls/look-up", json={"phone": PHONE})
    assert nobody.status_code == 401


def test_a_wall_reads_what_stands_on_it_and_nothing_else(house: House) -> None:
    wall = seat(house, "wall-1", "wall")
    assert wall.get("/api/session")["role"] == "wall"
    ticket = house.person.ok(
        "/api/requests", {"source": "phone", "household": "H-051", "kind": "repair"}
    )
    for path in ("/api/layers/tickets", "/api/tickets", "/api/outages", "/api/crews"):
        wall.get(path)
    shown = wall.get(f"/api/tickets/{ticket['id']}")
    assert "H-051" not in str(shown)
    assert "H-051" in str(house.person.get(f"/api/tickets/{ticket['id']}"))
    assert wall.http.post("/api/live-passes").status_code == 201
    for path in ("/api/people", "/api/buildings?words=a", "/api/suspensions", "/api/cases"):
        answer = wall.http.get(path)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_needed"), path
    for path, body in (
        ("/api/requests", {"kind": "leak", "source": "phone", "building": "B01"}),
        (f"/api/tickets/{ticket['id']}/cancel", {"version": 1} | STEPS["cancel"]),
        ("/api/requests/propose", {"words": "不热"}),
    ):
        answer = wall.post(path, body)
        assert (answer.status_code, answer.json()["code"]) == (403, "role_needed"), path


@pytest.mark.parametrize(
    ("asked", "code"),
    [
        ({}, "one_question"), ({"phone": "1", "name": "a"}, "one_question"),
        ({"phone": "12"}, "bad_phone"), ({"name": "a\u0000b"}, "control_characters"),
        ({"name": "  "}, "one_question"), ({"flat": "3"}, "bad_body"),
    ],
)  # fmt: skip
def test_what_asks_nothing_is_refused(house: House, asked: dict[str, str], code: str) -> None:
    answer = house.person.http.post("/api/calls/look-up", json=asked)
    assert (answer.status_code, answer.json()["code"]) == (422, code)


def test_people_of_the_company_are_listed(house: House) -> None:
    seat(house, "seat-1", "seat")
    people = {p["name"]: p["role"] for p in house.person.get("/api/people")["items"]}
    assert people["admin"] == "administrator"
    assert people["seat-1"] == "seat"
