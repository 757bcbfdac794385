"""Idempotency keys: one key, one effect, one answer."""

from __future__ import annotations

import re
import uuid
from typing import Any

from path_house import House
from path_work import at_once, receive

REQUEST = {"kind": "leak", "level": "red", "source": "phone", "building": "B01"}
UNKEYED = {
    "/api/sign-in",
    "/api/sign-in/link",
    "/api/sign-out",
    "/api/session/company",
    "/api/live-passes",
    "/api/requests/propose",
    "/api/calls/look-up",
    "/api/addresses/resolve",
}
"""They change no business data."""


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
    before = house.sql("SELECT count(*) FROM journal")[0][0]
    refused = house.person.post(path, {"version": 9}, key=key)
    assert (refused.status_code, refused.json()["code"]) == (409, "version_conflict")
    assert keys_stored(house, key) == 0
    assert house.person.post(path, {"version": 1}, key=key).status_code == 200
    assert keys_stored(house, key) == 1
    facts = house.sql("SELECT kind FROM journal WHERE stream = $1", f"ticket:{ticket['id']}")
    assert len(facts) == 2
    assert house.sql("SELECT count(*) FROM journal")[0][0] >= before + 1


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
    tried = 0
    for path, methods in paths.items():
        if "post" not in methods or path in UNKEYED:
            continue
        media = methods["post"]["requestBody"]["content"].get("application/json")
        if media is None:  # a file: the same again is the same
            continue
        tried += 1
        example = next(iter(media["examples"].values()))["value"]
        target = path.replace("{ticket_id}", "260101-000001").replace("{source}", "rooms")
        target = target.replace("{outage_id}", "260101-000002").replace("{crew_id}", "C00")
        target = re.sub(r"\{\w+\}", "999999", target)
        answer = house.person.http.post(target, json=example)
        assert (answer.status_code, answer.json()["code"]) == (422, "key_missing"), path
        for bad in ("short", "x" * 129, "tab\tinside"):
            answer = house.person.http.post(target, json=example, headers={"Idempotency-Key": bad})
            assert answer.json()["code"] == "key_malformed", (path, bad)
    assert tried >= 20
