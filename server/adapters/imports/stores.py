"""Stores from a file: each row is one part of one store, how many pieces lie there."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from dispatch_core.commands import StockStore
from dispatch_core.errors import Refused
from dispatch_core.ids import StoreId
from dispatch_core.stores import Store
from server.adapters import journal
from server.adapters.accounts import Principal
from server.adapters.commits import Commits
from server.adapters.imports.rows import Entry, Outcome, RowByRow
from server.ports import Loaded
from server.usecases.stores import StockStoreParts

_NEEDED = ("name", "lon", "lat")


def key_of(store: str, part: str | None) -> str:
    """The key of a row: a store may stand without parts."""
    return f"{store}\x1f{part or ''}"


class StoreWriter(RowByRow):
    """Counts the stores of one company in one run; the rows of one store are one command."""

    exists = "false"
    """The same count again is a new count: crews took parts away in between."""

    def __init__(self, principal: Principal, run: str, commits: Commits, *, dry: bool) -> None:
        self._principal = principal
        self._run = run
        self._commits = commits
        self._dry = dry

    async def write(
        self, c: asyncpg.Connection, entries: Sequence[Entry], now: datetime, outcome: Outcome
    ) -> list[Entry]:
        """See `Writer`. Each store is a commit of its own; what the rows leave out stays."""
        stores: dict[str, list[Entry]] = {}
        for entry in entries:
            stores.setdefault(entry.values["store"], []).append(entry)
        found = await journal.load_heads(c, [f"store:{name}" for name in stores])
        heads = {stream: (head.state, head.version) for stream, head in found.items()}
        taken: list[Entry] = []
        for name, rows in stores.items():
            store = heads.get(f"store:{name}", (None, 0))[0]
            missing = [f for f in _NEEDED if not any(f in e.values for e in rows)]
            if store is None and missing:
                for entry in rows:
                    outcome.refuse(
                        entry, "missing_field", f"A new store needs {', '.join(missing)}.",
                        "Fill in these columns in one of its rows.",
                    )  # fmt: skip
                continue
            try:
                await self._stock(name, rows, store, heads, now)
            except Refused as refused:
                outcome.refuse_all(rows, refused)
                continue
            taken += rows
            _count(rows, store, outcome)
        return [] if self._dry else taken

    async def _stock(
        self,
        name: str,
        rows: Sequence[Entry],
        store: Store | None,
        heads: dict[str, tuple[Any, int]],
        now: datetime,
    ) -> None:
        change = StockStoreParts(store=StoreId(name), command=_command(rows, store))
        decision = change.decide(Loaded(heads), now)
        if decision.appends and not self._dry:
            await self._commits.submit(
                self._principal, f"POST /api/stores/{name}", f"{self._run}-{rows[0].row}",
                rows[0].digest, change,
            )  # fmt: skip


def _command(rows: Sequence[Entry], store: Store | None) -> StockStore:
    """The whole store: parts that no row names stay as they are."""
    said: dict[str, Any] = {"name": "", "lon": 0.0, "lat": 0.0}
    parts: dict[str, int] = {}
    if store is not None:
        said = {"name": store.name, "lon": store.lon, "lat": store.lat}
        parts = dict(store.parts)
    for entry in rows:
        said.update({f: entry.values[f] for f in _NEEDED if f in entry.values})
        if "part" in entry.values:
            parts[entry.values["part"]] = entry.values.get("pieces", 0)
    return StockStore(**said, parts=parts)


def _count(rows: Sequence[Entry], store: Store | None, outcome: Outcome) -> None:
    """Each row is added, changed or unchanged by what it says itself."""
    for entry in rows:
        values = entry.values
        part, pieces = values.get("part"), values.get("pieces", 0)
        there = None if store is None else store.parts.get(part or "", 0)
        if store is None or (part is not None and not there and pieces):
            outcome.added += 1
        elif (part is not None and there != pieces) or any(
            f in values and values[f] != getattr(store, f) for f in _NEEDED
        ):
            outcome.changed += 1
        else:
            outcome.unchanged += 1
