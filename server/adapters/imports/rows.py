"""A row of a file on its way into the register, and what became of a file."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

import asyncpg
import msgspec

from dispatch_core.errors import Refused
from server.adapters.accounts import Principal

ImportKind = Literal[
    "households", "heat_tree", "crews", "stores", "points", "accounts", "tickets"
]  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Wish:
    """A file that is to be imported, by whom and how."""

    principal: Principal
    kind: ImportKind
    path: Path
    file_name: str
    dry: bool = False
    mapping: str | None = None
    """Name of a saved mapping, or a path of a .toml file where `files` allows it."""
    files: bool = False
    save_mapping: str | None = None
    sheet: str | None = None
    by: str = ""
    """Who stands in the record; the principal if it is empty."""


class Reject(NamedTuple):
    """A row that was refused, by its row in the file."""

    row: int
    code: str
    detail: str
    what_to_do: str


class Entry(NamedTuple):
    """A row whose cells are sound. `values` holds what the row says: an empty cell says nothing."""

    row: int
    key: str
    values: dict[str, Any]
    digest: bytes
    """Keyed, of what the row says."""


@dataclass(slots=True)
class Outcome:
    """What became of some rows."""

    added: int = 0
    changed: int = 0
    unchanged: int = 0
    rejects: list[Reject] = field(default_factory=list)
    notes: Counter[str] = field(default_factory=Counter)
    """Information, by code: nothing was refused for it."""

    def refuse(self, entry: Entry, code: str, detail: str, what_to_do: str) -> None:
        """One row less."""
        self.rejects.append(Reject(entry.row, code, detail, what_to_do))

    def refuse_all(self, entries: Iterable[Entry], refused: Refused) -> None:
        """Rows that the core refuses. Raises it where it is not about them."""
        if refused.kind == "unavailable":
            raise refused
        for entry in entries:
            self.refuse(entry, refused.code, refused.detail, refused.what_to_do)


_QUOTED = re.compile(r"“[^”]*”")


class RejectShown(msgspec.Struct, frozen=True, kw_only=True):
    """A refused row, without its cells."""

    row: int
    code: str
    detail: str
    what_to_do: str

    def unquoted(self) -> RejectShown:
        """Without the words of the cell, which may name a resident where a column was mistaken:
        those stand in the rejects file only."""
        return msgspec.structs.replace(self, detail=_QUOTED.sub("what stands there", self.detail))


class Imported(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file; rows = added + changed + unchanged + refused."""

    run: str
    kind: ImportKind
    file_name: str
    sheet: str | None
    dry: bool
    rows: int
    added: int
    changed: int
    unchanged: int
    refused: int
    notes: dict[str, int]
    """Information, by code."""
    warnings: list[RejectShown]
    """The first rows that were taken in and are worth a look."""
    ignored_columns: list[str]
    mapping: dict[str, str]
    """field -> column, or `=value` for every row"""
    rejects: list[RejectShown]
    """The first refused rows."""
    rejects_file: str | None = None
    rejects_url: str | None = None


@dataclass(frozen=True, slots=True)
class TicketRow:
    """A request to send; the key is the same whenever the same file is read."""

    line: int
    key: str
    body: dict[str, Any]
    read: float = 0.0
    """Share of the file read so far, 0 to 1."""
    cells: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Refusal:
    """What is answered for a row that is not taken in."""

    code: str
    detail: str
    what_to_do: str


Taken = Literal["added", "changed", "unchanged"]
"""A new ticket, one more report on an open one, or a row that was taken in before."""
Send = Callable[[Sequence[TicketRow]], Awaitable[Sequence[Refusal | Taken]]]
"""Sends rows under their keys; answers in order."""


class Writer(Protocol):
    """Takes sound rows of one kind into the register."""

    exists: str
    """SQL condition: the record of key `k.key` is there."""

    async def survey(self, c: asyncpg.Connection, entries: Sequence[Entry]) -> None:
        """See rows of the whole file before the first is written, piece by piece."""

    async def prepare(self, entries: Sequence[Entry], outcome: Outcome) -> list[Entry]:
        """Before the transaction: those of the changed rows that may go on."""

    async def write(
        self, c: asyncpg.Connection, entries: Sequence[Entry], now: datetime, outcome: Outcome
    ) -> list[Entry]:
        """Write, unless the run is dry, and count; the rows that are now so."""

    async def finish(self, c: asyncpg.Connection) -> None:
        """After the last row, in a transaction of its own; not in a dry run."""


class RowByRow:
    """What a writer need not do whose rows do not refer to one another."""

    async def survey(self, c: asyncpg.Connection, entries: Sequence[Entry]) -> None:
        """Nothing is to be learnt."""

    async def prepare(self, entries: Sequence[Entry], outcome: Outcome) -> list[Entry]:
        """All of them may go on."""
        del outcome
        return list(entries)

    async def finish(self, c: asyncpg.Connection) -> None:
        """Nothing is left to do."""


SURVEYED: frozenset[ImportKind] = frozenset({"heat_tree"})
"""Kinds whose rows refer to one another: the file is read twice."""
