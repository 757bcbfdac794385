"""What a person's choice teaches: the wording of a street, of a community, or of a building."""

from __future__ import annotations

import re
from typing import Final

from dispatch_core.addresses.book import NO, Alias
from dispatch_core.addresses.doors import doors
from dispatch_core.addresses.match import Matcher
from dispatch_core.addresses.policy import CLEAR_BY
from dispatch_core.addresses.search import MARK_FIRST, TOKEN
from dispatch_core.addresses.text import SURNAMES

_FILLER: Final = re.compile(
    r"^(?:您好|你好|我们?家?|家)?(?:的?地址)?(?:就?是|住在|住|在|位于)?(?=[\u4e00-\u9fff]{2})"
)
_INNER: Final = re.compile(
    r"(?<![A-Z\d])[A-Z]?\d{1,2}(?:单元|门洞|门)|\d{1,2}[楼层](?!\d)"
    r"|(?<=[号栋楼座幢#])[- ]?\d{1,2}[- ]\d|(?<!\d)\d{3,4}[室户房]"
    r"|(?<=[号栋楼座幢#])\d{3,4}$|[左右]手|[东西中]户"
)
_SOMEBODYS: Final = re.compile(
    f"[{SURNAMES}][\u4e00-\u9fff]{{0,1}}(?:[^楼院村屯店厂站里堡沟园苑厦宅区]|.家|.住处|.那里)"
)
"""A person's name or home: never kept."""
_LONGEST: Final = 40


def lessons(matcher: Matcher, text: str, building: int) -> list[Alias]:
    """The aliases that make `text` mean `building` (its number in the book) from now on.

    Empty when the text means it already, when its words fit other buildings as well, or when
    nothing in it could mean one place for everybody.
    """
    match = matcher.match(text)
    if match.building == building or _fits_others(matcher, text, building):
        return []
    rest, hits = matcher.read(text)
    book = matcher.book
    for token in TOKEN.finditer(rest):
        start, end = token.span()
        if start and (mark := MARK_FIRST.match(rest, start, end)):
            start = mark.end()
        wording = _FILLER.sub("", rest[start:end])
        if not 2 <= len(wording) <= 12 or any(h.end == end and h.quality > 0.9 for h in hits):
            continue
        tail = rest[end:]
        street, community = book.street[building], book.community[building]
        if (
            street != NO
            and book.number[building]
            and any(d.number == book.number[building] for d in doors(tail, in_community=False))
        ):
            return [Alias(wording, "street", book.streets[street])]
        if (
            community != NO
            and community not in book.areas
            and book.built[building]
            and any(d.building == book.built[building] for d in doors(tail, in_community=True))
        ):
            return [Alias(wording, "community", book.communities[community])]
    return _whole(matcher, rest, building)


def _fits_others(matcher: Matcher, text: str, building: int) -> bool:
    match = matcher.match(text)
    if "several_fit" not in match.reasons:
        return False
    best = match.candidates[0].score
    tied = [c.building for c in match.candidates if best - c.score < CLEAR_BY]
    return building in tied


def _whole(matcher: Matcher, rest: str, building: int) -> list[Alias]:
    """The whole wording, without unit and flat."""
    rest = _FILLER.sub("", rest)
    inner = _INNER.search(rest)
    stem = (rest[: inner.start()] if inner else rest).rstrip("- ")
    if (
        _SOMEBODYS.fullmatch(stem)
        or not 3 <= len(stem) <= _LONGEST
        or not re.search(r"[\u4e00-\u9fff]{2}", stem)
    ):
        return []
    if any(h.start == 0 and h.end == len(stem) for h in matcher.book.names.find(stem)):
        return []  # a street or a community alone is no building
    return [Alias(stem, "building", matcher.book.ids[building])]
