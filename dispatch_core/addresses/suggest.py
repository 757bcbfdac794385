"""Addresses while they are being typed: what the words so far may become."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Final

from dispatch_core.addresses.doors import doors
from dispatch_core.addresses.match import Matcher

BEGUN: Final = 0.7
"""Score of a building whose street and number so far are typed."""
NAMED: Final = 0.5
"""Score of a building of a street or community whose name begins so."""
_STREETS: Final = 4
_LEADING: Final = re.compile(r"\d+")


def suggest(matcher: Matcher, words: str, most: int) -> list[tuple[int, float]]:
    """(building, score) of up to `most` buildings, best first."""
    found: dict[int, float] = {}
    match = matcher.match(words)
    for candidate in match.candidates:
        found[candidate.building] = candidate.score
    rest, hits = matcher.read(words)
    book = matcher.book
    for hit in hits[-2:]:
        tail = rest[hit.end :]
        if hit.kind == "building":
            _add(found, book.named_buildings(hit.target), BEGUN)
            continue
        in_community = hit.kind == "community"
        door = doors(tail, in_community=in_community)[0]
        said = door.building if in_community else door.number
        there = book.in_community[hit.target] if in_community else book.at_number[hit.target]
        _add(found, _beginning(there, said or ""), BEGUN * hit.quality)
    if not hits and (typed := re.match(r"[\u4e00-\u9fff\d]{1,12}?(?=[A-Z]?\d*$)", rest)):
        for name in book.names.starting(typed[0], _STREETS):
            if name.kind == "building":
                _add(found, book.named_buildings(name.target), NAMED)
            else:
                where = book.in_community if name.kind == "community" else book.at_number
                _add(found, _beginning(where[name.target], rest[typed.end() :]), NAMED)
    return sorted(found.items(), key=lambda kv: (-kv[1], kv[0]))[:most]


def _beginning(there: Mapping[str, list[int]], typed: str) -> list[int]:
    """Buildings whose number begins with `typed`, the smallest numbers first."""
    keys = sorted((k for k in there if k.startswith(typed)), key=_numerically)
    return [b for k in keys[:8] for b in there[k][:2]]


def _numerically(key: str) -> tuple[int, str]:
    number = _LEADING.match(key)
    return (int(number[0]) if number else 0), key


def _add(found: dict[int, float], buildings: Iterable[int], score: float) -> None:
    for b in buildings:
        found[b] = max(found.get(b, 0.0), round(score, 3))
