"""A crew's phone: the app in Chromium at a phone's size, with a made-up camera and a set place."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, Playwright, Request

PHONE = {"width": 390, "height": 844}
WITHIN_S = 30.0
CAMERA = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream",
]  # fmt: skip

T = TypeVar("T")

_SMALL = """() => [...document.querySelectorAll('button, a.tap, select, label.tick')]
  .map((part) => [part.textContent.trim() || part.dataset.testid, part.getBoundingClientRect()])
  .filter(([, box]) => box.width > 0 && (box.height < 55.5 || box.width < 55.5))
  .map(([text, box]) => `${text}: ${box.width} x ${box.height}`)"""
_SMALL_TEXT = """() => [...document.querySelectorAll('body *')]
  .filter((part) => part.getClientRects().length > 0)
  .filter((part) => [...part.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
  .filter((part) => parseFloat(getComputedStyle(part).fontSize) < 15)
  .map((part) => `${part.tagName} ${part.textContent.slice(0, 30)}`)"""
_WIDE = """() => {
  const root = document.documentElement;
  const out = root.scrollWidth > root.clientWidth ? [`page ${root.scrollWidth}`] : [];
  for (const part of document.querySelectorAll('button, a.tap, h1, h2, p')) {
    if (part.clientWidth > 0 && part.scrollWidth > part.clientWidth + 1) {
      out.push(`${part.tagName} ${part.textContent.slice(0, 40)}`);
    }
  }
  return out;
}"""

_FAINT = """() => {
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
    .reduce((sum, v, n) => sum + v * [0.2126, 0.7152, 0.0722][n], 0);
  const rgb = (text) => text.match(/[0-9.]+/g).map(Number);
  const behind = (part) => {
    for (let at = part; at !== null; at = at.parentElement) {
      const color = rgb(getComputedStyle(at).backgroundColor);
      if (color.length === 3 || color[3] === 1) return color;
    }
    return [255, 255, 255];
  };
  return [...document.querySelectorAll('body *')]
    .filter((part) => part.getClientRects().length > 0)
    .filter((part) => [...part.childNodes].some((n) => n.nodeType === 3 && n.textContent.trim()))
    .map((part) => {
      const [a, b] = [light(rgb(getComputedStyle(part).color)), light(behind(part))];
      return [(Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), part];
    })
    .filter(([contrast]) => contrast < 4.5)
    .map(([contrast, part]) => `${contrast.toFixed(1)}: ${part.textContent.slice(0, 30)}`);
}"""

_KEPT = """async () => {
  const words = [JSON.stringify({ ...localStorage })];
  const db = await new Promise((yes) => {
    const asked = indexedDB.open('heatops-crew');
    asked.onsuccess = () => yes(asked.result);
  });
  for (const name of db.objectStoreNames) {
    const rows = db.transaction(name).objectStore(name).getAll();
    const read = new Promise((yes) => (rows.onsuccess = () => yes(rows.result)));
    words.push(JSON.stringify(await read));
  }
  for (const name of await caches.keys()) {
    const cache = await caches.open(name);
    for (const request of await cache.keys()) {
      if (request.url.includes('/api/')) words.push(await (await cache.match(request)).text());
    }
  }
  return words.join();
}"""


class CrewPage:
    """One phone: its browser keeps what it kept when the tab is closed."""

    def __init__(
        self, playwright: Playwright, chromium: str, profile: Path, url: str,
        place: tuple[float, float],
    ) -> None:  # fmt: skip
        self.url = url
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self._open = partial(
            playwright.chromium.launch_persistent_context,
            str(profile),
            executable_path=chromium,
            args=CAMERA,
            viewport=PHONE,
            has_touch=True,
            timezone_id="Asia/Shanghai",
            permissions=["geolocation", "camera"],
            geolocation={"longitude": place[0], "latitude": place[1], "accuracy": 6},
        )
        self._start()

    def _start(self) -> None:
        self.context: BrowserContext = self._open()
        self.page: Page = self.context.pages[0]
        self._watch()

    def restart(self) -> None:
        """The phone is switched off and on again, where there is no signal."""
        self.context.close()
        self._start()
        self.context.set_offline(True)

    def _watch(self) -> None:
        self.page.set_default_timeout(WITHIN_S * 1000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._console)
        self.page.on("request", self._request)

    def _console(self, message: ConsoleMessage) -> None:
        # What a browser itself says of a missing network, of a refusal, or of a session that ended.
        own = ("net::ERR_", "Failed to load resource")
        if message.type == "error" and not any(word in message.text for word in own):
            self.errors.append(message.text)

    def _request(self, request: Request) -> None:
        if not request.url.startswith((self.url, "blob:", "data:")):
            self.strangers.append(request.url)

    def open(self, language: str = "zh") -> None:
        """Load the app and wait until it shows something."""
        self.page.goto(f"{self.url}/crew?lang={language}")
        self.page.wait_for_selector('html[data-ready="1"]')

    def kill_tab(self) -> None:
        """The tab is gone without a word; another one is empty."""
        fresh = self.context.new_page()
        self.page.close(run_before_unload=False)
        self.page = fresh
        self._watch()

    def sign_in(self, code: str, phone: str = "班长的手机") -> None:
        """Enter the code from the desk."""
        self.page.locator('input[name="code"]').fill(code)
        self.page.locator('input[name="phone"]').fill(phone)
        self.page.locator('[data-testid="sign-in"] button.go').click()
        self.part("link").wait_for()

    def ready_offline(self) -> None:
        """Wait until the phone keeps the page itself, so that it opens without a network."""
        self.wait(
            lambda: self.page.evaluate(
                "async () => (await (await caches.open('heatops-crew-page')).match('/crew'))"
                " !== undefined && navigator.serviceWorker.controller !== null"
            ),
            "the page is kept",
        )

    def part(self, testid: str, **attributes: str) -> Locator:
        """A part by its name and data attributes."""
        told = "".join(f'[data-{name}="{value}"]' for name, value in attributes.items())
        return self.page.locator(f'[data-testid="{testid}"]{told}')

    def press(self, testid: str, **attributes: str) -> None:
        """Press it once it is there."""
        self.part(testid, **attributes).first.click()

    def see(self, testid: str, **attributes: str) -> Locator:
        """Wait for a part that says so."""
        found = self.part(testid, **attributes).first
        found.wait_for()
        return found

    def turn_to(self, ticket: str) -> Locator:
        """Bring this visit to the top, whichever the plan has first, and wait until it is there."""
        shown = self.part("visit", ticket=ticket)
        card = self.part("card", ticket=ticket)
        shown.or_(card).first.wait_for()
        if shown.count() == 0:
            card.click()
        return self.see("visit", ticket=ticket)

    def act(self, name: str) -> None:
        """Press the one big button when it offers this."""
        self.see("next", act=name, can="true").click()

    def shoot(self, slot: str) -> None:
        """Take the photo of a slot in the app, and use it."""
        self.see("camera", slot=slot, state="live")
        self.press("shutter")
        self.press("use")
        self.part("camera").wait_for(state="detached")

    def waiting(self) -> int:
        """How many things are not sent yet."""
        return int(self.part("link").get_attribute("data-waiting") or 0)

    def drained(self) -> None:
        """Wait until the server has answered everything."""
        busy = self.part("next", busy="true")
        self.wait(lambda: busy.count() == 0 and self.waiting() == 0, "everything is sent")

    def wait(self, condition: Callable[[], T], what: str, within: float = WITHIN_S) -> T:
        """The first true value of `condition`, while the page goes on."""
        started = time.monotonic()
        while not (value := condition()):
            assert time.monotonic() - started < within, f"not within {within:.0f} s: {what}"
            self.page.wait_for_timeout(100)
        return value

    def kept(self) -> str:
        """All that the browser holds of the day: its stores, and what its worker keeps."""
        found: str = self.page.evaluate(_KEPT)
        return found

    def too_small(self) -> list[str]:
        """Targets that a glove misses, and text that nobody reads in a cellar."""
        found: list[str] = [*self.page.evaluate(_SMALL), *self.page.evaluate(_SMALL_TEXT)]
        return found

    def too_faint(self) -> list[str]:
        """Text with less contrast than 4.5 : 1 against what is behind it."""
        found: list[str] = self.page.evaluate(_FAINT)
        return found

    def too_wide(self) -> list[str]:
        """Parts that stick out of the page or of their box."""
        found: list[str] = self.page.evaluate(_WIDE)
        return found

    def check_quiet(self) -> None:
        """No error was logged and nobody outside was asked."""
        assert not self.errors, self.errors
        assert not self.strangers, self.strangers
