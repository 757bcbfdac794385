"""Households with owners, and their applications, as callers see them."""

from __future__ import annotations

import itertools
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from path_house import Caller, House, eventually

from server.adapters.vault import Vault

PHOTO = "f" * 64
_numbers = itertools.count(1)


def local(year: int, month: int, day: int, hour: int = 10) -> datetime:
    """A moment in the city."""
    return datetime(year, month, day, hour, tzinfo=ZoneInfo("Asia/Shanghai"))


def a_photo(house: House) -> None:
    """One photo that any application may show."""
    house.sql(
        "INSERT INTO photo SELECT $1, $2, 'image/jpeg', 1000, 640, 480, now(), 'person:admin'"
        " ON CONFLICT DO NOTHING",
        house.company,
        PHOTO,
    )


def household(house: House, **register: Any) -> dict[str, str]:
    """A new flat of the register with its owner and nothing owed; `register` overrides columns."""
    vault = Vault(house.keys)
    n = next(_numbers)
    name, phone = f"户主{n}", f"1000000{n:04d}"
    owner = vault.person(house.company, name, phone)
    row = {
        "household_id": f"HH-{n:04d}", "building_id": "B05", "unit": 1, "floor": 3,
        "flat": f"{n}01", "riser_ids": [f"r{n}"], "area_m2": 80.0, "gable": False,
        "ground_floor": False, "top_floor": False, "valve": True, "green_channel": False,
        "pseudonym": owner.pseudonym, "warranty_until": None,
        "owner_certificate": vault.certificate(house.company, f"23010{n:06d}X"),
    }  # fmt: skip
    unpaid = register.pop("unpaid_fen", 0)
    owned = register.pop("owned", True)
    row |= register
    if owned:
        house.sql(
            "INSERT INTO person VALUES ($1, $2, $3, $4, $5)",
            house.company,
            owner.pseudonym,
            vault.seal_person(house.company, owner),
            vault.blind_name(house.company, name),
            vault.blind_phone(house.company, phone),
        )
    names = ", ".join(row)
    values = ", ".join(f"${i}" for i in range(2, len(row) + 2))
    house.sql(
        f"INSERT INTO household (company_id, {names}) VALUES ($1, {values})",
        house.company,
        *row.values(),
    )
    if unpaid is not None:
        house.sql(
            "INSERT INTO account_balance VALUES ($1, $2, $3, now(), now())",
            house.company,
            row["household_id"],
            unpaid,
        )
    return {
        "household": row["household_id"], "name": name, "phone": phone,
        "certificate": f"23010{n:06d}X",
    }  # fmt: skip


def wish(home: dict[str, str], action: str = "suspension", **more: Any) -> dict[str, Any]:
    """The body of an application by the owner."""
    return {
        "action": action,
        "household": home["household"],
        "applicant": {"name": home["name"], "phone": home["phone"]},
        "source": "counter",
        "photos": [PHOTO],
    } | more


def apply(by: Caller, home: dict[str, str], action: str = "suspension", **more: Any) -> Any:
    """The application as it was answered."""
    return by.ok("/api/suspensions", wish(home, action, **more))


def refused(by: Caller, path: str, body: Any) -> tuple[int, str]:
    """(status, code) of a POST that must be refused, with words for people."""
    answer = by.post(path, body)
    problem = answer.json()
    assert answer.status_code >= 400, problem
    assert problem["detail"]
    assert problem["what_to_do"]
    return answer.status_code, problem["code"]


def seen(by: Caller, application: Any) -> Any:
    """The application now."""
    return by.get(f"/api/suspensions/{application['id']}")["application"]


def kinds(by: Caller, application: Any) -> list[str]:
    """The facts of an application; its chain must hold."""
    found = by.get(f"/api/suspensions/{application['id']}")
    assert found["chain"] == {"holds": True, "broken_at": None}
    return [step["kind"].removeprefix("stop_") for step in found["trace"]]


def visited(by: Caller, application: Any) -> Any:
    """The visit that the core plans for it."""
    name = eventually(lambda: seen(by, application)["visit"], "a visit is planned")
    return by.get(f"/api/visits/{name}")["visit"]


def report(by: Caller, visit: Any, outcome: str, *applications: Any) -> Any:
    """The visit after the same result for these applications."""
    results = [{"application": a["id"], "outcome": outcome} for a in applications]
    body = {"version": visit["version"], "results": results}
    return by.ok(f"/api/visits/{visit['id']}/results", body)


def close_loop(by: Caller, application: Any, outcome: str) -> Any:
    """The application once it was visited and all departments know."""
    report(by, visited(by, application), outcome, application)
    for department in ("operations", "finance"):
        now = seen(by, application)
        body = {"version": now["version"], "department": department}
        by.ok(f"/api/suspensions/{application['id']}/known", body)
    return seen(by, application)
