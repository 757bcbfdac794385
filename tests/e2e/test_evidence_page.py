"""A ticket that closes on honest photos taken at the house, half of them offline; another one on
the same photos again, which does not, and the reviewer sees why."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import crew_page
import httpx
import pytest
from crew_house import enter_crew, enter_home, given, phone_of
from crew_page import CrewPage
from installation import Installation, key, wait_until
from photo_house import jpeg, scene
from playwright.sync_api import Locator, Playwright
from wall_page import OpenBrowser, WallPage, decode_png

pytestmark = pytest.mark.browser

SLOTS = ("fault_point", "in_progress", "user_confirmation")
FENCE = (24, 42, 55)
"""The fence's colour on the ground of the map, about."""


class Film:
    """What the made-up camera sees: the file is read anew whenever the camera is opened."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.show(0)

    def show(self, number: int) -> None:
        """From now on another scene."""
        fresh = self.file.with_suffix(".new")
        fresh.write_bytes(jpeg(scene(number, 1280, 720), 92) * 3)
        fresh.rename(self.file)


@pytest.fixture(scope="module")
def judged(stack: Installation) -> None:
    stack.photo.start()


@pytest.fixture(scope="module")
def home(stack: Installation) -> None:
    enter_home(stack)


@pytest.fixture
def film(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Film:
    film = Film(tmp_path / "scene.mjpeg")
    seen = f"--use-file-for-fake-video-capture={film.file}"
    monkeypatch.setattr(crew_page, "CAMERA", [*crew_page.CAMERA, seen])
    return film


@pytest.fixture
def phone(
    stack: Installation, playwright: Playwright, chromium: str, tmp_path: Path, film: Film,
    person: httpx.Client, home: None, judged: None,
) -> Iterator[CrewPage]:  # fmt: skip
    enter_crew(person)
    with phone_of(stack, playwright, chromium, tmp_path / "phone", person) as page:
        yield page


def record(person: httpx.Client, ticket: str) -> Any:
    return person.get(f"/api/evidence/{ticket}").json()


def settled(person: httpx.Client, ticket: str) -> Any:
    """The evidence of a ticket once every photo was looked at."""

    def look() -> Any:
        found = record(person, ticket)
        states = found["slots"].values()
        return found if not {"owed", "pending"} & set(states) else None

    return wait_until(look, f"the photos of {ticket} are judged", 90)


def close(person: httpx.Client, ticket: str) -> httpx.Response:
    version = person.get(f"/api/tickets/{ticket}").json()["ticket"]["version"]
    body = {"version": version, "satisfied": True}
    return person.post(f"/api/tickets/{ticket}/close", json=body, headers=key())


def work(phone: CrewPage, film: Film, ticket: str, scenes: range, *, offline: bool) -> None:
    """Everything that the crew does, on the phone; `offline`: after the first photo without a
    network, with the tab killed on the way."""
    phone.turn_to(ticket)
    for step in ("accept", "en-route", "check-in"):
        phone.act(step)
    for n, (slot, number) in enumerate(zip(SLOTS, scenes, strict=True)):
        film.show(number)
        phone.act("photo")
        phone.shoot(slot)
        if offline and n == 0:
            phone.drained()
            phone.ready_offline()
            phone.context.set_offline(True)
        if offline and n == 1:
            phone.kill_tab()
            phone.open()
    phone.act("done")
    if offline:
        phone.see("next", act="over")
        phone.context.set_offline(False)
    phone.drained()


def part(page: WallPage, testid: str, **attributes: str) -> Locator:
    told = "".join(f'[data-{name}="{value}"]' for name, value in attributes.items())
    return page.page.locator(f'[data-testid="{testid}"]{told}')


def drawn(page: WallPage, testid: str) -> None:
    shown = part(page, testid)
    page.wait(lambda: bool(shown.evaluate("i => i.naturalWidth > 0")), f"{testid} is shown")


def has_colour(page: WallPage, color: tuple[int, int, int]) -> bool:
    """Whether the site's map shows it."""
    rows = decode_png(part(page, "site-map").screenshot())
    near = (
        all(abs(a - b) <= 10 for a, b in zip(pixel[:3], color, strict=True))
        for row in rows
        for pixel in row
    )
    return sum(near) > 500


def test_the_same_photos_close_one_ticket_and_not_two(
    phone: CrewPage, film: Film, person: httpx.Client, stack: Installation, browse: OpenBrowser
) -> None:
    honest = given(person)
    work(phone, film, honest, range(1, 4), offline=True)
    seen = settled(person, honest)
    assert (seen["verdict"], set(seen["slots"].values())) == ("accept", {"accept"}), seen
    closed = close(person, honest)
    assert (closed.status_code, closed.json().get("state")) == (200, "closed"), closed.text

    sham = given(person)
    work(phone, film, sham, range(1, 4), offline=False)
    seen = settled(person, sham)
    assert (seen["verdict"], set(seen["slots"].values())) == ("block", {"block"}), seen
    refused = close(person, sham)
    assert (refused.status_code, refused.json()["code"]) == (409, "evidence_not_accepted")

    desk = browse(stack.url, person.cookies)
    desk.page.set_viewport_size({"width": 1600, "height": 900})
    desk.page.goto(f"{stack.url}/desk?lang=zh")
    waiting = part(desk, "waiting-evidence")  # seen from wherever the desk is
    waiting.wait_for()
    assert waiting.locator("span").all_inner_texts() == ["1", "1 张工单的照片待人工核验"]
    part(desk, "view-evidence").click()
    part(desk, "waits", ticket=sham).click()
    part(desk, "verdict", verdict="block").wait_for()
    part(desk, "slot", slot="fault_point").click()
    check = part(desk, "checks").locator('[data-code="seen_eye"][data-outcome="fail"]')
    check.wait_for()
    assert "位" in check.inner_text()
    assert honest in part(desk, "compare").inner_text()
    for picture in ("photo", "twin"):
        drawn(desk, picture)
    desk.wait(
        lambda: int(part(desk, "compare").get_attribute("data-lines") or 0) >= 20,
        "the points that agree are joined",
    )
    desk.wait(lambda: has_colour(desk, FENCE), "the fence is drawn")
    assert "会话" in part(desk, "clocks").inner_text()
    assert not desk.overflowing()

    desk.page.keyboard.press("a")
    part(desk, "decide").wait_for()
    assert part(desk, "form-send").is_disabled()  # a refused photo is not let pass without a word
    desk.page.keyboard.press("Escape")
    desk.page.keyboard.press("g")
    part(desk, "form-send").click()
    part(desk, "slot", slot="fault_point").locator("em.again").wait_for()
    assert record(person, sham)["slots"]["fault_point"] == "again"
    told = [f["kind"] for f in person.get(f"/api/tickets/{sham}").json()["trace"]]
    assert told.count("photo_asked_again") == 1


def test_the_page_fits_a_phone_and_shows_the_month(
    stack: Installation, person: httpx.Client, browse: OpenBrowser
) -> None:
    desk = browse(stack.url, person.cookies)
    for width, height in ((1920, 1080), (390, 844)):
        desk.page.set_viewport_size({"width": width, "height": height})
        for language in ("zh", "en"):
            desk.page.goto(f"{stack.url}/desk?lang={language}#evidence/report")
            part(desk, "sham").locator("header b").wait_for()
            assert not desk.overflowing(), (width, language)
