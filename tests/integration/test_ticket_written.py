"""What people wrote at the steps of a ticket: read again by the desk, noted, and by no source."""

from __future__ import annotations

import pytest
from path_house import House
from path_work import crew_on_duty, receive, step

WHY = "住户李大爷要求熟悉的师傅"


def _looks(house: House, ticket: str) -> int:
    rows = house.sql("SELECT FROM resident_access WHERE what = $1", f"ticket:{ticket}")
    return len(rows)


@pytest.fixture(scope="module")
def ticket(house: House) -> str:
    """A ticket that was given to a crew with a written reason."""
    crew = crew_on_duty(house, "W1")
    taken = step(house.person, receive(house.person), "accept")
    step(house.person, taken, "dispatch", crew=crew, reason_code="resident_asked", reason=WHY)
    found: str = taken["id"]
    return found


def test_the_desk_reads_the_reason_and_that_is_noted_once(house: House, ticket: str) -> None:
    path = f"/api/tickets/{ticket}"
    steps = house.person.get(path)["trace"]
    at = next(s["version"] for s in steps if s["kind"] == "ticket_dispatched")
    assert WHY not in str(steps)  # the journal does not hold it
    assert _looks(house, ticket) == 0
    for _ in range(2):
        assert house.person.get(f"{path}/written")["items"] == [
            {"stream": "ticket", "version": at, "text": WHY}
        ]
    assert _looks(house, ticket) == 1


def test_a_source_may_not_read_it(house: House, ticket: str) -> None:
    answer = house.source.http.get(f"/api/tickets/{ticket}/written")
    assert (answer.status_code, answer.json()["code"]) == (403, "role_needed")


def test_a_ticket_that_is_not_there(house: House) -> None:
    answer = house.person.http.get("/api/tickets/260114-999999/written")
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_ticket")
