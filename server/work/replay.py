"""Decisions of a ticket computed again from what they were made from."""

from __future__ import annotations

from typing import Any, Literal

import asyncpg
import msgspec

from dispatch_core.dispatch import Desk
from dispatch_core.ids import TicketId
from server import __version__
from server.adapters import decision_inputs, decision_pieces, plan_store
from server.adapters.clock import BusinessClock
from server.adapters.decision_pieces import Missing
from server.adapters.engine_calls import PriceOf
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.plan_store import Made, StoredDecision
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.travel import Travel
from server.jobs import planning
from server.settings import Settings, UserError
from server.work.company import company_meant, owner_dsn

Verdict = Literal["same", "another answer", "inputs differ", "gone"]


class Replayed(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one decision when it was made again."""

    decision: str
    kind: str
    made_at: int
    plan: int
    policy: str
    dispatched: bool
    """A dispatch of the ticket names it."""
    verdict: Verdict
    differs: list[str]
    """Which input is gone or changed, or which parts of the answer are others now."""


async def replay_ticket(settings: Settings, code: str | None, ticket: str) -> list[Replayed]:
    """Every decision of a ticket that is kept, oldest first.

    Raises:
        UserError: `no_decisions`, `which_company`, `no_such_company`.
    """
    dsn = owner_dsn(settings)
    company, _ = await company_meant(dsn, code, None)
    pool = Pool(app_dsn(dsn, Keys(settings.keys)), size=2, name="heatops-replay")
    policies = Policies(pool, settings.data / "policies")
    travel = Travel(pool, settings.data, BusinessClock(), policies)
    try:
        async with pool.company(company, isolation="repeatable_read", readonly=True) as c:
            named = await plan_store.dispatched_by(c, company, ticket)
            kept = await plan_store.decisions_of(c, company, ticket)
            found = [await _one(c, company, d, travel, dispatched=d.digest in named) for d in kept]
    finally:
        await travel.close()
        await pool.close()
    lost = sorted(named - {d.digest for d in kept})
    found += [_lost(digest) for digest in lost]
    if not found:
        raise UserError(
            "no_decisions",
            f"No proposal or price of ticket {ticket} is stored.",
            "Check its number; what no dispatch names is kept for 48 hours.",
        )
    return found


async def _one(
    c: asyncpg.Connection,
    company: int,
    stored: StoredDecision,
    travel: Travel,
    *,
    dispatched: bool,
) -> Replayed:
    verdict, differs = await _verdict(c, company, stored, travel)
    return Replayed(
        decision=stored.digest, kind=stored.kind, made_at=stored.made_at, plan=stored.plan,
        policy=stored.policy, dispatched=dispatched, verdict=verdict, differs=differs,
    )  # fmt: skip


def _lost(digest: str) -> Replayed:
    return Replayed(
        decision=digest, kind="proposal", made_at=0, plan=0, policy="", dispatched=True,
        verdict="gone", differs=["decision"],
    )  # fmt: skip


async def _verdict(
    c: asyncpg.Connection, company: int, stored: StoredDecision, travel: Travel
) -> tuple[Verdict, list[str]]:
    try:
        pieces = await decision_inputs.load(c, company, stored.inputs)
        inputs = decision_pieces.join(stored.inputs, pieces)
        slim = bool(inputs.travel.found_digest)  # what follows from the model needs nothing else
        table = await travel.found_again(company, inputs.travel) if slim else inputs.travel
    except Missing as missing:
        return "inputs differ", list(missing.args)
    except LookupError as error:
        return "inputs differ", [f"travel ({error})"]
    inputs = msgspec.structs.replace(inputs, travel=table)
    asked: dict[str, Any] = msgspec.msgpack.decode(stored.asked)
    desk = Desk(inputs)
    answer: object
    if stored.kind == "price":
        answer = planning.price(desk, msgspec.convert(asked, PriceOf))
    else:
        answer = desk.propose(TicketId(asked["ticket"]))
    again = Made(
        stored.kind, stored.ticket, stored.ticket_version, stored.plan, stored.policy,
        stored.made_at, stored.inputs, asked, answer,
    ).stored()  # fmt: skip
    if again.answer != stored.answer:
        other = inputs.program not in {"", __version__}
        program = [f"program ({inputs.program} -> {__version__})"] if other else []
        return "another answer", [*program, *_differing(stored.answer, again.answer)]
    if again.digest != stored.digest:
        return "inputs differ", ["what was asked"]
    return "same", []


def _differing(stored: bytes, again: bytes) -> list[str]:
    """The top fields of an answer that are others; all of it where it can no longer be read."""
    try:
        old, new = msgspec.msgpack.decode(stored), msgspec.msgpack.decode(again)
        return [f"answer.{k}" for k in sorted({*old, *new}) if old.get(k) != new.get(k)]
    except (msgspec.DecodeError, TypeError, AttributeError):
        return ["answer (changed)"]
