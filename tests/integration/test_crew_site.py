"""A crew's day on site over HTTP: its steps, what they make of the ticket, refusals, repeats, and
what comes late."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from path_crew import Phones, phones
from path_house import Caller, House, eventually, run
from path_work import crew_on_duty, given, receive, step

from dispatch_core.ids import Slot

SLOTS: tuple[Slot, ...] = ("fault_point", "in_progress", "user_confirmation")


@pytest.fixture(scope="module")
def crews(house: House) -> tuple[str, str]:
    return crew_on_duty(house, "SITE1"), crew_on_duty(house, "SITE2")


def traced(house: House, ticket: str) -> Any:
    return house.person.get(f"/api/tickets/{ticket}")


def taken_away(house: House, ticket: str) -> None:
    seen = traced(house, ticket)["ticket"]
    step(house.person, seen, "displace", reason_code="by_hand", made_safe=True)


def decide(caller: Caller, ticket: str, what: str, **body: Any) -> Any:
    return caller.post(f"/api/evidence/{ticket}/{what}", body)


def test_from_the_code_word_to_the_call_back(house: House, crews: tuple[str, str]) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        say = await phone.ok(crews[0], ticket, "accept")
        assert say["ticket"]["state"] == "confirmed"
        assert (await phone.ok(crews[0], ticket, "en-route"))["version"] == 0
        there = await phone.ok(crews[0], ticket, "check-in")
        assert (there["visit"]["verdict"], there["visit"]["needs_review"]) == ("in", False)
        assert there["missing"] == list(SLOTS)
        assert await phone.refused(crews[0], ticket, "done") == (409, "evidence_missing")
        for slot in SLOTS:
            await phone.photo(crews[0], ticket, slot)
        done = await phone.ok(crews[0], ticket, "done")
        assert (done["ticket"]["state"], done["verdict"]) == ("verifying", "pending")

    run(in_house(house, day))
    found = traced(house, ticket)
    assert [(f["stream"], f["kind"]) for f in found["trace"]][3:] == [
        ("ticket", "ticket_confirmed"), ("evidence", "checked_in"), ("ticket", "ticket_handling"),
        *[("evidence", "photo_taken")] * 3, ("evidence", "checked_out"),
        ("ticket", "ticket_verifying"),
    ]  # fmt: skip
    assert found["trace"][-1]["actor"] == f"crew:{crews[0]}"
    whole = {"holds": True, "broken_at": None}
    assert (found["chain"], found["evidence_chain"]) == (whole, whole)
    assert house.person.get(f"/api/crews/{crews[0]}")["tickets"] == []
    close = {"version": found["ticket"]["version"], "satisfied": True}
    refused = house.person.post(f"/api/tickets/{ticket}/close", close)
    assert (refused.status_code, refused.json()["code"]) == (409, "evidence_not_accepted")
    assert refused.json()["present"]["slots"] == dict.fromkeys(SLOTS, "pending")
    photos = [f["event"] for f in found["trace"] if f["kind"] == "photo_taken"]
    record = house.person.get(f"/api/evidence/{ticket}")
    assert (record["verdict"], record["missing"], record["waived"]) == ("pending", [], False)
    assert [(v["result"], v["crew"]) for v in record["visits"]] == [("done", crews[0])]
    assert {slot: held["photo"] for slot, held in record["photos"].items()} == {
        photo["slot"]: photo["photo"] for photo in photos
    }
    version = record["version"]
    for photo in photos:
        seen = {"version": version, "slot": photo["slot"], "photo": photo["photo"]}
        bare = decide(house.person, ticket, "accept", **seen, reason_code="known_good")
        assert (bare.status_code, bare.json()["code"]) == (422, "reason_needed")
        seen |= {"reason_code": "known_good", "reason": "我就在现场"}
        accepted = decide(house.person, ticket, "accept", **seen)
        version = accepted.json()["version"]
    assert house.person.ok(f"/api/tickets/{ticket}/close", close)["state"] == "closed"


async def in_house(house: House, day: Any) -> None:
    async with phones(house) as phone:
        await day(phone)


def test_what_is_repeated_is_done_once_and_answered_alike(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        answers = [
            await phone.say(crews[0], ticket, "check-in", key="the-same-key-1", at_device_ms=5,
                            fix={"at_ms": 5})
            for _ in range(3)
        ]  # fmt: skip
        assert {a.status_code for a in answers} == {200}
        assert len({a.content for a in answers}) == 1
        assert await phone.refused(crews[0], ticket, "check-in") == (409, "checked_in")

    run(in_house(house, day))
    kinds = [f["kind"] for f in traced(house, ticket)["trace"]]
    assert kinds.count("checked_in") == 1
    taken_away(house, ticket)


def test_photos_that_come_before_the_check_in_of_a_phone_without_signal(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        for slot in SLOTS:
            await phone.photo(crews[0], ticket, slot)
        earlier = int(phone.clock.now().timestamp() * 1000) - 3_600_000
        there = await phone.ok(
            crews[0], ticket, "check-in", at_device_ms=earlier, fix={"at_ms": earlier - 1000}
        )
        assert (there["verdict"], there["missing"]) == ("pending", [])
        assert there["visit"]["verdict"] == "in"
        assert (await phone.ok(crews[0], ticket, "done"))["ticket"]["state"] == "verifying"

    run(in_house(house, day))


@pytest.mark.parametrize(
    ("fix", "verdict", "doubts"),
    [
        ({"lon": 126.70}, "out", []),
        ({"accuracy_m": 900.0}, "uncertain", ["inaccurate"]),
        ({"accuracy_m": 0.0}, "in", ["zero_accuracy"]),
        ({"at_ms": 1_000}, "in", ["stale"]),
        ({"mock": True}, "in", ["mock_location"]),
    ],
)
def test_a_doubtful_check_in_goes_through_with_its_reason(
    house: House, crews: tuple[str, str], fix: dict[str, Any], verdict: str, doubts: list[str]
) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        visit = (await phone.ok(crews[0], ticket, "check-in", fix=fix))["visit"]
        assert (visit["verdict"], visit.get("doubts", [])) == (verdict, doubts)
        assert visit["needs_review"] is True

    run(in_house(house, day))
    taken_away(house, ticket)


def test_a_crew_that_lost_the_ticket_meanwhile_is_told_how_it_stands(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        refused = await phone.say(crews[1], ticket, "check-in")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_your_ticket")
        taken_away(house, ticket)
        refused = await phone.say(crews[0], ticket, "check-in")
        assert (refused.status_code, refused.json()["code"]) == (409, "not_your_ticket")
        assert refused.json()["present"]["state"] == "accepted"
        assert await phone.refused(crews[0], "260101-999999", "done") == (404, "no_such_ticket")

    run(in_house(house, day))


def test_a_valve_closed_is_an_outage_until_it_is_opened(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        await phone.ok(crews[0], ticket, "check-in")
        closed = await phone.ok(crews[0], ticket, "valve", valve="B01", to="closed")
        number = closed["outage"]
        outage = house.person.get(f"/api/outages/{number}")["outage"]
        assert (outage["node"], outage["cause"], outage["buildings"]) == ("B01", "valve", 1)
        again = await phone.refused(crews[0], ticket, "valve", valve="B01", to="closed")
        assert again == (409, "valve_so")
        call = receive(house.person, building="B01", kind="not_warm", level="blue")
        assert call["outage"] == number
        for slot in SLOTS:
            await phone.photo(crews[0], ticket, slot)
        assert await phone.refused(crews[0], ticket, "done") == (409, "valve_shut")
        await phone.ok(crews[0], ticket, "valve", valve="B01", to="open", vented=False)
        assert await phone.refused(crews[0], ticket, "done") == (409, "not_vented")
        await phone.ok(crews[0], ticket, "valve", valve="B01", to="open", vented=True)
        assert house.person.get(f"/api/outages/{number}")["outage"]["ended_at"] is not None
        await phone.ok(crews[0], ticket, "done")

    run(in_house(house, day))


def test_nobody_opens_and_the_ticket_waits_for_another_day(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        told: dict[str, Any] = {"called_at": [1768355700], "notice_left": True}
        early = await phone.refused(crews[0], ticket, "no-answer", **told)
        assert early == (409, "not_checked_in")
        await phone.ok(crews[0], ticket, "check-in")
        none = await phone.refused(crews[0], ticket, "no-answer", **told)
        assert none == (409, "no_door_photo")
        await phone.photo(crews[0], ticket, "door")
        first = int(phone.clock.now().timestamp()) + 86_400
        window = {"rebooked_from": first, "rebooked_until": first + 7200, "night_agreed": True}
        said = await phone.ok(crews[0], ticket, "no-answer", **told, **window)
        assert (said["ticket"]["state"], said["unanswered"]) == ("accepted", 1)
        assert said["ticket"]["appointed"]["from_at"] == first

    run(in_house(house, day))


def row_of(house: House, ticket: str) -> dict[str, Any]:
    """How the work on site stands on the screens; empty until it is told."""
    rows = house.person.get("/api/layers/evidence")["rows"]
    return next((dict(r["row"]) for r in rows if r["key"] == ticket), {})


def test_the_third_time_nobody_opens_stands_before_the_desk(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0])

    async def day(phone: Phones) -> None:
        await phone.ok(crews[0], ticket, "check-in")
        await phone.photo(crews[0], ticket, "door")
        told = {"called_at": [1768355700], "notice_left": True}
        await phone.ok(crews[0], ticket, "no-answer", **told)

    for n in (1, 2, 3):
        run(in_house(house, day))

        def stood(n: int = n) -> bool:
            row = row_of(house, ticket)
            return (row.get("unanswered"), row.get("to_desk")) == (n, n == 3)

        eventually(stood, f"time {n} on the screens")
        now = house.person.get(f"/api/tickets/{ticket}")["ticket"]
        assert now["state"] == "accepted"
        body = {"version": now["version"], "crew": crews[0]}
        assert house.person.ok(f"/api/tickets/{ticket}/dispatch", body)["state"] == "dispatched"
    eventually(lambda: not row_of(house, ticket)["to_desk"], "the desk gave it out again")


def test_words_from_the_site_are_sealed_and_danger_is_carried_up(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0], level="yellow")

    async def day(phone: Phones) -> None:
        said = await phone.ok(crews[0], ticket, "hazard", hazard="gas", words="王翠花家有煤气味")
        assert said["ticket"]["level"] == "red"
        await phone.ok(crews[0], ticket, "support", what="second_crew")
        await asyncio.to_thread(
            eventually, lambda: row_of(house, ticket).get("asks"), "it in the ticket's row"
        )
        await phone.ok(crews[0], ticket, "parts-used", parts={"闸阀": 1})
        await phone.ok(crews[0], ticket, "refuse", reason_code="unsafe", words="王翠花不让进")

    run(in_house(house, day))
    eventually(lambda: row_of(house, ticket).get("asks") is None, "it was given back")
    assert "王翠花" not in str(traced(house, ticket))
    written = house.person.get(f"/api/tickets/{ticket}/written")["items"]
    assert {w["text"] for w in written if w["stream"] == "evidence"} == {
        "王翠花家有煤气味", "王翠花不让进",
    }  # fmt: skip
    about = f"ticket:{ticket}"
    sent = eventually(
        lambda: house.person.get("/api/messages", about=about)["items"], "the duty word"
    )
    assert "hazard_reported" in {message["kind"] for message in sent}


def test_the_desk_decides_about_evidence_with_a_reason(
    house: House, crews: tuple[str, str]
) -> None:
    ticket = given(house, crews[0])
    why = {"version": 0, "reason_code": "no_resident"}
    refused = decide(house.person, ticket, "waive", **why)
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_needed")
    assert decide(house.source, ticket, "waive", **why).json()["code"] == "role_needed"
    waived = decide(house.person, ticket, "waive", **why, reason="物业见证")
    assert (waived.status_code, waived.json()["verdict"]) == (200, "accept")
    stale = decide(house.person, ticket, "waive", **why, reason="再来一次")
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")

    async def day(phone: Phones) -> None:
        await phone.ok(crews[0], ticket, "check-in", fix={"lon": 126.70})
        assert (await phone.ok(crews[0], ticket, "done"))["ticket"]["state"] == "verifying"

    run(in_house(house, day))
    settled = decide(
        house.person, ticket, "check-in", version=3, visit=1, to="in", reason_code="seen_by_phone",
        reason="视频里看到人在",
    )  # fmt: skip
    assert settled.status_code == 200, settled.text
    assert settled.json()["visit"]["verdict"] == "in"
    gone = decide(
        house.person, ticket, "accept", version=4, slot="room", photo="0" * 64,
        reason_code="known_good",
    )  # fmt: skip
    assert (gone.status_code, gone.json()["code"]) == (409, "photo_replaced")


def test_the_record_of_a_ticket_that_nobody_has_been_at(house: House) -> None:
    ticket = receive(house.person, separate=True)
    record = house.person.get(f"/api/evidence/{ticket['id']}")
    assert (record["version"], record["visits"], record["photos"]) == (0, [], {})
    assert (record["verdict"], record["ticket"]["id"]) == ("missing", ticket["id"])
    gone = house.person.http.get("/api/evidence/260101-999999")
    assert (gone.status_code, gone.json()["code"]) == (404, "no_such_ticket")
    assert house.source.http.get(f"/api/evidence/{ticket['id']}").status_code == 403


def test_only_a_crews_phone_speaks_from_the_site(house: House, crews: tuple[str, str]) -> None:
    ticket = given(house, crews[0])
    body = {"at_device_ms": 1}
    for caller in (house.person, house.source):
        answer = caller.post(f"/api/crew/tickets/{ticket}/check-in", body)
        assert (answer.status_code, answer.json()["code"]) == (403, "crew_needed")
    taken_away(house, ticket)
