"""The intake page in a real browser: what a seat types, every key of it counted."""

from __future__ import annotations

from wall_page import WallPage


class IntakePage:
    """One seat's page; `strokes` counts keys pressed, the words themselves left out."""

    def __init__(self, browser: WallPage) -> None:
        self.browser = browser
        self.page = browser.page
        self.strokes = 0

    def open(self, fragment: str = "", language: str = "zh") -> None:
        """Load the page and wait until it can be typed into."""
        self.page.goto(f"{self.browser.url}/intake?lang={language}{fragment}")
        self.page.wait_for_selector('html[data-ready="1"]')
        self.page.wait_for_selector("#who")

    def press(self, keys: str) -> None:
        """Press one key, or several at once as in Control+Enter."""
        self.strokes += keys.count("+") + 1
        self.page.keyboard.press(keys)

    def dial(self, number: str) -> None:
        """Type a number, digit by digit, where the keys lead just now."""
        for digit in number:
            self.press(digit)

    def say(self, words: str) -> None:
        """Type the words of the call: the text, which is not counted."""
        self.focused("words")
        self.page.keyboard.type(words)

    def focused(self, name: str) -> None:
        """Wait until the keys lead there."""
        self.page.wait_for_function("name => document.activeElement?.id === name", arg=name)

    def chosen(self, group: str, value: str) -> None:
        """Wait until the policy, or a person, has chosen this."""
        self.page.wait_for_selector(f'[data-testid="{group}"][data-value="{value}"]')

    def text(self, testid: str) -> str:
        """What a part of the page says."""
        return self.page.get_by_test_id(testid).inner_text()

    def shown(self, testid: str, attribute: str) -> str:
        """An attribute of a part, once it is there."""
        return self.page.get_by_test_id(testid).get_attribute(attribute) or ""

    def kept(self) -> str:
        """Everything that the browser keeps of this page."""
        found: str = self.page.evaluate(
            "() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, document.cookie])"
        )
        return found

    def overflowing(self) -> list[str]:
        """Parts that stick out of the page or out of their box."""
        found: list[str] = self.page.evaluate(_OVERFLOWING)
        return found


_OVERFLOWING = """() => {
  const wide = document.documentElement;
  const out = wide.scrollWidth > wide.clientWidth ? [`page ${wide.scrollWidth}`] : [];
  for (const part of document.querySelectorAll('header *, .call *')) {
    if (part.clientWidth === 0) continue;
    if (part.closest('.unseen, textarea, input, .maplibregl-map')) continue;
    if (getComputedStyle(part).overflowX === 'hidden') continue;
    if (part.scrollWidth > part.clientWidth + 1) {
      out.push(`${part.tagName} ${part.className} ${part.textContent.slice(0, 40)}`);
    }
  }
  return out;
}"""
