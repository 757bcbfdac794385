"""What each kind of caller finds at every door of the application, so that a new door cannot be
forgotten: strangers nothing, sources no resident, a wall only what stands on it."""

from __future__ import annotations

import asyncio
import json
import stat
from typing import Any

import httpx
import pytest
from path_dispatch import decided_on
from path_heating import local
from path_house import PASSWORD, Caller, House
from path_phone import signed_in
from path_residents import (
    CALLER,
    HOMES,
    WORDS,
    asked_of_the_engine,
    at_the_desk,
    found_in,
    through_the_intake,
)
from path_routes import OF_CREWS, Door, guarded
from path_screen import TOPICS, Screen
from path_work import receive
from typing_extensions import override

from server.adapters import accounts

PEOPLE_READ = {
    "/api/address-questions", "/api/cases/{case_id}", "/api/suspensions/{application_id}",
    "/api/photos/{photo}", "/api/imports/{run}/rejects.csv", "/api/exports/{name}",
    "/api/handovers", "/api/handovers/{handover_id}", "/api/reports/{name}",
    "/api/tickets/{ticket_id}/written",
}  # fmt: skip
"""Here people of the desk read what residents said; nobody else does."""
WALL = {
    "/api/session", "/api/session/company", "/api/live-passes", "/api/layers/{name}",
    "/api/tickets", "/api/tickets/{ticket_id}", "/api/outages", "/api/outages/{outage_id}",
    "/api/crews", "/api/crews/{crew_id}", "/api/points/{point_id}", "/api/nodes/{node_id}",
    "/api/communities/{community_id}", "/api/cells/{key}", "/tiles/{company}/{file}",
}  # fmt: skip
WALL_POSTS = {"/api/session/company", "/api/live-passes"}
NAMED_BY_NOBODY = {"/api/layers/{name}", "/api/exports/{name}", "/api/imports/{kind}"}
"""Not a record's name, but one that every company has."""
MADE_ANEW = {"/api/crews/{crew_id}", "/api/stores/{store_id}"}
"""A company names its own."""
NOBODYS = {"unknown_source", "not_frozen_yet", "nothing_to_propose", "crew_needed"}
"""What else is said of a record that is not there, or that only a crew's phone may speak of."""
COMPANY = {"code": "warm"}
"""A body that any door may read before it asks who is there."""
NOT_THERE = {
    "/api/cells/{key}", "/tiles/{company}/{file}", "/api/evidence/{ticket_id}/photos/{photo}",
    "/api/evidence/{ticket_id}/photos/{photo}/original",
    "/api/evidence/{ticket_id}/match/{photo}/{twin}",
}  # fmt: skip
"""This house has none."""
QUERY = {
    "/api/addresses/suggest": {"words": "和平路"},
    "/api/address-questions": {"answered": "true"},
    "/api/address-questions/{question_id}/lessons": {"building": "B04"},
    "/api/buildings": {"words": "和平路"},
    "/api/campaigns/preview": {"purpose": "suspension_deadline", "days_before": "60"},
    "/api/tickets": {"limit": "500"},
    "/api/reports/{day}/records": {"figure": "received_n"},
    "/api/reports/sham": {"month": "2026-08"},
    "/api/reports/sham.csv": {"month": "2026-08"},
}


@pytest.fixture(scope="module")
def house(own_house: House) -> House:
    """In August, when households can still apply for a stop."""
    own_house.set_clock(local(2026, 8, 15))
    return own_house


@pytest.fixture(scope="module")
def names(house: House) -> dict[str, str]:
    """A record for every path, after residents came in by every door."""
    found = through_the_intake(house)
    receive(house.person, household=HOMES[0], building=None, words=WORDS, caller=CALLER)
    outage = {
        "node": "B07", "cause": "other", "reason": WORDS,
        "expected_end_at": int(house.business_now().timestamp()) + 3600,
    }  # fmt: skip
    desk = at_the_desk(house)
    return found | desk | {
        "outage_id": house.person.ok("/api/outages", outage)["id"],
        "point_id": "RT-01", "node_id": "S1",
        "community_id": "K1", "key": "400:1:1", "company": "warm", "file": "none.pmtiles",
        "name": "", "kind": "households", "source": "test", "store_id": "W0",
        "upload": "A" * 22, "device": "A" * 22, "twin": "0" * 64,
    }  # fmt: skip


@pytest.fixture(scope="module")
def wall(house: House) -> Caller:
    """A wall's session."""
    return colleague(house, house.company, "wall-9", "wall")


def colleague(house: House, company: int, name: str, role: accounts.Role) -> Caller:
    """A new account of a company, signed in."""
    asyncio.run(accounts.add_account(house.database_url, company, name, role, PASSWORD))
    caller = Caller(house.url)
    answer = caller.http.post("/api/sign-in", json={"user": name, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return caller


def paths(door: Door, names: dict[str, str]) -> list[str]:
    """Where to knock."""
    if door.path == "/api/layers/{name}":
        return [f"/api/layers/{topic}{form}" for topic in TOPICS for form in ("", ".geojson")]
    if door.path == "/api/exports/{name}":
        return [f"/api/exports/{kind}.csv" for kind in ("households", "tickets")]
    if door.path == "/api/reports/{name}":
        return [f"/api/reports/{names['day']}{form}" for form in ("", ".pdf")]
    return [door.at(names)]


@pytest.fixture(scope="module")
def known(house: House) -> list[Door]:
    """Every door at which somebody must be signed in."""
    return guarded(house)


def reads(known: list[Door]) -> list[Door]:
    """Every door that is read, but for those of crews."""
    return [d for d in known if d.method == "GET" and not d.path.startswith(OF_CREWS)]


def knock(caller: Caller, door: Door, path: str, body: Any = COMPANY) -> httpx.Response:
    """What is answered there."""
    if door.method == "GET":
        return caller.http.get(path, params=QUERY.get(door.path))
    if door.method == "DELETE":
        return caller.http.delete(path)
    return caller.post(path, body) if door.method == "POST" else caller.http.put(path, content=b"")


def test_strangers_find_every_door_closed(
    house: House, known: list[Door], names: dict[str, str]
) -> None:
    for token in (None, "a token that nobody gave"):
        stranger = Caller(house.url, token)
        for door in known:
            answer = knock(stranger, door, paths(door, names)[0])
            assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in"), door


def test_residents_are_read_by_people_and_only_where_they_work(
    house: House, known: list[Door], names: dict[str, str]
) -> None:
    shown: set[str] = set()
    for door in reads(known):
        for path in paths(door, names):
            answer = house.person.http.get(path, params=QUERY.get(door.path))
            assert answer.status_code == 200 or door.path in NOT_THERE, (path, answer.text)
            if found_in(answer.content):
                shown.add(door.path)
    assert shown == PEOPLE_READ


def test_sources_read_no_resident(house: House, known: list[Door], names: dict[str, str]) -> None:
    refused: set[str] = set()
    for door in reads(known):
        for path in paths(door, names):
            answer = house.source.http.get(path, params=QUERY.get(door.path))
            assert found_in(answer.content) == [], path
            if answer.status_code == 403:
                assert answer.json()["code"] == "role_needed", path
                refused.add(door.path)
            else:
                assert answer.status_code == 200 or door.path in NOT_THERE, (path, answer.text)
    mixed = {"/api/cases/{case_id}", "/api/suspensions/{application_id}"}
    assert refused >= PEOPLE_READ - mixed


def test_a_wall_is_let_in_nowhere_else(
    house: House, known: list[Door], names: dict[str, str], wall: Caller
) -> None:
    assert {door.path for door in known} >= WALL
    for door in known:
        if door.path in (WALL_POSTS if door.method == "POST" else WALL):
            continue
        for path in paths(door, names):
            answer = knock(wall, door, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_needed"), door


def test_nobody_else_passes_for_a_crew(
    house: House, known: list[Door], names: dict[str, str]
) -> None:
    """By their session or token: what is only a crew's to say and to see stays closed."""
    crews = [door for door in known if door.path.startswith(OF_CREWS)]
    assert {door.method for door in crews} == {"GET", "POST", "PUT", "DELETE"}
    for caller in (house.person, house.source):
        for door in crews:
            answer = knock(caller, door, paths(door, names)[0])
            assert (answer.status_code, answer.json()["code"]) == (403, "crew_needed"), door
            assert found_in(answer.content) == []


def test_a_crew_is_let_in_nowhere_else(
    house: House, known: list[Door], names: dict[str, str]
) -> None:
    phone = signed_in(house, names["crew_id"])
    its_own = {"/api/session", "/api/live-passes"}
    assert {door.path for door in known} >= its_own
    for door in known:
        if door.path in its_own or door.path.startswith((OF_CREWS, "/tiles/")):
            continue
        for path in paths(door, names):
            answer = knock(phone.caller, door, path)
            assert (answer.status_code, answer.json()["code"]) == (403, "role_needed"), door


def test_another_company_finds_none_of_our_records(
    house: House, known: list[Door], names: dict[str, str]
) -> None:
    """By their names, which it may know: what is read is not there, what is written changes
    nothing of ours."""
    other = asyncio.run(accounts.ensure_company(house.database_url, "doors-other", "另一家"))
    stranger = colleague(house, other, "doors-stranger", "administrator")
    documented = house.person.get("/docs/openapi.json")["paths"]
    before = house.facts_of_callers()
    looked = 0
    for door in known:
        made = door.method == "POST" and door.path in MADE_ANEW
        if "{" not in door.path or door.path in NAMED_BY_NOBODY or made:
            continue
        if door.path.startswith(OF_CREWS) and door.method != "POST":
            continue  # nobody but a phone is let in, see above
        looked += 1
        if door.method == "GET":
            for path in paths(door, names):
                answer = stranger.http.get(path, params=QUERY.get(door.path))
                assert answer.status_code == 404, (path, answer.text)
            continue
        media = documented[door.path]["post"].get("requestBody", {}).get("content", {})
        examples = media["application/json"]["examples"] if media else {"": {"value": {}}}
        body = next(iter(examples.values()))["value"]
        answer = stranger.post(door.at(names), body)
        code = answer.json()["code"]
        assert code.startswith("no_such_") or code in NOBODYS, (door, answer.text)
    assert looked > 50
    assert house.facts_of_callers() == before


def test_no_page_of_a_wall_tells_of_a_resident(
    house: House, known: list[Door], names: dict[str, str], wall: Caller
) -> None:
    for door in reads(known):
        if door.path not in WALL:
            continue
        for path in paths(door, names):
            answer = wall.http.get(path, params=QUERY.get(door.path))
            assert answer.status_code == 200 or door.path in NOT_THERE, (path, answer.text)
            assert of_residents(house, answer.content) == [], path


class Listener(Screen):
    """A screen that keeps every message as it came."""

    def __init__(self, caller: Caller) -> None:
        super().__init__(caller.http)
        self.heard: list[dict[str, Any]] = []

    @override
    def take(self, m: dict[str, Any]) -> None:
        self.heard.append(m)
        super().take(m)


def test_no_frame_of_a_wall_tells_of_a_resident(
    house: House, names: dict[str, str], wall: Caller
) -> None:
    screen = Listener(wall)
    screen.open(house.url).loaded()
    try:
        call = {"household": HOMES[1], "building": None, "words": WORDS, "caller": CALLER}
        made = receive(house.person, **call, address=WORDS)
        receive(house.person, **call)
        body = {"origin": "hotline_12345", "number": "12345-door", "words": WORDS,
                "caller": CALLER, "ticket": made["id"]}  # fmt: skip
        house.person.ok("/api/cases", body)
        screen.until(
            lambda: screen.rows("tickets").get(made["id"], {}).get("reports") == 2,
            "the wall shows the ticket and its second call",
        )
    finally:
        screen.close()
    assert {m["t"] for m in screen.heard} >= {"snap", "batch"}
    said = json.dumps(screen.heard, ensure_ascii=False, default=repr).encode()
    assert of_residents(house, said) == []


def of_residents(house: House, data: bytes) -> list[str]:
    """What a wall must not show: residents' data, their pseudonyms, their households' numbers."""
    people = house.sql("SELECT pseudonym FROM person WHERE company_id = $1", house.company)
    ids = [row[0] for row in people] + HOMES
    return found_in(data) + [name for name in ids if f'"{name}"'.encode() in data]


def test_dispatch_is_decided_without_a_resident(house: House, names: dict[str, str]) -> None:
    """Inputs, answers and plans as they are stored, compressed; what is said over the engine's
    socket; and what stands behind a resident's link."""
    stored = decided_on(house)
    ticket = names["ticket_id"].encode()
    said = asyncio.run(asked_of_the_engine(house, names["ticket_id"], names["crew_id"]))
    followed = Caller(house.url).http.get(f"/api{names['path']}")
    assert followed.json()["step"] == "dispatch", followed.text
    assert any(ticket in body for body in stored)
    assert all(names["crew_id"].encode() in body for body in said)
    people = house.sql("SELECT pseudonym FROM person WHERE company_id = $1", house.company)
    for body in [*stored, *said, followed.content]:
        assert found_in(body) == []
        assert not [p for (p,) in people if p.encode() in body]


def test_files_beside_the_database_are_sealed_or_the_owners_alone(
    house: House, names: dict[str, str], engines: Any
) -> None:
    plain = set()
    for folder in ("imports", "photos", "gateway"):
        files = [f for f in (house.data / folder).rglob("*") if f.is_file()]
        assert files, folder
        for file in files:
            assert stat.S_IMODE(file.stat().st_mode) & 0o077 == 0, file
            if found_in(file.read_bytes()):
                plain.add((folder, file.name.rpartition(".")[2]))
    for log in (engines.data / "logs").iterdir():
        assert found_in(log.read_bytes()) == [], log
    # refused rows go back to who sent them, messages to whom they are for
    assert plain <= {("imports", "csv"), ("gateway", "jsonl")}
    assert ("imports", "csv") in plain
