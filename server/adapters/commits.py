"""Carries use cases out: one at a time when idle,
in groups of one company when several are in flight.

A group is one transaction: try-locks on keys and streams in sorted order, stored answers, load,
decide each, bulk write. What cannot get its key is in flight elsewhere (409); what cannot get its
stream waits for the next group; a refused one writes nothing.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import asyncpg
import msgspec

from dispatch_core.errors import Conflict, Invalid, Refused
from server.adapters import journal
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock, system_now
from server.adapters.pool import AWAY, Pool, unavailable
from server.adapters.register import load_buildings, load_nodes
from server.adapters.vault import Vault
from server.ports import Decision, Loaded, UseCase, Wanted

log = logging.getLogger(__name__)

GROUP = 128
ROUNDS = 400


class Answer(NamedTuple):
    """What the caller gets; `stored` when it is the answer to an earlier, identical request."""

    status: int
    body: bytes
    stored: bool


@dataclass(eq=False)
class Job:
    """One command on its way."""

    principal: Principal
    route: str
    key: str
    body_hash: bytes
    use_case: UseCase
    done: asyncio.Future[Answer]
    wanted: Wanted = field(default_factory=Wanted)
    rounds: int = 0


@dataclass
class _Group:
    company: int
    jobs: list[Job]
    answers: dict[Job, Answer] = field(default_factory=dict)
    refused: dict[Job, Refused] = field(default_factory=dict)
    again: list[Job] = field(default_factory=list)

    @property
    def left(self) -> list[Job]:
        """Jobs without an outcome yet."""
        return [
            j
            for j in self.jobs
            if j not in self.answers and j not in self.refused and j not in self.again
        ]


def lock_id(name: str) -> int:
    """A 64-bit advisory lock for a name."""
    return int.from_bytes(
        hashlib.blake2b(name.encode(), digest_size=8).digest(), "big", signed=True
    )


class Commits:
    """The one writer of a process. `run` must be running while `submit` is used."""

    def __init__(self, pool: Pool, clock: BusinessClock, vault: Vault, journal_key: bytes) -> None:
        self._pool = pool
        self._clock = clock
        self._vault = vault
        self._key = journal_key
        self._queues: dict[int, asyncio.Queue[Job]] = {}
        self._new: asyncio.Queue[int] = asyncio.Queue()

    async def submit(
        self, principal: Principal, route: str, key: str, body_hash: bytes, use_case: UseCase
    ) -> Answer:
        """Decide and commit; returns after the commit.

        Raises:
            Refused: by the use case, `key_in_flight`, `key_reused` or `database_unavailable`;
            nothing was written, except that an unavailable database may have committed and lost the
            answer: the same key tells.
        """
        job = Job(
            principal, route, key, body_hash, use_case, asyncio.get_running_loop().create_future()
        )
        queue = self._queues.get(principal.company)
        if queue is None:
            queue = self._queues[principal.company] = asyncio.Queue()
            self._new.put_nowait(principal.company)
        queue.put_nowait(job)
        return await job.done

    async def run(self) -> None:
        """Work for ever, one worker per company."""
        async with asyncio.TaskGroup() as workers:
            while True:
                company = await self._new.get()
                workers.create_task(self._work(company))

    async def _work(self, company: int) -> None:
        queue = self._queues[company]
        again: list[Job] = []
        while True:
            jobs = again or [await queue.get()]
            while len(jobs) < GROUP and not queue.empty():
                jobs.append(queue.get_nowait())
            again = await self._commit(company, jobs)
            if again:
                await asyncio.sleep(0.005)

    async def _commit(self, company: int, jobs: list[Job]) -> list[Job]:
        """Commit a group; on a lost race or one bad apple, each alone.
        Returns the jobs to try again."""
        group = _Group(company, [j for j in jobs if not j.done.done()])
        try:
            await self._transaction(group)
        except (
            asyncpg.UniqueViolationError,
            asyncpg.SerializationError,
            asyncpg.DeadlockDetectedError,
        ):
            return self._retry(jobs)
        except Refused as refused:
            for job in group.jobs:
                _fail(job, refused)
            return []
        except AWAY:
            for job in group.jobs:
                _fail(job, unavailable())
            return []
        except Exception as error:
            if len(group.jobs) > 1:
                log.exception("a group of %s failed; each is tried alone", len(group.jobs))
                left: list[Job] = []
                for job in group.jobs:
                    left += await self._commit(company, [job])
                return left
            _fail(group.jobs[0], error)
            return []
        for job, refusal in group.refused.items():
            _fail(job, refusal)
        for job, answer in group.answers.items():
            if not job.done.done():
                job.done.set_result(answer)
        return self._retry(group.again)

    def _retry(self, jobs: list[Job]) -> list[Job]:
        for job in jobs:
            job.rounds += 1
            if job.rounds > ROUNDS:
                _fail(
                    job,
                    Conflict(
                        "busy",
                        "The same record is being changed all the time.",
                        "Send the same request again.",
                    ),
                )
        return [job for job in jobs if not job.done.done()]

    async def _transaction(self, group: _Group) -> None:
        async with self._pool.company(group.company) as c:
            for job in group.jobs:
                job.wanted = job.use_case.wanted()
            await self._lock(c, group)
            await self._stored_answers(c, group)
            jobs = group.left
            if not jobs:
                return
            writes = journal.Writes(
                group.company, self._key, self._clock.now(), system_now(),
                await journal.load_heads(c, {s for j in jobs for s in j.wanted.streams}),
            )  # fmt: skip
            buildings = await load_buildings(c, {b for j in jobs for b in j.wanted.buildings})
            nodes = await load_nodes(c, {n for j in jobs for n in j.wanted.nodes})
            decided: list[tuple[Job, Decision]] = []
            for job in jobs:
                loaded = Loaded(
                    {s: (h.state, h.version) for s, h in writes.heads.items()}, buildings, nodes
                )
                try:
                    loaded = await self._second_round(c, group, job, loaded, writes)
                    if job in group.again:
                        continue
                    decision = job.use_case.decide(loaded, writes.business_at)
                except Refused as refused:
                    group.refused[job] = refused
                    continue
                for stream, new in decision.appends.items():
                    writes.append(
                        stream, new, actor=job.principal.actor, grounds=decision.grounds,
                        policy=decision.policy, source=decision.source,
                    )  # fmt: skip
                decided.append((job, decision))
            await writes.flush(c)
            await self._save(c, group, decided)

    async def _lock(self, c: asyncpg.Connection, group: _Group) -> None:
        keys = {
            job: lock_id(f"k/{group.company}/{job.principal.actor}/{job.route}/{job.key}")
            for job in group.jobs
        }
        seen: set[int] = set()
        for job in (
            group.jobs
        ):  # the same key twice in one group: the second is in flight behind the first
            if keys[job] in seen:
                group.refused[job] = _in_flight()
            seen.add(keys[job])
        streams = {
            s: lock_id(f"s/{group.company}/{s}") for j in group.left for s in j.wanted.streams
        }
        got = await self._try_locks(c, {*(keys[j] for j in group.left), *streams.values()})
        for job in group.left:
            if keys[job] not in got:
                group.refused[job] = _in_flight()
            elif any(streams[s] not in got for s in job.wanted.streams):
                group.again.append(job)

    @staticmethod
    async def _try_locks(c: asyncpg.Connection, wanted: set[int]) -> set[int]:
        rows = await c.fetch(
            "SELECT k FROM unnest($1::bigint[]) AS k WHERE pg_try_advisory_xact_lock(k)",
            sorted(wanted),
        )
        return {row[0] for row in rows}

    async def _stored_answers(self, c: asyncpg.Connection, group: _Group) -> None:
        jobs = group.left
        if not jobs:
            return
        rows = await c.fetch(
            "SELECT i.principal, i.route, i.key, i.body_hash, i.status, i.answer FROM idempotency i"
            " JOIN unnest($2::text[], $3::text[], $4::text[]) AS k(p, r, key)"
            " ON i.company_id = $1 AND i.principal = k.p AND i.route = k.r AND i.key = k.key",
            group.company,
            [j.principal.actor for j in jobs],
            [j.route for j in jobs],
            [j.key for j in jobs],
        )
        known = {(r[0], r[1], r[2]): r for r in rows}
        for job in jobs:
            row = known.get((job.principal.actor, job.route, job.key))
            if row is None:
                continue
            if row["body_hash"] != job.body_hash:
                group.refused[job] = Invalid(
                    "key_reused",
                    "This Idempotency-Key was used for another request.",
                    "Use a new key for a new request, "
                    "and the old key only to repeat the old one unchanged.",
                )
            else:
                group.answers[job] = Answer(row["status"], row["answer"].encode(), stored=True)

    async def _second_round(
        self, c: asyncpg.Connection, group: _Group, job: Job, loaded: Loaded, writes: journal.Writes
    ) -> Loaded:
        """Streams that are only known now, e.g. the crew a ticket is taken from."""
        more = job.use_case.more(loaded)
        missing = [s for s in more.streams if s not in job.wanted.streams]
        if not missing:
            return loaded
        locks = {s: lock_id(f"s/{group.company}/{s}") for s in missing}
        got = await self._try_locks(c, set(locks.values()))
        if any(lock not in got for lock in locks.values()):
            group.again.append(job)
            return loaded
        new = [s for s in missing if s not in writes.heads]
        writes.heads.update(await journal.load_heads(c, new))
        return Loaded(
            {s: (h.state, h.version) for s, h in writes.heads.items()},
            loaded.buildings,
            loaded.nodes,
        )

    async def _save(
        self, c: asyncpg.Connection, group: _Group, decided: list[tuple[Job, Decision]]
    ) -> None:
        if not decided:
            return
        persons = [p for _, d in decided for p in d.persons]
        texts = [t for _, d in decided for t in d.texts]
        await save_secrets(c, group.company, self._vault, persons, texts)
        rows = []
        for job, decision in decided:
            body = msgspec.json.encode(decision.answer)
            group.answers[job] = Answer(decision.status, body, stored=False)
            rows.append(
                (
                    job.principal.actor,
                    job.route,
                    job.key,
                    job.body_hash,
                    decision.status,
                    body.decode(),
                )
            )
        await c.execute(
            "INSERT INTO idempotency (company_id, principal, route, key, body_hash, status, answer)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::text[], $5::bytea[],"
            " $6::smallint[], $7::text[])",
            group.company,
            *journal.columns(rows),
        )


async def save_secrets(
    c: asyncpg.Connection,
    company: int,
    vault: Vault,
    persons: Collection[Any],
    texts: Collection[Any],
) -> None:
    """Residents and their words, encrypted, in the same transaction as the
    facts that point at them."""
    if persons:
        rows = [
            (
                p.pseudonym,
                vault.seal_person(company, p),
                vault.blind(company, p.name),
                vault.blind(company, p.phone),
            )
            for p in {p.pseudonym: p for p in persons}.values()
        ]
        await c.execute(
            "INSERT INTO person (company_id, pseudonym, body, name_index, phone_index)"
            " SELECT $1, * FROM unnest($2::text[], $3::bytea[], $4::bytea[], $5::bytea[])"
            " ON CONFLICT (company_id, pseudonym) DO NOTHING",
            company,
            *journal.columns(rows),
        )
    if texts:
        await c.execute(
            "INSERT INTO person_words (company_id, words_id, pseudonym, body)"
            " SELECT $1, * FROM unnest($2::text[], $3::text[], $4::bytea[])",
            company,
            *journal.columns(
                [(t.words.id, t.pseudonym, vault.seal_words(company, t)) for t in texts]
            ),
        )


def _in_flight() -> Conflict:
    return Conflict(
        "key_in_flight",
        "A request with this Idempotency-Key is being worked on.",
        "Wait a moment and send it again to get its answer.",
    )


def _fail(job: Job, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)
