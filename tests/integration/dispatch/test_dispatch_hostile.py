"""What no person means to send to dispatch: it is refused in words, and the next ticket has its
proposal all the same."""

from __future__ import annotations

from typing import Any

import pytest
from path_dispatch import T0, crews_on_duty, now_of, proposed, waiting
from path_house import House, eventually

HUGE = 10**30
MANY = {f"件 {n:03}": 1 for n in range(100)}


@pytest.fixture(scope="module")
def town(own_house: House) -> House:
    own_house.set_clock(T0)
    crews_on_duty(own_house, "H1", "H2")
    return own_house


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/proposals/{}/price", {"crew": "H1", "start_at": 2**64}),
        ("/api/what-if", {"extra_crews": [{"like": "H1", "n": HUGE}]}),
        ("/api/what-if", {"extra_crews": [{"like": "H1", "n": 0}]}),
        ("/api/what-if", {"extra_crews": [{"like": "H1", "n": 50}] * 21}),
        ("/api/what-if", {"at": -HUGE}),
        ("/api/what-if", {"at": HUGE}),
        ("/api/tickets/{}/work", {"parts": {"阀": HUGE}}),
        ("/api/tickets/{}/work", {"parts": {"a\u0000": 1}}),
        ("/api/tickets/{}/work", {"vehicle": ["a\u0000"]}),
        ("/api/tickets/{}/parts", {"parts": {"阀": HUGE}, "expected_at": 1_800_000_000}),
        ("/api/crews/H1/stock", {"parts": {"a\u0000": 1}}),
        ("/api/stores/W1", {"name": "a\u0000", "lon": 126.6, "lat": 45.7, "datum": "wgs84",
                            "parts": {}}),
        ("/api/stores/W1", {"name": "W", "lon": 126.6, "lat": 45.7, "datum": "wgs84",
                            "parts": {"\u0000": 1}}),
    ],
)  # fmt: skip
def test_what_cannot_be_kept_or_counted_is_refused(
    town: House, path: str, body: dict[str, Any]
) -> None:
    ticket = waiting(town.person)
    said = body | ({"version": ticket["version"]} if path.startswith("/api/tickets") else {})
    answer = town.person.post(path.format(ticket["id"]), said)
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_body"), answer.text


def test_a_ticket_that_needs_a_hundred_kinds_of_part_stops_nobody(town: House) -> None:
    greedy = waiting(town.person)
    town.person.ok(
        f"/api/tickets/{greedy['id']}/work", {"version": greedy["version"], "parts": MANY}
    )
    before = town.person.get("/api/plan")["plan"]
    ticket = waiting(town.person, level="yellow")
    assert proposed(town, ticket)["choices"]

    def planned() -> Any:
        made = town.person.get("/api/plan")
        visits = [v for c in made["crews"] for v in c["day"]["visits"]]
        there = {t for v in visits for t in v["tickets"]} | {u["ticket"] for u in made["unplanned"]}
        return made["plan"] > before and {greedy["id"], ticket["id"]} <= there

    eventually(planned, "both tickets are in the plan, or left out by name", 60)
    assert now_of(town, greedy)["work"]["parts"] == MANY
    outcome = town.person.http.post("/api/what-if", json={"crews_down": ["H1"]})
    assert outcome.status_code == 200, outcome.text
