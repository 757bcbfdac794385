"""Pieces of a caller's words that may name a place: what an address book is asked about."""

from __future__ import annotations

import re

MOST_PIECES = 6
MOST_LONG = 120
_BREAKS = re.compile(r"[。，,；;！!？?\n\r、:：]+")
_MARKS = re.compile(
    r"[号栋幢座室户弄#]|单元|小区|家园|花园|新村|公寓|大厦|[街路道巷]|号楼|户号|\d[-—–]\d|\d{6}"
)


def address_pieces(words: str) -> list[str]:
    """The first pieces that look like an address, longest runs of neighbours first; a few, short.
    In time linear in the words."""
    runs: list[list[str]] = [[]]
    for piece in _BREAKS.split(words):
        text = piece.strip()
        if text and len(text) <= MOST_LONG and _MARKS.search(text):
            runs[-1].append(text)
        elif runs[-1]:
            if len(runs) == MOST_PIECES:
                break
            runs.append([])
    found: dict[str, None] = {}
    for run in runs:
        joined = " ".join(run[:3])
        if len(run) > 1 and len(joined) <= MOST_LONG:
            found[joined] = None
        found.update(dict.fromkeys(run[:3]))
    return list(found)[:MOST_PIECES]
