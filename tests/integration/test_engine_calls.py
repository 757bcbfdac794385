"""The engine's socket: who may ask, what comes back, and what happens when nobody is there."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from dispatch_core.errors import Conflict, Unavailable
from server.adapters import frames
from server.adapters.engine_calls import Call, Hello
from server.adapters.engine_client import EngineClient, connect
from server.adapters.pool import Pool
from server.jobs.engine_door import Door


class LeaseRow:
    """As much of a pool as tells where the engine is."""

    def __init__(self) -> None:
        self.found: tuple[str | None, str | None] = (None, None)

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncIterator[LeaseRow]:
        yield self

    async def fetchrow(self, _: str) -> dict[str, str | None]:
        return {"address": self.found[0], "secret": self.found[1]}


async def answer(call: Call) -> bytes:
    match call.what:
        case "slow":
            await asyncio.sleep(60)
        case "refuse":
            raise Conflict("nothing_to_propose", "It is over.", "Look again.", {"state": "closed"})
        case "break":
            raise ValueError("a defect")
    return frames.encode([call.company, msgspec.msgpack.decode(call.body)])


def asked(
    use: Callable[[EngineClient, LeaseRow, Door], Awaitable[None]],
    folder: Path,
    host: str | None = None,
) -> None:
    """Runs `use` beside a door that listens."""

    async def run() -> None:
        row = LeaseRow()
        client = EngineClient(cast("Pool", row))
        door = Door(answer)
        async with door.listening(folder, host) as found:
            row.found = found
            await use(client, row, door)
        client.close()
        await asyncio.sleep(0)

    asyncio.run(run())


@pytest.mark.parametrize("host", [None, "127.0.0.1"])
def test_questions_overlap_and_each_has_its_answer(tmp_path: Path, host: str | None) -> None:
    async def use(client: EngineClient, row: LeaseRow, _: Door) -> None:
        scheme = "unix:" if host is None else "tcp:127.0.0.1:"
        assert (row.found[0] or "").startswith(scheme)
        slow = asyncio.ensure_future(client.ask(1, "slow", None, list, within_s=0.5))
        answers = await asyncio.gather(*(client.ask(n, "echo", n * n, list) for n in range(30)))
        assert answers == [[n, n * n] for n in range(30)]
        with pytest.raises(Unavailable) as refused:
            await slow
        assert refused.value.code == "engine_unavailable"

    asked(use, tmp_path, host)


def test_a_refusal_and_a_defect_come_back_as_such(tmp_path: Path) -> None:
    async def use(client: EngineClient, _: LeaseRow, __: Door) -> None:
        with pytest.raises(Conflict) as refused:
            await client.ask(1, "refuse", None, list)
        assert (refused.value.code, refused.value.extra) == (
            "nothing_to_propose", {"state": "closed"},
        )  # fmt: skip
        with pytest.raises(Unavailable):
            await client.ask(1, "break", None, list)
        assert await client.ask(1, "echo", "on", list) == [1, "on"]

    asked(use, tmp_path)


def test_nobody_without_the_secret_hears_anything(tmp_path: Path) -> None:
    async def use(client: EngineClient, row: LeaseRow, _: Door) -> None:
        address, secret = row.found
        for wrong in ("", "0" * 64):
            reader, writer = await connect(address or "")
            writer.write(frames.framed(Hello(secret=wrong)))
            assert await reader.read() == b""
            writer.close()
        row.found = (address, "another")
        with pytest.raises(Unavailable):
            await client.ask(1, "echo", 1, list)
        row.found = (address, secret)
        assert await client.ask(1, "echo", 1, list) == [1, 1]
        if (address or "").startswith("unix:"):
            socket = Path((address or "").removeprefix("unix:"))
            assert socket.stat().st_mode & 0o077 == 0

    asked(use, tmp_path)


def test_an_engine_that_moved_is_found_again(tmp_path: Path) -> None:
    async def run() -> None:
        row = LeaseRow()
        client = EngineClient(cast("Pool", row))
        for host in (None, "127.0.0.1", None):
            async with Door(answer).listening(tmp_path, host) as found:
                row.found = found
                assert await client.ask(1, "echo", host, list) == [1, host]
            with pytest.raises(Unavailable):
                await client.ask(1, "echo", host, list)
        row.found = (None, None)
        with pytest.raises(Unavailable):
            await client.ask(1, "echo", 3, list)
        client.close()
        await asyncio.sleep(0)

    asyncio.run(run())


def test_one_that_stands_still_is_left_for_the_one_that_leads_now(tmp_path: Path) -> None:
    """Its connection stays open, so that nothing but its silence tells."""

    async def still(_: Call) -> bytes:
        await asyncio.sleep(60)
        return b""

    async def run() -> None:
        row = LeaseRow()
        client = EngineClient(cast("Pool", row))
        async with (
            Door(still).listening(tmp_path, "127.0.0.1") as stopped,
            Door(answer).listening(tmp_path, "127.0.0.1") as leading,
        ):
            row.found = stopped
            with pytest.raises(Unavailable):
                await client.ask(1, "echo", 1, list, within_s=0.3)
            row.found = leading
            assert await client.ask(1, "echo", 2, list) == [1, 2]
            assert await client.ask(1, "echo", 3, list) == [1, 3]
            client.close()
            await asyncio.sleep(0)

    asyncio.run(run())


def test_what_is_no_frame_ends_the_connection_alone(tmp_path: Path) -> None:
    async def use(client: EngineClient, row: LeaseRow, _: Door) -> None:
        for rubbish in (b"GET / HTTP/1.1\r\n\r\n", b"\xff" * 64, frames.framed({"x": 1})):
            reader, writer = await connect(row.found[0] or "")
            writer.write(rubbish)
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
        reader, writer = await connect(row.found[0] or "")
        writer.write(frames.framed(Hello(secret=row.found[1] or "")) + frames.framed({"y": 2}))
        assert await reader.read() == b""
        writer.close()
        answered: Any = await client.ask(1, "echo", 5, list)
        assert answered == [1, 5]

    asked(use, tmp_path)
