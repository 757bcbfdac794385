"""`heatops import` and `heatops export`: files into a company's register and out of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import uvloop

from dispatch_core.errors import Refused
from geo.datums import Datums
from server.adapters.accounts import Principal
from server.adapters.address_book import AddressBooks
from server.adapters.cities import Cities
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.imports.rows import ImportKind, Wish
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.numbers import Numbers
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.previews import Previews
from server.adapters.vault import Vault
from server.api.requests import Intake
from server.api.ticket_rows import TicketRows
from server.api.wishes import Wishes
from server.settings import Settings, UserError
from server.sources.tables.files import TableFiles
from server.sources.tables.run import Importer
from server.sources.tables.table import open_table
from server.sources.tables.ticket_run import Pace
from server.work.company import Progress, company_meant, owner_dsn


class FileMeant(NamedTuple):
    """A file on the command line, and how it is to be read."""

    path: Path
    company: str | None
    new_company: str | None
    mapping: str | None = None
    save_mapping: str | None = None
    sheet: str | None = None
    dry: bool = False


def import_file(
    settings: Settings,
    kind: ImportKind,
    file: FileMeant,
    pace: Pace,
    progress: Progress,
) -> dict[str, Any]:
    """Import a file; doing it twice changes nothing the second time. The counts, JSON-ready.

    Raises:
        UserError: `which_company`, `no_such_company`, and as `Importer.run` and `run_tickets`.
    """

    async def run() -> dict[str, Any]:
        dsn = owner_dsn(settings)
        open_table(file.path, file.sheet)  # before a company is made for a file that cannot be read
        number, code = await company_meant(dsn, file.company, file.new_company)
        async with _opened(settings, dsn) as files:
            principal = Principal(number, "file", "source", b"")
            wish = Wish(
                principal=principal, kind=kind, path=file.path, file_name=file.path.name,
                dry=file.dry, mapping=file.mapping, files=True, save_mapping=file.save_mapping,
                sheet=file.sheet,
            )  # fmt: skip
            done = await files.take(wish, pace, progress)
        accepted = done.rows - done.refused
        fields: dict[str, Any] = msgspec.to_builtins(done)
        return {"company": code, "accepted": accepted, **fields}

    return _told(run)


def export_file(
    settings: Settings, kind: ImportKind, path: Path, company: str | None
) -> dict[str, Any]:
    """Write a kind of record to a .csv or .xlsx file.

    Raises:
        UserError: `which_company`, `no_such_company`, `file_kind_unknown`, and as `export`.
    """
    form = path.suffix.lower()
    if form not in {".csv", ".xlsx"}:
        raise UserError(
            "file_kind_unknown", f"{path.name} is neither .csv nor .xlsx.", "Name it so.", 2
        )

    async def run() -> dict[str, Any]:
        dsn = owner_dsn(settings)
        number, code = await company_meant(dsn, company, None)
        async with _opened(settings, dsn) as files:
            await files.exports.record(number, "source:file", f"export of {kind}")
            write = files.workbook if form == ".xlsx" else files.text
            rows = await write(number, kind, path)
        return {"company": code, "kind": kind, "file": str(path), "rows": rows}

    return _told(run)


def _told(run: Any) -> dict[str, Any]:  # noqa: ANN401 - a coroutine function
    try:
        done: dict[str, Any] = uvloop.run(run())
    except Refused as refused:
        raise UserError(refused.code, refused.detail, refused.what_to_do) from None
    return done


@asynccontextmanager
async def _opened(settings: Settings, dsn: str) -> AsyncIterator[TableFiles]:
    keys = Keys(settings.keys)
    pool = Pool(app_dsn(dsn, keys), name="heatops-import")
    vault, clock = Vault(keys), BusinessClock()
    books = AddressBooks(pool, vault)
    policies = Policies(pool, settings.data / "policies")
    datums = Datums(gcj02_enabled=settings.gcj02)
    commits = Commits(pool, clock, vault, keys.get("journal"), books.ask)
    cities = Cities(pool, settings.data / "cities")
    await clock.load(pool)
    working = asyncio.ensure_future(commits.run())
    try:
        importer = Importer(
            pool, vault, clock, commits, books, policies, datums, settings.data / "imports"
        )
        wishes = Wishes(vault, datums, policies, clock, books, cities)
        intake = Intake(commits, wishes, Previews(pool, clock), policies, Numbers(pool), clock)
        yield TableFiles(importer, TicketRows(intake).sender)
    finally:
        working.cancel()
        await pool.close()
