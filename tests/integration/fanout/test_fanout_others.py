"""TLS and other servers get the same messages by the ordinary ASGI send."""

from __future__ import annotations

import asyncio
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from fanout_house import OtherServer, Run, check_all_sizes, served
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosedError

from server.api.audience import Audience
from server.api.outbound import QueuedOutbound, outbound


def test_the_same_over_tls(run: Run, tmp_path: Path) -> None:
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


def test_another_server_gets_ordinary_messages_in_order() -> None:
    async def test() -> None:
        server = OtherServer()
        out = outbound(server)
        audience = Audience([out])
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(out.run())
            out.send("一".encode(), binary=False)
            audience.send(bytes(32_000), binary=True)
            assert not out.paused
            out.send(b"x" * 1000, binary=True)
            assert out.paused
            assert audience.paused() == [out]
            assert out.buffered == 33_003
            assert [out.stalled_s(t) for t in (1.0, 2.0, 12.0)] == [0.0, 1.0, 11.0]
            server.may.set()
            await out.close(4001, "over")
        assert out.closed
        assert out.buffered == 0
        out.send(b"to nobody", binary=True)
        assert server.taken == [
            {"type": "websocket.send", "text": "一"},
            {"type": "websocket.send", "bytes": bytes(32_000)},
            {"type": "websocket.send", "bytes": b"x" * 1000},
            {"type": "websocket.close", "code": 4001, "reason": "over"},
        ]

    asyncio.run(test())


def test_another_server_whose_client_has_left_or_is_dropped() -> None:
    async def test() -> None:
        left, dropped = OtherServer(), OtherServer()
        left.gone = True
        left.may.set()
        outs = [outbound(left), outbound(dropped)]
        async with asyncio.TaskGroup() as tasks:
            for out in outs:
                tasks.create_task(out.run())
            Audience(outs).send(b"x", binary=True)
            await asyncio.sleep(0)
            outs[1].abort()
            dropped.may.set()
        assert all(out.closed for out in outs)
        assert len(dropped.taken) <= 1
        assert left.taken == []

    asyncio.run(test())


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
