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
from collections.abc import Callable, Iterator
from typing import Any

import msgspec

_SHORT, _LONG = struct.Struct("!H"), struct.Struct("!Q")


class Row(msgspec.Struct):
    """The key of a row that was put."""

    key: str


class Frame(msgspec.Struct):
    """What the clients look at in a `snap` or `batch`."""

    t: str
    topic: str
    put: list[Row] = []
    rows: list[Row] = []


_decode = msgspec.msgpack.Decoder(Frame).decode


class Wall:
    """A screen that watches one topic;
    `shown` is called with the keys of every frame and its time."""

    def __init__(
        self, port: int, live_pass: str, topic: str, shown: Callable[[list[str], float], None]
    ) -> None:
        self._shown = shown
        self.socket = socket.create_connection(("127.0.0.1", port), 10)
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            f"GET /live HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n"
            "Sec-WebSocket-Protocol: heatops.v1\r\n\r\n".encode()
        )
        head = b""
        while not head.endswith(b"\r\n\r\n"):
            head += self.socket.recv(1) or sys.exit("the websocket was refused")
        if b" 101 " not in head.partition(b"\r\n")[0]:
            sys.exit(f"no websocket: {head[:80]!r}")
        self._say({"t": "hello", "pass": live_pass})
        self._say({"t": "sub", "topic": topic})
        self.socket.setblocking(False)
        self._rest = b""
        self.frames = 0
        self.ready = False

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
                self.frames += 1
                self.ready = True
                self._shown(keys_of(payload), now)
            elif opcode == 9:
                self._send(0x8A, payload)
            elif opcode == 8:
                sys.exit(f"a screen was sent away: {payload!r}")

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


_seen: dict[bytes, list[str]] = {}


def keys_of(payload: bytes) -> list[str]:
    """The keys put by a frame; every screen gets the same bytes, so they are read once."""
    keys = _seen.get(payload)
    if keys is None:
        frame = _decode(payload)
        keys = [row.key for row in (*frame.put, *frame.rows)]
        if len(_seen) > 500:
            _seen.clear()
        _seen[payload] = keys
    return keys


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
