"""One who sends commands, each under one key, and repeats it until there is an answer."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from abc import ABC, abstractmethod

import httpx
from chaos_intake import Command
from chaos_ledger import Ledger

PATIENCE_S = 3.0
IMPATIENT = 0.15
"""Share of commands whose first answer is not waited for: committed or not, nobody has heard."""


class Sender(ABC):
    """At either web, `per_second` commands at most."""

    def __init__(
        self, seed: int, urls: list[str], cookies: dict[str, str], book: Ledger, per_second: float
    ) -> None:
        self._random = random.Random(seed)
        self._urls = urls
        self._cookies = cookies
        self._book = book
        self._pause_s = 1 / per_second
        self.waits = ""
        """What it has been sending without an answer that ends it, and what it heard last."""

    @abstractmethod
    async def next(self, http: httpx.AsyncClient) -> Command | None:
        """What to send now, after a look at what there is; None: nothing just now."""

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop; the command in flight is seen through to its answer."""
        due = time.monotonic()
        async with httpx.AsyncClient(cookies=self._cookies) as http:
            while not stop.is_set():
                command = await self.next(http)
                if command is not None:
                    await self._command(http, command)
                due = max(due + self._pause_s, time.monotonic() - 0.5)
                await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _command(self, http: httpx.AsyncClient, command: Command) -> None:
        """One command under one key, repeated at either web until there is an answer."""
        key = str(uuid.uuid4())
        patience = 0.01 if self._random.random() < IMPATIENT else PATIENCE_S
        repeated = False
        while True:
            url = self._random.choice(self._urls) + command.path
            try:
                answer = await http.post(
                    url, json=command.body, headers={"Idempotency-Key": key}, timeout=patience
                )
            except httpx.TransportError:
                answer = None
            if answer is not None and answer.is_success:
                self._book.keys.append(key)
                command.note(key, answer.json())
                return
            if answer is not None and not self._may_repeat(answer):
                self._refused(command, key, answer, repeated=repeated)
                return
            self._book.retried += 1
            self.waits = f"{command.path}: {answer.text[:200] if answer is not None else None}"
            repeated = True
            patience = PATIENCE_S
            await asyncio.sleep(self._random.uniform(0.1, 0.3))

    def _refused(
        self, command: Command, key: str, answer: httpx.Response, *, repeated: bool
    ) -> None:
        """Somebody else was quicker; or, where an earlier try of ours is still under way, that one
        may be."""
        self._book.refused.add(key)
        if answer.json().get("code") not in command.may:
            self._book.surprises.append(f"{command.path} {answer.status_code} {answer.text[:300]}")
        elif repeated:
            self._book.doubtful[key] = command

    @staticmethod
    def _may_repeat(answer: httpx.Response) -> bool:
        return answer.status_code == 503 or answer.json().get("code") in {"key_in_flight", "busy"}
