"""Proposals, prices and confirmations as a dispatcher meets them."""

from __future__ import annotations

from datetime import timedelta

import pytest
from path_dispatch import T0, confirm, crews_on_duty, kinds, now_of, proposed, standing, waiting
from path_house import House, eventually
from path_work import at_once, batch, fix, step


@pytest.fixture(scope="module")
def town(own_house: House) -> House:
    own_house.set_clock(T0)
    crews_on_duty(own_house, "E1", "E2", "E3", "E4")
    return own_house


def test_an_accepted_ticket_gets_a_proposal_that_a_person_confirms(town: House) -> None:
    ticket = waiting(town.person)
    row = proposed(town, ticket)
    assert row["ticket_version"] == ticket["version"]
    assert 1 <= len(row["choices"]) <= 3
    best = row["choices"][0]
    assert best["arrive_at"] >= row["made_at"]
    assert sum(best["score"].values()) == best["total"]
    answer = town.person.get(f"/api/proposals/{ticket['id']}")
    assert {c["crew"] for c in answer["crews"]} == {"E1", "E2", "E3", "E4"}
    assert [c["crew"] for c in answer["crews"] if c["rank"] == 1] == [best["crew"]]
    done = confirm(town.person, ticket, row)
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["crew"]) == ("dispatched", best["crew"])
    trace = town.person.get(f"/api/tickets/{ticket['id']}")["trace"][-1]
    event = trace["event"]
    assert (event["rank"], event["plan"] is not None) == (1, True)
    stored = town.person.get(f"/api/decisions/{event['decision']}")
    assert (stored["kept"], stored["ticket"]) == (True, ticket["id"])
    assert trace["grounds"].startswith("proposal 1 of")
    eventually(lambda: standing(town, ticket) == {}, "the proposal is off the screens")


def test_another_crew_shows_its_price_and_owes_a_reason(town: House) -> None:
    ticket = waiting(town.person)
    row = proposed(town, ticket)
    best = row["choices"][0]["crew"]
    other = next(c for c in ("E1", "E2", "E3", "E4") if c != best)
    path = f"/api/proposals/{ticket['id']}/price"
    before = town.facts_of_callers()
    price = town.person.http.post(path, json={"crew": other})
    assert price.status_code == 200, price.text
    price = price.json()
    assert price["choice"]["crew"] == other
    assert (price["against"]["crew"], price["price"]["best"]) == (best, best)
    assert town.facts_of_callers() == before
    bare = confirm(town.person, ticket, price, other)
    assert (bare.status_code, bare.json()["code"]) == (422, "reason_needed")
    done = confirm(town.person, ticket, price, other, reason_code="other", reason="认识这栋楼")
    assert done.status_code == 200, done.text
    last = town.person.get(f"/api/tickets/{ticket['id']}")["trace"][-1]
    assert last["event"]["crew"] == other
    assert last["event"]["price"]["best"] == best
    assert last["event"]["reason_code"] == "other"
    assert "认识这栋楼" not in str(last)


def test_a_price_of_nobody_and_of_nothing(town: House) -> None:
    ticket = waiting(town.person)
    proposed(town, ticket)
    path = f"/api/proposals/{ticket['id']}/price"
    unknown = town.person.http.post(path, json={"crew": "E99"})
    assert (unknown.status_code, unknown.json()["code"]) == (404, "no_such_crew")
    nothing = town.person.http.post("/api/proposals/260101-999999/price", json={"crew": "E1"})
    assert (nothing.status_code, nothing.json()["code"]) == (409, "nothing_to_propose")
    missing = town.person.http.get("/api/proposals/260101-999999")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_ticket")


def test_a_decision_of_another_ticket_or_of_none_is_refused(town: House) -> None:
    one, other = waiting(town.person), waiting(town.person)
    row = proposed(town, one)
    proposed(town, other)
    answer = confirm(town.person, other, row)
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_decision")
    answer = confirm(town.person, one, row | {"decision": "0" * 64})
    assert (answer.status_code, answer.json()["code"]) == (404, "no_such_decision")
    left = next(c for c in ("E1", "E2", "E3", "E4") if c not in {x["crew"] for x in row["choices"]})
    answer = confirm(town.person, one, row, left, reason_code="knows_better")
    assert (answer.status_code, answer.json()["code"]) == (422, "crew_not_scored")
    assert kinds(town, one) == kinds(town, other)


def test_two_dispatchers_race_for_a_ticket_and_one_wins(town: House) -> None:
    li = town.sign_in()
    ticket = waiting(town.person)
    row = proposed(town, ticket)
    first, second = (c["crew"] for c in row["choices"][:2])
    answers = at_once(
        [
            lambda: confirm(town.person, ticket, row, first),
            lambda: confirm(li, ticket, row, second, reason_code="knows_better"),
        ]
    )
    assert sorted(a.status_code for a in answers) == [200, 409]
    lost = next(a for a in answers if a.status_code == 409).json()
    assert lost["code"] in {"version_conflict", "proposal_changed"}
    assert kinds(town, ticket).count("ticket_dispatched") == 1


def test_a_stale_proposal_is_scored_again(town: House) -> None:
    ticket, taken = waiting(town.person), waiting(town.person)
    row = proposed(town, ticket)
    best = row["choices"][0]["crew"]
    # the crew is moved on by something else: same crew, no worse off
    by_hand = {"version": taken["version"], "crew": best}
    given = town.person.ok(f"/api/tickets/{taken['id']}/dispatch", by_hand)
    town.person.ok(
        f"/api/tickets/{taken['id']}/cancel",
        {"version": given["version"], "reason_code": "duplicate"},
    )
    done = confirm(town.person, ticket, row)
    assert done.status_code == 200, done.text
    event = town.person.get(f"/api/tickets/{ticket['id']}")["trace"][-1]["event"]
    assert event["decision"] != row["decision"]
    assert event["crew"] == best


def test_a_stale_proposal_whose_crew_is_busy_is_not_guessed(town: House) -> None:
    ticket = waiting(town.person, level="blue")
    row = proposed(town, ticket)
    best = row["choices"][0]["crew"]
    stopped = {"reason_code": "breakdown"}
    town.person.ok(f"/api/crews/{best}/stop", stopped)
    answer = confirm(town.person, ticket, row)
    assert (answer.status_code, answer.json()["code"]) == (409, "proposal_changed"), answer.text
    new = answer.json()["present"]["proposal"]
    assert new["proposal"]["choices"][0]["crew"] != best
    assert now_of(town, ticket)["state"] == "accepted"
    town.person.ok(f"/api/crews/{best}/back", {})
    again = {"choices": new["proposal"]["choices"], "decision": new["decision"]}
    assert confirm(town.person, ticket, again).status_code == 200


def test_what_if_changes_nothing(town: House) -> None:
    for _ in range(3):
        waiting(town.person)
    eventually(lambda: town.person.get("/api/plan")["plan"] > 0, "there is a plan")
    before = town.facts_of_callers()
    asked = {"crews_down": ["E1"], "extra_crews": [{"like": "E2", "n": 2}]}
    answer = town.person.http.post("/api/what-if", json=asked)
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["now"]["served"] + found["now"]["unplanned"] >= 3
    assert town.facts_of_callers() == before
    nobody = town.person.http.post("/api/what-if", json={"crews_down": ["E77"]})
    assert (nobody.status_code, nobody.json()["code"]) == (404, "no_such_crew")


def test_the_plan_names_every_crews_day(town: House) -> None:
    ticket = waiting(town.person)

    def planned() -> bool:
        plan = town.person.get("/api/plan")
        days = [t for c in plan["crews"] for v in c["day"]["visits"] for t in v["tickets"]]
        return ticket["id"] in days or ticket["id"] in [u["ticket"] for u in plan["unplanned"]]

    eventually(planned, "the ticket is in the plan, or told why not", within_s=60)
    rows = town.person.get("/api/layers/plan")["rows"]
    assert rows
    assert {r["key"] for r in rows} <= {"E1", "E2", "E3", "E4"}
    figure = town.person.get("/api/layers/figures")["rows"]
    assert [r["row"]["plan"] for r in figure if r["key"] == "plan"]


def test_dispatch_by_hand_needs_no_proposal(town: House) -> None:
    ticket = waiting(town.person)
    done = step(town.person, ticket, "dispatch", crew="E4")
    assert done["crew"] == "E4"
    last = town.person.get(f"/api/tickets/{ticket['id']}")["trace"][-1]
    assert "by hand, not scored" in last["grounds"]
    assert last["event"]["decision"] is None


def test_the_policy_is_told_with_its_version(town: House) -> None:
    found = town.person.get("/api/dispatch-policy")
    assert found["version"].startswith("default/")
    assert found["dispatch"]["rounds"]["every_s"] > 0
    assert found["error"] is None


def test_a_proposal_of_nobody_is_never_an_old_one(town: House) -> None:
    """Crews that nobody hears are left out; once they are heard, whoever looks sees them."""
    town.set_clock(town.business_now() + timedelta(minutes=40))
    ticket = waiting(town.person)
    path = f"/api/proposals/{ticket['id']}"
    lost = eventually(
        lambda: standing(town, ticket) and town.person.get(path), "no crew can be proposed"
    )
    assert lost["choices"] == []
    assert {c["rule"] for c in lost["crews"]} == {"position_lost"}
    at = int(town.business_now().timestamp())
    assert batch(town.source, "crew-positions", fix("E1", at, lon=126.64, lat=45.751))["accepted"]

    def heard() -> bool:
        rows = town.person.get("/api/layers/positions")["rows"]
        return any(r["key"] == "E1" and r["row"]["fixed_at"] == at for r in rows)

    eventually(heard, "the crew is on the map")
    now = town.person.get(path)
    assert [c["crew"] for c in now["choices"]] == ["E1"]
    assert {c["crew"]: c["rule"] for c in now["crews"]}["E2"] == "position_lost"
    eventually(lambda: standing(town, ticket)["choices"], "the screens have it too", within_s=60)
