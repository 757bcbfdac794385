"""A store of photos that fails: what is in hand is shown, and what is not has a plain refusal."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import pytest

from dispatch_core.errors import Unavailable
from dispatch_core.ids import PhotoId
from server.adapters.photo_views import PhotoViews, Views
from server.adapters.photos import Photo, Photos
from server.adapters.pictures import Picture

VIEWS = Views(view=b"view", thumb=b"thumb", turned=1)
PHOTO = PhotoId("ab" * 32)
FULL = OSError(28, "No space left on device")


class Database:
    """Knows every photo; a row that is kept was let go before."""

    @asynccontextmanager
    async def company(self, company: int, *, readonly: bool = False) -> AsyncIterator[Database]:
        del company, readonly
        yield self

    async def fetchval(self, query: str, *args: object) -> bool:
        del query, args
        return True

    async def fetchrow(self, query: str, *args: object) -> tuple[int, int, bool]:
        del query, args
        return (640, 480, False)


class Blobs:
    """Refuses from its `good`th writing on, and to read where `away`."""

    def __init__(self, good: int = 0, *, away: bool = False) -> None:
        self.good, self.away = good, away

    async def put(self, name: str, body: bytes) -> None:
        del name, body
        self.good -= 1
        if self.good < 0:
            raise FULL

    async def get(self, name: str) -> bytes:
        raise OSError(5, "away") if self.away else FileNotFoundError(name)


def views_of(blobs: Blobs) -> PhotoViews:
    async def read(company: int, photo: str) -> Photo:
        del company, photo
        return Photo("image/jpeg", b"...")

    async def draw(data: bytes) -> Views:
        del data
        return VIEWS

    photos: Any = SimpleNamespace(blobs=blobs, read=read)
    vault: Any = SimpleNamespace(seal_photo=lambda *_: b"sealed")
    pool: Any = Database()
    return PhotoViews(pool, photos, vault, draw)


def test_a_view_that_cannot_be_kept_is_shown_all_the_same() -> None:
    assert asyncio.run(views_of(Blobs()).view(1, "t", PHOTO, "thumb")) == b"thumb"


def test_a_store_that_is_away_is_said_so() -> None:
    with pytest.raises(Unavailable) as refused:
        asyncio.run(views_of(Blobs(away=True)).view(1, "t", PHOTO, "view"))
    assert refused.value.code == "photos_away"


@pytest.mark.parametrize("good", [0, 1])
def test_a_photo_that_cannot_be_kept_has_a_code_at_either_writing(good: int) -> None:
    pool: Any = Database()
    vault: Any = SimpleNamespace(seal_photo=lambda *_: b"sealed")
    photos = Photos(pool, vault, Blobs(good))
    picture = Picture("image/jpeg", 640, 480)
    with pytest.raises(Unavailable) as refused:
        asyncio.run(photos.keep(1, "crew:C1", PHOTO, picture, b"..."))
    assert refused.value.code == "photo_not_kept"
