"""From committed facts to sealed batches: pure, told what is stored and what has come in.

The rows of a layer are the whole memory: a topic's new rows follow from its old ones and the facts,
so that the feed may die at any line and the next one goes on.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

import msgspec

from ext import digest
from realtime.facts import Fact
from realtime.layers import Layer, happenings
from realtime.layers.rows import HappeningRow
from realtime.messages import Batch, Put

log = logging.getLogger(__name__)

TopicKey = tuple[int, str]
"""(company, topic)"""
RowKey = tuple[int, str, str]
"""(company, topic, key)"""

_encode = msgspec.msgpack.Encoder().encode


class Stored(msgspec.Struct, frozen=True):
    """A row as layer_row holds it."""

    version: int
    body: bytes


class Head(msgspec.Struct, frozen=True):
    """Where a topic stands. `last_line` is the highest row version of the ring,
    for happenings only."""

    epoch: int
    seq: int
    hash: str
    last_line: int = 0


class Sealed(msgspec.Struct, frozen=True, kw_only=True):
    """One topic's batch, ready to be stored and sent as the same bytes."""

    company: int
    topic: str
    epoch: int
    seq_from: int
    seq_to: int
    hash: str
    as_of: float
    put: dict[str, Stored]
    drop: list[str]
    sealed: bytes


class Line(Protocol):
    """Makes the one line a fact is worth on the wall, or None."""

    def __call__(self, fact: Fact, /) -> HappeningRow | None: ...


def touched(layers: Mapping[str, Layer], facts: Iterable[Fact]) -> set[RowKey]:
    """Every row the facts may change, to be loaded before `seal`."""
    keys: set[RowKey] = set()
    for fact in facts:
        for topic, layer in layers.items():
            for key in layer.touches(fact):
                keys.add((fact.company, topic, key))
    return keys


def seal(
    layers: Mapping[str, Layer],
    line: Line,
    facts: Sequence[Fact],
    rows: Mapping[RowKey, Stored],
    heads: Mapping[TopicKey, Head],
    as_of: float,
) -> list[Sealed]:
    """Fold `facts`, in order, over `rows` and seal one batch per topic that changed.

    A fact that cannot be folded is logged and passed over: one bad row must not stop every screen.
    """
    after: dict[RowKey, Stored | None] = {}
    for fact in facts:
        for topic, layer in layers.items():
            try:
                _fold(topic, layer, fact, rows, after)
            except Exception:
                log.exception(
                    "fact %s v%s passed over by layer %s", fact.stream, fact.version, topic
                )
    by_topic: dict[TopicKey, dict[str, Stored | None]] = {}
    for (company, topic, key), now in after.items():
        by_topic.setdefault((company, topic), {})[key] = now
    lines = _lines(line, facts, heads)
    return [
        *(
            _seal_topic(at, changes, rows, heads[at], as_of)
            for at, changes in sorted(by_topic.items())
        ),
        *lines_sealed(lines, heads, as_of),
    ]


def _fold(
    topic: str,
    layer: Layer,
    fact: Fact,
    rows: Mapping[RowKey, Stored],
    after: dict[RowKey, Stored | None],
) -> None:
    for key in layer.touches(fact):
        at = (fact.company, topic, key)
        old = after[at] if at in after else rows.get(at)
        if old is not None and old.version >= fact.version:
            continue  # device time and late arrivals are data, never an order
        row = layer.fold(key, layer.decode(old.body) if old else None, fact)
        if row is not None:
            body = _encode(row)
            if old is None or body != old.body:
                after[at] = Stored(fact.version, body)
        elif old is not None or at in after:
            after[at] = None


def _seal_topic(
    at: TopicKey,
    changes: Mapping[str, Stored | None],
    rows: Mapping[RowKey, Stored],
    head: Head,
    as_of: float,
) -> Sealed:
    company, topic = at
    total = int(head.hash, 16)
    put: dict[str, Stored] = {}
    drop: list[str] = []
    for key, now in changes.items():
        before = rows.get((company, topic, key))
        if before is not None:
            total = digest.sub(total, digest.row_hash(key, before.version))
        if now is not None:
            total = digest.add(total, digest.row_hash(key, now.version))
            put[key] = now
        elif before is not None:
            drop.append(key)
    return _batch(company, topic, head, total, put, drop, as_of)


def _batch(
    company: int,
    topic: str,
    head: Head,
    total: int,
    put: dict[str, Stored],
    drop: list[str],
    as_of: float,
) -> Sealed:
    batch = Batch(
        topic=topic,
        epoch=head.epoch,
        seq_from=head.seq,
        seq_to=head.seq + 1,
        put=[
            Put(key=key, version=row.version, row=msgspec.Raw(row.body)) for key, row in put.items()
        ],
        drop=drop,
        hash=f"{total:016x}",
        as_of=as_of,
    )
    return Sealed(
        company=company,
        topic=topic,
        epoch=head.epoch,
        seq_from=head.seq,
        seq_to=head.seq + 1,
        hash=batch.hash,
        as_of=as_of,
        put=put,
        drop=drop,
        sealed=_encode(batch),
    )


def _lines(
    line: Line, facts: Sequence[Fact], heads: Mapping[TopicKey, Head]
) -> dict[int, list[HappeningRow]]:
    found: dict[int, list[HappeningRow]] = {}
    for fact in facts:
        if (fact.company, happenings.TOPIC) not in heads:
            continue
        try:
            row = line(fact)
        except Exception:
            log.exception("fact %s v%s makes no line", fact.stream, fact.version)
            continue
        if row is not None:
            found.setdefault(fact.company, []).append(row)
    return found


def lines_sealed(
    lines: Mapping[int, list[HappeningRow]], heads: Mapping[TopicKey, Head], as_of: float
) -> list[Sealed]:
    """The ring of the last 64 lines: version n stands in slot n mod 64,
    so version n - 64 leaves."""
    sealed = []
    for company, rows in sorted(lines.items()):
        head = heads[company, happenings.TOPIC]
        total = int(head.hash, 16)
        put: dict[str, Stored] = {}
        first = head.last_line + 1
        for n, row in enumerate(rows, first):
            key = happenings.slot(n)
            if n > happenings.SLOTS:  # what stood in this slot, whether stored or put a moment ago
                total = digest.sub(total, digest.row_hash(key, n - happenings.SLOTS))
            total = digest.add(total, digest.row_hash(key, n))
            put[key] = Stored(n, _encode(row))
        sealed.append(_batch(company, happenings.TOPIC, head, total, put, [], as_of))
    return sealed
