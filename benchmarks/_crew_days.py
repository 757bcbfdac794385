"""Days of a city's crews, made from a seed, and a check of plans for them that shares no code with
any planner.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

SHIFT = 8 * 3600
TRADES = 8
PROFILES = 12
WEIGHTS = np.array([100, 40, 10])
"""What a red, a yellow and a blue ticket count when left out."""
HOUR = 3600


@dataclass(frozen=True)
class Day:
    """Crews begin and end at places 0 to K - 1; ticket j is at place K + j. Seconds."""

    travel: NDArray[np.int32]
    trades: NDArray[np.bool_]
    """[K, TRADES] what a crew can do."""
    trade: NDArray[np.int64]
    level: NDArray[np.int64]
    """[J] 0 red, 1 yellow, 2 blue."""
    service: NDArray[np.int32]
    opens: NDArray[np.int32]
    closes: NDArray[np.int32]

    @property
    def crews(self) -> int:
        """How many crews there are."""
        return len(self.trades)

    @property
    def tickets(self) -> int:
        """How many tickets there are."""
        return len(self.trade)

    @property
    def weight(self) -> NDArray[np.int64]:
        """Of each ticket."""
        return WEIGHTS[self.level]

    @property
    def able(self) -> NDArray[np.bool_]:
        """[J, K] which crew can do which ticket."""
        return np.ascontiguousarray(self.trades[:, self.trade].T)

    def part(self, tickets: NDArray[np.int64]) -> Day:
        """The same day with only these tickets."""
        places = np.concatenate([np.arange(self.crews), self.crews + tickets])
        return replace(
            self,
            travel=np.ascontiguousarray(self.travel[np.ix_(places, places)]),
            trade=self.trade[tickets], level=self.level[tickets], service=self.service[tickets],
            opens=self.opens[tickets], closes=self.closes[tickets],
        )  # fmt: skip


def made(crews: int, tickets: int, seed: int) -> Day:
    """A day: as dense at every size, 12 profiles of trades, 8 % red, 32 % yellow, 60 % blue
    tickets.

    Reds begin within 90 minutes, yellows within 4 hours, half of the blues in a window of two
    hours. Travel is the great circle, 1.3 times, at 25 km/h.
    """
    random = np.random.default_rng(seed)
    half = 0.10 * np.sqrt(crews / 50)
    places = crews + tickets
    lat = np.radians(34.75 + random.uniform(-half, half, places))
    lon = np.radians(113.62 + 1.2 * random.uniform(-half, half, places))
    arc = (
        np.sin((lat[None] - lat[:, None]) / 2) ** 2
        + np.cos(lat)[:, None] * np.cos(lat)[None] * np.sin((lon[None] - lon[:, None]) / 2) ** 2
    )
    metres = 2 * 6_371_008.8 * np.arcsin(np.sqrt(arc))
    profiles = np.zeros((PROFILES, TRADES), bool)
    profiles[:, 0] = True
    for profile in profiles:
        profile[random.choice(np.arange(1, TRADES), 3, replace=False)] = True
    trades = profiles[random.integers(0, PROFILES, crews)]
    trade = np.where(random.random(tickets) < 0.4, 0, random.integers(1, TRADES, tickets))
    trade[~trades.any(0)[trade]] = 0
    level = random.choice(3, tickets, p=[0.08, 0.32, 0.6])
    service = random.integers(15, 51, tickets) * 60
    begin = random.integers(0, 12, tickets) * 1800
    agreed = (level == 2) & (random.random(tickets) < 0.5)
    opens = np.where(agreed, begin, 0)
    closes = np.choose(level, [5400, 4 * HOUR, np.where(agreed, begin + 7200, SHIFT)])
    return Day(
        np.rint(metres * 1.3 / (25 / 3.6)).astype(np.int32), trades, trade, level,
        service.astype(np.int32), opens.astype(np.int32), closes.astype(np.int32),
    )  # fmt: skip


def problem(day: Day, *, weight: int = 100_000) -> dict[str, Any]:
    """The planner's arguments: service first, by weight, then travel."""
    words = (day.crews + 63) // 64
    bits = np.zeros((day.tickets, words * 64), np.uint8)
    bits[:, : day.crews] = day.able
    return {
        "travel": day.travel,
        "crew_place": np.arange(day.crews),
        "crew_start": 0,
        "crew_end": SHIFT,
        "task_place": day.crews + np.arange(day.tickets),
        "task_service": day.service,
        "task_open": day.opens,
        "task_close": day.closes,
        "task_weight": day.weight * weight,
        "task_crews": np.packbits(bits, axis=1, bitorder="little").view(np.uint64),
        "travel_cost": 1,
        "duration_cost": 0,
    }


def judged(day: Day, routes: list[list[int]]) -> tuple[int, int, int]:
    """(tickets served, their weight, seconds of travel); ValueError names a broken rule."""
    seen: set[int] = set()
    travel = 0
    for crew, route in enumerate(routes):
        clock, at = 0, crew
        for ticket in route:
            if ticket in seen:
                raise ValueError(f"twice: {ticket}")
            seen.add(ticket)
            if not day.trades[crew, day.trade[ticket]]:
                raise ValueError(f"trade: crew {crew} at {ticket}")
            to = day.crews + ticket
            travel += int(day.travel[at, to])
            clock = max(clock + int(day.travel[at, to]), int(day.opens[ticket]))
            if clock > day.closes[ticket]:
                raise ValueError(f"window: crew {crew} at {ticket}")
            clock, at = clock + int(day.service[ticket]), to
        if route:
            travel += int(day.travel[at, crew])
            if clock + int(day.travel[at, crew]) > SHIFT:
                raise ValueError(f"shift: crew {crew}")
    return len(seen), int(day.weight[sorted(seen)].sum()), travel
