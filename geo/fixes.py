"""What a crew's fixes are worth, one by one: a list of filters, a verdict for each, nothing thrown
away; late and disordered ones are judged in their own place of the track.

The list is shaped after Traccar's chain of position handlers (org.traccar.handler, FilterHandler),
with a verdict where Traccar drops the fix.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Sequence
from math import cos, hypot, radians
from typing import Final, Literal, NamedTuple

import msgspec
import numpy as np

from geo.gcj02 import gcj02_of_wgs84

FixVerdict = Literal[
    "ok", "late", "repeated", "inaccurate", "zero_accuracy", "too_fast", "outlier",
    "datum_suspect", "clock_skew",
]  # fmt: skip
BELIEVED: Final[frozenset[FixVerdict]] = frozenset({"ok", "late", "repeated"})
"""These say where the crew was. A repeated fix does, too: a phone that lies still may send its
cached place; that it proves nothing is for the check-in to say."""
JUMPS: Final[frozenset[FixVerdict]] = frozenset({"too_fast", "outlier", "datum_suspect"})
"""A fix that does not go with the ones around it."""

SPIKE_M: Final = 150.0
SPIKE_MPS: Final = 15.0
"""Out and back again, both ways this far and this fast, is no van's way."""
SPIKE_MS: Final = 360_000
M_PER_DEGREE: Final = 111_195.0
"""On the sphere of the mean radius: within 0.6 % of the ellipsoid, far below what a fix knows."""


class Fix(NamedTuple):
    """One fix as it came, WGS-84 degrees as far as its sender knows."""

    at_ms: int
    """By the phone's clock, Unix milliseconds."""
    lon: float
    lat: float
    accuracy_m: float
    speed_mps: float | None = None
    """Said by the phone."""


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """What the filters measure against."""

    accuracy_most_m: float
    speed_most_mps: float
    skew_most_s: int
    repeated_most: int
    """So many fixes equal to the last digit are no receiver's work."""
    anchor_after: int
    """So many jumps in a row that go with each other are where the crew is."""
    datum_m: float
    """A jump that ends so near where the crew was, were it GCJ-02, is one."""


class Track(NamedTuple):
    """What is known around a fix while it is judged."""

    heard_ms: int
    """When it arrived, by the server's clock."""
    before: Fix | None
    """The newest believed one that was taken no later."""
    after: Fix | None
    """The oldest one that was taken later and believed when it came, before this one."""
    following: Fix | None
    """The next one whatever it is worth, among those that came before or with it."""
    newest_ms: int | None
    """The newest believed one that came before."""
    equals: int
    """So many fixes right before it are equal to the last digit."""
    again: bool
    """The very same one came before."""


Filter = Callable[[Fix, Track, Limits], FixVerdict | None]


def apart_m(a: Fix, b: Fix) -> float:
    """Metres between two fixes of one city."""
    east = ((a.lon - b.lon + 180.0) % 360.0 - 180.0) * cos(radians((a.lat + b.lat) / 2))
    return hypot(east, a.lat - b.lat) * M_PER_DEGREE


def pace_mps(a: Fix, b: Fix) -> float:
    """The least speed from one fix to the other, as wrong as both may be; clocks count whole
    seconds."""
    way = max(0.0, apart_m(a, b) - a.accuracy_m - b.accuracy_m)
    return way * 1000.0 / max(1000, abs(a.at_ms - b.at_ms))


def clock_skew(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """Taken after it arrived: the phone's clock is ahead."""
    ahead_ms = fix.at_ms - track.heard_ms
    return "clock_skew" if ahead_ms > limits.skew_most_s * 1000 else None


def zero_accuracy(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """No receiver knows its place to the millimetre; some makers of places say so."""
    del track, limits
    return "zero_accuracy" if fix.accuracy_m <= 0 else None


def inaccurate(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """As wrong as a whole block, by its own word."""
    del track
    return None if fix.accuracy_m <= limits.accuracy_most_m else "inaccurate"


def says_too_fast(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """By the phone's own word faster than a van is."""
    del track
    fast = fix.speed_mps is not None and fix.speed_mps > limits.speed_most_mps
    return "too_fast" if fast else None


def too_fast(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """Not to be reached from the fix before, or the one after not from it."""
    for other in (track.before, track.after):
        if other is not None and pace_mps(other, fix) > limits.speed_most_mps:
            near = other is track.before and _near_as_gcj02(other, fix, limits)
            return "datum_suspect" if near else "too_fast"
    return None


def outlier(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """Far off to one side, and right back again."""
    before, following = track.before, track.following
    if before is None or following is None or following.at_ms - before.at_ms > SPIKE_MS:
        return None
    way, back = apart_m(before, fix), apart_m(fix, following)
    spike = (
        min(way, back) >= SPIKE_M + fix.accuracy_m
        and apart_m(before, following) * 5 <= way + back
        and min(pace_mps(before, fix), pace_mps(fix, following)) > SPIKE_MPS
    )
    if not spike:
        return None
    return "datum_suspect" if _near_as_gcj02(before, fix, limits) else "outlier"


def repeated(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """Equal to the last digit once too often: cached or made."""
    del fix
    often = track.equals + 1 >= limits.repeated_most
    return "repeated" if often or track.again else None


def late(fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    """Taken before one that is known already; it moves nothing, and stands in its place."""
    del limits
    known = track.newest_ms
    return "late" if known is not None and fix.at_ms < known else None


ALONE: Final[tuple[Filter, ...]] = (clock_skew, zero_accuracy, inaccurate, says_too_fast)
"""What a fix says of itself."""
AMONG: Final[tuple[Filter, ...]] = (too_fast, outlier)
"""What the fixes around it say; enough jumps that agree overrule these."""
BESIDES: Final[tuple[Filter, ...]] = (repeated, late)
"""What is to be known of a fix that is believed."""


def judged(
    known: Sequence[tuple[Fix, FixVerdict]], new: Sequence[Fix], heard_ms: int, limits: Limits
) -> list[FixVerdict]:
    """A verdict for each of `new`, one crew's fixes in any order, by all of them and the ones
    `known` before, in any order, with their verdicts; known ones are not judged again."""
    walk = _Walk(known, new, heard_ms, limits)
    verdicts: dict[int, FixVerdict] = {}
    for fix, verdict, i in walk.entries:
        if verdict is None:
            verdict = verdicts[i] = walk.judge(fix, i)  # noqa: PLW2901
        walk.step(fix, verdict)
    return [verdicts[i] for i in range(len(new))]


class _Walk:
    """Along all fixes of a crew in order of time."""

    def __init__(
        self,
        known: Sequence[tuple[Fix, FixVerdict]],
        new: Sequence[Fix],
        heard_ms: int,
        limits: Limits,
    ) -> None:
        self._limits = limits
        self._alone = Track(heard_ms, None, None, None, None, 0, again=False)
        self._own = [_first(ALONE, fix, self._alone, limits) for fix in new]
        self.entries: list[tuple[Fix, FixVerdict | None, int]] = sorted(
            [(fix, verdict, -1) for fix, verdict in known]
            + [(fix, None, i) for i, fix in enumerate(new)],
            key=lambda entry: (entry[0].at_ms, entry[2]),
        )
        self._firm = sorted((f for f, v in known if v in BELIEVED), key=_taken)
        self._sane = [fix for fix, verdict, i in self.entries if self._is_sane(verdict, i)]
        self._before: Fix | None = None
        self._last: Fix | None = None
        self._equals = 0
        self._jumps: list[Fix] = []

    def _is_sane(self, verdict: FixVerdict | None, i: int) -> bool:
        return self._own[i] is None if verdict is None else verdict in BELIEVED | JUMPS

    def judge(self, fix: Fix, i: int) -> FixVerdict:
        """The verdict on the new fix at hand."""
        around = self._around(fix)
        if (verdict := self._own[i]) is not None:
            return verdict
        jump = _first(AMONG, fix, around, self._limits)
        if jump is not None and not self._agree(fix):
            return jump
        return _first(BESIDES, fix, around, self._limits) or "ok"

    def step(self, fix: Fix, verdict: FixVerdict) -> None:
        """Go on behind a fix."""
        same = self._last is not None and _same_place(self._last, fix)
        self._equals, self._last = (self._equals + 1 if same else 0), fix
        if verdict in BELIEVED:
            self._before, self._jumps = fix, []
        elif verdict in JUMPS and says_too_fast(fix, self._alone, self._limits) is None:
            goes_on = self._jumps and self._in_reach(self._jumps[-1], fix)
            self._jumps = [*self._jumps, fix] if goes_on else [fix]

    def _around(self, fix: Fix) -> Track:
        last = self._last
        same = last is not None and _same_place(last, fix)
        return Track(
            heard_ms=self._alone.heard_ms,
            before=self._before,
            after=_behind(self._firm, fix),
            following=_behind(self._sane, fix),
            newest_ms=self._firm[-1].at_ms if self._firm else None,
            equals=self._equals + 1 if same else 0,
            again=same and last is not None and last.at_ms == fix.at_ms,
        )

    def _agree(self, fix: Fix) -> bool:
        """Whether with this one there are enough jumps in a row, each in reach of the one before:
        the crew is where it says, again and again."""
        row = len(self._jumps) + 1 >= self._limits.anchor_after
        return row and (not self._jumps or self._in_reach(self._jumps[-1], fix))

    def _in_reach(self, a: Fix, b: Fix) -> bool:
        return pace_mps(a, b) <= self._limits.speed_most_mps


def repeats(track: Sequence[Fix], fix: Fix) -> int:
    """How many of the latest fixes up to `fix`, itself among them, are equal to the last digit.
    `track` in order of time, none later."""
    count = 1
    for other in reversed(track):
        if not _same_place(other, fix):
            break
        count += 1
    return count


def _first(filters: Sequence[Filter], fix: Fix, track: Track, limits: Limits) -> FixVerdict | None:
    for each in filters:
        if (verdict := each(fix, track, limits)) is not None:
            return verdict
    return None


def _taken(fix: Fix) -> int:
    return fix.at_ms


def _behind(track: Sequence[Fix], fix: Fix) -> Fix | None:
    """The first that was taken later, of some in order of time."""
    at = bisect_right(track, fix.at_ms, key=_taken)
    return track[at] if at < len(track) else None


def _same_place(a: Fix, b: Fix) -> bool:
    return (a.lon, a.lat) == (b.lon, b.lat)


def _near_as_gcj02(place: Fix, fix: Fix, limits: Limits) -> bool:
    """Whether the fix is where the place is drawn in GCJ-02: the way there is free to use, and
    nothing has to be inverted."""
    lon, lat = gcj02_of_wgs84(np.array([place.lon]), np.array([place.lat]))
    drawn = place._replace(lon=float(lon[0]), lat=float(lat[0]))
    return apart_m(drawn, fix) <= limits.datum_m + fix.accuracy_m + place.accuracy_m
