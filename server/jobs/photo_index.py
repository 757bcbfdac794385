"""Every photo of a company that was ever seen, by its hash: one owner, who adds and searches in one
step."""

from __future__ import annotations

import asyncio
from array import array
from collections.abc import Sequence

import numpy as np

from ext.hamming import RADIUS, HashIndex
from server.adapters.evidence_jobs import EvidenceJobs, PhotoJob


class PhotoIndex:
    """The index of one company, filled from the database before it is asked."""

    def __init__(self, company: int, jobs: EvidenceJobs) -> None:
        self._company = company
        self._jobs = jobs
        self._index = HashIndex()
        self._numbers = array("q")
        self._one = asyncio.Lock()

    def __len__(self) -> int:
        return len(self._numbers)

    async def load(self) -> None:
        """Take up what is stored."""
        async for numbers, hashes in self._jobs.hashes(self._company):
            self._index.add(np.frombuffer(hashes, np.uint8).reshape(-1, 32))
            self._numbers.extend(numbers)
        self._index.rebuild()

    async def seen(
        self, job: PhotoJob, hashes: Sequence[bytes], quality: int, points: bytes
    ) -> tuple[int, dict[int, int]]:
        """Add a photo and look for it, in one step: of two that are alike the second finds the
        first, never both or neither.

        Returns (its number, {number of an earlier one: bits that differ}), of all eight flips and
        turns the nearest. Raises evidence_jobs.Gone, Unavailable.
        """
        async with self._one:
            number, new = await self._jobs.remember(self._company, job, hashes[0], quality, points)
            if new:
                self._index.add(np.frombuffer(hashes[0], np.uint8).reshape(1, 32))
                self._numbers.append(number)
            return number, self._search(hashes, number)

    def _search(self, hashes: Sequence[bytes], before: int) -> dict[int, int]:
        found: dict[int, int] = {}
        for asked in dict.fromkeys(hashes):
            places, bits = self._index.search(asked, RADIUS)
            for place, differ in zip(places.tolist(), bits.tolist(), strict=True):
                number = self._numbers[place]
                if number < before:
                    found[number] = min(differ, found.get(number, 256))
        return found
