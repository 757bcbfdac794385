"""A file into the register: read piece by piece, each piece one transaction, every row counted."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import msgspec

from geo.datums import Datums
from server.adapters.address_book import AddressBooks
from server.adapters.clock import BusinessClock, system_now
from server.adapters.commits import Commits
from server.adapters.exports import Exports
from server.adapters.imports.accounts import AccountWriter
from server.adapters.imports.crews import CrewWriter
from server.adapters.imports.heat_tree import TreeWriter
from server.adapters.imports.households import HouseholdWriter
from server.adapters.imports.points import PointWriter
from server.adapters.imports.rows import (
    SURVEYED,
    Entry,
    Imported,
    Outcome,
    Reject,
    RejectShown,
    Wish,
    Writer,
)
from server.adapters.imports.runs import Connection, Mark, Runs
from server.adapters.imports.stores import StoreWriter
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.settings import UserError
from server.sources.csv_file import Line
from server.sources.tables.cells import BadCell, armed
from server.sources.tables.kinds import Kind, Place, Values, kind_of
from server.sources.tables.mapping import CONSTANT, Columns, columns_of, need, read_mapping
from server.sources.tables.rejects import Rejects
from server.sources.tables.table import Table, open_table

PIECE = 4_000
"""Rows of one transaction: a fraction of a second."""
SHOWN = 50
Progress = Callable[[str, float], None]


class _Read(NamedTuple):
    """Some rows of the file, read."""

    entries: list[Entry]
    marks: list[Mark]
    rejects: list[Reject]
    cells: dict[int, list[str]]
    rows: int
    done: float


@dataclass(slots=True)
class _Run:
    """One file under way."""

    wish: Wish
    run: str
    table: Table
    kind: Kind
    place: Place
    columns: Columns
    log: Rejects
    outcome: Outcome = field(default_factory=Outcome)
    rows: int = 0
    shown: list[Reject] = field(default_factory=list)
    warnings: list[RejectShown] = field(default_factory=list)

    def refuse(self, rejects: Sequence[Reject], cells: Mapping[int, list[str]]) -> None:
        """Write refused rows down, in the file's order within a piece."""
        for reject in sorted(rejects):
            self.log.add(reject, cells.get(reject.row, ()))
            if len(self.shown) < SHOWN:
                self.shown.append(reject)


class Importer:
    """Imports files of register data; `commits.run` must be running for crews."""

    def __init__(
        self,
        pool: Pool,
        vault: Vault,
        clock: BusinessClock,
        commits: Commits,
        books: AddressBooks,
        policies: Policies,
        datums: Datums,
        folder: Path,
    ) -> None:
        self._pool = pool
        self._vault = vault
        self._clock = clock
        self._commits = commits
        self._books = books
        self._policies = policies
        self._datums = datums
        self._folder = folder
        self.runs = Runs(pool)
        self.exports = Exports(pool, vault)

    async def run(self, wish: Wish, progress: Progress = lambda _what, _done: None) -> Imported:
        """Import a file; what is missing from it stays as it is.

        It may be broken off at any row and run again: each piece is written whole or not at all.

        Raises:
            UserError: as `open_table` and `columns_of`, `no_such_mapping`, `rejects_unwritable`.
            Refused: `import_running`, `database_unavailable`.
        """
        run = new_run()
        table = await asyncio.to_thread(open_table, wish.path, wish.sheet)
        place = await self.place(wish.principal.company)
        kind = kind_of(wish.kind, place)
        columns = columns_of(wish.file_name, table.header, kind.fields, await self.given(wish))
        need(wish.file_name, table.header, kind, columns.mapping)
        async with self.runs.alone(wish.principal.company) as c:
            await self.begin(wish, run, table, columns)
            log = Rejects(self.rejects_file(wish.principal.company, run), table.header)
            under = _Run(wish, run, table, kind, place, columns, log)
            try:
                await self._pieces(c, under, progress)
            finally:
                log.close()
            done = self._done(under)
            await self.runs.end(wish.principal.company, done)
        progress(wish.kind, 1.0)
        return done

    # ---------------------------------------------------------------- before the first row
    async def place(self, company: int) -> Place:
        """Where and when a company's files are read."""
        now = self._clock.now()
        policy = await self._policies.at(company, now)
        return Place(now, ZoneInfo(policy.timezone), policy.season, self._datums)

    async def given(self, wish: Wish) -> dict[str, str] | None:
        """The mapping that was asked for; None: by the header."""
        if wish.mapping is None:
            return None
        if wish.files and wish.mapping.endswith(".toml"):
            return read_mapping(Path(wish.mapping))
        found = await self.runs.mapping(wish.principal.company, wish.kind, wish.mapping)
        if found is None:
            raise UserError(
                "no_such_mapping",
                f"No mapping {wish.mapping!r} is saved for {wish.kind}.",
                "Save one under this name, or leave it out: columns are found by their names.",
            )
        return found

    async def begin(self, wish: Wish, run: str, table: Table, columns: Columns) -> None:
        """Record that a run begins, and save its mapping if that was asked for."""
        company, by = wish.principal.company, wish.by or wish.principal.actor
        if wish.save_mapping is not None:
            await self.runs.save_mapping(company, wish.kind, wish.save_mapping, columns.mapping, by)
        digest = bytes.fromhex(table.digest)
        await self.runs.begin(company, run, wish.kind, wish.file_name, digest, dry=wish.dry, by=by)

    def rejects_file(self, company: int, run: str) -> Path:
        """Where a run's refused rows go."""
        folder = self._folder / str(company)
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise UserError(
                "rejects_unwritable",
                f"The folder {folder} for refused rows cannot be made: {error.strerror}.",
                "Give this user the right to write there.",
            ) from None
        return folder / f"{run}.rejects.csv"

    # ---------------------------------------------------------------- rows
    async def _pieces(self, c: Connection, under: _Run, progress: Progress) -> None:
        company, kind = under.wish.principal.company, under.wish.kind
        writer = self._writer(under)
        if kind in SURVEYED:
            pieces = self._read(under)
            while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
                async with self.runs.transaction(c, company):
                    await writer.survey(c, piece.entries)
        pieces = self._read(under)
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            await self._write(c, under, writer, piece)
            progress(kind, piece.done)
        async with self.runs.transaction(c, company, patient=True):
            await self._look_back(c, under)
            if not under.wish.dry:
                await writer.finish(c)

    async def _write(self, c: Connection, under: _Run, writer: Writer, piece: _Read) -> None:
        company, kind, total = under.wish.principal.company, under.wish.kind, under.outcome
        now = self._clock.now()
        part = Outcome(rejects=list(piece.rejects))
        first = await self.runs.first_seen(c, piece.entries, piece.marks)
        entries = []
        for entry in piece.entries:
            if first[entry.key] == entry.row:
                entries.append(entry)
            else:
                part.refuse(
                    entry, "duplicate_key",
                    f"Row {first[entry.key]} has the same {under.kind.needs[0]} already; that row"
                    " was read.",
                    "Keep one of the two rows.",
                )  # fmt: skip
        async with self.runs.transaction(c, company):
            same = await self.runs.unchanged(c, kind, writer, entries)
        part.unchanged += len(same)
        ready = await writer.prepare([e for e in entries if e.key not in same], part)
        if ready or len(part.rejects) > len(piece.rejects):
            async with self.runs.transaction(c, company):
                taken = await writer.write(c, ready, now, part)
                await self.runs.save_digests(c, company, kind, taken)
        under.refuse(part.rejects, piece.cells)
        under.rows += piece.rows
        total.added += part.added
        total.changed += part.changed
        total.unchanged += part.unchanged
        total.notes.update(part.notes)

    async def _look_back(self, c: Connection, under: _Run) -> None:
        """What only the whole file shows."""
        notes = under.outcome.notes
        notes["not_in_the_file"] = await self.runs.left_alone(c, under.wish.kind)
        if under.wish.kind != "households":
            return
        notes["same_person_several_households"] = await self.runs.owners_of_several(c)
        twice = await self.runs.doors_twice(c)
        notes["same_door_twice"] = len(twice)
        under.warnings = [
            RejectShown(
                row=seen.row, code="same_door_twice",
                detail=f"Household {seen.other} is at the same door.",
                what_to_do="If one of the two has moved out, give it no door here.",
            )
            for seen in twice[:SHOWN]
        ]  # fmt: skip

    def _writer(self, under: _Run) -> Writer:
        wish, company, dry = under.wish, under.wish.principal.company, under.wish.dry
        match wish.kind:
            case "households":
                return HouseholdWriter(
                    company, self._pool, self._vault, self._books, dry=dry,
                    tops="top_floor" in under.columns.mapping,
                )  # fmt: skip
            case "heat_tree":
                return TreeWriter(company, dry=dry)
            case "crews":
                return CrewWriter(wish.principal, under.run, self._commits, dry=dry)
            case "stores":
                return StoreWriter(wish.principal, under.run, self._commits, dry=dry)
            case "points":
                return PointWriter(company, dry=dry)
            case "accounts":
                return AccountWriter(company, wish.principal.name, dry=dry)
            case "tickets":
                raise ValueError("tickets are requests: see ticket_run")

    def _read(self, under: _Run) -> Iterator[_Read]:
        """The rows of the file in pieces, cells checked; runs in a thread."""
        company = under.wish.principal.company
        piece = _Read([], [], [], {}, 0, 0.0)
        for line in under.table.lines():
            try:
                values = _values(line, under)
                entry = self._entry(under.kind, line.number, values)
                piece.entries.append(entry)
                piece.marks.append(self._mark(company, under.kind, values))
            except BadCell as bad:
                piece.rejects.append(Reject(line.number, bad.code, bad.detail, bad.what_to_do))
            piece.cells[line.number] = line.cells
            if len(piece.cells) == PIECE:
                yield piece._replace(rows=PIECE, done=line.read)
                piece = _Read([], [], [], {}, 0, line.read)
        if piece.cells:
            yield piece._replace(rows=len(piece.cells), done=1.0)

    def _entry(self, kind: Kind, row: int, values: Values) -> Entry:
        told = hashlib.blake2b(msgspec.json.encode(values, order="sorted"), digest_size=16)
        digest = self._vault.keyed(told.digest())
        return Entry(row, kind.key(values), values, digest)

    def _mark(self, company: int, kind: Kind, values: Values) -> Mark:
        mark = kind.mark(values)
        phone = values.get("owner_phone")
        if phone is None:
            return mark
        return mark._replace(owner=self._vault.person(company, None, phone).pseudonym)

    def _done(self, under: _Run) -> Imported:
        wish, outcome, log = under.wish, under.outcome, under.log
        return Imported(
            run=under.run, kind=wish.kind, file_name=wish.file_name, sheet=under.table.sheet,
            dry=wish.dry, rows=under.rows, added=outcome.added, changed=outcome.changed,
            unchanged=outcome.unchanged, refused=log.count,
            notes={code: n for code, n in sorted(outcome.notes.items()) if n},
            warnings=under.warnings, ignored_columns=under.columns.ignored,
            mapping=under.columns.mapping, rejects=[reject_shown(r) for r in under.shown],
            rejects_file=str(log.path) if log.count else None,
            rejects_url=f"/api/imports/{under.run}/rejects.csv" if log.count else None,
        )  # fmt: skip


def new_run() -> str:
    """A run's number: sorts by time."""
    return f"{system_now():%Y%m%d-%H%M%S-%f}-{secrets.token_hex(3)}"


def reject_shown(reject: Reject) -> RejectShown:
    """As an answer shows it."""
    return RejectShown(
        row=reject.row, code=reject.code, detail=reject.detail, what_to_do=reject.what_to_do
    )


def _values(line: Line, under: _Run) -> Values:
    """What a row says. Raises BadCell."""
    if line.values is None:
        raise BadCell(
            "bad_line", f"The row cannot be read: {line.error}.", "Check quotes and separators."
        )
    values: Values = {}
    for name in under.kind.fields:
        column = under.columns.mapping.get(name.name)
        if column is None:
            continue
        cell = column[1:] if column.startswith(CONSTANT) else armed(line.values[column])
        if cell:
            try:
                values[name.name] = name.read(cell)
            except BadCell as bad:
                raise BadCell(bad.code, f"{name.name}: {bad.detail}", bad.what_to_do) from None
    missing = [f for f in under.kind.needs if f not in values]
    if missing:
        raise BadCell(
            "missing_field", f"The row has no {', '.join(missing)}.", "Fill in these cells."
        )
    return under.kind.finish(values, under.place)
