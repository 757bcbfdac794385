"""What stands on the printed morning report, before it is drawn; what draws is slow to import."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec

from dispatch_core.errors import Unavailable

Align = Literal["LEFT", "RIGHT"]


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """A heading and rows; the first row names the columns where there are more than two."""

    heading: str
    rows: list[list[str]]
    widths: list[int]
    align: list[Align]
    named: bool = False


class Document(msgspec.Struct, frozen=True, kw_only=True):
    """What is printed."""

    fonts: list[str]
    """Files of one font, the first leads; what it lacks is taken from the others."""
    title: str
    under: str
    tables: list[Table]
    remarks: list[str]
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
