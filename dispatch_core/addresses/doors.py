"""What stands behind the street or community: house number, building, unit, floor, flat.

Writings such as 3-2-501 or 128-2 can be read in more than one way; every reading is kept, the usual
one first, and the register tells which of them there is.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from dispatch_core.addresses.policy import LESS_USUAL, SECOND_READING, UNCONFIRMED

STREET: Final = "\ue001"
COMMUNITY: Final = "\ue000"
"""Stand in a tail for a street's and a community's name."""

_TOKEN: Final = re.compile(
    r"(?P<number>[A-Z]?\d{1,5}[A-Z]?(?![A-Z\d条个些点起样次度分时天月年日米带])(?![^号栋幢座单门楼层室户号院\W\dA-Z]?(?:大?[道街]|马?路)|巷|[期区])|[A-Z甲乙丙丁](?=号?[座栋幢楼#]|单元))"
    r"(?P<mark>号楼|号院|号栋|号座|号幢|号门(?![市面牌口前])|号房|号室|栋楼|楼栋|#楼|栋|幢|橦|憧|座|#|号|单元|单|门洞|门(?![市面口前])|楼|层|室|户|房)?"
    r"|(?P<sub>[之附])(?=\d)"
    r"|(?P<dash>[- ]+)"
    r"|(?P<side>左手|右手|中门|中间|[左右](?![\u4e00-\u9fff]{2})|[东西中]户|对门)"
    r"|(?P<near>斜?对面|对过|旁边?|附近|隔壁|后身|后面|前面|后边|前边|边上|路口|交叉口|交口|拐角|北侧|南侧|东侧|西侧|左侧|右侧|周边|一带|往[东西南北])"
    r"|(?P<street>\ue001)|(?P<community>\ue000)"
)
_BUILDING: Final = frozenset(
    {"号楼", "号栋", "号座", "号幢", "栋楼", "楼栋", "#楼", "栋", "幢", "橦", "憧", "座", "#"}
)
_UNIT: Final = frozenset({"单元", "单", "门洞", "门", "号门"})
_FLAT: Final = frozenset({"室", "户", "房", "号房", "号室"})
_FLOOR: Final = frozenset({"楼", "层"})
_UNIT_AHEAD: Final = re.compile(r"[- ]?\d{1,2}(?:单元|单|门|[- ]\d)")
_FLAT_NEXT: Final = re.compile(r"[- ]?\d{3,4}(?!\d)")
_JOINS: Final = re.compile(r"([- ]+)[A-Z]?\d+[A-Z]?(-?)")
_IS: Final = re.compile("[是有为]")
_UNIT_ANYWHERE: Final = re.compile(r"(?<!\d)(\d{1,2})(?:单元|门洞)")
_FLAT_ANYWHERE: Final = re.compile(r"(?<!\d)(\d{3,4})[室户]|单元(\d{3,4})(?!\d)")
_FAR: Final = 14
"""Characters of other words after which a number no longer belongs to the name before it."""
_OTHER_PLACE: Final = re.compile(
    r"[\u4e00-\u9fff]{2}(?:小区|家园|花园|新村|公寓|新城|名苑|名城|华庭|华府|嘉园|庄园|家属[楼院区])$"
)
"""Another community's name: the number behind it is that one's."""
_WORD_BEHIND: Final = re.compile("[\u4e00-\u9fff]")
"""第3中学, 学生3公寓 behind other words: their numbers are no door's."""
_FAMILY: Final = re.compile("家[^里中的]")
_READINGS: Final = 6
FLAT_FROM: Final = 100
"""Numbers from here on are flats: 502 says floor 5, door 2."""


class Door(NamedTuple):
    """One reading of a tail. Numbers are as the register writes them: `128`, `128-1`, `A3`."""

    number: str | None = None
    building: str | None = None
    unit: int | None = None
    floor: int | None = None
    flat: str | None = None
    side: bool = False
    """A door was named by its side of the landing: which flat that is nobody has written down."""
    near: bool = False
    """The words name what is beside, not the building itself."""
    weight: float = 1.0
    end: int = 0
    """How far building and number reach in the tail."""


class _Group(NamedTuple):
    numbers: list[str]
    mark: str
    end: int
    ahead: str
    dashed: bool
    """A dash stands between 号 and the first number."""


def _plain(number: str) -> str:
    return number.lstrip("0") or "0"


def _int(number: str) -> int | None:
    return int(number) if number.isdecimal() else None


def _big(number: str) -> bool:
    value = _int(number)
    return (value is not None and value >= FLAT_FROM) or (
        value is None and number[:-1].isdecimal() and int(number[:-1]) >= FLAT_FROM
    )


def doors(  # noqa: C901 - one branch a kind of token
    tail: str, *, in_community: bool, known: bool = False
) -> list[Door]:
    """The readings of a tail, the usual one first; one empty reading when nothing is said.

    `known`: the building is, only unit, floor and flat are looked for.
    """
    readings = [Door(number="")] if known else [Door()]
    community, street = in_community, not in_community
    last = at = 0
    settled = sub = dashed = False
    numbers: list[str] = []
    while found := _TOKEN.search(tail, at):
        gap = tail[last : found.start()]
        other = in_community and not settled and _OTHER_PLACE.search(gap) is not None
        if not numbers and (len(gap) > _FAR or other):
            break
        kind = found.lastgroup if found.lastgroup != "mark" else "number"
        at = last = found.end()
        if kind == "community":
            community = True
            continue
        if kind == "street":
            street = True
            community = any(r.number is not None for r in readings)
            continue
        if kind == "dash":
            if not numbers and tail[found.start() - 1 : found.start()] == "号":
                dashed = found[0].startswith("-")
            continue
        if kind == "sub":
            sub = True
            continue
        if kind == "side":
            if settled:
                readings = [r._replace(side=True) for r in readings]
            continue
        if kind == "near":
            if settled and not gap and not _IS.match(tail, at):
                readings = [r._replace(near=True) for r in readings]
            continue
        number, mark = _plain(found["number"]), found["mark"] or ""
        if not (mark or numbers or sub) and (
            (gap and _WORD_BEHIND.match(tail, at)) or (_FAMILY.match(tail, at) and not _big(number))
        ):
            continue
        if sub:
            sub = False
            readings = [_with_sub(r, number, at) for r in readings]
            continue
        numbers.append(number)
        if not mark and _joins(tail, at, len(numbers)):
            continue
        group = _Group(numbers, mark, at, tail[at:], dashed)
        numbers, dashed = [], False
        readings = [
            new for r in readings for new in _take(r, group, community=community, street=street)
        ][:_READINGS]
        settled = True
    return readings


def with_inner_ahead(door: Door, ahead: str) -> Door:
    """Unit and flat from the words before the name, where none stand behind it."""
    if door.unit is not None or door.flat is not None:
        return door
    unit = _UNIT_ANYWHERE.search(ahead)
    flat = _FLAT_ANYWHERE.search(ahead)
    return door._replace(
        unit=int(unit[1]) if unit else None, flat=_plain(flat[1] or flat[2]) if flat else None
    )


def _joins(tail: str, at: int, so_far: int) -> bool:
    """Whether the next number is of the same group; beside dashes a blank parts two groups."""
    found = _JOINS.match(tail, at)
    if found is None:
        return False
    return "-" in found[1] or (so_far == 1 and not found[2])


def _with_sub(r: Door, number: str, end: int) -> Door:
    if r.number is not None and r.building is None and r.unit is None:
        return r._replace(number=f"{r.number}-{number}", end=end)
    return r


def _take(r: Door, g: _Group, *, community: bool, street: bool) -> list[Door]:
    if g.dashed and r.number and r.building is None and r.unit is None:
        return _behind_dash(r, g, community=community)
    if len(g.numbers) == 1:
        one = _single(r, g.numbers[0], g, community=community)
        if (
            community
            and street
            and r.number is None
            and one.building != r.building
            and (g.mark in {"号", ""})
        ):
            # 和平路民生家园128号: the community stands between street and number
            return [one, _single(r, g.numbers[0], g, community=False)]
        if one is r and g.mark == "号" and r.number and r.building is None and r.unit is None:
            # 11号成标花园6号: the second one is the building's
            return [
                r._replace(building=g.numbers[0], end=g.end),
                r._replace(weight=r.weight * LESS_USUAL),
            ]
        return [one]
    if not community and r.number is None:
        return _street_group(r, g)
    if r.building is None and r.unit is None:
        return _building_group(r, g, community=community)
    return [_inner(r, g.numbers)]


def _behind_dash(r: Door, g: _Group, *, community: bool) -> list[Door]:
    """28号-1-502: a part of the number first, a unit where the register has no such part."""
    plain = g._replace(dashed=False)
    usual = _take(r, plain, community=community, street=True)
    if len(g.numbers) == 1 and (g.mark not in {"", "号"} or _big(g.numbers[0])):
        return usual
    sub = _with_sub(r, g.numbers[0], g.end)
    if len(g.numbers) == 1:
        return [sub, *(u._replace(weight=u.weight * UNCONFIRMED) for u in usual)]
    rest = _take(sub, plain._replace(numbers=g.numbers[1:]), community=community, street=True)
    return [*rest, *(u._replace(weight=u.weight * LESS_USUAL) for u in usual)]


def _single(r: Door, n: str, g: _Group, *, community: bool) -> Door:  # noqa: PLR0911 - one mark each
    mark = g.mark
    if mark in _BUILDING:
        if mark == "#" and r.building and r.unit is None and _FLAT_NEXT.match(g.ahead):
            return r._replace(unit=_int(n))
        if not community and r.number is None and mark in {"号楼", "#"}:
            return r._replace(number=n, end=g.end)
        return r if r.building is not None else r._replace(building=n, end=g.end)
    if mark in _UNIT and not _big(n):
        return r if r.unit is not None else r._replace(unit=_int(n))
    if mark in _FLOOR:
        if r.building is None and r.unit is None and mark == "楼" and _UNIT_AHEAD.match(g.ahead):
            return r._replace(building=n, end=g.end)
        return r if r.floor is not None else r._replace(floor=_int(n))
    if mark in _FLAT or (mark in _UNIT and _big(n)):
        return _with_flat(r, n)
    if (
        not community
        and r.number is None
        and r.unit is None
        and (r.building is None or mark in {"号", "号院"})
    ):
        return r._replace(number=n, end=g.end)
    if (
        community
        and r.building is None
        and r.unit is None
        and r.floor is None
        and not _big_flat(r, n, g)
    ):
        return r._replace(building=n, end=g.end)
    if r.unit is not None or r.floor is not None or _big(n):
        return _with_flat(r, n)
    return r


def _big_flat(r: Door, n: str, g: _Group) -> bool:
    """A flat right behind a street's number: 128号502 in a community's tail."""
    return r.number is not None and _big(n) and g.mark == ""


def _with_flat(r: Door, n: str) -> Door:
    if r.flat is not None:
        return r
    value = _int(n)
    if r.floor is not None and value is not None and value < 20:
        n = f"{r.floor}{value:02d}"
    return r._replace(flat=n)


def _inner(r: Door, numbers: list[str]) -> Door:
    """Unit, floor and flat behind a known building."""
    if r.unit is not None and _big(numbers[0]):
        return _with_flat(r, "".join(numbers))  # 1单元170 3室
    if r.unit is not None:
        return _with_flat(
            r._replace(floor=_int(numbers[0])) if len(numbers) > 1 else r, numbers[-1]
        )
    r = r._replace(unit=_int(numbers[0]))
    if len(numbers) == 2:
        return _with_flat(r, numbers[1])
    return _with_flat(r._replace(floor=_int(numbers[1])), numbers[2])


def _street_group(r: Door, g: _Group) -> list[Door]:  # noqa: PLR0911 - one form each
    a, *rest = g.numbers
    b = rest[0]
    one = r._replace(number=a, end=g.end)
    two = r._replace(number=f"{a}-{b}", end=g.end, weight=r.weight * SECOND_READING)
    as_building = one._replace(building=b, weight=r.weight * SECOND_READING)
    last = rest[-1]
    flat = g.mark in _FLAT or _big(last)
    if len(rest) == 1:
        if g.mark == "号":
            return [two._replace(weight=r.weight)]
        if g.mark in _BUILDING:
            return [one._replace(building=b)]
        if g.mark in _UNIT and not _big(b):
            return [one._replace(unit=_int(b))]
        if flat:
            return [_with_flat(one, b)]
        less = r.weight * UNCONFIRMED
        return [
            two._replace(weight=r.weight),
            one._replace(unit=_int(b), weight=less),
            one._replace(building=b, weight=less),
        ]
    if len(rest) == 2:
        if flat or g.mark == "号":
            return [
                _with_flat(one._replace(unit=_int(b)), last),
                _with_flat(two, last),
                _with_flat(as_building, last),
            ]
        return [as_building._replace(unit=_int(last)), two._replace(unit=_int(last))]
    if len(rest) == 3:
        return [
            _with_flat(one._replace(building=b, unit=_int(rest[1])), last),
            _with_flat(two._replace(unit=_int(rest[1])), last),
            _with_flat(one._replace(unit=_int(b), floor=_int(rest[1])), last),
        ]
    return [one]


def _building_group(r: Door, g: _Group, *, community: bool) -> list[Door]:
    """3-2-501 behind a community, or behind a house number."""
    a, *rest = g.numbers
    b = rest[0]
    last = rest[-1]
    built = r._replace(building=a, end=g.end)
    flat = g.mark in _FLAT or _big(last)
    if len(rest) == 1:
        if g.mark in _BUILDING:
            return [r._replace(building=f"{a}-{b}", end=g.end), built]
        inner = _inner(r, g.numbers)
        if community:
            if flat:
                # 3-501: building and flat; unit and flat only where the building is known
                return [_with_flat(built, b)]
            return [built._replace(unit=_int(b)), r._replace(building=f"{a}-{b}", end=g.end)]
        if flat:
            return [inner, _with_flat(built, b)._replace(weight=r.weight * SECOND_READING)]
        return [built._replace(unit=_int(b)), inner._replace(weight=r.weight * SECOND_READING)]
    if len(rest) == 2:
        first = (
            _with_flat(built._replace(unit=_int(b)), last)
            if flat
            else built._replace(unit=_int(b), flat=last)
        )
        if community:
            return [first]
        return [first, _inner(r, g.numbers)._replace(weight=r.weight * SECOND_READING)]
    return [_with_flat(built._replace(unit=_int(b), floor=_int(rest[1])), last)]
