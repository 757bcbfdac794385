"""A wall's live connection under fire: it hops between webs and holds `as_of` to its word."""

from __future__ import annotations

import asyncio
import json
import random
import time
from typing import Any

import httpx
import websockets
from chaos_ledger import Ledger
from chaos_picture import Picture, decode

TOPICS = ("tickets", "happenings", "figures", "crews")
HOP_S = 3.0
SILENCE_S = 4.0


class Screen:
    """A wall's live connection, now at one web and now at another, with one picture per topic."""

    def __init__(self, number: int, urls: list[str], cookies: dict[str, str], book: Ledger) -> None:
        self._random = random.Random(100 + number)
        self._urls = urls
        self._cookies = cookies
        self._book = book
        self._seen = 0
        self.pictures = {topic: Picture(topic) for topic in TOPICS}
        self.lies: list[str] = []
        self.judged = 0
        self.connected = self.resumed = self.snapshots = 0
        self.settle = False

    async def run(self, stop: asyncio.Event) -> None:
        """Until told to stop."""
        async with httpx.AsyncClient(cookies=self._cookies, timeout=2.0) as http:
            while not stop.is_set():
                try:
                    await self._visit(http, self._random.choice(self._urls), stop)
                except (httpx.HTTPError, KeyError, OSError, TimeoutError):
                    pass
                except websockets.WebSocketException:
                    pass
                await asyncio.sleep(self._random.uniform(0.05, 0.3))

    async def _visit(self, http: httpx.AsyncClient, url: str, stop: asyncio.Event) -> None:
        made = await http.post(f"{url}/api/live-passes")
        made.raise_for_status()
        life = time.monotonic() + self._random.expovariate(1 / HOP_S) + 0.3
        async with websockets.connect(
            url.replace("http", "ws", 1) + "/live",
            subprotocols=[websockets.Subprotocol("heatops.v1")],
            compression=None,
            open_timeout=2,
            close_timeout=0.5,
            max_size=None,
        ) as socket:
            self.connected += 1
            await socket.send(json.dumps({"t": "hello", "pass": made.json()["pass"]}))
            for topic in TOPICS:
                await self._subscribe(socket, topic)
            heard = time.monotonic()
            while not stop.is_set() and (self.settle or time.monotonic() < life):
                try:
                    data = await asyncio.wait_for(socket.recv(), 0.3)
                except TimeoutError:
                    if time.monotonic() - heard > SILENCE_S:
                        return
                    continue
                heard = time.monotonic()
                again = self._take(json.loads(data) if isinstance(data, str) else decode(data))
                if again is not None:
                    await self._subscribe(socket, again)

    async def _subscribe(self, socket: websockets.ClientConnection, topic: str) -> None:
        await socket.send(
            json.dumps({"t": "sub", "topic": topic, "since": self.pictures[topic].since})
        )

    def _take(self, message: dict[str, Any]) -> str | None:
        """Take a message up. Returns a topic that has to be asked for again."""
        match message["t"]:
            case "snap":
                self.snapshots += 1
                self.pictures[message["topic"]].snap(message)
            case "batch":
                if self.pictures[message["topic"]].batch(message) == "again":
                    return str(message["topic"])
            case "resumed":
                self.resumed += 1
            case "tick":
                for topic, tick in message["topics"].items():
                    self.pictures[topic].tick(tick)
        self._judge()
        return None

    def _judge(self) -> None:
        """What was acknowledged before `as_of` must be shown."""
        picture = self.pictures["tickets"]
        book = self._book.acknowledged
        while self._seen < len(book) and book[self._seen].at < picture.as_of:
            due = book[self._seen]
            self._seen += 1
            self.judged += 1
            shown = picture.rows.get(due.ticket)
            if (shown is None or shown[0] < due.version) and due.ticket not in self._book.ending:
                self.lies.append(f"{due} is missing at {picture.at}, as of {picture.as_of}")
