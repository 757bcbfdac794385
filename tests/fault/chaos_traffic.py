"""Writers that repeat until they are answered, beside screens, in a thread of their own."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Coroutine
from typing import Any

import httpx
from chaos_dispatch import Dispatcher
from chaos_intake import Command, Desk
from chaos_ledger import Acknowledged, Ledger
from chaos_screen import Screen
from chaos_sender import Sender
from typing_extensions import override

WRITERS = 4
PER_SECOND = 50
SCREENS = 6
OPEN_PER_WRITER = 12
DISPATCHERS = 2
AT_THE_DESK = 0.5
"""Share of commands that others may mean too."""


class Writer(Sender):
    """Takes requests in and carries its own tickets on, owning every ticket that it makes so; and
    works at a desk, where others mean the same doors."""

    def __init__(self, number: int, urls: list[str], cookies: dict[str, str], book: Ledger) -> None:
        super().__init__(number, urls, cookies, book, PER_SECOND / WRITERS)
        self._open: list[tuple[str, int]] = []
        self._desk = Desk(50 + number, book)

    @override
    async def next(self, http: httpx.AsyncClient) -> Command:
        del http
        if self._random.random() < AT_THE_DESK:
            return self._desk.next()
        if len(self._open) < OPEN_PER_WRITER:
            lon, lat = self._random.uniform(126.6, 126.7), self._random.uniform(45.7, 45.8)
            body = {
                "kind": self._random.choice(["complaint", "not_warm", "repair"]),
                "level": self._random.choice(["red", "yellow", "blue"]),
                "source": "phone",
                "separate": True,
                "coordinate": {"lon": lon, "lat": lat, "datum": "wgs84"},
            }
            return Command("/api/requests", body, self._note)
        ticket, version = self._open.pop(0)
        seen: dict[str, Any] = {"version": version}
        if version == 1:
            return Command(f"/api/tickets/{ticket}/accept", seen, self._note)
        self._book.ending.add(ticket)
        return Command(f"/api/tickets/{ticket}/cancel", seen | {"reason_code": "test"}, self._note)

    def _note(self, key: str, told: dict[str, Any]) -> None:
        self._book.acknowledged.append(Acknowledged(time.time(), key, told["id"], told["version"]))
        if told["state"] != "cancelled":
            self._open.append((told["id"], told["version"]))


class Traffic:
    """Writers and screens in a thread with a loop of its own, so that the test may block."""

    def __init__(self, urls: list[str], cookies: dict[str, str], book: Ledger) -> None:
        self.writers: list[Sender] = [Writer(n, urls, cookies, book) for n in range(WRITERS)]
        self.writers += [Dispatcher(n, urls, cookies, book) for n in range(DISPATCHERS)]
        self.screens = [Screen(n, urls, cookies, book) for n in range(SCREENS)]
        self._loop = asyncio.new_event_loop()
        self._stop_writing, self._stop_watching = asyncio.Event(), asyncio.Event()
        self._writing: list[asyncio.Task[None]] = []
        self._failed: list[Exception] = []
        self._thread = threading.Thread(target=self._work)

    def __enter__(self) -> Traffic:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop_writing.set)
        self._loop.call_soon_threadsafe(self._stop_watching.set)
        self._thread.join(60)
        assert not self._thread.is_alive()
        if self._failed:
            raise self._failed[0]

    def quiet(self) -> None:
        """No new commands; returns when every one in flight is answered. Screens stay where they
        are."""

        async def wait() -> None:
            self._stop_writing.set()
            for screen in self.screens:
                screen.settle = True
            await asyncio.wait(self._writing, timeout=60)

        asyncio.run_coroutine_threadsafe(wait(), self._loop).result(70)
        waiting = [
            writer.waits
            for writer, task in zip(self.writers, self._writing, strict=True)
            if not task.done()
        ]
        assert not waiting, f"commands were never answered: {waiting}"

    def _work(self) -> None:
        try:
            self._loop.run_until_complete(self._everything())
        except Exception as error:  # noqa: BLE001 - raised again where the test waits
            self._failed.append(error)
        finally:
            self._loop.close()

    async def _everything(self) -> None:
        async with asyncio.TaskGroup() as tasks:

            def begin(work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
                return tasks.create_task(work)

            self._writing = [begin(writer.run(self._stop_writing)) for writer in self.writers]
            for screen in self.screens:
                begin(screen.run(self._stop_watching))
