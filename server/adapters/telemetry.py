"""Stores batches from sources: readings by COPY, one outbox row per batch,
the answer under its Idempotency-Key; one commit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

import asyncpg

from dispatch_core.events import Event, SourceHeartbeat
from dispatch_core.evidence import Fence
from server.adapters import fix_checks, journal
from server.adapters.accounts import Principal
from server.adapters.clock import BusinessClock
from server.adapters.idempotency import Answer, Key, earlier, keep
from server.adapters.pool import Pool
from server.adapters.residents import save_secrets
from server.adapters.standings import merge_reports
from server.adapters.vault import Vault
from server.ports import SecretText


class Table(NamedTuple):
    """A telemetry table and the columns a batch brings."""

    name: str
    columns: tuple[str, ...]
    types: tuple[str, ...]


ROOM = Table("room_reading", ("point_id", "read_at", "celsius"), ("text", "timestamptz", "real"))
NETWORK = Table(
    "network_reading",
    ("node_id", "read_at", "supply_c", "return_c", "flow_m3h", "makeup_m3h", "pressure_kpa"),
    ("text", "timestamptz", "real", "real", "real", "real", "real"),
)
FIX = Table(
    "crew_fix",
    (*fix_checks.Row._fields, "verdict", "device"),
    ("text", "timestamptz", "float8", "float8", "text", "real", "real", "real", "smallint", "text",
     "text"),
)  # fmt: skip
WEATHER = Table(
    "weather",
    ("observed_at", "outdoor_c", "feels_c", "wind_mps", "wind_from_deg"),
    ("timestamptz", "real", "real", "real", "real"),
)
MENTION = Table(
    "mention",
    ("mention_id", "said_at", "value", "topic", "community_id", "channel", "words_id"),
    ("text", "timestamptz", "real", "text", "text", "text", "text"),
)
BALANCE = Table(
    "account_balance",
    ("household_id", "unpaid_fen", "balance_at"),
    ("text", "bigint", "timestamptz"),
)


STANDING = Table(
    "household_standing",
    ("household_id", "season", "network", "valve", "billing", "billed_fen", "at"),
    ("text", "text", "text", "text", "text", "bigint", "timestamptz"),
)


AFTER = {
    # lets BRIN find a point
    ROOM.name: " ORDER BY point_id",
    # a vendor that sends a mention again must not make it two
    MENTION.name: " AS i WHERE NOT EXISTS (SELECT FROM mention m WHERE m.company_id = $1"
    " AND m.mention_id = i.mention_id)",
}


class Told(NamedTuple):
    """What the feed learns at once, besides that the source has spoken."""

    stream: str
    event: Event


class Incoming(NamedTuple):
    """A checked batch: good rows, and the answer that names the refused ones."""

    kind: str
    topic: str | None
    """The layer that is fed; None: no screen shows it."""
    table: Table
    rows: list[tuple[Any, ...]]
    answer: Any
    told: Sequence[Told] = ()
    texts: Sequence[SecretText] = ()
    cadence_s: float | None = None
    empty: bool = False
    """The source sent no item at all: a sign of life."""
    fence: Fence | None = None
    """What fixes are measured against, by the city's rules; None: these are no fixes."""


class Telemetry:
    """The write side of telemetry."""

    def __init__(self, pool: Pool, clock: BusinessClock, vault: Vault) -> None:
        self._pool = pool
        self._clock = clock
        self._vault = vault

    async def store(
        self, principal: Principal, route: str, key: str, body_hash: bytes, batch: Incoming
    ) -> Answer:
        """Commit a batch and answer.

        Raises:
            Refused: `key_in_flight`, `key_reused`, `database_unavailable`.
        """
        now, asked = self._clock.now(), Key(principal.actor, route, key)
        body_hash = self._vault.keyed(body_hash)
        async with self._pool.company(principal.company) as c:
            stored = await earlier(c, principal.company, asked, body_hash)
            if stored is not None:
                return stored
            batch_id = await c.fetchval(
                "INSERT INTO telemetry_batch (company_id, kind, items, business_at)"
                " VALUES ($1, $2, $3, $4) RETURNING batch_id",
                principal.company,
                batch.kind,
                len(batch.rows),
                now,
            )
            await save_secrets(c, principal.company, self._vault, (), batch.texts)
            if batch.table is FIX and batch.fence is not None:
                batch = await _judged(c, principal, batch, batch.fence, now)
            await _copy(c, principal.company, batch_id, batch, now)
            if batch.topic is not None:
                await _tell(c, principal, batch_id, batch, batch.topic, now)
            return await keep(c, principal.company, asked, body_hash, batch.answer)

    async def heartbeat(
        self,
        principal: Principal,
        route: str,
        key: str,
        body_hash: bytes,
        topic: str,
        cadence_s: float,
    ) -> Answer:
        """A source says that it is alive and how often it will be heard."""
        now, asked = self._clock.now(), Key(principal.actor, route, key)
        body_hash = self._vault.keyed(body_hash)
        async with self._pool.company(principal.company) as c:
            stored = await earlier(c, principal.company, asked, body_hash)
            if stored is not None:
                return stored
            event = SourceHeartbeat(source=principal.name, topics=[topic], cadence_s=cadence_s)
            await journal.tell(
                c,
                principal.company,
                now,
                [(f"source:{principal.name}", event)],
                source=topic,
                cadence_s=cadence_s,
            )
            answer = {"source": topic, "cadence_s": cadence_s}
            return await keep(c, principal.company, asked, body_hash, answer)


async def _judged(
    c: asyncpg.Connection, principal: Principal, batch: Incoming, fence: Fence, now: datetime
) -> Incoming:
    """A batch of fixes with their verdicts; the screens are told those that are believed."""
    rows = [fix_checks.Row(*row) for row in batch.rows]
    kept = await fix_checks.judge(c, principal.company, rows, now, principal.device, fence)
    told = [] if kept.told is None else [Told("positions", kept.told)]
    return batch._replace(rows=kept.rows, told=told)


async def _tell(
    c: asyncpg.Connection,
    principal: Principal,
    batch_id: int,
    batch: Incoming,
    topic: str,
    now: datetime,
) -> None:
    beat = SourceHeartbeat(source=principal.name, topics=[topic], cadence_s=batch.cadence_s or 0)
    told = [(t.stream, t.event) for t in batch.told] or [(f"batch:{batch_id}", beat)]
    # A batch of which nothing was good is no word from the source: its layer may grow old.
    source = topic if batch.rows or batch.empty else None
    await journal.tell(c, principal.company, now, told, source=source, cadence_s=batch.cadence_s)


async def _copy(
    c: asyncpg.Connection, company: int, batch_id: int, batch: Incoming, now: datetime
) -> None:
    if not batch.rows:
        return
    table = batch.table
    temp = f"in_{table.name}"
    pairs = ", ".join(
        f"{name} {kind}" for name, kind in zip(table.columns, table.types, strict=True)
    )
    await c.execute(f"CREATE TEMP TABLE IF NOT EXISTS {temp} ({pairs}) ON COMMIT DELETE ROWS")
    await c.copy_records_to_table(
        temp, schema_name="pg_temp", columns=table.columns, records=batch.rows
    )
    names = ", ".join(table.columns)
    if table.name in _MERGES:
        await _MERGES[table.name](c, company, now)
        return
    await c.execute(
        f"INSERT INTO {table.name} (company_id, received_at, batch_id, {names})"
        f" SELECT $1, now(), $2, {names} FROM pg_temp.{temp}" + AFTER.get(table.name, ""),
        company,
        batch_id,
    )
    if table is FIX:
        await fix_checks.keep_last(c, company, now)


async def _merge_balances(c: asyncpg.Connection, company: int, now: datetime) -> None:
    """The newest balance wins; changed_at moves only when a household goes into
    arrears or out of them."""
    await c.execute(
        "INSERT INTO account_balance (company_id, household_id, unpaid_fen, balance_at, changed_at)"
        " SELECT DISTINCT ON (household_id) $1, household_id, unpaid_fen, balance_at, $2"
        " FROM pg_temp.in_account_balance"
        "  ORDER BY household_id, balance_at DESC"
        " ON CONFLICT (company_id, household_id) DO UPDATE"
        " SET unpaid_fen = excluded.unpaid_fen, balance_at = excluded.balance_at,"
        " changed_at = CASE WHEN (account_balance.unpaid_fen > 0) <> (excluded.unpaid_fen > 0)"
        "   THEN excluded.changed_at ELSE account_balance.changed_at END"
        " WHERE excluded.balance_at >= account_balance.balance_at",
        company,
        now,
    )


_MERGES = {BALANCE.name: _merge_balances, STANDING.name: merge_reports}
"""Of these only the newest is kept."""
