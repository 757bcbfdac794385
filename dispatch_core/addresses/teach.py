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
_GENERAL: Final = re.compile(
    r"(?:我们|咱们|你们|我家|咱家|我|咱|本|这个|那个|这边|那边|这里|那里|这儿|那儿|这|那|老|新|大|小|旧"
    r"|东|西|南|北|小区|大街|街道|大道|马路|胡同|街|路|道|巷|院|里弄|大院|院子|院里|家属[楼院区]?"
    r"|花园|家园|新村|公寓|宿舍|平房|楼房|房子|高层|多层|楼|栋|幢|座|单元|门|室|户|层|号|市|区|城|#"
    r"|学校|小学|中学|大学|医院|超市|市场|商店|饭店|药店|银行|公园|广场|车站|公交站|地铁站|幼儿园"
    r"|派出所|居委会|社区|物业|单位|厂|工厂|对面|旁边?|附近|隔壁|后面|前面|后身|后边|前边|楼上|楼下"
    r"|邻居|门口|里面|外面|中间|拐角|路口|交口|左边|右边|第|期|的|在|住|家|里|上|下"
    r"|[我他她]?[爸妈姐哥弟妹]|父母|姥姥|奶奶|爷爷|姥爷|亲戚|朋友|老人|[A-Z\d -])*"
    r"|[\u4e00-\u9fff]{2,4}市"
)
"""Words that are said of every place, or of a whole city: they name none."""
_LONGEST: Final = 40


def lessons(matcher: Matcher, text: str, building: int) -> list[Alias]:
    """The aliases that make `text` mean `building` (its number in the book) from now on.

    Empty when the text means it already, when its words fit other buildings as well, or when
    nothing in it could mean one place for everybody.
    """
    match = matcher.match(text)
    if match.building == building or _fits_others(matcher, text, building):
        return []
    if "several_places" in match.reasons:
        return []
    rest, hits = matcher.read(text)
    book = matcher.book
    for token in TOKEN.finditer(rest):
        start, end = token.span()
        if start and (mark := MARK_FIRST.match(rest, start, end)):
            start = mark.end()
        wording = _FILLER.sub("", rest[start:end])
        if not 2 <= len(wording) <= 12 or _GENERAL.fullmatch(wording):
            continue
        if any(h.end == end and h.quality > 0.9 for h in hits):
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
        or _GENERAL.fullmatch(stem)
        or not 3 <= len(stem) <= _LONGEST
        or not re.search(r"[\u4e00-\u9fff]{2}", stem)
    ):
        return []
    if any(h.start == 0 and h.end == len(stem) for h in matcher.book.names.find(stem)):
        return []  # a street or a community alone is no building
    return [Alias(stem, "building", matcher.book.ids[building])]
