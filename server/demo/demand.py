"""What residents want, pay and say, minute by minute: by the hour, the cold and the fault."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from server.demo import chance
from server.demo.faults import Fault, Faults
from server.demo.records import Building, Household, Register
from server.demo.register import HOURS
from server.demo.weather import local, outdoor

Item = dict[str, Any]

_WORDS: dict[tuple[str, str], tuple[str, ...]] = {
    ("leak", "red"): (
        "暖气立管跑水，楼下已经漏了，关不住",
        "主管爆了往外喷热水，楼道里全是汽",
        "地沟往外冒热水，有人烫着了",
    ),
    ("not_warm", "red"): ("家里有新生儿，屋里只有 11 度，暖气冰凉", "独居老人家里 12 度，暖气全凉"),
    ("leak", "yellow"): ("暖气阀门一直滴水，用盆接着", "分水器接头渗水", "暖气片有砂眼，往外渗"),
    ("not_warm", "yellow"): (
        "一点不热，暖气冰凉，家里有老人",
        "冷山房，卧室只有 14 度",
        "整个单元都不热，从昨晚开始",
        "半夜开始凉的，孩子冻醒了",
    ),
    ("not_warm", "blue"): (
        "暖气温吞，屋里 16 度多",
        "只有一半热，可能串气了",
        "把山这屋总比别的屋低",
        "顶楼末端不太热，想让人看看",
    ),
    ("repair", "blue"): ("阀门拧不动，想换一个", "管道有响声", "放气阀坏了"),
    ("repair", "yellow"): ("楼道里的阀门坏了，关不上", "入户井盖破了，里面冒汽"),
    ("complaint", "yellow"): ("打了三次电话没人来", "昨天说上门，等了一天没等到"),
    ("question", "blue"): ("几点能恢复供热", "报停以后还要交多少钱", "测温怎么预约"),
}
_MIX: tuple[tuple[float, str, str], ...] = (
    (0.045, "leak", "red"), (0.035, "not_warm", "red"), (0.09, "leak", "yellow"),
    (0.24, "not_warm", "yellow"), (0.03, "repair", "yellow"), (0.03, "complaint", "yellow"),
    (0.38, "not_warm", "blue"), (0.09, "repair", "blue"), (1.0, "question", "blue"),
)  # fmt: skip
_SOURCES: tuple[tuple[float, str], ...] = (
    (0.62, "hotline"),
    (0.82, "app"),
    (0.93, "wechat"),
    (0.97, "12345"),
    (1.0, "property_firm"),
)
_SAID: dict[str, tuple[tuple[float, str], ...]] = {
    "not_warm": (
        (-0.8, "交了费还是 15 度，谁管管"),
        (-0.6, "一早起来屋里冰凉"),
        (-0.5, "暖气又不热了"),
    ),
    "billing": ((-0.5, "热费怎么算的，看不懂"), (0.1, "缴费窗口人不多")),
    "leak": ((-0.7, "楼道漏水结冰了，老人差点摔倒"),),
    "attitude": ((-0.6, "客服让等，等了一上午"), (0.8, "维修师傅大半夜来的，辛苦了")),
    "other": ((0.7, "今年屋里挺热乎"), (0.1, "明天还降温"), (0.75, "抢修很快，点赞")),
}
_CHANNELS = ("wechat", "weibo", "douyin", "forum")


class Demand:
    """Requests, mentions and payments of one register and seed."""

    def __init__(self, register: Register, faults: Faults, seed: int) -> None:
        self._seed, self._faults = seed, faults
        self._buildings: list[Building] = register.buildings
        self._fed: dict[str, list[Building]] = {}
        for b in register.buildings:
            self._fed.setdefault(b.substation, []).append(b)
        self._homes: dict[str, list[Household]] = {}
        for h in register.households:
            self._homes.setdefault(h.building, []).append(h)
        self._communities = [c.id for c in register.communities]
        self._owing = [a for a in register.accounts if a.unpaid_fen > 0]
        self._scale = len(register.households) / 60_000

    def requests(self, minute: int) -> Iterator[Item]:
        """Bodies of POST /api/requests that come in within a minute (minutes since the epoch)."""
        at = minute * 60
        _, hour = local(at)
        cold = 1 + 0.02 * max(0.0, -22 - outdoor(at))
        lo, hi = HOURS[int(hour)], HOURS[(int(hour) + 1) % 24]
        rate = (lo + (hi - lo) * (hour % 1)) / 60 * cold * self._scale
        for n in range(chance.poisson(rate, self._seed, "calls", minute)):
            name: tuple[object, ...] = (self._seed, "call", minute, n)
            kind, level = self._kind(chance.unit(*name, "kind"))
            yield self._request(kind, level, self._buildings, name, hour)
        for f in self._faults.around(at):
            pain = f.chill(at, 2.2 * 3600)
            for n in range(
                chance.poisson(0.22 * min(1.0, 3.4 * pain), self._seed, "cold", f.day, minute)
            ):
                name = (self._seed, "cold", f.day, minute, n)
                level = "yellow" if chance.unit(*name, "level") < 0.7 else "blue"
                yield self._request("not_warm", level, self._fed[f.substation], name, hour)

    @staticmethod
    def _kind(dice: float) -> tuple[str, str]:
        for share, kind, level in _MIX:
            dice -= share
            if dice < 0:
                return kind, level
        return _MIX[-1][1], _MIX[-1][2]

    def _request(
        self, kind: str, level: str, among: list[Building], name: tuple[object, ...], hour: float
    ) -> Item:
        building = chance.pick(among, *name, "where")
        home = chance.pick(self._homes[building.id], *name, "who")
        source = next(s for p, s in _SOURCES if chance.unit(*name, "source") < p)
        answered = source == "hotline" and chance.unit(*name, "seat") < (
            0.85 if 6 < hour < 22 else 0.6
        )
        body: Item = {
            "kind": kind, "level": level, "source": source, "building": building.id,
            "caller": {"name": home.owner_name, "phone": home.owner_phone},
            "words": chance.pick(_WORDS[kind, level], *name, "words"), "accepted": answered,
        }  # fmt: skip
        if chance.unit(*name, "again") < 0.08:
            body["reports"] = 2 + int(chance.unit(*name, "reports") * 3)
        return body

    def mentions(self, minute: int) -> Iterator[Item]:
        """Items of a batch of mentions said within a minute."""
        at = minute * 60
        _, hour = local(at)
        awake = 1.0 if 6 <= hour < 23 else 0.2
        for n in range(chance.poisson(0.16 * awake * self._scale, self._seed, "said", minute)):
            name: tuple[object, ...] = (self._seed, "said", minute, n)
            yield self._mention(chance.pick(self._communities, *name, "where"), None, at, name)
        for f in self._faults.around(at):
            # talk flares up with the first cold rooms, and tires long before the rooms are warm
            tired = math.exp(-max(0.0, at - f.start - 6000) / 2400)
            pain = min(1.0, 2.4 * f.chill(at, 2.2 * 3600)) * tired
            for n in range(chance.poisson(0.34 * pain * awake, self._seed, "rage", f.day, minute)):
                name = (self._seed, "rage", f.day, minute, n)
                yield self._mention(self._worst(f), "not_warm", at, name)

    def _worst(self, f: Fault) -> str:
        """The community of most buildings behind a fault: where people talk about it."""
        told = [b.community for b in self._fed[f.substation]]
        return max(sorted(set(told)), key=told.count)

    def _mention(
        self, community: str, topic: str | None, at: int, name: tuple[object, ...]
    ) -> Item:
        topic = topic or chance.pick(
            ("not_warm", "not_warm", "billing", "leak", "attitude", "other", "other"),
            *name,
            "topic",
        )
        value, words = chance.pick(_SAID[topic], *name, "words")
        value += chance.between(-0.12, 0.12, *name, "value")
        return {
            "id": "-".join(map(str, name)), "said_at": at, "value": round(value, 2), "topic": topic,
            "community": community, "words": words,
            "channel": chance.pick(_CHANNELS, *name, "channel"),
        }  # fmt: skip

    def payments(self, minute: int) -> Iterator[Item]:
        """Balances that change within a minute: somebody pays, by day."""
        at = minute * 60
        _, hour = local(at)
        if not self._owing or not 8 <= hour < 18:
            return
        for n in range(chance.poisson(0.3 * self._scale, self._seed, "pays", minute)):
            account = chance.pick(self._owing, self._seed, "payer", minute, n)
            left = 0 if chance.unit(self._seed, "all", minute, n) < 0.8 else account.unpaid_fen // 2
            yield {"household": account.household, "unpaid_fen": left, "balance_at": at}
