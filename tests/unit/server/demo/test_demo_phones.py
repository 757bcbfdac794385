"""The demo's crews by phone: what they sign holds, no two of their photos are alike, and what the
desk doubts is looked at."""

from __future__ import annotations

from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from dispatch_core.evidence import POLICY
from server.adapters import device_signatures
from server.demo.calls import Call
from server.demo.dispatcher import Dispatcher
from server.demo.jobs import Job, first_seen
from server.demo.phones import Phones
from server.demo.pictures import again, picture
from server.demo.reviewer import Reviewer
from server.jobs.photo_worker import look_at

AT = 1_768_356_000.0
SLOTS = ["fault_point", "in_progress", "user_confirmation"]


def job(number: int = 1, state: str = "handling") -> Job:
    ticket = {
        "id": f"260114-{number:06d}", "version": 5, "state": state, "level": "yellow",
        "kind": "leak", "lon": 126.63, "lat": 45.75, "address": "和平路 1 号", "building": "B1",
        "received_at": int(AT) - 3600, "crew": "C01",
    }  # fmt: skip
    made = first_seen(ticket, AT)
    made.update(ticket, AT)
    return made


@pytest.fixture
def phones() -> Phones:
    return Phones(7, {"C01": ec.generate_private_key(ec.SECP256R1())})


def day(of: Job, missing: list[str]) -> dict[str, Any]:
    words = {slot: [f"{n}.1.word-{slot}" for n in range(3)] for slot in SLOTS}
    return {"visits": [{"ticket": of.id, "missing": missing, "nonces": words, "unnamed": False}]}


def played(phones: Phones, of: Job) -> list[Call]:
    """Every call of a visit from the check-in on, answered as the server does."""
    calls = [phones.arrive(of, of.at, AT)]
    phones.answer(of, calls[0], 200, {"missing": SLOTS})
    left = list(SLOTS)
    while calls[-1].step != "verify":
        call = phones.next(of, AT + 60 * len(calls), over=not left)
        assert call is not None
        calls.append(call)
        match call.step:
            case "today":
                phones.answer(of, call, 200, day(of, left))
            case "upload":
                phones.answer(of, call, 201, {"upload": "u1", "have": 0})
            case "chunk":
                left = left[1:]
                phones.answer(of, call, 200, {"done": {"photo": "x"}})
    return calls


def test_a_visit_is_checked_in_photographed_and_done(phones: Phones) -> None:
    of = job()
    calls = played(phones, of)
    assert [c.step for c in calls] == ["arrive", "today", *["upload", "chunk"] * 3, "verify"]
    assert {c.by for c in calls} == {"crew:C01"}
    bodies = [c.body for c in calls if c.step == "upload" and c.body]
    assert [b["slot"] for b in bodies] == SLOTS
    assert {b["visit"] for b in bodies} == {calls[0].key}
    sent = [c.photo for c in calls if c.step == "chunk"]
    assert len(set(sent)) == len(SLOTS)
    point = phones.keys["C01"].public_key().public_bytes(
        Encoding.X962, PublicFormat.UncompressedPoint
    )  # fmt: skip
    for body in bodies:
        fix = body["fix"]
        text = device_signatures.signed_text(
            body["nonce"], body["sha256"], body["captured_at_ms"], body["ticket"], body["slot"],
            body["visit"], spot=(fix["lon"], fix["lat"], fix["accuracy_m"]),
        )  # fmt: skip
        assert device_signatures.holds(point, body["signature"], text)


def test_a_few_visits_are_shams_and_none_after_a_reopening(phones: Phones) -> None:
    visits = [job(n) for n in range(4000)]
    reused = [v for v in visits if phones.cheated(v)]
    assert 40 <= len(reused) <= 130
    for visit in reused:
        visit.reopened = True
    assert not [v for v in visits if phones.cheated(v)]


def test_honest_photos_differ_and_a_reused_one_is_seen() -> None:
    looks = [look_at(picture("t", n)) for n in range(12)]
    reused = look_at(again(picture("t", 0), "r"))

    def bits(a: bytes, b: bytes) -> int:
        return (int.from_bytes(a) ^ int.from_bytes(b)).bit_count()

    for n, one in enumerate(looks):
        assert (one.fault, one.exif) == (None, "none")
        assert one.sharpness is not None
        assert one.sharpness > POLICY.photos.sharpness_warn
        for other in looks[:n]:
            assert min(bits(h, other.hashes[0]) for h in one.hashes) > 2 * POLICY.photos.eye_bits
    assert bits(reused.hashes[0], looks[0].hashes[0]) < 64
    assert picture("t", 3) == picture("t", 3)


def seen(of: Job, state: str, **visit: Any) -> dict[str, Any]:
    there = {"visit": 1, "round": 0, "verdict": "in", "needs_review": False} | visit
    return {
        "version": 9, "round": 0, "ticket": {"version": of.version}, "visits": [there],
        "slots": {"fault_point": state}, "photos": {"fault_point": {"photo": "p1"}},
    }  # fmt: skip


@pytest.mark.parametrize(
    ("view", "path"),
    [
        ({"state": "review"}, "/accept"), ({"state": "accept", "needs_review": True}, "/check-in"),
        ({"state": "accept", "verdict": "out"}, "/reopen"),
    ],
)  # fmt: skip
def test_somebody_looks_at_what_was_not_accepted(
    phones: Phones, view: dict[str, Any], path: str
) -> None:
    dispatcher = Dispatcher(7)
    reviewer, of = Reviewer(7, dispatcher, phones), job(state="verifying")
    reviewer.refused(of, {"verdict": "pending"}, AT)
    assert not reviewer.waits(of)
    reviewer.refused(of, {"verdict": "review"}, AT)
    assert reviewer.waits(of)
    assert of.not_before > AT
    assert reviewer.act(of, AT) is None, "nobody is at the desk"
    dispatcher.people = ("李调度",)
    look = reviewer.act(of, AT)
    assert look is not None
    reviewer.answer(of, look, 200, seen(of, **view))
    said = reviewer.act(of, AT)
    assert said is not None
    assert said.path.endswith(path)
    assert said.by == "李调度"


def test_a_photo_seen_before_is_wanted_again_and_taken_honestly(phones: Phones) -> None:
    dispatcher = Dispatcher(7)
    dispatcher.people = ("李调度",)
    reviewer = Reviewer(7, dispatcher, phones)
    of = next(j for j in (job(n, "verifying") for n in range(4000)) if phones.cheated(j))
    played(phones, of)
    reviewer.refused(of, {"verdict": "block"}, AT)
    look = reviewer.act(of, AT)
    assert look is not None
    reviewer.answer(of, look, 200, seen(of, "block"))
    wanted = reviewer.act(of, AT)
    assert wanted is not None
    assert wanted.path.endswith("/again")
    assert wanted.body is not None
    reviewer.answer(of, wanted, 200, {})
    assert phones.owes(of)
    ask = phones.next(of, AT, over=False)
    assert ask is not None
    phones.answer(of, ask, 200, day(of, ["fault_point"]))
    taken = phones.next(of, AT, over=False)
    assert taken is not None
    assert taken.body is not None
    assert (taken.body["slot"], taken.body["source"]) == ("fault_point", "camera")


def test_a_photo_that_is_there_already_is_not_sent_again(phones: Phones) -> None:
    of = job()
    phones.answer(of, phones.arrive(of, of.at, AT), 200, {"missing": SLOTS})
    while True:
        call = phones.next(of, AT, over=False)
        assert call is not None
        if call.step == "upload":
            break
        phones.answer(of, call, 200, day(of, SLOTS))
    phones.answer(of, call, 409, {"code": "photo_held"})
    more = phones.next(of, AT + 60, over=False)
    assert more is not None
    assert more.body is not None
    assert (more.step, more.body["slot"]) == ("upload", SLOTS[1])
