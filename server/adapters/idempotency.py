"""Idempotency keys and advisory locks: what a transaction may touch, and what was answered."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import asyncpg
import msgspec

from dispatch_core.errors import Conflict, Invalid
from server.adapters.columns import columns


class Key(NamedTuple):
    """Which request of a company: who sent it, where to, under which Idempotency-Key."""

    principal: str
    route: str
    key: str


class Answer(NamedTuple):
    """What the caller gets; `stored` when it is the answer to an earlier, identical request."""

    status: int
    body: bytes
    stored: bool


class Answered(NamedTuple):
    """An answer to be kept, and the digest of the body that it answers."""

    key: Key
    body_hash: bytes
    answer: Answer


def _lock(name: str) -> int:
    return int.from_bytes(
        hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True
    )


def key_lock(company: int, asked: Key) -> int:
    """The 64-bit advisory lock of a request."""
    return _lock(f"k/{company}/{asked.principal}/{asked.route}/{asked.key}")


def stream_lock(company: int, stream: str) -> int:
    """The 64-bit advisory lock of a stream."""
    return _lock(f"s/{company}/{stream}")


async def try_locks(c: asyncpg.Connection, wanted: Collection[int]) -> set[int]:
    """Those of the locks that nobody else holds, now ours until the transaction ends.

    Asked for in sorted order and never waited for: opposite orders cannot deadlock.
    """
    rows = await c.fetch(
        "SELECT k FROM unnest($1::bigint[]) AS k WHERE pg_try_advisory_xact_lock(k)",
        sorted(wanted),
    )
    return {row[0] for row in rows}


def in_flight() -> Conflict:
    """The refusal while the same request is being worked on."""
    return Conflict(
        "key_in_flight",
        "A request with this Idempotency-Key is being worked on.",
        "Wait a moment and send it again to get its answer.",
    )


async def stored_answers(
    c: asyncpg.Connection, company: int, asked: Mapping[Key, bytes]
) -> dict[Key, Answer | Invalid]:
    """What was answered under the keys that are known; `asked` holds the digests of the bodies.

    Invalid `key_reused` stands where the earlier body was another one.
    """
    rows = await c.fetch(
        "SELECT i.principal, i.route, i.key, i.body_hash, i.status, i.answer FROM idempotency i"
        " JOIN unnest($2::text[], $3::text[], $4::text[]) AS k(p, r, key)"
        " ON i.company_id = $1 AND i.principal = k.p AND i.route = k.r AND i.key = k.key",
        company,
        [key.principal for key in asked],
        [key.route for key in asked],
        [key.key for key in asked],
    )
    found: dict[Key, Answer | Invalid] = {}
    for row in rows:
        key = Key(row[0], row[1], row[2])
        if row["body_hash"] == asked[key]:
            found[key] = Answer(row["status"], row["answer"].encode(), stored=True)
        else:
            found[key] = Invalid(
                "key_reused",
                "This Idempotency-Key was used for another request.",
                "Use a new key for a new request, "
                "and the old key only to repeat the old one unchanged.",
            )
    return found


async def earlier(
    c: asyncpg.Connection, company: int, asked: Key, body_hash: bytes
) -> Answer | None:
    """The answer to the same request sent before; the key is ours until the transaction ends.

    Raises:
        Conflict: `key_in_flight`. Invalid: `key_reused`.
    """
    if not await try_locks(c, {key_lock(company, asked)}):
        raise in_flight()
    known = (await stored_answers(c, company, {asked: body_hash})).get(asked)
    if isinstance(known, Invalid):
        raise known
    return known


async def keep(
    c: asyncpg.Connection, company: int, asked: Key, body_hash: bytes, answer: object
) -> Answer:
    """Keep a first answer, 200, under its key, in the transaction of what it tells."""
    told = Answer(200, msgspec.json.encode(answer), stored=False)
    await save_answers(c, company, [Answered(asked, body_hash, told)])
    return told


async def save_answers(c: asyncpg.Connection, company: int, answered: Sequence[Answered]) -> None:
    """Keep answers under their keys, in the transaction of what they tell."""
    rows = [
        (*key, body_hash, answer.status, answer.body.decode())
        for key, body_hash, answer in answered
    ]
    await c.execute(
        "INSERT INTO idempotency (company_id, principal, route, key, body_hash, status, answer)"
        " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bytea[],"
        " $6::smallint[], $7::text[])",
        company,
        *columns(rows),
    )
