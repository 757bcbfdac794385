"""Idempotency keys: one key, one effect, one answer."""

from __future__ import annotations

import json
import uuid
from typing import Any

import pytest
from path_cases import new_number, take
from path_dispatch import crews_on_duty, proposed
from path_heating import apply, household, local, wish
from path_house import Caller, House, eventually
from path_routes import guarded
from path_work import at_once, receive, register_crew, step

REQUEST = {"kind": "leak", "level": "red", "source": "phone", "building": "B01"}
UNKEYED = {
    "/api/session/company",
    "/api/live-passes",
    "/api/requests/propose",
    "/api/calls/look-up",
    "/api/addresses/resolve",
    "/api/photos",
    "/api/presence",
    "/api/proposals/{ticket_id}/price",
    "/api/what-if",
    "/api/crews/{crew_id}/code",
    "/api/crews/{crew_id}/devices/{device}/revoke",
}
"""They change no business data; a picture is its own key."""
NAMES = {
    "ticket_id": "260101-000001", "outage_id": "260101-000002", "crew_id": "C00",
    "application_id": "260101-000003", "visit_id": "260101-000004", "question_id": "9",
    "case_id": "hotline_12345-1", "message_id": "9", "kind": "points", "source": "rooms",
    "store_id": "W0", "device": "A" * 22, "handover_id": "20260101-0800", "day": "2026-01-01",
}  # fmt: skip


def blue(person: Caller) -> Any:
    """A ticket that nobody is alarmed about while it waits."""
    return receive(person, separate=True, level="blue")


def new_key() -> str:
    return f"once-{uuid.uuid4()}"


def of_source(house: House, source: str) -> int:
    return int(house.sql("SELECT count(*) FROM ticket WHERE source = $1", source)[0][0])


def keys_stored(house: House, key: str) -> int:
    return int(house.sql("SELECT count(*) FROM idempotency WHERE key = $1", key)[0][0])


def test_a_repeated_request_gets_the_first_answer(house: House) -> None:
    key, body = new_key(), REQUEST | {"source": "once_repeated"}
    first = house.person.post("/api/requests", body, key=key)
    later = [house.person.post("/api/requests", body, key=key) for _ in range(3)]
    assert first.status_code == 201
    assert {(a.status_code, a.content) for a in later} == {(201, first.content)}
    assert of_source(house, "once_repeated") == 1


def test_a_repeated_batch_is_stored_once(house: House) -> None:
    key = new_key()
    now = int(house.business_now().timestamp())
    body = {"items": [{"point": "RT-08", "read_at": now, "celsius": 21.5}, {"point": "?"}]}
    answers = [house.source.post("/api/batches/room-readings", body, key=key) for _ in range(2)]
    assert [a.status_code for a in answers] == [200, 200]
    assert answers[0].content == answers[1].content
    stored = house.sql(
        "SELECT count(*) FROM room_reading WHERE point_id = 'RT-08' AND celsius = 21.5"
    )
    assert stored[0][0] == 1


def test_a_key_for_another_body_is_refused(house: House) -> None:
    key, body = new_key(), REQUEST | {"source": "once_other"}
    assert house.person.post("/api/requests", body, key=key).status_code == 201
    other = house.person.post("/api/requests", body | {"level": "blue"}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    key = new_key()
    house.source.post("/api/batches/weather", {"items": []}, key=key)
    other = house.source.post("/api/batches/weather", {"items": [{}]}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert of_source(house, "once_other") == 1


def test_the_same_key_at_once_makes_one_ticket(house: House) -> None:
    for round_ in range(4):
        source, key = f"once_race{round_}", new_key()
        body = REQUEST | {"source": source}
        answers = at_once([lambda k=key, b=body: house.person.post("/api/requests", b, key=k)] * 10)
        done = {a.content for a in answers if a.status_code == 201}
        others = [a for a in answers if a.status_code != 201]
        print("round", round_, "in flight:", len(others))
        assert len(done) == 1
        assert {(a.status_code, a.json()["code"]) for a in others} <= {(409, "key_in_flight")}
        again = house.person.post("/api/requests", REQUEST | {"source": source}, key=key)
        assert (again.status_code, again.content) == (201, done.pop())
        assert of_source(house, source) == 1


def test_many_keys_at_once_make_one_ticket_each(house: House) -> None:
    body = REQUEST | {"source": "once_many"}
    keys = [new_key() for _ in range(16)]
    answers = at_once(
        [lambda k=key: house.source.post("/api/requests", body, key=k) for key in keys]
    )
    assert {a.status_code for a in answers} == {201}
    assert len({a.json()["id"] for a in answers}) == 16
    assert of_source(house, "once_many") == 16


def test_a_refused_command_stores_nothing_and_its_key_stays_usable(house: House) -> None:
    ticket, key = receive(house.person), new_key()
    path = f"/api/tickets/{ticket['id']}/accept"
    before = house.facts_of_callers()
    refused = house.person.post(path, {"version": 9}, key=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "version_conflict")
    assert house.facts_of_callers() == before
    assert keys_stored(house, key) == 0
    assert house.person.post(path, {"version": 1}, key=key).status_code == 200
    assert keys_stored(house, key) == 1
    facts = house.sql("SELECT kind FROM journal WHERE stream = $1", f"ticket:{ticket['id']}")
    assert len(facts) == 2
    assert house.facts_of_callers() == before + 1


def test_keys_are_each_principals_and_each_routes_own(house: House) -> None:
    key, body = new_key(), REQUEST | {"source": "once_own"}
    one = house.person.post("/api/requests", body, key=key)
    two = house.source.post("/api/requests", body, key=key)
    assert one.json()["id"] != two.json()["id"]
    for ticket in (one.json(), two.json()):
        path = f"/api/tickets/{ticket['id']}/accept"
        assert house.person.post(path, {"version": 1}, key=key).status_code == 200
    assert keys_stored(house, key) == 4
    assert of_source(house, "once_own") == 2


def test_every_post_that_changes_business_data_needs_a_key(house: House) -> None:
    paths: dict[str, Any] = house.person.get("/docs/openapi.json")["paths"]
    posts = [door for door in guarded(house) if door.method == "POST"]
    assert {door.path for door in posts} >= UNKEYED
    asked = [door for door in posts if door.path not in UNKEYED]
    for door in asked:
        media: dict[str, Any] = paths[door.path]["post"]["requestBody"]["content"]
        example = media.get("application/json", {"examples": {"file": {"value": {}}}})["examples"]
        body = json.dumps(next(iter(example.values()))["value"]).encode()
        target = door.at(NAMES)
        answer = house.person.http.post(target, content=body)
        assert (answer.status_code, answer.json()["code"]) == (422, "key_missing"), door
        for bad in ("short", "x" * 129, "tab\tinside"):
            answer = house.person.http.post(target, content=body, headers={"Idempotency-Key": bad})
            assert answer.json()["code"] == "key_malformed", (door, bad)
    assert len(asked) >= 65


@pytest.fixture(scope="module")
def autumn(own_house: House) -> House:
    """In August, when households can still apply for a stop."""
    own_house.set_clock(local(2026, 8, 15))
    return own_house


def wishes(autumn: House) -> list[tuple[str, Any, Any]]:
    """(path, body, another body) of the intake's doors, each of which would be carried out."""
    person = autumn.person
    home, other = household(autumn, unpaid_fen=None), household(autumn, unpaid_fen=None)
    held = apply(autumn.source, home, photos=[])
    assert held["state"] == "referred", held
    case = take(person)["case"]
    ticket = blue(person)
    hotline = {"origin": "hotline_12345", "number": new_number(), "building": "B03",
               "kind": "leak"}  # fmt: skip
    refuse = {"version": held["version"], "because": ["owner"]}
    standing = {"household": home["household"], "billing": "base", "billed_fen": 1}
    at = f"/api/tickets/{ticket['id']}"
    place = f"/api/tickets/{receive(person, separate=True, level='blue')['id']}"
    register_crew(person, "OC1")
    register_crew(person, "OC2")
    day = eventually(lambda: person.get("/api/reports")["items"], "a report is frozen")[0]
    drawn = f"/api/handovers/{person.ok('/api/handovers', {})['id']}"
    amended = f"/api/tickets/{receive(person, separate=True, level='blue')['id']}"
    agreed, linked, given = (
        f"/api/tickets/{step(person, receive(person, separate=True, level='blue'), 'accept')['id']}"
        for _ in range(3)
    )
    noon = int(autumn.business_now().timestamp()) + 3600
    window = {"version": 2, "from_at": noon, "until_at": noon + 3600}
    permit = {"version": 3, "permit": "hot_work", "number": "D-1", "valid_until": noon}
    store = {"name": "库", "lon": 126.63, "lat": 45.75, "datum": "wgs84", "parts": {"闸阀": 3}}
    issue = {"crew": "OC1", "parts": {"闸阀": 1}}
    return [
        ("/api/suspensions", wish(other, photos=[]), wish(other, photos=[], words="再申请")),
        (f"/api/suspensions/{held['id']}/refuse", refuse, refuse | {"reason": "不符合"}),
        ("/api/cases", hotline, hotline | {"kind": "repair"}),
        (f"/api/cases/{case['id']}/sign", {"version": 1}, {"version": 2}),
        ("/api/stores/OW1", store, store | {"parts": {}}),
        ("/api/stores/OW1/issue", issue, issue | {"parts": {"闸阀": 2}}),
        ("/api/crews/OC1/stock", {"parts": {"闸阀": 2}}, {"parts": {}}),
        ("/api/crews/OC1/stop", {"reason_code": "sick"}, {"reason_code": "accident"}),
        ("/api/crews/OC1/back", {}, None),
        (f"{place}/pin", {"version": 1, "crew": "OC1"}, {"version": 2, "crew": "OC1"}),
        (f"{place}/unpin", {"version": 2}, {"version": 3}),
        (f"{amended}/work", {"version": 1, "minutes": 90}, {"version": 1, "minutes": 91}),
        (f"{agreed}/appoint", window, window | {"night_agreed": True}),
        (f"{agreed}/permit", permit, permit | {"number": "D-2"}),
        (f"{agreed}/parts", {"version": 4, "parts": {"闸阀": 1}, "expected_at": noon},
         {"version": 4, "parts": {"闸阀": 2}, "expected_at": noon}),
        (f"{agreed}/parts-ready", {"version": 5}, {"version": 6}),
        (f"{linked}/link", {"version": 2}, {"version": 2, "send": True}),
        (f"{given}/dispatch", {"version": 2, "crew": "OC2"}, {"version": 2, "crew": "OC1"}),
        (f"{given}/displace", {"version": 3, "reason_code": "by_hand"},
         {"version": 3, "reason_code": "crew_stopped"}),
        (f"{drawn}/sign", {"version": 1, "side": "leaving"}, {"version": 1, "side": "coming"}),
        (f"/api/reports/{day}/remarks", {"text": "含演练"}, {"text": "不含演练"}),
        (f"{at}/owner", {"version": 1, "owner": "admin"}, {"version": 2, "owner": "admin"}),
        ("/api/batches/household-standings", {"items": [standing]}, {"items": []}),
        ("/api/campaigns", {"purpose": "suspension_deadline", "days_before": 60},
         {"purpose": "suspension_deadline", "days_before": 59}),
        ("/api/contradictions/scan", {}, None),
    ]  # fmt: skip


def test_each_way_in_answers_the_same_again_and_refuses_another_body(autumn: House) -> None:
    for path, body, another in wishes(autumn):
        key = new_key()
        first = autumn.person.post(path, body, key=key)
        assert first.is_success, (path, first.text)
        facts = autumn.sql("SELECT count(*) FROM journal WHERE actor = 'person:admin'")
        again = autumn.person.post(path, body, key=key)
        assert (again.status_code, again.content) == (first.status_code, first.content), path
        assert autumn.sql("SELECT count(*) FROM journal WHERE actor = 'person:admin'") == facts
        assert keys_stored(autumn, key) == 1, path
        if another is not None:
            other = autumn.person.post(path, another, key=key)
            assert (other.status_code, other.json()["code"]) == (422, "key_reused"), path


def test_a_confirmation_is_answered_the_same_again_though_the_plan_has_moved(
    autumn: House,
) -> None:
    person, key = autumn.person, new_key()
    crews_on_duty(autumn, "OC4", "OC5")
    ticket = step(person, blue(person), "accept")
    row = proposed(autumn, ticket)
    path = f"/api/tickets/{ticket['id']}/dispatch"
    best = row["choices"][0]["crew"]
    body = {"version": ticket["version"], "crew": best, "decision": row["decision"]}
    person.ok(f"/api/crews/{best}/stock", {"parts": {"闸阀": 5}})  # what was scored is out of date
    first = person.post(path, body, key=key)
    assert first.status_code == 200, first.text
    person.ok(f"/api/crews/{best}/stop", {"reason_code": "breakdown"})
    again = person.post(path, body, key=key)
    assert (again.status_code, again.content) == (200, first.content)
    other = person.post(path, body | {"decision": "0" * 64}, key=key)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    facts = autumn.sql(
        "SELECT count(*) FROM journal WHERE stream = $1 AND kind = 'ticket_dispatched'",
        f"ticket:{ticket['id']}",
    )
    assert facts[0][0] == 1


def test_a_file_sent_again_is_imported_once(autumn: House) -> None:
    key = new_key()
    headers = {"Idempotency-Key": key}
    rows = b"point,building\nP-once,B01\n"
    path = "/api/imports/points?file_name=points.csv"
    answers = [autumn.person.http.post(path, content=rows, headers=headers) for _ in range(3)]
    assert {(a.status_code, a.content) for a in answers} == {(200, answers[0].content)}
    assert answers[0].json()["added"] == 1
    other = autumn.person.http.post(path, content=rows + b"P-two,B01\n", headers=headers)
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")
    assert autumn.person.get("/api/imports")["total"] == 1
