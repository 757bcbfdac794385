"""Applications that cannot be taken in, and how they are listed and read again."""

from __future__ import annotations

from typing import Any

import pytest
from path_heating import (
    a_photo,
    apply,
    household,
    local,
    refused,
    wish,
)
from path_house import House, eventually

AUGUST = local(2026, 8, 15)
DAY = 86_400


@pytest.fixture(scope="module")
def city(own_house: House) -> House:
    """A city in August, whose households can still apply."""
    own_house.set_clock(AUGUST)
    a_photo(own_house)
    return own_house


SPELL = 10 * DAY


def refusals(city: House) -> list[tuple[dict[str, Any], int, str]]:
    home = household(city)
    now = int(city.business_now().timestamp())
    winter = int(local(2026, 12, 1, 0).timestamp())

    def stop(start: int | None, end: int | None) -> dict[str, Any]:
        return wish(home, "temporary_stop", stop_from=start, stop_until=end)

    return [
        (wish(home, household="nobody"), 404, "no_such_household"),
        (wish(home, household="H\x00"), 404, "no_such_household"),
        (wish(home, photos=["\x00"]), 422, "bad_body"),
        (wish(home, season="２０２６-２０２７"), 422, "no_such_season"),
        (wish(home, photos=["none"]), 404, "no_such_photo"),
        (wish(home, applicant={}), 422, "applicant_unknown"),
        (wish(home, applicant={"name": "  ", "phone": "--"}), 422, "applicant_unknown"),
        (wish(home, applicant={"phone": "00000000000"}), 422, "applicant_unknown"),
        (wish(home, words="冷" * 100_000), 422, "words_too_long"),
        (wish(home, season="2024-2025"), 422, "season_over"),
        (wish(home, season="2027-2028"), 422, "season_not_open"),
        (wish(home, season="2028-2029"), 422, "no_such_season"),
        (wish(home, season="2026-2028"), 422, "no_such_season"),
        (wish(home, season="winter"), 422, "no_such_season"),
        (wish(home, stop_from=now), 422, "stop_days_not_wanted"),
        (wish(home, action="burn"), 422, "bad_body"),
        (wish(home, flat="3"), 422, "bad_body"),
        (stop(None, None), 422, "stop_days_missing"),
        (stop(winter + SPELL, winter), 422, "stop_ends_before_it_begins"),
        (stop(now - 2 * DAY, winter), 422, "stop_in_the_past"),
        (stop(now + DAY, winter), 422, "stop_outside_season"),
        (stop(winter, winter + 200 * DAY), 422, "stop_outside_season"),
        (stop(-1, 5), 422, "bad_body"),
        (stop(4_200_000_000_000, 4_300_000_000_000), 422, "bad_body"),
    ]


def test_what_cannot_be_taken_in(city: House) -> None:
    for body, status, code in refusals(city):
        assert refused(city.source, "/api/suspensions", body) == (status, code), body["action"]
    assert not city.sql("SELECT 1 FROM person_words WHERE body IS NULL")
    for path in (
        "/api/suspensions/nothing", "/api/visits/nothing", "/api/suspensions/a%00b",
        "/api/visits/a%00b",
    ):  # fmt: skip
        answer = city.person.http.get(path)
        assert (answer.status_code, answer.json()["code"].startswith("no_such")) == (404, True)
    answer = city.person.http.get("/api/suspensions", params={"building": "a\x00"})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_filter")
    nothing = refused(city.person, "/api/suspensions/nothing/approve", {"version": 1})
    assert nothing == (404, "no_such_application")
    nothing = refused(city.person, "/api/visits/nothing/results", {"version": 1, "results": []})
    assert nothing == (404, "no_such_visit")


def test_a_stale_decision_gets_the_present_state(city: House) -> None:
    made = apply(city.source, household(city), photos=[])
    city.person.ok(
        f"/api/suspensions/{made['id']}/approve", {"version": made["version"], "reason": "已补"}
    )
    answer = city.person.post(
        f"/api/suspensions/{made['id']}/refuse",
        {"version": made["version"], "because": ["proof"]},
    )
    assert (answer.status_code, answer.json()["code"]) == (409, "version_conflict")
    assert answer.json()["present"]["state"] == "approved"


def test_lists_and_summary(city: House) -> None:
    made = [apply(city.source, household(city, building_id="B09")) for _ in range(3)]
    apply(city.source, household(city, building_id="B09", gable=True))
    first = city.person.get("/api/suspensions", building="B09", state="approved", limit=2)
    assert (first["total"], len(first["items"])) == (3, 2)
    rest = city.person.get(
        "/api/suspensions", building="B09", state="approved", limit=2, after=first["next"]
    )
    assert rest["next"] is None
    assert {a["id"] for a in first["items"] + rest["items"]} == {a["id"] for a in made}
    eventually(
        lambda: city.person.get("/api/visits", building="B09", open=True)["total"] == 3,
        "visits are planned",
    )

    def counted() -> Any:
        found = city.person.get("/api/suspensions/summary")
        total = sum(found["states"].values())
        return found if total == city.sql("SELECT count(*) FROM application")[0][0] else None

    found = eventually(counted, "the summary counts them all")
    assert (found["season"], found["deadline"]) == ("2026-2027", "2026-09-30")
    assert found["days_left"] == 46
    assert found["today"] == sum(found["states"].values())
    assert 0 < found["answered_automatically"] < found["answered"]
    assert 0 <= found["took_median_s"] <= found["took_p95_s"]
    assert [d["day"] for d in found["per_day"]] == ["2026-08-15"]


def test_what_a_household_had_before_can_still_be_read(city: House) -> None:
    home = household(city, unpaid_fen=5)
    first = apply(city.source, home)
    city.sql("UPDATE account_balance SET unpaid_fen = 0 WHERE household_id = $1", home["household"])
    second = apply(city.source, home)
    assert (first["state"], second["state"]) == ("refused", "approved")
    found = city.person.get("/api/suspensions", household=home["household"])
    assert [a["state"] for a in found["items"]] == ["approved", "refused"]
    shown = city.person.get(f"/api/suspensions/{first['id']}")
    assert shown["application"] == first
    assert [s["kind"] for s in shown["trace"]] == ["stop_applied", "stop_refused"]


def test_no_resident_in_journal_outbox_or_answers(city: House) -> None:
    home = household(city)
    made = apply(
        city.source, home, applicant={"name": "欧阳秘密", "phone": "1000777888999"},
        words="我是欧阳秘密，电话 1000777888999",
    )  # fmt: skip
    shown = str(city.source.get(f"/api/suspensions/{made['id']}")) + str(made)
    rows = city.sql(
        "SELECT body AS t FROM journal UNION ALL SELECT answer FROM idempotency"
        " UNION ALL SELECT state FROM stream_head"
    )
    assert len(rows) > 10
    for text in [shown, *(r["t"] for r in rows)]:
        assert "欧阳" not in text
        assert "1000777888999" not in text
    opened = city.person.get(f"/api/suspensions/{made['id']}")
    assert opened["words"] == "我是欧阳秘密，电话 1000777888999"


def test_the_policy_in_force(city: House) -> None:
    found = city.person.get("/api/policy")
    assert (found["season"], found["origin"]) == ("2026-2027", "default/default.toml")
    assert found["version"].startswith("default/2026-2027@")
    assert found["suspension"]["deadline"] == "2026-09-30"
    assert set(found["suspension"]["checks"]) >= {"owner", "arrears", "deadline"}
