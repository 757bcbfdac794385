"""Clients that cost little: many keep-alive connections and websockets of raw
bytes on one selector."""

from __future__ import annotations

import base64
import json
import os
import selectors
import socket
import struct
import sys
import time
from collections.abc import Callable, Collection, Iterator
from typing import Any, NamedTuple

import msgspec

BROWSER = (
    "Accept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64) " + "x" * 600 + "\r\n"
    "Cookie: session=" + "0123456789abcdef" * 8
)
"""About 1 KB of headers."""
_SHORT, _LONG = struct.Struct("!H"), struct.Struct("!Q")


class Row(msgspec.Struct):
    """The key of a row that was put."""

    key: str


class Frame(msgspec.Struct):
    """What the clients look at in a `snap` or `batch`."""

    t: str
    topic: str
    seq: int = 0
    seq_from: int = 0
    seq_to: int = 0
    put: list[Row] = []
    rows: list[Row] = []


_decode = msgspec.msgpack.Decoder(Frame).decode


class Seen(NamedTuple):
    """A frame: whose rows it puts, and from where to where it brings a topic."""

    topic: str
    seq_from: int | None
    """None for a snapshot, which stands on nothing."""
    seq_to: int
    keys: list[str]


class Wall:
    """A screen with a browser's headers that watches some topics; a batch that does not follow
    on what it has ends the benchmark.

    `shown` is called with the keys of every frame and its time.
    """

    def __init__(
        self,
        port: int,
        live_pass: str,
        topics: Collection[str],
        shown: Callable[[list[str], float], None],
        *,
        receive_buffer: int | None = None,
    ) -> None:
        self._shown = shown
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        if receive_buffer is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(10)
        self.socket.connect(("127.0.0.1", port))
        self._handshake(port)
        self._say({"t": "hello", "pass": live_pass})
        for topic in topics:
            self._say({"t": "sub", "topic": topic})
        self.socket.setblocking(False)
        self._rest = b""
        self._topics = len(topics)
        self.frames = 0
        self.last_bytes = 0
        """Of the latest of them."""
        self.merged = 0
        """Batches among them that were made of several."""
        self.at: dict[str, int] = {}
        """Topic -> seq it stands at."""

    @property
    def ready(self) -> bool:
        """Whether every topic has come."""
        return len(self.at) == self._topics

    def _handshake(self, port: int) -> None:
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Protocol: heatops.v1\r\nOrigin: http://127.0.0.1:{port}\r\n"
            f"{BROWSER}\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1) or sys.exit("the websocket was refused")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            sys.exit(f"no websocket: {head[:80]!r}")

    def _say(self, message: dict[str, Any]) -> None:
        self._send(0x81, json.dumps(message).encode())

    def _send(self, first: int, data: bytes) -> None:
        small = len(data) < 126
        size = bytes([0x80 | len(data)]) if small else b"\xfe" + _SHORT.pack(len(data))
        self.socket.sendall(bytes([first]) + size + bytes(4) + data)  # the mask is 0

    def readable(self) -> None:
        """Take what has arrived."""
        try:
            data = self.socket.recv(1 << 20)
        except BlockingIOError:
            return
        now = time.time()
        if not data:
            sys.exit("a screen was sent away")
        for opcode, payload in self._frames(self._rest + data):
            if opcode == 2:
                self.last_bytes = len(payload)
                self._take(seen(payload), now)
            elif opcode == 9:
                self._send(0x8A, payload)
            elif opcode == 8:
                sys.exit(f"a screen was sent away: {payload!r}")

    def _take(self, frame: Seen, now: float) -> None:
        if frame.seq_from is not None:
            if frame.seq_from != self.at[frame.topic]:
                sys.exit(f"{frame.topic}: {frame.seq_from} follows on {self.at[frame.topic]}")
            self.merged += frame.seq_to - frame.seq_from > 1
        self.at[frame.topic] = frame.seq_to
        self.frames += 1
        self._shown(frame.keys, now)

    def _frames(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        at = 0
        while len(data) - at >= 2:
            size, start = data[at + 1], at + 2
            if size == 126:
                start += 2
                size = _SHORT.unpack_from(data, at + 2)[0] if len(data) >= start else 1 << 62
            elif size == 127:
                start += 8
                size = _LONG.unpack_from(data, at + 2)[0] if len(data) >= start else 1 << 62
            if len(data) < start + size:
                break
            yield data[at] & 15, data[start : start + size]
            at = start + size
        self._rest = data[at:]


_seen: dict[bytes, Seen] = {}


def seen(payload: bytes) -> Seen:
    """What a frame brings; every screen gets the same bytes, so they are read once."""
    known = _seen.get(payload)
    if known is None:
        frame = _decode(payload)
        keys = [row.key for row in (*frame.put, *frame.rows)]
        batch = frame.t == "batch"
        known = Seen(
            frame.topic,
            frame.seq_from if batch else None,
            frame.seq_to if batch else frame.seq,
            keys,
        )
        if len(_seen) > 500:
            _seen.clear()
        _seen[payload] = known
    return known


class Sender:
    """One keep-alive connection with at most one request on its way."""

    def __init__(self, port: int, answered: Callable[[int, int, bytes, float], None]) -> None:
        self._answered = answered
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.busy: int | None = None
        self._rest = b""

    def send(self, number: int, request: bytes) -> None:
        """Send the request of a number; its answer comes by `answered`."""
        self.busy = number
        self.socket.setblocking(True)
        self.socket.sendall(request)
        self.socket.setblocking(False)

    def readable(self) -> None:
        """Take the answer: (number, status, body, time) goes to `answered`."""
        data = self.socket.recv(1 << 16)
        now = time.time()
        if not data:
            sys.exit("the web process closed a connection")
        self._rest += data
        head, gap, body = self._rest.partition(b"\r\n\r\n")
        if not gap:
            return
        at = head.lower().find(b"content-length:")
        size = int(head[at + 15 :].split(b"\r\n", 1)[0])
        if len(body) < size or self.busy is None:
            return
        number, self.busy, self._rest = self.busy, None, b""
        self._answered(number, int(head[9:12]), body, now)


class Loop:
    """A selector over screens and senders."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()

    def add(self, end: Wall | Sender) -> None:
        """Read from it from now on."""
        self._selector.register(end.socket, selectors.EVENT_READ, end)

    def drop(self, end: Wall | Sender) -> None:
        """Close it."""
        self._selector.unregister(end.socket)
        end.socket.close()

    def turn(self, timeout: float) -> None:
        """Wait for something to read, at most `timeout` seconds, and read it."""
        for key, _ in self._selector.select(timeout):
            key.data.readable()

    def close(self) -> None:
        """Close every connection."""
        for key in list(self._selector.get_map().values()):
            key.data.socket.close()
        self._selector.close()
