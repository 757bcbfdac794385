"""Files of every kind, in and out: what the HTTP API is given to work with."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

from server.adapters.accounts import Principal
from server.adapters.imports.rows import Imported, ImportKind, Send, Wish
from server.sources.tables import export
from server.sources.tables.kinds import kind_of
from server.sources.tables.run import Importer, Progress
from server.sources.tables.ticket_run import AT_ONCE, Pace, run_tickets
from server.sources.tickets_csv import FIELDS


class TableFiles:
    """Imports and exports; `sender` takes a principal's rows of tickets in, or looks only."""

    def __init__(self, importer: Importer, sender: Callable[[Principal, bool], Send]) -> None:
        self._importer = importer
        self._sender = sender
        self.runs = importer.runs
        self.exports = importer.exports

    async def take(
        self, wish: Wish, pace: Pace = AT_ONCE, progress: Progress = lambda _what, _done: None
    ) -> Imported:
        """Import a file of any kind. Raises as `Importer.run` and `run_tickets`."""
        if wish.kind == "tickets":
            send = self._sender(wish.principal, wish.dry)
            return await run_tickets(self._importer, wish, send, pace, progress)
        return await self._importer.run(wish, progress)

    async def workbook(self, company: int, kind: ImportKind, path: Path) -> int:
        """Write a kind to a workbook; its rows."""
        return await export.write_xlsx(self.exports, company, kind, path)

    async def text(self, company: int, kind: ImportKind, path: Path) -> int:
        """Write a kind to a CSV file; its rows."""
        return await export.write_csv(self.exports, company, kind, path)

    def pieces(self, company: int, kind: ImportKind) -> AsyncIterator[bytes]:
        """A kind as CSV, piece by piece."""
        return export.csv_pieces(self.exports, company, kind)

    async def fields(self, company: int, kind: ImportKind) -> list[str]:
        """The fields that a mapping of this kind may name."""
        if kind == "tickets":
            return [f.name for f in FIELDS]
        return [f.name for f in kind_of(kind, await self._importer.place(company)).fields]
