"""Contradictions that a real suspension runs into, as operations and finance report."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest
from path_heating import a_photo, apply, close_loop, household, local, report, seen, visited
from path_house import House, eventually, run

from server.adapters.address_sql import bump_register_version

AUGUST = local(2026, 8, 15)
SEASON = "2026-2027"


@pytest.fixture(scope="module")
def city(own_house: House) -> House:
    own_house.set_clock(AUGUST)
    a_photo(own_house)
    return own_house


def tell(city: House, home: dict[str, str], **records: Any) -> None:
    run(register_changed(city))
    item = {"household": home["household"]} | records
    said = city.source.ok("/api/batches/household-standings", {"items": [item]})
    assert said == {"accepted": 1, "refused": []}


async def register_changed(city: House) -> None:
    """What every way to enter a household says."""
    c = await asyncpg.connect(city.database_url)
    try:
        await c.execute("SELECT set_config('heatops.company', $1, false)", str(city.company))
        await bump_register_version(c, city.company)
    finally:
        await c.close()


def found(city: House, *homes: dict[str, str]) -> list[tuple[str, str]]:
    """(kind, household) of a new scan, among these households."""

    def scanned() -> bool:
        answer = city.person.post("/api/contradictions/scan")
        if answer.status_code == 409:  # the night's own is under way
            assert answer.json()["code"] == "scan_running", answer.text
        return answer.is_success

    eventually(scanned, "a scan of ours")
    names = [h["household"] for h in homes]
    items = city.person.get("/api/contradictions")["items"]
    return [(i["kind"], i["household"]) for i in items if i["household"] in names]


def later(city: House, **by: float) -> datetime:
    at = city.business_now() + timedelta(**by)
    city.set_clock(at)
    return at


def test_a_suspension_that_the_departments_did_not_take_note_of(city: House) -> None:
    home, other = household(city), household(city)
    before = int(city.business_now().timestamp()) - 60  # the visit's word must be the newer one
    tell(
        city, home, network="connected", valve="open", billing="full", billed_fen=306_560, at=before
    )
    made = apply(city.source, home)
    assert found(city, home) == []  # approved, and nobody has been there yet
    report(city.person, visited(city.person, made), "sealed", made)
    # the visit's valve is newer than the report; the departments have 24 h
    assert found(city, home) == []
    later(city, hours=25)
    name = home["household"]
    assert found(city, home, other) == [
        ("suspended_yet_billed", name), ("suspended_yet_connected", name),
    ]  # fmt: skip
    page = city.person.get("/api/contradictions", kind="suspended_yet_billed")
    assert page["items"][0]["records"] | {"network_at": 0, "valve_at": 0, "billed_at": 0} == {
        "service": "suspended", "application": made["id"], "action": "suspension",
        "state": "completed", "known_by": seen(city.person, made)["known_by"],
        "network": "connected", "network_at": 0, "valve": "sealed", "valve_at": 0,
        "billing": "full", "billed_fen": 306_560, "billed_at": 0,
    }  # fmt: skip
    tell(city, home, network="disconnected", billing="base", billed_fen=91_968)
    assert found(city, home) == []
    tell(city, home, valve="open")  # somebody broke the seal
    assert found(city, home) == [("valve_open", name)]


def test_a_flat_that_is_heated_again_and_stays_off_the_network(city: House) -> None:
    home = household(city)
    close_loop(city.person, apply(city.source, home), "closed")
    tell(city, home, network="disconnected", billing="base")
    assert found(city, home) == []
    back = apply(city.source, home, "resume")
    assert found(city, home) == []
    close_loop(city.person, back, "open")
    assert found(city, home) == []
    later(city, hours=25)
    assert found(city, home) == [("marked_without_application", home["household"])]
    tell(city, home, network="connected")
    assert found(city, home) == []


def test_a_mark_stands_until_an_application_is_approved(city: House) -> None:
    home = household(city, unpaid_fen=500_000)
    tell(city, home, billing="base")
    name = ("marked_without_application", home["household"])
    assert found(city, home) == [name]
    assert apply(city.source, home)["state"] == "refused"
    assert found(city, home) == [name]
    city.sql("UPDATE account_balance SET unpaid_fen = 0 WHERE household_id = $1", name[1])
    assert apply(city.source, home)["state"] == "approved"
    assert found(city, home) == []
