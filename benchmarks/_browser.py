"""Chromium for the benchmarks that look at pages."""

from __future__ import annotations

import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Page, sync_playwright

ARGUMENTS = [
    "--headless=new", "--no-sandbox", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
]  # fmt: skip


@contextmanager
def browser(url: str, cookie: str, value: str) -> Iterator[Page]:
    """An empty page of 1920 x 1080 in a browser of its own, signed in by a cookie at `url`."""
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        sys.exit("no Chromium: install chromium, then run the benchmark again")
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=program,
            args=ARGUMENTS,
            viewport={"width": 1920, "height": 1080},
        )
        context.add_cookies([{"name": cookie, "value": value, "url": url}])
        yield context.pages[0]
        context.close()
