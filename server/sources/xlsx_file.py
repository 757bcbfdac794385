"""An Excel workbook of unknown origin: whole or refused, one sheet of it read row by row."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import openpyxl
from openpyxl import Workbook
from openpyxl.utils.cell import range_boundaries

from server.settings import UserError
from server.sources.csv_file import Line

_CHUNK = 1 << 20
_TAIL = 1 << 12
MOST_UNPACKED = 2 << 30
"""A sheet that unpacks to more is no register but an attack."""
MOST_STRINGS, MOST_OTHER = 256 << 20, 32 << 20
"""The same of shared strings and of every other part: these are held in memory whole."""
MOST_COLUMNS, MOST_ROWS = 702, 1 << 20
"""To column ZZ, and as many rows as Excel has."""
MOST_MERGED = 20_000_000
"""Cells that are covered by others."""
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
# none of them goes past the next `<` inside a tag, or tries two ways through the same blanks
_MERGED = re.compile(rb'<(?:\w+:)?mergeCell [^<>]*?ref="([A-Z]+\d+:[A-Z]+\d+)"')
_UNCOUNTED = re.compile(
    rb'<(?:\w+:)?c (?![^<>]*t="str")[^<>]*>\s*'
    rb"<(?:\w+:)?f(?:\s[^<>]*)?(?:/>|>[^<]*</(?:\w+:)?f>)\s*"
    rb"(?:(?:<(?:\w+:)?v\s*/>|<(?:\w+:)?v></(?:\w+:)?v>)\s*)?</(?:\w+:)?c>"
)
_WIDE = re.compile(rb"<(?:\w+:)?c\s[^<>]*?\br=[\"'][A-Za-z]{3,}\d")
_LOW = re.compile(rb"<(?:\w+:)?row\s[^<>]*?\br=[\"'](\d{7,})")
"""A formula without a result; one whose result is an empty text has one."""
_HEADER_WITHIN = 10
"""The header stands in one of the first rows; titles may stand above it."""

Merged = dict[int, list[tuple[int, int, int]]]
"""last row -> (first row, first column, last column) of merged cells, counted from 1"""


@dataclass(frozen=True, slots=True)
class XlsxFile:
    """What is known of a sheet that was looked through once."""

    path: Path
    sheet: str
    sheets: list[str]
    header: list[str]
    """Column names: trimmed, lower case; empty for a column without one."""
    header_row: int
    digest: str
    """SHA-256 of the workbook and the sheet's name."""
    merged: Merged


def is_workbook(path: Path) -> bool:
    """Whether a file begins as a workbook does, new or old or encrypted."""
    with path.open("rb") as file:
        start = file.read(8)
    return start.startswith(b"PK") or start == _OLE


def inspect(path: Path, sheet: str | None = None) -> XlsxFile:
    """Look through a workbook once; the first sheet, or the one named.

    Raises:
        UserError: `workbook_old` (.xls), `workbook_encrypted`, `file_truncated`, `not_workbook`,
            `workbook_damaged`, `workbook_too_large`, `too_many_columns`, `no_such_sheet`,
            `no_header`, `formulas_not_calculated`.
    """
    _check_container(path)
    try:
        return _looked_through(path, sheet)
    except UserError:
        raise
    except Exception as error:  # noqa: BLE001 - openpyxl raises whatever a damaged part makes it
        raise _damaged(path, type(error).__name__) from None


def _damaged(path: Path, why: str) -> UserError:
    return UserError(
        "workbook_damaged",
        f"{path.name} is a damaged workbook: {why}.",
        "Open it in Excel, save it again, or save the sheet as CSV in UTF-8.",
    )


def _too_large(path: Path, what: str) -> UserError:
    return UserError(
        "workbook_too_large", f"{path.name} {what}.", "Save the sheet as CSV in UTF-8."
    )


def _too_wide(path: Path) -> UserError:
    return UserError(
        "too_many_columns",
        f"{path.name} has cells beyond column ZZ, the {MOST_COLUMNS}th.",
        "Delete the columns to the right of the table, or save the sheet as CSV in UTF-8.",
    )


def _check_container(path: Path) -> None:
    with path.open("rb") as file:
        start = file.read(8)
        if start == _OLE:
            raise _of_old_kind(path, file.read())
    if not zipfile.is_zipfile(path):
        raise UserError(
            "file_truncated",
            f"{path.name} ends too early: it was copied or downloaded only in part.",
            "Fetch it again.",
        )
    with zipfile.ZipFile(path) as packed:
        names = {i.filename: i for i in packed.infolist()}
        if "xl/workbook.xml" not in names:
            raise UserError(
                "not_workbook",
                f"{path.name} is packed, but it is no Excel workbook.",
                "Save the sheet as .xlsx, or as CSV in UTF-8.",
            )
        for part in packed.infolist():
            if part.file_size > (most := _most(part.filename)):
                raise _too_large(path, f"has a part that unpacks to more than {most >> 20:,} MiB")


def _most(part: str) -> int:
    if part.startswith("xl/worksheets/"):
        return MOST_UNPACKED
    return MOST_STRINGS if part == "xl/sharedStrings.xml" else MOST_OTHER


def _of_old_kind(path: Path, rest: bytes) -> UserError:
    if "EncryptedPackage".encode("utf-16-le") in rest:
        return UserError(
            "workbook_encrypted",
            f"{path.name} is protected with a password.",
            "Save a copy without password.",
        )
    return UserError(
        "workbook_old",
        f"{path.name} is of the old .xls kind.",
        "Save it as .xlsx, or as CSV in UTF-8.",
    )


def _looked_through(path: Path, sheet: str | None) -> XlsxFile:
    with _opened(path) as book:
        sheets = [s.title for s in book.worksheets]
        if not sheets or (sheet is not None and sheet not in sheets):
            raise UserError(
                "no_such_sheet",
                f"{path.name} has no sheet {sheet!r}; it has {', '.join(sheets) or 'none'}.",
                "Name one of them.",
            )
        chosen: Any = book[sheet] if sheet is not None else book.worksheets[0]
        chosen.reset_dimensions()
        part: str = chosen._worksheet_path  # noqa: SLF001 - nowhere else
        merged, uncounted = _scan(path, part)
        header_row, header = _header(path, chosen)
        title = chosen.title
    if uncounted:
        raise UserError(
            "formulas_not_calculated",
            f"{uncounted:,} cells of {path.name} are formulas without a result.",
            "Open it in Excel and save it: that calculates them.",
        )
    digest = hashlib.sha256(path.read_bytes() + b"\0" + title.encode())
    return XlsxFile(path, title, sheets, header, header_row, digest.hexdigest(), merged)


def _header(path: Path, sheet: Any) -> tuple[int, list[str]]:  # noqa: ANN401 - openpyxl's own
    single: tuple[int, list[str]] | None = None
    above = sheet.iter_rows(max_row=_HEADER_WITHIN, values_only=True)
    for number, row in enumerate(above, 1):
        texts = ["" if v is None else " ".join(str(v).split()).lower() for v in row]
        while texts and not texts[-1]:
            texts.pop()
        if len(texts) > MOST_COLUMNS:
            raise _too_wide(path)
        named = sum(1 for t, v in zip(texts, row, strict=False) if t and isinstance(v, str))
        if named >= 2:
            return number, texts
        if named == 1 and single is None:  # a title, unless no row names more columns
            single = number, texts
    if single is not None:
        return single
    raise UserError(
        "no_header",
        f"The first {_HEADER_WITHIN} rows of {path.name} name no columns.",
        "Put the names of the columns into one row above the data.",
    )


def _scan(path: Path, part: str) -> tuple[Merged, int]:
    """Merged cells, which stand behind the rows in the file, and formulas that hold no result."""
    merged: Merged = {}
    uncounted = 0
    with zipfile.ZipFile(path) as packed, packed.open(part.lstrip("/")) as xml:
        tail = b""
        while chunk := xml.read(_CHUNK):
            text = tail + chunk
            # only whole tags: what may be cut off is looked at with the next piece
            cut = max(text.rfind(b"<c "), text.rfind(b"<mergeCell "))
            if cut < 0 or len(text) - cut > _CHUNK:
                cut = len(text) - _TAIL
            text, tail = text[:cut], text[cut:]
            uncounted += _look(path, text, merged)
        uncounted += _look(path, tail, merged)
    covered = sum(
        (bottom - top + 1) * (right - left + 1)
        for bottom, found in merged.items()
        for top, left, right in found
    )
    if covered > MOST_MERGED:
        raise _too_large(path, f"has {covered:,} merged cells")
    return merged, uncounted


def _look(path: Path, text: bytes, merged: Merged) -> int:
    if _WIDE.search(text):
        raise _too_wide(path)
    if any(int(number) > MOST_ROWS for number in _LOW.findall(text)):
        raise _damaged(path, f"a row beyond the {MOST_ROWS:,}th")
    for found in _MERGED.findall(text):
        left, top, right, bottom = (int(n or 0) for n in range_boundaries(found.decode()))
        merged.setdefault(bottom, []).append((top, left, right))
    return len(_UNCOUNTED.findall(text))


def lines(file: XlsxFile) -> Iterator[Line]:
    """Every row after the header, its cells as text; blank ones are passed over.

    A merged cell counts for every cell it covers; dates read `2026-01-14`, numbers without the
    noise of their storage. A row with an error cell (#N/A) cannot be read.

    Raises:
        UserError: `workbook_damaged`, found out only here.
    """
    try:
        yield from _rows(file)
    except Exception as error:  # noqa: BLE001 - as above
        raise _damaged(file.path, type(error).__name__) from None


def _rows(file: XlsxFile) -> Iterator[Line]:
    with _opened(file.path) as book:
        sheet: Any = book[file.sheet]
        total = max(sheet.max_row or 0, 1)
        sheet.reset_dimensions()
        spans = sorted(
            (top, bottom, left, right)
            for bottom, found in file.merged.items()
            for top, left, right in found
        )
        above = _Merges(spans)
        within = sheet.iter_rows(max_row=MOST_ROWS)
        for number, row in enumerate(within, 1):
            values = [c.value for c in row]
            above.fill(number, values)
            if number > file.header_row:
                line = _line(file.header, number, row, [text_of(v) for v in values])
                if line is not None:
                    yield replace(line, read=min(1.0, number / total))


def _line(header: list[str], number: int, row: Sequence[Any], cells: list[str]) -> Line | None:
    """A row of the sheet; None for a blank one."""
    if not any(cells):
        return None
    wide = len(header)
    wrong = next((c for c in row[:wide] if c.data_type == "e"), None)
    if wrong is not None or any(cells[wide:]):
        told = f"a cell is {wrong.value}" if wrong else "cells stand beyond the header"
        return Line(number, None, told, cells=cells)
    cells = cells[:wide] + [""] * (wide - len(cells))
    return Line(number, dict(zip(header, map(str.strip, cells), strict=True)), cells=cells)


@contextmanager
def _opened(path: Path) -> Iterator[Workbook]:
    # by a file of our own: openpyxl leaves its own open when it fails
    with path.open("rb") as file:
        book = openpyxl.load_workbook(file, read_only=True, data_only=True)
        try:
            yield book
        finally:
            book.close()


class _Merges:
    """Fills merged cells while rows pass by, top to bottom."""

    def __init__(self, spans: list[tuple[int, int, int, int]]) -> None:
        self._waiting = spans[::-1]
        self._open: list[tuple[int, int, int, Any]] = []

    def fill(self, row: int, values: list[Any]) -> None:
        """Put the value of a merged cell's first corner into the cells of this row it covers."""
        while self._waiting and self._waiting[-1][0] <= row:
            _, bottom, left, right = self._waiting.pop()
            corner = values[left - 1] if left <= len(values) else None
            self._open.append((bottom, left, right, corner))
        if not self._open:
            return
        self._open = [span for span in self._open if span[0] >= row]
        for _, left, right, value in self._open:
            values.extend([None] * (min(right, 1024) - len(values)))
            for column in range(left, min(right, 1024) + 1):
                values[column - 1] = value


def text_of(value: object) -> str:
    """A cell's value as it would be typed."""
    match value:
        case None:
            return ""
        case bool():
            return "1" if value else "0"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
        case datetime():
            whole = value.time() == time.min
            return value.date().isoformat() if whole else value.isoformat(" ", "seconds")
        case date():
            return value.isoformat()
        case timedelta():
            return str(value)
        case _:
            return str(value)
