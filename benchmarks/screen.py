"""From a POST to pixels: a red ticket's mark and its count on the wall in Chromium."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from playwright.sync_api import Page

from benchmarks._browser import browser
from benchmarks._figure import figure
from benchmarks._stack import COMPANY, HALF_DEG, LAT, LON, Stack, stack
from geo.bounds import Bounds
from geo.shapes import line, polygon
from geo.tiles import Feature
from server.adapters.cities import City, company_id, write_register
from server.sources.city_import import write_city

TICKETS = 12
WITHIN_MS = 15_000
# Pixels can be read within the map's own `render` event only; the frame is out one animation
# frame later. Says when (Unix milliseconds) the count has changed and when the mark is painted.
WATCH = """([lon, lat, count]) => {
  const map = window.__heatops.map, canvas = map.getCanvas();
  const gl = canvas.getContext('webgl2') || canvas.getContext('webgl');
  const figure = document.querySelector('[data-testid="fig-open-red"]');
  const seen = window.__seen = { counted: null, painted: null };
  const next = (name) => requestAnimationFrame(() => { seen[name] ??= Date.now(); });
  const changed = new MutationObserver(() => {
    if (figure.dataset.value !== count) return;
    changed.disconnect();
    next('counted');
  });
  changed.observe(figure, { attributes: true });
  const look = () => {
    const at = map.project([lon, lat]), ratio = canvas.width / map.getContainer().clientWidth;
    const half = Math.round(16 * ratio), size = 2 * half, pixels = new Uint8Array(size * size * 4);
    gl.readPixels(Math.round(at.x * ratio) - half, canvas.height - Math.round(at.y * ratio) - half,
      size, size, gl.RGBA, gl.UNSIGNED_BYTE, pixels);
    let red = 0;
    for (let i = 0; i < pixels.length; i += 4) {
      red += Math.abs(pixels[i] - 255) < 24 && Math.abs(pixels[i + 1] - 90) < 24
        && Math.abs(pixels[i + 2] - 79) < 24;
    }
    if (red < 40) return;
    map.off('render', look);
    next('painted');
  };
  map.on('render', look);
}"""


def add_city(running: Stack) -> None:
    """A few blocks and two streets as the company's city."""
    bounds = Bounds(LON - HALF_DEG, LAT - HALF_DEG, LON + HALF_DEG, LAT + HALF_DEG)

    def block(x: int, y: int) -> Feature:
        west, south = LON + x / 500, LAT + y / 700
        corners = [(west, south), (west + 0.001, south), (west + 0.001, south + 0.0002)]
        corners.append((west, south + 0.0002))
        return Feature("building", "apartments", "", 18.0, polygon([corners]))

    features = [
        Feature("road", "primary", "", 0.0, line([(LON - HALF_DEG, LAT), (LON + HALF_DEG, LAT)])),
        Feature("road", "primary", "", 0.0, line([(LON, LAT - HALF_DEG), (LON, LAT + HALF_DEG)])),
        *(block(x, y) for x in range(-5, 6) for y in range(-7, 8)),
    ]
    tiles = running.data / "cities" / COMPANY / "small.pmtiles"
    tiles.parent.mkdir(parents=True, exist_ok=True)
    write_city(features, bounds, tiles, "小城", "", lambda _step, _done: None, workers=1)
    city = City("小城", "generated", "small", "", bounds, (LON, LAT))
    dsn = running.engines.database_url
    company = asyncio.run(company_id(dsn, COMPANY))
    asyncio.run(write_register(dsn, company, city, []))


@contextmanager
def wall(running: Stack) -> Iterator[Page]:
    """The wall in a browser of its own, with its first whole picture."""
    url = f"http://127.0.0.1:{running.port}"
    name, _, value = running.cookie.partition("=")
    with browser(url, name, value) as page:
        page.goto(f"{url}/wall")
        page.wait_for_selector('html[data-ready="1"]', timeout=30_000)
        yield page


def one(running: Stack, page: Page, number: int) -> tuple[float, float]:
    """Seconds from sending a red ticket until it is counted, and until it is painted."""
    lon = LON + HALF_DEG * 0.7 * (number % 4 - 1.5) / 1.5
    lat = LAT + HALF_DEG * 0.5 * (number // 4 - 1)
    page.evaluate(WATCH, [lon, lat, str(number + 1)])
    body = {
        "kind": "leak",
        "level": "red",
        "source": "phone",
        "coordinate": {"lon": lon, "lat": lat, "datum": "wgs84"},
        "accepted": True,
    }
    began = time.time()
    status, answer, _ = running.post(
        "/api/requests",
        body,
        {"Authorization": f"Bearer {running.token}", "Idempotency-Key": f"screen-{number:04d}"},
    )
    if status != 201:
        sys.exit(f"the ticket was answered {status}: {answer}")
    deadline = time.monotonic() + WITHIN_MS / 1000
    while True:
        seen = page.evaluate("() => window.__seen")
        if seen["counted"] and seen["painted"]:
            return seen["counted"] / 1000 - began, seen["painted"] / 1000 - began
        if time.monotonic() > deadline:
            sys.exit(f"ticket {number} did not come to the screen: {seen}")
        page.wait_for_timeout(50)


def main() -> None:
    """Print every figure."""
    with stack() as running:
        add_city(running)
        with wall(running) as page:
            times = []
            for number in range(TICKETS):
                times.append(one(running, page, number))
                page.wait_for_timeout(700)
    counted, painted = ([t[i] for t in times] for i in range(2))
    figure("screen.post_to_pixels", max(painted), "s", target="<= 1", ok=max(painted) <= 1)
    figure("screen.post_to_pixels_median", median(painted), "s")
    figure("screen.post_to_count", max(counted), "s")
    figure("screen.post_to_count_median", median(counted), "s")


if __name__ == "__main__":
    main()
