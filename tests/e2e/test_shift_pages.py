"""Handover, morning report and the resident's page in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import datetime
from zoneinfo import ZoneInfo

import httpx
import pytest
from desk_page import SCREENS, DeskPage, dispatcher, post, report
from installation import Installation, apart, wait_until
from wall_page import OpenBrowser

from server.adapters.clock import set_clock

pytestmark = pytest.mark.browser
ZONE = ZoneInfo("Asia/Shanghai")
COMING = "李接班"


@pytest.fixture(scope="module")
def morning(stack: Installation) -> None:
    """Half past seven of a winter's morning has just been, with two tickets of the night."""
    early = datetime(2026, 1, 14, 6, 0, tzinfo=ZONE)
    apart(set_clock(stack.database_url, early, 1.0))
    with closing(stack.sign_in("main")) as client:

        def told() -> bool:
            at: float = client.get("/api/session").json()["business"]["at"]
            return abs(at - early.timestamp()) < 600

        wait_until(told, "the web follows the clock")
        report(client, (-250, -150), level="red", caller={"name": "赵桂兰", "phone": "13904511234"})
        report(client, (300, 100), level="yellow")
        apart(set_clock(stack.database_url, datetime(2026, 1, 14, 7, 30, 5, tzinfo=ZONE), 1.0))
        wait_until(lambda: "2026-01-14" in client.get("/api/reports").json()["items"], "frozen")


@pytest.fixture
def second(stack: Installation, person: httpx.Client) -> Iterator[httpx.Client]:
    """Somebody of the coming shift."""
    with closing(dispatcher(stack, COMING)) as client:
        yield client


def opened(stack: Installation, browse: OpenBrowser, client: httpx.Client, view: str) -> DeskPage:
    page = DeskPage(browse(stack.url, client.cookies))
    page.open(f"#{view}")
    return page


def test_the_report_is_read_and_every_figure_leads_to_its_records(
    stack: Installation, morning: None, person: httpx.Client, browse: OpenBrowser
) -> None:
    desk = opened(stack, browse, person, "report")
    assert "2" in desk.see("figure-received_n").inner_text()
    desk.see("figure-received_red_n").click()
    behind = desk.see("behind")
    assert behind.locator("a").count() == 1
    desk.part("remark").fill("夜间两件均已派发")
    desk.part("add-remark").click()
    desk.page.get_by_text("夜间两件均已派发", exact=False).first.wait_for()
    link = desk.part("pdf").get_attribute("href")
    assert link == "/api/reports/2026-01-14.pdf?language=zh"
    for width, height in SCREENS:
        desk.page.set_viewport_size({"width": width, "height": height})
        for language in ("zh", "en"):
            desk.open("#report", language)
            desk.see("figure-open_n")
            desk.check_fits()


def test_both_shifts_sign_the_handover(
    stack: Installation,
    morning: None,
    person: httpx.Client,
    second: httpx.Client,
    browse: OpenBrowser,
) -> None:
    red = report(person, (-100, 200), level="red")
    leaving = opened(stack, browse, person, "handover")
    leaving.browser.may_say(r"status of 409")
    leaving.see("handed").get_by_role("link", name=red["address"]).first.wait_for()
    leaving.part("note").fill("泵房备用泵送修")
    leaving.part("draw").click()
    leaving.see("sign-leaving").click()
    leaving.see("sign-coming").click()  # the same person: refused in plain words
    assert leaving.see("problem").inner_text()
    coming = opened(stack, browse, second, "handover")
    coming.see("past").click()
    coming.page.get_by_text("泵房备用泵送修").wait_for()
    coming.see("sign-coming").click()
    coming.gone("sign-coming")
    found = second.get("/api/handovers").json()["items"][0]
    assert {side: s["by"] for side, s in found["signed"].items()} == {
        "leaving": "admin", "coming": COMING,
    }  # fmt: skip
    for width, height in SCREENS:
        coming.page.set_viewport_size({"width": width, "height": height})
        for language in ("zh", "en"):
            coming.open("#handover", language)
            coming.see("handed")
            coming.check_fits()


def test_a_resident_sees_the_step_and_nobody(
    stack: Installation, morning: None, person: httpx.Client, browse: OpenBrowser
) -> None:
    caller = {"name": "赵桂兰", "phone": "13904511234"}
    ticket = report(person, (-250, -150), caller=caller)
    made = post(person, f"/api/tickets/{ticket['id']}/link", {"version": ticket["version"]})
    page = browse(stack.url)  # no session
    page.may_say(r"status of 404")
    page.page.set_viewport_size({"width": 390, "height": 844})
    for language, words in (("zh", "正在为您安排维修班组"), ("en", "We are arranging a crew")):
        page.page.goto(f"{stack.url}{made['path']}?lang={language}")
        page.page.wait_for_selector('html[data-ready="1"]')
        text = page.page.inner_text("body")
        assert words in text
        for secret in (caller["name"], caller["phone"], ticket["address"], ticket["id"]):
            assert secret not in text
        wide = page.page.evaluate("document.documentElement.scrollWidth")
        assert wide <= 390
    now = int(person.get("/api/session").json()["business"]["at"])
    seen = person.get(f"/api/tickets/{ticket['id']}").json()["ticket"]
    window = {"from_at": now + 26 * 3600, "until_at": now + 28 * 3600}
    post(person, f"/api/tickets/{ticket['id']}/appoint", {"version": seen["version"], **window})
    for language, day, words in (("zh", "1月15日", "约好上门"), ("en", "15 Jan", "is agreed")):
        page.page.goto(f"{stack.url}{made['path']}?lang={language}")
        page.page.get_by_test_id("window").wait_for()
        assert day in page.page.get_by_test_id("window").inner_text()
        assert words in page.page.get_by_test_id("now").inner_text()
    page.page.goto(f"{stack.url}/t/never-made?lang=zh")
    page.page.get_by_text("此链接已失效").wait_for()
