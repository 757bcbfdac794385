"""What callers say around an address: numbers of other things, and more places than one."""

from __future__ import annotations

import re
from typing import Final

from dispatch_core.addresses.found import Match
from dispatch_core.addresses.places import ASIDE

_NAME: Final = r"(?![\u4e00-\u9fff]{0,3}(?:[街道巷园苑庄屯村]|路(?!公)))"
"""What follows is no name that begins with a numeral: 四平路, 三元街."""
_THINGS: Final = re.compile(
    r"(?<![A-Z\d])\d{1,5}(?:-\d{1,5})?(?:"
    r"[多几来]?(?:周?岁|口人|个?人(?!民)|块|元|平(?!房)|㎡|小时|分钟|遍|°C?|度|公斤|斤|家$)"
    rf"{_NAME}|路公交|号线"
    r"|月\d{1,2}[号日]"
    r"|号(?:上午|下午|早上|晚上|中午|半夜|夜里|凌晨|白天|开始|[来打]的?电话|报[修的]|停|[以之][前后])"
    r")"
)
_DOOR: Final = r"\d{1,5}(?:号楼?院?|栋|幢|座)"
_PLACES: Final = re.compile(
    rf"不是.{{0,20}}?\d.{{0,8}}?是.{{0,20}}?\d"
    rf"|从.{{1,20}}?{_DOOR}.{{0,4}}[搬迁]"
    rf"|\d{{1,5}}(?:号楼?|栋|幢|座)?(?:[和与跟及到至]|或者?|还是){_DOOR}"
    rf"|\d弄\d"
)


def without_things(text: str) -> str:
    """The written text with numbers of things (16度, 3口人, 7号线) put aside, a mark for each
    character, so that every place in it stays."""
    return _THINGS.sub(lambda found: ASIDE * len(found[0]), text)


def names_several(text: str) -> bool:
    """Whether a written text takes a place back, moves away from it, or names two or a range."""
    return _PLACES.search(text) is not None


def left_to_a_person(match: Match) -> Match:
    """A match whose text names several places: the buildings stay as candidates."""
    if match.verdict != "matched":
        return match
    known = match.community, match.street
    return match._replace(
        verdict="ambiguous", building=None, unit=None, floor=None, flat=None,
        precision="community" if known[0] is not None else "street" if known[1] is not None
        else "none",
        reasons=(*(r for r in match.reasons if r != "exact"), "several_places"),
    )  # fmt: skip
