"""Plans, proposals and decisions in PostgreSQL, with the inputs that they were made from."""

from __future__ import annotations

import contextlib
import hashlib
import zlib
from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

import asyncpg
import msgspec

from dispatch_core.dispatch import Held, Plan
from dispatch_core.ids import TicketId
from server.adapters import decision_inputs
from server.adapters.columns import columns
from server.adapters.decision_bundles import deflated, inflated
from server.adapters.projections import time

DecisionKind = Literal["proposal", "price", "plan"]
_DECISION = (
    "SELECT d.digest, d.kind, d.ticket_id AS ticket, d.ticket_version, d.plan, d.policy,"
    " extract(epoch FROM d.made_at)::bigint AS made_at, d.inputs, d.asked, d.answer,"
    " e.body AS like FROM decision d LEFT JOIN decision_example e"
    " ON e.company_id = d.company_id AND e.digest = d.example"
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
    """Decisions, and the pieces of the inputs that they were made from."""
    for root in {d.inputs for d in decisions}:
        await decision_inputs.save(c, company, root, pieces)
    example = await _example(c, company, [d.answer for d in decisions if d.kind != "plan"])
    rows = [
        (d.digest, d.kind, d.ticket, d.ticket_version, d.plan, d.policy, time(d.made_at), d.inputs,
         d.asked, *_shortened(d, example))
        for d in decisions
    ]  # fmt: skip
    if rows:
        await c.execute(
            "INSERT INTO decision (company_id, digest, kind, ticket_id, ticket_version, plan,"
            " policy, made_at, inputs, asked, answer, example)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::int[], $6::int[],"
            " $7::text[], $8::timestamptz[], $9::bytea[], $10::bytea[], $11::bytea[],"
            " $12::bytea[]) ON CONFLICT DO NOTHING",
            company,
            *columns(rows),
        )


async def _example(
    c: asyncpg.Connection, company: int, answers: Sequence[bytes]
) -> tuple[bytes, bytes] | None:
    """(digest, answer) that others are compressed by: of the last minutes, else the longest of
    these."""
    if not answers:
        return None
    row = await c.fetchrow(
        "SELECT digest, body FROM decision_example WHERE company_id = $1"
        " AND stored_at > now() - interval '5 minutes' ORDER BY stored_at DESC, digest LIMIT 1",
        company,
    )
    if row is not None:
        return row["digest"], inflated(row["body"], b"")
    answer = max(answers, key=len)
    digest = hashlib.sha256(answer).digest()
    await c.execute(
        "INSERT INTO decision_example (company_id, digest, body) VALUES ($1, $2, $3)"
        " ON CONFLICT (company_id, digest) DO UPDATE SET stored_at = excluded.stored_at",
        company, digest, deflated(answer, b""),
    )  # fmt: skip
    return digest, answer


def _shortened(
    d: StoredDecision, example: tuple[bytes, bytes] | None
) -> tuple[bytes, bytes | None]:
    """An answer as it is stored, and which one it was compressed by."""
    if d.kind == "plan" or example is None:
        return deflated(d.answer, b""), None
    digest, like = example
    return deflated(d.answer, like), digest


async def load_decisions(
    c: asyncpg.Connection, company: int, digests: Collection[str]
) -> dict[str, StoredDecision]:
    """The decisions among `digests` that are there."""
    if not digests:
        return {}
    rows = await c.fetch(
        _DECISION + " WHERE d.company_id = $1 AND d.digest = ANY($2::text[])",
        company,
        list(digests),
    )
    return {r["digest"]: _decision(r) for r in rows}


async def decisions_of(c: asyncpg.Connection, company: int, ticket: str) -> list[StoredDecision]:
    """Every decision of a ticket that is still there, oldest first."""
    rows = await c.fetch(
        _DECISION + " WHERE d.company_id = $1 AND d.ticket_id = $2 ORDER BY d.made_at, d.digest",
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
    """A decision; an answer that is no longer what was stored comes as it is, and so is told."""
    fields = dict(row)
    like = fields.pop("like")
    with contextlib.suppress(zlib.error):
        fields["answer"] = inflated(fields["answer"], inflated(like, b"") if like else b"")
    return StoredDecision(**fields)


async def is_kept(c: asyncpg.Connection, company: int, digest: str) -> bool:
    """Whether a dispatch names the decision."""
    return bool(
        await c.fetchval(
            "SELECT kept FROM decision WHERE company_id = $1 AND digest = $2", company, digest
        )
    )


async def keep(c: asyncpg.Connection, company: int, digests: Collection[str]) -> None:
    """What a fact names stays, with all that it was made from."""
    rows = await c.fetch(
        "UPDATE decision SET kept = true WHERE company_id = $1 AND digest = ANY($2::text[])"
        " AND NOT kept RETURNING inputs, example",
        company,
        list(digests),
    )
    for row in rows:
        await decision_inputs.keep(c, company, row["inputs"])
    await c.execute(
        "UPDATE decision_example SET kept = true"
        " WHERE company_id = $1 AND digest = ANY($2::bytea[]) AND NOT kept",
        company,
        [row["example"] for row in rows if row["example"] is not None],
    )


async def tidy(c: asyncpg.Connection, company: int) -> None:
    """Decisions that no fact names are kept for 48 hours; what they were made from a little
    longer, since it may be shared with later ones for an hour, and these with others."""
    await c.execute(
        "DELETE FROM decision WHERE company_id = $1 AND NOT kept"
        " AND stored_at < now() - interval '48 hours'",
        company,
    )
    for table in ("decision_input", "decision_example"):
        await c.execute(
            f"DELETE FROM {table} WHERE company_id = $1 AND NOT kept"
            " AND stored_at < now() - interval '51 hours'",
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
