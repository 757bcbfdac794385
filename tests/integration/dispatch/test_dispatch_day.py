"""Random days of two companies side by side, over HTTP and through the real core: whatever is
proposed, confirmed, displaced and planned keeps the rules, and can be made again bit for bit."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Any

import httpx
import pytest
from path_dispatch import T0, confirm, crews_on_duty, now_of, proposed, waiting
from path_dispatch_rules import check_choice, check_plan
from path_house import ROOT, Caller, House, eventually, run
from path_work import STEPS, batch, fix, receive, register_crew, step, waive

from server.settings import Settings
from server.work import replay_ticket

SHIPPED = (ROOT / "server" / "policies" / "default" / "default.toml").read_text("utf-8")
CREWS = ["C1", "C2", "C3"]
TRADES = [["secondary", "indoor"], ["secondary", "indoor"], ["indoor", "plant"]]
PEOPLE_CHANGED = {
    "version_conflict", "proposal_changed", "wrong_state", "locks_overlap", "crew_stopped",
    "bad_window", "with_other_crew", "same_work", "kept_for_tickets", "displacement_unseen",
}  # fmt: skip
"""What a random step may be refused with: it was not possible then, and said so."""
NEXT = {"dispatched": "confirm", "confirmed": "handle", "handling": "verify", "verifying": "close"}


class Day:
    """One company, and a person at its desk who does this and that."""

    def __init__(self, house: House, code: str, buildings: list[str], seed: int) -> None:
        self.house = house
        self.code = code
        self.company, token = house.open_company(code)
        self.source = Caller(house.url, token)
        self.desk = house.sign_in()
        answer = self.desk.http.post("/api/session/company", json={"code": code})
        assert answer.status_code == 200, answer.text
        self.random = random.Random(f"{code}{seed}")
        self.buildings = buildings
        self.plan_often()
        self.confirmed: dict[str, str] = {}
        self.displaced = 0
        self.refused: list[str] = []
        more: dict[str, Any] = {"certificates": ["welder"]}
        for n, (crew, trades) in enumerate(zip(CREWS, TRADES, strict=True)):
            register_crew(
                self.source, crew, name=f"{code}-{crew}", trades=trades, skill=2 + n,
                territory=["道里区"] if n % 2 else [], equipment=["pump"] if n > 1 else [],
                **(more if n else {}),
            )  # fmt: skip
        self.fixes()
        eventually(
            lambda: "off" not in {c["state"] for c in self.crews().values()}, f"{code} is on duty"
        )

    def plan_often(self) -> None:
        """A policy of its own: as shipped, but for how often it plans."""
        file = self.house.data / "policies" / self.code / "2025-2026.toml"
        file.parent.mkdir(parents=True, exist_ok=True)
        often = SHIPPED.replace("every_s = 20", "every_s = 5", 1)
        assert often != SHIPPED
        file.write_text(often, "utf-8")
        eventually(
            lambda: self.desk.get("/api/dispatch-policy")["origin"].startswith("own/"),
            "its own policy holds",
        )

    def fixes(self) -> None:
        """Every crew is heard of."""
        at = int(self.house.business_now().timestamp())
        spots = [fix(c, at, lon=126.63 + self.random.uniform(0, 0.03), lat=45.751) for c in CREWS]
        assert batch(self.source, "crew-positions", *spots)["accepted"] == len(CREWS)

    def crews(self) -> dict[str, Any]:
        return {c["id"]: c for c in self.desk.get("/api/crews")["items"]}

    def tickets(self) -> dict[str, Any]:
        return {t["id"]: t for t in self.desk.get("/api/tickets", limit=500)["items"]}

    def post(self, path: str, body: dict[str, Any]) -> Any:
        """The answer, None where it was refused for a reason that may be."""
        answer = self.desk.post(path, body)
        if answer.is_success:
            return answer.json()
        code = answer.json()["code"]
        assert code in PEOPLE_CHANGED, (path, body, answer.text)
        self.refused.append(code)
        return None

    def step(self) -> None:
        """Something that happens at a desk."""
        tickets = self.tickets()
        there = [t for t in tickets.values() if t["state"] in {"accepted", *NEXT}]
        waiting = [t for t in there if t["state"] == "accepted"]
        chance = self.random.random()
        if chance < 0.35 or not there:
            self.call()
        elif chance < 0.75 and waiting:
            self.confirm(self.random.choice(waiting)["id"])
        elif chance < 0.85:
            self.amend(self.random.choice(there))
        elif chance < 0.92:
            self.carry(self.random.choice(there))
        else:
            crew = self.random.choice(list(self.crews().values()))
            name, body = ("back", {}) if crew["stopped"] else ("stop", {"reason_code": "sick"})
            self.post(f"/api/crews/{crew['id']}/{name}", body)

    def one_more(self) -> None:
        """A round ends with a leak that somebody calls in and a confirmation."""
        self.call("leak")
        waiting = [t["id"] for t in self.tickets().values() if t["state"] == "accepted"]
        self.confirm(max(waiting))

    def call(self, kind: str | None = None) -> None:
        made = receive(
            self.desk, separate=True, building=self.random.choice(self.buildings),
            kind=kind or self.random.choice(["leak", "leak", "not_warm", "repair"]),
            level=self.random.choice(["red", "yellow", "blue", "blue"]),
        )  # fmt: skip
        self.post(f"/api/tickets/{made['id']}/accept", {"version": made["version"]})

    def amend(self, ticket: Any) -> None:
        at = int(self.house.business_now().timestamp())
        begins = at + self.random.choice([600, 3600])
        name, body = self.random.choice([
            ("work", {"crews": 2}), ("work", {"skill": 4}), ("work", {"minutes": 100}),
            ("work", {"certificates": ["welder"]}), ("work", {"vehicle": ["pump"]}),
            ("pin", {"crew": self.random.choice(CREWS)}),
            ("appoint", {"from_at": begins, "until_at": begins + 3600}),
        ])  # fmt: skip
        self.post(f"/api/tickets/{ticket['id']}/{name}", {"version": ticket["version"]} | body)

    def carry(self, ticket: Any) -> None:
        name = NEXT.get(ticket["state"], "cancel")
        if name == "verify":
            waive(self.desk, ticket["id"])
        body = {"version": ticket["version"]} | STEPS[name]
        self.post(f"/api/tickets/{ticket['id']}/{name}", body)

    def confirm(self, ticket_id: str) -> None:
        """On a proposal that is held to account first; one that moved meanwhile is let be."""
        answer = eventually(lambda: self.asked(ticket_id), "a proposal")
        assert answer.status_code == 200, answer.text
        proposal = answer.json()
        assert {c["crew"] for c in proposal["crews"]} == set(CREWS)
        for line in proposal["crews"]:
            assert line["crew_name"] == f"{self.code}-{line['crew']}"
            assert line["rule"] is None or line["rank"] is None
        if not proposal["choices"]:
            assert proposal["left_out"], ticket_id
            return
        crews, tickets = self.crews(), self.tickets()
        ticket = tickets[ticket_id]
        now = int(self.house.business_now().timestamp())
        policy = self.desk.get("/api/dispatch-policy")["dispatch"]
        if proposal["ticket_version"] != ticket["version"]:
            return
        for choice in proposal["choices"]:
            if choice["crew_version"] == crews[choice["crew"]]["version"]:
                check_choice(choice, ticket, crews, tickets, policy, now)
        rank = self.random.choice([0, 0, len(proposal["choices"]) - 1])
        done, choice = self.dispatch(ticket, proposal, rank, tickets)
        if done is not None:
            self.settle(ticket_id, done, choice, tickets)

    def asked(self, ticket_id: str) -> httpx.Response | None:
        """The answer; None where the engine is asked again, as its refusal says."""
        answer = self.desk.http.get(f"/api/proposals/{ticket_id}")
        busy = answer.status_code == 503 and answer.json()["code"] == "engine_unavailable"
        return None if busy else answer

    def dispatch(
        self, ticket: Any, proposal: Any, rank: int, tickets: dict[str, Any]
    ) -> tuple[Any, Any]:
        """(the ticket, the choice); where it was scored again, on what it is now."""
        choice = proposal["choices"][rank]
        body = {
            "version": ticket["version"], "crew": choice["crew"], "decision": proposal["decision"],
            "displace": [
                {"ticket": d["ticket"], "version": tickets[d["ticket"]]["version"]}
                for d in choice["displaced"]
            ],
        } | ({"reason_code": "knows_better"} if rank else {})  # fmt: skip
        answer = self.desk.post(f"/api/tickets/{ticket['id']}/dispatch", body)
        if answer.is_success:
            return answer.json(), choice
        told = answer.json()
        assert told["code"] in PEOPLE_CHANGED, answer.text
        self.refused.append(told["code"])
        anew = told.get("present", {}).get("proposal", {}) if len(self.refused) % 2 else {}
        scored = anew.get("proposal") or {"choices": []}
        if not scored["choices"] or anew["ticket_version"] != ticket["version"]:
            return None, None
        again = {"decision": anew["decision"], "choices": scored["choices"]}
        return self.dispatch(ticket, again, 0, tickets)

    def settle(self, ticket_id: str, done: Any, choice: Any, before: dict[str, Any]) -> None:
        """What was confirmed is so, and everybody who gave way is told of by name."""
        assert (done["state"], done["crew"]) == ("dispatched", choice["crew"])
        trace = self.desk.get(f"/api/tickets/{ticket_id}")["trace"]
        event = next(f["event"] for f in reversed(trace) if f["kind"] == "ticket_dispatched")
        assert event["decision"]
        assert set(event["price"]["displaced"]) <= {d["ticket"] for d in choice["displaced"]}
        self.confirmed[ticket_id] = event["decision"]
        crews = self.crews()
        for crew in (done["crew"], done["with_crew"]):
            assert crew is None or ticket_id in crews[crew]["tickets"]
        for gone in choice["displaced"]:
            was = before[gone["ticket"]]
            if was["crew"] is None:
                continue
            self.displaced += 1
            now = self.tickets()[gone["ticket"]]
            assert (now["state"], now["displaced_by"]) == ("accepted", ticket_id)
            assert gone["ticket"] not in crews[was["crew"]]["tickets"]

    def settled_plan(self) -> None:
        """The plan once it knows everything, held to account."""
        since = self.desk.get("/api/plan")["plan"]
        plan = eventually(
            lambda: (p := self.desk.get("/api/plan"))["plan"] > since + 1 and p,
            f"{self.code} is planned anew", within_s=120,
        )  # fmt: skip
        policy = self.desk.get("/api/dispatch-policy")["dispatch"]
        check_plan(plan, self.crews(), self.tickets(), policy)
        own = {t["address"] for t in self.tickets().values()}
        said = {v["address"] for c in plan["crews"] for v in c["day"]["visits"]}
        assert said | {u["address"] for u in plan["unplanned"]} <= own
        assert {c["name"] for c in plan["crews"]} <= {f"{self.code}-{c}" for c in CREWS}

    def replayed(self) -> None:
        """Every decision of every ticket that was confirmed on one comes out the same."""
        house = self.house
        settings = Settings(
            data=house.data, database_url=house.database_url, redis_url=house.valkey.url
        )
        for ticket, decision in self.confirmed.items():
            found = run(replay_ticket(settings, self.code, ticket))
            assert decision in {f.decision for f in found if f.dispatched}
            assert {f.verdict for f in found} == {"same"}, [f for f in found if f.verdict != "same"]


@pytest.fixture(scope="module")
def noon(own_house: House) -> House:
    own_house.set_clock(T0)
    return own_house


@pytest.mark.parametrize("seed", [1, 2])
def test_two_random_days_side_by_side(noon: House, seed: int) -> None:
    start = noon.business_now()
    half = {"one": [f"B{n:02d}" for n in range(1, 7)], "two": [f"B{n:02d}" for n in range(7, 13)]}
    days = [Day(noon, f"{name}{seed}", buildings, seed) for name, buildings in half.items()]
    for round_ in range(1, 7):
        for _ in range(9):
            for day in days:
                day.step()
        noon.set_clock(start + timedelta(minutes=6 * round_))
        for day in days:
            day.fixes()
            day.one_more()
    for day in days:
        day.settled_plan()
        day.replayed()
        print(day.code, len(day.confirmed), "confirmed,", day.displaced, "gave way,", day.refused)
        assert len(day.confirmed) >= 3


def test_a_red_ticket_takes_the_place_of_one_that_is_only_planned(noon: House) -> None:
    """Nobody has it yet, so that nothing is taken from anybody: it waits on, for another time."""
    crews_on_duty(noon, "P1")
    blue = waiting(noon.person, level="blue", building="B02")
    at = int(noon.business_now().timestamp())
    blue = step(noon.person, blue, "appoint", from_at=at + 300, until_at=at + 900)

    def planned() -> bool:
        days = noon.person.get("/api/plan")["crews"]
        return any(blue["id"] in v["tickets"] for d in days for v in d["day"]["visits"])

    eventually(planned, "the blue one is planned", within_s=90)
    red = waiting(noon.person, level="red", building="B09")
    row = proposed(noon, red)
    assert [d["ticket"] for d in row["choices"][0]["displaced"]] == [blue["id"]]
    unseen = confirm(noon.person, red, row)
    assert (unseen.status_code, unseen.json()["code"]) == (422, "displacement_unseen")
    stale = confirm(noon.person, red, row, displace=[{"ticket": blue["id"], "version": 1}])
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    gone = [{"ticket": blue["id"], "version": blue["version"]}]
    done = confirm(noon.person, red, row, displace=gone)
    assert done.status_code == 200, done.text
    assert (done.json()["state"], done.json()["crew"]) == ("dispatched", "P1")
    after = now_of(noon, blue)
    assert (after["state"], after["crew"], after["version"]) == ("accepted", None, blue["version"])
