"""Carries use cases out: one at a time when idle,
in groups of one company when several are in flight.

A group is one transaction: try-locks on keys and streams in sorted order, stored answers, load,
decide each, bulk write. What cannot get its key is in flight elsewhere (409); what cannot get its
stream waits for the next group; a refused one writes nothing.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from dispatch_core.errors import Conflict, Invalid, Refused, Unavailable
from server.adapters import journal, plan_store
from server.adapters.accounts import Principal
from server.adapters.address_questions import settle
from server.adapters.clock import BusinessClock, system_now
from server.adapters.doors import door_locks
from server.adapters.idempotency import (
    Answer,
    Answered,
    Key,
    in_flight,
    key_lock,
    save_answers,
    stored_answers,
    stream_lock,
    try_locks,
)
from server.adapters.loading import load
from server.adapters.messages import save_messages
from server.adapters.pool import AWAY, Pool, unavailable
from server.adapters.residents import save_secrets
from server.adapters.vault import Vault
from server.ports import Decision, Loaded, UseCase, Wanted

log = logging.getLogger(__name__)

GROUP = 128
ROUNDS = 400
MOST_WAITING = 2000
"""Commands of a company that wait in one process: some two seconds of work. More are sent away,
rather than left to wait for longer than anybody does."""


Ask = Callable[[asyncpg.Connection, int, str, str, str, Any, datetime], Awaitable[object]]
"""Asks where an address is, in the transaction of what it belongs to: connection, company, origin,
reference, the typed text, the address book's answer, business time."""


@dataclass(eq=False)
class Job:
    """One command on its way."""

    principal: Principal
    asked: Key
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


class Commits:
    """The one writer of a process. `run` must be running while `submit` is used."""

    def __init__(
        self,
        pool: Pool,
        clock: BusinessClock,
        vault: Vault,
        journal_key: bytes,
        ask: Ask | None = None,
    ) -> None:
        """`ask` puts addresses that found no door into the queue."""
        self._ask = ask
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
            Refused: by the use case, `key_in_flight`, `key_reused`, `too_busy` or
            `database_unavailable`;
            nothing was written, except that an unavailable database may have committed and lost the
            answer: the same key tells.
        """
        done = asyncio.get_running_loop().create_future()
        asked = Key(principal.actor, route, key)
        job = Job(principal, asked, self._vault.keyed(body_hash), use_case, done)
        queue = self._queues.get(principal.company)
        if queue is None:
            queue = self._queues[principal.company] = asyncio.Queue(MOST_WAITING)
            self._new.put_nowait(principal.company)
        try:
            queue.put_nowait(job)
        except asyncio.QueueFull:
            raise Unavailable(
                "too_busy",
                f"{MOST_WAITING} requests are waiting to be written already.",
                "Send the same request again with the same Idempotency-Key in a few seconds.",
            ) from None
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
        except AWAY as error:
            for job in group.jobs:
                _fail(job, unavailable(error))
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
                try:
                    job.wanted = job.use_case.wanted()
                except Refused as refused:  # it names what nothing can be called
                    group.refused[job] = refused
            await self._lock(c, group)
            await self._stored_answers(c, group)
            jobs = group.left
            if not jobs:
                return
            writes = journal.Writes(
                group.company, self._key, self._clock.now(), system_now(),
                await journal.load_heads(c, {s for j in jobs for s in j.wanted.streams}),
            )  # fmt: skip
            loaded = await load(c, group.company, [j.wanted for j in jobs], writes.heads)
            decided: list[tuple[Job, Decision]] = []
            for job in jobs:
                try:
                    await self._second_round(c, group, job, loaded, writes)
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
            await self._save(c, group, decided, writes.business_at)

    @staticmethod
    async def _lock(c: asyncpg.Connection, group: _Group) -> None:
        keys = {job: key_lock(group.company, job.asked) for job in group.jobs}
        seen: set[int] = set()
        for job in group.jobs:
            # the same key twice in one group: the second is in flight behind the first
            if keys[job] in seen:
                group.refused[job] = in_flight()
            seen.add(keys[job])
        streams = {s: stream_lock(group.company, s) for j in group.left for s in _locked(j.wanted)}
        got = await try_locks(c, {*(keys[j] for j in group.left), *streams.values()})
        for job in group.left:
            if keys[job] not in got:
                group.refused[job] = in_flight()
            elif any(streams[s] not in got for s in _locked(job.wanted)):
                group.again.append(job)

    @staticmethod
    async def _stored_answers(c: asyncpg.Connection, group: _Group) -> None:
        jobs = group.left
        if not jobs:
            return
        known = await stored_answers(c, group.company, {j.asked: j.body_hash for j in jobs})
        for job in jobs:
            match known.get(job.asked):
                case Invalid() as refusal:
                    group.refused[job] = refusal
                case Answer() as answer:
                    group.answers[job] = answer
                case None:
                    pass

    @staticmethod
    async def _second_round(
        c: asyncpg.Connection, group: _Group, job: Job, loaded: Loaded, writes: journal.Writes
    ) -> None:
        """Load streams that are only known now, e.g. the crew a ticket is taken from."""
        more = job.use_case.more(loaded)
        missing = [s for s in more.streams if s not in job.wanted.streams]
        if not missing:
            return
        locks = {stream_lock(group.company, s) for s in missing}
        if await try_locks(c, locks) != locks:
            group.again.append(job)
            return
        new = [s for s in missing if s not in writes.heads]
        writes.heads.update(await journal.load_heads(c, new))

    async def _save(
        self,
        c: asyncpg.Connection,
        group: _Group,
        decided: list[tuple[Job, Decision]],
        now: datetime,
    ) -> None:
        if not decided:
            return
        persons = [p for _, d in decided for p in d.persons]
        texts = [t for _, d in decided for t in d.texts]
        await save_secrets(c, group.company, self._vault, persons, texts)
        messages = [m for _, d in decided for m in d.messages]
        await save_messages(c, group.company, self._vault, now, messages)
        for ask in (a for _, d in decided for a in d.asks):
            if self._ask is not None:
                await self._ask(
                    c, group.company, "request", ask.reference, ask.text, ask.found, now
                )
        for placed in (d.placed for _, d in decided if d.placed):
            await settle(c, group.company, now, placed)
        kept = {digest for _, d in decided for digest in d.keeps}
        await plan_store.keep(c, group.company, kept)
        told = [fact for _, d in decided for fact in d.told]
        if told:
            await journal.tell(c, group.company, now, told)
        for job, decision in decided:
            body = msgspec.json.encode(decision.answer)
            group.answers[job] = Answer(decision.status, body, stored=False)
        await save_answers(
            c,
            group.company,
            [Answered(job.asked, job.body_hash, group.answers[job]) for job, _ in decided],
        )


def _locked(wanted: Wanted) -> list[str]:
    """The names under which a use case's streams and doors are locked."""
    return [*wanted.streams, *(lock for door in wanted.doors for lock in door_locks(door))]


def _fail(job: Job, error: Exception) -> None:
    if not job.done.done():
        job.done.set_exception(error)
