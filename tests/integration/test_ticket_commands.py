"""The ticket's commands over HTTP:
steps, versions, refusals with the present state, and the trace."""

from __future__ import annotations

import asyncio
from typing import Any

import asyncpg
import pytest
from path_house import House, run
from path_work import at_once, carry, crew_on_duty, receive, step


@pytest.fixture(scope="module")
def crews(house: House) -> list[str]:
    return [crew_on_duty(house, f"T{n}") for n in range(1, 6)]


def trace(house: House, ticket: Any) -> Any:
    return house.person.get(f"/api/tickets/{ticket['id']}")


def kinds(house: House, ticket: Any) -> list[str]:
    return [fact["kind"] for fact in trace(house, ticket)["trace"]]


def refused(house: House, ticket: Any, name: str, **body: Any) -> tuple[int, Any]:
    answer = house.person.post(f"/api/tickets/{ticket['id']}/{name}", body)
    problem = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem["status"] == answer.status_code
    assert problem["detail"]
    assert problem["what_to_do"]
    return answer.status_code, problem


def test_the_five_steps(house: House, crews: list[str]) -> None:
    ticket = receive(house.person)
    seen = []
    for name in ("accept", "dispatch", "confirm", "handle", "verify"):
        ticket = step(
            house.person, ticket, name, **({"crew": crews[0]} if name == "dispatch" else {})
        )
        seen.append(ticket["state"])
    assert seen == ["accepted", "dispatched", "confirmed", "handling", "verifying"]
    code, problem = refused(house, ticket, "close", version=ticket["version"], satisfied=False)
    assert (code, problem["code"]) == (422, "not_satisfied")
    ticket = step(house.person, ticket, "close")
    assert (ticket["state"], ticket["possible"]) == ("closed", ["reopen"])
    ticket = step(house.person, ticket, "reopen")
    assert (ticket["state"], ticket["crew"]) == ("accepted", None)
    found = trace(house, ticket)
    own = [f for f in found["trace"] if f["stream"] == "ticket"]
    assert [f["kind"].removeprefix("ticket_") for f in own] == [
        "received", "accepted", "dispatched", "confirmed", "handling", "verifying", "closed",
        "reopened",
    ]  # fmt: skip
    assert [f["version"] for f in own] == list(range(1, len(own) + 1))
    assert {f["actor"] for f in found["trace"]} == {"person:admin"}
    assert all(f["grounds"] and f["policy"] for f in found["trace"])
    assert found["chain"] == {"holds": True, "broken_at": None}
    assert found["ticket"] == ticket
    assert house.person.get(f"/api/crews/{crews[0]}")["tickets"] == []


def test_level_and_cancel(house: House) -> None:
    ticket = step(
        house.person,
        receive(house.person, level="blue"),
        "level",
        level="red",
        reason_code="danger",
    )
    assert ticket["level"] == "red"
    code, problem = refused(
        house, ticket, "level", version=ticket["version"], level="red", reason_code="danger"
    )
    assert (code, problem["code"]) == (422, "same_level")
    code, problem = refused(house, ticket, "cancel", version=ticket["version"], reason_code="other")
    assert (code, problem["code"]) == (422, "reason_needed")
    ticket = step(house.person, ticket, "cancel", reason_code="other", reason="张三丰已自行修好")
    assert (ticket["state"], ticket["possible"]) == ("cancelled", [])
    assert "张三丰" not in str(trace(house, ticket))


def test_a_stale_version_gets_the_present_state(house: House, crews: list[str]) -> None:
    seen = receive(house.person, accepted=True)
    now = step(house.person, seen, "dispatch", crew=crews[1])
    code, problem = refused(house, seen, "dispatch", version=seen["version"], crew=crews[2])
    assert (code, problem["code"]) == (409, "version_conflict")
    present = problem["present"]
    assert (present["state"], present["version"], present["crew"]) == (
        "dispatched",
        now["version"],
        crews[1],
    )
    code, problem = refused(house, seen, "cancel", version=99, reason_code="test")
    assert (code, problem["code"]) == (409, "version_conflict")


def test_an_impossible_step_says_what_is_possible(house: House) -> None:
    ticket = receive(house.person)
    for name, more in (
        ("confirm", {}),
        ("handle", {}),
        ("verify", {}),
        ("close", {"satisfied": True}),
    ):
        code, problem = refused(house, ticket, name, version=1, **more)
        assert (code, problem["code"]) == (409, "wrong_state")
        assert problem["present"]["possible"][:3] == ["accept", "cancel", "change_level"]
    assert kinds(house, ticket) == ["ticket_received"]


def test_what_does_not_exist_is_not_found(house: House) -> None:
    assert refused(house, {"id": "260101-999999"}, "accept", version=1)[0] == 404
    ticket = receive(house.person, accepted=True)
    code, problem = refused(house, ticket, "dispatch", version=2, crew="nobody")
    assert (code, problem["code"]) == (404, "no_such_crew")
    answer = house.person.http.get("/api/tickets/260101-999999")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_ticket")
    nowhere = house.person.post(
        "/api/requests", {"kind": "leak", "source": "phone", "building": "?"}
    )
    assert (nowhere.status_code, nowhere.json()["code"]) == (404, "no_such_building")


def test_requests_that_cannot_be_taken_in(house: House) -> None:
    spot = {"lon": 126.63, "lat": 45.75, "datum": "wgs84"}
    for body, code in (
        ({"kind": "leak"}, "bad_body"),
        ({"kind": "leak", "source": "phone"}, "no_place"),
        ({"kind": "leak", "source": "phone", "building": "B01", "flat": "3"}, "bad_body"),
        (
            {"kind": "leak", "source": "phone", "coordinate": spot | {"datum": "gcj02"}},
            "datum_not_enabled",
        ),
        (
            {"kind": "leak", "source": "phone", "coordinate": spot | {"lat": 95}},
            "coordinate_out_of_range",
        ),
        ({"kind": "leak", "source": "phone", "building": "B01", "reports": 0}, "bad_body"),
        ({"kind": "leak", "source": "phone", "building": "B01", "outage": "x"}, "no_such_outage"),
    ):
        answer = house.person.post("/api/requests", body)
        assert (answer.json()["code"], answer.status_code >= 400) == (code, True), answer.text


def test_of_dispatchers_at_once_exactly_one_wins(house: House, crews: list[str]) -> None:
    for _ in range(3):
        ticket = receive(house.person, accepted=True)
        path = f"/api/tickets/{ticket['id']}/dispatch"
        answers = at_once(
            [lambda c=c, p=path: house.person.post(p, {"version": 2, "crew": c}) for c in crews]
        )
        assert sorted(a.status_code for a in answers) == [200] + [409] * (len(crews) - 1)
        assert {a.json()["code"] for a in answers if a.status_code == 409} == {"version_conflict"}
        winner = next(a.json()["crew"] for a in answers if a.status_code == 200)
        have = [c for c in crews if ticket["id"] in house.person.get(f"/api/crews/{c}")["tickets"]]
        assert have == [winner]
        step(house.person, house.person.get(f"/api/tickets/{ticket['id']}")["ticket"], "cancel")


def test_another_crew_needs_a_reason_and_frees_the_first(house: House, crews: list[str]) -> None:
    ticket = carry(house.person, receive(house.person), crews[3], "confirm")
    code, problem = refused(house, ticket, "dispatch", version=ticket["version"], crew=crews[4])
    assert (code, problem["code"]) == (422, "reason_needed")
    ticket = step(house.person, ticket, "dispatch", crew=crews[4], reason_code="no_answer")
    assert ticket["crew"] == crews[4]
    assert house.person.get(f"/api/crews/{crews[3]}")["tickets"] == []
    assert house.person.get(f"/api/crews/{crews[4]}")["tickets"] == [ticket["id"]]
    step(house.person, ticket, "cancel")


@pytest.mark.parametrize("statement", ["UPDATE journal SET actor = 'x'", "DELETE FROM journal"])
def test_the_journal_refuses_change_even_by_its_owner(house: House, statement: str) -> None:
    ticket = receive(house.person)
    with pytest.raises(asyncpg.RestrictViolationError):
        house.sql(f"{statement} WHERE stream = $1", f"ticket:{ticket['id']}")
    assert trace(house, ticket)["chain"]["holds"]


async def tamper(house: House, statement: str, *args: Any) -> None:
    c = await asyncpg.connect(house.database_url)
    try:
        async with c.transaction():
            await c.execute("SET LOCAL session_replication_role = replica")
            await c.execute(statement, *args)
    finally:
        await c.close()


@pytest.mark.parametrize(
    ("statement", "broken_at"),
    [
        ("UPDATE journal SET actor = 'person:other' WHERE stream = $1 AND version = 2", 2),
        (
            (
                "UPDATE journal SET body = replace(body, 'phone', 'queue')"
                " WHERE stream = $1 AND version = 1"
            ),
            1,
        ),
        (
            (
                "UPDATE journal SET business_at = business_at - interval '1 hour'"
                " WHERE stream = $1 AND version = 3"
            ),
            3,
        ),
        ("UPDATE journal SET lon = lon + 0.001 WHERE stream = $1 AND version = 1", 1),
        ("DELETE FROM journal WHERE stream = $1 AND version = 2", 2),
        ("DELETE FROM journal WHERE stream = $1 AND version = 3", 3),
    ],
)  # fmt: skip
def test_tampering_shows_where_it_was_done(house: House, statement: str, broken_at: int) -> None:
    ticket = step(house.person, receive(house.person, accepted=True), "cancel")
    asyncio.run(tamper(house, statement, f"ticket:{ticket['id']}"))
    assert trace(house, ticket)["chain"] == {"holds": False, "broken_at": broken_at}


def test_facts_of_another_ticket_do_not_fit_into_a_trace(house: House) -> None:
    one, two = (f"ticket:{receive(house.person)['id']}" for _ in range(2))
    run(tamper(house, "DELETE FROM journal WHERE stream = $1", one))
    run(tamper(house, "UPDATE journal SET stream = $1 WHERE stream = $2", one, two))
    found = house.person.get(f"/api/tickets/{one.removeprefix('ticket:')}")
    assert found["chain"] == {"holds": False, "broken_at": 1}
