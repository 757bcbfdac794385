"""Printing takes few processes at once, and none that nobody waits for any more."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from dispatch_core.errors import Unavailable
from server.adapters.report_pages import Document, Table
from server.adapters.report_printer import AT_ONCE, WAITING, Printer

NOTHING = Table(heading="", rows=[], widths=[100], align=["LEFT"])
PAGE = Document(
    fonts=[], title="早会报告", under="", figures=[], wide=NOTHING, remarks=NOTHING,
    halves=NOTHING, foot="",
)  # fmt: skip
SLOW = """
import os, pathlib, sys, time
here = pathlib.Path(sys.argv[1])
(here / str(os.getpid())).touch()
assert b"title" in sys.stdin.buffer.read()
while not (here / "go").exists():
    time.sleep(0.01)
print("%PDF")
"""


async def until(look: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not look():
            await asyncio.sleep(0.01)


def test_few_print_at_once_some_wait_and_the_rest_is_told_so(tmp_path: Path) -> None:
    async def crowd() -> None:
        printer = Printer((sys.executable, "-c", SLOW, str(tmp_path)))
        waiting = [asyncio.ensure_future(printer.print(PAGE)) for _ in range(AT_ONCE + WAITING)]
        await until(lambda: any(tmp_path.iterdir()))
        with pytest.raises(Unavailable) as refused:
            await printer.print(PAGE)
        assert refused.value.code == "printing_busy"
        assert len(list(tmp_path.iterdir())) == AT_ONCE
        (tmp_path / "go").touch()
        assert [out[:4] for out in await asyncio.gather(*waiting)] == [b"%PDF"] * len(waiting)
        assert (await printer.print(PAGE))[:4] == b"%PDF"

    asyncio.run(crowd())


def test_who_leaves_takes_the_process_along(tmp_path: Path) -> None:
    async def leave() -> None:
        printer = Printer((sys.executable, "-c", SLOW, str(tmp_path)))
        asked = asyncio.ensure_future(printer.print(PAGE))
        await until(lambda: any(tmp_path.iterdir()))
        (child,) = (int(file.name) for file in tmp_path.iterdir())
        asked.cancel()
        await asyncio.gather(asked, return_exceptions=True)
        assert not psutil.pid_exists(child)

    asyncio.run(leave())


def test_what_is_no_pdf_is_not_handed_out() -> None:
    printer = Printer((sys.executable, "-c", "print('no')"))
    with pytest.raises(Unavailable, match="could not be printed"):
        asyncio.run(printer.print(PAGE))
