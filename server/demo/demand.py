"""What residents want, pay and say, minute by minute: by the hour, the cold and the fault."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from server.demo import chance
from server.demo.faults import Fault, Faults
from server.demo.records import Building, Household, Register
from server.demo.register import HOURS
from server.demo.spoken import AGAIN, NEEDY, half, nowhere, spoken, typed
from server.demo.weather import CITY_OFFSET_S, local, outdoor

Item = dict[str, Any]

_SOURCES: tuple[tuple[float, str], ...] = (
    (0.62, "phone"), (0.82, "app"), (0.92, "wechat"), (0.925, "counter"), (0.965, "12345"),
    (1.0, "property_firm"),
)  # fmt: skip
ORIGINS = {"12345": "hotline_12345", "property_firm": "property_firm"}
"""Sources whose requests are cases, with a number and clocks of their own."""
NOWHERE_SHARE = 0.018
"""Of all requests come with an address that leads to no door."""
REPEATED = 0.45
"""Of faults are called in again: a quarter of all calls."""
LATEST_REPEAT_MIN = 300
EARLY_CASE_MIN = 5 * 60 + 17
"""A case of the hotline comes at this minute of every day, while one seat is on its own."""
TWICE_BY_MISTAKE, TWICE_WITHIN_MIN = 0.12, 5
"""Of those who come again sent the very same form twice, within so many minutes."""
FIRST_CALLS = 0.76
"""Of all calls; the others come again."""
_COLD = (
    "暖气冰凉，整栋楼都不热", "一早起来就不热，屋里 13 度", "突然凉的，回水管冰凉",
    "一点不热，从六点开始",
    "冰凉，孩子冻醒了", "不热，老人在家太冷了",
)  # fmt: skip
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


@dataclass(frozen=True, slots=True)
class _Call:
    path: str
    body: Item
    kind: str
    again_after: int | None
    """Minutes until the same caller calls again."""

    @property
    def sent(self) -> tuple[str, Item]:
        return self.path, self.body


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
        self._calls: dict[int, list[_Call]] = {}
        """First calls of the last hours by their minute."""

    def requests(self, minute: int) -> Iterator[tuple[str, Item]]:
        """(path, body) of the requests and cases that come in within a minute (minutes since the
        epoch): first calls, and those who call again about the same."""
        yield from (c.sent for c in self._first(minute))
        self._calls.pop(minute - LATEST_REPEAT_MIN - 1, None)
        for back in range(1, LATEST_REPEAT_MIN + 1):
            for call in self._first(minute - back):
                if call.again_after == back:
                    yield self._again(call, minute)

    def _first(self, minute: int) -> list[_Call]:
        known = self._calls.get(minute)
        if known is None:
            known = self._calls[minute] = list(self._made(minute))
        return known

    def _made(self, minute: int) -> Iterator[_Call]:
        at = minute * 60
        _, hour = local(at)
        cold = 1 + 0.02 * max(0.0, -22 - outdoor(at))
        lo, hi = HOURS[int(hour)], HOURS[(int(hour) + 1) % 24]
        rate = (lo + (hi - lo) * (hour % 1)) / 60 * cold * self._scale * FIRST_CALLS
        for n in range(chance.poisson(rate, self._seed, "calls", minute)):
            name: tuple[object, ...] = (self._seed, "call", minute, n)
            kind, words = spoken(chance.unit(*name, "kind"))
            yield self._call(kind, words, self._buildings, name, at)
        if int(hour * 60) == EARLY_CASE_MIN:
            name = (self._seed, "early", minute)
            yield self._call("not_warm", _COLD, self._buildings, name, at, "12345")
        for f in self._faults.around(at):
            pain = f.chill(at, 2.2 * 3600)
            for n in range(
                chance.poisson(0.22 * min(1.0, 3.4 * pain), self._seed, "cold", f.day, minute)
            ):
                name = (self._seed, "cold", f.day, minute, n)
                yield self._call("not_warm", _COLD, self._fed[f.substation], name, at)

    def _call(
        self,
        kind: str,
        words: Sequence[str],
        among: list[Building],
        name: tuple[object, ...],
        at: int,
        by: str | None = None,
    ) -> _Call:
        building = chance.pick(among, *name, "where")
        home = chance.pick(self._homes[building.id], *name, "who")
        source = by or next(s for p, s in _SOURCES if chance.unit(*name, "source") < p)
        said = chance.pick(words, *name, "words")
        caller = {"name": home.owner_name, "phone": home.owner_phone}
        body: Item = {"caller": caller, "words": said, **_place(home, building, source, name)}
        if source in ORIGINS:
            received = at - (120 if by else int(chance.between(60, 900, *name, "on its way")))
            body |= {"origin": ORIGINS[source], "received_at": received}
            body["number"] = _number(source, received, name)
            return _Call("/api/cases", body, kind, None)
        body["source"] = source
        if source == "phone":
            body |= self._seat(kind, said, at, name)
        after = None
        if kind in AGAIN and chance.unit(*name, "again") < REPEATED:
            twice = chance.unit(*name, "twice") < TWICE_BY_MISTAKE
            low, high = (1, 5) if twice else (25, LATEST_REPEAT_MIN)
            after = int(chance.between(low, high, *name, "after"))
        return _Call("/api/requests", body, kind, after)

    def _seat(self, kind: str, said: str, at: int, name: tuple[object, ...]) -> Item:
        """What a seat adds while the caller is on the line: mostly it takes what is proposed."""
        _, hour = local(at)
        answered = chance.unit(*name, "seat") < (0.85 if 6 < hour < 22 else 0.6)
        made: Item = {"accepted": answered}
        if chance.unit(*name, "heard") < 0.12:
            made["kind"] = kind
        if kind == "not_warm" and any(who in said for who in NEEDY):
            made |= {"level": "yellow", "level_reason": "vulnerable_household"}
        return made

    def _again(self, call: _Call, minute: int) -> tuple[str, Item]:
        """The same caller about the same: the very words within minutes, others later."""
        body = {k: v for k, v in call.body.items() if k not in {"level", "level_reason", "kind"}}
        if call.again_after is not None and call.again_after > TWICE_WITHIN_MIN:
            body["words"] = chance.pick(AGAIN[call.kind], self._seed, minute, body["words"])
        return call.path, body

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


def _place(home: Household, building: Building, source: str, name: tuple[object, ...]) -> Item:
    """Where a request says it is: the household number where the form or the phone knows it, else
    what somebody typed."""
    dice = chance.unit(*name, "place")
    if dice < NOWHERE_SHARE and source != "counter":
        if chance.unit(*name, "lost") < 0.55:
            return {"address": nowhere(*name)}
        return {"address": half(building, *name)}
    known = {"phone": 0.86, "app": 0.75, "wechat": 0.3, "counter": 1.0}.get(source, 0.12)
    if dice < NOWHERE_SHARE + known:
        return {"household": home.id}
    if source == "phone" and chance.unit(*name, "picked") < 0.6:
        return {"building": building.id}
    return {"address": typed(home, building, *name)}


def _number(source: str, received: int, name: tuple[object, ...]) -> str:
    """A number as the hotline or a firm gives it."""
    day = f"{datetime.fromtimestamp(received + CITY_OFFSET_S, UTC):%y%m%d%H%M}"
    serial = int(chance.unit(*name, "number") * 9000) + 1000
    return f"{day}{serial}" if source == "12345" else f"WY-{day}-{serial}"
