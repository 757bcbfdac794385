"""The way out of a connection on real sockets: every message whole and in order, whoever reads."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import uvloop
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from litestar import Litestar, WebSocket, websocket
from litestar.exceptions import WebSocketDisconnect
from websockets.asyncio.client import ClientConnection, connect
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, ConnectionClosedError
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.uri import parse_uri

from server.api import outbound as outbound_module
from server.api.audience import Audience, broadcast
from server.api.outbound import Outbound, QueuedOutbound, RawOutbound, lines, outbound
from server.api.rawws import SEND_BUFFER, RawWebSocketProtocol

SIZES = [0, 1, 125, 126, 1000, 65535, 65536, 300_000]
"""Around every change of the frame header, and beyond every buffer."""

Test = Callable[[], Coroutine[Any, Any, None]]


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
                tasks.create_task(out.run())
                try:
                    while True:
                        out.send((await socket.receive_text()).encode(), binary=False)
                except WebSocketDisconnect:
                    out.abort()
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


@pytest.fixture(params=["uvloop", "asyncio"])
def run(request: pytest.FixtureRequest) -> Callable[[Test], None]:
    factory = uvloop.new_event_loop if request.param == "uvloop" else asyncio.new_event_loop

    def runner(test: Test) -> None:
        with asyncio.Runner(loop_factory=factory) as it:
            it.run(asyncio.wait_for(test(), 60))

    return runner


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
            broadcast(list(outs), payload, binary=binary)
        expected.append(payload if binary else payload.decode())
        if number % 5 == 0:
            await asyncio.sleep(0)
    for client in (one, two):
        assert [await client.recv() for _ in expected] == expected


def test_all_sizes_whole_and_in_order(run: Callable[[Test], None]) -> None:
    async def test() -> None:
        async with served() as house, joined(house) as one, joined(house) as two:
            assert all(isinstance(out, RawOutbound) for out in await house.arrived(2))
            await check_all_sizes(house, one, two)

    run(test)


def test_the_same_over_tls(run: Callable[[Test], None], tmp_path: Path) -> None:
    keyfile, certfile = self_signed(tmp_path)
    trust = ssl.create_default_context(cafile=str(certfile))
    tls = {"ssl_keyfile": str(keyfile), "ssl_certfile": str(certfile)}

    async def test() -> None:
        async with served(**tls) as house:
            url = f"wss://localhost:{house.port}/"
            options: dict[str, Any] = {"ssl": trust, "compression": None, "max_size": None}
            async with connect(url, **options) as one, connect(url, **options) as two:
                assert all(isinstance(out, QueuedOutbound) for out in await house.arrived(2))
                await check_all_sizes(house, one, two)
                await house.outs[0].close(4001, "over")
                with pytest.raises(ConnectionClosedError) as closed:
                    await one.recv()
                assert closed.value.rcvd is not None
                assert (closed.value.rcvd.code, closed.value.rcvd.reason) == (4001, "over")
                assert house.outs[0].closed

    run(test)


def test_a_slow_reader_gets_everything_later_and_holds_up_nobody(
    run: Callable[[Test], None],
) -> None:
    async def test() -> None:
        async with served() as house, joined(house) as healthy:
            slow = RawReader(house.port)
            _, out = await house.arrived(2)
            await slow.opened()
            audience = Audience(house.outs)
            sent = [message(n, 4096) for n in range(200)]
            for number, payload in enumerate(sent):
                audience.send(payload, binary=True)
                if number == 150:
                    # An answer to the client itself and uvicorn's pong take their places in line.
                    slow.protocol.send_text(b"echo")
                    slow.protocol.send_ping(b"are you there")
                    slow.sock.sendall(b"".join(slow.protocol.data_to_send()))
                    await asyncio.sleep(0.1)
            assert [await healthy.recv() for _ in sent] == sent
            assert out.paused
            assert audience.paused() == [out]
            assert out.buffered > 200_000
            assert out.stalled_s(100.0) == 0.0
            assert out.stalled_s(105.0) == 5.0
            assert out.stalled_s(110.0) == 10.0
            frames = await slow.read(202)
            assert [f.data for f in frames if f.opcode is Opcode.BINARY] == sent
            assert [f.data for f in frames if f.opcode is Opcode.TEXT] == [b"echo"]
            assert [f.data for f in frames if f.opcode is Opcode.PONG] == [b"are you there"]
            assert frames[151].opcode in {Opcode.TEXT, Opcode.PONG}
            assert out.stalled_s(111.0) == 0.0
            assert out.buffered == 0
            assert audience.paused() == []
            # The next message finds it idle again, the one after that goes to the socket.
            for number in range(3):
                audience.send(message(number, 100), binary=True)
                assert lines.fds[out.slot] >= 0
            assert [f.data for f in await slow.read(3)] == [message(n, 100) for n in range(3)]
            slow.reset()

    run(test)


def test_a_reset_in_the_middle_ends_one_and_no_other(run: Callable[[Test], None]) -> None:
    async def test() -> None:
        async with served() as house, joined(house) as one, joined(house) as two:
            reader = RawReader(house.port)
            outs = list(await house.arrived(3))
            audience = Audience(outs)
            sent = [message(n, 20_000) for n in range(60)]
            for number, payload in enumerate(sent):
                if number == 20:
                    reader.reset()
                audience.send(payload, binary=True)
                await asyncio.sleep(0)
            for client in (one, two):
                assert [await client.recv() for _ in sent] == sent
            await house.gone(1)
            assert outs[2].closed
            assert lines.fds[outs[2].slot] == -1
            outs[2].send(b"to nobody", binary=True)

    run(test)


def test_a_descriptor_taken_over_by_a_stranger_gets_nothing(run: Callable[[Test], None]) -> None:
    async def test() -> None:
        async with served() as house:
            readers = [RawReader(house.port) for _ in range(5)]
            audience = Audience(await house.arrived(5))
            before = {int(lines.fds[out.slot]) for out in audience}
            for reader in readers:
                reader.reset()
            await house.gone(5)
            async with AsyncExitStack() as stack:
                strangers = [await stack.enter_async_context(joined(house)) for _ in range(8)]
                outs = (await house.arrived(13))[5:]
                assert {int(lines.fds[out.slot]) for out in outs} & before
                audience.send(b"for those who left", binary=True)
                Audience(outs).send(b"for those who came", binary=True)
                assert {await one.recv() for one in strangers} == {b"for those who came"}

    run(test)


def test_a_slot_is_not_another_connections_while_anyone_holds_it() -> None:
    taken = [lines.take() for _ in range(300)]
    assert len(set(taken)) == 300
    assert lines.NONE not in taken
    assert (lines.fds[taken] == -1).all()
    for slot in taken:
        lines.give_back(slot)
    assert lines.fds[lines.NONE] == -1


def test_pings_of_both_sides_in_between(run: Callable[[Test], None]) -> None:
    async def test() -> None:
        options = {"ws_ping_interval": 0.02, "ws_ping_timeout": 20}
        async with served(**options) as house, joined(house, ping_interval=None) as client:
            audience = Audience(await house.arrived(1))
            sent = [message(n, 30_000) for n in range(100)]

            async def publish() -> None:
                for payload in sent:
                    audience.send(payload, binary=True)
                    await asyncio.sleep(0.002)

            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(publish())
                for payload in sent:
                    pong = await client.ping()
                    assert await client.recv() == payload
                    await pong

    run(test)


def test_close_comes_behind_what_was_sent(run: Callable[[Test], None]) -> None:
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


def test_a_farewell_nobody_takes_is_given_up(
    run: Callable[[Test], None], monkeypatch: pytest.MonkeyPatch
) -> None:
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


def test_a_client_that_leaves_is_closed_to_the_fan_out(run: Callable[[Test], None]) -> None:
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
def test_a_handshake_that_is_refused_is_answered_and_closed(
    run: Callable[[Test], None], headers: str
) -> None:
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


def test_the_kernel_holds_no_more_than_the_send_buffer(run: Callable[[Test], None]) -> None:
    async def test() -> None:
        async with served() as house, joined(house):
            (out,) = await house.arrived(1)
            with socket.socket(fileno=socket.dup(int(lines.fds[out.slot]))) as peer:
                size = peer.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF)
            assert size in {SEND_BUFFER, 2 * SEND_BUFFER}  # Linux counts its own expenses

    run(test)


def self_signed(folder: Path) -> tuple[Path, Path]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime(2020, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now)
        .not_valid_after(now + timedelta(days=36_500))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    keyfile, certfile = folder / "key.pem", folder / "certificate.pem"
    keyfile.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    certfile.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    return keyfile, certfile
