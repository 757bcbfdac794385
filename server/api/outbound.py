"""The one ordered way out of a websocket connection."""

from __future__ import annotations

import asyncio
import errno
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final, Protocol

import numpy as np
from litestar.exceptions import WebSocketDisconnect
from numpy.typing import NDArray
from typing_extensions import override

from server.api.rawws import EXTENSION, RawWebSocketProtocol

PAUSE_AT: Final = 32 * 1024
"""Waiting bytes from which on a connection is `paused`: with 224 KiB on top, 256 are queued."""
CLOSE_S: Final = 2.0
"""A farewell that could not be written after this many seconds is given up."""

_AGAIN: Final = frozenset({-errno.EAGAIN, -errno.EWOULDBLOCK, -errno.ENOBUFS})
_GONE: Final = (OSError, WebSocketDisconnect)
"""What an ASGI server, or Litestar in front of it, raises when the client has left."""


class AcceptedWebSocket(Protocol):
    """What is needed of litestar.WebSocket."""

    @property
    def scope(self) -> Any: ...  # noqa: ANN401

    @property
    def send(self) -> Callable[[Any], Awaitable[None]]: ...


class Lines:
    """Descriptors of the sockets to which a frame may be sent right now, by a connection's slot.

    A fan-out gathers from this one array and touches no object of a connection: thousands of
    scattered objects, cold after every loop of sends, cost a fifth of the sends themselves.
    """

    NONE: Final = 0
    """The slot that never has a descriptor."""

    def __init__(self) -> None:
        self.fds: NDArray[np.int32] = np.full(64, -1, np.int32)
        """-1 where messages must go through Outbound.send."""
        self._free = list(range(63, 0, -1))

    def take(self) -> int:
        """A slot of one's own, without a descriptor yet."""
        if not self._free:
            size = len(self.fds)
            self.fds = np.concatenate([self.fds, np.full(size, -1, np.int32)])
            self._free = list(range(2 * size - 1, size - 1, -1))
        return self._free.pop()

    def give_back(self, slot: int) -> None:
        """The slot may be another connection's from now on."""
        self.fds[slot] = -1
        self._free.append(slot)


lines: Final = Lines()
"""Of this process: uvicorn makes the protocol objects, so that nothing can be handed to them."""


class Outbound(ABC):
    """All outgoing messages of one accepted websocket connection, in the order of the calls."""

    __slots__ = ("_given", "_moved_at", "_taken")

    def __init__(self) -> None:
        self._given = 0
        self._taken = 0
        self._moved_at: float | None = None

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether the connection is closing or gone: what is sent now reaches nobody."""

    @property
    @abstractmethod
    def buffered(self) -> int:
        """Bytes that wait in this process for the client to read on."""

    @property
    @abstractmethod
    def in_kernel(self) -> int:
        """Bytes that the kernel took of us and the client's machine has not acknowledged; 0 where
        nobody can tell."""

    @property
    def paused(self) -> bool:
        """Whether the client does not keep up: send no more until it does, then the merged rest."""
        return self.buffered >= PAUSE_AT

    def stalled_s(self, now: float) -> float:
        """Seconds, as seen by the calls of this method, in which bytes waited and the client's
        machine took none: the kernel alone asks for more only once much of its buffer has gone,
        and over a thin line that is long after the client has read on.

        `now` is a monotonic time in seconds; call it about every second.
        """
        waiting = self.buffered
        taken = self._given - waiting - (self.in_kernel if waiting else 0)
        if waiting == 0 or taken > self._taken or self._moved_at is None:
            self._moved_at = now
        self._taken = taken
        return now - self._moved_at

    @abstractmethod
    def send(self, payload: bytes, *, binary: bool) -> None:
        """Queue one message (text as UTF-8) behind all earlier ones; does nothing when closed."""

    @abstractmethod
    async def run(self) -> None:
        """Write what is queued until the connection ends: a task of the connection's task group.

        Returns at once where the transport's buffer is the queue.
        """

    @abstractmethod
    async def close(self, code: int, reason: str = "") -> None:
        """Close behind what was sent before; drops a connection that does not take it in 2 s."""

    @abstractmethod
    def abort(self) -> None:
        """Drop the connection and what waits for it: the client sees it end without a farewell."""


class RawOutbound(Outbound):
    """Finished frames to RawWebSocketProtocol's plain TCP transport: its buffer is the queue."""

    __slots__ = ("_fd", "_protocol", "_send", "_transport", "slot")

    def __init__(self, ws: AcceptedWebSocket, protocol: RawWebSocketProtocol) -> None:
        super().__init__()
        self.slot = lines.take()
        """Place in `lines`, ours until nobody holds this object: an audience goes by it."""
        self._send = ws.send
        self._protocol = protocol
        self._transport = protocol.plain_transport
        self._fd: int = self._transport.get_extra_info("socket").fileno()
        protocol.on_change = self._settle
        self._settle()

    def __del__(self) -> None:
        lines.give_back(self.slot)

    def _settle(self) -> None:
        idle = not self._transport.get_write_buffer_size() and not self._protocol.is_closing
        lines.fds[self.slot] = self._fd if idle else -1

    @property
    @override
    def closed(self) -> bool:
        return self._protocol.is_closing

    @property
    @override
    def buffered(self) -> int:
        return self._transport.get_write_buffer_size()

    @property
    @override
    def in_kernel(self) -> int:
        return self._protocol.unacknowledged

    @override
    def send(self, payload: bytes, *, binary: bool) -> None:
        # Two pieces, so that all connections a payload waits for share its bytes.
        self._write(server_header(len(payload), binary=binary), payload)

    def finish(self, frame: bytes, result: int) -> None:
        """After a raw send of which the kernel took `result` bytes of `frame`, or gave -errno."""
        if result >= 0 or result in _AGAIN:
            self._write(memoryview(frame)[max(result, 0) :])
        else:
            self.abort()

    def _write(self, *pieces: bytes | memoryview) -> None:
        if not self._protocol.is_closing:
            self._given += sum(map(len, pieces))
            self._transport.writelines(pieces)
        self._settle()

    @override
    async def run(self) -> None:
        return

    @override
    async def close(self, code: int, reason: str = "") -> None:
        if self.closed:
            return
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._send({"type": "websocket.close", "code": code, "reason": reason})
        except (*_GONE, RuntimeError):
            # TimeoutError is an OSError; RuntimeError: uvicorn closed while we waited to.
            self.abort()

    @override
    def abort(self) -> None:
        self._transport.abort()
        self._settle()


class QueuedOutbound(Outbound):
    """The ordinary way for TLS and for other ASGI servers: a queue of our own that `run` writes."""

    __slots__ = ("_closed", "_ended", "_protocol", "_queue", "_queued", "_send", "_wake")

    def __init__(self, ws: AcceptedWebSocket, protocol: RawWebSocketProtocol | None) -> None:
        super().__init__()
        self._send = ws.send
        self._protocol = protocol
        self._queue: deque[tuple[int, dict[str, object]]] = deque()
        self._queued = 0
        self._closed = False
        self._wake = asyncio.Event()
        self._ended = asyncio.Event()

    @property
    @override
    def closed(self) -> bool:
        return self._closed or (self._protocol is not None and self._protocol.is_closing)

    @property
    @override
    def buffered(self) -> int:
        if self._protocol is None or self._protocol.is_closing:
            return self._queued
        return self._queued + self._protocol.plain_transport.get_write_buffer_size()

    @property
    @override
    def in_kernel(self) -> int:
        return 0 if self._protocol is None else self._protocol.unacknowledged

    @override
    def send(self, payload: bytes, *, binary: bool) -> None:
        content = {"bytes": payload} if binary else {"text": payload.decode()}
        self._put(len(payload), {"type": "websocket.send", **content})

    def _put(self, size: int, message: dict[str, object]) -> None:
        if not self._closed:
            self._given += size
            self._queued += size
            self._queue.append((size, message))
            self._wake.set()

    @override
    async def run(self) -> None:
        try:
            while True:
                while self._queue:
                    size, message = self._queue[0]
                    await self._send(message)
                    if self._queue:  # not aborted meanwhile
                        self._queue.popleft()
                        self._queued -= size
                if self._closed:
                    return
                await self._wake.wait()
                self._wake.clear()
        except _GONE:
            pass
        except RuntimeError:
            # uvicorn's answer when it closed the connection while the message waited.
            if not self.closed:
                raise
        finally:
            self._closed = True
            self._ended.set()

    @override
    async def close(self, code: int, reason: str = "") -> None:
        self._put(0, {"type": "websocket.close", "code": code, "reason": reason})
        self._closed = True
        try:
            async with asyncio.timeout(CLOSE_S):
                await self._ended.wait()
        except TimeoutError:
            self.abort()

    @override
    def abort(self) -> None:
        self._closed = True
        self._queue.clear()
        self._queued = 0
        self._wake.set()
        if self._protocol is not None:
            self._protocol.plain_transport.abort()


def outbound(ws: AcceptedWebSocket) -> Outbound:
    """The way out of a websocket connection just accepted; RuntimeError if it has one already."""
    protocol = (ws.scope.get("extensions") or {}).get(EXTENSION)
    if protocol is not None and protocol.on_change is not None:
        raise RuntimeError("this connection has its one way out already")
    if protocol is not None and protocol.is_plain:
        return RawOutbound(ws, protocol)
    return QueuedOutbound(ws, protocol)


def server_header(size: int, *, binary: bool) -> bytes:
    """Header of an unmasked, unfragmented data frame of `size` payload bytes (RFC 6455, 5.2)."""
    opcode = b"\x82" if binary else b"\x81"
    if size < 126:
        return opcode + size.to_bytes(1, "big")
    if size < 65536:
        return opcode + b"\x7e" + size.to_bytes(2, "big")
    return opcode + b"\x7f" + size.to_bytes(8, "big")
