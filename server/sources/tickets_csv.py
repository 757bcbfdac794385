"""Tickets from a file: a row becomes a request, a bad row a line of the refused ones."""

from __future__ import annotations

import asyncio
import math
import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from server.adapters.imports.rows import Refusal, Reject, Send, TicketRow
from server.settings import UserError
from server.sources.csv_file import Line
from server.sources.tables import cells
from server.sources.tables.cells import BadCell, armed
from server.sources.tables.kinds import Field
from server.sources.tables.mapping import CONSTANT, columns_of
from server.sources.tables.rejects import Rejects
from server.sources.tables.table import Table, open_table

Body = dict[str, Any]
Progress = Callable[[str, float], None]
YELLOW_FROM, RED_FROM = 10, 50
"""Complaints at one address from which the `nyc` preset raises the level."""
GROUP = 256
"""Rows given to `send` at once."""
SHOWN = 50

_ANY = cells.text(100_000)
FIELDS = (
    Field("kind", _ANY, ("type", "类型", "诉求类型")),
    Field("level", _ANY, ("等级", "响应等级")),
    Field("lon", _ANY, ("lng", "longitude", "经度")),
    Field("lat", _ANY, ("latitude", "纬度")),
    Field("datum", _ANY, ("坐标系",)),
    Field("area", _ANY, ("区域", "行政区")),
    Field("address", _ANY, ("地址",)),
    Field("building", _ANY, ("building_id", "楼栋", "楼栋编号")),
    Field("household", _ANY, ("household_id", "户号", "用户编号")),
    Field("words", _ANY, ("description", "描述", "诉求内容")),
    Field("reports", _ANY, ("count", "件数")),
    Field("source", _ANY, ("来源",)),
    Field("caller_name", _ANY, ("姓名", "来电人", "联系人")),
    Field("caller_phone", _ANY, ("电话", "来电号码", "联系电话")),
)
_KINDS = {
    "repair": "repair", "报修": "repair", "not_warm": "not_warm", "不热": "not_warm",
    "leak": "leak", "漏水": "leak",
    "complaint": "complaint", "投诉": "complaint", "question": "question", "咨询": "question",
    "suspension": "suspension", "报停": "suspension", "temporary_stop": "temporary_stop",
    "临时停热": "temporary_stop", "resume": "resume", "恢复供热": "resume",
    "new_connection": "new_connection", "新入网": "new_connection", "refund": "refund",
    "退费": "refund", "temperature_adjustment": "temperature_adjustment",
    "调温": "temperature_adjustment", "change_of_data": "change_of_data",
    "变更信息": "change_of_data", "contract_closing": "contract_closing",
    "销户": "contract_closing",
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


Row = TicketRow


@dataclass(frozen=True, slots=True)
class Imported:
    """What became of a file."""

    accepted: int
    """Added, changed and unchanged ones together."""
    refused: int
    rejects: Path | None
    """The file of refused rows; None when there were none."""
    ignored_columns: list[str]
    """Columns that say nothing to us."""
    mapping: dict[str, str] = field(default_factory=dict)
    counts: Mapping[str, int] = field(default_factory=dict)
    """added, changed, unchanged"""
    first_rejects: list[Reject] = field(default_factory=list)


def read_tickets(path: Path, preset: str | None = None) -> Iterator[Row | Reject]:
    """The rows of a file, in order. `preset`: `nyc` or `generic`; None: by the header.

    Raises:
        UserError: as `table.open_table`, `preset_unknown`, `columns_missing`; before any row.
    """
    table = open_table(path)
    shape = shape_of(path.name, table, preset, None)
    return (row for row, _ in _rows(table, shape))


async def import_tickets(
    path: Path,
    send: Send,
    *,
    preset: str | None = None,
    opened: tuple[Table, Shape] | None = None,
    limit: int | None = None,
    per_minute: int | None = None,
    rejects: Path | None = None,
    progress: Progress = lambda _what, _done: None,
) -> Imported:
    """Send the rows of a file, at once or at a rate; doing it twice makes no ticket twice.

    `opened`: the file and its shape, if they are known already. `limit`: rows sent at most.
    `rejects`: where refused rows go; if None, beside the file, or in the current folder where that
    cannot be written to.

    Raises:
        UserError: as `read_tickets`, and `rejects_unwritable`.
    """
    if opened is None:
        table = open_table(path)
        opened = table, shape_of(path.name, table, preset, None)
    table, shape = opened
    log = _Log(Rejects(rejects or _beside(path), table.header))
    counts: Counter[str] = Counter()
    sent = 0
    size = GROUP if per_minute is None else max(1, min(GROUP, per_minute // 60))
    loop = asyncio.get_running_loop()
    started = loop.time()
    groups = _groups(_rows(table, shape), log, size, limit)
    try:
        while group := await asyncio.to_thread(next, groups, None):
            if per_minute is not None:
                await asyncio.sleep(max(0.0, started + sent * 60 / per_minute - loop.time()))
            for row, answer in zip(group, await send(group), strict=True):
                if isinstance(answer, Refusal):
                    told = (answer.code, answer.detail, answer.what_to_do)
                    log.add(Reject(row.line, *told), row.cells)
                else:
                    counts[answer] += 1
            sent += len(group)
            progress("tickets", sent / limit if limit and sent < limit else group[-1].read)
    finally:
        log.file.close()
    progress("tickets", 1.0)
    refused = log.file.count
    return Imported(
        counts.total(), refused, log.file.path if refused else None, shape.ignored, shape.mapping,
        counts, log.first,
    )  # fmt: skip


def _beside(path: Path) -> Path:
    name = f"{path.name}.rejects.csv"
    return path.with_name(name) if os.access(path.parent, os.W_OK) else Path.cwd() / name


@dataclass(slots=True)
class _Log:
    """The file of refused rows, and the first of them."""

    file: Rejects
    first: list[Reject] = field(default_factory=list)

    def add(self, reject: Reject, row: list[str]) -> None:
        self.file.add(reject, row)
        if len(self.first) < SHOWN:
            self.first.append(reject)


def _groups(
    rows: Iterator[tuple[Row | Reject, list[str]]], log: _Log, size: int, limit: int | None
) -> Iterator[list[Row]]:
    group: list[Row] = []
    sent = 0
    for row, line in rows:
        if isinstance(row, Reject):
            log.add(row, line)
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


@dataclass(frozen=True, slots=True)
class Shape:
    """How a row of a file becomes a body."""

    body: Callable[[dict[str, str]], Body]
    mapping: dict[str, str]
    ignored: list[str]


def shape_of(
    name: str, table: Table, preset: str | None, mapping: Mapping[str, str] | None
) -> Shape:
    """How the rows of this file become bodies.

    Raises:
        UserError: `preset_unknown`, `columns_missing`, and as `columns_of`.
    """
    header = table.header
    if preset is None:
        preset = "nyc" if set(_NYC) <= set(header) and mapping is None else "generic"
    if preset == "nyc":
        _need(name, header, [c for c in _NYC if c not in header and c != "year"])
        return Shape(_nyc, {}, [c for c in header if c not in _NYC or c == "year"])
    if preset != "generic":
        raise UserError(
            "preset_unknown", f"There is no preset {preset}.", "Take nyc or generic.", 2
        )
    found, ignored = columns_of(name, header, FIELDS, mapping)
    _need(name, header, [] if {"kind", "words"} & set(found) else ["kind"])
    if not {"building", "household", "address"} & set(found):
        _need(name, header, [c for c in ("lon", "lat", "datum") if c not in found])

    def body(values: dict[str, str]) -> Body:
        return _generic({
            f: c[1:] if c.startswith(CONSTANT) else armed(values[c]) for f, c in found.items()
        })  # fmt: skip

    return Shape(body, found, ignored)


def _need(name: str, header: list[str], missing: list[str]) -> None:
    if missing:
        raise UserError(
            "columns_missing",
            f"{name} has no {', '.join(missing)}; it has {', '.join(header)}.",
            "Rename the columns; a place is `household`, `building`, `address`, or `lon`, `lat`"
            " and `datum`.",
        )


def _rows(table: Table, shape: Shape) -> Iterator[tuple[Row | Reject, list[str]]]:
    """Rows and their cells."""
    for line in table.lines():
        row: Row | Reject
        try:
            key = f"csv-{table.digest[:24]}-{line.number}"
            row = Row(line.number, key, _body(line, shape), line.read, line.cells)
        except BadCell as bad:
            row = Reject(line.number, bad.code, bad.detail, bad.what_to_do)
        yield row, line.cells


def _body(line: Line, shape: Shape) -> Body:
    if line.values is None:
        raise BadCell(
            "bad_line", f"The line cannot be read: {line.error}.", "Check quotes and separators."
        )
    return shape.body(line.values)


def _nyc(v: dict[str, str]) -> Body:
    reports = _reports(v["num_complaints"])
    level = "red" if reports >= RED_FROM else "yellow" if reports >= YELLOW_FROM else "blue"
    address = f"{v['borough']} {v['zip']}".strip()
    if not address:
        raise BadCell(
            "no_address", "The row names neither borough nor zip.", "Fill in one of them."
        )
    return {
        "kind": "not_warm", "level": level, "source": "import", "reports": reports,
        "area": address,
        "coordinate": _coordinate(v["lon"], v["lat"], "wgs84"),
    }  # fmt: skip


def _generic(v: dict[str, str]) -> Body:
    said = v.get("kind", "").lower()
    kind, level = _KINDS.get(said), _LEVELS.get(v.get("level", "").lower())
    if kind is None and (said or not v.get("words")):
        raise BadCell("bad_kind", f"“{said}” is no kind of request.", f"Take one of {_CHOICE}.")
    if level is None:
        raise BadCell(
            "bad_level", f"“{v['level']}” is no level.", "Take red, yellow, blue or leave it empty."
        )
    body: Body = {"level": level, "source": v.get("source") or "import", **_place(v)}
    if kind is not None:  # else the words speak for one
        body["kind"] = kind
    body |= {name: v[name] for name in ("area", "address", "words") if v.get(name)}
    caller = {f: v[c] for f, c in (("name", "caller_name"), ("phone", "caller_phone")) if v.get(c)}
    if caller:
        body["caller"] = caller
    if v.get("reports"):
        body["reports"] = _reports(v["reports"])
    return body


_CHOICE = ", ".join(_KINDS)


def _place(v: dict[str, str]) -> Body:
    for name in ("household", "building"):
        if v.get(name):
            return {name: v[name]}
    if v.get("lon") or v.get("lat"):
        if not v.get("datum"):
            raise BadCell("datum_missing", "The coordinate has no datum.", "Say wgs84 or cgcs2000.")
        return {"coordinate": _coordinate(v.get("lon", ""), v.get("lat", ""), v["datum"].lower())}
    if not v.get("address"):
        raise BadCell(
            "no_place", "The row names no place.",
            "Fill in household, building, address, or lon, lat and datum.",
        )  # fmt: skip
    return {}


def _coordinate(lon: str, lat: str, datum: str) -> Body:
    if datum.startswith("epsg:"):  # may be metres; the range is checked with the datum
        place = {"lon": _degrees(lon, math.inf), "lat": _degrees(lat, math.inf), "datum": datum}
    else:
        place = {"lon": _degrees(lon, 180), "lat": _degrees(lat, 90), "datum": datum}
    if place["lon"] == 0 == place["lat"]:
        raise BadCell(
            "bad_coordinate", "0, 0 is in the sea: the place was not known.", "Fill in the place."
        )
    return place


def _degrees(text: str, most: float) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not -most <= value <= most:
        raise BadCell(
            "bad_coordinate", f"“{text}” is no coordinate in degrees.", "Give decimal degrees."
        )
    return value


def _reports(text: str) -> int:
    if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= MOST_REPORTS:
        raise BadCell(
            "bad_reports", f"“{text}” is no count of reports.", f"Give 1 to {MOST_REPORTS:,}."
        )
    return int(text)
