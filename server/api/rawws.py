"""A uvicorn websocket protocol that lets the application write finished frames to its socket."""

from __future__ import annotations

import asyncio
import fcntl
import os
import socket
import sys
import termios
from asyncio.transports import BaseTransport
from collections.abc import Callable
from typing import Any, Final, cast

from typing_extensions import override
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

EXTENSION: Final = "heatops.transport"
SEND_BUFFER: Final = 64 * 1024
"""SO_SNDBUF in bytes: without it a client that never reads takes megabytes of kernel memory."""


class RawWebSocketProtocol(WebSocketsSansIOProtocol):
    """Give it to uvicorn as `ws`: `scope["extensions"]["heatops.transport"]` is then this object.

    uvicorn writes its own frames (handshake, ping, pong, close) to the transport at once and whole,
    so that frames of ours stand in order with them when they too go whole to the transport, or to
    its socket while nothing waits in the transport and no close frame was sent. `on_change` is
    called after everything that may alter that, and in any case before the socket's descriptor is
    given back: who keeps the answer need not ask every connection before every message.
    """

    on_change: Callable[[], None] | None = None

    @override
    def connection_made(self, transport: BaseTransport) -> None:
        super().connection_made(transport)
        self.plain_transport = self.transport
        self.transport = _ToldTransport(self.transport, self._changed)
        peer = transport.get_extra_info("socket")
        if peer is not None:
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)

    @override
    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        # uvicorn passes over a request the websockets parser gives up (a header line of more than
        # 8 KB, too many headers): the connection would stay open, unanswered, for ever.
        if self.conn.handshake_exc is not None and not self.handshake_initiated:
            self.handshake_initiated = self.handshake_complete = self.close_sent = True
            self.transport.write(b"".join(self.conn.data_to_send()))
            self.transport.close()

    @override
    def handle_connect(self, event: Request) -> None:
        super().handle_connect(event)
        if self.response.status_code == 101:
            extensions = cast("dict[str, object]", self.scope["extensions"])
            extensions[EXTENSION] = self

    @override
    def eof_received(self) -> None:
        super().eof_received()
        # The event loop would close the transport next, without a word to us.
        self.transport.close()

    @override
    def connection_lost(self, exc: Exception | None) -> None:
        self._changed()
        self.on_change = None
        super().connection_lost(exc)

    @property
    def is_plain(self) -> bool:
        """Whether bytes for the transport may go to the socket: no TLS in between."""
        return self.transport.get_extra_info("ssl_object") is None

    @property
    def is_closing(self) -> bool:
        """Whether no data frame may be written any more: either side has begun to close."""
        return self.conn.close_sent is not None or self.plain_transport.is_closing()

    @property
    def unacknowledged(self) -> int:
        """Bytes in the kernel of which the client's machine has not said that they came; 0 where
        the kernel does not tell."""
        peer = self.plain_transport.get_extra_info("socket")
        if peer is None or self.is_closing:
            return 0
        try:
            count = fcntl.ioctl(peer.fileno(), termios.TIOCOUTQ, bytes(4))
        except OSError:
            return 0
        return int.from_bytes(count, sys.byteorder)

    def _changed(self) -> None:
        if self.on_change is not None:
            self.on_change()


class _ToldTransport(asyncio.Transport):
    """What uvicorn writes through: the transport itself, with word of every write and close."""

    __slots__ = ("_changed", "_transport")

    def __init__(self, transport: asyncio.Transport, changed: Callable[[], None]) -> None:
        self._transport = transport
        self._changed = changed

    @override
    def write(self, data: bytes | bytearray | memoryview[Any]) -> None:
        self._transport.write(data)
        self._changed()

    @override
    def close(self) -> None:
        self._transport.close()
        self._changed()

    @override
    def abort(self) -> None:
        self._transport.abort()
        self._changed()

    @override
    def is_closing(self) -> bool:
        return self._transport.is_closing()

    @override
    def pause_reading(self) -> None:
        self._transport.pause_reading()

    @override
    def resume_reading(self) -> None:
        self._transport.resume_reading()

    @override
    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return self._transport.get_extra_info(name, default)

    @override
    def get_write_buffer_size(self) -> int:
        return self._transport.get_write_buffer_size()


def send_at_once(listener: int) -> None:
    """Connections of this socket send at once: an answer leaves in two pieces, and the second would
    wait 40 ms for the acknowledgement of the first. uvicorn takes an inherited socket for a local
    one, for which its loop does not ask this."""
    with socket.socket(fileno=os.dup(listener)) as door:
        if door.family in {socket.AF_INET, socket.AF_INET6}:
            door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
