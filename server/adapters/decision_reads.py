"""Stored decisions as people and use cases read them."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple, TypeVar

import asyncpg
import msgspec

from dispatch_core import dispatch
from dispatch_core.ids import TicketState
from server.adapters import decision_inputs, decision_pieces, plan_store
from server.adapters.plan_store import DecisionKind, StoredDecision
from server.adapters.pool import Pool
from server.ports import Seen

T = TypeVar("T")


class DecisionView(msgspec.Struct, frozen=True, kw_only=True):
    """Why a crew: a stored proposal, price or plan, and what it was made from."""

    decision: str
    kind: DecisionKind
    ticket: str | None
    ticket_version: int | None
    plan: int
    policy: str
    made_at: int
    asked: Any
    answer: Any
    inputs: dict[str, list[str]]
    """Part of the inputs -> SHA-256 of each piece; empty once they are gone."""
    kept: bool
    """A dispatch names it: it is kept for ever."""


def seen_of(d: StoredDecision) -> Seen | None:
    """What a person saw of a decision; None for a plan, or one that cannot be read any more."""
    if d.ticket is None or d.ticket_version is None:
        return None
    try:
        return Seen(
            decision=d.digest,
            ticket=d.ticket,
            ticket_version=d.ticket_version,
            plan=d.plan,
            policy=d.policy,
            made_at=d.made_at,
            proposal=_decode(d, "proposal", dispatch.Proposal),
            priced=_decode(d, "price", dispatch.Priced),
        )
    except msgspec.DecodeError:
        return None


def _decode(d: StoredDecision, kind: DecisionKind, struct: type[T]) -> T | None:
    return msgspec.msgpack.decode(d.answer, type=struct) if d.kind == kind else None


async def load_seen(
    c: asyncpg.Connection, company: int, digests: Collection[str]
) -> dict[str, Seen]:
    """The proposals and prices among `digests` that are there."""
    found = await plan_store.load_decisions(c, company, digests)
    return {d.digest: seen for d in found.values() if (seen := seen_of(d)) is not None}


async def _named(c: asyncpg.Connection, company: int, root: bytes) -> dict[str, list[str]]:
    """Part of the inputs -> SHA-256 of each piece; none where they are gone or changed."""
    try:
        pieces = await decision_inputs.load(c, company, root)
        listed = decision_pieces.manifest(root, pieces).pieces
    except decision_pieces.Missing:
        return {}
    return {name or "rest": [d.hex() for d in digests] for name, digests in listed.items()}


class TicketNow(NamedTuple):
    """A ticket as a proposal is compared with it."""

    version: int
    state: TicketState


class DecisionReads:
    """Decisions of one company."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def view(self, company: int, digest: str) -> DecisionView | None:
        """One decision; None where there is none."""
        async with self._pool.company(company, isolation="repeatable_read", readonly=True) as c:
            found = (await plan_store.load_decisions(c, company, [digest])).get(digest)
            if found is None:
                return None
            inputs = await _named(c, company, found.inputs)
            kept = await plan_store.is_kept(c, company, digest)
        return DecisionView(
            decision=digest,
            kind=found.kind,
            ticket=found.ticket,
            ticket_version=found.ticket_version,
            plan=found.plan,
            policy=found.policy,
            made_at=found.made_at,
            asked=msgspec.msgpack.decode(found.asked),
            answer=msgspec.msgpack.decode(found.answer),
            inputs=inputs,
            kept=kept,
        )

    async def ticket(self, company: int, ticket: str) -> TicketNow | None:
        """A ticket's version and state."""
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(
                "SELECT version, state FROM ticket WHERE company_id = $1 AND ticket_id = $2",
                company,
                ticket,
            )
        return TicketNow(*row) if row else None

    async def standing(self, company: int, ticket: str) -> tuple[Seen, bool] | None:
        """The proposal that stands beside a ticket, and whether it holds on the plan in force."""
        async with self._pool.company(company, isolation="repeatable_read", readonly=True) as c:
            known = await plan_store.known_proposal(c, company, ticket)
            if known is None:
                return None
            seen = (await load_seen(c, company, [known.decision])).get(known.decision)
            plan = await plan_store.plan_version(c, company)
        return (seen, known.plan == plan) if seen else None

    async def plan(self, company: int) -> plan_store.PlanHead:
        """The plan in force."""
        async with self._pool.company(company, readonly=True) as c:
            return await plan_store.plan_head(c, company)

    async def seen(self, company: int, digest: str) -> Seen | None:
        """One proposal or price."""
        async with self._pool.company(company, readonly=True) as c:
            return (await load_seen(c, company, [digest])).get(digest)
