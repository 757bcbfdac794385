"""Photos: sealed and content-addressed wherever they lie, and the rows that say whose."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from typing import NamedTuple

import msgspec
from cryptography.exceptions import InvalidTag

from dispatch_core.errors import Invalid, NotFound, TooLarge, Unavailable
from dispatch_core.ids import PhotoId
from server.adapters.clock import system_now
from server.adapters.photo_blobs import Blobs, name_of
from server.adapters.photo_orphans import let_go_unused
from server.adapters.pictures import Picture, picture_of
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

    def __init__(self, pool: Pool, vault: Vault, blobs: Blobs) -> None:
        self._pool = pool
        self._vault = vault
        self._blobs = blobs

    @property
    def blobs(self) -> Blobs:
        """Where they lie."""
        return self._blobs

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
        return await self.keep(company, by, photo, picture, data)

    async def keep(
        self, company: int, by: str, photo: PhotoId, picture: Picture, data: bytes
    ) -> PhotoAnswer:
        """Keep a picture that was looked at, under its digest. What somebody else than a crew sends
        again is theirs from then on. Raises Unavailable `photo_not_kept`."""
        sealed = await asyncio.to_thread(self._vault.seal_photo, company, photo, data)
        await self._put(company, photo, sealed)
        async with self._pool.company(company) as c:
            was_gone = await c.fetchval(
                "INSERT INTO photo (company_id, photo_id, media_type, bytes, width, height,"
                " taken_in_at, by_whom) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
                " ON CONFLICT (company_id, photo_id) DO UPDATE SET gone_at = NULL,"
                " by_whom = CASE WHEN photo.by_whom LIKE 'crew:%' THEN excluded.by_whom"
                " ELSE photo.by_whom END"
                " WHERE photo.gone_at IS NOT NULL"
                " OR photo.by_whom LIKE 'crew:%' AND excluded.by_whom NOT LIKE 'crew:%'"
                " RETURNING xmax <> 0",
                company, photo, picture.media_type, len(data), picture.width, picture.height,
                system_now(), by,
            )  # fmt: skip
            if was_gone:  # its bytes were let go, perhaps a moment ago: here they are again
                await self._put(company, photo, sealed)
        return PhotoAnswer(id=photo, bytes=len(data), width=picture.width, height=picture.height)

    async def _put(self, company: int, photo: str, sealed: bytes) -> None:
        try:
            await self._blobs.put(name_of(company, photo), sealed)
        except OSError as error:
            raise Unavailable(
                "photo_not_kept",
                f"The photo could not be kept: {error.strerror or 'the store does not take it'}.",
                "Free some space where heatops keeps its photos, then send it again.",
            ) from error  # fmt: skip

    async def let_go_unused(self, company: int, photo: str) -> None:
        """A picture that a crew sent and no ticket took in goes; one that is used, or is on its
        way for another ticket, stays."""
        with contextlib.suppress(OSError):  # the store is away: the sweep does it later
            async with self._pool.company(company) as c:
                await let_go_unused(c, company, self._blobs, photo=photo)

    async def read(self, company: int, photo: str) -> Photo:
        """A photo of this company, opened.

        Raises:
            NotFound: `no_such_photo`. Unavailable: `photo_lost`, its file is away or was changed;
            `photos_away`.
        """
        async with self._pool.company(company, readonly=True) as c:
            media = await c.fetchval(
                "SELECT media_type FROM photo WHERE company_id = $1 AND photo_id = $2"
                " AND gone_at IS NULL",
                company,
                photo,
            )
        if media is None or not _NAME.fullmatch(photo):
            raise NotFound("no_such_photo", f"There is no photo {photo}.", "Check its identifier.")
        try:
            sealed = await self._blobs.get(name_of(company, photo))
            return Photo(media, self._vault.open_photo(company, photo, sealed))
        except (FileNotFoundError, InvalidTag) as error:
            raise Unavailable(
                "photo_lost", "The photo's file is away or was changed.",
                "Bring the folder photos/ of the data folder, or the store's objects, back from a"
                " backup.",
            ) from error  # fmt: skip
        except OSError as error:
            raise photos_away() from error

    async def is_evidence(self, company: int, photo: str) -> bool:
        """Whether a photo was sent as evidence of some ticket, taken in or not."""
        async with self._pool.company(company, readonly=True) as c:
            found: bool = await c.fetchval(
                "SELECT EXISTS (SELECT FROM evidence_job WHERE company_id = $1 AND photo_id = $2)"
                " OR EXISTS (SELECT FROM photo WHERE company_id = $1 AND photo_id = $2"
                " AND by_whom LIKE 'crew:%')",
                company,
                photo,
            )
        return found


def photos_away() -> Unavailable:
    """The refusal while the store does not answer."""
    return Unavailable(
        "photos_away",
        "The store of photos does not answer just now.",
        "Try again in a few seconds.",
    )
