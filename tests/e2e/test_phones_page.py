"""The desk gives a code, a phone comes in with it, and the desk ends the phone."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest
from crew_house import CREW, enter_crew
from crew_page import CrewPage
from installation import Installation
from playwright.sync_api import Playwright
from small_city import at
from wall_page import OpenBrowser

pytestmark = pytest.mark.browser


def test_a_code_lets_a_phone_in_and_the_desk_ends_it(
    stack: Installation, playwright: Playwright, chromium: str, tmp_path: Path,
    person: httpx.Client, browse: OpenBrowser,
) -> None:  # fmt: skip
    enter_crew(person)
    desk = browse(stack.url, person.cookies)
    desk.page.goto(f"{stack.url}/desk?lang=zh#phones")
    desk.page.locator(f'[data-testid="crew"][data-crew="{CREW}"]').click()
    desk.page.get_by_text("还没有手机登录过").wait_for()
    desk.page.get_by_test_id("give-code").click()
    code = desk.page.get_by_test_id("code").get_attribute("data-code") or ""
    assert len(code) == 8
    phone = CrewPage(playwright, chromium, tmp_path / "phone", stack.url, at(0, 0))
    phone.open()
    phone.sign_in(code, "老张的手机")
    device = desk.page.locator('[data-testid="device"][data-active="1"]')
    device.wait_for()
    assert "老张的手机" in device.inner_text()
    assert not desk.overflowing()
    device.get_by_test_id("revoke").click()
    device.get_by_test_id("revoke-sure").click()
    desk.page.locator('[data-testid="device"][data-active="0"]').wait_for()
    phone.kill_tab()
    phone.open()
    phone.see("locked").click()
    phone.see("sign-in")
    phone.context.close()
    phone.check_quiet()
