"""The dispatcher's desk in a real browser, and the small town that it looks at."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx
from installation import PASSWORD, Installation, apart, key, wait_until
from playwright.sync_api import Locator, Page
from small_city import at
from wall_page import CITY, WallPage

from server.adapters.accounts import add_account
from server.adapters.clock import set_clock

NOON = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)
CREWS = {
    "C01": ("3 组", (-300.0, -200.0)),
    "C02": ("11 组", (400.0, 300.0)),
    "C03": ("7 组", (-700.0, 500.0)),
    "C04": ("22 组", (800.0, -700.0)),
}
"""Crew -> its name, and metres east and north of the middle."""
SCREENS = ((1920, 1080), (1366, 768), (390, 844))


def post(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    """The answer to a command."""
    answer = client.post(path, json=body, headers=key())
    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
    return answer.json()


def enter_crews(client: httpx.Client, **more: Any) -> None:
    """Crews for pipes, substations and flats that are on duty all day, each with a fresh fix."""
    for crew, (name, _) in CREWS.items():
        body = {
            "name": name, "trades": ["primary", "substation", "secondary", "indoor"],
            "certificates": ["welder"], "members": 3, "vehicle": f"暖抢-{crew}",
            "shift": "00:00-00:00", "skill": 4,
        } | more  # fmt: skip
        post(client, f"/api/crews/{crew}", body)
    wait_until(
        lambda: all(client.get(f"/api/crews/{crew}").json()["state"] != "off" for crew in CREWS),
        "the crews are on duty",
    )
    place_crews(client)


def place_crews(client: httpx.Client) -> None:
    """Where every crew is, just now."""
    now = int(client.get("/api/session").json()["business"]["at"])
    items = [
        {"crew": crew, "fixed_at": now, "lon": at(*spot)[0], "lat": at(*spot)[1], "datum": "wgs84",
         "accuracy_m": 8}
        for crew, (_, spot) in CREWS.items()
    ]  # fmt: skip
    answer = post(client, "/api/batches/crew-positions", {"items": items})
    assert answer["accepted"] == len(CREWS), answer


def report(client: httpx.Client, spot: tuple[float, float], **more: Any) -> Any:
    """A ticket, taken in and accepted, at metres east and north of the middle."""
    lon, lat = at(*spot)
    body = {
        "kind": "leak", "level": "yellow", "source": "phone", "separate": True, "accepted": True,
        "coordinate": {"lon": lon, "lat": lat, "datum": "wgs84"},
    } | more  # fmt: skip
    return post(client, "/api/requests", body)


def proposed(client: httpx.Client, ticket: str) -> dict[str, Any]:
    """The proposal on the screens, once there is one with a crew."""

    def look() -> dict[str, Any]:
        rows = client.get("/api/layers/proposals").json()["rows"]
        row: dict[str, Any] = next((r["row"] for r in rows if r["key"] == ticket), {})
        return row if row.get("choices") else {}

    found: dict[str, Any] = wait_until(look, f"{ticket} has a proposal", 60)
    return found


def trace(client: httpx.Client, ticket: str) -> list[dict[str, Any]]:
    """Every step of a ticket."""
    found: list[dict[str, Any]] = client.get(f"/api/tickets/{ticket}").json()["trace"]
    return found


class DeskPage:
    """One dispatcher before the desk, who works by keys."""

    def __init__(self, browser: WallPage) -> None:
        self.browser = browser
        self.page: Page = browser.page

    def open(self, fragment: str = "", language: str = "zh") -> None:
        """Load the page and wait for its first whole picture."""
        self.page.goto(f"{self.browser.url}/desk?lang={language}{fragment}")
        self.page.wait_for_selector('html[data-ready="1"]')

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for name in keys:
            self.page.keyboard.press(name)

    def part(self, testid: str, **attributes: str) -> Locator:
        """A part by its name and data attributes."""
        told = "".join(f'[data-{name}="{value}"]' for name, value in attributes.items())
        return self.page.locator(f'[data-testid="{testid}"]{told}')

    def see(self, testid: str, **attributes: str) -> Locator:
        """Wait for a part that says so by its data attributes."""
        found = self.part(testid, **attributes).first
        found.wait_for()
        return found

    def gone(self, testid: str, **attributes: str) -> None:
        """Wait until no such part is there."""
        self.part(testid, **attributes).first.wait_for(state="detached")

    def pick(self, ticket: str) -> None:
        """Go through the queue by keys until this ticket is selected, and has been read."""
        self.see("row", id=ticket)
        self.press("Home")
        for _ in range(60):
            chosen = self.page.locator('[data-testid="row"][aria-selected="true"]')
            if chosen.get_attribute("data-id") == ticket:
                break
            self.press("ArrowDown")
        self.see("ticket", id=ticket)

    def proposal(self, ticket: str) -> Locator:
        """The selected ticket's proposal, once it names a crew."""
        self.pick(ticket)
        return self.see("choice", rank="1")

    def check_fits(self) -> None:
        """Nothing sticks out of the page or its box."""
        found = self.page.evaluate(_OVERFLOWING)
        assert found == [], found


_OVERFLOWING = """() => {
  const wide = document.documentElement;
  const out = [];
  if (wide.scrollWidth > wide.clientWidth) out.push(`page ${wide.scrollWidth}`);
  for (const part of document.querySelectorAll('header *, .stage *')) {
    if (part.clientWidth === 0) continue;
    if (part.closest('.unseen, textarea, input, select, .maplibregl-map, svg')) continue;
    const style = getComputedStyle(part);
    if (style.overflowX !== 'visible' || style.display === 'inline') continue;
    if (part.scrollWidth > part.clientWidth + 1) {
      out.push(`${part.tagName} ${part.className} ${part.textContent.slice(0, 40)}`
        + ` ${part.scrollWidth} > ${part.clientWidth}`);
    }
  }
  return out;
}"""


def cancel_all(client: httpx.Client) -> None:
    """No ticket is open any more, however many there were; one that the core changes meanwhile is
    tried again."""
    asked: dict[str, str | int] = {"state": "open", "limit": 500}
    while found := client.get("/api/tickets", params=asked).json()["items"]:
        for one in found:
            body = {"version": one["version"], "reason_code": "test", "reason": "试验结束"}
            answer = client.post(f"/api/tickets/{one['id']}/cancel", json=body, headers=key())
            assert answer.is_success or answer.status_code == 409, answer.text


def noon(stack: Installation) -> None:
    """The business clock at noon of a winter's day: homes may be visited."""
    apart(set_clock(stack.database_url, NOON, 1.0))
    with httpx.Client(base_url=stack.url, timeout=10) as anybody:
        wait_until(lambda: anybody.get("/health").is_success, "the web goes on")


def dispatcher(stack: Installation, name: str) -> httpx.Client:
    """Another person of the desk, signed in on a session of their own."""
    company = stack.company(CITY, "暖城热力")
    apart(add_account(stack.database_url, company, name, "seat", PASSWORD))
    client = httpx.Client(base_url=stack.url, timeout=10)
    answer = client.post("/api/sign-in", json={"user": name, "password": PASSWORD})
    assert answer.is_success, answer.text
    return client
