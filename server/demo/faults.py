"""One substation fault a day: which, when, how deep the supply falls and how fast rooms follow."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from server.demo import chance
from server.demo.records import Register
from server.demo.weather import CITY_OFFSET_S, DAY, local

FIRST_DAY = 20_467
"""14 January 2026, the day the demo opens on: days since the epoch by the city's clock."""
FIRST_FAULT_HOUR = 5.5
RAMP_S = 2400.0


@dataclass(frozen=True, slots=True)
class Fault:
    """A circulation pump trips at `start`; the pump runs again at `end`. Unix seconds."""

    day: int
    substation: str
    start: float
    end: float

    @property
    def ticket_at(self) -> float:
        """When the control room raises the red ticket."""
        return self.start + 78 * 60

    @property
    def outage_at(self) -> float:
        """When the outage is entered by hand."""
        return self.start + 84 * 60

    @property
    def outage_end_at(self) -> float:
        """When it is ended by hand, after the supply is back."""
        return self.end + 25 * 60

    def depth(self, at: float) -> float:
        """How much of the circulation is missing, 0 to 1."""
        if at < self.start:
            return 0.0
        if at < self.end:
            return min(1.0, (at - self.start) / RAMP_S)
        return max(0.0, min(1.0, (self.end - self.start) / RAMP_S) - (at - self.end) / RAMP_S)

    def chill(self, at: float, tau_s: float) -> float:
        """How far a room has cooled towards unheated, 0 to 1: a first-order lag of `tau_s` s."""
        begin = self.start + RAMP_S / 2
        if at <= begin:
            return 0.0
        reached = 1 - math.exp(-(min(at, self.end) - begin) / tau_s)
        return reached * math.exp(-max(0.0, at - self.end) / (0.6 * tau_s))


class Faults:
    """The faults of every day of one register and seed."""

    def __init__(self, register: Register, seed: int) -> None:
        count: dict[str, int] = {}
        for b in register.buildings:
            count[b.substation] = count.get(b.substation, 0) + 1
        # a middling substation: large enough to show, not the largest
        order = sorted(count, key=lambda s: (-count[s], s))
        self._able: Sequence[str] = order[
            len(order) // 6 : max(len(order) // 6 + 1, len(order) // 2)
        ]
        self._seed = seed

    def of_day(self, day: int) -> Fault:
        """The fault that starts on a local day (days since the epoch)."""
        name = (self._seed, "fault", day)
        hour = FIRST_FAULT_HOUR if day == FIRST_DAY else chance.between(5, 20, *name, "hour")
        lasts = 4.4 * 3600 if day == FIRST_DAY else chance.between(2.5, 5, *name, "lasts") * 3600
        start = day * DAY - CITY_OFFSET_S + hour * 3600
        return Fault(day, chance.pick(self._able, *name, "where"), start, start + lasts)

    def around(self, at: float) -> list[Fault]:
        """Today's fault and yesterday's."""
        day, _ = local(at)
        return [self.of_day(day - 1), self.of_day(day)]
