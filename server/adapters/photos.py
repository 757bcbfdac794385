"""Photos: sealed, content-addressed files beside the database, and the rows that say whose."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import secrets
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag

from dispatch_core.errors import Invalid, NotFound, TooLarge, Unavailable
from dispatch_core.ids import PhotoId
from server.adapters.clock import system_now
from server.adapters.pictures import picture_of
from server.adapters.pool import Pool
from server.adapters.vault import Vault

MOST_BYTES = 10 << 20
_NAME = re.compile(r"[0-9a-f]{64}")


class PhotoAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that was taken in; sides in pixels."""

    id: PhotoId
    bytes: int
    width: int
    height: int


class Photo(NamedTuple):
    """A picture as it was sent."""

    media_type: str
    data: bytes


class Photos:
    """The photos of one installation. A file is there before its row; nothing is ever deleted."""

    def __init__(self, pool: Pool, vault: Vault, folder: Path) -> None:
        self._pool = pool
        self._vault = vault
        self._folder = folder

    async def take_in(self, company: int, by: str, data: bytes) -> PhotoAnswer:
        """Keep a picture; the same bytes again are the same photo.

        Raises:
            TooLarge: `photo_too_large`. Invalid: `no_photo`, not a whole JPEG, PNG, WebP or HEIC.
            Unavailable: `disk_full`.
        """
        if len(data) > MOST_BYTES:
            raise TooLarge(
                "photo_too_large", f"The photo has {len(data):,} bytes.",
                f"Send at most {MOST_BYTES:,}; a phone can make it smaller.",
            )  # fmt: skip
        # beside the loop: ten million bytes may be made to be looked through one by one
        picture = await asyncio.to_thread(picture_of, data)
        if picture is None:
            raise Invalid(
                "no_photo",
                "These bytes are no whole picture in JPEG, PNG, WebP or HEIC.",
                "Take the photo again, or send it as JPEG.",
            )
        photo = PhotoId(hashlib.sha256(data).hexdigest())
        try:
            await asyncio.to_thread(self._write, company, photo, data)
        except OSError as error:
            raise Unavailable(
                "photo_not_kept", f"The photo could not be kept: {error.strerror}.",
                "Free some space on the disk of heatops, then send it again.",
            ) from error  # fmt: skip
        async with self._pool.company(company) as c:
            await c.execute(
                "INSERT INTO photo (company_id, photo_id, media_type, bytes, width, height,"
                " taken_in_at, by_whom) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                " ON CONFLICT DO NOTHING",
                company, photo, picture.media_type, len(data), picture.width, picture.height,
                system_now(), by,
            )  # fmt: skip
        return PhotoAnswer(id=photo, bytes=len(data), width=picture.width, height=picture.height)

    async def read(self, company: int, photo: str) -> Photo:
        """A photo of this company, opened.

        Raises:
            NotFound: `no_such_photo`. Unavailable: `photo_lost`, its file is away or was changed.
        """
        async with self._pool.company(company, readonly=True) as c:
            media = await c.fetchval(
                "SELECT media_type FROM photo WHERE company_id = $1 AND photo_id = $2",
                company,
                photo,
            )
        if media is None or not _NAME.fullmatch(photo):
            raise NotFound("no_such_photo", f"There is no photo {photo}.", "Check its identifier.")
        try:
            sealed = await asyncio.to_thread(self._file(company, photo).read_bytes)
            return Photo(media, self._vault.open_photo(company, photo, sealed))
        except (OSError, InvalidTag) as error:
            raise Unavailable(
                "photo_lost", "The photo's file is away or was changed.",
                "Bring the folder photos/ of the data folder back from a backup.",
            ) from error  # fmt: skip

    def _file(self, company: int, photo: str) -> Path:
        return self._folder / str(company) / photo[:2] / f"{photo}.sealed"

    def _write(self, company: int, photo: str, data: bytes) -> None:
        """Whole or not at all: written beside, made durable, then put in place."""
        file = self._file(company, photo)
        if file.exists():
            return
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = file.with_suffix(f".{secrets.token_hex(6)}")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(self._vault.seal_photo(company, photo, data))
                out.flush()
                os.fsync(out.fileno())
            beside.replace(file)
        finally:
            beside.unlink(missing_ok=True)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
