"""Messages leave the house: by file or signed webhook, at least once, told once, lost never."""

from __future__ import annotations

import hashlib
import hmac
import json
import stat
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from path_cases import kinds, messages, one, step, take
from path_house import House, NewHouse, eventually
from path_receiver import SECRET, Receiver, opened_receiver

from server.adapters.message_store import LEASE_S


@pytest.fixture(scope="module")
def post_house(new_house: NewHouse) -> Iterator[House]:
    """A house whose data folder, and with it gateways.toml, is its own."""
    with new_house(apart=True) as opened:
        yield opened


@pytest.fixture
def receiver(post_house: House) -> Iterator[Receiver]:
    with opened_receiver() as opened:
        yield opened
    (post_house.data / "gateways.toml").unlink(missing_ok=True)
    time.sleep(2.0)  # until then what is sent still goes the way of the rules


def choose(house: House, *rules: str) -> None:
    """Put a gateways.toml in force, at once as a whole."""
    draft = house.data / ".gateways.toml"
    draft.write_text("\n".join(rules), "utf-8")
    draft.rename(house.data / "gateways.toml")
    # The core looks at the file once a second; what is sent before goes the way that was in force.
    time.sleep(2.0)


def message_of(house: House, case: Any, state: str, kind: str = "case_signed") -> Any:
    """The message of a case once it is in a state."""

    def found() -> Any:
        return next(
            (m for m in messages(house.person, case) if m["kind"] == kind and m["state"] == state),
            None,
        )

    return eventually(
        found, f"{kind} is {state}", within_s=3 * LEASE_S
    )  # a lost claim ends by itself


def told(house: House, case: Any) -> Any:
    return eventually(lambda: one(house.person, case)["case"]["told"], "the case knows it")


def signed_case(house: House, **more: Any) -> Any:
    return step(house.person, take(house.person, **more)["case"], "sign")


def test_without_a_webhook_a_file_has_it(post_house: House) -> None:
    case = signed_case(post_house)
    message = message_of(post_house, case, "sent")
    assert (message["way"], message["attempts"], message["delivered_at"]) == ("file", 1, None)
    path = post_house.data / "gateway" / "warm" / "case-hotline_12345.jsonl"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    name, _, offset = message["proof"].rpartition(":")
    assert name == path.name
    line = json.loads(path.read_bytes()[int(offset) :].split(b"\n")[0])
    assert line["message_id"] == message["id"]
    assert line["body"]["number"] == case["number"]
    assert line["body"]["status"] == "signed"
    assert [(t["status"], t["way"]) for t in told(post_house, case)] == [("signed", "file")]
    assert kinds(post_house, case) == ["case_received", "case_signed", "case_status_sent"]
    stored = post_house.sql("SELECT body FROM message WHERE message_id = $1", message["id"])
    assert case["number"].encode() not in stored[0][0], "sealed at rest"


def test_a_webhook_gets_it_signed_and_named(post_house: House, receiver: Receiver) -> None:
    choose(post_house, receiver.rule("/ok"))
    case = signed_case(post_house)
    message = message_of(post_house, case, "delivered")
    assert (message["way"], message["error"]) == ("webhook", None)
    assert message["proof"].startswith("HTTP 200 sha256:")
    (letter,) = receiver.at("/ok")
    assert letter.key == f"heatops-warm-{message['id']}"
    mac = hmac.new(SECRET.encode(), letter.raw, hashlib.sha256).hexdigest()
    assert letter.signature == f"sha256={mac}"
    assert letter.body["body"]["number"] == case["number"]
    assert letter.body["target"] == "hotline_12345"
    assert [t["way"] for t in told(post_house, case)] == ["webhook"]
    step(post_house.person, case, "contact")
    message_of(post_house, case, "delivered", "case_contacted")


def test_what_may_pass_is_tried_again_under_the_same_key(
    post_house: House, receiver: Receiver
) -> None:
    receiver.answers["/flaky"] = [503, 200]
    choose(post_house, receiver.rule("/flaky"))
    case = signed_case(post_house)
    waiting = eventually(
        lambda: next((m for m in messages(post_house.person, case) if m["error"]), None),
        "the first try failed",
    )
    assert (waiting["state"], waiting["error"], waiting["attempts"]) == ("waiting", "HTTP 503", 1)
    assert waiting["next_try_at"]
    message = message_of(post_house, case, "delivered")
    assert (message["attempts"], message["error"]) == (2, None)
    assert len({letter.key for letter in receiver.at("/flaky")}) == 1
    assert len(told(post_house, case)) == 1


@pytest.mark.parametrize("code", [404, 422, 302])
def test_what_the_receiver_does_not_take_fails_at_once_and_is_seen(
    post_house: House, receiver: Receiver, code: int
) -> None:
    receiver.answers["/no"] = [code]
    choose(post_house, receiver.rule("/no"))
    case = signed_case(post_house)
    message = message_of(post_house, case, "failed")
    assert (message["attempts"], message["next_try_at"]) == (1, None)
    assert message["error"] == f"HTTP {code}: the receiver does not take it"
    failed = post_house.person.get("/api/messages", state="failed", channel="case")
    assert message["id"] in {m["id"] for m in failed["items"]}
    assert receiver.at("/elsewhere") == [], "redirects are not followed"
    assert one(post_house.person, case)["case"]["told"] == []


def test_a_person_sends_again_what_failed(post_house: House, receiver: Receiver) -> None:
    receiver.answers["/mended"] = [404, 200]
    choose(post_house, receiver.rule("/mended"))
    case = signed_case(post_house)
    failed = message_of(post_house, case, "failed")
    waiting = post_house.person.ok(f"/api/messages/{failed['id']}/again", {})
    assert (waiting["state"], waiting["attempts"], waiting["error"]) == ("waiting", 0, None)
    arrived = message_of(post_house, case, "delivered")
    assert (arrived["id"], arrived["attempts"]) == (failed["id"], 1)
    eventually(lambda: told(post_house, case), "the case knows")
    refused = post_house.person.post(f"/api/messages/{failed['id']}/again", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "not_failed")
    unknown = post_house.person.post("/api/messages/999999999/again", {})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_message")


def test_tries_end(post_house: House, receiver: Receiver) -> None:
    receiver.answers["/down"] = [500]
    choose(post_house, receiver.rule("/down", attempts_max=1))
    case = signed_case(post_house)
    message = message_of(post_house, case, "failed")
    assert message["error"] == "HTTP 500; given up after 1 tries"


def test_a_slow_receiver_delays_nobody_else(post_house: House, receiver: Receiver) -> None:
    choose(
        post_house,
        receiver.rule("/slow", target="hotline_12345", at_once=1),
        receiver.rule("/ok", target="property_firm"),
    )
    slow = [signed_case(post_house) for _ in range(3)]
    eventually(lambda: receiver.at("/slow"), "the slow one has the first")
    for _ in range(3):
        quick = signed_case(post_house, origin="property_firm")
        message_of(post_house, quick, "delivered")
    assert len(receiver.at("/slow")) == 1, "one at a time"
    receiver.hold.set()
    for case in slow:
        message_of(post_house, case, "delivered")


def test_reported_by_the_other_side(post_house: House, receiver: Receiver) -> None:
    """202 is accepted: whether it arrived is reported later, once, and then stands."""
    receiver.answers["/later"] = [202]
    choose(post_house, receiver.rule("/later"))
    case = signed_case(post_house)
    message = message_of(post_house, case, "sent")
    path = f"/api/messages/{message['id']}/delivered"
    source = post_house.source
    first = source.post(path, {"delivered": True, "proof": "receipt 778"}, key="report-778")
    assert first.status_code == 200, first.text
    assert (first.json()["state"], first.json()["proof"]) == ("delivered", "receipt 778")
    assert source.post(path, {"delivered": True}).json()["state"] == "delivered"
    assert source.post(
        path, {"delivered": True, "proof": "receipt 778"}, key="report-778"
    ).json() == first.json()  # fmt: skip
    late = source.post(path, {"delivered": False})
    assert (late.status_code, late.json()["code"]) == (409, "arrived_already")
    nobody = source.post("/api/messages/999999/delivered", {"delivered": True})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "no_such_message")
    eventually(
        lambda: not post_house.sql("SELECT FROM message WHERE told IS DISTINCT FROM state"),
        "all news is told",
    )
    assert len(one(post_house.person, case)["case"]["told"]) == 1


def test_killed_between_sending_and_recording(post_house: House, receiver: Receiver) -> None:
    choose(post_house, receiver.rule("/slow"))
    case = signed_case(post_house)
    eventually(lambda: receiver.at("/slow"), "the receiver has it")
    post_house.cores[-1].kill()
    receiver.hold.set()
    assert messages(post_house.person, case)[0]["state"] == "waiting"
    # The killed core's claim ends by itself; here it ends now.
    post_house.sql("UPDATE message SET next_at = now() WHERE state = 'waiting'")
    post_house.core()
    message = message_of(post_house, case, "delivered")
    first, second = receiver.at("/slow")
    assert (first.key, first.raw) == (second.key, second.raw)
    assert message["attempts"] == 2
    assert "database_unavailable" not in post_house.cores[-1].log()
    assert len(told(post_house, case)) == 1
    assert kinds(post_house, case).count("case_status_sent") == 1


def test_a_core_that_dies_at_any_moment_loses_nothing(post_house: House) -> None:
    """Cases are signed while the core is killed again and again: each message is in the file."""
    made = []
    for _ in range(3):
        made += [signed_case(post_house) for _ in range(10)]
        post_house.cores[-1].kill()
        post_house.core()
    post_house.sql("UPDATE message SET next_at = now() WHERE state = 'waiting'")
    for case in made:
        message_of(post_house, case, "sent")
    path = post_house.data / "gateway" / "warm" / "case-hotline_12345.jsonl"
    lines = [json.loads(line) for line in path.read_bytes().splitlines()]
    numbers = {(line["body"]["number"], line["body"]["status"]) for line in lines}
    assert {(case["number"], "signed") for case in made} <= numbers
    for case in made:
        eventually(lambda c=case: one(post_house.person, c)["case"]["told"], "told")
        assert kinds(post_house, case).count("case_status_sent") == 1


def test_a_bad_file_changes_nothing(post_house: House, receiver: Receiver) -> None:
    choose(post_house, receiver.rule("/ok"))
    message_of(post_house, signed_case(post_house), "delivered")
    choose(post_house, "[[gateway")
    message_of(post_house, signed_case(post_house), "delivered")
    log = post_house.cores[-1].log()
    assert log.count("gateways.toml cannot be used") == 1
    assert SECRET not in log


def test_the_list_is_paged_and_shows_no_body(post_house: House) -> None:
    found, after = [], None
    while True:
        page = post_house.person.get(
            "/api/messages", limit=7, **({"after": after} if after else {})
        )
        found += page["items"]
        after = page["next"]
        if after is None:
            break
    assert len(found) == page["total"] == len({m["id"] for m in found}) > 7
    assert all(set(m).isdisjoint({"body", "words"}) for m in found)
    for query in ({"after": "x"}, {"limit": 501}, {"state": "lost"}):
        answer = post_house.person.http.get("/api/messages", params=query)
        assert 400 <= answer.status_code < 500, query


def test_the_folder_is_private(post_house: House) -> None:
    folder: Path = post_house.data / "gateway" / "warm"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
