"""What a crew does at a door with the app, how it looks at every size, and what is left of it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from crew_house import CREW, NAME, PHONE, enter_crew, enter_home, given, phone_of, traced
from crew_page import CrewPage
from installation import Installation
from playwright.sync_api import Playwright
from small_city import FLATS
from wall_page import OpenBrowser

pytestmark = pytest.mark.browser

SIZES = ((360, 740), (390, 844), (430, 932), (1024, 768))


@pytest.fixture(scope="module")
def home(stack: Installation) -> None:
    enter_home(stack)


@pytest.fixture
def desk(home: None, person: httpx.Client) -> httpx.Client:
    """The desk's side, with the crew on duty."""
    enter_crew(person)
    return person


@pytest.fixture
def phone(
    stack: Installation, playwright: Playwright, chromium: str, tmp_path: Path, desk: httpx.Client
) -> Iterator[CrewPage]:
    with phone_of(stack, playwright, chromium, tmp_path / "phone", desk) as page:
        yield page


def test_the_ways_out_of_a_visit_and_the_valves(
    phone: CrewPage, desk: httpx.Client, stack: Installation, browse: OpenBrowser
) -> None:
    seat = browse(stack.url, desk.cookies)
    seat.page.goto(f"{stack.url}/desk?lang=zh")
    ticket = given(desk)
    phone.turn_to(ticket)
    phone.act("accept")
    phone.act("en-route")
    phone.press("no-answer")
    assert "先签到" in phone.part("send").inner_text()
    phone.press("close")
    phone.act("check-in")
    phone.press("hazard")
    phone.press("choice", code="dog")
    phone.press("support")
    phone.press("choice", code="second_crew")
    seat.page.locator('[data-testid="asking"]').click()
    seat.page.locator('[data-testid="notes"]', has_text="请求第二个班组").wait_for()
    phone.press("valves")
    phone.part("valve").first.locator('[data-testid="shut"]').click()
    assert "停热" in phone.see("homes").inner_text()
    phone.press("hours", hours="2")
    phone.press("shut-sure")
    phone.wait(lambda: "已关" in phone.part("visit").inner_text(), "the valve is shown as shut")
    assert "阀门未开" in phone.see("why").inner_text()
    phone.press("more")
    phone.press("more-refuse")
    assert "阀门未开" in phone.page.get_by_role("dialog").inner_text()
    phone.press("close")
    phone.press("valves")
    phone.part("valve").first.locator('[data-testid="reopen"]').click()
    phone.press("open-vented")
    phone.wait(lambda: "已关" not in phone.part("visit").inner_text(), "it is open again")
    phone.drained()
    phone.press("no-answer")
    assert "先拍门牌照片" in phone.part("send").inner_text()
    phone.press("door")
    phone.shoot("door")
    phone.press("called")
    phone.part("notice").check()
    phone.press("send")
    phone.drained()
    kinds = [f["kind"] for f in traced(desk, ticket)]
    for kind in ("hazard_reported", "support_asked", "door_unanswered"):
        assert kind in kinds
    assert kinds.count("valve_turned") == 2
    seat.page.locator('[data-testid="asking"]').wait_for(state="detached")
    seat.page.locator(
        f'[data-testid="row"][data-id="{ticket}"]', has_text="无人应门 1 次"
    ).wait_for()


def test_where_the_crew_is_comes_with_its_battery(
    phone: CrewPage, desk: httpx.Client, stack: Installation
) -> None:
    def kept() -> list[Any]:
        return stack.fetch(
            "SELECT datum, accuracy_m, battery_pct FROM crew_fix WHERE crew_id = $1"
            " AND battery_pct IS NOT NULL",
            CREW,
        )

    found = phone.wait(kept, "a fix has arrived")
    assert (found[0]["datum"], found[0]["accuracy_m"]) == ("wgs84", 6.0)
    assert 0 <= found[0]["battery_pct"] <= 100


def test_a_signature_is_one_of_the_photos_and_signing_out_leaves_nothing(
    phone: CrewPage, desk: httpx.Client
) -> None:
    ticket = given(desk, kind="not_warm", level="blue", words="室温 15 度")
    phone.turn_to(ticket)
    phone.act("accept")
    phone.act("en-route")
    phone.act("check-in")
    for slot in ("room", "thermometer", "windows"):
        phone.act("photo")
        phone.shoot(slot)
    phone.act("photo")
    box = phone.see("pad").bounding_box()
    assert box is not None
    mouse = phone.page.mouse
    mouse.move(box["x"] + 40, box["y"] + 80)
    mouse.down()
    for n in range(1, 12):
        mouse.move(box["x"] + 40 + n * 20, box["y"] + 80 + (n % 3) * 30)
    mouse.up()
    phone.press("use")
    phone.part("signature").wait_for(state="detached")
    phone.act("parts")
    phone.press("send")
    phone.act("done")
    phone.drained()
    photos = [f["event"] for f in traced(desk, ticket) if f["kind"] == "photo_taken"]
    assert "parts_used" in [f["kind"] for f in traced(desk, ticket)]
    assert [(p["slot"], p["trust"]) for p in photos][-1] == ("signature", "a")
    assert "ticket_verifying" in [f["kind"] for f in traced(desk, ticket)]
    phone.press("link")
    with phone.page.expect_navigation():  # the page begins anew, without anybody
        phone.press("sign-out")
    phone.see("sign-in")
    kept = phone.kept()
    assert NAME not in kept
    assert PHONE not in kept
    assert ticket not in kept


def test_a_second_person_confirms_where_no_resident_is(phone: CrewPage, desk: httpx.Client) -> None:
    ticket = given(desk, household=None, building=FLATS)
    phone.turn_to(ticket)
    assert phone.part("call").count() == 0
    phone.act("accept")
    phone.act("en-route")
    phone.act("check-in")
    for slot in ("fault_point", "in_progress", "second_person"):
        phone.act("photo")
        phone.shoot(slot)
    phone.act("done")
    phone.page.locator('input[name="second"]').fill("物业张师傅")
    phone.press("send")
    phone.drained()
    facts = traced(desk, ticket)
    assert {"second_person_named", "ticket_verifying"} <= {f["kind"] for f in facts}
    assert "张师傅" not in str(facts)


def test_gloves_and_cellars_at_every_size_in_both_languages(
    phone: CrewPage, desk: httpx.Client
) -> None:
    ticket = given(desk)
    given(desk, level="yellow", kind="repair")
    for language in ("zh", "en"):
        phone.open(language)
        phone.turn_to(ticket)
        phone.press("theme")
        for width, height in SIZES:
            phone.page.set_viewport_size({"width": width, "height": height})
            assert phone.too_small() == []
            assert phone.too_wide() == []
            assert phone.too_faint() == []
            for sheet in ("hazard", "support", "no-answer", "more", "valves", "link"):
                phone.press(sheet)
                phone.page.get_by_role("dialog").wait_for()
                assert (sheet, phone.too_small()) == (sheet, [])
                assert (sheet, phone.too_wide()) == (sheet, [])
                assert (sheet, phone.too_faint()) == (sheet, [])
                phone.press("close")
