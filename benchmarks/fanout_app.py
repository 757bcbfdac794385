"""The smallest application around the product's fan-out, for benchmarks: prints its port.

A client of a path sends "GO <count> <interval us> <bytes>"; every client of that path then gets
so many binary messages: on /raw by server.api.audience, on /asgi by Litestar's own send, one after
the other.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from server.api.audience import Audience
from server.api.outbound import Outbound, outbound
from server.api.rawws import RawWebSocketProtocol

RING = 64


class Crowd:
    """Clients as the hub keeps them: who does not keep up gets nothing until it has read on."""

    def __init__(self) -> None:
        self.current = Audience()
        self.behind: dict[Outbound, int] = {}
        self.ring: deque[bytes] = deque(maxlen=RING)
        self.number = 0

    def leave(self, out: Outbound) -> None:
        """A client is gone."""
        self.current.discard(out)
        self.behind.pop(out, None)

    def publish(self, payload: bytes) -> None:
        """The next message."""
        for out in self.current.paused():
            self.current.discard(out)
            self.behind[out] = self.number
        self.ring.append(payload)
        self.number += 1
        self.current.send(payload, binary=True)
        self.catch_up()

    def catch_up(self) -> None:
        """Who reads again gets what it missed; who missed more than the ring holds is given up."""
        first = self.number - len(self.ring)
        for out in list(self.behind):
            while first <= self.behind[out] < self.number and not out.paused:
                out.send(self.ring[self.behind[out] - first], binary=True)
                self.behind[out] += 1
            if self.behind[out] == self.number:
                self.current.add(out)
            if not first <= self.behind[out] < self.number:
                del self.behind[out]


crowd = Crowd()
asgi_clients: dict[int, WebSocket[Any, Any, Any]] = {}


async def drive(order: str, publish: Callable[[bytes], Awaitable[None]]) -> None:
    """Publish as many messages as ordered, each of other bytes than the one before."""
    count, interval_us, size = map(int, order.removeprefix("GO ").split())
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number in range(count):
        await publish(number.to_bytes(8, "big").ljust(size, b"x"))
        await asyncio.sleep(max(0.0, start + (number + 1) * interval_us / 1e6 - loop.time()))


async def publish_raw(payload: bytes) -> None:
    crowd.publish(payload)


async def publish_asgi(payload: bytes) -> None:
    for client in list(asgi_clients.values()):
        await client.send_bytes(payload)


@websocket("/raw")
async def raw(socket: WebSocket[Any, Any, Any]) -> None:
    """A client of the product's path."""
    await socket.accept()
    out = outbound(socket)
    crowd.current.add(out)
    try:
        while True:
            await drive(await socket.receive_text(), publish_raw)
            while crowd.behind and not out.closed:
                await asyncio.sleep(0.01)
                crowd.catch_up()
    except WebSocketDisconnect:
        pass
    finally:
        crowd.leave(out)


@websocket("/asgi")
async def asgi(socket: WebSocket[Any, Any, Any]) -> None:
    """A client of the ordinary path."""
    await socket.accept()
    asgi_clients[id(socket)] = socket
    try:
        while True:
            await drive(await socket.receive_text(), publish_asgi)
    except WebSocketDisconnect:
        pass
    finally:
        del asgi_clients[id(socket)]


def main() -> None:
    """Serve on a free port until killed."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    app = Litestar(route_handlers=[raw, asgi], openapi_config=None, logging_config=None)
    config = uvicorn.Config(
        app,
        ws=RawWebSocketProtocol,
        loop="uvloop",
        http="httptools",
        log_level="error",
        access_log=False,
        ws_per_message_deflate=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
