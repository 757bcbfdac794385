"""The websocket `/live`: hello with a pass, then what realtime.session makes of every message."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any

import msgspec
from litestar import WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from litestar.handlers import WebsocketRouteHandler

from dispatch_core.errors import Refused
from realtime.close import PASS_REFUSED, PROTOCOL, SESSION_ENDED, SHUTDOWN, Close
from realtime.hub import Hub, Watcher
from realtime.messages import SUBPROTOCOL, Hello
from realtime.session import Log, Session
from server.adapters.accounts import Accounts
from server.api.gate import check_origin
from server.api.outbound import Outbound, outbound

log = logging.getLogger(__name__)

HELLO_WITHIN_S = 10.0
STALLED_S = 10.0
RECHECK_S = 60.0
CATCH_UP_S = 0.05

_hello = msgspec.json.Decoder(Hello).decode
_json = msgspec.json.Encoder().encode

Socket = WebSocket[Any, Any, Any]


class Connection:
    """A connected screen: how it is closed, and whose session it rests on."""

    __slots__ = ("checked_at", "closing", "out", "session_hash", "watcher")

    def __init__(self, out: Outbound, watcher: Watcher, session_hash: bytes) -> None:
        self.out = out
        self.watcher = watcher
        self.session_hash = session_hash
        self.checked_at = time.monotonic()
        self.closing: Close | None = None

    async def close(self, reason: Close) -> None:
        """Say why, then close behind what was sent before."""
        if self.closing is None:
            self.closing = reason
            await _farewell(self.out, reason)


class Connections:
    """Every connected screen of this process."""

    def __init__(self, hub: Hub, accounts: Accounts) -> None:
        self._hub = hub
        self._accounts = accounts
        self._all: set[Connection] = set()

    def add(self, connection: Connection) -> None:
        """A screen has said hello."""
        self._all.add(connection)
        self._hub.add(connection.watcher)

    async def admit(self, connection: Connection) -> None:
        """Add it, then look whether its session still stands:
        who signs out meanwhile finds it here."""
        self.add(connection)
        await self._recheck(connection)

    def remove(self, connection: Connection) -> None:
        """It is gone."""
        self._all.discard(connection)
        self._hub.remove(connection.watcher)

    async def tend(self) -> None:
        """For ever: catch up those who read again,
        close those who do not and those whose session has ended."""
        seen = 0.0
        while True:
            await asyncio.sleep(CATCH_UP_S)
            self._hub.catch_up()
            now = time.monotonic()
            if now - seen < 1.0:
                continue
            seen = now
            for connection in list(self._all):
                if connection.out.stalled_s(now) > STALLED_S:
                    connection.out.abort()
                elif now - connection.checked_at > RECHECK_S:
                    connection.checked_at = now
                    await self._recheck(connection)

    async def _recheck(self, connection: Connection) -> None:
        try:
            session = await self._accounts.by_session(connection.session_hash)
        except Refused:
            return  # the database is away: the session stands until somebody says otherwise
        if session is None or session[0].company != connection.watcher.company:
            await connection.close(SESSION_ENDED)

    async def session_ended(self, session_hash: bytes) -> None:
        """Close what rests on this session at once."""
        for connection in [c for c in self._all if c.session_hash == session_hash]:
            await connection.close(SESSION_ENDED)

    async def shut_down(self) -> None:
        """Send everybody away; they come back to whoever listens then."""
        await asyncio.gather(*(c.close(SHUTDOWN) for c in list(self._all)), return_exceptions=True)


def create_live_handler(
    hub: Hub, feed_log: Log, accounts: Accounts, connections: Connections
) -> WebsocketRouteHandler:
    """The handler of `/live`."""

    @websocket("/live")
    async def live(socket: Socket) -> None:
        """The live feed of every topic."""
        try:
            check_origin(socket)
        except Refused:
            await socket.close(4403, "cross site")
            return
        offered = socket.scope.get("subprotocols") or []
        await socket.accept(subprotocols=SUBPROTOCOL if SUBPROTOCOL in offered else None)
        out = outbound(socket)
        async with asyncio.TaskGroup() as tasks:
            writing = tasks.create_task(out.run())
            try:
                await _converse(socket, out)
            except WebSocketDisconnect:
                pass
            finally:
                writing.cancel()

    async def _converse(socket: Socket, out: Outbound) -> None:
        connection = await _greet(accounts, socket, out)
        if connection is None:
            return
        session = Session(hub, feed_log, connection.watcher)
        try:
            await connections.admit(connection)
            while connection.closing is None:
                end = await session.receive(await socket.receive_data("text"), time.monotonic())
                if end is not None:
                    await connection.close(end)
        finally:
            connections.remove(connection)

    return live


async def _greet(accounts: Accounts, socket: Socket, out: Outbound) -> Connection | None:
    """The connection behind a good hello; None once the client was told why not."""
    try:
        async with asyncio.timeout(HELLO_WITHIN_S):
            hello = _hello(await socket.receive_data("text"))
        spent = await accounts.spend_pass(hello.pass_)
    except (msgspec.DecodeError, TimeoutError):
        await _farewell(out, PROTOCOL)
        return None
    except Refused:
        await _farewell(out, SHUTDOWN)
        return None
    if spent is None:
        await _farewell(out, PASS_REFUSED)
        return None
    return Connection(out, Watcher(spent.company, out, spent.crew), spent.session_hash)


async def _farewell(out: Outbound, reason: Close) -> None:
    out.send(_json(reason.bye), binary=False)
    await out.close(reason.code, reason.bye.reason)
