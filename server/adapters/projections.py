"""Tables that mirror the state of streams, for queries and clocks: written with the facts."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import asyncpg

from dispatch_core import tickets
from dispatch_core.ids import StreamKind, split_stream
from dispatch_core.tickets import Ticket
from server.adapters.columns import columns

Row = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Projection:
    """A table, and how a stream's state becomes its rows (mostly one, none to write nothing).

    `columns` are (name, type) in the order of a row's values; `key` are those that identify a row
    beside the company; `fixed` never change after the first write.
    """

    table: str
    columns: Sequence[tuple[str, str]]
    key: Collection[str]
    rows: Callable[[str, Any], Sequence[Row]]
    """(the stream's name without its kind, its state) -> rows"""
    fixed: Collection[str] = ()

    def statement(self) -> str:
        """Insert or update many rows: $1 the company, then one array per column."""
        names = ", ".join(name for name, _ in self.columns)
        arrays = ", ".join(f"${i}::{kind}[]" for i, (_, kind) in enumerate(self.columns, 2))
        kept = {*self.key, *self.fixed}
        changed = ", ".join(f"{n} = excluded.{n}" for n, _ in self.columns if n not in kept)
        return (
            f"INSERT INTO {self.table} (company_id, {names}) SELECT $1, * FROM unnest({arrays})"
            f" ON CONFLICT (company_id, {', '.join(self.key)}) DO UPDATE SET {changed}"
        )


def time(at: int | None) -> datetime | None:
    """Unix seconds as PostgreSQL wants them."""
    return None if at is None else datetime.fromtimestamp(at, UTC)


def _ticket_rows(ticket_id: str, t: Ticket) -> Sequence[Row]:
    due = t.due
    overdue = due is not None and due.warned == "passed"
    return [(
        ticket_id, t.version, t.state, t.state in tickets.OPEN, t.level, t.kind, t.source,
        t.place.building, t.place.community, t.place.district, t.place.lon, t.place.lat,
        t.place.address, t.crew, t.reports, due is not None and due.warned == "near", overdue,
        t.lost_contact, time(t.received_at), time(due.at if due else None),
        time(tickets.next_look(t)), time(t.clocks.solved), time(t.closed_at),
    )]  # fmt: skip


_TICKET = Projection(
    "ticket",
    (
        ("ticket_id", "text"), ("version", "int"), ("state", "text"), ("open", "bool"),
        ("level", "text"), ("kind", "text"), ("source", "text"), ("building_id", "text"),
        ("community_id", "text"), ("district", "text"), ("lon", "float8"), ("lat", "float8"),
        ("address", "text"), ("crew_id", "text"), ("reports", "int"), ("near", "bool"),
        ("overdue", "bool"), ("lost_contact", "bool"), ("received_at", "timestamptz"),
        ("due_at", "timestamptz"), ("check_at", "timestamptz"), ("solved_due_at", "timestamptz"),
        ("closed_at", "timestamptz"),
    ),
    ("ticket_id",),
    _ticket_rows,
    ("source", "building_id", "community_id", "district", "lon", "lat", "address", "received_at"),
)  # fmt: skip

PROJECTIONS: dict[StreamKind, Sequence[Projection]] = {"ticket": (_TICKET,)}
_STATEMENTS = {id(p): p.statement() for group in PROJECTIONS.values() for p in group}


async def save(c: asyncpg.Connection, company: int, states: Mapping[str, Any]) -> None:
    """Write the rows of changed streams: stream -> state."""
    rows: dict[int, tuple[Projection, list[Row]]] = {}
    for stream, state in states.items():
        kind, name = split_stream(stream)
        for projection in PROJECTIONS.get(kind, ()):
            made = rows.setdefault(id(projection), (projection, []))[1]
            made.extend(projection.rows(name, state))
    for key, (_, values) in rows.items():
        if values:
            await c.execute(_STATEMENTS[key], company, *columns(values))
