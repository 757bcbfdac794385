"""A running installation with a small city, and a browser before its wall."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from desk_page import DeskPage, cancel_all, place_crews
from installation import Installation, apart, key, own_engines
from playwright.sync_api import Playwright, sync_playwright
from small_city import build_city
from wall_page import BARE, CITY, OpenBrowser, WallPage

from server.engines import Engines

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]  # fmt: skip
QUICK = {"fsync": "off", "shared_buffers": "64MB"}


@pytest.fixture(scope="module")
def own(chromium: str) -> Iterator[tuple[Engines, Path]]:
    """Engines for these tests alone, which kill one of them."""
    with own_engines(QUICK) as opened:
        yield opened


@pytest.fixture(scope="module")
def stack(own: tuple[Engines, Path]) -> Iterator[Installation]:
    """Two companies, the first with a city; two webs and a core."""
    installation = Installation(*own, webs=2, cores=1, redis_db=0)
    apart(build_city(installation, installation.company(CITY, "暖城热力"), CITY))
    installation.company(BARE, "无图热力")
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()


@pytest.fixture(scope="module")
def playwright(own: tuple[Engines, Path]) -> Iterator[Playwright]:
    """Not for longer than a module: its loop in our thread is in the way of other tests."""
    with sync_playwright() as running:
        yield running


@pytest.fixture
def browse(playwright: Playwright, chromium: str, tmp_path: Path) -> Iterator[OpenBrowser]:
    """Opens browsers; at the end none has logged an error or asked a stranger."""
    opened = []

    def browse(url: str, cookies: httpx.Cookies | None = None, **options: object) -> WallPage:
        context = playwright.chromium.launch_persistent_context(
            str(tmp_path / f"profile-{len(opened)}"),
            executable_path=chromium,
            args=ARGUMENTS,
            viewport={"width": 1280, "height": 800},
            timezone_id="Asia/Shanghai",
            **options,  # type: ignore[arg-type]
        )
        context.add_cookies(
            [{"name": n, "value": v, "url": url} for n, v in dict(cookies or {}).items()]
        )
        wall = WallPage(context, url)
        opened.append((context, wall))
        return wall

    yield browse
    for context, wall in opened:
        context.close()
        wall.check_quiet()


@pytest.fixture
def person(stack: Installation) -> Iterator[httpx.Client]:
    """A signed-in administrator at the company with a city, with no ticket left open."""
    client = stack.sign_in(CITY)
    yield client
    clear(client)
    client.close()


def clear(client: httpx.Client) -> None:
    """Cancel every open ticket; one that somebody else just changed is read again."""
    asked: dict[str, str | int] = {"state": "open", "limit": 500}
    while found := client.get("/api/tickets", params=asked).json()["items"]:
        for ticket in found:
            body = {"version": ticket["version"], "reason_code": "test", "reason": "试验结束"}
            answer = client.post(f"/api/tickets/{ticket['id']}/cancel", json=body, headers=key())
            assert answer.is_success or answer.status_code == 409, answer.text


@pytest.fixture
def wall(stack: Installation, person: httpx.Client, browse: OpenBrowser) -> WallPage:
    """The wall of the company with a city, open and whole."""
    page = browse(stack.url, person.cookies)
    page.open()
    return page


@pytest.fixture
def desk(
    stack: Installation, crews: None, person: httpx.Client, browse: OpenBrowser
) -> Iterator[DeskPage]:
    """A dispatcher before the desk; afterwards no ticket is open. `crews`: the module's own."""
    place_crews(person)
    page = DeskPage(browse(stack.url, person.cookies))
    page.page.set_viewport_size({"width": 1600, "height": 900})
    yield page
    page.page.close()  # or it asks for the proposal of a ticket that is just being cancelled
    cancel_all(person)
