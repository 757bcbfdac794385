"""The parts of photos on their way, on disk: sealed, one file an upload, durable up to a length
that the database knows."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

from server.adapters.vault import Vault

_NAME = re.compile(r"[A-Za-z0-9_-]{22}")
_BLOCK = 16


class UploadParts:
    """Files of a folder that every web process and the core of an installation reach."""

    def __init__(self, folder: Path, vault: Vault) -> None:
        self._folder = folder
        self._vault = vault

    def file(self, company: int, upload: str) -> Path:
        """Where it lies. Raises ValueError for a name that is none of ours."""
        if not _NAME.fullmatch(upload):
            raise ValueError(f"{upload!r} names no upload")
        return self._folder / str(company) / upload

    async def write(self, company: int, upload: str, at: int, chunk: bytes) -> None:
        """The chunk from byte `at` on, on the disk when this returns. What a killed process wrote
        there before is written over. Raises OSError."""
        sealed = self._pass(company, upload, at, chunk)
        await asyncio.to_thread(_write, self.file(company, upload), at, sealed)

    async def read(self, company: int, upload: str, length: int) -> bytes:
        """The first `length` bytes as they were sent; fewer where the file was cut. Raises
        OSError."""
        file = self.file(company, upload)

        def whole() -> bytes:
            with file.open("rb") as part:
                return self.opened(company, upload, part.read(length))

        return await asyncio.to_thread(whole)

    async def drop(self, company: int, upload: str) -> None:
        """It is not there any more."""
        await asyncio.to_thread(self.file(company, upload).unlink, missing_ok=True)

    def names(self, company: int, before: float) -> list[str]:
        """Uploads whose files were last written before a system time, Unix seconds."""
        folder, found = self._folder / str(company), []
        if folder.is_dir():
            for file in folder.iterdir():
                with contextlib.suppress(FileNotFoundError):
                    if _NAME.fullmatch(file.name) and file.stat().st_mtime < before:
                        found.append(file.name)
        return found

    def opened(self, company: int, upload: str, sealed: bytes) -> bytes:
        """A part from its beginning on, as it was sent."""
        return self._pass(company, upload, 0, sealed)

    def _pass(self, company: int, upload: str, at: int, data: bytes) -> bytes:
        """Sealed or opened: AES-CTR under a key of this upload alone, so that bytes lie where they
        lie in the photo; whether they are whole, the photo's digest tells."""
        key = self._vault.part_key(company, upload)
        first, skip = divmod(at, _BLOCK)
        stream = Cipher(algorithms.AES256(key), modes.CTR(first.to_bytes(_BLOCK))).encryptor()
        stream.update(bytes(skip))
        return stream.update(data)


def _write(file: Path, at: int, sealed: bytes) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = not file.exists()
    handle = os.open(file, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while sealed:
            written = os.pwrite(handle, sealed, at)
            at, sealed = at + written, sealed[written:]
        os.fsync(handle)
    finally:
        os.close(handle)
    if new:
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
