"""A dispatcher before the desk in Chromium: reds first, the proposal read and confirmed by keys."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from playwright.sync_api import ConsoleMessage, Error, Page

from benchmarks._browser import browser

Outcome = Literal["confirmed", "another crew", "no crew yet", "can wait", "not taken"]
READ_S = 3.0
"""A proposal that is not there by then is looked at again later."""
ANOTHER_EVERY = 7
"""Of so many tickets that are not red one gets another crew, with a written reason."""
PICTURE_S = 30.0
SAID_IN_WORDS = r"status of (409|422|503)"
"""A refusal stands on the page itself; what the browser says of it is no error of the page."""
_ENDED = """(before) => {
  const part = (name) => document.querySelector(`[data-testid="${name}"]`);
  if (['dispatch-problem', 'changed', 'conflict'].some(part)) return 'refused';
  const done = part('done');
  return done !== null && done.textContent !== before && 'done';
}"""
OPEN_ROW = '[data-testid="row"][aria-selected="true"]'
READ = ":is({})".format(
    ", ".join(
        f'[data-testid="{part}"]'
        for part in ("no-crew", "none-found", "waits-for", "engine-away", "over")
    )
    + ', [data-testid="confirm"]:not(:disabled)'
)


class DeskHand:
    """Works through the queue; `looked` counts what came of each look by level."""

    def __init__(self, page: Page, pictures: Path | None) -> None:
        self._page, self._pictures = page, pictures
        self._drawn, self._given = 0, 0
        self._begun = 0.0
        self.looked: Counter[tuple[str, Outcome]] = Counter()
        self.errors: list[str] = []
        page.on("console", self._console)
        page.on("pageerror", lambda e: self.errors.append(str(e)))

    def _console(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not re.search(SAID_IN_WORDS, message.text):
            self.errors.append(message.text)

    def work(self, for_s: float) -> None:
        """Reds first, then what has the least time left; for so many seconds."""
        self._begun = time.monotonic()
        until = self._begun + for_s
        while time.monotonic() < until:
            for name in ("Escape", "1", "u", "Home"):
                self._page.keyboard.press(name)
            for _ in range(6):
                done = self._one()
                self._picture()
                if done is None or done in {"confirmed", "another crew"}:
                    break
                self._page.keyboard.press("ArrowDown")
            self._page.wait_for_timeout(500)

    def _one(self) -> Outcome | None:
        """What came of the selected ticket; None: nothing waits."""
        try:
            row = self._page.wait_for_selector(OPEN_ROW, timeout=READ_S * 1000)
            level = (row.get_attribute("data-level") if row else None) or "gone"
            outcome = self._decide(level)
        except Error:  # it went while it was read: somebody else has it
            return None
        self.looked[level, outcome] += 1
        return outcome

    def _decide(self, level: str) -> Outcome:
        page = self._page
        page.wait_for_selector(READ, timeout=READ_S * 1000)
        if not page.locator('[data-testid="confirm"]:not(:disabled)').count():
            return self._safe_first() if level == "red" else "can wait"
        self._given, before = self._given + 1, self._said()
        if level != "red" and self._given % ANOTHER_EVERY == 0:
            return self._another(before)
        page.keyboard.press("Enter")
        if page.locator('[data-testid="why"]').count():  # each that gives way is named: once more
            page.keyboard.press("Enter")
        return "confirmed" if self._done(before) else "not taken"

    def _another(self, before: str | None) -> Outcome:
        """The second of the proposed ones, for a reason."""
        page = self._page
        page.keyboard.press("Shift+2")
        page.wait_for_selector('[data-testid="why"]', timeout=READ_S * 1000)
        page.get_by_test_id("reason-code").select_option("knows_better")
        page.get_by_test_id("reason-text").fill("熟悉这栋楼的立管")
        page.keyboard.press("Enter")
        return "another crew" if self._done(before) else "not taken"

    def _safe_first(self) -> Outcome:
        """A crew that would make its own site safe first, where there is one."""
        page = self._page
        card = page.locator('[data-testid="choice"]').first
        if not page.locator('[data-testid="no-crew"]').count() or not card.count():
            return "no crew yet"
        before = self._said()
        card.locator("button").first.click()
        page.wait_for_selector('[data-testid="why"]', timeout=READ_S * 1000)
        if page.get_by_test_id("reason-code").count():
            page.get_by_test_id("reason-code").select_option("higher_priority")
        if page.get_by_test_id("made-safe").count():
            page.get_by_test_id("made-safe").check()
        page.get_by_test_id("send-choice").click()
        return "confirmed" if self._done(before) else "no crew yet"

    def _done(self, before: str | None) -> bool:
        ended = self._page.wait_for_function(_ENDED, arg=before, timeout=2 * READ_S * 1000)
        return bool(ended.json_value() == "done")

    def _said(self) -> str | None:
        """What the page says of the ticket that was given out last."""
        line = self._page.get_by_test_id("done")
        return line.text_content() if line.count() else None

    def _picture(self) -> None:
        due = self._begun + self._drawn * PICTURE_S
        if self._pictures is None or time.monotonic() < due:
            return
        self._page.screenshot(path=str(self._pictures / f"desk-{self._drawn:02d}.png"))
        self._drawn += 1


@contextmanager
def desk(url: str, session: str, pictures: Path | None) -> Iterator[DeskHand]:
    """The desk in a browser of its own; `session`: the secret of the person's cookie."""
    with browser(url, "heatops_session", session) as page:
        hand = DeskHand(page, pictures)
        page.goto(f"{url}/desk?lang=zh")
        page.wait_for_selector('html[data-ready="1"]', timeout=60_000)
        yield hand
