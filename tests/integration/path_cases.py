"""External cases as callers send them."""

from __future__ import annotations

import itertools
from typing import Any

import httpx
from path_house import Caller, House

_numbers = itertools.count(1)


def new_number() -> str:
    return f"26-{next(_numbers):05d}"


def take(by: Caller, **more: Any) -> Any:
    """{case, ticket} of a new case of the hotline."""
    body = {"origin": "hotline_12345", "number": new_number(), "kind": "not_warm"} | more
    if "ticket" not in body:
        body = {"building": "B01"} | body
    return by.ok("/api/cases", body)


def step(by: Caller, case: Any, name: str, **more: Any) -> Any:
    """The case after a step taken at the version of `case`."""
    return by.ok(f"/api/cases/{case['id']}/{name}", {"version": case["version"]} | more)


def refused(by: Caller, case: Any, name: str, **more: Any) -> httpx.Response:
    body = {"version": case["version"]} | more
    return by.post(f"/api/cases/{case['id']}/{name}", body)


def one(by: Caller, case: Any) -> Any:
    return by.get(f"/api/cases/{case['id']}")


def messages(by: Caller, case: Any) -> Any:
    """What its origin is told, newest first."""
    return by.get("/api/messages", about=f"case:{case['id']}")["items"]


def kinds(house: House, case: Any) -> list[str]:
    rows = house.sql(
        "SELECT kind FROM journal WHERE company_id = $1 AND stream = $2 ORDER BY version",
        house.company,
        f"case:{case['id']}",
    )
    return [r[0] for r in rows]
