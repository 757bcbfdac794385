"""Sixty crews with trades, certificates, vans and shifts that cover the day."""

from __future__ import annotations

import random
from collections.abc import Sequence

from server.demo.records import Crew, Node, Trade

_KINDS: tuple[tuple[str, tuple[Trade, ...], tuple[str, ...], tuple[str, ...], float], ...] = (
    ("二次网", ("secondary", "indoor"), ("welder", "confined_space"),
     ("DN50-DN150 抢修卡具", "闸阀 DN80", "除污器滤网", "放气阀"), 0.43),
    ("户内", ("indoor",), ("low_voltage",), ("放气阀", "户用球阀", "测温仪", "散热器堵头"), 0.27),
    ("换热站", ("substation",), ("low_voltage", "confined_space"),
     ("循环泵机封", "变频器模块", "补水泵", "压力变送器"), 0.15),
    ("一次网", ("primary", "secondary"), ("welder", "confined_space", "hot_work"),
     ("DN300 抢修卡具", "波纹补偿器", "潜水泵", "发电机"), 0.09),
    ("热源", ("plant",), ("boiler", "low_voltage", "welder"),
     ("炉排片", "引风机轴承", "给水泵"), 0.06),
)  # fmt: skip
_NUMBERS = "一二三四五六七八九十"
_SHIFTS: tuple[tuple[int, int, float], ...] = (
    (360, 1080, 0.57),
    (600, 1320, 0.2),
    (1080, 360, 0.23),
)
"""Start and end in minutes after midnight and the share of crews: day, middle, night."""


def make_crews(
    rng: random.Random, substations: Sequence[Node], areas: Sequence[str], n: int
) -> list[Crew]:
    """n crews named after `areas` (one or more), based beside substations; shifts cover the day."""
    kinds = [k for k, kind in enumerate(_KINDS) for _ in range(round(kind[4] * n))]
    kinds = (kinds + [0] * n)[:n]
    counted: dict[tuple[str, int], int] = {}
    order = dict.fromkeys(range(len(_SHIFTS)), 0.0)
    out: list[Crew] = []
    for j, k in enumerate(kinds):
        label, trades, certificates, parts, _ = _KINDS[k]
        area = areas[(j + k) % len(areas)]
        number = counted.get((area, k), 0)
        counted[area, k] = number + 1
        shift = min(order, key=lambda s: (order[s] / _SHIFTS[s][2], s))
        order[shift] += 1
        start, end, _ = _SHIFTS[shift]
        base = substations[rng.randrange(len(substations))]
        word = _NUMBERS[number] if number < 10 else str(number + 1)
        out.append(
            Crew(
                id=f"C{j + 1:02d}",
                name=f"{area}{label}{word}班",
                trades=trades,
                certificates=tuple(c for c in certificates if rng.random() < 0.85)
                or certificates[:1],
                skill=rng.choice((2, 3, 3, 4, 4, 5)),
                members=rng.choice((2, 2, 3, 3, 4)),
                vehicle=f"暖抢-{j + 1:03d}",
                parts=tuple(p for p in parts if rng.random() < 0.8) or parts[:1],
                shift_start_min=start,
                shift_end_min=end,
                base_lon=base.lon or 0.0,
                base_lat=base.lat or 0.0,
            )
        )
    return out
