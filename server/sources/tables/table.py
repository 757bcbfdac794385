"""A file of rows, CSV or Excel alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from server.settings import UserError
from server.sources import csv_file, xlsx_file
from server.sources.csv_file import CsvFile, Line
from server.sources.xlsx_file import XlsxFile


@dataclass(frozen=True, slots=True)
class Table:
    """What is known of a file that was looked through once."""

    header: list[str]
    digest: str
    """SHA-256 of what it holds, in hexadecimal digits."""
    sheet: str | None
    file: CsvFile | XlsxFile

    def lines(self) -> Iterator[Line]:
        """Its rows after the header."""
        if isinstance(self.file, XlsxFile):
            return xlsx_file.lines(self.file)
        return csv_file.lines(self.file)


def open_table(path: Path, sheet: str | None = None) -> Table:
    """A .csv, .csv.gz or .xlsx file, by what it holds and not by its name.

    Raises:
        UserError: as `csv_file.inspect` and `xlsx_file.inspect`; `no_sheets`.
    """
    if path.is_file() and _readable(path) and xlsx_file.is_workbook(path):
        book = xlsx_file.inspect(path, sheet)
        return Table(book.header, book.digest, book.sheet, book)
    if sheet is not None:
        raise UserError("no_sheets", f"{path.name} is no workbook.", "Leave the sheet out.")
    text = csv_file.inspect(path)
    return Table(text.header, text.digest, None, text)


def _readable(path: Path) -> bool:
    try:
        with path.open("rb"):
            return True
    except OSError:
        return False
