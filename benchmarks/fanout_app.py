"""The smallest application around the product's fan-out, for benchmarks: prints its port.

A client of a path sends "GO <count> <interval us> <bytes>"; every client of that path then gets
so many binary messages: on /raw by server.api.audience, on /asgi by Litestar's own send, one after
the other.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from server.api.audience import Audience, broadcast
from server.api.outbound import outbound
from server.api.rawws import RawWebSocketProtocol

raw_clients = Audience()
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
    """As the hub does it: who does not keep up gets nothing until the merged rest."""
    for out in raw_clients.paused():
        raw_clients.discard(out)
    broadcast(raw_clients, payload, binary=True)


async def publish_asgi(payload: bytes) -> None:
    for client in list(asgi_clients.values()):
        await client.send_bytes(payload)


@websocket("/raw")
async def raw(socket: WebSocket[Any, Any, Any]) -> None:
    """A client of the product's path."""
    await socket.accept()
    out = outbound(socket)
    raw_clients.add(out)
    try:
        while True:
            await drive(await socket.receive_text(), publish_raw)
    except WebSocketDisconnect:
        pass
    finally:
        raw_clients.discard(out)


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
