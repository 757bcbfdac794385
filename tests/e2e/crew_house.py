"""A house with a flat, a crew on duty, and its phone signed in at the door."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from crew_page import CrewPage
from desk_page import post
from installation import Installation, wait_until
from playwright.sync_api import Playwright
from small_city import FLATS, at
from wall_page import CITY

from server.adapters.keys import Keys
from server.adapters.vault import Vault

NAME, PHONE = "王建国", "10000000042"
HOUSEHOLD = "9000000001"
CREW = "C01"


def enter_home(stack: Installation) -> None:
    """One flat of the register with its owner."""
    company = stack.company(CITY, "暖城热力")
    vault = Vault(Keys(stack.data / "keys"))
    owner = vault.person(company, NAME, PHONE)
    stack.fetch(
        "INSERT INTO person VALUES ($1, $2, $3, $4, $5)",
        company, owner.pseudonym, vault.seal_person(company, owner),
        vault.blind_name(company, NAME), vault.blind_phone(company, PHONE),
    )  # fmt: skip
    stack.fetch(
        "INSERT INTO household (company_id, household_id, building_id, unit, floor, flat,"
        " riser_ids, area_m2, gable, ground_floor, top_floor, valve, green_channel, pseudonym)"
        " VALUES ($1, $2, $3, 3, 6, '602', '{r1}', 80, false, false, false, true, true, $4)",
        company, HOUSEHOLD, FLATS, owner.pseudonym,
    )  # fmt: skip


def enter_crew(person: httpx.Client) -> None:
    """The crew, once it is on duty."""
    body = {
        "name": "3 组", "trades": ["primary", "substation", "secondary", "indoor"],
        "certificates": ["welder"], "members": 3, "vehicle": "暖抢-1", "shift": "00:00-00:00",
        "skill": 4,
    }  # fmt: skip
    post(person, f"/api/crews/{CREW}", body)
    wait_until(
        lambda: person.get(f"/api/crews/{CREW}").json()["state"] != "off", "the crew is on duty"
    )


@contextmanager
def phone_of(
    stack: Installation, playwright: Playwright, chromium: str, profile: Path, desk: httpx.Client
) -> Iterator[CrewPage]:
    """The crew's phone, at the house, signed in; at the end nothing went wrong on it."""
    page = CrewPage(playwright, chromium, profile, stack.url, at(10, 5))
    page.open()
    page.sign_in(post(desk, f"/api/crews/{CREW}/code", {})["code"])
    yield page
    page.context.set_offline(False)
    page.context.close()
    page.check_quiet()


def given(desk: httpx.Client, **more: Any) -> str:
    """The number of a ticket that the crew was given."""
    body = {
        "kind": "leak", "level": "red", "source": "phone", "household": HOUSEHOLD,
        "words": "立管跑水，老人在家", "separate": True, "accepted": True,
    } | more  # fmt: skip
    ticket = post(desk, "/api/requests", body)
    return str(
        post(desk, f"/api/tickets/{ticket['id']}/dispatch",
             {"version": ticket["version"], "crew": CREW})["id"]
    )  # fmt: skip


def traced(desk: httpx.Client, ticket: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = desk.get(f"/api/tickets/{ticket}").json()["trace"]
    return found
