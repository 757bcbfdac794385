"""Sixty crews with trades, certificates, vans, territories and shifts that cover the day; the
stores that their spare parts come from."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Literal, NamedTuple

from server.demo.records import Crew, Node, Store, Trade


class Base(NamedTuple):
    """A substation that vans stand at, and the district it feeds."""

    district: str
    node: Node


class _Kind(NamedTuple):
    label: str
    trades: tuple[Trade, ...]
    certificates: tuple[str, ...]
    parts: tuple[str, ...]
    share: float
    least_skill: int
    serves: Literal["district", "city"]
    """Of some there are so few that each serves the whole city."""
    members: tuple[int, ...]
    equipment: tuple[str, ...]


_KINDS: tuple[_Kind, ...] = (
    _Kind(
        "二次网", ("secondary", "indoor"), ("welder", "confined_space"),
        ("DN50-DN150 抢修卡具", "闸阀 DN80", "除污器滤网", "放气阀"),
        0.43, 2, "district", (2, 2, 3, 3, 4), ("pump",),
    ),
    _Kind(
        "户内", ("indoor",), ("low_voltage",), ("放气阀", "户用球阀", "测温仪", "散热器堵头"),
        0.27, 1, "district", (2, 2, 2, 3), (),
    ),
    _Kind(
        "换热站", ("substation",), ("low_voltage", "confined_space"),
        ("循环泵机封", "变频器模块", "补水泵", "压力变送器"), 0.15, 3, "city", (2, 3, 3), (),
    ),
    _Kind(
        "一次网", ("primary", "secondary"), ("confined_space", "welder", "hot_work"),
        ("DN300 抢修卡具", "波纹补偿器", "潜水泵", "发电机"),
        0.09, 3, "city", (3, 4, 4), ("pump", "generator"),
    ),
    _Kind(
        "热源", ("plant",), ("boiler", "low_voltage", "welder"), ("炉排片", "引风机轴承", "给水泵"),
        0.06, 3, "city", (2, 3), (),
    ),
)  # fmt: skip
_NUMBERS = "一二三四五六七八九十"
_SHIFTS: tuple[tuple[int, int, float], ...] = (
    (360, 1080, 0.57),
    (600, 1320, 0.2),
    (1080, 360, 0.23),
)
"""Start and end in minutes after midnight and the share of crews: day, middle, night."""
NIGHT = 2
_MEALS = (660, 960, 1410)
"""When each shift's meal may begin, minutes after midnight."""
VALVE = "放气阀"
VALVES, PIECES = 14, 3
"""Vent valves on a van, as every other flat that is not warm needs one; and of other parts."""
_STORED: dict[str, int] = {
    VALVE: 240, "闸阀 DN80": 12, "户用球阀": 60, "除污器滤网": 16, "散热器堵头": 80,
    "DN50-DN150 抢修卡具": 14, "DN300 抢修卡具": 4, "循环泵机封": 8, "变频器模块": 3,
}  # fmt: skip


def make_crews(
    rng: random.Random, bases: Sequence[Base], districts: Sequence[str], city: str, n: int
) -> list[Crew]:
    """n crews named after their districts, or the city where it has none, each based beside a
    substation of its own district; shifts cover the day, and by night districts are merged."""
    kinds = [k for k, kind in enumerate(_KINDS) for _ in range(round(kind.share * n))]
    kinds = (kinds + [0] * n)[:n]
    counted: dict[tuple[str, int], int] = {}
    # each kind has its share of every shift: a night without a welder is no night shift
    orders = [dict.fromkeys(range(len(_SHIFTS)), 0.0) for _ in _KINDS]
    out: list[Crew] = []
    for j, k in enumerate(kinds):
        kind = _KINDS[k]
        district = districts[(j + k) % len(districts)] if districts else ""
        area = district.removesuffix("区") or city
        number = counted.get((area, k), 0)
        counted[area, k] = number + 1
        shift = _next_shift(orders[k])
        start, end, _ = _SHIFTS[shift]
        near = [b.node for b in bases if b.district == district] or [b.node for b in bases]
        base = near[rng.randrange(len(near))]
        word = _NUMBERS[number] if number < 10 else str(number + 1)
        out.append(
            Crew(
                id=f"C{j + 1:02d}",
                name=f"{area}{kind.label}{word}班",
                trades=kind.trades,
                certificates=tuple(c for c in kind.certificates if rng.random() < 0.85)
                or kind.certificates[:1],
                skill=max(kind.least_skill, rng.choice((2, 3, 3, 4, 4, 5))),
                members=rng.choice(kind.members),
                vehicle=f"暖抢-{j + 1:03d}",
                parts={p: VALVES if p == VALVE else PIECES for p in kind.parts
                       if rng.random() < 0.8 or p in {VALVE, kind.parts[0]}},
                shift_start_min=start,
                shift_end_min=end,
                base_lon=base.lon or 0.0,
                base_lat=base.lat or 0.0,
                territory=_territory(kind, district, districts, night=shift == NIGHT),
                break_after_min=_MEALS[shift],
                equipment=kind.equipment,
            )
        )  # fmt: skip
    return out


def _next_shift(order: dict[int, float]) -> int:
    """The shift that is furthest behind its share."""
    shift = min(order, key=lambda s: (order[s] / _SHIFTS[s][2], s))
    order[shift] += 1
    return shift


def _territory(
    kind: _Kind, district: str, districts: Sequence[str], *, night: bool
) -> tuple[str, ...]:
    """A crew's districts: its own; the few that are on by night have all between them."""
    if kind.serves == "city" or not district:
        return ()
    return tuple(sorted(districts)) if night else (district,)


def make_stores(bases: Sequence[Base], districts: Sequence[str]) -> list[Store]:
    """Two or three stores, each beside a substation of another district."""
    places: list[Base] = []
    for district in districts[:3]:
        near = [b for b in bases if b.district == district]
        places += near[len(near) // 2 :][:1]
    if len(places) < 2:
        places = [bases[0], bases[-1]]
    return [
        Store(
            f"W{n}", f"{b.district.removesuffix('区')}备件{'总库' if n == 1 else '库'}",
            b.node.lon or 0.0, b.node.lat or 0.0,
            {p: max(1, pieces // n) for p, pieces in _STORED.items()},
        )
        for n, b in enumerate(places, 1)
    ]  # fmt: skip
