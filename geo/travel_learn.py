"""Speeds and detours learnt from the fixes of crews: quality first, then journeys, then histograms
that add up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import isqrt

import msgspec
import numpy as np
from numpy.typing import NDArray

from geo.travel import (
    DETOUR_MOST_PM,
    FASTEST_MMPS,
    MICRO,
    SLOTS,
    SLOWEST_MMPS,
    SPREAD_MOST_PM,
    Places,
    TravelModel,
    metres,
    metres_along,
)

SPEED_BIN_MMPS, SPEED_BINS = 250, 160
DETOUR_BIN_PM, DETOUR_BINS = 20, 100
"""Detours count from 1,000 thousandths on."""

ACCURATE_M = 50.0
CITY_M = 150_000.0
"""A crew's fix farther from the middle of its city is none."""
AHEAD_S = 60
"""A fix cannot be later than its arrival by more than this: the phone's clock is wrong."""
STEP_S = 20
"""One fix is taken in so many seconds, so that the jitter of a standing phone stays slow."""
GAP_S = 180
"""A crew unheard for longer was on another journey, for all that is known."""
STOP_S = 180
"""Standing this long ends a journey; shorter it is a light or a queue, which journeys have."""
STANDING_MPS = 1.0
SPIKE_M = 150.0
"""A fix off to one side by this much, between two that lie together, is another datum or a wall's
reflection."""
JOURNEY_M, JOURNEY_S = 400.0, 60
WHOLE_M = 500.0
"""Great circle from which on a journey tells of detours."""

WIDE_PM = 1_200
"""The longest tenth of detours over the middle one before any were seen, thousandths."""

Counts = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Fixes:
    """Fixes of many crews, in any order; all arrays have one length."""

    crew: NDArray[np.int64]
    at: NDArray[np.int64]
    """When they were taken, by the phones, Unix seconds."""
    heard_at: NDArray[np.int64]
    """When they arrived."""
    lon: NDArray[np.float64]
    lat: NDArray[np.float64]
    """Degrees, said to be WGS-84."""
    accuracy_m: NDArray[np.float64]
    datum: NDArray[np.int64]
    """A number for each datum that phones sent; a change within a journey ends it."""

    def at_places(self, which: Flags | NDArray[np.int64]) -> Fixes:
        """Some of them."""
        return Fixes(*(getattr(self, name)[which] for name in self.__slots__))


@dataclass(frozen=True, slots=True)
class Learnt:
    """What some fixes told: counts of journeys by speed and by detour, and of fixes left out."""

    speeds: Counts
    detours: Counts
    left_out: dict[str, int] = field(default_factory=dict)

    @property
    def journeys(self) -> int:
        """How many speeds were seen."""
        return int(self.speeds.sum())


def journeys(fixes: Fixes, centre: tuple[float, float] | None) -> Learnt:
    """The journeys within these fixes, one hour's or a few minutes'; a journey cut by either end
    tells its speed but no detour. `centre` is the city's longitude and latitude, None: the middle
    of the fixes. Bad fixes are counted by what is wrong with them, never refused."""
    left_out: dict[str, int] = {}
    good = _good(fixes, centre, left_out)
    legs = _Legs.between(_without_spikes(good, left_out), left_out)
    speeds, detours = np.zeros(SPEED_BINS, np.int64), np.zeros(DETOUR_BINS, np.int64)
    for first, last, whole in legs.journeys():
        path = float(legs.metres[first : last + 1].sum())
        took = int(legs.took[first : last + 1].sum())
        if path < JOURNEY_M or took < JOURNEY_S:
            continue
        speeds[min(SPEED_BINS - 1, int(path * 1_000 / took) // SPEED_BIN_MMPS)] += 1
        ends = legs.places[[first, last + 1]]
        apart = float(metres(ends[:1], ends[1:])[0, 0])
        if whole and apart >= WHOLE_M:
            index = int(path / apart * 1_000 - 1_000) // DETOUR_BIN_PM
            if 0 <= index < DETOUR_BINS:
                detours[index] += 1
    return Learnt(speeds, detours, left_out)


def _good(fixes: Fixes, centre: tuple[float, float] | None, left_out: dict[str, int]) -> Fixes:
    def keep(which: Flags, why: str) -> None:
        nonlocal fixes
        if n := int((~which).sum()):
            left_out[why] = left_out.get(why, 0) + n
            fixes = fixes.at_places(which)

    keep((np.abs(fixes.lon) <= 180) & (np.abs(fixes.lat) <= 180), "off_the_earth")  # NaN is neither
    keep(fixes.accuracy_m <= ACCURATE_M, "inaccurate")
    keep(fixes.at <= fixes.heard_at + AHEAD_S, "clock_ahead")
    if len(fixes.at):
        lon, lat = centre or (float(np.median(fixes.lon)), float(np.median(fixes.lat)))
        keep(
            ~_near(fixes.lat, fixes.lon, lon, lat) | _near(fixes.lon, fixes.lat, lon, lat),
            "swapped",
        )
        keep(_near(fixes.lon, fixes.lat, lon, lat), "far_away")
    order = np.lexsort((fixes.at, fixes.crew))
    fixes = fixes.at_places(order)
    same = (np.diff(fixes.crew) == 0) & (np.diff(fixes.at) == 0)
    keep(np.concatenate([[True], ~same])[: len(fixes.at)], "duplicate")
    step = fixes.at // STEP_S
    thin = (np.diff(fixes.crew) == 0) & (np.diff(step) == 0)
    return fixes.at_places(np.concatenate([[True], ~thin])[: len(step)])


def _near(
    lon: NDArray[np.float64], lat: NDArray[np.float64], at_lon: float, at_lat: float
) -> Flags:
    """Whether places lie within CITY_M of one, on a plane of its latitude."""
    north = (lat - at_lat) * 111_195.0
    east = (lon - at_lon) * 111_195.0 * np.cos(np.radians(at_lat))
    return np.asarray(np.hypot(north, east) <= CITY_M)


def _without_spikes(fixes: Fixes, left_out: dict[str, int]) -> Fixes:
    if len(fixes.at) < 3:
        return fixes
    leg = metres_along(_places(fixes))
    before, after = leg[:-1], leg[1:]
    around = metres_along(_places(fixes)[::2]), metres_along(_places(fixes)[1::2])
    across = np.empty(len(leg) - 1)
    across[::2], across[1::2] = around
    one_crew = (fixes.crew[:-2] == fixes.crew[2:]) & (fixes.at[2:] - fixes.at[:-2] <= 2 * GAP_S)
    spike = one_crew & (np.minimum(before, after) >= SPIKE_M) & (across * 5 <= before + after)
    if not spike.any():
        return fixes
    left_out["jump"] = left_out.get("jump", 0) + int(spike.sum())
    return fixes.at_places(~np.concatenate([[False], spike, [False]]))


@dataclass(frozen=True, slots=True)
class _Legs:
    """The n - 1 steps between n fixes in order of crew and time."""

    places: Places
    metres: NDArray[np.float64]
    took: NDArray[np.int64]
    broken: Flags
    """No step of one journey: another crew, too long a silence, a jump, another datum."""

    @classmethod
    def between(cls, fixes: Fixes, left_out: dict[str, int]) -> _Legs:
        where = _places(fixes)
        length, took = metres_along(where), np.diff(fixes.at)
        one_crew = np.diff(fixes.crew) == 0
        joined = one_crew & (took <= GAP_S)
        jump = joined & (length * 1_000 > took * FASTEST_MMPS)
        other = joined & (np.diff(fixes.datum) != 0)
        for why, found in (("jump", jump), ("datum_changed", other & ~jump)):
            if found.any():
                left_out[why] = left_out.get(why, 0) + int(found.sum())
        return cls(where, length, took, ~joined | jump | other)

    def journeys(self) -> list[tuple[int, int, bool]]:
        """First and last leg of each journey, and whether the crew was seen to stand before it and
        after it."""
        n = len(self.took)
        slow = ~self.broken & (self.metres < STANDING_MPS * self.took)
        ends = self.broken.copy()
        stopped = np.zeros(n, bool)
        for first, last in _runs(slow):
            if self.took[first : last + 1].sum() >= STOP_S:
                ends[first : last + 1] = stopped[first : last + 1] = True
        found = []
        for first, last in _runs(~ends):
            moving = np.flatnonzero(~slow[first : last + 1])
            if not len(moving):
                continue
            whole = first > 0 and stopped[first - 1] and last + 1 < n and stopped[last + 1]
            found.append((first + int(moving[0]), first + int(moving[-1]), bool(whole)))
        return found


def _places(fixes: Fixes) -> Places:
    return np.rint(np.stack([fixes.lon, fixes.lat], axis=-1) * MICRO).astype(np.int32)


def _runs(flags: Flags) -> list[tuple[int, int]]:
    """First and last index of each stretch of true ones."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b) - 1) for a, b in zip(edges[::2], edges[1::2], strict=True)]


def learnt_model(
    prior: TravelModel, prior_journeys: int, speeds: Counts, detours: Counts, version: int
) -> TravelModel:
    """The model that follows from the counts of all hours: `speeds` (48, SPEED_BINS), `detours`
    (DETOUR_BINS). The prior weighs as much as `prior_journeys` journeys in every hour, so that one
    crew's bad day moves little; medians, so that no single journey moves much.

    The spread is what nine of ten journeys between two places stay within: the middle speed over
    that of the slowest tenth, and the longest tenth of detours over the middle one, as two errors
    that know nothing of each other.
    """
    wide, whole = WIDE_PM, int(detours.sum())
    if whole:
        half, most = (_quantile(detours, 1_000, DETOUR_BIN_PM, part, 10) for part in (5, 9))
        wide = _mixed(wide, prior_journeys, most * 1_000 // half, whole)
    speed, spread, seen = [], [], []
    for slot in range(SLOTS):
        n = int(speeds[slot].sum())
        middle, slow = prior.speed_mmps[slot], prior.spread_pm[slot]
        if n:
            half = _quantile(speeds[slot], 0, SPEED_BIN_MMPS, 1, 2)
            tenth = max(1, _quantile(speeds[slot], 0, SPEED_BIN_MMPS, 1, 10))
            middle = _mixed(middle, prior_journeys, half, n)
            apart = half * 1_000 // tenth
            both = 1_000 + isqrt((apart - 1_000) ** 2 + (wide - 1_000) ** 2)
            slow = _mixed(slow, prior_journeys, both, n)
        speed.append(min(FASTEST_MMPS, max(SLOWEST_MMPS, middle)))
        spread.append(min(SPREAD_MOST_PM, max(1_000, slow)))
        seen.append(min(n, 2**31 - 1))
    detour = prior.detour_pm
    if whole:
        middle = _quantile(detours, 1_000, DETOUR_BIN_PM, 1, 2)
        detour = _mixed(detour, prior_journeys, middle, whole)
    return msgspec.structs.replace(
        prior,
        version=version,
        detour_pm=min(DETOUR_MOST_PM, max(1_000, detour)),
        speed_mmps=tuple(speed),
        spread_pm=tuple(spread),
        observed=tuple(seen),
    )


def _mixed(prior: int, weight: int, found: int, n: int) -> int:
    return (prior * weight + found * n + (weight + n) // 2) // (weight + n)


def _quantile(counts: Sequence[int] | Counts, low: int, width: int, part: int, of: int) -> int:
    """The part/of quantile of a histogram whose first bin begins at `low`, evenly within a bin."""
    wanted = int(sum(int(n) for n in counts)) * part
    below = 0
    for index, n in enumerate(int(n) for n in counts):
        if n and (below + n) * of >= wanted:
            return low + index * width + width * (wanted - below * of) // (n * of)
        below += n
    return low + len(counts) * width
