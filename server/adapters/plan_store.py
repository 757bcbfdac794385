"""Plans, proposals and decisions in PostgreSQL, with the inputs that they were made from."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

import asyncpg
import msgspec

from dispatch_core.dispatch import Held, Plan
from dispatch_core.ids import TicketId
from server.adapters import decision_pieces
from server.adapters.columns import columns
from server.adapters.projections import time

DecisionKind = Literal["proposal", "price", "plan"]
_DECISION = (
    "SELECT digest, kind, ticket_id AS ticket, ticket_version, plan, policy,"
    " extract(epoch FROM made_at)::bigint AS made_at, inputs, asked, answer FROM decision"
)
pack = msgspec.msgpack.Encoder(order="sorted").encode


class StoredPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan as it came into force, and what the next one must keep to."""

    plan: Plan
    held: list[Held]
    cpu_ms: int
    travel_because: str | None


class PlanHead(NamedTuple):
    """The plan in force; version 0: there is none yet."""

    version: int = 0
    stored: StoredPlan | None = None


class StoredDecision(msgspec.Struct, frozen=True, kw_only=True):
    """A decision as it is stored; `asked` and `answer` are MessagePack."""

    digest: str
    kind: DecisionKind
    ticket: TicketId | None
    ticket_version: int | None
    plan: int
    policy: str
    made_at: int
    inputs: bytes
    """Digest of the manifest of its inputs."""
    asked: bytes
    answer: bytes


class Made(NamedTuple):
    """A decision that was just made, from inputs that stand under `inputs`."""

    kind: DecisionKind
    ticket: TicketId | None
    ticket_version: int | None
    plan: int
    policy: str
    made_at: int
    inputs: bytes
    asked: object
    answer: object

    def stored(self) -> StoredDecision:
        """It, under its content address: over its inputs, what was asked, and the answer."""
        asked, answer = pack(self.asked), pack(self.answer)
        parts = (self.kind.encode(), self.inputs, asked, answer)
        digest = hashlib.sha256(b"".join(hashlib.sha256(p).digest() for p in parts)).hexdigest()
        return StoredDecision(
            digest=digest, kind=self.kind, ticket=self.ticket, ticket_version=self.ticket_version,
            plan=self.plan, policy=self.policy, made_at=self.made_at, inputs=self.inputs,
            asked=asked, answer=answer,
        )  # fmt: skip


class KnownProposal(NamedTuple):
    """The proposal that stands beside a ticket."""

    ticket: TicketId
    ticket_version: int
    plan: int
    """The last plan on which it still held."""
    decision: str


# ---------------------------------------------------------------- the plan in force
async def plan_version(c: asyncpg.Connection, company: int) -> int:
    """The version of the plan in force, 0 before the first."""
    found: int | None = await c.fetchval(
        "SELECT version FROM plan_head WHERE company_id = $1", company
    )
    return found or 0


async def plan_head(c: asyncpg.Connection, company: int) -> PlanHead:
    """The plan in force."""
    row = await c.fetchrow("SELECT version, body FROM plan_head WHERE company_id = $1", company)
    if row is None:
        return PlanHead()
    try:
        stored = msgspec.msgpack.decode(zlib.decompress(row["body"]), type=StoredPlan)
    except msgspec.DecodeError:  # of another version of this program: the next round makes one
        stored = None
    return PlanHead(row["version"], stored)


async def save_plan(
    c: asyncpg.Connection, company: int, version: int, decision: str, stored: StoredPlan
) -> bool:
    """Put a plan into force; False if another came into force meanwhile."""
    row = await c.fetchval(
        "INSERT INTO plan_head (company_id, version, made_at, decision, body)"
        " VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (company_id) DO UPDATE SET version = excluded.version,"
        " made_at = excluded.made_at, decision = excluded.decision, body = excluded.body"
        " WHERE plan_head.version = excluded.version - 1 RETURNING version",
        company, version, time(stored.plan.made_at), decision, zlib.compress(pack(stored), 6),
    )  # fmt: skip
    return row is not None


# ---------------------------------------------------------------- decisions
async def save_decisions(
    c: asyncpg.Connection,
    company: int,
    decisions: Sequence[StoredDecision],
    pieces: Mapping[bytes, bytes],
) -> None:
    """Decisions and the pieces of their inputs; what is there already is only used again."""
    known = await c.fetch(
        "UPDATE decision_input SET used_at = now() WHERE company_id = $1"
        " AND digest = ANY($2::bytea[]) AND used_at < now() - interval '1 hour'"
        " RETURNING digest",
        company,
        list(pieces),
    )
    there = {r[0] for r in known} | {
        r[0]
        for r in await c.fetch(
            "SELECT digest FROM decision_input WHERE company_id = $1 AND digest = ANY($2::bytea[])",
            company,
            list(pieces),
        )
    }
    new = [(d, zlib.compress(body, 6)) for d, body in sorted(pieces.items()) if d not in there]
    if new:
        await c.execute(
            "INSERT INTO decision_input (company_id, digest, body)"
            " SELECT $1, * FROM unnest($2::bytea[], $3::bytea[]) ON CONFLICT DO NOTHING",
            company,
            *columns(new),
        )
    rows = [
        (d.digest, d.kind, d.ticket, d.ticket_version, d.plan, d.policy, time(d.made_at), d.inputs,
         d.asked, zlib.compress(d.answer, 6))
        for d in decisions
    ]  # fmt: skip
    if rows:
        await c.execute(
            "INSERT INTO decision (company_id, digest, kind, ticket_id, ticket_version, plan,"
            " policy, made_at, inputs, asked, answer)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::int[],"
            " $7::text[], $8::timestamptz[], $9::bytea[], $10::bytea[], $11::bytea[])"
            " ON CONFLICT DO NOTHING",
            company,
            *columns(rows),
        )


async def load_decisions(
    c: asyncpg.Connection, company: int, digests: Collection[str]
) -> dict[str, StoredDecision]:
    """The decisions among `digests` that are there."""
    if not digests:
        return {}
    rows = await c.fetch(
        _DECISION + " WHERE company_id = $1 AND digest = ANY($2::text[])", company, list(digests)
    )
    return {r["digest"]: _decision(r) for r in rows}


async def decisions_of(c: asyncpg.Connection, company: int, ticket: str) -> list[StoredDecision]:
    """Every decision of a ticket that is still there, oldest first."""
    rows = await c.fetch(
        _DECISION + " WHERE company_id = $1 AND ticket_id = $2 ORDER BY made_at, digest",
        company,
        ticket,
    )
    return [_decision(r) for r in rows]


async def dispatched_by(c: asyncpg.Connection, company: int, ticket: str) -> set[str]:
    """The decisions that the dispatches of a ticket name."""
    rows = await c.fetch(
        "SELECT body::jsonb ->> 'decision' FROM journal WHERE company_id = $1 AND stream = $2"
        " AND kind = 'ticket_dispatched' AND body::jsonb ->> 'decision' IS NOT NULL",
        company,
        f"ticket:{ticket}",
    )
    return {r[0] for r in rows}


def _decision(row: asyncpg.Record) -> StoredDecision:
    return StoredDecision(**{**row, "answer": _inflated(row["answer"])})


async def load_pieces(
    c: asyncpg.Connection, company: int, root: bytes
) -> tuple[decision_pieces.Manifest | None, dict[bytes, bytes]]:
    """The manifest of a decision's inputs, None if it is gone, and all pieces that are there."""
    pieces = await _pieces(c, company, [root])
    try:
        listed = decision_pieces.manifest(root, pieces)
    except decision_pieces.Missing:
        return None, pieces
    return listed, pieces | await _pieces(c, company, _named(listed))


async def _pieces(
    c: asyncpg.Connection, company: int, digests: Collection[bytes]
) -> dict[bytes, bytes]:
    rows = await c.fetch(
        "SELECT digest, body FROM decision_input"
        " WHERE company_id = $1 AND digest = ANY($2::bytea[])",
        company,
        list(digests),
    )
    return {digest: _inflated(body) for digest, body in rows}


def _inflated(body: bytes) -> bytes:
    """What was compressed; what was not is no longer what its name says, and so it is told."""
    try:
        return zlib.decompress(body)
    except zlib.error:
        return body


def _named(listed: decision_pieces.Manifest) -> list[bytes]:
    return sorted({digest for digests in listed.pieces.values() for digest in digests})


async def is_kept(c: asyncpg.Connection, company: int, digest: str) -> bool:
    """Whether a dispatch names the decision."""
    return bool(
        await c.fetchval(
            "SELECT kept FROM decision WHERE company_id = $1 AND digest = $2", company, digest
        )
    )


async def keep(c: asyncpg.Connection, company: int, digests: Collection[str]) -> None:
    """What a fact names stays, with all that it was made from."""
    for stored in (await load_decisions(c, company, digests)).values():
        listed, _ = await load_pieces(c, company, stored.inputs)
        inputs = [stored.inputs, *(_named(listed) if listed else ())]
        await c.execute(
            "UPDATE decision_input SET kept = true"
            " WHERE company_id = $1 AND digest = ANY($2::bytea[]) AND NOT kept",
            company,
            inputs,
        )
        await c.execute(
            "UPDATE decision SET kept = true WHERE company_id = $1 AND digest = $2 AND NOT kept",
            company,
            stored.digest,
        )


async def tidy(c: asyncpg.Connection, company: int) -> None:
    """Decisions that no fact names are kept for 48 hours, and pieces as long as any that uses
    them: those say so at least once an hour."""
    await c.execute(
        "DELETE FROM decision WHERE company_id = $1 AND NOT kept"
        " AND stored_at < now() - interval '48 hours'",
        company,
    )
    await c.execute(
        "DELETE FROM decision_input WHERE company_id = $1 AND NOT kept"
        " AND used_at < now() - interval '50 hours'",
        company,
    )


# ---------------------------------------------------------------- proposals that stand
async def known_proposals(c: asyncpg.Connection, company: int) -> list[KnownProposal]:
    """Every proposal that stands."""
    rows = await c.fetch(
        "SELECT ticket_id, ticket_version, plan, decision FROM proposal WHERE company_id = $1",
        company,
    )
    return [KnownProposal(*r) for r in rows]


async def known_proposal(c: asyncpg.Connection, company: int, ticket: str) -> KnownProposal | None:
    """The proposal that stands beside one ticket."""
    row = await c.fetchrow(
        "SELECT ticket_id, ticket_version, plan, decision FROM proposal"
        " WHERE company_id = $1 AND ticket_id = $2",
        company,
        ticket,
    )
    return KnownProposal(*row) if row else None


async def save_proposals(
    c: asyncpg.Connection, company: int, proposals: Sequence[KnownProposal]
) -> None:
    """New proposals, and those that still hold on a newer plan."""
    if proposals:
        await c.execute(
            "INSERT INTO proposal (company_id, ticket_id, ticket_version, plan, decision)"
            " SELECT $1, * FROM unnest($2::text[], $3::int[], $4::int[], $5::text[])"
            " ON CONFLICT (company_id, ticket_id) DO UPDATE SET"
            " ticket_version = excluded.ticket_version, plan = excluded.plan,"
            " decision = excluded.decision",
            company,
            *columns(proposals),
        )


async def drop_proposals(
    c: asyncpg.Connection, company: int, tickets: Collection[TicketId]
) -> None:
    """Proposals that are no longer needed."""
    await c.execute(
        "DELETE FROM proposal WHERE company_id = $1 AND ticket_id = ANY($2::text[])",
        company,
        list(tickets),
    )
