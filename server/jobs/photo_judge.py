"""The photo process: takes up photos that wait, has them looked at, finds their twins, and writes
the verdict; what cannot be judged goes to a person."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable

import msgspec

from dispatch_core.commands import JudgePhoto
from dispatch_core.errors import NotFound, Refused, Unavailable
from dispatch_core.events import Twin
from dispatch_core.evidence import Likeness, judge
from dispatch_core.ids import UnjudgedReason
from server.adapters.evidence_jobs import (
    ACTOR,
    Busy,
    EvidenceJobs,
    Gone,
    PhotoJob,
    Record,
    Seen,
)
from server.adapters.photos import Photos
from server.jobs.photo_asks import Compare, Compared, Look
from server.jobs.photo_facts import facts_of, window_of
from server.jobs.photo_index import PhotoIndex
from server.jobs.worker import Died, Worker

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
COMPANIES_EVERY_S = 5.0
TRIES = 2
"""A photo that brings a worker down twice, or is too slow twice, goes to a person."""
LOOK_CPU_S, LOOK_WITHIN_S = 4.0, 10.0
COMPARE_CPU_S, COMPARE_WITHIN_S = 10.0, 30.0
AWAY_S = 15.0
"""Until a store of photos that is away is asked again."""
SOON_S = 1.0
DEFECT_S = 60.0
ENOUGH = 40
"""Agreeing points after which nobody looks further; twice what accuses."""

Companies = Callable[[], Awaitable[Iterable[int]]]


class PhotoJudge:
    """All photos of an installation, judged by one process at a time."""

    def __init__(
        self, jobs: EvidenceJobs, photos: Photos, companies: Companies, workers: list[Worker]
    ) -> None:
        self._jobs = jobs
        self._photos = photos
        self._companies = companies
        self._indexes: dict[int, PhotoIndex] = {}
        self._idle: asyncio.Queue[Worker] = asyncio.Queue()
        for worker in workers:
            self._idle.put_nowait(worker)

    async def run(self) -> None:
        """Until cancelled, or until the database is away or another process leads."""
        async with asyncio.TaskGroup() as tasks:
            known_for = COMPANIES_EVERY_S
            while True:
                if known_for >= COMPANIES_EVERY_S:
                    await self._jobs.load_clock()
                    await self._open_indexes()
                    known_for = 0.0
                busy = await self.round(tasks)
                if not busy:
                    await asyncio.sleep(LOOK_EVERY_S)
                known_for += LOOK_EVERY_S

    async def _open_indexes(self) -> None:
        """What waits is taken back first: an earlier process adds nothing after that."""
        for company in await self._companies():
            if company not in self._indexes:
                await self._jobs.take_back(company)
                index = PhotoIndex(company, self._jobs)
                await index.load()
                self._indexes[company] = index

    async def round(self, tasks: asyncio.TaskGroup) -> bool:
        """Start one photo of each company for which a worker is free; whether there was one."""
        found = False
        for company in list(self._indexes):
            worker = await self._idle.get()
            try:
                jobs = await self._jobs.take(company, 1)
            except BaseException:
                self._idle.put_nowait(worker)
                raise
            if not jobs:
                self._idle.put_nowait(worker)
                continue
            found = True
            tasks.create_task(self._with(worker, company, jobs[0]))
        return found

    async def _with(self, worker: Worker, company: int, job: PhotoJob) -> None:
        try:
            await self._or_a_defect(worker, company, job)
        except Gone:
            log.info("photo %s of %s is another process's now", job.photo, job.ticket)
        finally:
            self._idle.put_nowait(worker)

    async def _or_a_defect(self, worker: Worker, company: int, job: PhotoJob) -> None:
        """One photo's trouble keeps no other from its verdict, and itself from no person's eyes.
        Raises Gone; Unavailable, the database: whoever leads next goes on."""
        try:
            await self._one(worker, company, job)
        except (Gone, Unavailable):
            raise
        except Exception as defect:
            log.exception("photo %s of %s", job.photo, job.ticket)
            said = f"{type(defect).__name__}: {defect}"
            last = job.tries >= TRIES
            if not last or not await self._told_of_defect(company, job):
                await self._jobs.put_back(company, job, said, after_s=DEFECT_S, free=last)

    async def _told_of_defect(self, company: int, job: PhotoJob) -> bool:
        try:
            await self._give_up(company, job, "defect")
        except (Gone, Unavailable):
            raise
        except Exception:
            log.exception("photo %s of %s cannot be given up", job.photo, job.ticket)
            return False
        return True

    async def _one(self, worker: Worker, company: int, job: PhotoJob) -> None:
        """One photo to its verdict, back to those that wait, or to a person."""
        if job.tries > TRIES:  # this very process went down with it
            await self._give_up(company, job, "killed")
            return
        try:
            data = (await self._photos.read(company, job.photo)).data
            look = await self._look(worker, data)
            likeness = await self._alike(worker, company, job, look)
        except Died as died:
            log.warning("photo %s of %s: %s", job.photo, job.ticket, died)
            await self._again(company, job, "too_slow" if died.slow else "killed", str(died))
        except (NotFound, Unavailable) as away:
            if away.code == "photos_away":
                said = away.detail
                await self._jobs.put_back(company, job, said, after_s=AWAY_S, free=True)
            elif away.code in {"photo_lost", "no_such_photo"}:
                await self._again(company, job, "unreadable", away.detail)
            else:
                raise
        except Refused as refused:
            log.info("photo %s of %s: %s", job.photo, job.ticket, refused.detail)
            await self._give_up(company, job, "too_large")
        except RuntimeError as defect:
            log.exception("photo %s of %s", job.photo, job.ticket)
            await self._again(company, job, "unreadable", str(defect))
        else:
            await _unhurried(
                lambda: self._jobs.judge(
                    company, job, lambda record: _verdict(job, look, likeness, record)
                )
            )

    async def _look(self, worker: Worker, data: bytes) -> Look:
        done = await worker.ask("look", data, cpu_s=LOOK_CPU_S, within_s=LOOK_WITHIN_S)
        return msgspec.msgpack.decode(done.body, type=Look)

    async def _again(self, company: int, job: PhotoJob, why: UnjudgedReason, said: str) -> None:
        if job.tries >= TRIES:
            await self._give_up(company, job, why)
        else:
            await self._jobs.put_back(company, job, said, after_s=SOON_S, free=False)

    async def _give_up(self, company: int, job: PhotoJob, why: UnjudgedReason) -> None:
        """To a person, who is told of an earlier use of the file even so."""
        same = await self._same_bytes(company, job)
        tries = min(job.tries, TRIES)
        await _unhurried(lambda: self._jobs.give_up(company, job, why, tries, same))

    async def _same_bytes(self, company: int, job: PhotoJob) -> Twin | None:
        return await self._jobs.same_bytes(company, job, await self._jobs.held(company, job))

    # ---------------------------------------------------------------- likeness
    async def _alike(self, worker: Worker, company: int, job: PhotoJob, look: Look) -> Likeness:
        """What earlier photo it shows again, by its bytes, by eye, or by its points. Of the same
        round only those count that still stand in a slot."""
        if not look.decoded:
            return Likeness(same_bytes=await self._same_bytes(company, job))
        number, bits = await self._indexes[company].seen(
            job, look.hashes, look.quality, look.points
        )
        held = await self._jobs.held(company, job)
        same = await self._jobs.same_bytes(company, job, held)
        seen = {
            n: photo for n, photo in (await self._jobs.seen(company, bits)).items()
            if photo.round_of != job.round_of or held.get(photo.slot) == photo.photo
        }  # fmt: skip
        eye, sibling = _sorted_out(job, seen, bits)
        others = await self._jobs.near(company, job, number)
        if eye is not None:
            others = [eye, *(other for other in others if other.seq != eye.seq)]
        best, inliers = await self._compared(worker, look, others)
        return Likeness(
            twin=None if eye is None else _named(eye, bits=bits[eye.seq]),
            scene=None if best is None else _named(best, inliers=inliers),
            sibling=None if sibling is None else _named(sibling, bits=bits[sibling.seq]),
            same_bytes=same,
        )

    async def _compared(
        self, worker: Worker, look: Look, others: list[Seen]
    ) -> tuple[Seen | None, int]:
        others = [other for other in others if other.points]
        if not others or not look.points:
            return None, 0
        asked = Compare(
            points=look.points, mirrored=look.mirrored, others=[o.points for o in others],
            enough=ENOUGH,
        )  # fmt: skip
        done = await worker.ask(
            "compare", msgspec.msgpack.encode(asked), cpu_s=COMPARE_CPU_S,
            within_s=COMPARE_WITHIN_S,
        )  # fmt: skip
        found = msgspec.msgpack.decode(done.body, type=Compared)
        return (None if found.best is None else others[found.best]), found.inliers


async def _unhurried(write: Callable[[], Awaitable[None]]) -> None:
    """Writes once nobody else does."""
    while True:
        try:
            await write()
        except Busy:
            await asyncio.sleep(0.02)
        else:
            return


def _sorted_out(
    job: PhotoJob, seen: dict[int, Seen], bits: dict[int, int]
) -> tuple[Seen | None, Seen | None]:
    """(the nearest other photo, the nearest of the same ticket in another slot). One taken again
    for the same slot is neither."""
    others, siblings = [], []
    for number, photo in seen.items():
        if photo.round_of != job.round_of:
            others.append((bits[number], number))
        elif photo.slot != job.slot:
            siblings.append((bits[number], number))
    return (
        seen[min(others)[1]] if others else None,
        seen[min(siblings)[1]] if siblings else None,
    )


def _named(photo: Seen, *, bits: int | None = None, inliers: int | None = None) -> Twin:
    return Twin(photo=photo.photo, ticket=photo.ticket, slot=photo.slot, bits=bits, inliers=inliers)


def _verdict(job: PhotoJob, look: Look, likeness: Likeness, record: Record) -> JudgePhoto:
    facts = facts_of(look, record)
    found = judge(facts, window_of(record), likeness, record.policy.evidence)
    return JudgePhoto(
        ticket=record.label, slot=job.slot, photo=job.photo, verdict=found.verdict,
        checks=found.checks, twin=found.twin, trust=found.trust, by=ACTOR,
        camera_at_ms=facts.exif_at_ms, gps_at_ms=facts.gps_at_ms,
    )  # fmt: skip
