"""Which column of a file holds which field: given, saved, or found by the header."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from server.settings import UserError
from server.sources.tables.kinds import Field, Kind

CONSTANT = "="
"""`=wgs84` instead of a column: every row says so."""
REJECT_COLUMNS = ("row", "code", "detail", "what_to_do")
"""A mended file of refused rows is imported as it is: these columns say nothing."""


class Columns(NamedTuple):
    """How the rows of one file are read."""

    mapping: dict[str, str]
    """field -> column, or `=value`"""
    ignored: list[str]
    """Columns that say nothing to us; one without a name by its number, e.g. `(7)`."""


def plain(column: str) -> str:
    """A column's name as it is compared: lower case, without blanks, brackets as in ASCII."""
    return "".join(column.lower().translate(_BRACKETS).split())


_BRACKETS = str.maketrans("（）【】［］：＊*", "()()():  ")


def _bare(column: str) -> str:
    """Without what stands in brackets, 建筑面积(㎡), and without a question: 是否冷山."""
    return plain(column).partition("(")[0].rstrip(":").removeprefix("是否")


def columns_of(
    file_name: str, header: Sequence[str], fields: Sequence[Field], given: Mapping[str, str] | None
) -> Columns:
    """The mapping of a header; `given` decides where it speaks, the header elsewhere is silent.

    Raises:
        UserError: `mapping_unknown_field`, `columns_missing` (a mapping names one that the file
            has not), `column_twice`, `unit_missing`.
    """
    mapping = _given(file_name, header, fields, given) if given is not None else _found(
        file_name, header, fields
    )  # fmt: skip
    used = {c for c in mapping.values() if not c.startswith(CONSTANT)}
    twice = sorted(c for c in used if list(header).count(c) > 1)
    if twice:
        raise UserError(
            "column_twice",
            f"{file_name} has the column {twice[0]} twice.",
            "Remove or rename one of them.",
        )
    known = used | set(REJECT_COLUMNS)
    ignored = [c or f"({n})" for n, c in enumerate(header, 1) if c not in known]
    return Columns(mapping, ignored)


def need(file_name: str, header: Sequence[str], kind: Kind, mapping: Mapping[str, str]) -> None:
    """Raises UserError `columns_missing` if a field without which no row can be read has no
    column."""
    missing = [f for f in kind.needs if f not in mapping]
    if missing:
        raise UserError(
            "columns_missing",
            f"{file_name} has no {', '.join(missing)}; it has {', '.join(filter(None, header))}.",
            f"Name the columns in a mapping, or rename them; {kind.name} are read from"
            f" {', '.join(f.name for f in kind.fields)}.",
        )


def _given(
    file_name: str, header: Sequence[str], fields: Sequence[Field], given: Mapping[str, str]
) -> dict[str, str]:
    names = {f.name for f in fields}
    unknown = sorted(set(given) - names)
    if unknown:
        raise UserError(
            "mapping_unknown_field",
            f"The mapping names {', '.join(unknown)}.",
            f"Fields are {', '.join(f.name for f in fields)}.",
        )
    by_plain = {plain(c): c for c in reversed(header) if c}
    mapping: dict[str, str] = {}
    for field, column in given.items():
        if not column:
            continue
        if column.startswith(CONSTANT):
            mapping[field] = column
            continue
        if plain(column) not in by_plain:
            raise UserError(
                "columns_missing",
                f"{file_name} has no column {column}, which the mapping names for {field}; it has"
                f" {', '.join(filter(None, header))}.",
                "Correct the mapping, or take another one.",
            )
        mapping[field] = by_plain[plain(column)]
    return mapping


def _found(file_name: str, header: Sequence[str], fields: Sequence[Field]) -> dict[str, str]:
    mapping: dict[str, str] = {}
    taken: set[str] = set()
    # a field's own name first, in every field, before one field takes another's by an alias
    for exact in (True, False):
        for field in fields:
            if field.name in mapping:
                continue
            names = {plain(field.name)} if exact else {plain(n) for n in (field.name, *field.names)}
            for column in header:
                forms = {plain(column)} if field.unit else {plain(column), _bare(column)}
                if column and column not in taken and forms & names:
                    mapping[field.name] = column
                    taken.add(column)
                    break
    for field in fields:
        bare = {_bare(n) for n in field.names} - {""}
        vague = [c for c in header if c not in taken and plain(c) in bare] if field.unit else []
        if vague and field.name not in mapping:
            raise UserError(
                "unit_missing",
                f"The column {vague[0]} of {file_name} does not say whether it is yuan or fen.",
                f"Rename it to {vague[0]}(元) or {vague[0]}(分), or name it in a mapping.",
            )
    return mapping


def read_mapping(file: Path) -> dict[str, str]:
    """A mapping from a TOML file: `[columns]` with field = "column".

    Raises:
        UserError: `mapping_unreadable`.
    """
    try:
        found = tomllib.loads(file.read_text("utf-8-sig"))["columns"]
        if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
            raise ValueError("[columns] holds something else than texts")
    except (OSError, KeyError, ValueError) as error:
        raise UserError(
            "mapping_unreadable",
            f"The mapping {file.name} cannot be used: {error}.",
            'Write [columns] and below it lines such as household = "户号".',
        ) from None
    return dict(found)
