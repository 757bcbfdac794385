"""A reminder from its day to the last outcome, over HTTP and the file gateway."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg
import pytest
from path_house import HOUSEHOLDS, House, eventually, run

from server.adapters.residents import save_secrets
from server.adapters.vault import Vault
from server.ports import SecretPerson

EVE = datetime(2026, 9, 30, 2, 0, tzinfo=UTC)
"""31 days before 31 October, 10:00 in the city."""
FIRST = "suspension_deadline-2026-2027-30"


@pytest.fixture(scope="module")
def town(own_house: House) -> House:
    run(_owners(own_house))
    own_house.set_clock(EVE)
    return own_house


async def _owners(house: House) -> None:
    c = await asyncpg.connect(house.database_url)
    try:
        people = [
            SecretPerson(f"p-{n:04d}", f"户主{n}", None if n == 9 else f"000-{n:07d}9")
            for n in range(len(HOUSEHOLDS))
        ]
        await save_secrets(c, house.company, Vault(house.keys), people, ())
        await c.execute("UPDATE company SET policy = 'harbin' WHERE company_id = $1", house.company)
    finally:
        await c.close()


def ended(town: House, name: str) -> Any:
    def look() -> Any:
        answer = town.person.http.get(f"/api/campaigns/{name}")
        found = answer.json()
        return found if answer.status_code == 200 and found["ended_at"] else None

    return eventually(look, "the campaign ends")


def carried(town: House) -> list[Any]:
    file = town.data / "gateway" / "warm" / "resident.jsonl"
    return [json.loads(line) for line in file.read_text("utf-8").splitlines()]


def test_a_preview_tells_who_and_what(town: House) -> None:
    found = town.person.get("/api/campaigns/preview", purpose="suspension_deadline", days_before=30)
    assert (found["recipients"], found["without_phone"], found["due"]) == (60, 1, False)
    assert (found["season"], found["deadline"]) == ("2026-2027", "2026-10-31")
    assert "31 天" in found["text_zh"]
    assert "in 31 days" in found["text_en"]


def test_a_person_starts_one_on_any_day_and_only_once(town: House) -> None:
    body = {"purpose": "suspension_deadline", "days_before": 31}
    answer = town.person.post("/api/campaigns", body, key="campaign-31")
    assert answer.status_code == 201, answer.text
    started = answer.json()
    assert (started["by"], started["days_before"]) == ("person:admin", 31)
    assert town.person.post("/api/campaigns", body, key="campaign-31").json() == started
    again = town.person.post("/api/campaigns", body)
    assert (again.status_code, again.json()["code"]) == (409, "campaign_exists")
    found = ended(town, started["id"])
    assert (found["recipients"], found["sent"], found["never_reached"]) == (60, 59, 1)
    assert found["households_never_reached"] == {
        "items": [{"household": "H-010", "why": "no_phone"}], "next": None, "total": 1,
    }  # fmt: skip


def test_the_reminder_of_the_day_goes_out_by_itself_with_proof(town: House) -> None:
    before = len(carried(town))
    town.set_clock(EVE + timedelta(days=1))
    found = ended(town, FIRST)
    assert (found["by"], found["days_before"]) == ("system:core", 30)
    assert (found["recipients"], found["sent"], found["without_phone"]) == (60, 59, 1)
    lines = carried(town)[before:]
    assert len({line["message_id"] for line in lines}) == len(lines) == 59
    assert any("000-00000019" in json.dumps(line) for line in lines)
    rows = town.sql(
        "SELECT count(*) AS n, count(sent_at) AS sent, count(proof) AS proofs FROM message"
        " WHERE about = $1",
        f"campaign:{FIRST}",
    )
    assert (rows[0]["n"], rows[0]["sent"], rows[0]["proofs"]) == (59, 59, 59)
    listed = town.person.get("/api/campaigns")
    assert listed["items"][0]["id"] == FIRST
    assert listed["total"] == 2
    first = town.person.get("/api/campaigns", limit=1)
    rest = town.person.get("/api/campaigns", limit=1, after=first["next"])
    assert [c["days_before"] for c in [*first["items"], *rest["items"]]] == [30, 31]
    assert rest["next"] is None
    # neither the fact nor what was answered names a resident
    for table, column in (("journal", "body"), ("idempotency", "answer")):
        assert not town.sql(f"SELECT 1 FROM {table} WHERE {column} ~ '000-0|户主'")


def test_what_cannot_be_asked_is_refused(town: House) -> None:
    for body in (
        {"purpose": "greetings", "days_before": 3},
        {"purpose": "suspension_deadline", "days_before": -1},
        {"purpose": "suspension_deadline", "days_before": 1000},
        {"purpose": "suspension_deadline"},
    ):
        answer = town.person.post("/api/campaigns", body)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_body")
    missing = town.person.http.get("/api/campaigns/suspension_deadline-1999-2000-7")
    assert (missing.status_code, missing.json()["code"]) == (404, "no_such_campaign")
    for query in ({"limit": 0}, {"after": "x"}):
        assert town.person.http.get("/api/campaigns", params=query).status_code == 422


def test_nobody_is_reminded_after_the_deadline(town: House) -> None:
    town.set_clock(datetime(2026, 11, 1, 3, 0, tzinfo=UTC))
    body = {"purpose": "suspension_deadline", "days_before": 7}
    late = town.person.post("/api/campaigns", body)
    assert (late.status_code, late.json()["code"]) == (409, "deadline_passed")
