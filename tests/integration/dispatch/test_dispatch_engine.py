"""The engine of dispatch beside the desk: red tickets, its own deaths, the policy, replay."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import psutil
import pytest
from path_dispatch import (
    T0,
    confirm,
    crews_on_duty,
    decided_on,
    kinds,
    now_of,
    proposed,
    standing,
    waiting,
)
from path_house import ROOT, House, NewHouse, eventually, run
from path_residents import CALLER, WORDS, found_in
from path_work import carry, step

from server.adapters import plan_store
from server.adapters.decision_bundles import deflated, inflated
from server.adapters.pool import Pool

SHIPPED = (ROOT / "server" / "policies" / "default" / "default.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def town(new_house: NewHouse) -> Iterator[House]:
    """A house with one crew and another policy's file, if a test writes one."""
    with new_house() as house:
        house.set_clock(T0)
        crews_on_duty(house, "R1")
        yield house
        shutil.rmtree(house.data / "policies" / "warm", ignore_errors=True)


def children(house: House) -> list[psutil.Process]:
    """The processes that compute for the core."""
    found = []
    for child in psutil.Process(house.cores[-1].popen.pid).children():
        with contextlib.suppress(psutil.NoSuchProcess):  # a zombie is none any more
            if "planner" in child.cmdline():
                found.append(child)
    return found


def plan(house: House) -> int:
    return int(house.person.get("/api/plan")["plan"])


def replay(house: House, ticket: Any) -> tuple[int, list[dict[str, Any]]]:
    """(exit code, decisions) of `heatops replay`."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "replay", ticket["id"], "--company", "warm", "--json"],
        cwd=ROOT, env=house._env(), capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout.strip().splitlines()[-1])["decisions"]


def row_of(house: House, ticket: Any) -> dict[str, Any]:
    """The ticket's row on the screens."""
    rows = house.person.get("/api/layers/tickets")["rows"]
    return next((r["row"] for r in rows if r["key"] == ticket["id"]), {})


def beyond_all(house: House, building: str) -> Any:
    """A red ticket for which no crew has the skill, once that was found."""
    red = waiting(house.person, level="red", building=building)
    house.person.ok(f"/api/tickets/{red['id']}/work", {"version": red["version"], "skill": 5})
    eventually(lambda: standing(house, red).get("left_out", {}).get("skill"), "nobody can")
    assert standing(house, red)["choices"] == []
    return red


def test_a_red_ticket_displaces_a_blue_one_by_name(town: House) -> None:
    blue = carry(town.person, waiting(town.person, level="blue", building="B12"), "R1", "confirm")
    red = waiting(town.person, level="red", building="B01")
    row = proposed(town, red)
    choice = row["choices"][0]
    assert [d["ticket"] for d in choice["displaced"]] == [blue["id"]]
    unseen = confirm(town.person, red, row)
    assert (unseen.status_code, unseen.json()["code"]) == (422, "displacement_unseen")
    gone = [{"ticket": blue["id"], "version": now_of(town, blue)["version"]}]
    done = confirm(town.person, red, row, displace=gone)
    assert done.status_code == 200, done.text
    after = now_of(town, blue)
    assert (after["state"], after["crew"], after["displaced_by"]) == ("accepted", None, red["id"])
    assert town.person.get("/api/crews/R1")["tickets"] == [red["id"]]
    assert kinds(town, blue)[-1] == "ticket_displaced"
    town.person.ok(f"/api/tickets/{blue['id']}/cancel", {"version": after["version"],
                   "reason_code": "duplicate"})  # fmt: skip
    # on site: only by a person, and after making safe
    red = carry(town.person, done.json(), "R1", "handle")
    worse = waiting(town.person, level="red", building="B02")
    gone = [{"ticket": red["id"], "version": now_of(town, red)["version"]}]
    by_hand = {"version": worse["version"], "crew": "R1", "displace": gone}
    path = f"/api/tickets/{worse['id']}/dispatch"
    refused = town.person.post(path, by_hand)
    assert (refused.status_code, refused.json()["code"]) == (409, "on_site")
    assert town.person.post(path, by_hand | {"made_safe": True}).status_code == 200
    many = [{"ticket": f"260101-{n:06d}", "version": 1} for n in range(9)]
    refused = town.person.post(path, by_hand | {"displace": many})
    assert (refused.status_code, refused.json()["code"]) == (422, "too_many_displaced")
    for ticket in (red, worse):
        now = now_of(town, ticket)
        town.person.ok(
            f"/api/tickets/{ticket['id']}/cancel",
            {"version": now["version"], "reason_code": "duplicate"},
        )


def test_a_red_ticket_without_a_proposal_is_told_of_once(town: House) -> None:
    red = beyond_all(town, "B04")
    town.set_clock(town.business_now() + timedelta(seconds=45))
    eventually(lambda: "ticket_unproposed" in kinds(town, red), "it is told of")
    town.set_clock(town.business_now() + timedelta(seconds=90))
    crews_on_duty(town, "R1", skill=5)
    eventually(lambda: "ticket_proposed_again" in kinds(town, red), "there is a crew again")
    assert kinds(town, red).count("ticket_unproposed") == 1
    assert kinds(town, red).count("ticket_proposed_again") == 1
    crews_on_duty(town, "R1")


def test_a_decision_is_made_again_bit_for_bit(town: House) -> None:
    ticket = waiting(town.person, level="blue")
    row = proposed(town, ticket)
    price = town.person.http.post(f"/api/proposals/{ticket['id']}/price", json={"crew": "R1"})
    assert price.status_code == 200, price.text
    assert confirm(town.person, ticket, row).status_code == 200
    code, found = replay(town, ticket)
    assert (code, {d["verdict"] for d in found}) == (0, {"same"}), found
    assert {d["kind"] for d in found} == {"proposal", "price"}
    assert [d["dispatched"] for d in found].count(True) == 1
    named = next(d["decision"] for d in found if d["dispatched"])
    inputs = town.person.get(f"/api/decisions/{named}")["inputs"]
    assert {len(bytes.fromhex(piece)) for part in inputs.values() for piece in part} == {32}
    stored = "SELECT digest, body FROM decision_input WHERE company_id = $1 AND depth = 0 AND kept"
    put = "UPDATE decision_input SET body = $3 WHERE company_id = $1 AND digest = $2"
    whole = town.sql(stored, town.company)
    for digest, body in whole:
        checks, parts = msgspec.msgpack.decode(body)
        policy = inflated(parts["policy"][0], b"").replace(b"levels", b"lovels")
        parts["policy"] = [deflated(policy, b"")]
        town.sql(put, town.company, digest, msgspec.msgpack.encode([checks, parts]))
    code, found = replay(town, ticket)
    assert code == 1
    assert ("policy (changed)",) in {tuple(d["differs"]) for d in found if d["dispatched"]}
    for digest, body in whole:
        town.sql(put, town.company, digest, body)
    town.sql("UPDATE decision SET answer = $3, example = NULL"
             " WHERE company_id = $1 AND digest = $2",
             town.company, named, deflated(b"\x80", b""))  # fmt: skip
    code, found = replay(town, ticket)
    assert code == 1
    other = next(d for d in found if d["decision"] == named)
    assert other["verdict"] == "another answer"
    assert "answer.choices" in other["differs"]


def test_no_resident_stands_among_the_inputs(town: House) -> None:
    ticket = waiting(
        town.person, household="H-003", building=None, words=WORDS, caller=CALLER, kind="not_warm"
    )
    eventually(lambda: standing(town, ticket), "it was scored")
    people = town.sql("SELECT pseudonym FROM person WHERE company_id = $1", town.company)
    bodies = decided_on(town)
    assert any(ticket["id"].encode() in body for body in bodies)
    for body in bodies:
        try:
            found = found_in(body)
        except ValueError:
            found = []
        assert found == []
        assert not [p for (p,) in people if p.encode() in body]
        assert b"H-003" not in body


def test_a_killed_child_costs_a_round_and_nothing_else(town: House) -> None:
    ticket = waiting(town.person, level="blue")
    proposed(town, ticket)
    before = plan(town)
    dead: list[psutil.Process] = []
    for _ in range(6):  # at whatever they are: idle, reading, in the middle of a plan
        town.set_clock(town.business_now() + timedelta(seconds=30))
        for child in eventually(lambda: children(town), "there are children"):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL)
            dead.append(child)
    later = waiting(town.person, level="blue", building="B03")
    proposed(town, later)
    eventually(lambda: plan(town) > before, "another plan comes into force", within_s=90)
    alive = {c.pid for c in children(town)}
    assert alive
    assert alive.isdisjoint({c.pid for c in dead})


def test_a_plan_that_cannot_be_made_anew_stays_and_says_since_when(town: House) -> None:
    waiting(town.person, level="blue", building="B05")

    def figure() -> dict[str, Any]:
        rows = town.person.get("/api/layers/figures")["rows"]
        return next((r["row"] for r in rows if r["key"] == "plan"), {})

    def lost() -> dict[str, Any]:
        for child in children(town):
            with contextlib.suppress(psutil.NoSuchProcess):
                child.send_signal(signal.SIGKILL)
        town.set_clock(town.business_now() + timedelta(seconds=30))
        found = figure()
        return found if found.get("lost_since") is not None else {}

    eventually(lambda: figure().get("plan"), "a plan is told")
    told = eventually(lost, "that plans cannot be made is told", within_s=90)
    assert told["plan"] >= 1
    assert told["lost_since"] >= told["made_at"]
    assert town.person.get("/api/plan")["made_at"] is not None

    def well() -> bool:
        town.set_clock(town.business_now() + timedelta(seconds=30))
        now = figure()
        return now["plan"] > told["plan"] and now["lost_since"] is None

    eventually(well, "another plan comes into force and nothing is lost", within_s=90)


def test_a_killed_core_loses_no_confirmation_and_warns_once(town: House) -> None:
    ticket, other = waiting(town.person, level="blue"), waiting(town.person, level="blue")
    row = proposed(town, ticket)
    proposed(town, other)
    red = beyond_all(town, "B05")
    town.set_clock(town.business_now() + timedelta(seconds=45))
    eventually(lambda: "ticket_unproposed" in kinds(town, red), "it is told of")
    orphans = children(town)
    town.cores[-1].kill()
    for orphan in orphans:
        orphan.wait(10)
    # the engine is away: what was proposed may be confirmed, a price cannot be asked for
    price = town.person.http.post(f"/api/proposals/{ticket['id']}/price", json={"crew": "R1"})
    assert (price.status_code, price.json()["code"]) == (503, "engine_unavailable")
    asked = town.person.http.post("/api/what-if", json={"crews_down": ["R1"]})
    assert (asked.status_code, asked.json()["code"]) == (503, "engine_unavailable")
    by_hand = {"version": ticket["version"], "crew": "R1"}
    done = town.person.ok(f"/api/tickets/{ticket['id']}/dispatch", by_hand)
    assert done["state"] == "dispatched", row
    before = plan(town)
    town.core()
    eventually(lambda: plan(town) > before, "the next core plans", within_s=90)
    eventually(lambda: not standing(town, ticket), "its proposal is withdrawn")
    assert now_of(town, ticket)["crew"] == "R1"
    assert kinds(town, ticket).count("ticket_dispatched") == 1
    assert kinds(town, red).count("ticket_unproposed") == 1
    present = town.person.get(f"/api/proposals/{other['id']}")
    assert confirm(town.person, other, present).status_code == 200


def test_the_policy_confirms_blue_tickets_and_a_bad_file_keeps_it(town: House) -> None:
    file = town.data / "policies" / "warm" / "2025-2026.toml"
    file.parent.mkdir(parents=True, exist_ok=True)
    good = SHIPPED.replace("levels = []  ", 'levels = ["blue"]  ', 1)
    assert good != SHIPPED
    file.write_text(good, "utf-8")
    eventually(
        lambda: town.person.get("/api/dispatch-policy")["origin"].startswith("own/"),
        "the own file holds",
    )
    crews_on_duty(town, "R7", "R8")
    ticket = waiting(town.person, level="blue")
    eventually(lambda: now_of(town, ticket)["state"] == "dispatched", "it confirms itself")
    last = town.person.get(f"/api/tickets/{ticket['id']}")["trace"][-1]
    assert (last["actor"], last["event"]["auto"], last["event"]["rank"]) == ("system:core", True, 1)
    assert "auto_confirm" in last["grounds"]
    eventually(lambda: row_of(town, ticket).get("auto"), "the row says that the policy did")
    had = now_of(town, ticket)["crew"]
    other = next(crew for crew in ("R7", "R8") if crew != had)
    person = {"version": now_of(town, ticket)["version"], "crew": other}
    path = f"/api/tickets/{ticket['id']}/dispatch"
    refused = town.person.post(path, person)
    assert (refused.status_code, refused.json()["code"]) == (422, "reason_needed")
    overruled = town.person.ok(path, person | {"reason_code": "knows_better"})
    assert overruled["crew"] == other
    last = town.person.get(f"/api/tickets/{ticket['id']}")["trace"][-1]
    assert (last["actor"], last["event"]["auto"]) == ("person:admin", False)
    eventually(lambda: row_of(town, ticket)["auto"] is False, "the row says a person did")
    assert ticket["id"] not in town.person.get(f"/api/crews/{had}")["tickets"]
    yellow = waiting(town.person, level="yellow", building="B05")
    proposed(town, yellow)
    assert now_of(town, yellow)["state"] == "accepted"
    file.write_text(good.replace("churn_s = 900", "churn_s = -1", 1), "utf-8")
    eventually(lambda: town.person.get("/api/dispatch-policy")["error"], "the fault is told")
    told = town.person.get("/api/dispatch-policy")
    assert told["dispatch"]["auto_confirm"]["levels"] == ["blue"]
    line = file.read_text("utf-8").splitlines()[told["error"]["line"] - 1]
    assert line.startswith("churn_s")


def test_two_desks_see_each_others_hands(town: House) -> None:
    li = town.sign_in()
    ticket = waiting(town.person)
    say = {"ticket": ticket["id"], "doing": "choosing"}
    assert town.person.http.post("/api/presence", json=say).json() == {"hands": []}
    hands = li.http.post("/api/presence", json={"ticket": None, "doing": "looking"}).json()["hands"]
    assert [(h["who"], h["ticket"], h["doing"]) for h in hands] == [
        ("admin", ticket["id"], "choosing")
    ]
    town.valkey.stop()
    try:
        again = li.http.post("/api/presence", json={"ticket": ticket["id"], "doing": "looking"})
        assert again.status_code == 200
        assert town.person.http.post("/api/presence", json=say).status_code == 200
    finally:
        town.valkey.start()
    gone = {"ticket": None, "doing": "looking"}
    assert town.person.http.post("/api/presence", json=gone).status_code == 200
    bad = town.person.http.post("/api/presence", json={"ticket": "x y", "doing": "looking"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_body")


def test_a_job_for_two_crews_gives_it_to_both(town: House) -> None:
    ticket = waiting(town.person, level="yellow", building="B06")
    work = {"version": ticket["version"], "crews": 2}
    town.person.ok(f"/api/tickets/{ticket['id']}/work", work)
    now = now_of(town, ticket)

    def both() -> dict[str, Any]:
        row = standing(town, ticket)
        return row if row.get("choices") and row["choices"][0]["with_crew"] else {}

    row = eventually(both, "two crews are proposed")
    done = confirm(town.person, now, row)
    assert done.status_code == 200, done.text
    assert done.json()["with_crew"] == row["choices"][0]["with_crew"]
    for crew in (done.json()["crew"], done.json()["with_crew"]):
        assert ticket["id"] in town.person.get(f"/api/crews/{crew}")["tickets"]
    on_way = step(town.person, done.json(), "confirm")
    assert on_way["state"] == "confirmed"


def test_what_a_dispatch_names_is_kept_and_the_rest_is_not(town: House) -> None:
    kept, other = waiting(town.person, level="yellow"), waiting(town.person, level="yellow")
    assert confirm(town.person, kept, proposed(town, kept)).status_code == 200
    proposed(town, other)
    town.sql("UPDATE decision SET stored_at = now() - interval '49 hours'")
    town.sql("UPDATE decision_input SET stored_at = now() - interval '52 hours'")

    async def tidy() -> None:
        pool = Pool(town.app_url, size=1, name="test-tidy")
        try:
            async with pool.company(town.company) as c:
                await plan_store.tidy(c, town.company)
        finally:
            await pool.close()

    run(tidy())
    left = town.sql("SELECT ticket_id, kept FROM decision WHERE stored_at < now() - interval '1 h'")
    assert kept["id"] in {r[0] for r in left}
    assert {r[1] for r in left} == {True}
    code, found = replay(town, kept)
    assert (code, {d["verdict"] for d in found if d["dispatched"]}) == (0, {"same"})
