"""Sealed batches of tickets, of an exact size in bytes, as the feed would seal them."""

from __future__ import annotations

import time

import msgspec

from ext import digest
from realtime.layers.rows import TicketRow
from realtime.messages import Batch, Put, Snap

TOPIC = "tickets"
EPOCH = 1
ROWS_AT_MOST = 64
ROW_BYTES = 480
"""A row with its key and version takes this many bytes or less, before its address is filled up."""

_encode = msgspec.msgpack.Encoder().encode


class Feed:
    """A topic that grows by one batch at a time; the same keys come again and again."""

    def __init__(self) -> None:
        self.seq = 0
        self._total = 0
        self._versions = dict.fromkeys((f"260114-{n:06d}" for n in range(ROWS_AT_MOST)), 0)

    def snapshot(self) -> bytes:
        """The `snap` of the empty topic, where everything begins."""
        snap = Snap(
            topic=TOPIC, epoch=EPOCH, seq=0, hash="0" * 16, as_of=time.time(),
            source_at=None, cadence_s=None, rows=[],
        )  # fmt: skip
        return _encode(snap)

    def seal(self, size: int) -> bytes:
        """The next batch, of exactly `size` bytes (1,024 or more)."""
        rows = min(max(1, size // ROW_BYTES - 1), ROWS_AT_MOST)
        put = {}
        for key in list(self._versions)[:rows]:
            before = self._versions.pop(key)
            if before:
                self._total = digest.sub(self._total, digest.row_hash(key, before))
            self._total = digest.add(self._total, digest.row_hash(key, before + 1))
            self._versions[key] = put[key] = before + 1
        at = time.time()
        # From 256 bytes on the head of a text has one length, so that one step fills it up.
        short = self._batch(put, 256, at)
        sealed = self._batch(put, 256 + size - len(short), at)
        if len(sealed) != size:
            raise ValueError(f"no batch of {size} bytes: {len(sealed)}")
        self.seq += 1
        return sealed

    def _batch(self, put: dict[str, int], filled: int, at: float) -> bytes:
        rows = [
            Put(key=key, version=version, row=msgspec.Raw(_encode(_row(version, 0))))
            for key, version in put.items()
        ]
        last = rows[-1]
        rows[-1] = Put(
            key=last.key,
            version=last.version,
            row=msgspec.Raw(_encode(_row(last.version, filled))),
        )
        batch = Batch(
            topic=TOPIC, epoch=EPOCH, seq_from=self.seq, seq_to=self.seq + 1,
            put=rows, drop=[], hash=f"{self._total:016x}", as_of=at,
        )  # fmt: skip
        return _encode(batch)


def _row(version: int, filled: int) -> TicketRow:
    return TicketRow(
        kind="not_warm", level="yellow", state="accepted", lon=126.6424, lat=45.7569,
        address="x" * filled or "经纬街 128 号", building="B-0128", community="K-12",
        district="道里区", source="hotline", received_at=1768345500 + version,
        due_at=1768352700 + version, due_clock="respond", near=False, overdue=False,
        overdue_since=None, lost_contact=False, crew=None, crew_name=None, crew_confirmed=False,
        outage=None, reports=1,
    )  # fmt: skip
