"""Messages on their way out: claimed, recorded, reported, told; each step a transaction of its own.

A claim moves `next_at` ahead by a lease: while a gateway sends, no transaction is open, and what a
killed process had claimed comes due again by itself. Tries run by system time.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

import asyncpg
import msgspec
from cryptography.exceptions import InvalidTag

from server.adapters.clock import system_now
from server.adapters.columns import columns
from server.adapters.vault import Vault

State = Literal["waiting", "sent", "delivered", "failed"]
LEASE_S = 30.0
"""Longer than a gateway may take for what it claims at once."""


class NotNow(Exception):  # noqa: N818 - a postponement is no error
    """What a message is about is in use elsewhere; its outcome is told a little later."""


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """The news of a message, for what it is about; `at` is Unix seconds of the business clock."""

    message_id: int
    channel: str
    target: str
    kind: str
    about: str
    state: Literal["sent", "delivered", "failed"]
    was: str | None
    """The state that was told before; None: the first news."""
    way: str
    """`file`, `webhook`, `report` (the other side said so by itself) or `none` (never tried)."""
    at: int
    written_at: int
    """When that which the message tells of happened: it was written in the same commit."""
    by: str
    """Who said so: `gateway:file`, `gateway:webhook`, or the source that reported."""


class Lane(msgspec.Struct, frozen=True):
    """Messages that one gateway carries, in turn: of a channel, and there of one target; residents
    share a lane (target None)."""

    channel: str
    target: str | None


class Claimed(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is ours to send until its lease ends. `body` is plain JSON."""

    message_id: int
    channel: str
    target: str
    kind: str
    about: str
    written_at: int
    attempts: int
    """This try included."""
    body: msgspec.Raw


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a try; `waiting`: it is tried again after `again_s` seconds."""

    message_id: int
    state: State
    way: str
    proof: str | None = None
    error: str | None = None
    again_s: float = 0.0


_LANE = "CASE WHEN channel = 'resident' THEN NULL ELSE target END"


class Work(NamedTuple):
    """What there is to do."""

    lanes: list[Lane]
    """Those that have a message due."""
    news: list[str]
    """Channels with news that was not told yet."""


async def work(c: asyncpg.Connection, company: int) -> Work:
    """What there is to do for a company's messages now."""
    rows = await c.fetch(
        f"SELECT DISTINCT false AS news, channel, {_LANE} AS target FROM message"
        " WHERE company_id = $1 AND state = 'waiting' AND next_at <= $2"
        " UNION ALL SELECT DISTINCT true, channel, NULL FROM message"
        " WHERE company_id = $1 AND state <> 'waiting' AND told IS DISTINCT FROM state",
        company,
        system_now(),
    )
    return Work(
        lanes=[Lane(r["channel"], r["target"]) for r in rows if not r["news"]],
        news=[r["channel"] for r in rows if r["news"]],
    )


async def claim(
    c: asyncpg.Connection, company: int, vault: Vault, lane: Lane, most: int
) -> list[Claimed]:
    """Messages of a lane that are due, the longest waiting first, now on lease."""
    now = system_now()
    rows = await c.fetch(
        # MATERIALIZED: a join may run a plain subquery again and again, each time with its LIMIT.
        "WITH due AS MATERIALIZED (SELECT message_id FROM message"
        "   WHERE company_id = $1 AND state = 'waiting' AND next_at <= $4 AND channel = $2"
        "   AND ($3::text IS NULL OR target = $3)"
        "   ORDER BY next_at, message_id LIMIT $6 FOR UPDATE SKIP LOCKED)"
        " UPDATE message m SET attempts = m.attempts + 1, next_at = $5 FROM due"
        " WHERE m.company_id = $1 AND m.message_id = due.message_id"
        " RETURNING m.message_id, m.channel, m.target, m.kind, m.about,"
        " extract(epoch FROM m.written_at)::bigint AS written_at, m.attempts, m.body",
        company,
        lane.channel,
        lane.target,
        now,
        now + timedelta(seconds=LEASE_S),
        most,
    )
    found, broken = [], []
    for r in rows:
        try:
            plain = vault.open_message(company, r["about"], r["body"])
        except InvalidTag:
            broken.append(r["message_id"])
            continue
        found.append(
            Claimed(
                message_id=r["message_id"],
                channel=r["channel"],
                target=r["target"],
                kind=r["kind"],
                about=r["about"],
                written_at=r["written_at"],
                attempts=r["attempts"],
                body=msgspec.Raw(plain),
            )
        )
    if broken:
        await c.execute(
            "UPDATE message SET state = 'failed', error = 'the stored message cannot be opened'"
            " WHERE company_id = $1 AND message_id = ANY($2::bigint[])",
            company,
            broken,
        )
    return sorted(found, key=lambda m: m.message_id)


async def record(
    c: asyncpg.Connection, company: int, now: datetime, outcomes: Sequence[Outcome]
) -> None:
    """What became of tries, at business time `now`. What a report has said meanwhile stands."""
    if not outcomes:
        return
    system = system_now()
    rows = [
        (o.message_id, o.state, o.way, o.proof, o.error, system + timedelta(seconds=o.again_s))
        for o in outcomes
    ]
    await c.execute(
        "UPDATE message m SET state = o.state, way = o.way, proof = coalesce(o.proof, m.proof),"
        " error = o.error, next_at = o.next_at,"
        " sent_at = CASE WHEN o.state IN ('sent', 'delivered') THEN $2 ELSE m.sent_at END,"
        " delivered_at = CASE WHEN o.state = 'delivered' THEN $2 ELSE m.delivered_at END"
        " FROM unnest($3::bigint[], $4::text[], $5::text[], $6::text[], $7::text[],"
        " $8::timestamptz[]) AS o (message_id, state, way, proof, error, next_at)"
        " WHERE m.company_id = $1 AND m.message_id = o.message_id AND m.state = 'waiting'",
        company,
        now,
        *columns(rows),
    )


async def untold(
    c: asyncpg.Connection, company: int, channel: str, most: int, after: int = 0
) -> list[Told]:
    """Messages of a channel, with numbers above `after`, whose news was not told yet; locked."""
    rows = await c.fetch(
        "SELECT message_id, channel, target, kind, about, state, told,"
        " coalesce(way, 'none') AS way,"
        " coalesce(reported_by, 'gateway:' || way, 'system') AS by,"
        " extract(epoch FROM coalesce(delivered_at, sent_at, written_at))::bigint AS at,"
        " floor(extract(epoch FROM written_at))::bigint AS written_at"
        " FROM message"
        " WHERE company_id = $1 AND state <> 'waiting' AND told IS DISTINCT FROM state"
        " AND channel = $2 AND message_id > $4 ORDER BY message_id LIMIT $3 FOR UPDATE SKIP LOCKED",
        company,
        channel,
        most,
        after,
    )
    return [
        Told(
            message_id=r["message_id"],
            channel=r["channel"],
            target=r["target"],
            kind=r["kind"],
            about=r["about"],
            state=r["state"],
            was=r["told"],
            way=r["way"],
            at=r["at"],
            written_at=r["written_at"],
            by=r["by"],
        )
        for r in rows
    ]


async def mark_told(c: asyncpg.Connection, company: int, messages: Collection[int]) -> None:
    """The news of these messages is told, in this transaction."""
    await c.execute(
        "UPDATE message SET told = state WHERE company_id = $1 AND message_id = ANY($2::bigint[])",
        company,
        list(messages),
    )
