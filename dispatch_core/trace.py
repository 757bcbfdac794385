"""The ticket trace: a keyed hash chain over the facts of one stream, which shows any later change.

Each hash is HMAC-SHA256 over the hash before it and every field of the fact, each field written
with its type and length, so that no two different facts have the same bytes. The key is kept
outside the database: who can write rows cannot write hashes.
"""

from __future__ import annotations

import hashlib
import hmac
import struct
from collections.abc import Iterable
from datetime import datetime

import msgspec

from dispatch_core.ids import micros

START = bytes(32)
"""What the first fact of a stream is chained to."""


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """Where a step was taken, in WGS-84 degrees."""

    lon: float
    lat: float


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """One fact with who, when, where, on what grounds. `body` is the stored JSON, byte for byte."""

    company: int
    stream: str
    version: int
    kind: str
    v: int
    actor: str
    business_at: datetime
    system_at: datetime
    place: Spot | None
    grounds: str | None
    policy_version: str | None
    body: bytes


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """A record as it stands in the journal."""

    record: Record
    prev: bytes
    hash: bytes


class Chain(msgspec.Struct, frozen=True, kw_only=True):
    """Whether a stream's chain holds; if not, the first version at which it does not."""

    holds: bool
    broken_at: int | None


def _field(value: int | str | bytes | None) -> bytes:
    if value is None:
        return b"n"
    if isinstance(value, bytes):
        return struct.pack(">cQ", b"b", len(value)) + value
    if isinstance(value, int):
        return struct.pack(">cq", b"i", value)
    text = value.encode()
    return struct.pack(">cQ", b"s", len(text)) + text


def _spot(place: Spot | None) -> bytes | None:
    return None if place is None else struct.pack(">dd", place.lon, place.lat)


def canonical(record: Record) -> bytes:
    """A record as unambiguous bytes. Raises ValueError for a time without a zone."""
    return b"".join(
        _field(value)
        for value in (
            record.company,
            record.stream,
            record.version,
            record.kind,
            record.v,
            record.actor,
            micros(record.business_at),
            micros(record.system_at),
            _spot(record.place),
            record.grounds,
            record.policy_version,
            record.body,
        )
    )


def seal(key: bytes, prev: bytes, record: Record) -> bytes:
    """The 32-byte hash of a record that follows the one hashed to `prev` (START: the first)."""
    return hmac.digest(key, _field(prev) + canonical(record), hashlib.sha256)


def verify(
    key: bytes, company: int, stream: str, facts: Iterable[Sealed], length: int | None = None
) -> Chain:
    """Whether the facts are the whole, unchanged chain of one stream, oldest first.

    `length` is the stream's version as known elsewhere; without it, facts missing at the end of a
    chain cannot be noticed.
    """
    prev, version = START, 0
    for fact in facts:
        version += 1
        record = fact.record
        ours = (record.company, record.stream, record.version) == (company, stream, version)
        if not ours or fact.prev != prev:
            return Chain(holds=False, broken_at=version)
        if not hmac.compare_digest(fact.hash, seal(key, prev, record)):
            return Chain(holds=False, broken_at=version)
        prev = fact.hash
    if length is not None and version != length:
        return Chain(holds=False, broken_at=min(version, length) + 1)
    return Chain(holds=True, broken_at=None)
