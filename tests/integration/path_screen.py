"""A screen as the protocol's text describes it, written without any code of the server."""

from __future__ import annotations

import json
import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

import httpx
import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

TOPICS = (
    "tickets", "crews", "positions", "rooms", "arrears", "sentiment", "outages", "network",
    "figures", "happenings", "plan", "proposals", "rounds",
)  # fmt: skip
WITHIN_S = 30.0


def lane(seed: int, text: bytes) -> int:
    h = seed
    for byte in text:
        h = (h ^ byte) * 0x01000193 % 2**32
    h ^= h >> 16
    h = h * 0x85EBCA6B % 2**32
    h ^= h >> 13
    h = h * 0xC2B2AE35 % 2**32
    return h ^ (h >> 16)


def topic_hash(rows: Iterable[tuple[str, int]]) -> str:
    """16 hex digits over (key, version), as ARCHITECTURE.md writes it."""
    one = two = 0
    for key, version in rows:
        text = key.encode() + b"\0" + str(version).encode()
        one = (one + lane(0x811C9DC5, text)) % 2**32
        two = (two + lane(0x9E3779B9, text)) % 2**32
    return f"{one:08x}{two:08x}"


@dataclass
class View:
    """One topic as the screen has it."""

    epoch: int = 0
    seq: int = -1
    hash: str = ""
    rows: dict[str, tuple[int, Any]] = field(default_factory=dict)

    @property
    def position(self) -> tuple[int, int]:
        return self.epoch, self.seq


class Ended(Exception):  # noqa: N818 - what happened, not a mistake
    """The server closed the connection."""

    def __init__(self, code: int | None, bye: dict[str, Any] | None) -> None:
        super().__init__(f"{code} {bye}")
        self.code, self.bye = code, bye


class Screen:
    """Keeps its views over several connections; every rule that is broken is an AssertionError."""

    def __init__(self, cookie: httpx.Client, topics: Iterable[str] = TOPICS) -> None:
        self._http = cookie
        self.views = {topic: View() for topic in topics}
        self.hashes: dict[tuple[str, int, int], set[str]] = defaultdict(set)
        """(topic, epoch, seq) -> every hash that was seen or computed there: at most one."""
        self.got: dict[str, int] = defaultdict(int)
        self.last_tick: dict[str, Any] = {}
        self.bye: dict[str, Any] | None = None
        self.ws: ClientConnection | None = None
        self._held = ExitStack()

    def open(self, url: str, *, resume: bool = True, **options: Any) -> Screen:
        """Connect to the web process at `url`, say hello, subscribe to everything."""
        made = self._http.post(f"{url}/api/live-passes")
        assert made.status_code == 201, made.text
        self.bye = None
        self.ws = self._held.enter_context(
            connect(
                f"ws{url.removeprefix('http')}/live", subprotocols=["heatops.v1"], compression=None,
                max_size=None, close_timeout=1, **options,
            )
        )  # fmt: skip
        assert self.ws.subprotocol == "heatops.v1"
        self.send({"t": "hello", "pass": made.json()["pass"]})
        for topic in self.views:
            self.subscribe(topic, resume=resume)
        return self

    def send(self, message: dict[str, Any]) -> None:
        assert self.ws is not None
        self.ws.send(json.dumps(message))

    def subscribe(self, topic: str, *, resume: bool = True) -> None:
        view = self.views[topic]
        since = {"epoch": view.epoch, "seq": view.seq} if resume and view.seq >= 0 else None
        self.send({"t": "sub", "topic": topic, "since": since})

    def close(self) -> None:
        self._held.close()
        self.ws = None

    def pump(self, seconds: float = 0.0) -> bool:
        """Take in one message; False if none came in time. Raises Ended."""
        assert self.ws is not None
        try:
            data = self.ws.recv(timeout=seconds)
        except TimeoutError:
            return False
        except ConnectionClosed as closed:
            self.close()
            raise Ended(closed.rcvd.code if closed.rcvd else None, self.bye) from None
        self.take(json.loads(data) if isinstance(data, str) else msgspec.msgpack.decode(data))
        return True

    def drain(self) -> None:
        """Take in what is there."""
        while self.pump(0.02):
            pass

    def until(self, condition: Callable[[], Any], what: str, within_s: float = WITHIN_S) -> None:
        """Take messages in until the condition holds; prints how long that took."""
        began = time.monotonic()
        while not condition():
            assert time.monotonic() - began < within_s, f"{what}: not within {within_s:.0f} s"
            self.pump(0.1)
        print(f"{what}: {time.monotonic() - began:.2f} s")

    def loaded(self) -> Screen:
        self.until(
            lambda: all(v.seq >= 0 for v in self.views.values()), "every topic has a picture"
        )
        return self

    def take(self, m: dict[str, Any]) -> None:
        self.got[m["t"]] += 1
        match m["t"]:
            case "snap":
                view = self.views[m["topic"]]
                view.rows = {p["key"]: (p["version"], p["row"]) for p in m["rows"]}
                self._stand(m["topic"], m["epoch"], m["seq"], m["hash"])
            case "resumed":
                assert self.views[m["topic"]].position == (m["epoch"], m["seq"])
            case "batch":
                self._batch(m)
            case "tick":
                self.last_tick = m
                for topic, at in m["topics"].items():
                    self.hashes[topic, at["epoch"], at["seq"]].add(at["hash"])
            case "bye":
                self.bye = m
            case other:
                raise AssertionError(f"{other}: {m}")

    def _batch(self, m: dict[str, Any]) -> None:
        view = self.views[m["topic"]]
        if m["epoch"] != view.epoch or m["seq_from"] > view.seq:
            self.got["again"] += 1
            self.subscribe(m["topic"])
            return
        if m["seq_to"] <= view.seq:
            self.got["ignored"] += 1
            return
        for p in m["put"]:
            view.rows[p["key"]] = (p["version"], p["row"])
        for key in m["drop"]:
            view.rows.pop(key, None)
        self.got["merged"] += m["seq_to"] - m["seq_from"] > 1
        self._stand(m["topic"], m["epoch"], m["seq_to"], m["hash"])

    def _stand(self, topic: str, epoch: int, seq: int, said: str) -> None:
        """The rows must give the hash that the server names at this position."""
        view = self.views[topic]
        view.epoch, view.seq, view.hash = epoch, seq, said
        ours = topic_hash((key, version) for key, (version, _) in view.rows.items())
        assert ours == said, f"{topic} at {epoch}-{seq}: the rows give {ours}, told {said}"
        self.hashes[topic, epoch, seq].add(said)

    def rows(self, topic: str) -> dict[str, Any]:
        return {key: row for key, (_, row) in self.views[topic].rows.items()}

    def positions(self) -> dict[str, tuple[int, int]]:
        return {topic: view.position for topic, view in self.views.items()}


def converge(screens: list[Screen], what: str, within_s: float = 2 * WITHIN_S) -> None:
    """Take in until all screens stand at the same position in every topic,
    then compare everything."""
    began = time.monotonic()
    while any(s.positions() != screens[0].positions() for s in screens):
        assert time.monotonic() - began < within_s, (what, [s.positions() for s in screens])
        for screen in screens:
            screen.drain()
    print(f"{what}: {len(screens)} screens agree after {time.monotonic() - began:.2f} s")
    for topic, view in screens[0].views.items():
        for other in screens[1:]:
            assert other.views[topic].rows == view.rows, (what, topic)
    seen: dict[tuple[str, int, int], set[str]] = defaultdict(set)
    for screen in screens:
        for at, hashes in screen.hashes.items():
            seen[at] |= hashes
    assert [at for at, hashes in seen.items() if len(hashes) > 1] == []
