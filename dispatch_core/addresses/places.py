"""City and districts in a text: put aside, and whether they are ours."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, NamedTuple

from dispatch_core.addresses.names import Names

ASIDE: Final = "\ue002"
"""Stands for each character that was put aside."""

_PROVINCES: Final = (
    "黑龙江|吉林|辽宁|河北|山西|山东|江苏|浙江|安徽|福建|江西|河南|湖北|"
    "湖南|广东|海南|四川|贵州|云南|陕西|甘肃|青海|台湾"
)
_REGIONS: Final = "内蒙古自治区|内蒙古|新疆维吾尔自治区|宁夏回族自治区|广西壮族自治区|西藏自治区"
_OTHER_CITIES: Final = (
    "北京|天津|上海|重庆|长春|吉林市|沈阳|大连|鞍山|抚顺|本溪|丹东|锦州|营口"
    "|阜新|辽阳|盘锦|铁岭|朝阳市|葫芦岛|四平|辽源|通化|白山|松原|白城|延吉|"
    "哈尔滨|齐齐哈尔|牡丹江|佳木斯|大庆|鸡西|双鸭山|伊春|七台河|鹤岗|黑河|绥化"
    "|大兴安岭|石家庄|唐山|太原|呼和浩特|包头|济南|青岛|郑州|西安|兰州|西宁|"
    "银川|乌鲁木齐|南京|杭州|合肥|武汉|长沙|广州|深圳|成都|满洲里|海拉尔"
)
COUNTRY: Final = re.compile(rf"中国|(?:{_PROVINCES})省|{_REGIONS}")
_DISTRICTS: Final = {
    "哈尔滨": "道里 南岗 道外 香坊 松北 平房 呼兰 阿城 双城",
    "齐齐哈尔": "龙沙 建华 铁锋 昂昂溪 富拉尔基 碾子山 梅里斯",
    "大庆": "萨尔图 龙凤 让胡路 红岗 大同",
    "牡丹江": "东安 阳明 爱民 西安",
    "佳木斯": "向阳 前进 东风",
    "长春": "南关 宽城 朝阳 二道 绿园 双阳 九台",
    "吉林": "昌邑 龙潭 船营 丰满",
    "沈阳": "和平 沈河 大东 皇姑 铁西 苏家屯 浑南 沈北 于洪 辽中",
    "大连": "中山 西岗 沙河口 甘井子 旅顺口 金州 普兰店",
}
"""Of cities whose register may leave the district away."""
_CITY: Final = re.compile(
    r"([\u4e00-\u9fff\d]{2,4}?)(?<![超城门夜早集花菜])市(?![场街路口民道政里])"
)
_OTHER: Final = re.compile(
    rf"({_OTHER_CITIES})市?"
    r"(?![\u4e00-\u9fff]?(?:大?[街路道]|胡同|\d+(?:[号#-]|$|单元))|\d+(?:[号#栋幢单门 -]|$))"
)
_ASIDES: Final = re.compile(f"{ASIDE}+")
_OPENING: Final = re.compile(
    r"(?:[\ue002 ]|您好|你好|麻烦|我们?|家|业主|用户|客户|的?(?:地址|住址|位置)|就?是|住在|住|在|到"
    r"|位于|来电|报修)*"
)
_EARLY: Final = 8
"""So far into a text the city's name may stand."""
_DISTRICT: Final = re.compile(r"([\u4e00-\u9fff]{2,3})(?:区|县)(?![\u4e00-\u9fff]?[街路])")
NO_DISTRICT: Final = re.compile(
    "开发|高新|经开|新|小|社|校|厂|家属|城|郊|山|住宅|生活|院|[东西南北中]$"
)
SUBDISTRICT: Final = re.compile(r"[\u4e00-\u9fff]{2,6}?(?:街道办事处|街道办|街道(?![里口]))(?!\d)")


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

    def __init__(self, city: str, districts: Sequence[str], names: Names) -> None:
        self._city = city.removesuffix("市")
        self._names = names
        known = [d for d in districts if d] or [f"{d}区" for d in districts_of(self._city)]
        bases = {d.removesuffix("区").removesuffix("县"): d for d in known}
        self._bases = {b: d for b, d in bases.items() if len(b) >= 2}
        words = "|".join(sorted(map(re.escape, self._bases), key=len, reverse=True))
        self._full = re.compile(rf"({words})[区县]") if words else None
        self._short = re.compile(rf"({words})") if words else None

    def aside(self, text: str, cuts: frozenset[int] = frozenset()) -> Placed:
        """Put country, province, city and districts of a text aside."""
        found: set[str] = set()
        for country in COUNTRY.finditer(text):
            start, end = country.span()
            if self._names.reach(text, start) <= end:
                text = text[:start] + ASIDE * (end - start) + text[end:]
        text = self._own_city(text)
        if self._city and any(self._is_other(text, m, cuts) for m in _OTHER.finditer(text)):
            return Placed(text, frozenset(), unknown_district=False, other_city=True)
        text = self._districts(text, cuts, found)
        start = opening(text)
        other_city = unknown = False
        if not found:
            if self._city and (city := _CITY.match(text, start)):
                other_city = self._names.reach(text, start) <= city.end()
            elif self._bases and (district := _DISTRICT.match(text, start)):
                unknown = NO_DISTRICT.search(district[1]) is None and (
                    self._names.reach(text, start) <= district.end()
                )
        return Placed(text, frozenset(found), unknown, other_city)

    def _is_other(self, text: str, city: re.Match[str], cuts: frozenset[int]) -> bool:
        """Another city's name that is no part of a street's, where an address begins or with 市."""
        start, end = city.span()
        longer = text[start : start + len(city[1]) + 1]
        if any(text.startswith(n.core, start) for n in self._names.starting(longer, 8)):
            return False  # 西宁南3号: a street's name without its 路
        begins = city[0].endswith("市") or start == opening(text) or start in cuts
        return begins and city[1] != self._city and self._names.reach(text, start) <= end

    def _own_city(self, text: str) -> str:
        """The city's own name at the beginning: 哈尔滨市, 哈尔滨, 哈市."""
        if not self._city:
            return text
        start = opening(text)
        for word in (f"{self._city}市", self._city, f"{self._city[0]}市"):
            at = text.find(word, start, start + len(word) + _EARLY)
            if at >= 0 and self._names.reach(text, at) <= at + len(word):
                return text[:at] + ASIDE * len(word) + text[at + len(word) :]
        return text

    def _districts(self, text: str, cuts: frozenset[int], found: set[str]) -> str:
        if self._full is None or self._short is None:
            return text
        for district in self._full.finditer(text):
            start, end = district.span()
            if self._names.reach(text, start) <= end:
                found.add(self._bases[district[1]])
                text = text[:start] + ASIDE * (end - start) + text[end:]
        if found:
            return text
        begins = sorted({opening(text), *cuts, *(m.end() for m in _ASIDES.finditer(text))})
        short = next(
            (
                m
                for at in begins
                if (m := self._short.match(text, at)) and self._names.reach(text, at) <= m.end()
            ),
            None,
        )
        if short is not None:
            start, end = short.span(1)
            found.add(self._bases[short[1]])
            text = text[:start] + ASIDE * (end - start) + text[end:]
        return text


def districts_of(city: str) -> list[str]:
    """The districts of a city, without their 区; none for a city that is not in the list."""
    return _DISTRICTS.get(city, "").split()


def opening(text: str) -> int:
    """Where an address begins: behind what was put aside and words such as 我家住在."""
    found = _OPENING.match(text)
    return found.end() if found else 0


def without_subdistricts(text: str) -> str:
    """和兴路街道 put aside: it holds a street's name without being it."""
    return SUBDISTRICT.sub(_hide, text)


def _hide(m: re.Match[str]) -> str:
    return ASIDE * len(m[0])
