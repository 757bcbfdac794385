"""Where the engine listens: a socket in the data folder, or a port for a larger installation."""

from __future__ import annotations

import asyncio
import contextlib
import hmac
import logging
import os
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec

from dispatch_core.errors import Refused
from server.adapters import frames
from server.adapters.engine_calls import Call, Hello, Reply, unavailable

log = logging.getLogger(__name__)

Answer = Callable[[Call], Awaitable[bytes]]
LONGEST_PATH = 100
"""A socket's path is no longer anywhere."""
AT_ONCE = 64
"""Questions of one connection that are under way; more wait."""


class Door:
    """Takes connections that know the secret, and answers their questions."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._secret = secrets.token_hex(32)
        self._open: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def listening(self, data: Path, host: str | None) -> AsyncIterator[tuple[str, str]]:
        """(address, secret) for as long as it listens: on a free port of `host`, else on a socket
        in the data folder."""
        path = data / "engine" / f"{os.getpid()}.sock"
        if host is None and len(os.fsencode(path)) <= LONGEST_PATH:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            server = await asyncio.start_unix_server(self._serve, path)
            path.chmod(0o600)
            address = f"unix:{path}"
        else:
            server = await asyncio.start_server(self._serve, host or "127.0.0.1", 0)
            name, port = server.sockets[0].getsockname()[:2]
            address = f"tcp:{name}:{port}"
        try:
            yield address, self._secret
        finally:
            server.close()
            for writer in self._open:
                writer.transport.abort()
            if address.startswith("unix:"):
                path.unlink(missing_ok=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            async with asyncio.timeout(5):
                hello = frames.decode(await frames.read(reader), Hello)
            if not hmac.compare_digest(hello.secret.encode(), self._secret.encode()):
                log.warning("somebody without the secret asked the engine")
                return
            room = asyncio.Semaphore(AT_ONCE)
            async with asyncio.TaskGroup() as asked:
                while True:
                    call = frames.decode(await frames.read(reader), Call)
                    await room.acquire()
                    task = asked.create_task(self._one(call, writer))
                    task.add_done_callback(lambda _: room.release())
        except* (frames.Broken, OSError, TimeoutError):
            pass
        finally:
            self._open.discard(writer)
            writer.close()

    async def _one(self, call: Call, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(call.within_s):
                reply = Reply(id=call.id, body=msgspec.Raw(await self._answer(call)))
        except Refused as refused:
            reply = Reply(id=call.id, refused=frames.Refusal.of(refused))
        except Exception as error:
            if not isinstance(error, TimeoutError):
                log.exception("the engine could not answer %s", call.what)
            reply = Reply(id=call.id, refused=frames.Refusal.of(unavailable()))
        with contextlib.suppress(OSError):
            writer.write(frames.framed(reply))
            await writer.drain()
