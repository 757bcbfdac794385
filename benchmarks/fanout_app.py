"""The product's way to its screens in a process of its own, for benchmarks: prints its port.

Reader, Picture, Hub, Audience, Outbound and the handler of `/live` are the product's; Redis,
PostgreSQL and the accounts are stood in for: any pass is good, and the reader is handed batches
that were sealed here beforehand. `/asgi` is the ordinary path: the same batches applied to a
picture and sent by Litestar, one client after the other. A connection to
`/feed/<live or asgi>/<count>/<bytes>` is accepted when its batches are sealed; its
"GO <count> <interval us>" sends them off.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from socket import create_server
from typing import Any, cast

import uvicorn
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect

from benchmarks._batches import EPOCH, TOPIC, Feed
from realtime.broker import BLOCK_MS, Broker, stream_key
from realtime.hub import Hub
from realtime.messages import BusinessTime, TopicTick
from realtime.picture import Picture
from realtime.reader import Reader
from server.adapters.accounts import Accounts, Pass, Principal
from server.api.audience import Audience
from server.api.live import Connections, create_live_handler
from server.api.rawws import RawWebSocketProtocol

COMPANY = 1
Socket = WebSocket[Any, Any, Any]


class Store:
    """What stands for Redis and PostgreSQL: batches handed over, and a topic that began empty."""

    def __init__(self) -> None:
        self.feed = Feed()
        self._sealed: asyncio.Queue[tuple[int, bytes]] = asyncio.Queue()
        self._seq = 0

    async def publish(self, sealed: bytes) -> None:
        """The next batch is committed."""
        self._seq += 1
        self._sealed.put_nowait((self._seq, sealed))

    async def read(self, _: dict[str, str]) -> list[tuple[str, str, bytes]]:
        """As Broker.read: what has come, or nothing after a while."""
        try:
            async with asyncio.timeout(BLOCK_MS / 1000):
                seq, sealed = await self._sealed.get()
        except TimeoutError:
            return []
        return [(stream_key(COMPANY, TOPIC), f"{EPOCH}-{seq}", sealed)]

    async def companies(self) -> dict[int, str]:
        """As FeedReads."""
        return {COMPANY: "bench"}

    async def snapshot(self, _: int, __: str) -> bytes:
        """As FeedReads."""
        return self.feed.snapshot()

    async def after(self, *_: object) -> list[tuple[int, bytes]]:
        """As FeedReads."""
        return []

    async def between(self, *_: object) -> list[tuple[int, bytes]]:
        """As session.Log."""
        return []

    async def heads(self, _: int) -> dict[str, TopicTick]:
        """As FeedReads."""
        return {}


class AnyPass:
    """Accounts that let everybody in."""

    async def spend_pass(self, _: str) -> Pass:
        """As Accounts."""
        return Pass(COMPANY, b"session")

    async def by_session(self, secret_hash: bytes) -> tuple[Principal, int]:
        """As Accounts."""
        return Principal(COMPANY, "bench", "person", secret_hash), COMPANY


class Ordinary:
    """Clients of the ordinary path."""

    def __init__(self) -> None:
        self.feed = Feed()
        self.clients: dict[int, Socket] = {}
        self._picture = Picture(COMPANY, TOPIC)
        self._picture.load(self.feed.snapshot())

    async def publish(self, sealed: bytes) -> None:
        """The next batch to all, one after the other."""
        self._picture.apply(sealed)
        for client in list(self.clients.values()):
            await client.send_bytes(sealed)


Publish = Callable[[bytes], Awaitable[None]]


async def drive(order: str, batches: list[bytes], publish: Publish) -> None:
    """Publish the batches at the pace ordered."""
    interval_s = int(order.split()[2]) / 1e6
    loop = asyncio.get_running_loop()
    start = loop.time()
    for number, sealed in enumerate(batches, 1):
        await publish(sealed)
        await asyncio.sleep(max(0.0, start + number * interval_s - loop.time()))


def create_app() -> Litestar:
    """The application."""
    store, ordinary, hub = Store(), Ordinary(), Hub(Audience)
    accounts = cast("Accounts", AnyPass())
    connections = Connections(hub, accounts)
    reader = Reader(hub, cast("Broker", store), store, [TOPIC])

    async def tick() -> None:
        while True:
            hub.tick(time.time(), BusinessTime(at=time.time(), rate=1.0))
            await asyncio.sleep(1)

    @asynccontextmanager
    async def lifespan(_: Litestar) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            running = [tasks.create_task(w) for w in (reader.run(), connections.tend(), tick())]
            await reader.ready.wait()
            yield
            for task in running:
                task.cancel()

    @websocket("/asgi")
    async def asgi(socket: Socket) -> None:
        await socket.accept()
        ordinary.clients[id(socket)] = socket
        try:
            while True:
                await socket.receive_text()
        except WebSocketDisconnect:
            pass
        finally:
            del ordinary.clients[id(socket)]

    @websocket("/feed/{way:str}/{count:int}/{size:int}")
    async def feed(socket: Socket, way: str, count: int, size: int) -> None:
        to = store if way == "live" else ordinary
        batches = [to.feed.seal(size) for _ in range(count)]
        await socket.accept()
        try:
            await drive(await socket.receive_text(), batches, to.publish)
            await socket.receive_text()
        except WebSocketDisconnect:
            pass

    live = create_live_handler(hub, store, accounts, connections)
    return Litestar(
        route_handlers=[live, asgi, feed],
        lifespan=[lifespan],
        openapi_config=None,
        logging_config=None,
    )


def main() -> None:
    """Serve on a free port until killed."""
    listener = create_server(("127.0.0.1", 0), backlog=4096)
    print(listener.getsockname()[1], flush=True)
    app = create_app()
    gc.freeze()
    config = uvicorn.Config(
        app,
        ws=RawWebSocketProtocol,
        loop="uvloop",
        http="httptools",
        log_level="error",
        access_log=False,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_max_size=64 * 1024,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
