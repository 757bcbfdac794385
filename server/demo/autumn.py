"""The autumn before the demo opens: which households asked to be stopped, when, and how."""

from __future__ import annotations

from dataclasses import dataclass

from dispatch_core.ids import StopKind
from server.demo import chance
from server.demo.records import Household, Register
from server.demo.weather import CITY_OFFSET_S, DAY

SEASON = "2025-2026"
OPENED = 20_270
"""1 July 2025, the first day of applications: days since the epoch by the city's clock."""
DEADLINE = 20_392
"""31 October 2025."""
LASTS_TO = DEADLINE + 76
"""15 January 2026: those who went away in autumn are not back before."""
LAST_FORTNIGHT = (2, 2, 2, 2, 3, 3, 3, 4, 4, 5, 5, 6, 8, 11, 24)
"""How many come on each of the last 15 days, nine tenths of all: the last day sees 4 times the
average of them."""
STOPPED = 0.26
"""Of the flats that may be stopped, about 7 in 100 of all flats."""
VAIN = 0.011
"""Of the other flats; the policy refuses them."""
TEMPORARY, RESUMED, TOO_LATE = 0.005, 0.035, 0.004
NO_PROOF, RELATIVE = 0.03, 0.012
_SOURCES = ("app", "app", "app", "counter", "counter", "phone")


@dataclass(frozen=True, slots=True)
class Wish:
    """An application of a household; `at` and the days of a temporary stop in Unix seconds."""

    household: Household
    action: StopKind
    at: int
    source: str
    proof: bool = True
    owner: bool = True
    """Else a relative applies, whom the register does not know."""
    stop_from: int | None = None
    stop_until: int | None = None
    again_at: int | None = None
    """The same once more, with the proof."""
    withdrawn_at: int | None = None


class Autumn:
    """Who may be stopped, and who asked for it, of one register and seed."""

    def __init__(self, register: Register, seed: int) -> None:
        self._seed = seed
        owing = {a.household for a in register.accounts if a.unpaid_fen > 0}
        new = {b.id for b in register.buildings if b.warranty_until}
        self._households = register.households
        self._barred = owing
        self._new = new
        self.wishes = sorted(self._wishes(), key=lambda w: (w.at, w.household.id))

    def may_stop(self, h: Household) -> bool:
        """Whether nothing in the register stands against it."""
        return (
            h.has_valve
            and not (h.gable or h.ground or h.top)
            and h.id not in self._barred
            and h.building not in self._new
        )

    def _wishes(self) -> list[Wish]:
        made: list[Wish] = []
        for h in self._households:
            able, dice = self.may_stop(h), chance.unit(self._seed, "autumn", h.id)
            if dice < (STOPPED if able else VAIN):
                made += self._stop(h)
            elif able and dice > 1 - TOO_LATE:
                at = self._moment(h, chance.between(DEADLINE + 1, DEADLINE + 74, h.id, "late"))
                made.append(Wish(h, "suspension", at, self._source(h)))
            elif able and dice > 1 - TOO_LATE - TEMPORARY:
                made.append(self._temporary(h))
        return made

    def _stop(self, h: Household) -> list[Wish]:
        at = self._moment(h, self._day(h))
        dice = chance.unit(self._seed, "how", h.id)
        again = withdrawn = None
        if dice < NO_PROOF:
            # the same evening at the latest: the next day may be too late
            again = at + int(chance.between(0.4, 2.9, h.id, "again") * 3600)
        elif dice > 1 - RELATIVE:
            withdrawn = at + int(chance.between(3, 70, h.id, "withdrawn") * 3600)
        stop = Wish(
            h, "suspension", at, self._source(h), proof=again is None, owner=withdrawn is None,
            again_at=again, withdrawn_at=withdrawn,
        )  # fmt: skip
        stays = withdrawn is not None or not self.may_stop(h)
        if stays or chance.unit(self._seed, "back", h.id) >= RESUMED:
            return [stop]
        day = chance.between(DEADLINE + 12, DEADLINE + 74, h.id, "back")
        return [stop, Wish(h, "resume", self._moment(h, day), "counter")]

    def _temporary(self, h: Household) -> Wish:
        day = int(chance.between(DEADLINE + 6, DEADLINE + 50, h.id, "away"))
        start = (day + 4 + int(chance.unit(h.id, "start") * 14)) * DAY - CITY_OFFSET_S
        least = max(35, LASTS_TO - start // DAY)
        length = least + int(chance.unit(h.id, "length") * (89 - least))
        return Wish(
            h, "temporary_stop", self._moment(h, day), self._source(h), stop_from=start,
            stop_until=start + length * DAY,
        )  # fmt: skip

    def _day(self, h: Household) -> float:
        dice = chance.unit(self._seed, "day", h.id)
        if dice >= 0.9:
            return OPENED + (dice - 0.9) * 10 * (DEADLINE - 14 - OPENED)
        left = dice / 0.9 * sum(LAST_FORTNIGHT)
        for k, weight in enumerate(LAST_FORTNIGHT):
            left -= weight
            if left < 0:
                return DEADLINE - 14 + k
        return DEADLINE

    def _moment(self, h: Household, day: float) -> int:
        """Between half past seven and nine in the evening of a local day."""
        second = int(chance.between(7.5, 21, self._seed, "hour", h.id, int(day)) * 3600)
        return int(day) * DAY - CITY_OFFSET_S + second

    def _source(self, h: Household) -> str:
        return chance.pick(_SOURCES, self._seed, "way", h.id)
