"""The queue of addresses without a door: asked, answered by a person, taught, forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

import asyncpg
import msgspec

from dispatch_core.addresses import Alias
from dispatch_core.errors import Conflict
from server.adapters.address_answers import AddressAnswer, AddressCandidate, merged
from server.adapters.address_sql import (
    HERE,
    StoredAlias,
    bump_register_version,
    read_aliases,
    similar,
)
from server.adapters.pool import Pool
from server.adapters.residents import save_secrets
from server.adapters.vault import Vault
from server.ports import Placed

CANDIDATES = 8
_candidates = msgspec.json.Decoder(list[AddressCandidate]).decode


class AddressQuestion(msgspec.Struct, frozen=True, kw_only=True):
    """An address that waits for a person, or was answered; `text` as it was typed."""

    id: int
    asked_at: int
    origin: str
    reference: str
    text: str
    score: float
    reason: str
    candidates: list[AddressCandidate]
    answered_at: int | None
    answered_by: str | None
    building: str | None
    household: str | None
    no_such_door: bool


class QuestionPage(msgspec.Struct, frozen=True, kw_only=True):
    """A page, oldest open or newest answered first; `next` is None on the last one."""

    items: list[AddressQuestion]
    next: str | None
    total: int


async def ask(
    c: asyncpg.Connection,
    company: int,
    vault: Vault,
    origin: str,
    reference: str,
    text: str,
    answer: AddressAnswer,
    at: datetime,
) -> int:
    """Put an address into the queue, in the caller's transaction; once per origin and reference.
    Returns the question's number."""
    known: int | None = await c.fetchval(
        f"SELECT question_id FROM address_question WHERE company_id = {HERE}"
        " AND origin = $1 AND reference = $2",
        origin,
        reference,
    )
    if known is not None:
        return known
    words = vault.words(company, text)
    likes = [
        AddressCandidate(building=b, address=a, score=round(s / 2, 3), reasons=["similar_text"])
        for b, a, s, _ in await similar(c, text[:200], CANDIDATES)
    ]
    shown = merged(answer.candidates, likes, CANDIDATES)
    number: int | None = await c.fetchval(
        "INSERT INTO address_question (company_id, asked_at, origin, reference, words_id, score,"
        " reason, candidates) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
        " ON CONFLICT (company_id, origin, reference) DO NOTHING RETURNING question_id",
        company,
        at,
        origin,
        reference,
        words.words.id,
        answer.score,
        answer.reasons[0] if answer.reasons else answer.verdict,
        msgspec.json.encode(shown).decode(),
    )
    if number is None:  # asked by another transaction in this moment
        return await ask(c, company, vault, origin, reference, text, answer, at)
    await save_secrets(c, company, vault, [], [words])
    return number


class AddressQuestions:
    """Reading and answering the queue."""

    def __init__(self, pool: Pool, vault: Vault) -> None:
        self._pool = pool
        self._vault = vault

    async def page(
        self, company: int, *, answered: bool, limit: int, after: int | None
    ) -> QuestionPage:
        """Questions with their texts opened. Raises Unavailable."""
        state = "q.answered_at IS NOT NULL" if answered else "q.answered_at IS NULL"
        beyond, order = ("<", "DESC") if answered else (">", "ASC")
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                f"{_SELECT} AND {state} AND ($2::bigint IS NULL OR q.question_id {beyond} $2)"
                f" ORDER BY q.question_id {order} LIMIT $1",
                limit + 1,
                after,
            )
            total: int = await c.fetchval(
                f"SELECT count(*) FROM address_question q WHERE q.company_id = {HERE} AND {state}"
            )
        items = [self._question(company, r) for r in rows[:limit]]
        more = str(items[-1].id) if len(rows) > limit else None
        return QuestionPage(items=items, next=more, total=total)

    async def one(self, company: int, question: int) -> AddressQuestion | None:
        """A question with its text. Raises Unavailable."""
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(f"{_SELECT} AND q.question_id = $1", question)
        return self._question(company, row) if row else None

    @asynccontextmanager
    async def alone(self, company: int, question: int) -> AsyncIterator[None]:
        """While one answers a question nobody else does, in any process.

        Raises:
            Conflict: `question_answered`, somebody is at it. Unavailable.
        """
        async with self._pool.company(company) as c:
            mine = await c.fetchval(
                "SELECT pg_try_advisory_xact_lock(7121, hashtext($1))", f"{company}/{question}"
            )
            if not mine:
                raise Conflict(
                    "question_answered", "This question is being answered just now.",
                    "Read the queue again.",
                )  # fmt: skip
            yield

    async def open_ones(self, company: int, after: int, most: int) -> list[AddressQuestion]:
        """Open questions in the order they were asked. Raises Unavailable."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                f"{_SELECT} AND q.answered_at IS NULL AND q.question_id > $1"
                " ORDER BY q.question_id LIMIT $2",
                after,
                most,
            )
        return [self._question(company, r) for r in rows]

    async def answer(
        self,
        company: int,
        question: int,
        *,
        building: str | None,
        household: str | None,
        lessons: Sequence[Alias],
        by: str,
        at: datetime,
    ) -> bool:
        """Close a question and keep what it teaches, in one transaction; no building and no
        household: no such door. False if it was answered before. Raises Unavailable."""
        async with self._pool.company(company) as c:
            done = await c.execute(
                "UPDATE address_question SET answered_at = $2, answered_by = $3, building_id = $4,"
                f" household_id = $5, no_such_door = $6 WHERE company_id = {HERE}"
                " AND question_id = $1 AND answered_at IS NULL",
                question,
                at,
                by,
                building,
                household,
                building is None and household is None,
            )
            if done != "UPDATE 1":
                return False
            for lesson in lessons:
                await c.execute(
                    "INSERT INTO address_alias (company_id, alias, kind, means, taught_by,"
                    " taught_at) VALUES ($1, $2, $3, $4, $5, $6)"
                    " ON CONFLICT (company_id, alias, kind) DO UPDATE SET means = excluded.means,"
                    " taught_by = excluded.taught_by, taught_at = excluded.taught_at",
                    company,
                    *lesson,
                    by,
                    at,
                )
            if lessons:
                await bump_register_version(c, company)
        return True

    async def aliases(self, company: int) -> list[StoredAlias]:
        """Everything that was taught, newest first. Raises Unavailable."""
        async with self._pool.company(company, readonly=True) as c:
            return await read_aliases(c)

    async def forget(self, company: int, alias: str, kind: str) -> bool:
        """Take a wording back; False if it was not known. Raises Unavailable."""
        async with self._pool.company(company) as c:
            done = await c.execute(
                f"DELETE FROM address_alias WHERE company_id = {HERE} AND alias = $1 AND kind = $2",
                alias,
                kind,
            )
            if done != "DELETE 1":
                return False
            await bump_register_version(c, company)
        return True

    def _question(self, company: int, r: asyncpg.Record) -> AddressQuestion:
        return AddressQuestion(
            id=r["question_id"],
            asked_at=int(r["asked_at"].timestamp()),
            origin=r["origin"],
            reference=r["reference"],
            text=self._vault.open_words(company, r["words_id"], r["body"]),
            score=r["score"],
            reason=r["reason"],
            candidates=_candidates(r["candidates"]),
            answered_at=int(r["answered_at"].timestamp()) if r["answered_at"] else None,
            answered_by=r["answered_by"],
            building=r["building_id"],
            household=r["household_id"],
            no_such_door=r["no_such_door"],
        )


_SELECT = (
    "SELECT q.question_id, q.asked_at, q.origin, q.reference, q.words_id, q.score, q.reason,"
    " q.candidates, q.answered_at, q.answered_by, q.building_id, q.household_id, q.no_such_door,"
    " w.body FROM address_question q JOIN person_words w USING (company_id, words_id)"
    f" WHERE q.company_id = {HERE}"
)


async def settle(c: asyncpg.Connection, company: int, at: datetime, placed: Placed) -> None:
    """Close the open question of a ticket that a person placed without the queue, in the caller's
    transaction."""
    await c.execute(
        "UPDATE address_question SET answered_at = $3, answered_by = $4, building_id = $5,"
        " household_id = $6 WHERE company_id = $1 AND reference = $2 AND answered_at IS NULL",
        company,
        placed.reference,
        at,
        placed.by,
        placed.building,
        placed.household,
    )
