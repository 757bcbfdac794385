"""A server with the product's way out, and the clients its tests need."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import State
from websockets.uri import parse_uri

from server.api.audience import Audience
from server.api.outbound import Outbound, outbound
from server.api.rawws import RawWebSocketProtocol

SIZES = [0, 1, 125, 126, 1000, 65535, 65536, 300_000]
"""Around every change of the frame header, and beyond every buffer."""

Test = Callable[[], Coroutine[Any, Any, None]]
Run = Callable[[Test], None]


@dataclass
class House:
    """A server with the outbounds of its connections in order of arrival."""

    port: int = 0
    outs: list[Outbound] = field(default_factory=list)
    here: asyncio.Condition = field(default_factory=asyncio.Condition)
    left: int = 0

    async def arrived(self, count: int) -> list[Outbound]:
        async with self.here:
            await self.here.wait_for(lambda: len(self.outs) >= count)
        return self.outs

    async def gone(self, count: int) -> None:
        async with self.here:
            await self.here.wait_for(lambda: self.left >= count)


@asynccontextmanager
async def served(**options: Any) -> AsyncIterator[House]:
    house = House()

    @websocket("/")
    async def handler(socket: WebSocket[Any, Any, Any]) -> None:
        await socket.accept()
        out = outbound(socket)
        async with house.here:
            house.outs.append(out)
            house.here.notify_all()
        try:
            async with asyncio.TaskGroup() as tasks:
                writing = tasks.create_task(out.run())
                try:
                    while True:
                        out.send((await socket.receive_text()).encode(), binary=False)
                except WebSocketDisconnect:
                    writing.cancel()
        finally:
            async with house.here:
                house.left += 1
                house.here.notify_all()

    listener = socket.create_server(("127.0.0.1", 0))
    house.port = listener.getsockname()[1]
    config = uvicorn.Config(
        Litestar([handler], openapi_config=None, logging_config=None),
        ws=RawWebSocketProtocol,
        log_level="error",
        ws_per_message_deflate=False,
        timeout_graceful_shutdown=2,
        **options,
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started:
        await asyncio.sleep(0.01)
    try:
        yield house
    finally:
        for out in house.outs:
            out.abort()
        server.should_exit = True
        await serving
        listener.close()


def joined(house: House, **options: Any) -> connect:
    return connect(f"ws://127.0.0.1:{house.port}/", compression=None, max_size=None, **options)


def message(number: int, size: int) -> bytes:
    return (f"{number}:".encode() * (size // 2 + 1))[:size]


class RawReader:
    """A client that reads only when told to, with a small receive buffer."""

    def __init__(self, port: int) -> None:
        self.sock = socket.socket()
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self.sock.connect(("127.0.0.1", port))
        self.protocol = ClientProtocol(parse_uri(f"ws://127.0.0.1:{port}/"), max_size=None)
        self.protocol.send_request(self.protocol.connect())
        self.sock.sendall(b"".join(self.protocol.data_to_send()))
        self.sock.setblocking(False)
        self.frames: list[Frame] = []

    async def opened(self) -> None:
        """Take the handshake's answer."""
        loop = asyncio.get_running_loop()
        while self.protocol.state is not State.OPEN:
            self.take(await loop.sock_recv(self.sock, 4096))

    def take(self, data: bytes) -> None:
        self.protocol.receive_data(data)
        events = self.protocol.events_received()
        self.frames += [e for e in events if isinstance(e, Frame)]

    async def read(self, frames: int) -> list[Frame]:
        """The next so many frames, fewer if the connection ends."""
        loop = asyncio.get_running_loop()
        while len(self.frames) < frames:
            data = await loop.sock_recv(self.sock, 65536)
            if not data:
                break
            self.take(data)
        taken, self.frames = self.frames[:frames], self.frames[frames:]
        return taken

    def reset(self) -> None:
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


class OtherServer:
    """An accepted websocket of some ASGI server that takes messages only when it may."""

    def __init__(self) -> None:
        self.scope: dict[str, Any] = {"type": "websocket"}
        self.taken: list[dict[str, Any]] = []
        self.may = asyncio.Event()
        self.gone = False

    async def send(self, message: dict[str, Any]) -> None:
        await self.may.wait()
        if self.gone:
            raise OSError("the client has left")
        self.taken.append(message)


async def check_all_sizes(house: House, one: ClientConnection, two: ClientConnection) -> None:
    outs = await house.arrived(2)
    audience, expected = Audience(outs), []
    for number, size in enumerate(SIZES * 3):
        payload = message(number, size)
        binary = bool(number % 2)
        if number % 3 == 0:
            for out in outs:
                out.send(payload, binary=binary)
        elif number % 3 == 1:
            audience.send(payload, binary=binary)
        else:
            Audience(list(outs)).send(payload, binary=binary)
        expected.append(payload if binary else payload.decode())
        if number % 5 == 0:
            await asyncio.sleep(0)
    for client in (one, two):
        assert [await client.recv() for _ in expected] == expected
