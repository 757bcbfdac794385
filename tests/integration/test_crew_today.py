"""What a crew's phone lives on: its own visits with all it needs without a signal, whose residents
it showed, and when to ask again."""

from __future__ import annotations

import time
from typing import Any

import pytest
from path_house import LAT, LON, House
from path_phone import Phone, key, picture, signed_in
from path_residents import CALLER, NAME, PHONE, WORDS, found_in
from path_screen import Screen
from path_work import crew_on_duty, given, step

SLOTS = ["fault_point", "in_progress", "user_confirmation"]


@pytest.fixture(scope="module")
def phone(house: House) -> Phone:
    return signed_in(house, crew_on_duty(house, "TD1"))


@pytest.fixture(scope="module")
def other(house: House) -> Phone:
    return signed_in(house, crew_on_duty(house, "TD2"))


def of(day: Any, ticket: str) -> Any:
    return next((v for v in day["visits"] if v["ticket"] == ticket), None)


def looks(house: House, ticket: str) -> list[str]:
    rows = house.sql(
        "SELECT by_whom, what FROM resident_access WHERE company_id = $1 AND what LIKE $2",
        house.company, f"today % ticket:{ticket} %",
    )  # fmt: skip
    return [row["by_whom"] for row in rows]


def test_a_visit_is_told_with_all_that_it_needs(house: House, phone: Phone) -> None:
    ticket = given(house, phone.crew, caller=CALLER, words=WORDS)
    day = phone.today()
    assert (day["crew"], day["name"], day["on_duty"]) == (phone.crew, "TD1 班", True)
    visit = of(day, ticket)
    assert (visit["state"], visit["kind"], visit["order"] >= 1) == ("dispatched", "leak", True)
    assert visit["resident"] == {"name": NAME, "phone": CALLER["phone"]}
    assert visit["words"] == [WORDS]
    assert visit["flat"]["household"] == "H-001"
    assert (visit["lon"], visit["lat"]) == (LON, LAT)
    assert [(v["id"], v["kind"], v["state"]) for v in visit["valves"]] == [
        ("B01", "building", "open"), ("S1", "substation", "open"), ("P1", "plant", "open"),
    ]  # fmt: skip
    assert [(s["slot"], s["state"]) for s in visit["slots"]] == [(s, "owed") for s in SLOTS]
    assert visit["missing"] == SLOTS
    nonces = {slot: len(words) for slot, words in visit["nonces"].items()}
    assert nonces == dict.fromkeys([*SLOTS, "door", "notice"], 3)
    assert visit["check_in"] is None
    assert visit["due_at"] > visit["received_at"]
    skew = abs(day["clock"]["system_ms"] - time.time() * 1000)
    assert skew < 30_000
    assert abs(day["clock"]["at_ms"] / 1000 - day["server_at"]) <= 1


def test_what_the_crew_does_is_seen_in_it(house: House, phone: Phone) -> None:
    ticket = given(house, phone.crew)
    phone.check_in_key = key("in")
    phone.ok(ticket, "check-in", once=phone.check_in_key)
    phone.ok(ticket, "valve", valve="S1", to="closed")
    phone.ok(ticket, "valve", valve="riser-3", to="closed", name="3 单元立管阀")
    phone.ok(ticket, "hazard", hazard="dog")
    word = of(phone.today(), ticket)["nonces"]["fault_point"][0]
    phone.send(ticket, "fault_point", picture(900), nonce=word)
    visit = of(phone.today(), ticket)
    assert (visit["state"], visit["check_in"]["verdict"]) == ("handling", "in")
    shut = {v["id"]: (v["homes"], v["until_at"]) for v in visit["valves"]}
    homes, ends = shut["S1"]
    outage = next(
        o["row"] for o in house.person.get("/api/layers/outages")["rows"]
        if o["row"]["name"] == next(v["name"] for v in visit["valves"] if v["id"] == "S1")
    )  # fmt: skip
    assert (homes, ends) == (outage["households"], outage["expected_end_at"])
    assert shut["riser-3"] == (None, None)
    assert shut["P1"][1] is None
    assert shut["B01"][0] <= homes <= shut["P1"][0]
    assert {v["id"]: v["state"] for v in visit["valves"]} == {
        "B01": "open", "S1": "closed", "P1": "open", "riser-3": "closed",
    }  # fmt: skip
    assert visit["dangers"] == ["dog"]
    assert visit["missing"] == SLOTS[1:]
    assert visit["slots"][0] == {"slot": "fault_point", "state": "pending", "why": []}
    record = house.person.get(f"/api/evidence/{ticket}")
    held = record["photos"]["fault_point"]["photo"]
    again = {
        "version": record["version"], "slot": "fault_point", "photo": held,
        "reason_code": "unreadable", "reason": "看不清",
    }  # fmt: skip
    codes = house.person.post(f"/api/evidence/{ticket}/again", again)
    assert codes.status_code == 200, codes.text
    slot = of(phone.today(), ticket)["slots"][0]
    assert (slot["state"], slot["why"]) == ("again", ["unreadable"])
    phone.ok(ticket, "valve", valve="S1", to="open", vented=True)
    phone.ok(ticket, "valve", valve="riser-3", to="open")
    states = {v["id"]: v["state"] for v in of(phone.today(), ticket)["valves"]}
    assert (states["S1"], states["riser-3"]) == ("open", "unvented")


def test_a_crew_sees_its_own_tickets_alone(house: House, phone: Phone, other: Phone) -> None:
    ticket = given(house, other.crew, caller=CALLER, words=WORDS)
    assert of(other.today(), ticket)
    mine = phone.caller.http.get("/api/crew/today")
    assert of(mine.json(), ticket) is None
    seen = house.person.get(f"/api/tickets/{ticket}")["ticket"]
    step(house.person, seen, "displace", reason_code="by_hand")
    assert of(other.today(), ticket) is None
    assert house.person.http.get("/api/crew/today").status_code == 403


def test_each_resident_shown_is_written_down_once_a_day_and_phone(
    house: House, phone: Phone, other: Phone
) -> None:
    ticket = given(house, other.crew, caller=CALLER, words=WORDS)
    assert looks(house, ticket) == []
    for _ in range(3):
        other.today()
    assert looks(house, ticket) == [f"crew:{other.crew}"]
    second = signed_in(house, other.crew)
    assert of(second.today(), ticket)["resident"]["phone"] == CALLER["phone"]
    assert looks(house, ticket) == [f"crew:{other.crew}"] * 2
    phone.today()
    assert looks(house, ticket) == [f"crew:{other.crew}"] * 2
    assert found_in(other.caller.http.get("/api/crew/today").content)
    rows = house.sql("SELECT what FROM resident_access WHERE company_id = $1", house.company)
    assert not [r for r in rows if NAME in r["what"] or PHONE in r["what"]]


def test_it_is_answered_again_only_when_it_has_changed(house: House, other: Phone) -> None:
    ticket = given(house, other.crew)
    first = other.caller.http.get("/api/crew/today")
    tag = {"If-None-Match": first.headers["etag"]}
    same = other.caller.http.get("/api/crew/today", headers=tag)
    assert (same.status_code, same.content) == (304, b"")
    other.ok(ticket, "accept")
    new = other.caller.http.get("/api/crew/today", headers=tag)
    assert new.status_code == 200
    assert of(new.json(), ticket)["state"] == "confirmed"


def test_the_phone_hears_of_every_change_and_of_its_own_alone(
    house: House, phone: Phone, other: Phone
) -> None:
    mine, theirs = listening(house, phone), listening(house, other)
    try:
        before, since = theirs.rows("rounds"), stamp(mine, phone)
        ticket = given(house, phone.crew)

        def changed(what: str) -> None:
            nonlocal since
            mine.until(lambda: stamp(mine, phone) > since, what)
            since = stamp(mine, phone)

        changed("the ticket that it was given")
        seen = house.person.get(f"/api/tickets/{ticket}")["ticket"]
        step(house.person, seen, "level", level="yellow", reason_code="other", reason="再看")
        changed("the level was changed")
        phone.ok(ticket, "check-in")
        changed("it checked in")
        phone.send(ticket, "fault_point", picture(901))
        changed("a photo was taken")
        record = house.person.get(f"/api/evidence/{ticket}")
        waive = {"version": record["version"], "reason_code": "known_good", "reason": "已核实"}
        assert house.person.post(f"/api/evidence/{ticket}/waive", waive).status_code == 200
        changed("the desk waived the photos")
        assert set(mine.rows("rounds")) == {phone.crew}
        assert theirs.rows("rounds") == before
    finally:
        mine.close()
        theirs.close()


def listening(house: House, phone: Phone) -> Screen:
    return Screen(phone.caller.http, topics=["rounds"]).open(house.url).loaded()


def stamp(screen: Screen, phone: Phone) -> int:
    return int(screen.rows("rounds").get(phone.crew, {}).get("stamp", 0))
