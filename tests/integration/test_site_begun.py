"""Once a crew was on site its evidence is not got round: not by another kind, work or place, nor by
ending the ticket; and its valve cuts off nothing but its own way of heat."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from path_crew import Phones, phones
from path_house import Caller, House, run
from path_work import crew_on_duty, given, receive, waive


@pytest.fixture(scope="module")
def on_duty(house: House) -> str:
    return crew_on_duty(house, "BEGUN1")


@pytest.fixture
def crew(house: House, on_duty: str) -> Iterator[str]:
    """A crew with nothing in hand, before each test."""
    yield on_duty
    for ticket in house.person.get(f"/api/crews/{on_duty}")["tickets"]:
        change(house.person, house, ticket, "displace", reason_code="by_hand", made_safe=True)


def on_site(house: House, crew: str, ticket: str, *valves: dict[str, Any]) -> list[Any]:
    """The crew checks in and turns valves; each answer as it came."""

    answers: list[Any] = []

    async def day() -> None:
        async with phones(house) as phone:
            await phone.ok(crew, ticket, "check-in")
            answers.extend([await phone.say(crew, ticket, "valve", **told) for told in valves])

    run(day())
    return answers


def at_work(house: House, crew: str, **more: Any) -> str:
    ticket = given(house, crew, **more)
    on_site(house, crew, ticket)
    return ticket


def change(by: Caller, house: House, ticket: str, what: str, **body: Any) -> httpx.Response:
    version = house.person.get(f"/api/tickets/{ticket}")["ticket"]["version"]
    return by.post(f"/api/tickets/{ticket}/{what}", {"version": version} | body)


def code(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


QUESTION = {"kind": "question", "reason_code": "misheard"}
SHRINKS = (409, "evidence_would_shrink")


def test_another_kind_does_not_take_the_photos_away(house: House, crew: str) -> None:
    ticket = at_work(house, crew)
    for by in (house.person, house.source):
        refused = change(by, house, ticket, "kind", **QUESTION)
        assert code(refused) == SHRINKS
        assert refused.json()["present"]["slots"] == [
            "fault_point", "in_progress", "user_confirmation",
        ]  # fmt: skip
        assert "manager" in refused.json()["what_to_do"]
    same = change(house.person, house, ticket, "kind", kind="repair", reason_code="found_on_site")
    assert same.json()["kind"] == "repair", "it owes the same photos"
    waive(house.person, ticket)
    assert change(house.person, house, ticket, "kind", **QUESTION).json()["kind"] == "question"
    trace = house.person.get(f"/api/tickets/{ticket}")["trace"]
    assert "evidence_waived" in [fact["kind"] for fact in trace]


def test_before_any_work_a_kind_is_changed_freely(house: House, crew: str) -> None:
    ticket = given(house, crew)
    assert change(house.source, house, ticket, "kind", **QUESTION).json()["kind"] == "question"


def test_a_desk_that_takes_the_steps_itself_is_bound_too(house: House, crew: str) -> None:
    ticket = given(house, crew)
    for what in ("confirm", "handle"):
        assert change(house.person, house, ticket, what).status_code == 200
    assert code(change(house.person, house, ticket, "kind", **QUESTION)) == SHRINKS


def test_a_visit_counts_after_the_ticket_was_taken_from_its_crew(house: House, crew: str) -> None:
    ticket = at_work(house, crew)
    away = change(house.person, house, ticket, "displace", reason_code="by_hand", made_safe=True)
    assert away.json()["state"] == "accepted"
    assert code(change(house.person, house, ticket, "kind", **QUESTION)) == SHRINKS


def test_the_flat_is_not_left_away_to_owe_other_photos(house: House, crew: str) -> None:
    ticket = at_work(house, crew)
    refused = change(house.person, house, ticket, "place", building="B01")
    assert code(refused) == SHRINKS
    assert refused.json()["present"]["slots"] == ["user_confirmation"]


def test_a_ticket_stays_at_the_building_that_a_crew_was_at(house: House, crew: str) -> None:
    ticket = at_work(house, crew)
    refused = change(house.person, house, ticket, "place", building="B07")
    assert code(refused) == (409, "site_visited")
    assert "Cancel this ticket" in refused.json()["what_to_do"]
    moved = change(house.person, house, ticket, "place", household="H-002")
    assert (moved.status_code, moved.json()["building"]) == (200, "B01")


def test_an_unplaced_ticket_is_still_placed_beside_where_its_crew_was(
    house: House, crew: str
) -> None:
    spot = {"coordinate": {"lon": 126.6302, "lat": 45.75, "datum": "wgs84"}}
    ticket = at_work(house, crew, household=None, **spot)
    assert house.person.get(f"/api/tickets/{ticket}")["ticket"]["building"] is None
    far = change(house.person, house, ticket, "place", building="B07")
    assert code(far) == (409, "site_visited")
    near = change(house.person, house, ticket, "place", building="B01")
    assert (near.status_code, near.json()["building"]) == (200, "B01")


@pytest.mark.parametrize("what", ["cancel", "merge"])
def test_ending_it_after_a_visit_is_a_persons_and_needs_words(
    house: House, crew: str, what: str
) -> None:
    ticket = at_work(house, crew)
    into = receive(house.person, building="B02")["id"]
    body = {"into": into} if what == "merge" else {"reason_code": "duplicate"}
    assert code(change(house.source, house, ticket, what, **body, reason="误报")) == (
        403, "role_needed",
    )  # fmt: skip
    assert code(change(house.person, house, ticket, what, **body)) == (422, "reason_needed")
    ended = change(house.person, house, ticket, what, **body, reason="王师傅说是同一处漏水")
    assert ended.status_code == 200, ended.text
    assert house.person.get(f"/api/tickets/{ticket}")["ticket"]["state"] == "cancelled"
    written = house.person.get(f"/api/tickets/{ticket}/written")["items"]
    assert "王师傅说是同一处漏水" in {item["text"] for item in written}


@pytest.mark.parametrize("what", ["cancel", "merge"])
def test_no_ticket_ends_with_its_valve_shut(house: House, crew: str, what: str) -> None:
    ticket = given(house, crew)
    into = receive(house.person, building="B02")["id"]
    body = {"into": into} if what == "merge" else {"reason_code": "duplicate"}
    body["reason"] = "与另一单重复"
    own = {"valve": f"own-{what}", "name": "楼道阀门"}
    assert on_site(house, crew, ticket, own | {"to": "closed"})[0].status_code == 200
    assert code(change(house.person, house, ticket, what, **body)) == (409, "valve_shut")

    async def opened(phone: Phones) -> None:
        await phone.ok(crew, ticket, "valve", **own, to="open", vented=False)
        assert code(change(house.person, house, ticket, what, **body)) == (409, "not_vented")
        await phone.ok(crew, ticket, "valve", **own, to="open", vented=True)

    async def day() -> None:
        async with phones(house) as phone:
            await opened(phone)

    run(day())
    assert change(house.person, house, ticket, what, **body).status_code == 200


def test_a_ticket_that_nobody_was_at_ends_as_before(house: House, crew: str) -> None:
    ticket = given(house, crew)
    ended = change(house.source, house, ticket, "cancel", reason_code="caller_withdrew")
    assert ended.json()["state"] == "cancelled"


@pytest.mark.parametrize("valve", ["S2", "B05"])
def test_a_valve_beside_its_own_way_of_heat_opens_no_outage(
    house: House, crew: str, valve: str
) -> None:
    ticket = given(house, crew)
    [answer] = on_site(
        house, crew, ticket, {"valve": valve, "to": "closed", "name": "随便叫的名字"}
    )
    closed = answer.json()
    assert (closed["outage"], closed["warnings"]) == (None, ["no_outage"])
    known = {"S2": "S2 站", "B05": "和平路 4 号"}[valve]
    assert closed["shut"] == [known], "a node of the tree keeps its name"


@pytest.mark.parametrize("valve", ["B01", "S1", "P1"])
def test_each_node_of_its_way_of_heat_opens_one(house: House, crew: str, valve: str) -> None:
    ticket = given(house, crew)
    answers = on_site(
        house, crew, ticket, {"valve": valve, "to": "closed", "name": "随便叫的名字"},
        {"valve": valve, "to": "open", "vented": True},
    )  # fmt: skip
    closed, opened = (answer.json() for answer in answers)
    assert closed["warnings"] == []
    outage = house.person.get(f"/api/outages/{closed['outage']}")["outage"]
    assert (outage["node"], outage["name"]) == (valve, closed["shut"][0])
    assert outage["name"] != "随便叫的名字"
    assert (opened["outage"], outage["ended_at"] is not None) == (closed["outage"], True)


@pytest.mark.parametrize("ahead_s", [-60, 8 * 86_400, 250_000_000_000])
def test_heat_is_expected_back_within_days(house: House, crew: str, ahead_s: int) -> None:
    ticket = given(house, crew)
    now = int(house.business_now().timestamp())
    end = now + ahead_s
    [answer] = on_site(
        house, crew, ticket, {"valve": "B01", "to": "closed", "expected_end_at": end}
    )
    assert code(answer) == (422, "bad_expected_end")
    assert "7 days" in answer.json()["what_to_do"]
    by_hand = house.person.post(
        "/api/outages", {"node": "B01", "cause": "valve", "expected_end_at": end}
    )
    assert code(by_hand) == (422, "bad_expected_end")


def test_a_door_found_too_late_answers_its_question_and_leaves_the_photos_owed(
    house: House, crew: str
) -> None:
    told = {"address": "老车站背后那栋楼", "household": None}
    ticket = at_work(house, crew, **told)
    questions = house.person.get("/api/address-questions")["items"]
    [question] = [q for q in questions if q["reference"] == f"ticket:{ticket}"]
    answered = house.person.ok(
        f"/api/address-questions/{question['id']}/answer", {"household": "H-001"}
    )
    assert (answered["moved"], answered["question"]["household"]) == (False, "H-001")
    seen = house.person.get(f"/api/evidence/{ticket}")
    assert "second_person" in seen["missing"]
    assert seen["ticket"]["building"] is None
    placed = change(house.person, house, ticket, "place", building="B01")
    assert placed.json()["building"] == "B01", "the building is no other evidence"
