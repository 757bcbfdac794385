"""Frames of MessagePack over a stream socket: four bytes of length, then the message."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, TypeVar

import msgspec

from dispatch_core.errors import Conflict, Forbidden, Invalid, NotFound, Refused, Unavailable

MOST = 64 << 20
"""No message is longer: a whole city's inputs are some hundred kilobytes."""
_HEAD = 4
T = TypeVar("T")
encode = msgspec.msgpack.Encoder().encode


class Broken(ConnectionError):  # noqa: N818 - what became of the other side
    """The other side is gone, or sent what is no frame."""


class Refusal(msgspec.Struct, frozen=True, kw_only=True):
    """A refusal on its way between processes."""

    kind: str
    code: str
    detail: str
    what_to_do: str
    extra: dict[str, Any] = msgspec.field(default_factory=dict)

    @classmethod
    def of(cls, error: Refused) -> Refusal:
        """The refusal as it travels."""
        return cls(
            kind=error.kind, code=error.code, detail=error.detail, what_to_do=error.what_to_do,
            extra=error.extra,
        )  # fmt: skip

    def error(self) -> Refused:
        """The refusal as it is raised."""
        kinds: dict[str, type[Refused]] = {
            k.kind: k for k in (Invalid, NotFound, Conflict, Forbidden, Unavailable)
        }
        return kinds.get(self.kind, Unavailable)(
            self.code, self.detail, self.what_to_do, self.extra
        )


def framed(message: object) -> bytes:
    """A message as it is sent. Raises Broken for one that is too long."""
    body = encode(message)
    if len(body) > MOST:
        raise Broken(f"a message of {len(body)} bytes")
    return len(body).to_bytes(_HEAD, "big") + body


def _length(head: bytes) -> int:
    length = int.from_bytes(head, "big")
    if length > MOST:
        raise Broken(f"a message of {length} bytes")
    return length


async def read(reader: asyncio.StreamReader) -> bytes:
    """The next message's bytes. Raises Broken."""
    try:
        return await reader.readexactly(_length(await reader.readexactly(_HEAD)))
    except (asyncio.IncompleteReadError, OSError) as error:
        raise Broken("the other side is gone") from error


def read_blocking(door: socket.socket) -> bytes:
    """The next message's bytes, in a process that does nothing else. Raises Broken."""
    return _exactly(door, _length(_exactly(door, _HEAD)))


def _exactly(door: socket.socket, length: int) -> bytes:
    parts = bytearray()
    while len(parts) < length:
        try:
            part = door.recv(min(length - len(parts), 1 << 20))
        except OSError as error:
            raise Broken("the other side is gone") from error
        if not part:
            raise Broken("the other side is gone")
        parts += part
    return bytes(parts)


def decode(body: bytes, struct: type[T]) -> T:
    """A message as `struct`. Raises Broken for another one."""
    try:
        return msgspec.msgpack.decode(body, type=struct)
    except msgspec.DecodeError as error:
        raise Broken(str(error)) from error
