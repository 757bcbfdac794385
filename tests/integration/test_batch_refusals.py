"""Batches from sources: good rows are kept, bad rows are refused by index and code."""

from __future__ import annotations

from typing import Any

import pytest
from path_house import House
from path_work import fix, register_crew

HOUR = 3600


def room(at: int, **more: Any) -> dict[str, Any]:
    return {"point": "RT-05", "read_at": at, "celsius": 20.5} | more


def network(at: int, **more: Any) -> dict[str, Any]:
    return {"node": "S1", "read_at": at, "supply_c": 71.0, "return_c": 43.5} | more


def weather(at: int, **more: Any) -> dict[str, Any]:
    return {"observed_at": at, "outdoor_c": -20.0} | more


def balance(at: int, **more: Any) -> dict[str, Any]:
    return {"household": "H-001", "balance_at": at, "unpaid_fen": 0} | more


def mention(at: int, **more: Any) -> dict[str, Any]:
    return {
        "id": "m-1", "said_at": at, "value": 0.5, "topic": "praise", "channel": "weibo",
        "community": "K1",
    } | more  # fmt: skip


def position(at: int, **more: Any) -> dict[str, Any]:
    return fix("BR1", at) | more


# kind -> (good row, table, [(what is wrong with it, its code)])
KINDS: dict[str, tuple[Any, str, list[tuple[dict[str, Any], str]]]] = {
    "room-readings": (room, "room_reading", [
        ({"point": "RT-99"}, "unknown_point"), ({"celsius": 999}, "impossible_value"),
        ({"celsius": "warm"}, "bad_item"),
    ]),
    "network-readings": (network, "network_reading", [
        ({"node": "S9"}, "unknown_node"), ({"supply_c": 900}, "impossible_value"),
        ({"flow_m3h": -1}, "impossible_value"), ({"return_c": "x"}, "bad_item"),
    ]),
    "weather": (weather, "weather", [
        ({"outdoor_c": 99}, "bad_item"), ({"wind_from_deg": 400}, "bad_item"),
        ({"wind_mps": -3}, "bad_item"),
    ]),
    "crew-positions": (position, "crew_fix", [
        ({"crew": "nobody"}, "unknown_crew"), ({"datum": "gcj02"}, "datum_not_enabled"),
        ({"datum": "bd09"}, "datum_not_enabled"), ({"datum": "mars"}, "datum_unknown"),
        ({"datum": ""}, "datum_missing"),
        ({"lat": 95.0}, "coordinate_out_of_range"), ({"accuracy_m": -1}, "bad_item"),
        ({"speed_mps": 999}, "bad_item"),
    ]),
    "account-balances": (balance, "account_balance", [
        ({"household": "H-999"}, "unknown_household"), ({"unpaid_fen": -5}, "bad_item"),
        ({"unpaid_fen": 1.5}, "bad_item"),
    ]),
    "mentions": (mention, "mention", [
        ({"community": "K9"}, "unknown_community"), ({"value": 1.5}, "bad_item"),
        ({"topic": "rumour"}, "bad_item"), ({"id": ""}, "bad_item"),
    ]),
}  # fmt: skip
TIME = {
    "room-readings": "read_at",
    "network-readings": "read_at",
    "weather": "observed_at",
    "crew-positions": "fixed_at",
    "account-balances": "balance_at",
    "mentions": "said_at",
}


@pytest.fixture(scope="module")
def now(house: House) -> int:
    register_crew(house.source, "BR1")
    return int(house.business_now().timestamp())


@pytest.mark.parametrize("kind", KINDS)
def test_bad_rows_are_named_and_good_rows_kept(house: House, now: int, kind: str) -> None:
    good, table, wrongs = KINDS[kind]
    wrongs = [
        *wrongs,
        ({TIME[kind]: now + HOUR}, "future_time"),
        ({TIME[kind]: now - 61 * 86400}, "too_old"),
        ({TIME[kind]: 10**18}, "future_time"),
        ({TIME[kind]: -(10**18)}, "too_old"),
    ]
    before = house.sql(f"SELECT count(*) FROM {table}")[0][0]
    items: list[Any] = [good(now)]
    expected = {}
    for wrong, code in wrongs:
        expected[len(items)] = code
        items.append(good(now) | wrong)
    expected |= dict.fromkeys(range(len(items), len(items) + 3), "bad_item")
    items += [7, {}, None]
    last = good(now - 60)
    items.append(last | ({"household": "H-002"} if kind == "account-balances" else {}))
    answer = house.source.post(f"/api/batches/{kind}", {"items": items})
    assert answer.status_code == 200, answer.text
    found = answer.json()
    assert found["accepted"] == 2
    assert {r["index"]: r["code"] for r in found["refused"]} == expected
    assert all(r["detail"] for r in found["refused"])
    assert house.sql(f"SELECT count(*) FROM {table}")[0][0] == before + 2


@pytest.mark.parametrize("kind", KINDS)
def test_an_empty_batch_is_a_sign_of_life(house: House, now: int, kind: str) -> None:
    answer = house.source.post(f"/api/batches/{kind}", {"items": [], "cadence_s": 77})
    assert (answer.status_code, answer.json()) == (200, {"accepted": 0, "refused": []})


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_no_batch_is_refused_whole(house: House, now: int, kind: str) -> None:
    path = f"/api/batches/{kind}"
    for n, body in enumerate(
        (b"", b"not json", b"[]", b'{"items": 3}', b'{"item": []}', b'{"items": [', b"\xff\xfe")
    ):
        headers = {"Idempotency-Key": f"bad-{kind}-{n}-{now}"}
        answer = house.source.http.post(path, content=body, headers=headers)
        assert (answer.status_code, answer.json()["code"]) == (422, "bad_body"), body
        assert house.source.http.post(path, json={"items": []}, headers=headers).status_code == 200
    answer = house.source.post(path, {"items": [], "cadence_s": -1})
    assert answer.json()["code"] == "bad_body"


def test_too_many_items(house: House, now: int) -> None:
    row = room(now)
    answer = house.source.post("/api/batches/room-readings", {"items": [row] * 30_001})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_many_items")
    stored = house.sql(
        "SELECT count(*) FROM room_reading WHERE read_at = to_timestamp($1) AND point_id = 'RT-07'",
        now,
    )
    assert stored[0][0] == 0
    most = house.source.post(
        "/api/batches/room-readings", {"items": [row | {"point": "RT-07"}] * 30_000}
    )
    assert most.json() == {"accepted": 30_000, "refused": []}


def test_too_large_a_body(house: House, now: int) -> None:
    body = b'{"items": [' + b" " * (9 << 20) + b"]}"
    answer = house.source.http.post(
        "/api/batches/weather", content=body, headers={"Idempotency-Key": f"too-large-{now}"}
    )
    assert answer.status_code == 413
    assert answer.json()["code"] == "too_large"


def test_cgcs2000_counts_as_wgs84(house: House, now: int) -> None:
    found = house.source.ok(
        "/api/batches/crew-positions", {"items": [position(now, datum="CGCS2000")]}
    )
    assert found["accepted"] == 1


def test_a_new_point_of_the_register_is_known_within_half_a_minute(house: House, now: int) -> None:
    house.source.ok("/api/batches/room-readings", {"items": [room(now)]})
    house.sql(
        "INSERT INTO point VALUES ($1, 'RT-NEW', NULL, 'B01') ON CONFLICT DO NOTHING", house.company
    )
    answer = house.source.ok("/api/batches/room-readings", {"items": [room(now, point="RT-NEW")]})
    assert answer["accepted"] + len(answer["refused"]) == 1


def test_heartbeats(house: House) -> None:
    assert house.source.ok("/api/sources/rooms/heartbeat", {"cadence_s": 60})["cadence_s"] == 60
    answer = house.source.post("/api/sources/nobody/heartbeat", {"cadence_s": 60})
    assert (answer.status_code, answer.json()["code"]) == (404, "unknown_source")
    answer = house.source.post("/api/sources/rooms/heartbeat", {"cadence_s": 0})
    assert (answer.status_code, answer.json()["code"]) == (422, "bad_body")
