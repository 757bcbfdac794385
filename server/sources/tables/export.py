"""The register as a file with the very columns that an import takes: CSV or Excel."""

from __future__ import annotations

import asyncio
import csv
import io
import os
import re
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl

from server.adapters.exports import Exports, Row
from server.adapters.imports.rows import ImportKind
from server.settings import UserError
from server.sources.tables.cells import defused

COLUMNS: Mapping[ImportKind, tuple[str, ...]] = {
    "households": (
        "household", "building", "address", "unit", "floor", "flat", "risers", "area_m2",
        "heated_area_m2", "gable", "ground_floor", "top_floor", "valve", "green_channel",
        "warranty_until", "lon", "lat", "datum", "owner_name", "owner_phone",
    ),
    "heat_tree": (
        "node", "kind", "parent", "name", "lon", "lat", "datum", "supply_low_c", "address",
        "street", "house_number", "district", "community", "radius_m", "levels", "area_m2", "use",
        "warranty_until", "outline",
    ),
    "crews": (
        "crew", "name", "trades", "certificates", "members", "vehicle", "shift", "skill",
        "territory", "lon", "lat", "datum", "breaks", "equipment", "parts",
    ),
    "stores": ("store", "name", "lon", "lat", "datum", "part", "pieces"),
    "points": ("point", "household", "building"),
    "accounts": (
        "household", "season", "unpaid_fen", "balance_at", "network", "network_at", "valve",
        "valve_at", "billing", "billed_fen", "billed_at",
    ),
    # ticket, state, received_at and closed_at tell what was: an import takes a ticket in anew
    "tickets": (
        "ticket", "kind", "level", "source", "building", "household", "lon", "lat", "datum", "area",
        "words", "reports", "caller_name", "caller_phone", "state", "received_at", "closed_at",
    ),
}  # fmt: skip
MOST_SHEET_ROWS = 1_048_575
_UNPRINTABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
Cell = str | int | float | None


async def csv_pieces(exports: Exports, company: int, kind: ImportKind) -> AsyncIterator[bytes]:
    """The file piece by piece: UTF-8 with a byte order mark, so that spreadsheets show Chinese."""
    columns = COLUMNS[kind]
    yield _head(columns)
    async for page in exports.rows(company, kind):
        yield await asyncio.to_thread(_page, columns, page)


def _head(columns: Sequence[str]) -> bytes:
    return b"\xef\xbb\xbf" + _lines([columns])


def _page(columns: Sequence[str], page: Sequence[Row]) -> bytes:
    return _lines([cells_of(columns, row) for row in page])


def _lines(rows: Sequence[Sequence[Cell]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


async def write_csv(exports: Exports, company: int, kind: ImportKind, path: Path) -> int:
    """Write the file whole or not at all, readable by its owner only; its rows.

    Raises:
        UserError: `file_unwritable`.
    """
    columns = COLUMNS[kind]
    rows = 0
    try:
        draft = _draft(path)
        try:
            with draft.open("wb") as file:
                file.write(_head(columns))
                async for page in exports.rows(company, kind):
                    file.write(await asyncio.to_thread(_page, columns, page))
                    rows += len(page)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None
    return rows


async def write_xlsx(exports: Exports, company: int, kind: ImportKind, path: Path) -> int:
    """As `write_csv`, a workbook of one sheet named like the kind. Texts are texts, never formulas.

    Raises:
        UserError: `file_unwritable`, `too_many_rows` for a sheet.
    """
    columns = COLUMNS[kind]
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet(kind)
    sheet.append(list(columns))
    rows = 0
    async for page in exports.rows(company, kind):
        rows += len(page)
        if rows > MOST_SHEET_ROWS:
            raise UserError(
                "too_many_rows",
                f"More than {MOST_SHEET_ROWS:,} rows: no sheet holds so many.",
                "Export CSV instead.",
            )
        await asyncio.to_thread(_append, sheet, columns, page)
    try:
        draft = _draft(path)
        try:
            await asyncio.to_thread(book.save, draft)
            draft.replace(path)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise _unwritable(path, error) from None
    return rows


def _append(sheet: Any, columns: Sequence[str], page: Sequence[Row]) -> None:  # noqa: ANN401
    for row in page:
        cells = cells_of(columns, row)
        sheet.append([_UNPRINTABLE.sub("\ufffd", c) if isinstance(c, str) else c for c in cells])


def _draft(path: Path) -> Path:
    """A new file beside the one that is to be, 0600: it holds residents."""
    descriptor, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    os.close(descriptor)
    return Path(name)


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        "file_unwritable",
        f"{path} cannot be written: {error.strerror}.",
        "Name a file in a folder you may write to.",
    )


def cells_of(columns: Sequence[str], row: Row) -> list[Cell]:
    """A record as the cells of its columns."""
    return [_datum(row) if c == "datum" else _cell(row.get(c)) for c in columns]


def _datum(row: Row) -> str | None:
    return None if row.get("lon") is None else "wgs84"


def _cell(value: Any) -> Cell:  # noqa: ANN401 - whatever a record holds
    match value:
        case None:
            return None
        case bool():
            return "yes" if value else "no"
        case int() | float():
            return value
        case datetime():
            return value.astimezone(UTC).isoformat()
        case date():
            return value.isoformat()
        case bytes():
            return value.hex()
        case list():
            return defused(";".join(str(v) for v in value))
        case _:
            return defused(str(value))
