"""`heatops addresses match`: a file's addresses looked up in a company's register."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import uvloop

from server.adapters.address_answers import AddressAnswer
from server.adapters.address_book import AddressBooks, Query
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.settings import Settings, UserError
from server.sources import csv_file
from server.work.company import company_meant, owner_dsn

COLUMNS = ("address", "text", "地址", "用户地址", "住址", "详细地址")
PART = 1000


class Matched(NamedTuple):
    """One line of the file and its answer."""

    line: int
    text: str
    answer: AddressAnswer


def match_file(
    settings: Settings, file: Path, *, company: str | None, column: str | None
) -> list[Matched]:
    """Every address of a file with its answer, in the file's order; nothing is written.

    A .csv or .csv.gz is read by `column`, else by a column of a usual name, else by its first; any
    other file has an address a line.

    Raises:
        UserError: `which_company`, `no_such_company`, `no_such_column`, and as
            `server.sources.csv_file.inspect`.
    """
    texts = list(_texts(file, column))

    async def run() -> list[Matched]:
        dsn = owner_dsn(settings)
        number, _ = await company_meant(dsn, company, None)
        keys = Keys(settings.keys)
        pool = Pool(app_dsn(dsn, keys), size=2, name="heatops-addresses")
        books = AddressBooks(pool, Vault(keys))
        found: list[Matched] = []
        try:
            for start in range(0, len(texts), PART):
                part = texts[start : start + PART]
                answers = await books.resolve(number, [Query(text=text) for _, text in part])
                found += [
                    Matched(n, text, answer)
                    for (n, text), answer in zip(part, answers, strict=True)
                ]
        finally:
            await pool.close()
        return found

    return uvloop.run(run())


def write_answers(answers: list[Matched], path: Path) -> None:
    """All answers as CSV for a spreadsheet, UTF-8 with its mark."""
    with path.open("w", encoding="utf-8-sig", newline="") as out:
        rows = csv.writer(out)
        rows.writerow(
            ["line", "text", "verdict", "score", "precision", "building", "address", "unit",
             "floor", "flat", "household", "reasons"]
        )  # fmt: skip
        for line, text, a in answers:
            rows.writerow(
                [line, text, a.verdict, a.score, a.precision, a.building.id if a.building else "",
                 a.building.address if a.building else "", a.unit, a.floor, a.flat, a.household,
                 " ".join(a.reasons)]
            )  # fmt: skip


def _texts(file: Path, column: str | None) -> Iterator[tuple[int, str]]:
    """(line, address) of a file."""
    if not file.name.endswith((".csv", ".csv.gz")):
        for number, text in enumerate(_plain(file).splitlines(), start=1):
            if text.strip():
                yield number, text.strip()
        return
    found = csv_file.inspect(file)
    name = column.strip().lower() if column else next(
        (c for c in COLUMNS if c in found.header), found.header[0]
    )  # fmt: skip
    if name not in found.header:
        raise UserError(
            "no_such_column",
            f"{file.name} has no column {column!r}; it has {', '.join(found.header)}.",
            "Name one of these with --column.",
        )
    for line in csv_file.lines(found):
        yield line.number, (line.values or {}).get(name, "")


def _plain(file: Path) -> str:
    """A text file in UTF-8 or GB18030."""
    try:
        read = file.read_bytes()
    except OSError as error:
        raise UserError(
            "file_unreadable", f"{file} cannot be read: {error.strerror}.", "Check its path."
        ) from None
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return read.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise UserError(
        "encoding_unknown", f"{file.name} is neither UTF-8 nor GB18030.", "Save it as UTF-8."
    )
