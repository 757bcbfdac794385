"""The feed's side of PostgreSQL: scan the outbox, read and write the layers, log the sealed bytes;
one transaction each."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import date, timedelta
from typing import NamedTuple

import asyncpg
import msgspec

from dispatch_core import events
from realtime.facts import Fact
from realtime.feed import Head, RowKey, Sealed, Stored, TopicKey
from realtime.messages import Put, Snap
from server.adapters.lease import Lost

LIMIT = 5000
KEEP_DAYS = {
    "feed_log": 14,
    "room_reading": 800,
    "network_reading": 800,
    "crew_fix": 400,
    "weather": 800,
    "mention": 400,
}
"""How long partitions are kept: the wall as it was for two weeks, readings for two seasons."""


class Scan(NamedTuple):
    """What one look at the outbox found."""

    mark: int
    now: float
    xmin: int
    own_xid: int
    rows: list[asyncpg.Record]

    @property
    def truncated(self) -> bool:
        """More rows are waiting than one transaction takes."""
        return len(self.rows) == LIMIT


async def begin(connection: asyncpg.Connection, generation: int, floor: int) -> Scan:
    """First statements of the feed's REPEATABLE READ transaction; the lease row is its first write.

    Raises:
        Lost: the generation has changed.
    """
    first = await connection.fetchrow(
        "SELECT last_value - (NOT is_called)::int AS mark,"
        " extract(epoch FROM now())::float8 AS now,"
        " pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS xmin FROM outbox_id_seq"
    )
    own = await connection.fetchval(
        "UPDATE lease SET beat = beat + 1 WHERE name = 'core' AND generation = $1"
        " RETURNING pg_current_xact_id()::text::bigint",
        generation,
    )
    if own is None:
        raise Lost
    rows = await connection.fetch(
        "SELECT id, company_id, stream, version, kind, v, body, source, cadence_s,"
        " extract(epoch FROM business_at)::bigint AS business_at,"
        " extract(epoch FROM at)::float8 AS at"
        f" FROM outbox WHERE id > $1 ORDER BY id LIMIT {LIMIT}",
        floor,
    )
    return Scan(first["mark"], first["now"], first["xmin"], own, rows)


def fact_of(row: asyncpg.Record) -> Fact | None:
    """The fact in an outbox row. Telemetry has no version of its own: the row's id orders it.
    None for pure signs of life."""
    event = events.decode(row["kind"], row["v"], row["body"].encode())
    version = row["version"] if row["version"] is not None else row["id"]
    return Fact(
        company=row["company_id"],
        stream=row["stream"],
        version=version,
        at=row["business_at"],
        event=event,
    )


async def ensure_partitions(connection: asyncpg.Connection, today: date) -> None:
    """Partitions from yesterday to a week ahead, for everything that is stored by day."""
    await connection.execute("SELECT ensure_partitions($1, 8)", today - timedelta(days=1))


async def drop_partitions(connection: asyncpg.Connection, today: date) -> None:
    """Partitions that are older than they are kept go; see KEEP_DAYS."""
    for table, days in KEEP_DAYS.items():
        await connection.execute(
            "SELECT drop_partitions($1, $2)", table, today - timedelta(days=days)
        )


async def waiting(connection: asyncpg.Connection, floor: int) -> bool:
    """Whether the outbox holds anything above `floor`."""
    return bool(
        await connection.fetchval("SELECT EXISTS (SELECT FROM outbox WHERE id > $1)", floor)
    )


async def oldest_after(connection: asyncpg.Connection, last_id: int) -> float | None:
    """System time of the oldest outbox row beyond `last_id`, Unix seconds."""
    at: float | None = await connection.fetchval(
        "SELECT extract(epoch FROM min(at))::float8 FROM outbox WHERE id > $1", last_id
    )
    return at


async def load_rows(
    connection: asyncpg.Connection, keys: Collection[RowKey]
) -> dict[RowKey, Stored]:
    """The stored rows among `keys`."""
    if not keys:
        return {}
    companies, topics, names = zip(*keys, strict=True)
    rows = await connection.fetch(
        "SELECT l.company_id, l.topic, l.key, l.row_version, l.body"
        " FROM unnest($1::int[], $2::text[], $3::text[]) AS k(c, t, n)"
        " JOIN layer_row l ON l.company_id = k.c AND l.topic = k.t AND l.key = k.n",
        companies,
        topics,
        names,
    )
    return {(r[0], r[1], r[2]): Stored(r[3], r[4]) for r in rows}


async def load_heads(connection: asyncpg.Connection) -> dict[TopicKey, Head]:
    """Every topic's head."""
    rows = await connection.fetch(
        "SELECT h.company_id, h.topic, h.epoch, h.seq, h.hash,"
        " CASE WHEN h.topic = 'happenings' THEN coalesce((SELECT max(row_version) FROM layer_row l"
        "   WHERE l.company_id = h.company_id AND l.topic = 'happenings'), 0)"
        " ELSE 0 END AS last_line FROM feed_head h"
    )
    return {(r[0], r[1]): Head(r[2], r[3], r[4], r[5]) for r in rows}


async def write(
    connection: asyncpg.Connection, sealed: Iterable[Sealed], generation: int, taken: list[int]
) -> None:
    """Rows, log, heads, and the outbox rows gone: all or nothing with the caller's transaction."""
    puts: list[tuple[int, str, str, int, bytes]] = []
    drops: list[tuple[int, str, str]] = []
    logs: list[tuple[int, str, int, int, int, str, float, bytes]] = []
    for s in sealed:
        puts += [(s.company, s.topic, key, row.version, row.body) for key, row in s.put.items()]
        drops += [(s.company, s.topic, key) for key in s.drop]
        logs.append((s.company, s.topic, s.epoch, s.seq_to, generation, s.hash, s.as_of, s.sealed))
    if puts:
        await connection.execute(
            "INSERT INTO layer_row (company_id, topic, key, row_version, body)"
            " SELECT * FROM unnest($1::int[], $2::text[], $3::text[], $4::bigint[], $5::bytea[])"
            " ON CONFLICT (company_id, topic, key) DO UPDATE"
            " SET row_version = excluded.row_version, body = excluded.body",
            *_columns(puts),
        )
    if drops:
        await connection.execute(
            "DELETE FROM layer_row l USING unnest($1::int[], $2::text[], $3::text[]) AS k(c, t, n)"
            " WHERE l.company_id = k.c AND l.topic = k.t AND l.key = k.n",
            *_columns(drops),
        )
    if logs:
        await connection.execute(
            "WITH b AS (SELECT * FROM unnest($1::int[], $2::text[], $3::bigint[], $4::bigint[],"
            " $5::bigint[], $6::text[],"
            " $7::float8[], $8::bytea[]) AS b(c, t, e, s, g, h, a, bytes)),"
            " l AS (INSERT INTO feed_log (company_id, topic, epoch, seq, generation, hash,"
            " as_of, sealed)"
            "   SELECT c, t, e, s, g, h, a, bytes FROM b)"
            " UPDATE feed_head f SET seq = b.s, hash = b.h, as_of = b.a FROM b"
            " WHERE f.company_id = b.c AND f.topic = b.t",
            *_columns(logs),
        )
    if taken:
        await connection.execute("DELETE FROM outbox WHERE id = ANY($1::bigint[])", taken)


def _columns(rows: list[tuple[object, ...]] | list) -> list[list[object]]:  # type: ignore[type-arg]
    return [list(column) for column in zip(*rows, strict=True)]


async def note_sources(
    connection: asyncpg.Connection, heard: dict[TopicKey, tuple[float, float | None]]
) -> None:
    """Record when each topic's source was last heard,
    and what cadence it promises (None: as before)."""
    if not heard:
        return
    rows = [(c, t, at, cadence) for (c, t), (at, cadence) in heard.items()]
    await connection.execute(
        "UPDATE feed_head f SET source_at = greatest(coalesce(f.source_at, 0), s.at),"
        " cadence_s = coalesce(s.cadence, f.cadence_s)"
        " FROM unnest($1::int[], $2::text[], $3::float8[], $4::float8[]) AS s(c, t, at, cadence)"
        " WHERE f.company_id = s.c AND f.topic = s.t",
        *_columns(rows),
    )


async def renew(connection: asyncpg.Connection, as_of: float) -> list[asyncpg.Record]:
    """Every topic is as fresh as `as_of`; returns all heads for the beat."""
    rows: list[asyncpg.Record] = await connection.fetch(
        "UPDATE feed_head SET as_of = greatest(as_of, $1)"
        " RETURNING company_id, topic, epoch, seq, hash, as_of, source_at, cadence_s",
        as_of,
    )
    return rows


async def ensure_heads(connection: asyncpg.Connection, topics: list[str], epoch: int) -> None:
    """A head for every topic of every company; new ones begin at `epoch`."""
    await connection.execute(
        "INSERT INTO feed_head (company_id, topic, epoch, seq, hash, as_of)"
        " SELECT c.company_id, t, $2, 0, '0000000000000000', 0 FROM company c"
        " CROSS JOIN unnest($1::text[]) AS t"
        " WHERE NOT EXISTS (SELECT FROM feed_head h"
        " WHERE h.company_id = c.company_id AND h.topic = t)"
        " ON CONFLICT DO NOTHING",
        topics,
        epoch,
    )


async def origin(connection: asyncpg.Connection) -> tuple[str, str | None]:
    """(this PostgreSQL's identity, timeline and start; the one that sealed last)."""
    now = await connection.fetchval(
        "SELECT system_identifier || '/' || (SELECT timeline_id FROM pg_control_checkpoint())"
        " || '/' || extract(epoch FROM pg_postmaster_start_time()) FROM pg_control_system()"
    )
    stored = await connection.fetchval("SELECT origin FROM feed_origin")
    return now, stored


async def new_epoch(
    connection: asyncpg.Connection, generation: int, epoch: int, origin_now: str
) -> None:
    """Every topic goes on under `epoch`:
    screens take a fresh snapshot instead of trusting another past."""
    async with connection.transaction():
        moved = await connection.fetchval(
            "UPDATE lease SET beat = beat + 1 WHERE name = 'core' AND generation = $1"
            " RETURNING true",
            generation,
        )
        if not moved:
            raise Lost
        await connection.execute("UPDATE feed_head SET epoch = $1 WHERE epoch < $1", epoch)
        await connection.execute(
            "INSERT INTO feed_origin VALUES (1, $1)"
            " ON CONFLICT (id) DO UPDATE SET origin = excluded.origin",
            origin_now,
        )


async def highest_epoch(connection: asyncpg.Connection) -> int:
    """The highest epoch of any topic, 0 for none."""
    return int(await connection.fetchval("SELECT coalesce(max(epoch), 0) FROM feed_head"))


async def log_after(
    connection: asyncpg.Connection,
    company: int,
    topic: str,
    epoch: int,
    seq: int,
    upto: int | None = None,
) -> list[tuple[int, bytes]]:
    """Sealed batches (seq, bytes) after `seq`, in order, at most 500."""
    rows = await connection.fetch(
        "SELECT seq, sealed FROM feed_log"
        " WHERE company_id = $1 AND topic = $2 AND epoch = $3 AND seq > $4"
        " AND ($5::bigint IS NULL OR seq <= $5) AND kind = 'batch' ORDER BY seq LIMIT 500",
        company,
        topic,
        epoch,
        seq,
        upto,
    )
    return [(r["seq"], r["sealed"]) for r in rows]


async def keyframes(connection: asyncpg.Connection, now: float) -> None:
    """Once an hour and topic the whole picture goes into the log,
    so that the wall as it was can be rebuilt from there."""
    due = await connection.fetch(
        "SELECT company_id, topic, epoch, seq, hash, as_of, source_at, cadence_s FROM feed_head"
        " WHERE keyframe_at < $1 - 3600 ORDER BY company_id, topic LIMIT 1",
        now,
    )
    for head in due:
        rows = await connection.fetch(
            "SELECT key, row_version, body FROM layer_row WHERE company_id = $1 AND topic = $2",
            head["company_id"],
            head["topic"],
        )
        await connection.execute(
            "INSERT INTO feed_log (company_id, topic, epoch, seq, generation, kind, hash,"
            " as_of, sealed)"
            " VALUES ($1, $2, $3, $4, 0, 'keyframe', $5, $6, $7)",
            head["company_id"],
            head["topic"],
            head["epoch"],
            head["seq"],
            head["hash"],
            head["as_of"],
            snapshot_bytes(head, rows),
        )
        await connection.execute(
            "UPDATE feed_head SET keyframe_at = $3 WHERE company_id = $1 AND topic = $2",
            head["company_id"],
            head["topic"],
            now,
        )


def snapshot_bytes(head: asyncpg.Record, rows: Iterable[asyncpg.Record]) -> bytes:
    """A `snap` message from a head and its rows."""
    return msgspec.msgpack.encode(
        Snap(
            topic=head["topic"],
            epoch=head["epoch"],
            seq=head["seq"],
            hash=head["hash"],
            as_of=head["as_of"],
            source_at=head["source_at"],
            cadence_s=head["cadence_s"],
            rows=[
                Put(key=r["key"], version=r["row_version"], row=msgspec.Raw(r["body"]))
                for r in rows
            ],
        )
    )
