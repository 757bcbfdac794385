"""Tickets from a CSV file: a row becomes a request, a bad row a line of the refused ones."""

from __future__ import annotations

import asyncio
import csv
import math
import os
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from server.settings import UserError
from server.sources.csv_file import CsvFile, Line, inspect, lines

Body = dict[str, Any]
Progress = Callable[[str, float], None]
YELLOW_FROM, RED_FROM = 10, 50
"""Complaints at one address from which the `nyc` preset raises the level."""
GROUP = 256
"""Rows given to `send` at once."""

_ALIASES: dict[str, tuple[str, ...]] = {
    "kind": ("kind", "type", "类型", "诉求类型"),
    "level": ("level", "等级", "响应等级"),
    "lon": ("lon", "lng", "longitude", "经度"),
    "lat": ("lat", "latitude", "纬度"),
    "datum": ("datum", "坐标系"),
    "area": ("area", "区域", "行政区"),
    "address": ("address", "地址"),
    "building": ("building", "building_id", "楼栋", "楼栋编号"),
    "words": ("words", "description", "描述", "诉求内容"),
    "reports": ("reports", "count", "件数"),
    "source": ("source", "来源"),
}
_KINDS = {
    "repair": "repair", "报修": "repair", "not_warm": "not_warm", "不热": "not_warm",
    "leak": "leak", "漏水": "leak",
    "complaint": "complaint", "投诉": "complaint", "question": "question", "咨询": "question",
}  # fmt: skip
_LEVELS = {
    "red": "red",
    "红": "red",
    "yellow": "yellow",
    "黄": "yellow",
    "blue": "blue",
    "蓝": "blue",
    "": "blue",
}
_NYC = ("year", "borough", "zip", "lat", "lon", "num_complaints")
MOST_REPORTS = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """A request to send; the key is the same whenever the same file is read."""

    line: int
    key: str
    body: Body
    read: float = 0.0
    """Share of the file read so far, 0 to 1."""


@dataclass(frozen=True, slots=True)
class Reject:
    """A row that was refused, by its line in the file."""

    line: int
    code: str
    detail: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Refusal:
    """What `send` answers for a row that the API refused."""

    code: str
    detail: str
    what_to_do: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    accepted: int
    refused: int
    rejects: Path | None
    """The file of refused rows; None when there were none."""
    ignored_columns: list[str]
    """Columns that say nothing to us."""


class _BadRowError(Exception):
    def __init__(self, code: str, detail: str, what_to_do: str) -> None:
        super().__init__(code)
        self.code, self.detail, self.what_to_do = code, detail, what_to_do


Send = Callable[[Sequence[Row]], Awaitable[Sequence[Refusal | None]]]
"""Sends rows under their keys; answers in order, None for one that was taken in."""


def read_tickets(path: Path, preset: str | None = None) -> Iterator[Row | Reject]:
    """The rows of a file, in order. `preset`: `nyc` or `generic`; None: by the header.

    Raises:
        UserError: as `csv_file.inspect`, `preset_unknown`, `columns_missing`; before any row.
    """
    file = inspect(path)
    shape, _ = _shape(file, preset)
    return _rows(file, shape)


async def import_tickets(
    path: Path,
    send: Send,
    *,
    preset: str | None = None,
    limit: int | None = None,
    per_minute: int | None = None,
    rejects: Path | None = None,
    progress: Progress = lambda _what, _done: None,
) -> Imported:
    """Send the rows of a file, at once or at a rate; doing it twice makes no ticket twice.

    `limit`: rows sent at most. `rejects`: where refused rows go; if None, beside the file, or in
    the current folder where that cannot be written to.

    Raises:
        UserError: as `read_tickets`, and `rejects_unwritable`.
    """
    file = inspect(path)
    shape, ignored = _shape(file, preset)
    log = _Rejects(rejects or _beside(path))
    accepted = sent = 0
    size = GROUP if per_minute is None else max(1, min(GROUP, per_minute // 60))
    loop = asyncio.get_running_loop()
    started = loop.time()
    try:
        for group in _groups(_rows(file, shape), log, size, limit):
            if per_minute is not None:
                await asyncio.sleep(max(0.0, started + sent * 60 / per_minute - loop.time()))
            for row, refusal in zip(group, await send(group), strict=True):
                if refusal is None:
                    accepted += 1
                else:
                    log.add(Reject(row.line, refusal.code, refusal.detail, refusal.what_to_do))
            sent += len(group)
            progress("tickets", sent / limit if limit and sent < limit else group[-1].read)
    finally:
        log.close()
    progress("tickets", 1.0)
    return Imported(accepted, log.count, log.path if log.count else None, ignored)


def _beside(path: Path) -> Path:
    name = f"{path.name}.rejects.csv"
    return path.with_name(name) if os.access(path.parent, os.W_OK) else Path.cwd() / name


def _groups(
    rows: Iterator[Row | Reject], log: _Rejects, size: int, limit: int | None
) -> Iterator[list[Row]]:
    group: list[Row] = []
    sent = 0
    for row in rows:
        if isinstance(row, Reject):
            log.add(row)
            continue
        group.append(row)
        sent += 1
        if len(group) == size or sent == limit:
            yield group
            group = []
        if sent == limit:
            return
    if group:
        yield group


class _Rejects:
    """The file of refused rows; made with the first one, so that a clean import leaves none."""

    def __init__(self, path: Path) -> None:
        self.path, self.count = path, 0
        self._file: Any = None
        self._writer: Any = None
        try:
            path.unlink(missing_ok=True)
        except OSError as error:
            raise self._unwritable(error) from None

    def add(self, r: Reject) -> None:
        try:
            if self._file is None:
                # with a byte order mark, so that spreadsheets show Chinese
                self._file = self.path.open("w", encoding="utf-8-sig", newline="")
                self._writer = csv.writer(self._file)
                self._writer.writerow(("row", "code", "detail", "what_to_do"))
            self._writer.writerow((r.line, r.code, r.detail, r.what_to_do))
        except OSError as error:
            raise self._unwritable(error) from None
        self.count += 1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def _unwritable(self, error: OSError) -> UserError:
        return UserError(
            "rejects_unwritable",
            f"The refused rows cannot be written to {self.path}: {error.strerror}.",
            "Import a copy from a folder you may write to.",
        )  # fmt: skip


Shape = Callable[[dict[str, str]], Body]


def _shape(file: CsvFile, preset: str | None) -> tuple[Shape, list[str]]:
    """How a row of this file becomes a body, and the columns that are not read."""
    if preset is None:
        preset = "nyc" if set(_NYC) <= set(file.header) else "generic"
    if preset == "nyc":
        _need(file, [c for c in _NYC if c not in file.header and c != "year"])
        return _nyc, [c for c in file.header if c not in _NYC or c == "year"]
    if preset != "generic":
        raise UserError(
            "preset_unknown", f"There is no preset {preset}.", "Take nyc or generic.", 2
        )
    found = {
        field: next((c for c in names if c in file.header), None)
        for field, names in _ALIASES.items()
    }
    columns = {field: column for field, column in found.items() if column}
    _need(file, [] if "kind" in columns else ["kind"])
    if "building" not in columns:
        _need(file, [c for c in ("lon", "lat", "datum") if c not in columns])
    used = set(columns.values())
    return lambda v: _generic({f: v[c] for f, c in columns.items()}), [
        c for c in file.header if c and c not in used
    ]


def _need(file: CsvFile, missing: list[str]) -> None:
    if missing:
        raise UserError(
            "columns_missing",
            f"{file.path.name} has no {', '.join(missing)}; it has {', '.join(file.header)}.",
            "Rename the columns; a place is `building`, or `lon`, `lat` and `datum`.",
        )  # fmt: skip


def _rows(file: CsvFile, shape: Shape) -> Iterator[Row | Reject]:
    for line in lines(file):
        try:
            yield Row(
                line.number, f"csv-{file.digest[:24]}-{line.number}", _body(line, shape), line.read
            )
        except _BadRowError as bad:
            yield Reject(line.number, bad.code, bad.detail, bad.what_to_do)


def _body(line: Line, shape: Shape) -> Body:
    if line.values is None:
        raise _BadRowError(
            "bad_line", f"The line cannot be read: {line.error}.", "Check quotes and separators."
        )
    return shape(line.values)


def _nyc(v: dict[str, str]) -> Body:
    reports = _reports(v["num_complaints"])
    level = "red" if reports >= RED_FROM else "yellow" if reports >= YELLOW_FROM else "blue"
    address = f"{v['borough']} {v['zip']}".strip()
    if not address:
        raise _BadRowError(
            "no_address", "The row names neither borough nor zip.", "Fill in one of them."
        )
    return {
        "kind": "not_warm", "level": level, "source": "import", "reports": reports,
        "area": address,
        "coordinate": _coordinate(v["lon"], v["lat"], "wgs84"),
    }  # fmt: skip


def _generic(v: dict[str, str]) -> Body:
    kind, level = _KINDS.get(v["kind"].lower()), _LEVELS.get(v.get("level", "").lower())
    if kind is None:
        raise _BadRowError(
            "bad_kind", f"“{v['kind']}” is no kind of request.", f"Take one of {', '.join(_KINDS)}."
        )
    if level is None:
        raise _BadRowError(
            "bad_level", f"“{v['level']}” is no level.", "Take red, yellow, blue or leave it empty."
        )
    body: Body = {"kind": kind, "level": level, "source": v.get("source") or "import"}
    if v.get("building"):
        body["building"] = v["building"]
    elif v.get("lon") or v.get("lat"):
        if not v.get("datum"):
            raise _BadRowError(
                "datum_missing", "The coordinate has no datum.", "Say wgs84 or cgcs2000."
            )
        body["coordinate"] = _coordinate(v.get("lon", ""), v.get("lat", ""), v["datum"].lower())
    else:
        raise _BadRowError(
            "no_place", "The row names no place.", "Fill in building, or lon, lat and datum."
        )
    body |= {field: v[field] for field in ("area", "address", "words") if v.get(field)}
    if v.get("reports"):
        body["reports"] = _reports(v["reports"])
    return body


def _coordinate(lon: str, lat: str, datum: str) -> Body:
    place = {"lon": _degrees(lon, 180), "lat": _degrees(lat, 90), "datum": datum}
    if place["lon"] == 0 == place["lat"]:
        raise _BadRowError(
            "bad_coordinate", "0, 0 is in the sea: the place was not known.", "Fill in the place."
        )
    return place


def _degrees(text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -most <= value <= most:
        raise _BadRowError(
            "bad_coordinate", f"“{text}” is no coordinate in degrees.", "Give decimal degrees."
        )
    return value


def _reports(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_REPORTS:
        raise _BadRowError(
            "bad_reports", f"“{text}” is no count of reports.", f"Give 1 to {MOST_REPORTS:,}."
        )
    return int(text)
