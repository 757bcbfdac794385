"""A file of tickets: read and counted like the register's files, taken in as requests."""

from __future__ import annotations

import asyncio
from typing import NamedTuple

from server.adapters.imports.rows import Imported, Send, Wish
from server.sources.tables.mapping import Columns
from server.sources.tables.run import Importer, Progress, new_run, reject_shown
from server.sources.tables.table import open_table
from server.sources.tickets_csv import import_tickets, shape_of


class Pace(NamedTuple):
    """How a file of tickets is read and how fast it flows in."""

    preset: str | None = None
    limit: int | None = None
    per_minute: int | None = None


AT_ONCE = Pace()


async def run_tickets(
    importer: Importer,
    wish: Wish,
    send: Send,
    pace: Pace,
    progress: Progress = lambda _what, _done: None,
) -> Imported:
    """Take a file's rows in as requests; doing it twice makes no ticket twice.

    Raises:
        UserError: as `tickets_csv.import_tickets` and `Importer.run`.
    """
    company, run = wish.principal.company, new_run()
    table = await asyncio.to_thread(open_table, wish.path, wish.sheet)
    shape = shape_of(wish.file_name, table, pace.preset, await importer.given(wish))
    await importer.begin(wish, run, table, Columns(shape.mapping, shape.ignored))
    done = await import_tickets(
        wish.path, send, opened=(table, shape), limit=pace.limit, per_minute=pace.per_minute,
        rejects=importer.rejects_file(company, run), progress=progress,
    )  # fmt: skip
    imported = Imported(
        run=run, kind="tickets", file_name=wish.file_name, sheet=table.sheet, dry=wish.dry,
        rows=done.accepted + done.refused, added=done.counts.get("added", 0),
        changed=done.counts.get("changed", 0), unchanged=done.counts.get("unchanged", 0),
        refused=done.refused, notes={}, warnings=[], ignored_columns=done.ignored_columns,
        mapping=done.mapping, rejects=[reject_shown(r) for r in done.first_rejects],
        rejects_file=str(done.rejects) if done.rejects else None,
        rejects_url=f"/api/imports/{run}/rejects.csv" if done.rejects else None,
    )  # fmt: skip
    await importer.runs.end(company, imported)
    return imported
