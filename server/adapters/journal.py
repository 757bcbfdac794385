"""Writes facts: journal, outbox, stream heads and the tickets table, in the caller's transaction,
as a few bulk statements."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import asyncpg

from dispatch_core import events, trace
from dispatch_core.events import Event, RoundChanged
from dispatch_core.evidence import SiteRecord
from dispatch_core.ids import Place, split_stream, stream_of, unix
from dispatch_core.tickets import Ticket
from server.adapters import projections, streams
from server.adapters.columns import columns


@dataclass(slots=True)
class StreamHead:
    """A stream as loaded, and as it grows within one transaction."""

    version: int = 0
    hash: bytes = trace.START
    state: Any = None


@dataclass(slots=True)
class Writes:
    """The rows of one transaction, gathered in columns' order and written at the end."""

    company: int
    key: bytes
    business_at: datetime
    system_at: datetime
    heads: dict[str, StreamHead] = field(default_factory=dict)
    changed: set[str] = field(default_factory=set)
    journal: list[tuple[Any, ...]] = field(default_factory=list)
    outbox: list[tuple[Any, ...]] = field(default_factory=list)
    rounds: set[str] = field(default_factory=set)
    """Crews whose phones show something of what changes."""

    def append(
        self,
        stream: str,
        new: Iterable[Event],
        *,
        actor: str,
        grounds: str,
        policy: str,
        source: str | None = None,
    ) -> None:
        """Chain the events to the stream's head;
        the head moves on, so that a later command in the group sees it."""
        head = self.heads.setdefault(stream, StreamHead())
        at = unix(self.business_at)
        self._notice(stream, head.state)
        for event in new:
            kind = events.kind_of(type(event))
            v = events.CATALOGUE[kind].v
            body = events.encode(event)
            spot = _spot(event)
            record = trace.Record(
                company=self.company,
                stream=stream,
                version=head.version + 1,
                kind=kind,
                v=v,
                actor=actor,
                business_at=self.business_at,
                system_at=self.system_at,
                place=spot,
                grounds=grounds,
                policy_version=policy,
                body=body,
            )
            sealed = trace.seal(self.key, head.hash, record)
            text = body.decode()
            self.journal.append(
                (
                    stream, record.version, kind, v, actor, spot.lon if spot else None,
                    spot.lat if spot else None, grounds, policy, text, head.hash, sealed,
                )
            )  # fmt: skip
            self.outbox.append((stream, record.version, kind, v, text, source))
            head.version, head.hash = record.version, sealed
            head.state = streams.apply(stream, head.state, event, at)
            self.changed.add(stream)
        self._notice(stream, head.state)

    def _notice(self, stream: str, state: Any) -> None:  # noqa: ANN401 - of any kind of stream
        """Remember the crews that have a ticket in hand, or had until now."""
        kind, name = split_stream(stream)
        if kind == "crew":
            self.rounds.add(name)
        elif kind == "ticket" and isinstance(state, Ticket):
            self.rounds.update(state.crews)
        elif kind == "evidence":
            if isinstance(state, SiteRecord):
                self.rounds.update(visit.crew for visit in state.visits)
                self.rounds.update(photo.crew for photo in state.photos.values())
            ticket = self.heads.get(stream_of("ticket", name))
            if ticket is not None and isinstance(ticket.state, Ticket):
                self.rounds.update(ticket.state.crews)

    async def flush(self, connection: asyncpg.Connection) -> None:
        """Write everything. Raises asyncpg.UniqueViolationError if another process
        was quicker on a stream."""
        if not self.changed:
            return
        await connection.execute(
            "WITH j AS (INSERT INTO journal (company_id, business_at, system_at, stream, version,"
            "   kind, v, actor, lon, lat, grounds, policy, body, prev_hash, hash)"
            "   SELECT $1, $2, $3, * FROM unnest($4::text[], $5::int[], $6::text[], $7::smallint[],"
            "   $8::text[], $9::float8[], $10::float8[], $11::text[], $12::text[], $13::text[],"
            "   $14::bytea[], $15::bytea[]))"
            " INSERT INTO outbox (company_id, business_at, stream, version, kind, v, body, source)"
            " SELECT $1, $2, * FROM unnest($4::text[], $5::int[], $6::text[], $7::smallint[],"
            " $13::text[], $16::text[])",
            self.company,
            self.business_at,
            self.system_at,
            *columns(self.journal),
            [row[5] for row in self.outbox],
        )
        heads = [
            (s, h.version, h.hash, streams.encode_state(h.state))
            for s, h in sorted((s, self.heads[s]) for s in self.changed)
        ]
        await connection.execute(
            "INSERT INTO stream_head (company_id, stream, version, hash, state)"
            " SELECT $1, * FROM unnest($2::text[], $3::int[], $4::bytea[], $5::text[])"
            " ON CONFLICT (company_id, stream) DO UPDATE"
            " SET version = excluded.version, hash = excluded.hash, state = excluded.state",
            self.company,
            *columns(heads),
        )
        await projections.save(
            connection, self.company, {s: self.heads[s].state for s in sorted(self.changed)}
        )
        if self.rounds:
            told = [(stream_of("crew", crew), RoundChanged()) for crew in sorted(self.rounds)]
            await tell(connection, self.company, self.business_at, told)


def _spot(event: Event) -> trace.Spot | None:
    place = getattr(event, "place", None)
    if isinstance(place, Place):
        return trace.Spot(lon=place.lon, lat=place.lat)
    return None


async def load_heads(
    connection: asyncpg.Connection, wanted: Collection[str]
) -> dict[str, StreamHead]:
    """The heads among `wanted` that exist."""
    if not wanted:
        return {}
    rows = await connection.fetch(
        "SELECT stream, version, hash, state FROM stream_head WHERE stream = ANY($1::text[])"
        " AND company_id = current_setting('heatops.company')::int",
        list(wanted),
    )
    return {
        r["stream"]: StreamHead(
            r["version"], r["hash"], streams.decode_state(r["stream"], r["state"])
        )
        for r in rows
    }


async def read_trace(
    connection: asyncpg.Connection, company: int, stream: str
) -> list[trace.Sealed]:
    """Every fact of a stream, oldest first, as `trace.verify` wants it."""
    rows = await connection.fetch(
        "SELECT * FROM journal WHERE company_id = $1 AND stream = $2 ORDER BY version",
        company,
        stream,
    )
    return [
        trace.Sealed(
            record=trace.Record(
                company=r["company_id"],
                stream=r["stream"],
                version=r["version"],
                kind=r["kind"],
                v=r["v"],
                actor=r["actor"],
                business_at=r["business_at"],
                system_at=r["system_at"],
                place=None if r["lon"] is None else trace.Spot(lon=r["lon"], lat=r["lat"]),
                grounds=r["grounds"],
                policy_version=r["policy"],
                body=r["body"].encode(),
            ),
            prev=r["prev_hash"],
            hash=r["hash"],
        )
        for r in rows
    ]


async def tell(
    connection: asyncpg.Connection,
    company: int,
    business_at: datetime,
    told: Sequence[tuple[str, Event]],
    *,
    source: str | None = None,
    cadence_s: float | None = None,
) -> None:
    """Telemetry for the feed: (stream, event) that are told, not journalled;
    ordered by the outbox itself."""
    rows = []
    for stream, event in told:
        kind = events.kind_of(type(event))
        rows.append((stream, kind, events.CATALOGUE[kind].v, events.encode(event).decode()))
    await connection.execute(
        "INSERT INTO outbox (company_id, business_at, source, cadence_s, stream, kind, v, body)"
        " SELECT $1, $2, $3, $4, * FROM unnest($5::text[], $6::text[], $7::smallint[], $8::text[])",
        company,
        business_at,
        source,
        cadence_s,
        *columns(rows),
    )
