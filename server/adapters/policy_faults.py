"""What is wrong with a policy file, and in which of its lines."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

_LINE = re.compile(r"\bline (\d+)")
_PATH = re.compile(r"`\$\.?([^`]*)`|\b((?:dispatch|evidence)\.[\w.]+)")
_SECTION = re.compile(r"\s*\[+\s*([\w.]+)\s*\]+")
_FIELD = re.compile(r"unknown field `(\w+)`")


class Fault(msgspec.Struct, frozen=True, kw_only=True):
    """A file that cannot be used. `line` is the nearest that can be told."""

    file: str
    line: int | None
    detail: str


def fault_of(file: Path, detail: str) -> Fault:
    """The fault behind a refusal's words."""
    try:
        lines = file.read_text("utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    return Fault(file=file.name, line=_line(lines, detail), detail=detail)


def _line(lines: list[str], detail: str) -> int | None:
    said = _LINE.search(detail)
    if said:
        return int(said[1])
    found = _PATH.search(detail)
    path = re.sub(r"\[[^\]]*\]", "", (found[1] or found[2]) if found else "").split(".")
    unknown = _FIELD.search(detail)
    names = [name for name in [*path, unknown[1] if unknown else ""] if name]
    for depth in range(len(names), 0, -1):
        line = _of(lines, names[:depth])
        if line is not None:
            return line
    return None


def _of(lines: list[str], names: list[str]) -> int | None:
    """The line where a field stands: below its section, or the section's own."""
    section: list[str] = []
    for number, line in enumerate(lines, 1):
        header = _SECTION.fullmatch(line.partition("#")[0].rstrip())
        if header:
            section = header[1].split(".")
            if section == names:
                return number
        key = re.match(r"\s*([\w.]+)\s*=", line)
        if key and [*section, *key[1].split(".")] == names:
            return number
        if key and [*section, key[1].split(".")[0]] == names[: len(section) + 1] and "{" in line:
            return number if f"{names[-1]} =" in line else None
    return None
