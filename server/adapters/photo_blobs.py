"""Where sealed photos lie: files beside the database, or objects of a store that speaks S3."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from pathlib import Path
from typing import Protocol

_KEY = re.compile(r"\d+/[0-9a-f]{2}/[0-9a-f]{64}\.sealed")


class Blobs(Protocol):
    """Bytes by name; a name is written once, and what it holds never changes.

    All raise OSError where the store is away, full or refuses; `get` raises FileNotFoundError for
    what is not there.
    """

    async def put(self, name: str, body: bytes) -> None:
        """Keep it, durably; one that is there stays as it is."""

    async def get(self, name: str) -> bytes:
        """What it holds."""

    async def drop(self, name: str) -> None:
        """It holds nothing any more, whether or not it did."""


def name_of(company: int, photo: str) -> str:
    """Where a company's photo lies: `7/ab/ab….sealed`."""
    return f"{company}/{photo[:2]}/{photo}.sealed"


def open_blobs(url: str | None, folder: Path) -> Blobs:
    """The store that was chosen, else files in `folder`.

    Raises:
        UserError: `bad_photos_url`.
    """
    if url is None:
        return LocalBlobs(folder)
    from server.adapters.photo_objects import ObjectBlobs

    return ObjectBlobs(url)


class LocalBlobs:
    """Files of a folder, whole or not there."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    async def put(self, name: str, body: bytes) -> None:
        """Written beside, made durable, then put in place."""
        await asyncio.to_thread(self._write, self._folder / checked(name), body)

    async def get(self, name: str) -> bytes:
        """The file's bytes."""
        return await asyncio.to_thread((self._folder / checked(name)).read_bytes)

    async def drop(self, name: str) -> None:
        """The file goes."""
        file = self._folder / checked(name)
        await asyncio.to_thread(file.unlink, missing_ok=True)

    @staticmethod
    def _write(file: Path, body: bytes) -> None:
        if file.exists():
            return
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        beside = file.with_suffix(f".{secrets.token_hex(6)}")
        try:
            handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as out:
                out.write(body)
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


def checked(name: str) -> str:
    """Raises ValueError for a name that is none of ours."""
    if not _KEY.fullmatch(name):
        raise ValueError(f"{name!r} names no photo")
    return name
