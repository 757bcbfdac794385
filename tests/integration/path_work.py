"""The day's work as callers do it: tickets, crews and batches over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
from path_house import Caller, House, eventually

ALL_DAY = "00:00-00:00"
STEPS: dict[str, dict[str, Any]] = {
    "accept": {},
    "dispatch": {},
    "confirm": {},
    "handle": {},
    "verify": {},
    "close": {"satisfied": True},
    "cancel": {"reason_code": "duplicate"},
    "reopen": {"reason_code": "dissatisfied"},
}


def receive(by: Caller, **more: Any) -> Any:
    """A new ticket."""
    body = {"kind": "leak", "level": "red", "source": "phone", "building": "B01"} | more
    return by.ok("/api/requests", body)


def step(caller: Caller, ticket: Any, name: str, **more: Any) -> Any:
    """The ticket after a step taken at the version of `ticket`; no crew of a test's takes photos,
    so that a manager waives them before the work is done."""
    if name == "verify":
        waive(caller, ticket["id"])
    body = {"version": ticket["version"]} | STEPS.get(name, {}) | more
    return caller.ok(f"/api/tickets/{ticket['id']}/{name}", body)


def given(house: House, crew: str, **more: Any) -> str:
    """The number of a ticket of its own at H-001, in building B01, that the crew was given."""
    told = {"household": "H-001", "building": None, "accepted": True, "separate": True} | more
    return str(step(house.person, receive(house.person, **told), "dispatch", crew=crew)["id"])


def waive(manager: Caller, ticket: str) -> None:
    """Let the ticket's present round close without the photos that it owes, if any."""
    record = manager.get(f"/api/evidence/{ticket}")
    if record["verdict"] in {"not_owed", "accept"}:
        return
    why = {"reason_code": "not_applicable", "reason": "试验工单，无人拍照"}
    manager.ok(f"/api/evidence/{ticket}/waive", {"version": record["version"]} | why)


def carry(caller: Caller, ticket: Any, crew: str, upto: str) -> Any:
    """The ticket after every step up to `upto`, from the state it is in."""
    order = ["accept", "dispatch", "confirm", "handle", "verify", "close"]
    first = {"received": 0, "accepted": 1, "dispatched": 2, "confirmed": 3, "handling": 4}
    for name in order[first.get(ticket["state"], 5) : order.index(upto) + 1]:
        more = {"crew": crew} if name == "dispatch" else {}
        ticket = step(caller, ticket, name, **more)
    return ticket


def register_crew(caller: Caller, crew: str, **more: Any) -> Any:
    body = {
        "name": f"{crew} 班", "trades": ["secondary"], "members": 2, "vehicle": f"暖抢-{crew}",
        "shift": ALL_DAY,
    }  # fmt: skip
    return caller.ok(f"/api/crews/{crew}", body | more)


def crew_on_duty(house: House, crew: str) -> str:
    """A registered crew whose shift the core has begun."""
    register_crew(house.source, crew)
    eventually(
        lambda: house.person.get(f"/api/crews/{crew}")["state"] != "off", f"{crew} is on duty"
    )
    return crew


def batch(caller: Caller, kind: str, *items: Any, **more: Any) -> Any:
    return caller.ok(f"/api/batches/{kind}", {"items": list(items)} | more)


def fix(crew: str, at: int, **more: Any) -> dict[str, Any]:
    return {
        "crew": crew, "fixed_at": at, "lon": 126.64, "lat": 45.76, "datum": "wgs84",
        "accuracy_m": 8,
    } | more  # fmt: skip


def at_once(calls: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """All calls in flight together."""
    with ThreadPoolExecutor(len(calls)) as threads:
        return [f.result() for f in [threads.submit(call) for call in calls]]
