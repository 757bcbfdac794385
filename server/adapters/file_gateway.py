"""The gateway that is always there: JSON lines in a folder, for whoever fetches them."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import os
import re
from collections.abc import Sequence
from pathlib import Path

import msgspec

from server.adapters.message_store import Claimed, Outcome
from server.adapters.webhook_gateway import letter

log = logging.getLogger(__name__)

_PLAIN = re.compile(r"[a-z0-9_-]{1,60}")


class FileGateway:
    """Appends to `<folder>/<company>/<channel>-<target>.jsonl`, residents' to `resident.jsonl`,
    and answers when the disk has it. Each line has its `message_id`: one that was written twice
    because the process was killed in between is recognised by it. A reader may take a file away by
    renaming it: the next line begins a new one."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def at_most(self) -> int:
        """Lines that are written together."""
        return 500

    async def carry(self, company: str, messages: Sequence[Claimed]) -> list[Outcome]:
        """Write messages of one lane; a disk that does not take them is tried again for ever."""
        if not messages:
            return []
        name = file_name(messages[0].channel, messages[0].target)
        path = self._folder / company / name
        lines = [msgspec.json.encode(letter(m)) + b"\n" for m in messages]
        try:
            offsets = await asyncio.to_thread(append, path, lines)
        except OSError as error:
            log.warning("the file gateway cannot write %s: %s", name, error.strerror)
            return [
                Outcome(
                    message_id=m.message_id,
                    state="waiting",
                    way="file",
                    error=f"the file cannot be written: {error.strerror}",
                    again_s=15.0,
                )
                for m in messages
            ]
        return [
            Outcome(message_id=m.message_id, state="sent", way="file", proof=f"{name}:{offset}")
            for m, offset in zip(messages, offsets, strict=True)
        ]


def file_name(channel: str, target: str) -> str:
    """The file of a lane; a target that is no plain name stands as a digest."""
    if channel == "resident":
        return "resident.jsonl"
    if not _PLAIN.fullmatch(target):
        target = hashlib.blake2b(target.encode(), digest_size=8).hexdigest()
    return f"{channel}-{target}.jsonl"


def append(path: Path, lines: Sequence[bytes]) -> list[int]:
    """Add whole lines and wait for the disk; returns the byte at which each begins.

    All or nothing: what a full disk took of them is cut off again. Raises OSError.
    """
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    new = not path.exists()
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        size = os.fstat(descriptor).st_size
        # A process that was killed while it wrote may have left half a line.
        torn = size > 0 and os.pread(descriptor, 1, size - 1) != b"\n"
        data = (b"\n" if torn else b"") + b"".join(lines)
        try:
            _write(descriptor, data)
            os.fsync(descriptor)
        except OSError:
            os.ftruncate(descriptor, size)
            raise
    finally:
        os.close(descriptor)
    if new:
        _sync_folder(path.parent)
    at = size + torn
    offsets = []
    for line in lines:
        offsets.append(at)
        at += len(line)
    return offsets


def _write(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
