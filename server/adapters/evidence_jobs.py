"""What the photo process reads and writes: photos that wait, photos that were seen, verdicts."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg
import msgspec

from dispatch_core import events, evidence
from dispatch_core.commands import GiveUpPhoto, JudgePhoto
from dispatch_core.events import CheckedIn, CheckedOut, Event, PhotoTaken, TicketLabel, Twin
from dispatch_core.evidence import SiteRecord
from dispatch_core.ids import CrewId, PhotoId, Slot, TicketId, UnjudgedReason
from dispatch_core.tickets import Ticket
from geo.outlines import Outline
from server.adapters import fix_checks, journal, lease
from server.adapters.clock import BusinessClock, system_now
from server.adapters.idempotency import stream_lock, try_locks
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.ports import CityPolicy

ACTOR = "system:photo"
LEASE = "photo"
GROUNDS = "the checks of a photo"
OF_BUILDING = 100
OF_CREW = 200
"""So many earlier photos of the same building and of the same crew are compared, newest first."""
_PAGE = 50_000


class Busy(Exception):  # noqa: N818
    """Somebody else writes on the record just now: ask again."""


class Gone(Exception):  # noqa: N818
    """The photo is no longer ours: another process has taken over."""


class PhotoJob(NamedTuple):
    """A photo that was taken up to be judged."""

    job: int
    ticket: TicketId
    slot: Slot
    photo: PhotoId
    round: int
    crew: CrewId
    building: str | None
    taken_at: datetime
    tries: int
    """With this one."""

    @property
    def round_of(self) -> tuple[TicketId, int]:
        """The ticket's round."""
        return self.ticket, self.round


class Seen(NamedTuple):
    """An earlier photo; `points` only where they were asked for."""

    seq: int
    ticket: TicketId
    round: int
    slot: Slot
    photo: PhotoId
    points: bytes = b""

    @property
    def round_of(self) -> tuple[TicketId, int]:
        """The ticket's round."""
        return self.ticket, self.round


class Record(msgspec.Struct, frozen=True, kw_only=True):
    """What stands about a photo when it is judged."""

    label: TicketLabel
    taken: PhotoTaken
    taken_at_ms: int
    """When it arrived, by the server."""
    ins: dict[int, tuple[CheckedIn, int]]
    """Visit -> the check-in and when it arrived, milliseconds."""
    outs: dict[int, tuple[CheckedOut, int]]
    outline: Outline | None
    """Of the building, else the place."""
    policy: CityPolicy


Decide = Callable[[Record], JudgePhoto]
Command = Callable[
    [asyncpg.Connection, dict[str, journal.StreamHead], CityPolicy],
    Awaitable[JudgePhoto | GiveUpPhoto],
]


class EvidenceJobs:
    """One leadership's jobs: what another process took up is not touched."""

    def __init__(
        self, pool: Pool, clock: BusinessClock, key: bytes, policies: Policies, generation: int
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._key = key
        self._policies = policies
        self._generation = generation

    async def load_clock(self) -> None:
        """Take up a moved business clock."""
        await self._clock.load(self._pool)

    # ---------------------------------------------------------------- waiting photos
    async def take_back(self, company: int) -> None:
        """What an earlier process had taken up waits again; it has cost a try."""
        async with self._pool.company(company) as c:
            await c.execute(
                "UPDATE evidence_job SET state = 'waiting', taken_by = NULL"
                " WHERE company_id = $1 AND state = 'taken'",
                company,
            )

    async def take(self, company: int, most: int) -> list[PhotoJob]:
        """Take up those that waited longest. Raises lease.Lost: whoever leads now takes back what
        it finds taken, once, and would never see this."""
        async with self._pool.company(company) as c:
            rows = await c.fetch(
                "WITH due AS (SELECT job_id FROM evidence_job WHERE company_id = $1"
                "   AND state = 'waiting' AND due_at <= now() ORDER BY job_id LIMIT $2"
                "   FOR UPDATE SKIP LOCKED),"
                " taken AS (UPDATE evidence_job j SET state = 'taken', taken_by = $3,"
                "   tries = tries + 1 FROM due WHERE j.company_id = $1 AND j.job_id = due.job_id"
                "   RETURNING j.*)"
                " SELECT t.job_id, t.ticket_id, t.slot, t.photo_id, t.round, t.crew_id,"
                "   ticket.building_id, t.taken_at, t.tries FROM taken t"
                " LEFT JOIN ticket USING (company_id, ticket_id) ORDER BY t.job_id",
                company, most, self._generation,
            )  # fmt: skip
            if rows and (await lease.read(c, LEASE))[0] != self._generation:
                raise lease.Lost
        return [PhotoJob(*row) for row in rows]

    async def put_back(
        self, company: int, job: PhotoJob, said: str, *, after_s: float, free: bool
    ) -> None:
        """It waits again; `free`: this was no fault of the photo's and has cost no try."""
        async with self._pool.company(company) as c:
            await c.execute(
                "UPDATE evidence_job SET state = 'waiting', taken_by = NULL, said = $4,"
                " tries = tries - $5, due_at = now() + make_interval(secs => $6)"
                " WHERE company_id = $1 AND job_id = $2 AND state = 'taken' AND taken_by = $3",
                company, job.job, self._generation, said, int(free), after_s,
            )  # fmt: skip

    # ---------------------------------------------------------------- photos that were seen
    async def hashes(self, company: int) -> AsyncIterator[tuple[list[int], bytes]]:
        """Every photo ever seen, in order: (their numbers, 32 bytes of each)."""
        last = 0
        while True:
            async with self._pool.company(company, readonly=True) as c:
                rows = await c.fetch(
                    "SELECT seq, hash FROM photo_hash WHERE company_id = $1 AND seq > $2"
                    " ORDER BY seq LIMIT $3",
                    company, last, _PAGE,
                )  # fmt: skip
            if not rows:
                return
            last = rows[-1][0]
            yield [row[0] for row in rows], b"".join(row[1] for row in rows)

    async def remember(
        self, company: int, job: PhotoJob, hash_: bytes, quality: int, points: bytes
    ) -> tuple[int, bool]:
        """(the photo's number among all that were seen, whether it is new). Raises Gone."""
        async with self._pool.company(company) as c:
            await self._held(c, company, job)
            seq = await c.fetchval(
                "INSERT INTO photo_hash (company_id, ticket_id, round, slot, photo_id, crew_id,"
                " building_id, hash, quality) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                " ON CONFLICT DO NOTHING RETURNING seq",
                company, job.ticket, job.round, job.slot, job.photo, job.crew, job.building,
                hash_, quality,
            )  # fmt: skip
            if seq is not None:
                await c.execute(
                    "INSERT INTO photo_features (company_id, photo_id, points)"
                    " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                    company, job.photo, points,
                )  # fmt: skip
                return seq, True
            known: int = await c.fetchval(
                "SELECT seq FROM photo_hash WHERE company_id = $1 AND ticket_id = $2"
                " AND round = $3 AND slot = $4 AND photo_id = $5",
                company, job.ticket, job.round, job.slot, job.photo,
            )  # fmt: skip
            return known, False

    async def _held(self, c: asyncpg.Connection, company: int, job: PhotoJob) -> None:
        """Lock the job's row: from here to the commit nobody can take it over. Raises Gone."""
        held = await c.fetchval(
            "SELECT true FROM evidence_job WHERE company_id = $1 AND job_id = $2"
            " AND state = 'taken' AND taken_by = $3 FOR UPDATE",
            company, job.job, self._generation,
        )  # fmt: skip
        if not held:
            raise Gone

    async def seen(self, company: int, numbers: Collection[int]) -> dict[int, Seen]:
        """The photos of these numbers, with their points."""
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT h.seq, h.ticket_id, h.round, h.slot, h.photo_id, f.points"
                " FROM photo_hash h JOIN photo_features f USING (company_id, photo_id)"
                " WHERE h.company_id = $1 AND h.seq = ANY($2::bigint[])",
                company, list(numbers),
            )  # fmt: skip
        return {row[0]: Seen(*row) for row in rows}

    async def held(self, company: int, job: PhotoJob) -> dict[Slot, PhotoId]:
        """The photos that stand in the slots of the job's round now."""
        async with self._pool.company(company, readonly=True) as c:
            heads = await journal.load_heads(c, [f"evidence:{job.ticket}"])
        record: SiteRecord = heads[f"evidence:{job.ticket}"].state
        return {slot: p.photo for slot, p in record.photos.items() if p.round == job.round}

    async def same_bytes(
        self, company: int, job: PhotoJob, held: Mapping[Slot, PhotoId]
    ) -> Twin | None:
        """The first use of these very bytes elsewhere, whatever became of it; within the same round
        only where it still stands in another slot."""
        beside = [slot for slot, photo in held.items() if photo == job.photo]
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(
                "SELECT photo_id, ticket_id, slot FROM evidence_job"
                " WHERE company_id = $1 AND photo_id = $2 AND job_id < $3"
                " AND (ticket_id, round, slot) <> ($4, $5, $6)"
                " AND ((ticket_id, round) <> ($4, $5) OR slot = ANY($7::text[]))"
                " ORDER BY job_id LIMIT 1",
                company, job.photo, job.job, job.ticket, job.round, job.slot, beside,
            )  # fmt: skip
        return None if row is None else Twin(photo=row[0], ticket=row[1], slot=row[2], bits=0)

    async def near(self, company: int, job: PhotoJob, before: int) -> list[Seen]:
        """Earlier photos of the same building, then of the same crew, newest first; none of the
        same ticket's present round."""
        found: dict[int, Seen] = {}
        async with self._pool.company(company, readonly=True) as c:
            for column, value, most in (
                ("building_id", job.building, OF_BUILDING), ("crew_id", job.crew, OF_CREW),
            ):  # fmt: skip
                rows = await c.fetch(
                    "SELECT h.seq, h.ticket_id, h.round, h.slot, h.photo_id, f.points"
                    f" FROM (SELECT * FROM photo_hash WHERE company_id = $1 AND {column} = $2"
                    "   AND seq < $3 AND (ticket_id, round) <> ($4, $5)"
                    "   ORDER BY seq DESC LIMIT $6) h"
                    " JOIN photo_features f USING (company_id, photo_id) ORDER BY h.seq DESC",
                    company, value, before, job.ticket, job.round, most,
                )  # fmt: skip
                found.update((row[0], Seen(*row)) for row in rows if row[0] not in found)
        return list(found.values())

    # ---------------------------------------------------------------- the verdict
    async def judge(self, company: int, job: PhotoJob, decide: Decide) -> None:
        """Write what `decide` makes of the record, and that the photo is done, in one commit.

        Raises Busy, Gone; Unavailable.
        """

        async def verdict(
            c: asyncpg.Connection, heads: dict[str, journal.StreamHead], policy: CityPolicy
        ) -> JudgePhoto:
            return decide(await self._record(c, company, job, heads, policy))

        await self._commit(company, job, verdict)

    async def give_up(
        self, company: int, job: PhotoJob, why: UnjudgedReason, tries: int, twin: Twin | None
    ) -> None:
        """Write that a person must look at it. Raises as `judge`."""

        async def unjudged(
            _: asyncpg.Connection, heads: dict[str, journal.StreamHead], __: CityPolicy
        ) -> GiveUpPhoto:
            ticket: Ticket = heads[f"ticket:{job.ticket}"].state
            return GiveUpPhoto(
                ticket=ticket.label, slot=job.slot, photo=job.photo, why=why, tries=tries,
                by=ACTOR, twin=twin,
            )  # fmt: skip

        await self._commit(company, job, unjudged)

    async def _commit(self, company: int, job: PhotoJob, command: Command) -> None:
        stream = f"evidence:{job.ticket}"
        async with self._pool.company(company) as c:
            if not await try_locks(c, [stream_lock(company, stream)]):
                raise Busy
            await self._held(c, company, job)
            now = self._clock.now()
            heads = await journal.load_heads(c, [stream, f"ticket:{job.ticket}"])
            policy = await self._policies.at(company, now)
            writes = journal.Writes(company, self._key, now, system_now())
            writes.heads[stream] = heads[stream]
            facts = evidence.decide(heads[stream].state, await command(c, heads, policy), now)
            writes.append(stream, facts, actor=ACTOR, grounds=GROUNDS, policy=policy.version)
            await writes.flush(c)
            await c.execute(
                "UPDATE evidence_job SET state = 'done', said = NULL"
                " WHERE company_id = $1 AND job_id = $2",
                company, job.job,
            )  # fmt: skip

    async def _record(
        self, c: asyncpg.Connection, company: int, job: PhotoJob,
        heads: dict[str, journal.StreamHead], policy: CityPolicy,
    ) -> Record:  # fmt: skip
        ticket: Ticket = heads[f"ticket:{job.ticket}"].state
        told = await _facts(c, company, f"evidence:{job.ticket}")
        taken, at = _taken(told, job)
        return Record(
            label=ticket.label, taken=taken, taken_at_ms=at,
            ins={e.visit: (e, ms) for e, ms in told if isinstance(e, CheckedIn)},
            outs={e.visit: (e, ms) for e, ms in told if isinstance(e, CheckedOut)},
            outline=await fix_checks.outline_at(c, company, job.ticket),
            policy=policy,
        )  # fmt: skip


async def _facts(c: asyncpg.Connection, company: int, stream: str) -> list[tuple[Event, int]]:
    """Check-ins, check-outs and photos of a record, each with its time in milliseconds."""
    rows: Sequence[Any] = await c.fetch(
        "SELECT kind, v, body, extract(epoch FROM business_at) * 1000 FROM journal"
        " WHERE company_id = $1 AND stream = $2 AND kind = ANY($3::text[]) ORDER BY version",
        company, stream, [events.kind_of(kind) for kind in (CheckedIn, CheckedOut, PhotoTaken)],
    )  # fmt: skip
    return [(events.decode(row[0], row[1], row[2].encode()), int(row[3])) for row in rows]


def _taken(told: Sequence[tuple[Event, int]], job: PhotoJob) -> tuple[PhotoTaken, int]:
    """The fact that this job is about: the last one that fits it."""
    for event, at in reversed(told):
        if isinstance(event, PhotoTaken) and (event.photo, event.slot, event.round) == (
            job.photo, job.slot, job.round,
        ):  # fmt: skip
            return event, at
    raise LookupError(f"no fact says that {job.ticket} has this photo")
