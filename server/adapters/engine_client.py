"""The way of web processes to the engine in the leading core: asked over its socket, never waited
for longer than two seconds."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from typing import TypeVar

import msgspec

from server.adapters import frames, lease
from server.adapters.engine_calls import WITHIN_S, Call, Hello, Reply, unavailable
from server.adapters.pool import Pool

T = TypeVar("T")


async def connect(address: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to `unix:<path>` or `tcp:<host>:<port>`. Raises OSError."""
    scheme, _, rest = address.partition(":")
    if scheme == "unix":
        return await asyncio.open_unix_connection(rest)
    host, _, port = rest.rpartition(":")
    return await asyncio.open_connection(host, int(port))


class _Line:
    """One connection; questions may overlap."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._waiting: dict[int, asyncio.Future[Reply]] = {}
        self._hearing = asyncio.ensure_future(self._hear())

    @property
    def broken(self) -> bool:
        """Nobody answers here any more."""
        return self._hearing.done()

    async def _hear(self) -> None:
        try:
            while True:
                reply = frames.decode(await frames.read(self._reader), Reply)
                waiting = self._waiting.pop(reply.id, None)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
        except frames.Broken:
            pass
        finally:
            for waiting in self._waiting.values():
                if not waiting.done():
                    waiting.set_exception(frames.Broken("the engine is gone"))
            self._writer.close()

    async def ask(self, call: Call) -> Reply:
        """The reply. Raises Broken and OSError."""
        waiting: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        self._waiting[call.id] = waiting
        try:
            self._writer.write(frames.framed(call))
            await self._writer.drain()
            return await waiting
        finally:
            self._waiting.pop(call.id, None)

    def close(self) -> None:
        """Nobody waits any more."""
        self._hearing.cancel()


class EngineClient:
    """Asks the engine; finds it again where it has moved."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._line: _Line | None = None
        self._found: tuple[str | None, str | None] = (None, None)
        self._doubted = False
        self._opening = asyncio.Lock()
        self._ids = itertools.count(1)

    async def ask(
        self, company: int, what: str, body: object, answer: type[T], within_s: float = WITHIN_S
    ) -> T:
        """The engine's answer.

        Raises:
            Unavailable: `engine_unavailable`. Refused: by the engine.
        """
        raw = msgspec.Raw(frames.encode(body))
        call = Call(id=next(self._ids), company=company, what=what, body=raw, within_s=within_s)
        try:
            async with asyncio.timeout(within_s):
                reply = await self._ask(call)
        except (frames.Broken, OSError, TimeoutError, ValueError) as error:
            # One that only stands still keeps its connection, and another may lead by now.
            self._doubted = self._doubted or isinstance(error, TimeoutError)
            raise unavailable() from None
        if reply.refused is not None:
            raise reply.refused.error()
        return frames.decode(bytes(reply.body), answer)

    async def _ask(self, call: Call) -> Reply:
        known = self._line
        if known is not None and not known.broken and not self._doubted:
            with contextlib.suppress(frames.Broken, OSError):  # it went just now: once more
                return await known.ask(call)
        return await (await self._open(known)).ask(call)

    async def _open(self, broken: _Line | None) -> _Line:
        async with self._opening:
            fresh = self._line is not broken and not self._doubted
            if self._line is not None and fresh and not self._line.broken:
                return self._line
            async with self._pool.connection() as c:
                address, secret = await lease.engine(c)
            self._doubted = False
            if self._line is not None:
                if (address, secret) == self._found and not self._line.broken:
                    return self._line
                self._line.close()
            if address is None:
                raise frames.Broken("no engine leads")
            reader, writer = await connect(address)
            writer.write(frames.framed(Hello(secret=secret or "")))
            self._line, self._found = _Line(reader, writer), (address, secret)
            return self._line

    def close(self) -> None:
        """No more questions."""
        if self._line is not None:
            self._line.close()
