"""The wall in a real browser, and what the tests look at: figures, layers, pixels of the map."""

from __future__ import annotations

import re
import struct
import time
import zlib
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from playwright.sync_api import BrowserContext, ConsoleMessage, Frame, Request, WebSocket

LAYERS = ("arrears", "tickets", "crews", "rooms", "sentiment")
RED = (255, 90, 79)
GREY = (133, 146, 161)
WITHIN_S = 30.0
AWAY = r"net::ERR_|WebSocket connection to .* failed|status of 50[0-9]"
"""What a browser itself says while its server is away."""

CITY, BARE = "main", "bare"
"""Codes of a company with a city and of one without."""

T = TypeVar("T")

_PLACE = """([lon, lat]) => {
  const map = window.__heatops.map, box = map.getContainer(), p = map.project([lon, lat]);
  const at = box.getBoundingClientRect();
  return [at.left + p.x * at.width / box.clientWidth, at.top + p.y * at.height / box.clientHeight];
}"""
_OVERFLOWING = """() => [...document.querySelectorAll('[data-testid^="fig-"], time')]
  .flatMap((figure) => [figure, ...figure.querySelectorAll('*')])
  .filter((part) => part.clientWidth > 0 && part.scrollWidth > part.clientWidth)
  .map((part) => `${part.closest('[data-testid]')?.dataset.testid}: ${part.textContent}`
    + ` needs ${part.scrollWidth} of ${part.clientWidth}`)"""


class WallPage:
    """One page of one browser; notes whatever must not happen."""

    def __init__(self, context: BrowserContext, url: str) -> None:
        self.url = url
        self.page = context.pages[0]
        self.page.set_default_timeout(WITHIN_S * 1000)
        self._excused = "(?!)"
        self.errors: list[str] = []
        self.strangers: list[str] = []
        self.frames: list[bytes] = []
        self.loads = 0
        self.page.on("console", self._console)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("request", self._request)
        self.page.on("websocket", self._socket)
        self.page.on("framenavigated", self._navigated)

    def may_say(self, pattern: str) -> None:
        """Console errors that match are the browser's own words on what the test does."""
        self._excused = pattern

    def _console(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        if not re.search(self._excused, message.text):
            self.errors.append(f"{message.text} {message.location.get('url', '')}")

    def _request(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in {"data", "blob"} and parts.hostname != "127.0.0.1":
            self.strangers.append(request.url)

    def _socket(self, socket: WebSocket) -> None:
        if urlsplit(socket.url).hostname != "127.0.0.1":
            self.strangers.append(socket.url)
        socket.on("framereceived", self._frame)

    def _frame(self, payload: str | bytes) -> None:
        self.frames.append(payload.encode() if isinstance(payload, str) else payload)

    def _navigated(self, frame: Frame) -> None:
        self.loads += frame.parent_frame is None

    def open(self) -> None:
        """Load the wall, wait for its first whole picture, and mark page and map."""
        self.page.goto(f"{self.url}/wall")
        self.page.wait_for_selector('html[data-ready="1"]')
        self.page.evaluate("() => { window.__mark = { map: window.__heatops.map }; }")
        self.loads = 0

    def check_never_reloaded(self) -> None:
        """The page, its map and the map's canvas are the very ones that `open` marked."""
        assert self.loads == 0
        assert self.page.evaluate("() => window.__mark?.map === window.__heatops.map")
        assert self.page.locator("canvas.maplibregl-canvas").count() == 1

    def check_quiet(self) -> None:
        """No error was logged and nobody outside was asked."""
        assert not self.errors, self.errors
        assert not self.strangers, self.strangers

    def wait(self, condition: Callable[[], T], what: str, within: float = WITHIN_S) -> T:
        """The first true value of `condition`, while the page goes on; prints the time it took."""
        started = time.monotonic()
        while not (value := condition()):
            assert time.monotonic() - started < within, f"not within {within:.0f} s: {what}"
            self.page.wait_for_timeout(100)
        print(f"{time.monotonic() - started:6.2f} s until {what}")
        return value

    def figure(self, name: str) -> str:
        """A figure's value as shown."""
        return self.page.get_by_test_id(f"fig-{name}").get_attribute("data-value") or ""

    def states(self) -> dict[str, str]:
        """Each layer's chip: fresh, stale or off."""
        return {
            layer: self.page.get_by_test_id(f"layer-{layer}").get_attribute("data-state") or ""
            for layer in LAYERS
        }

    def all_layers(self, state: str) -> bool:
        """Whether every layer is in this state."""
        return set(self.states().values()) == {state}

    def count_pixels(self, spot: tuple[float, float], color: tuple[int, int, int]) -> int:
        """Pixels near `color` within 20 px of a place on the map (lon, lat)."""
        x, y = self.page.evaluate(_PLACE, list(spot))
        clip = {"x": x - 20, "y": y - 20, "width": 40, "height": 40}
        rows = decode_png(self.page.screenshot(clip=clip))  # type: ignore[arg-type]
        return sum(
            all(abs(pixel[i] - color[i]) < 24 for i in range(3)) for row in rows for pixel in row
        )

    def see(self, spot: tuple[float, float], color: tuple[int, int, int], what: str) -> None:
        """Wait until a mark of this colour stands at its place."""
        self.wait(lambda: self.count_pixels(spot, color) > 40, f"{what} is painted")

    def click_map(self, spot: tuple[float, float]) -> None:
        """Click a place on the map (lon, lat)."""
        x, y = self.page.evaluate(_PLACE, list(spot))
        self.page.mouse.click(x, y)

    def overflowing(self) -> list[str]:
        """Figures whose text is wider than their box."""
        found: list[str] = self.page.evaluate(_OVERFLOWING)
        return found


OpenBrowser = Callable[..., WallPage]
"""The `browse` fixture: (url, cookies=None, **options of the context)."""


def decode_png(data: bytes) -> list[list[tuple[int, ...]]]:
    """Rows of pixels of an 8-bit RGB or RGBA image without interlacing, as browsers make them."""
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert (depth, kind) in {(8, 2), (8, 6)}
    size = 3 if kind == 2 else 4
    packed, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            packed += data[at + 8 : at + 8 + length]
        at += length + 12
    raw, before, rows = zlib.decompress(packed), bytearray(width * size), []
    for y in range(height):
        start = y * (width * size + 1)
        line = bytearray(raw[start + 1 : start + 1 + width * size])
        for i in range(len(line)):
            left = line[i - size] if i >= size else 0
            corner = before[i - size] if i >= size else 0
            line[i] = line[i] + _predicted(raw[start], left, before[i], corner) & 255
        rows.append([tuple(line[i : i + size]) for i in range(0, len(line), size)])
        before = line
    return rows


def _predicted(method: int, left: int, up: int, corner: int) -> int:
    if method == 4:
        guess = left + up - corner
        return min((left, up, corner), key=lambda value: abs(guess - value))
    return (0, left, up, (left + up) // 2)[method]
