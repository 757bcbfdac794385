"""What people are shown of evidence photos: views without metadata and faces, drawn once and kept
sealed beside the originals; the points on which two photos agree; and the audited originals."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import Awaitable, Callable
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np
from cryptography.exceptions import InvalidTag

from dispatch_core.errors import NotFound
from server.adapters import photo_features
from server.adapters.image_reader import SIDE
from server.adapters.photo_blobs import name_of
from server.adapters.photos import Photo, Photos, photos_away
from server.adapters.pool import Pool
from server.adapters.vault import Vault

log = logging.getLogger(__name__)

VIEW: Final = 1600
THUMB: Final = 320
"""Pixels of the longer side."""
DRAWN_AS: Final = 1
"""Counts the ways of drawing: what was drawn otherwise is drawn anew."""
Size = Literal["thumb", "view"]


class Views(msgspec.Struct, frozen=True, kw_only=True):
    """A photo drawn again, upright, as JPEG."""

    view: bytes
    thumb: bytes
    turned: int
    """The EXIF orientation that was applied, 1 to 8."""


Draw = Callable[[bytes], Awaitable[Views]]
"""Decodes a file's bytes where they can do no harm. Raises Refused `photo_unreadable`,
`photo_too_much`, `busy`."""


class Spot(msgspec.Struct, frozen=True, kw_only=True):
    """A point on both photos, in shares of the width and height of their views."""

    x: float
    y: float
    twin_x: float
    twin_y: float


class Match(msgspec.Struct, frozen=True, kw_only=True):
    """The points on which two photos agree; none may be left where one is the other's mirror
    image."""

    points: list[Spot]


class _Known(NamedTuple):
    width: int
    height: int
    gone: bool


class PhotoViews:
    """Views of one installation's evidence photos."""

    def __init__(self, pool: Pool, photos: Photos, vault: Vault, draw: Draw) -> None:
        self._pool = pool
        self._photos = photos
        self._vault = vault
        self._blobs = photos.blobs
        self._draw = draw

    async def view(self, company: int, ticket: str, photo: str, size: Size) -> bytes:
        """A JPEG.

        Raises:
            NotFound: `no_such_photo`, also one of another ticket; `photo_gone`. What `Photos.read`
            and the drawing raise.
        """
        known = await self._of_ticket(company, ticket, photo)
        return getattr(await self._views(company, photo, known), size)  # type: ignore[no-any-return]

    async def original(self, company: int, ticket: str, photo: str, reader: str) -> Photo:
        """The file as it was sent; who asked is written down first. Raises as `view` does."""
        known = await self._of_ticket(company, ticket, photo)
        async with self._pool.company(company) as c:
            await c.execute(
                "INSERT INTO resident_access (company_id, by_whom, what) VALUES ($1, $2, $3)",
                company, reader, f"photo:{ticket}/{photo}",
            )  # fmt: skip
        if known.gone:
            raise _gone(photo)
        return await self._photos.read(company, photo)

    async def match(self, company: int, ticket: str, photo: str, twin: str) -> Match:
        """Where a photo of the ticket and another one show the same. Raises as `view` does."""
        mine = await self._of_ticket(company, ticket, photo)
        theirs = await self._known(company, twin)
        async with self._pool.company(company, readonly=True) as c:
            rows = dict(
                await c.fetch(
                    "SELECT photo_id, points FROM photo_features"
                    " WHERE company_id = $1 AND photo_id = ANY($2::text[])",
                    company, [photo, twin],
                )
            )  # fmt: skip
        if photo not in rows or twin not in rows:
            return Match(points=[])
        here, there = await asyncio.to_thread(
            photo_features.agreeing, bytes(rows[photo]), bytes(rows[twin])
        )
        turned = (await self._views(company, photo, mine)).turned
        twin_turned = (await self._views(company, twin, theirs)).turned
        a = _shares(here, mine, turned)
        b = _shares(there, theirs, twin_turned)
        return Match(
            points=[
                Spot(x=x, y=y, twin_x=tx, twin_y=ty)
                for (x, y), (tx, ty) in zip(a, b, strict=True)
            ]
        )  # fmt: skip

    async def _of_ticket(self, company: int, ticket: str, photo: str) -> _Known:
        async with self._pool.company(company, readonly=True) as c:
            of_it = await c.fetchval(
                "SELECT EXISTS (SELECT FROM evidence_job"
                " WHERE company_id = $1 AND ticket_id = $2 AND photo_id = $3)",
                company, ticket, photo,
            )  # fmt: skip
        if not of_it:
            raise NotFound(
                "no_such_photo", f"{ticket} has no photo {photo}.", "Look at its evidence again."
            )
        return await self._known(company, photo)

    async def _known(self, company: int, photo: str) -> _Known:
        async with self._pool.company(company, readonly=True) as c:
            row = await c.fetchrow(
                "SELECT width, height, gone_at IS NOT NULL FROM photo"
                " WHERE company_id = $1 AND photo_id = $2",
                company,
                photo,
            )
        if row is None:
            raise NotFound("no_such_photo", f"There is no photo {photo}.", "Check its identifier.")
        return _Known(*row)

    async def _views(self, company: int, photo: str, known: _Known) -> Views:
        """Those that are kept, else drawn and kept."""
        name = view_of(photo)
        try:
            sealed = await self._blobs.get(name_of(company, name))
            body = self._vault.open_photo(company, name, sealed)
            return msgspec.msgpack.decode(body, type=Views)
        except (FileNotFoundError, InvalidTag, msgspec.DecodeError):
            pass  # not drawn yet, or not to be read any more
        except OSError as error:
            raise photos_away() from error
        if known.gone:
            raise _gone(photo)
        found = await self._photos.read(company, photo)
        views = await self._draw(found.data)
        sealed = self._vault.seal_photo(company, name, msgspec.msgpack.encode(views))
        try:
            await self._blobs.put(name_of(company, name), sealed)
        except OSError as error:  # it is in hand, and is drawn again next time
            log.warning("a photo's view could not be kept: %s", error)
        return views


def view_of(photo: str) -> str:
    """The name under which a photo's views lie."""
    return hashlib.sha256(f"views/{DRAWN_AS}/{photo}".encode()).hexdigest()


def _gone(photo: str) -> NotFound:
    return NotFound(
        "photo_gone",
        f"The picture {photo[:12]} was let go: photos are kept for a time only.",
        "What was found of it still stands; a ticket's photos can be held before that.",
    )


def _shares(spots: photo_features.Pairs, known: _Known, turned: int) -> list[tuple[float, float]]:
    """Points of the picture as it lies in its file, as shares of it upright."""
    longer = max(known.width, known.height)
    sides = np.array([known.width, known.height]) * SIDE / longer
    x, y = np.clip(spots / sides, 0.0, 1.0).T
    upright = {
        1: (x, y), 2: (1 - x, y), 3: (1 - x, 1 - y), 4: (x, 1 - y),
        5: (y, x), 6: (1 - y, x), 7: (1 - y, 1 - x), 8: (y, 1 - x),
    }[turned]  # fmt: skip
    return list(zip(*(side.round(4).tolist() for side in upright), strict=True))
