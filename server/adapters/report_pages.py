"""What stands on the printed morning report, before it is drawn; what draws is slow to import."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from dispatch_core.errors import Unavailable

Align = Literal["LEFT", "RIGHT"]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A heading and rows; `named`: the first row names the columns, on every page."""

    heading: str
    rows: list[list[str]]
    widths: list[int]
    """Shares of the width."""
    align: list[Align]
    named: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed."""

    fonts: list[str]
    """Files of one font, the first leads; what it lacks is taken from the others."""
    title: str
    under: str
    figures: list[Table]
    """Short ones, set in two columns; none is broken."""
    wide: Table
    """One that takes the whole width; what does not fit a cell goes on in its next line."""
    remarks: Table
    halves: Table
    """A long narrow one, set in two columns."""
    foot: str


def fonts_in(folder: Path) -> list[str]:
    """The font files among the built pages.

    Raises:
        Unavailable: `pages_not_built`.
    """
    found = [
        path
        for part in ("latin", "chinese-simplified")
        for path in sorted(folder.glob(f"noto-sans-sc-{part}-400-normal-*.woff2"))[:1]
    ]
    if len(found) < 2:
        raise Unavailable(
            "pages_not_built",
            "The font of the printed report is not there.",
            "Build the pages: ./run does it.",
        )
    return [str(path) for path in found]
