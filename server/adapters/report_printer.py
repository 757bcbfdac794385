"""Prints a document in a process of its own, few at a time: opening the font would hold up
everybody here, and takes a processor and much memory for seconds."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence

import msgspec

from dispatch_core.errors import Unavailable
from server.adapters.report_pages import Document
from server.settings import CHECKOUT

PROGRAM = (sys.executable, "-m", "server.adapters.report_pdf")
AT_ONCE, WAITING = 1, 4
"""Processes at work for one web process, and people who wait for their turn."""
WITHIN_S = 60.0


class Printer:
    """One web process's."""

    def __init__(self, program: Sequence[str] = PROGRAM) -> None:
        """`program` reads a document as JSON and writes the PDF."""
        self._program = program
        self._free = asyncio.Semaphore(AT_ONCE)
        self._asked = 0

    async def print(self, what: Document) -> bytes:
        """The PDF.

        Raises:
            Unavailable: `printing_busy`, `not_printed`.
        """
        if self._asked >= AT_ONCE + WAITING:
            raise Unavailable(
                "printing_busy",
                f"{self._asked} reports are being printed or wait for it.",
                "Try again in a few seconds; read it on screen.",
            )
        self._asked += 1
        try:
            async with asyncio.timeout(WITHIN_S), self._free:
                out = await self._printed(msgspec.json.encode(what))
        except TimeoutError:
            out = b""
        finally:
            self._asked -= 1
        if not out.startswith(b"%PDF"):
            raise Unavailable(
                "not_printed",
                "The report could not be printed now.",
                "Try again; read it on screen.",
            )
        return out

    async def _printed(self, what: bytes) -> bytes:
        """What the program writes; it ends with whoever asked."""
        child = await asyncio.create_subprocess_exec(
            *self._program,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=CHECKOUT,
        )  # fmt: skip
        try:
            out, _ = await child.communicate(what)
        finally:
            if child.returncode is None:
                child.kill()
                await child.wait()
        return out
