"""Cells of a table as values; a cell that cannot be meant is refused with what to do."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, time
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

Read = Callable[[str], Any]
"""A filled cell's value. Raises BadCell."""


class BadCell(Exception):  # noqa: N818 - a cell's refusal
    """A cell, or a row, that is not taken."""

    def __init__(self, code: str, detail: str, what_to_do: str) -> None:
        super().__init__(detail)
        self.code, self.detail, self.what_to_do = code, detail, what_to_do


LONGEST_SHOWN = 40
_FORMULA = "=+-@\t\r"
_PLAIN_NUMBER = re.compile(r"[+-]?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?", re.ASCII)
_LOST_DIGITS = re.compile(r"\d(?:\.\d+)?[eE]\+?\d{2,}", re.ASCII)
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?", re.ASCII)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_MOST_FEN = 10**12
_SPLIT = re.compile(r"\s*[;；,，、|]\s*")


def defused(text: str) -> str:
    """A text that no spreadsheet takes for a formula: an apostrophe before `=`, `+`, `-` and `@`.

    Plain numbers stay. `armed` takes the apostrophe away again, so that nothing is lost.
    """
    bare = text.lstrip("'")
    if not bare or bare[0] not in _FORMULA or _PLAIN_NUMBER.fullmatch(text):
        return text
    return "'" + text


def armed(text: str) -> str:
    """The text that was `defused`."""
    if text[:1] == "'" and text.lstrip("'")[:1] in tuple(_FORMULA):
        return text[1:]
    return text


def shown(text: str) -> str:
    """A cell as it may stand in a sentence."""
    return f"“{text[:LONGEST_SHOWN]}{'…' if len(text) > LONGEST_SHOWN else ''}”"


def text(longest: int) -> Read:
    """Any text on one or more lines, without control characters."""

    def read(cell: str) -> str:
        if len(cell) > longest:
            raise BadCell(
                "too_long", f"{shown(cell)} has {len(cell):,} characters.",
                f"Shorten it to {longest:,}.",
            )  # fmt: skip
        if _CONTROL.search(cell):
            raise BadCell(
                "control_characters", f"{shown(cell)} holds control characters.", "Remove them."
            )
        return cell

    return read


def identifier(longest: int = 60) -> Read:
    """A number or code that names something."""
    plain = text(longest)

    def read(cell: str) -> str:
        if _LOST_DIGITS.fullmatch(cell):
            raise BadCell(
                "digits_lost", f"{shown(cell)} was a long number that a spreadsheet shortened.",
                "Format the column as text, fill it anew, and save it again.",
            )  # fmt: skip
        if not cell.isprintable():
            raise BadCell(
                "control_characters", f"{shown(cell)} is no identifier.", "Remove line breaks."
            )
        return str(plain(cell))

    return read


def number(low: float, high: float) -> Read:
    """A decimal number within bounds."""

    def read(cell: str) -> float:
        try:
            value = float(cell.replace(",", "").replace("，", "").replace("_", "?"))
        except ValueError:
            value = float("nan")
        if not low <= value <= high:
            raise BadCell(
                "bad_number", f"{shown(cell)} is no number from {low:,.9g} to {high:,.9g}.",
                "Correct it, without a unit.",
            )  # fmt: skip
        return value

    return read


_NUMERALS = str.maketrans("一二三四五六七八九０１２３４５６７８９", "1234567890123456789")
"""一单元 is 1; 十 and above are written in digits."""


def whole(low: int, high: int, units: str = "") -> Read:
    """A whole number within bounds; one of `units` may stand behind it."""
    form = re.compile(rf"([+-]?\d{{1,9}})(?:\.0+)?\s*[{units}]*" if units else r"([+-]?\d{1,9})")

    def read(cell: str) -> int:
        found = form.fullmatch(cell.translate(_NUMERALS))
        if found is None or not low <= int(found[1]) <= high:
            raise BadCell(
                "bad_number", f"{shown(cell)} is no whole number from {low} to {high}.",
                "Correct it.",
            )  # fmt: skip
        return int(found[1])

    return read


_PIECES = re.compile(r"(.+?)\s*[:：×x*]\s*(\d{1,6})")


def pieces(cell: str) -> dict[str, int]:
    """Parts with their numbers: `闸阀 DN80:2;放气阀:5`."""
    found: dict[str, int] = {}
    for part in (p for p in _SPLIT.split(cell) if p):
        told = _PIECES.fullmatch(part)
        if told is None or len(told[1]) > 80 or told[1] in found:
            raise BadCell(
                "bad_parts", f"{shown(part)} is no part with its number.",
                "Write parts as NAME:PIECES, separated by ;",
            )  # fmt: skip
        found[told[1]] = int(told[2])
    return found


_YES = {"yes", "y", "true", "1", "是", "有", "√", "对"}
_NO = {"no", "n", "false", "0", "否", "无", "没有", "×", "错"}


def yes_no(cell: str) -> bool:
    """Yes or no, in several ways of saying it."""
    said = cell.strip().lower()
    if said in _YES or said in _NO:
        return said in _YES
    raise BadCell("bad_value", f"{shown(cell)} is neither yes nor no.", "Write 是 or 否.")


def one_of(words: Mapping[str, str]) -> Read:
    """One of several words."""

    def read(cell: str) -> str:
        found = words.get(cell.strip().lower())
        if found is None:
            raise BadCell(
                "bad_value", f"{shown(cell)} is not known here.",
                f"Take one of {', '.join(words)}.",
            )  # fmt: skip
        return found

    return read


def many(of: Read, most: int = 60) -> Read:
    """Several values, separated by `;` or commas."""

    def read(cell: str) -> list[Any]:
        parts = [p for p in _SPLIT.split(cell) if p]
        if len(parts) > most:
            raise BadCell("too_long", f"{len(parts)} values in a cell.", f"Give {most} at most.")
        return [of(part) for part in parts]

    return read


def day(cell: str) -> date:
    """A calendar day: 2026-01-14, 2026/1/14, 2026年1月14日 or 20260114."""
    said = cell.strip().removesuffix(" 00:00:00").removesuffix("T00:00:00")
    found = _DAY.fullmatch(said)
    parts = found.groups() if found else (said[:4], said[4:6], said[6:])
    try:
        if found is None and not (len(said) == 8 and said.isascii() and said.isdigit()):
            raise ValueError(said)
        value = date(*(int(p) for p in parts))
    except ValueError:
        value = date.min
    if not 1950 <= value.year <= 2150:
        raise BadCell(
            "bad_date", f"{shown(cell)} is no day between 1950 and 2150.",
            "Write it as 2026-01-14.",
        )  # fmt: skip
    return value


def moment(zone: ZoneInfo, now: datetime) -> Read:
    """A time that has been: ISO 8601, a day (its first moment), by the company's clock where it
    names no zone."""

    def read(cell: str) -> datetime:
        said = cell.strip()
        try:
            value = datetime.fromisoformat(said)
        except ValueError:
            try:
                value = datetime.combine(day(said), time.min)
            except BadCell:
                raise BadCell(
                    "bad_time", f"{shown(cell)} is no time.", "Write it as 2026-01-14 09:30."
                ) from None
        if value.year < 1990:  # first: the first and the last years cannot be brought to UTC
            raise BadCell("bad_time", f"{shown(cell)} is too long ago.", "Correct the time.")
        if value.year > now.year + 1:
            raise BadCell("future_time", f"{shown(cell)} lies in the future.", "Correct the time.")
        value = (value if value.tzinfo else value.replace(tzinfo=zone)).astimezone(UTC)
        if value > now:
            raise BadCell("future_time", f"{shown(cell)} lies in the future.", "Correct the time.")
        return value

    return read


def fen(cell: str) -> int:
    """An amount in fen."""
    return _money(cell, 1)


def yuan(cell: str) -> int:
    """An amount in yuan, at most two decimals, as fen."""
    return _money(cell, 100)


def _money(cell: str, factor: int) -> int:
    said = cell.strip().lstrip("¥￥").replace(",", "").replace("，", "").removesuffix("元").strip()
    try:
        value = Decimal(said) * factor
    except ArithmeticError:
        value = Decimal("NaN")
    if not value.is_finite() or value != value.to_integral_value() or abs(value) > _MOST_FEN:
        unit = "fen, a whole number" if factor == 1 else "yuan with at most two decimals"
        raise BadCell("bad_amount", f"{shown(cell)} is no amount in {unit}.", "Correct it.")
    if value < 0:
        raise BadCell(
            "negative_amount", f"{shown(cell)} is less than nothing.",
            "Write 0 where nothing is owed; credit balances are not kept here.",
        )  # fmt: skip
    return int(value)
