"""Reports of operations and finance about households: the newest of each thing stands."""

from __future__ import annotations

from typing import Any

import pytest
from path_house import House

ROUTE = "/api/batches/household-standings"
HOUR = 3600


@pytest.fixture(scope="module")
def now(house: House) -> int:
    return int(house.business_now().timestamp())


def report(house: House, *items: dict[str, Any]) -> Any:
    return house.source.ok(ROUTE, {"items": list(items)})


def stands(house: House, household: str, season: str | None = None) -> dict[str, Any]:
    rows = house.sql(
        "SELECT *, extract(epoch FROM network_at)::bigint AS n_at,"
        " extract(epoch FROM valve_at)::bigint AS v_at,"
        " extract(epoch FROM billed_at)::bigint AS b_at FROM household_standing"
        " WHERE household_id = $1 AND ($2::text IS NULL OR season = $2)",
        household,
        season,
    )
    (row,) = rows
    return dict(row)


def test_a_report_stands_in_the_present_season(house: House, now: int) -> None:
    said = report(
        house,
        {"household": "H-021", "network": "disconnected", "valve": "sealed", "at": now - HOUR},
        {"household": "H-022", "billing": "base", "billed_fen": 91_968},
    )
    assert said == {"accepted": 2, "refused": []}
    one, two = stands(house, "H-021"), stands(house, "H-022")
    season = house.person.get("/api/contradictions")["scan"]["season"]
    assert one["season"] == two["season"] == season
    assert (one["network"], one["valve"], one["n_at"], one["v_at"]) == (
        "disconnected", "sealed", now - HOUR, now - HOUR,
    )  # fmt: skip
    assert (one["billing"], one["b_at"], one["service"]) == (None, None, "heated")
    assert (two["billing"], two["billed_fen"], two["valve"]) == ("base", 91_968, "unknown")
    assert now - 5 <= two["b_at"] <= now + 600


def test_the_newest_report_of_each_thing_wins_in_any_order(house: House, now: int) -> None:
    report(house, {"household": "H-023", "network": "connected", "valve": "open", "at": now - 50})
    report(house, {"household": "H-023", "network": "disconnected", "at": now - 60})
    assert stands(house, "H-023")["network"] == "connected"
    report(house, {"household": "H-023", "billing": "full", "billed_fen": 7, "at": now - 90})
    report(
        house,
        {"household": "H-023", "valve": "closed", "at": now - 40},
        {"household": "H-023", "valve": "sealed", "at": now - 30},
        {"household": "H-023", "valve": "open", "at": now - 35},
        {"household": "H-023", "billing": "base", "at": now - 80},
    )
    row = stands(house, "H-023")
    assert (row["network"], row["n_at"]) == ("connected", now - 50)
    assert (row["valve"], row["v_at"]) == ("sealed", now - 30)
    # an amount belongs to its bill: the new one brought none
    assert (row["billing"], row["billed_fen"], row["b_at"]) == ("base", None, now - 80)


def test_a_report_of_another_season_stands_there(house: House, now: int) -> None:
    season = house.person.get("/api/contradictions")["scan"]["season"]
    first = int(season[:4])
    last = f"{first - 1}-{first}"
    item = {"household": "H-024", "season": last, "network": "connected", "at": now - 300 * 86400}
    assert report(house, item)["accepted"] == 1
    assert stands(house, "H-024")["season"] == last


def test_bad_reports_are_refused_by_index_and_good_ones_kept(house: House, now: int) -> None:
    good = {"household": "H-025", "network": "connected", "at": now}
    wrongs: list[tuple[dict[str, Any], str]] = [
        ({"household": "H-999"}, "unknown_household"),
        ({"at": now + HOUR}, "future_time"),
        ({"at": now - 5 * 366 * 86400}, "too_old"),
        ({"network": None}, "nothing_reported"),
        ({"network": None, "billed_fen": 5}, "nothing_reported"),
        ({"billed_fen": 5}, "billing_missing"),
        ({"network": "off"}, "bad_item"),
        ({"valve": "ajar"}, "bad_item"),
        ({"billing": "half"}, "bad_item"),
        ({"billing": "full", "billed_fen": -1}, "bad_item"),
        ({"season": "2026"}, "bad_season"),
        ({"season": "2026-2028"}, "bad_season"),
        ({"season": "٢٠٢٦-٢٠٢٧"}, "bad_season"),
        ({"season": "1999-2000"}, "unknown_season"),
    ]
    items = [good | wrong for wrong, _ in wrongs] + [good]
    said = report(house, *items)
    assert said["accepted"] == 1
    assert {r["index"]: r["code"] for r in said["refused"]} == {
        n: code for n, (_, code) in enumerate(wrongs)
    }
    assert all(r["detail"] for r in said["refused"])
    assert stands(house, "H-025")["n_at"] == now


def test_the_same_report_twice_is_one(house: House, now: int) -> None:
    body = {"items": [{"household": "H-026", "valve": "open", "at": now}]}
    first = house.source.post(ROUTE, body, key="standing-once-1")
    again = house.source.post(ROUTE, body, key="standing-once-1")
    assert first.json() == again.json() == {"accepted": 1, "refused": []}
    other = house.source.post(ROUTE, {"items": []}, key="standing-once-1")
    assert (other.status_code, other.json()["code"]) == (422, "key_reused")


def test_no_layer_of_the_wall_counts_as_heard(house: House, now: int) -> None:
    def told() -> int:
        rows = house.sql("SELECT count(*) FROM outbox WHERE stream LIKE 'batch:%'")
        return int(rows[0][0])

    batches = house.sql("SELECT count(*) FROM telemetry_batch WHERE kind = 'household-standings'")
    report(house, {"household": "H-027", "valve": "open", "at": now})
    after = house.sql("SELECT count(*) FROM telemetry_batch WHERE kind = 'household-standings'")
    assert after[0][0] == batches[0][0] + 1
    assert told() == 0
