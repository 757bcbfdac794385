"""City and districts in a text: put aside, and whether they are ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

ASIDE: Final = "\ue002"
"""Stands for each character that was put aside."""

_PROVINCES: Final = "黑龙江|吉林|辽宁|河北|山西|山东|江苏|浙江|安徽|福建|江西|河南|湖北|湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾"
_REGIONS: Final = "内蒙古自治区|内蒙古|新疆维吾尔自治区|宁夏回族自治区|广西壮族自治区|西藏自治区"
_OTHER_CITIES: Final = (
    "北京|天津|上海|重庆|长春|吉林市|沈阳|大连|鞍山|抚顺|本溪|丹东|锦州|营口|阜新|辽阳|盘锦|铁岭|朝阳市|葫芦岛|四平|辽源|通化|"
    "白山|松原|白城|延吉|哈尔滨|齐齐哈尔|牡丹江|佳木斯|大庆|鸡西|双鸭山|伊春|七台河|鹤岗|黑河|绥化|大兴安岭|石家庄|唐山|太原|"
    "呼和浩特|包头|济南|青岛|郑州|西安|兰州|西宁|银川|乌鲁木齐|南京|杭州|合肥|武汉|长沙|广州|深圳|成都|满洲里|海拉尔"
)
_COUNTRY: Final = re.compile(rf"中国|(?:{_PROVINCES})省|{_REGIONS}")
_STREETY: Final = r"(?!大?[街路道]|胡同|[东西南北中]?\d*道?[街路]|[东西南北][街路]|小区|家园|花园|新村|公寓|大学|医院)"
_CITY: Final = re.compile(r"([\u4e00-\u9fff]{2,5}?)市(?![场街路口民道政里])")
_OTHER: Final = re.compile(rf"(?:{_OTHER_CITIES}){_STREETY}")
_DISTRICT: Final = re.compile(r"([\u4e00-\u9fff]{2,3})(?:区|县)(?![\u4e00-\u9fff]?[街路])")
_NO_DISTRICT: Final = re.compile(
    "开发|高新|经开|新|小|社|校|厂|家属|城|郊|山|住宅|生活|院|[东西南北中]$"
)
_SUBDISTRICT: Final = re.compile(r"[\u4e00-\u9fff]{2,6}?(?:街道办事处|街道办|街道(?![里口]))(?!\d)")


class Placed(NamedTuple):
    """A text without its city and districts."""

    text: str
    """As long as before; what was put aside is ASIDE."""
    districts: frozenset[str]
    """Those of the register that are named."""
    unknown_district: bool
    other_city: bool


class Places:
    """City and districts of a book."""

    def __init__(self, city: str, districts: Sequence[str]) -> None:
        self._city = city.removesuffix("市")
        bases = {d.removesuffix("区").removesuffix("县"): d for d in districts if d}
        self._bases = {b: d for b, d in bases.items() if len(b) >= 2}
        names = "|".join(sorted(map(re.escape, self._bases), key=len, reverse=True))
        self._full = re.compile(rf"({names})[区县]") if names else None
        self._short = re.compile(rf"({names}){_STREETY}") if names else None

    def aside(self, text: str) -> Placed:
        """Put country, province, city, districts and subdistricts of a text aside."""
        found: set[str] = set()
        text = _COUNTRY.sub(_hide, text)
        other = False
        if self._city:
            own = self._city
            text = text.replace(f"{own}市", ASIDE * (len(own) + 1))
            if text.lstrip(ASIDE).startswith(f"{own[0]}市"):
                text = text.replace(f"{own[0]}市", ASIDE * 2, 1)
            start = len(text) - len(text.lstrip(ASIDE))
            if (city := _CITY.match(text, start)) and not city[1].endswith(own):
                other = True
            elif (city := _OTHER.match(text, start)) and city[0] != own:
                other = True
            elif text.startswith(own, start) and re.match(re.escape(own) + _STREETY, text[start:]):
                text = text[:start] + ASIDE * len(own) + text[start + len(own) :]
        if self._full is not None:
            text = self._full.sub(lambda m: self._take(m, found), text)
            start = len(text) - len(text.lstrip(ASIDE))
            if self._short is not None and (short := self._short.match(text, start)):
                found.add(self._bases[short[1]])
                text = text[:start] + ASIDE * len(short[0]) + text[short.end() :]
                start = short.end()
        start = len(text) - len(text.lstrip(ASIDE))
        unknown = False
        if self._bases and not found and (d := _DISTRICT.match(text, start)):
            unknown = _NO_DISTRICT.search(d[1]) is None
        return Placed(text, frozenset(found), unknown, other)

    def _take(self, m: re.Match[str], found: set[str]) -> str:
        found.add(self._bases[m[1]])
        return ASIDE * len(m[0])


def without_subdistricts(text: str) -> str:
    """和兴路街道 put aside: it holds a street's name without being it."""
    return _SUBDISTRICT.sub(_hide, text)


def _hide(m: re.Match[str]) -> str:
    return ASIDE * len(m[0])
