"""Handover, morning report, resident's link and escalation, over HTTP and through the core."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from path_house import PASSWORD, Caller, House, eventually, run
from path_work import batch, carry, crew_on_duty, fix, receive, step

from server.adapters import accounts

ZONE = ZoneInfo("Asia/Shanghai")
IN_PLAN = (
    "SELECT count(*) FROM layer_row WHERE topic = 'plan' AND key = $1 AND position($2 IN body) > 0"
)
HEARD = (
    "SELECT count(*) FROM crew_last_fix WHERE crew_id = $1 AND extract(epoch FROM heard_at) >= $2"
)
CALLER = {"name": "赵桂兰", "phone": "13904511234"}


def second_person(house: House, name: str, role: accounts.Role = "seat") -> Caller:
    added = accounts.add_account(house.database_url, house.company, name, role, PASSWORD)
    run(added)
    caller = Caller(house.url)
    body = {"user": name, "password": PASSWORD}
    assert caller.http.post("/api/sign-in", json=body).status_code == 200
    return caller


def trace_kinds(house: House, ticket: str) -> list[str]:
    return [fact["kind"] for fact in house.person.get(f"/api/tickets/{ticket}")["trace"]]


def test_a_handover_lists_what_stands_and_is_signed_by_two_people(house: House) -> None:
    red = receive(house.person, caller=CALLER, words="立管跑水，赵桂兰家")
    agreed = step(house.person, receive(house.person, level="blue", building="B02"), "accept")
    now = int(house.business_now().timestamp())
    window = {"from_at": now + 3600, "until_at": now + 7200}
    step(house.person, agreed, "appoint", **window)
    preview = house.person.get("/api/handovers/preview")
    assert red["id"] in {t["ticket"] for t in preview["reds"]}
    assert {"what": "appointment", "ticket": agreed["id"], "address": agreed["address"],
            "by_at": window["until_at"]} in preview["promises"]  # fmt: skip
    drawn = house.person.ok("/api/handovers", {"note": "赵桂兰家钥匙在门卫"})
    assert drawn["note"] is None  # a stored answer holds no words
    path = f"/api/handovers/{drawn['id']}"
    assert house.person.get(path)["note"] == "赵桂兰家钥匙在门卫"
    signed = house.person.ok(f"{path}/sign", {"version": 1, "side": "leaving"})
    same = house.person.post(f"{path}/sign", {"version": signed["version"], "side": "coming"})
    assert (same.status_code, same.json()["code"]) == (409, "same_person")
    other = second_person(house, "li-coming")
    stale = other.post(f"{path}/sign", {"version": 1, "side": "coming"})
    assert (stale.status_code, stale.json()["code"]) == (409, "version_conflict")
    done = other.ok(f"{path}/sign", {"version": signed["version"], "side": "coming"})
    assert done["complete"]
    assert {s["by"] for s in done["signed"].values()} == {"admin", "li-coming"}
    assert house.person.get("/api/handovers")["items"][0]["id"] == drawn["id"]
    stored = house.sql("SELECT body FROM journal WHERE stream = $1", f"handover:{drawn['id']}")
    assert "赵桂兰" not in "".join(r["body"] for r in stored)
    assert house.person.http.get("/api/handovers/20200101-0000").status_code == 404


def test_a_wall_sees_none_of_it(house: House) -> None:
    wall = second_person(house, "wall-papers", "wall")
    for path in (
        "/api/handovers",
        "/api/handovers/preview",
        "/api/reports",
        "/api/reports/2026-01-14",
    ):
        assert wall.http.get(path).status_code == 403, path
    assert wall.post("/api/handovers").status_code == 403


def test_the_report_freezes_a_day_once_and_every_figure_has_its_records(
    own_house: House,
) -> None:
    house = own_house
    morning = datetime(2026, 1, 13, 9, 0, tzinfo=ZONE)
    house.set_clock(morning)
    crew = crew_on_duty(house, "R1")
    carry(house.person, receive(house.person), crew, "close")
    receive(house.person, building="B03", level="yellow")
    house.set_clock(datetime(2026, 1, 14, 7, 29, 50, tzinfo=ZONE), 10.0)
    report = eventually(lambda: _report(house, "2026-01-14"), "the report is frozen")
    figures = {f["name"]: f["value"] for f in report["figures"]}
    assert (figures["received_n"], figures["closed_n"]) == (2, 1)
    assert figures["by_hand_n"] + figures["first_choice_n"] + figures["overridden_n"] == 1
    assert report["report"]["until_at"] == int(
        datetime(2026, 1, 14, 7, 30, tzinfo=ZONE).timestamp()
    )
    behind = house.person.get("/api/reports/2026-01-14/records", figure="received_n")
    assert len(behind["streams"]) == 2
    house.set_clock(datetime(2026, 1, 14, 10, 0, tzinfo=ZONE))
    said = house.person.ok("/api/reports/2026-01-14/remarks", {"text": "含演练工单一件"})
    assert said["remarks"] == 1
    again = house.person.get("/api/reports/2026-01-14")
    assert again["report"] == report["report"]
    assert again["remarks"] == [{"text": "含演练工单一件", "by": "admin"}]
    facts = house.sql(
        "SELECT kind FROM journal WHERE stream = 'report:2026-01-14' ORDER BY version"
    )
    assert [f["kind"] for f in facts] == ["report_frozen", "report_corrected"]
    for day, status in (("2026-01-20", 404), ("tomorrow", 422)):
        assert house.person.http.get(f"/api/reports/{day}").status_code == status
    _printed(house)


def _report(house: House, day: str) -> Any:
    answer = house.person.http.get(f"/api/reports/{day}")
    return answer.json() if answer.status_code == 200 else None


def _printed(house: House) -> None:
    """The PDF holds its fonts, so that it reads the same anywhere."""
    for language in ("zh", "en"):
        answer = house.person.http.get(
            "/api/reports/2026-01-14.pdf", params={"language": language}, timeout=90
        )
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/pdf"
        assert answer.content.startswith(b"%PDF-")
        assert answer.content.count(b"/FontFile2") == 2


def test_a_resident_follows_the_ticket_by_a_link(house: House) -> None:
    crew = crew_on_duty(house, "L1")
    ticket = step(house.person, receive(house.person, building="B05", caller=CALLER), "accept")
    made = house.person.ok(
        f"/api/tickets/{ticket['id']}/link", {"version": ticket["version"], "send": True}
    )
    assert made["sent"]
    stranger = Caller(house.url, address="127.0.0.2").http
    token = made["path"].removeprefix("/t/")
    seen = stranger.get(f"/api/t/{token}").json()
    assert (seen["state"], seen["ended"]) == ("accepted", False)
    told = json.dumps(seen, ensure_ascii=False)
    for secret in (CALLER["name"], CALLER["phone"], ticket["address"], ticket["id"], "H-0"):
        assert secret not in told
    assert [s["step"] for s in seen["steps"] if s["at"]] == ["accept"]
    assert seen["arrive_from"] is None  # nobody is promised what the next plan may change
    ticket = house.person.get(f"/api/tickets/{ticket['id']}")["ticket"]
    ticket = carry(house.person, ticket, crew, "confirm")
    at = int(house.business_now().timestamp())
    batch(house.source, "crew-positions", fix(crew, at))
    eventually(lambda: house.sql(IN_PLAN, crew, ticket["id"].encode())[0][0], "the crew's plan")
    eventually(lambda: house.sql(HEARD, crew, at)[0][0], "the crew's fix")
    seen = stranger.get(f"/api/t/{token}").json()
    assert seen["crew_distance_m"] > 0
    assert seen["arrive_from"] < seen["arrive_until"]
    ticket = carry(house.person, ticket, crew, "close")
    over = stranger.get(f"/api/t/{token}").json()
    assert (over["ended"], over["crew_distance_m"], over["step"]) == (True, None, "close")
    assert all(s["at"] for s in over["steps"])


def test_a_link_ends_when_another_is_made_and_is_stored_nowhere(house: House) -> None:
    ticket = receive(house.person, building="B06")
    path = f"/api/tickets/{ticket['id']}/link"
    first = house.person.post(path, {"version": ticket["version"]}, key="link-key-1").json()
    again = house.person.post(path, {"version": ticket["version"]}, key="link-key-1").json()
    assert again["path"] == first["path"]
    current = house.person.get(f"/api/tickets/{ticket['id']}")["ticket"]
    second = house.person.ok(path, {"version": current["version"]})
    look = Caller(house.url, address="127.0.0.3").http
    assert look.get("/api" + first["path"]).status_code == 404
    assert look.get("/api" + second["path"]).status_code == 200
    assert look.get("/api/t/not-a-token").json()["code"] == "no_such_link"
    token = second["path"].removeprefix("/t/")
    for table, column in (("journal", "body"), ("idempotency", "answer"), ("outbox", "body")):
        found = house.sql(f"SELECT count(*) FROM {table} WHERE {column} LIKE $1", f"%{token}%")
        assert found[0][0] == 0
    assert "referrer" not in look.get(second["path"]).headers
    assert look.get(second["path"]).headers["referrer-policy"] == "no-referrer"


def test_too_many_looks_are_refused(house: House) -> None:
    look = Caller(house.url, address="127.0.0.4").http
    codes = {look.get("/api/t/none").status_code for _ in range(125)}
    assert codes == {404, 429}


def test_a_passed_deadline_is_carried_up_once_also_over_a_restart(own_house: House) -> None:
    house = own_house
    start = datetime(2026, 1, 15, 9, 0, tzinfo=ZONE)
    house.set_clock(start)  # after the days above: a core that follows a second later is early
    red = receive(house.person)
    blue = receive(house.person, level="blue", building="B04")
    house.set_clock(start + timedelta(minutes=31))
    eventually(lambda: "ticket_escalated" in trace_kinds(house, red["id"]), "carried up")
    house.cores[0].stop()
    house.core()
    house.set_clock(start + timedelta(minutes=40))
    receive(house.person, building="B07")
    both = ["first_contact", "respond"]
    eventually(lambda: _escalated(house, red["id"]) == both, "both clocks, once each")
    house.set_clock(start + timedelta(minutes=50))
    eventually(lambda: "ticket_unproposed" in trace_kinds(house, red["id"]), "nobody can come")
    assert _escalated(house, red["id"]) == both
    assert trace_kinds(house, red["id"]).count("deadline_passed") == 2
    assert "ticket_escalated" not in trace_kinds(house, blue["id"])
    file = Path(house.data) / "gateway" / "warm" / "duty-manager.jsonl"
    told = eventually(lambda: len(_told(file, red["id"])) == 3 and _told(file, red["id"]), "word")
    assert told == {"first_contact", "respond", None}  # None: there is no crew at all


def _escalated(house: House, ticket: str) -> list[str]:
    """The clocks that were carried up, in order of name."""
    facts = house.person.get(f"/api/tickets/{ticket}")["trace"]
    clocks = [f["event"]["clock"] for f in facts if f["kind"] == "ticket_escalated"]
    return sorted(clock for clock in clocks if clock is not None)


def _told(file: Path, ticket: str) -> set[str | None]:
    """The clocks of a ticket that the duty manager was written about."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    bodies = [json.loads(line)["body"] for line in lines]
    return {body["clock"] for body in bodies if body["ticket"] == ticket}
