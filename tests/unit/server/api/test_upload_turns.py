"""Whole photos are in the memory of a process a few at a time, and each upload once."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest
from typing_extensions import override

from dispatch_core.errors import Unavailable
from dispatch_core.ids import CrewId, PhotoId
from server.adapters.uploads import Held
from server.api.upload_end import UploadEnd

DONE = b'{"done": true}'
PHONE: Any = SimpleNamespace(who=SimpleNamespace(company=1, actor="crew:C1"), crew="C1", device="d")


@dataclass
class Store:
    """Uploads whose bytes are read for as long as a test wants; each is done after one reading."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    reading: list[str] = field(default_factory=list)
    finished: set[str] = field(default_factory=set)

    @property
    def parts(self) -> Store:
        return self

    async def held(self, company: int, device: str, upload: str) -> Held:
        del company, device
        return upload_of(upload, DONE if upload in self.finished else None)

    async def read(self, company: int, upload: str, length: int) -> bytes:
        """Another process ends it in the meantime: its part is gone."""
        del company, length
        self.reading.append(upload)
        await self.go_on.wait()
        self.finished.add(upload)
        raise FileNotFoundError(upload)


class Broken(Store):
    @override
    async def read(self, company: int, upload: str, length: int) -> bytes:
        raise OSError(5, "input/output error")


def upload_of(name: str, done: bytes | None = None) -> Held:
    return Held(name, CrewId("C1"), "d", PhotoId("ab" * 32), b"{}", 9, 9, done)


def end_of(store: Store, **more: Any) -> UploadEnd:
    parts: Any = SimpleNamespace(uploads=store, pool=None, clock=None)
    return UploadEnd(parts, **more)


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


def test_an_upload_is_ended_by_one_request_and_the_others_get_its_answer() -> None:
    async def case() -> None:
        store = Store()
        end = end_of(store, at_once=3, wait_s=60)
        asked = [asyncio.ensure_future(end.take(PHONE, upload_of("u"))) for _ in range(40)]
        await settle()
        assert store.reading == ["u"]
        store.go_on.set()
        assert await asyncio.gather(*asked) == [DONE] * 40
        assert store.reading == ["u"]

    asyncio.run(case())


def test_so_many_are_taken_in_at_once_and_more_are_asked_to_come_again() -> None:
    async def case() -> None:
        store = Store()
        end = end_of(store, at_once=3, wait_s=0)
        first = [asyncio.ensure_future(end.take(PHONE, upload_of(f"u{n}"))) for n in range(3)]
        await settle()
        with pytest.raises(Unavailable) as refused:
            await end.take(PHONE, upload_of("u4"))
        assert refused.value.code == "uploads_busy"
        assert len(store.reading) == 3
        store.go_on.set()
        assert await asyncio.gather(*first) == [DONE] * 3
        assert await end.take(PHONE, upload_of("u4")) == DONE

    asyncio.run(case())


def test_a_part_that_cannot_be_read_now_waits() -> None:
    async def case() -> None:
        with pytest.raises(Unavailable) as refused:
            await end_of(Broken()).take(PHONE, upload_of("u"))
        assert refused.value.code == "part_not_kept"

    asyncio.run(case())
