"""A CSV file of unknown origin: whole or refused, its encoding and separator found out."""

from __future__ import annotations

import codecs
import csv
import gzip
import hashlib
import io
import itertools
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, cast

from server.settings import UserError

_CHUNK = 1 << 18
_SEPARATORS = ",;\t|"
_LONGEST_HEADER = 1 << 20
_LONGEST_CELL = csv.field_size_limit()
MOST_COLUMNS = 1_000


@dataclass(frozen=True, slots=True)
class CsvFile:
    """What is known of a file that was read through once."""

    path: Path
    packed: bool
    encoding: str
    separator: str
    header: list[str]
    """Column names: trimmed, lower case."""
    digest: str
    """SHA-256 of the unpacked bytes."""
    size: int
    """Unpacked bytes."""


@dataclass(frozen=True, slots=True)
class Line:
    """One record; `number` is its last line in the file, `values` None if it cannot be read."""

    number: int
    values: dict[str, str] | None
    error: str = ""
    read: float = 0.0
    """Share of the file read so far, 0 to 1."""
    cells: list[str] = field(default_factory=list)
    """As they stand in the file, also of a line that does not fit the header."""


def inspect(path: Path) -> CsvFile:
    """Read the whole file once.

    Raises:
        UserError: `file_missing`, `file_unreadable`, `file_empty`, `file_truncated` (half a .gz),
            `file_damaged`, `not_csv`, `encoding_unknown`, `no_header`, `header_unreadable` or
            `too_many_columns`.
    """
    if not path.is_file():
        raise UserError("file_missing", f"There is no file {path}.", "Check the path.")
    try:
        with path.open("rb") as start:
            packed = start.read(2) == b"\x1f\x8b"
    except OSError as error:
        raise UserError(
            "file_unreadable",
            f"{path.name} cannot be read: {error.strerror}.",
            "Check its permissions.",
        ) from None
    digest, size, encoding = _read_through(path, packed=packed)
    with _bytes(path, packed=packed) as raw, io.TextIOWrapper(raw, encoding, newline="") as text:
        first = text.readline(_LONGEST_HEADER)
        separator = max(_SEPARATORS, key=lambda s: (first.count(s), s == ","))
        # a name of a column may hold a line break, in quotes
        reader = csv.reader(itertools.chain([first], text), delimiter=separator)
        try:
            header = [" ".join(c.split()).lower() for c in next(reader, [])]
        except csv.Error:
            raise UserError(
                "header_unreadable",
                f"The first line of {path.name} cannot be read: a name of a column is longer than"
                f" {_LONGEST_CELL:,} characters, or its quote is never closed.",
                "Check quotes and separators of the first line.",
            ) from None
    if len(header) > MOST_COLUMNS:
        raise UserError(
            "too_many_columns",
            f"The first line of {path.name} has {len(header):,} columns.",
            f"Keep the columns that matter, {MOST_COLUMNS:,} at most.",
        )
    if not any(header) or all(_is_number(c) for c in header):
        raise UserError(
            "no_header",
            f"The first line of {path.name} names no columns.",
            "Put the names of the columns into the first line.",
        )
    return CsvFile(path, packed, encoding, separator, header, digest, size)


def _bytes(path: Path, *, packed: bool) -> IO[bytes]:
    if packed:
        return cast("IO[bytes]", gzip.open(path, "rb"))
    return path.open("rb")


def _read_through(path: Path, *, packed: bool) -> tuple[str, int, str]:
    """Digest, size and encoding."""
    digest, size = hashlib.sha256(), 0
    able = {name: codecs.getincrementaldecoder(name)() for name in ("utf-8-sig", "gb18030")}
    try:
        with _bytes(path, packed=packed) as file:
            while chunk := file.read(_CHUNK):
                if b"\x00" in chunk:
                    raise UserError(
                        "not_csv", f"{path.name} is no text file.", "Save it as CSV in UTF-8."
                    )
                digest.update(chunk)
                size += len(chunk)
                _still_able(able, chunk, final=False)
        _still_able(able, b"", final=True)
    except EOFError:
        raise UserError(
            "file_truncated",
            f"{path.name} ends too early: it was copied or downloaded only in part.",
            "Fetch it again.",
        ) from None
    except (gzip.BadGzipFile, zlib.error):
        raise UserError(
            "file_damaged", f"{path.name} is damaged: it cannot be unpacked.", "Fetch it again."
        ) from None
    if not size:
        raise UserError(
            "file_empty", f"{path.name} is empty.", "Give a file with a header and rows."
        )
    if not able:
        raise UserError(
            "encoding_unknown",
            f"{path.name} is neither UTF-8 nor GB18030.",
            "Save it as CSV in UTF-8.",
        )
    return digest.hexdigest(), size, next(iter(able))


def _still_able(able: dict[str, codecs.IncrementalDecoder], chunk: bytes, *, final: bool) -> None:
    for name, decoder in list(able.items()):
        try:
            decoder.decode(chunk, final)
        except UnicodeDecodeError:
            del able[name]


def _is_number(cell: str) -> bool:
    return cell.replace(".", "", 1).replace("-", "", 1).isdigit()


def _kept(text: IO[str], taken: list[str]) -> Iterator[str]:
    for line in text:
        taken.append(line)
        yield line


def lines(file: CsvFile) -> Iterator[Line]:
    """Every record after the header; blank ones are passed over. One that cannot be read has its
    whole text as its only cell."""
    with (
        _bytes(file.path, packed=file.packed) as raw,
        io.TextIOWrapper(raw, file.encoding, newline="") as text,
    ):
        taken: list[str] = []
        reader = csv.reader(_kept(text, taken), delimiter=file.separator, strict=True)
        next(reader)
        while True:
            taken.clear()
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                done, first = min(1.0, raw.tell() / file.size), reader.line_num - len(taken) + 1
                told = str(error)
                if len(taken) > 1:  # nobody sees from the last line alone what went with it
                    told += f"; an open quote takes lines {first} to {reader.line_num} together"
                yield Line(reader.line_num, None, told, done, ["".join(taken)])
                continue
            if not any(c.strip() for c in cells):
                continue
            done = min(1.0, raw.tell() / file.size)
            if len(cells) != len(file.header):
                told = f"{len(cells)} cells where the header has {len(file.header)}"
                yield Line(reader.line_num, None, told, done, cells)
                continue
            values = dict(zip(file.header, (c.strip() for c in cells), strict=True))
            yield Line(reader.line_num, values, "", done, cells)
