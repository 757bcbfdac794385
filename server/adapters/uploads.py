"""Photos that phones send in chunks: how far each is, whoever of the web processes took it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
from datetime import timedelta
from typing import NamedTuple

import asyncpg

from dispatch_core.errors import Conflict, Invalid, NotFound, TooLarge, Unavailable
from dispatch_core.ids import CrewId, PhotoId
from server.adapters.clock import system_now
from server.adapters.pool import Pool
from server.adapters.upload_parts import UploadParts

OPEN_MOST = 64
"""Uploads of one phone that are not finished; one that was offline for days sends one by one."""
STILL = timedelta(hours=1)
"""Where there are so many, the oldest that has not moved for so long gives way to a new one."""
KEPT = timedelta(days=7)
"""Parts that nobody goes on with, and answers that are given again."""
NONCES_KEPT = timedelta(days=60)
"""Words are spent for longer than any policy lets them hold."""


class Held(NamedTuple):
    """An upload as it stands; `asked` is the JSON by which it was begun."""

    upload: str
    crew: CrewId
    device: str
    photo: PhotoId
    asked: bytes
    size: int
    """Bytes of the whole photo."""
    have: int
    done: bytes | None
    """The answer, JSON, once the photo was taken."""
    skew_s: int | None = None
    """The phone's clock minus the server's as it was begun; None: the phone did not say."""


class Uploads:
    """Uploads of every company: rows in the database, bytes in files."""

    def __init__(self, pool: Pool, parts: UploadParts) -> None:
        self._pool = pool
        self.parts = parts

    async def begun(self, company: int, upload: str, body_hash: bytes) -> Held | None:
        """The upload that was begun under the same key with the same body. Raises Invalid
        `key_reused`."""
        async with self._pool.company(company, readonly=True) as c:
            row = await _row(c, company, upload, "body_hash")
        return None if row is None else _same(row, body_hash)

    async def begin(
        self, company: int, ticket: str, new: Held, body_hash: bytes
    ) -> tuple[Held, bool]:
        """(the upload, whether it is new): the same key and body again is the same upload.

        Raises:
            NotFound: `no_such_ticket`. Invalid: `key_reused`. Conflict: `too_many_uploads`.
        """
        gave_way, made = None, False
        async with self._pool.company(company) as c:
            row = await _row(c, company, new.upload, "body_hash")
            if row is None:
                made = True
                gave_way = await self._may_begin(c, company, ticket, new.device)
                await c.execute(
                    "INSERT INTO upload (company_id, upload_id, crew_id, device_id, photo_id,"
                    " asked, body_hash, bytes, skew_s) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                    " ON CONFLICT DO NOTHING",
                    company, new.upload, new.crew, new.device, new.photo, new.asked, body_hash,
                    new.size, new.skew_s,
                )  # fmt: skip
                row = await _row(c, company, new.upload, "body_hash")
        if gave_way is not None:
            await self._drop(company, gave_way)
        if row is None:  # it was begun and given up elsewhere in the same moment
            raise _gone(new.upload)
        return _same(row, body_hash), made

    @staticmethod
    async def _may_begin(
        c: asyncpg.Connection, company: int, ticket: str, device: str
    ) -> str | None:
        """The upload that gave way to the new one, if any had to."""
        there, still_open = await c.fetchrow(
            "SELECT EXISTS (SELECT FROM ticket WHERE company_id = $1 AND ticket_id = $2),"
            " (SELECT count(*) FROM upload"
            "  WHERE company_id = $1 AND device_id = $3 AND done IS NULL)",
            company,
            ticket,
            device,
        )
        if not there:
            raise NotFound("no_such_ticket", "There is no such ticket.", "Check its number.")
        if still_open < OPEN_MOST:
            return None
        gone: str | None = await c.fetchval(
            "DELETE FROM upload WHERE company_id = $1 AND upload_id = (SELECT upload_id"
            " FROM upload WHERE company_id = $1 AND device_id = $2 AND done IS NULL"
            " AND moved_at < $3 ORDER BY moved_at LIMIT 1 FOR UPDATE SKIP LOCKED)"
            " RETURNING upload_id",
            company,
            device,
            system_now() - STILL,
        )
        if gone is None:
            raise Conflict(
                "too_many_uploads",
                f"{still_open} photos of this phone are not finished.",
                "Finish or end those first; one that has not moved for an hour gives way.",
                {"open": still_open},
            )
        return gone

    async def held(self, company: int, device: str, upload: str) -> Held:
        """How far it is. Raises NotFound `no_such_upload`."""
        async with self._pool.company(company, readonly=True) as c:
            row = await _row(c, company, upload)
        if row is None or row["device_id"] != device:
            raise _gone(upload)
        return _held(row)

    async def append(self, company: int, device: str, upload: str, at: int, chunk: bytes) -> Held:
        """The chunk is on the disk when this returns. One that is finished, or is whole and gets
        its end again, stays as it is.

        Raises:
            NotFound: `no_such_upload`. Conflict: `wrong_offset` with what there is.
            TooLarge: `past_the_end`. Unavailable: `part_not_kept`.
        """
        async with self._pool.company(company) as c:
            row = await _row(c, company, upload, lock=True)
            if row is None or row["device_id"] != device:
                raise _gone(upload)
            held = _held(row)
            ends = at + len(chunk)
            if held.done is not None or held.have == held.size == ends:
                return held
            if ends > held.size:
                raise TooLarge(
                    "past_the_end",
                    f"The photo was to have {held.size:,} bytes; this ends at {ends:,}.",
                    "Begin anew and say its true length.",
                )
            if at != held.have:
                raise Conflict(
                    "wrong_offset",
                    f"Of this photo {held.have:,} bytes are here; this chunk begins at {at:,}.",
                    "Go on from what is here.",
                    {"have": held.have},
                )
            try:
                await self.parts.write(company, upload, at, chunk)
            except OSError as error:
                raise Unavailable(
                    "part_not_kept",
                    f"The chunk could not be kept: {error.strerror or 'the disk refuses'}.",
                    "Free some space where heatops keeps its data, then send it again.",
                ) from error
            await c.execute(
                "UPDATE upload SET have = $3, moved_at = $4"
                " WHERE company_id = $1 AND upload_id = $2",
                company,
                upload,
                ends,
                system_now(),
            )
        return held._replace(have=ends)

    async def finish(self, company: int, upload: str, done: bytes) -> None:
        """The photo was taken: from now on this is the answer, and the part is not needed."""
        async with self._pool.company(company) as c:
            await c.execute(
                "UPDATE upload SET done = $3 WHERE company_id = $1 AND upload_id = $2",
                company,
                upload,
                done.decode(),
            )
        await self._drop(company, upload)

    async def end(self, company: int, device: str, upload: str) -> None:
        """The phone does not go on with it; one that is finished, or is none of this phone's, stays
        as it is."""
        async with self._pool.company(company) as c:
            ended = await c.fetchval(
                "DELETE FROM upload WHERE company_id = $1 AND upload_id = $2 AND device_id = $3"
                " AND done IS NULL RETURNING upload_id",
                company,
                upload,
                device,
            )
        if ended is not None:
            await self._drop(company, upload)

    async def give_up(self, company: int, upload: str) -> None:
        """It comes to nothing: the phone begins anew."""
        async with self._pool.company(company) as c:
            await c.execute(
                "DELETE FROM upload WHERE company_id = $1 AND upload_id = $2 AND done IS NULL",
                company,
                upload,
            )
        await self._drop(company, upload)

    async def _drop(self, company: int, upload: str) -> None:
        """A part that the disk does not let go now is swept later."""
        with contextlib.suppress(OSError):
            await self.parts.drop(company, upload)


async def sweep(c: asyncpg.Connection, company: int, parts: UploadParts) -> int:
    """End what nobody went on with for a week, and files that belong to no upload; how many."""
    now = system_now()
    ended = await c.fetch(
        "DELETE FROM upload WHERE company_id = $1 AND begun_at < $2 RETURNING upload_id",
        company,
        now - KEPT,
    )
    await c.execute(
        "DELETE FROM photo_nonce WHERE company_id = $1 AND used_at < $2", company, now - NONCES_KEPT
    )
    files = parts.names(company, (now - KEPT).timestamp())
    for name in {*files, *(row[0] for row in ended)}:
        await parts.drop(company, name)
    return len(ended)


def name_of(company: int, device: str, key: str) -> str:
    """The upload that a phone begins under an Idempotency-Key."""
    told = f"{company}\0{device}\0{key}".encode()
    tag = hashlib.blake2b(told, digest_size=16).digest()
    return base64.urlsafe_b64encode(tag).decode().rstrip("=")


async def _row(
    c: asyncpg.Connection, company: int, upload: str, *more: str, lock: bool = False
) -> asyncpg.Record | None:
    columns = ", ".join(
        ("upload_id", "crew_id", "device_id", "photo_id", "asked", "bytes", "have", "done",
         "skew_s", *more)
    )  # fmt: skip
    return await c.fetchrow(
        f"SELECT {columns} FROM upload WHERE company_id = $1 AND upload_id = $2"
        + (" FOR UPDATE" if lock else ""),
        company,
        upload,
    )


def _held(row: asyncpg.Record) -> Held:
    done = row["done"]
    return Held(
        row["upload_id"], CrewId(row["crew_id"]), row["device_id"], PhotoId(row["photo_id"]),
        bytes(row["asked"]), row["bytes"], row["have"], None if done is None else done.encode(),
        row["skew_s"],
    )  # fmt: skip


def _same(row: asyncpg.Record, body_hash: bytes) -> Held:
    if bytes(row["body_hash"]) != body_hash:
        raise Invalid(
            "key_reused",
            "This Idempotency-Key was used for another photo.",
            "Use a new key for a new photo.",
        )
    return _held(row)


def _gone(upload: str) -> NotFound:
    return NotFound(
        "no_such_upload",
        f"There is no upload {upload} of this phone.",
        "Begin anew, under a new Idempotency-Key.",
    )
