"""How a connection begins and ends: refused, accepted, closed, dropped, left."""

from __future__ import annotations

import asyncio
import socket

import pytest
from fanout_house import OtherServer, RawReader, Run, joined, message, served
from websockets.exceptions import ConnectionClosed

from server.api import outbound as outbound_module
from server.api.audience import Audience
from server.api.outbound import lines, outbound
from server.api.rawws import EXTENSION, SEND_BUFFER


def test_close_comes_behind_what_was_sent(run: Run) -> None:
    async def test() -> None:
        async with served() as house, joined(house) as client:
            (out,) = await house.arrived(1)
            audience = Audience([out])
            sent = [message(n, 30_000) for n in range(4)]
            for payload in sent:
                audience.send(payload, binary=True)
            await out.close(4008, "slow")
            audience.send(b"too late", binary=True)
            assert [await client.recv() for _ in sent] == sent
            with pytest.raises(ConnectionClosed) as closed:
                await client.recv()
            assert closed.value.rcvd is not None
            assert closed.value.rcvd.code == 4008
            await out.close(4008, "again")

    run(test)


def test_a_farewell_nobody_takes_is_given_up(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbound_module, "CLOSE_S", 0.1)

    async def test() -> None:
        async with served() as house:
            reader = RawReader(house.port)
            (out,) = await house.arrived(1)
            out.send(bytes(1_000_000), binary=True)
            await out.close(4008, "slow")
            await house.gone(1)
            assert out.closed
            assert await reader.read(1) == []
            reader.reset()

    run(test)


def test_a_client_that_leaves_is_closed_to_the_fan_out(run: Run) -> None:
    async def test() -> None:
        async with served() as house:
            async with joined(house):
                (out,) = await house.arrived(1)
                assert not out.closed
            await house.gone(1)
            assert out.closed
            assert lines.fds[out.slot] == -1

    run(test)


@pytest.mark.parametrize(
    "headers",
    [f"X-Long: {'x' * 9000}\r\n", "".join(f"X-{n}: 1\r\n" for n in range(200))],
    ids=["a line of 9 KB", "200 headers"],
)
def test_a_handshake_that_is_refused_is_answered_and_closed(run: Run, headers: str) -> None:
    async def test() -> None:
        async with served(http="httptools") as house:
            reader, writer = await asyncio.open_connection("127.0.0.1", house.port)
            writer.write(
                "GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
                f"{headers}\r\n".encode()
            )
            answer = await asyncio.wait_for(reader.read(), 10)
            assert answer.startswith(b"HTTP/1.1 431 ")
            writer.close()
            await writer.wait_closed()

    run(test)


def test_the_kernel_holds_no_more_than_the_send_buffer(run: Run) -> None:
    async def test() -> None:
        async with served() as house, joined(house):
            (out,) = await house.arrived(1)
            with socket.socket(fileno=socket.dup(int(lines.fds[out.slot]))) as peer:
                size = peer.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            assert size in {SEND_BUFFER, 2 * SEND_BUFFER}  # Linux counts its own expenses

    run(test)


def test_a_connection_has_one_way_out(run: Run) -> None:
    async def test() -> None:
        async with served() as house, joined(house):
            (out,) = await house.arrived(1)
            stand_in = OtherServer()
            stand_in.scope = {"extensions": {EXTENSION: out._protocol}}
            with pytest.raises(RuntimeError, match="one way out"):
                outbound(stand_in)

    run(test)
