"""One topic as a web process holds it:
its rows, its position, and the last sealed batches as they came."""

from __future__ import annotations

from collections import deque
from typing import Literal

import msgspec

from ext import digest
from realtime.messages import Batch, Put, Snap, TopicTick

RING_BATCHES = 600
RING_BYTES = 4 << 20

_decode_batch = msgspec.msgpack.Decoder(Batch).decode
_decode_snap = msgspec.msgpack.Decoder(Snap).decode
_encode = msgspec.msgpack.Encoder().encode

Applied = Literal["applied", "old", "gap", "epoch", "wrong"]


def keys_of(sealed: bytes) -> set[str]:
    """The keys of the rows that a sealed batch puts or drops."""
    batch = _decode_batch(sealed)
    return {put.key for put in batch.put}.union(batch.drop)


class RingBatch(msgspec.Struct, frozen=True):
    """A sealed batch and its span."""

    seq_from: int
    seq_to: int
    sealed: bytes


class Picture:
    """A topic's rows at one (epoch, seq), with a ring of the batches that led there."""

    def __init__(self, company: int, topic: str) -> None:
        self.company = company
        self.topic = topic
        self.epoch = 0
        self.seq = -1
        self.hash = "0" * 16
        self.as_of = 0.0
        self.source_at: float | None = None
        self.cadence_s: float | None = None
        self.rows: dict[str, Put] = {}
        self._total = 0
        self._ring: deque[RingBatch] = deque()
        self._ring_bytes = 0
        self._snap: tuple[int, int, bytes] | None = None

    @property
    def loaded(self) -> bool:
        """Whether a snapshot has been taken."""
        return self.seq >= 0

    def load(self, sealed: bytes) -> bool:
        """Start from a `snap` message. False if its rows do not give its own hash."""
        snap = _decode_snap(sealed)
        self.rows = {put.key: put for put in snap.rows}
        self._total = digest.sum_rows([p.key for p in snap.rows], [p.version for p in snap.rows])
        self.epoch, self.seq, self.hash = snap.epoch, snap.seq, snap.hash
        self.as_of, self.source_at, self.cadence_s = snap.as_of, snap.source_at, snap.cadence_s
        self._ring.clear()
        self._ring_bytes = 0
        self._snap = None
        if f"{self._total:016x}" != snap.hash:
            self.seq = -1
            return False
        return True

    def apply(self, sealed: bytes) -> Applied:
        """Apply a whole batch or nothing. `wrong`: the hashes differ afterwards, load again."""
        batch = _decode_batch(sealed)
        if batch.epoch != self.epoch:
            return "epoch" if batch.epoch > self.epoch else "old"
        if batch.seq_to <= self.seq:
            return "old"
        if batch.seq_from != self.seq:
            return "gap"
        total = self._total
        for put in batch.put:
            before = self.rows.get(put.key)
            if before is not None:
                total = digest.sub(total, digest.row_hash(put.key, before.version))
            total = digest.add(total, digest.row_hash(put.key, put.version))
            self.rows[put.key] = put
        for key in batch.drop:
            gone = self.rows.pop(key, None)
            if gone is not None:
                total = digest.sub(total, digest.row_hash(key, gone.version))
        self._total = total
        self.seq, self.hash = batch.seq_to, batch.hash
        self.as_of = max(self.as_of, batch.as_of)
        if f"{total:016x}" != batch.hash:
            self.seq = -1
            return "wrong"
        self._remember(RingBatch(batch.seq_from, batch.seq_to, sealed))
        return "applied"

    def _remember(self, batch: RingBatch) -> None:
        self._ring.append(batch)
        self._ring_bytes += len(batch.sealed)
        while len(self._ring) > RING_BATCHES or (
            self._ring_bytes > RING_BYTES and len(self._ring) > 1
        ):
            self._ring_bytes -= len(self._ring.popleft().sealed)

    def refresh(self, tick: TopicTick) -> bool:
        """Take up a beat. False if it shows another hash at our own position."""
        self.source_at, self.cadence_s = tick.source_at, tick.cadence_s
        if (tick.epoch, tick.seq) == (self.epoch, self.seq):
            self.as_of = max(self.as_of, tick.as_of)
            return tick.hash == self.hash
        return True

    def since(self, seq: int) -> list[RingBatch] | None:
        """The batches after `seq`; empty when there is nothing newer,
        None when the ring does not reach back."""
        if seq >= self.seq:
            return []
        if not self._ring or self._ring[0].seq_from > seq:
            return None
        return [batch for batch in self._ring if batch.seq_to > seq]

    def merged_since(self, seq: int) -> bytes | None:
        """One batch from `seq` to now: whole batches merged by key.
        None when the ring does not reach back."""
        batches = self.since(seq)
        if not batches:
            return None
        if batches[0].seq_from != seq:
            return None
        put: dict[str, Put] = {}
        drop: set[str] = set()
        for ring in batches:
            batch = _decode_batch(ring.sealed)
            for row in batch.put:
                put[row.key] = row
                drop.discard(row.key)
            for key in batch.drop:
                put.pop(key, None)
                drop.add(key)
        return _encode(
            Batch(
                topic=self.topic,
                epoch=self.epoch,
                seq_from=seq,
                seq_to=self.seq,
                put=list(put.values()),
                drop=sorted(drop),
                hash=self.hash,
                as_of=self.as_of,
            )
        )

    def snapshot(self) -> bytes:
        """The `snap` message; encoded once per position."""
        if self._snap is None or self._snap[:2] != (self.epoch, self.seq):
            snap = Snap(
                topic=self.topic,
                epoch=self.epoch,
                seq=self.seq,
                hash=self.hash,
                as_of=self.as_of,
                source_at=self.source_at,
                cadence_s=self.cadence_s,
                rows=list(self.rows.values()),
            )
            self._snap = (self.epoch, self.seq, _encode(snap))
        return self._snap[2]

    def snapshot_of(self, key: str) -> bytes:
        """A `snap` message of one row alone; its hash is that of what it holds."""
        rows = [self.rows[key]] if key in self.rows else []
        total = digest.sum_rows([row.key for row in rows], [row.version for row in rows])
        return _encode(
            Snap(
                topic=self.topic,
                epoch=self.epoch,
                seq=self.seq,
                hash=f"{total:016x}",
                as_of=self.as_of,
                source_at=self.source_at,
                cadence_s=self.cadence_s,
                rows=rows,
            )
        )

    def tick(self) -> TopicTick:
        """Where this topic stands, for the clients' tick."""
        return TopicTick(
            epoch=self.epoch,
            seq=self.seq,
            hash=self.hash,
            as_of=self.as_of,
            source_at=self.source_at,
            cadence_s=self.cadence_s,
        )
