"""Writers that repeat until they are answered, beside screens, in a thread of their own."""

from __future__ import annotations

import asyncio
import random
import threading
import time
import uuid
from collections.abc import Coroutine
from typing import Any

import httpx
from chaos_intake import Command, Desk
from chaos_ledger import Acknowledged, Ledger
from chaos_screen import Screen

WRITERS = 4
PER_SECOND = 50
SCREENS = 6
OPEN_PER_WRITER = 12
PATIENCE_S = 3.0
AT_THE_DESK = 0.5
"""Share of commands that others may mean too."""
IMPATIENT = 0.15
"""Share of commands whose first answer is not waited for: committed or not, nobody has heard."""


class Writer:
    """Takes requests in and carries its own tickets on, owning every ticket that it makes so; and
    works at a desk, where others mean the same doors."""

    def __init__(self, number: int, urls: list[str], cookies: dict[str, str], book: Ledger) -> None:
        self._random = random.Random(number)
        self._urls = urls
        self._cookies = cookies
        self._book = book
        self._open: list[tuple[str, int]] = []
        self._desk = Desk(50 + number, book)

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; the command in flight is seen through to its answer."""
        due = time.monotonic()
        async with httpx.AsyncClient(cookies=self._cookies) as http:
            while not stop.is_set():
                await self._command(http, self._next())
                due = max(due + WRITERS / PER_SECOND, time.monotonic() - 0.5)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    def _next(self) -> Command:
        if self._random.random() < AT_THE_DESK:
            return self._desk.next()
        if len(self._open) < OPEN_PER_WRITER:
            lon, lat = self._random.uniform(126.6, 126.7), self._random.uniform(45.7, 45.8)
            body = {
                "kind": self._random.choice(["leak", "not_warm", "repair"]),
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

    async def _command(self, http: httpx.AsyncClient, command: Command) -> None:
        """One command under one key, repeated at either web until there is an answer."""
        headers = {"Idempotency-Key": str(uuid.uuid4())}
        patience = 0.01 if self._random.random() < IMPATIENT else PATIENCE_S
        while True:
            url = self._random.choice(self._urls) + command.path
            try:
                answer = await http.post(url, json=command.body, headers=headers, timeout=patience)
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                self._book.keys.append(headers["Idempotency-Key"])
                command.note(headers["Idempotency-Key"], answer.json())
                return
            if answer is not None and not self._may_repeat(answer):
                self._book.surprises.append(
                    f"{command.path} {answer.status_code} {answer.text[:300]}"
                )
                return
            self._book.retried += 1
            patience = PATIENCE_S
            await asyncio.sleep(self._random.uniform(0.1, 0.3))

    @staticmethod
    def _may_repeat(answer: httpx.Response) -> bool:
        return answer.status_code == 503 or answer.json().get("code") in {"key_in_flight", "busy"}


class Traffic:
    """Writers and screens in a thread with a loop of its own, so that the test may block."""

    def __init__(self, urls: list[str], cookies: dict[str, str], book: Ledger) -> None:
        self.writers = [Writer(n, urls, cookies, book) for n in range(WRITERS)]
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
        assert all(task.done() for task in self._writing), "a command was never answered"

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
