"""Which crew may do which task, how long the way is, and (ext.matching) who takes what.

Rules: `broken` is uint32 (J, K), one row per task, one column per crew; each function sets the
bit(s) `mark` where its rule is broken and leaves the others. What a bit means is the caller's.
Empty arrays (no task, no crew) are fine everywhere. Every function raises ValueError for arrays
whose lengths do not fit together.
"""

import numpy as np
from numpy.typing import NDArray

from ext.matching import UNMATCHED as UNMATCHED
from ext.matching import assign as assign
from ext.matching import bound as bound

_U32 = NDArray[np.uint32]
_U64 = NDArray[np.uint64]
_I32 = NDArray[np.int32]

def lacks_any(broken: _U32, mark: int, needed: _U64, has: _U64) -> None:
    """Broken where a crew (`has`, bits, K) lacks one of the bits a task needs (`needed`, J):
    skills, certificates, trades, vehicle, tools."""

def shares_none(broken: _U32, mark: int, allowed: _U64, has: _U64) -> None:
    """Broken where task (J) and crew (K) have no bit in common: territories, classes of vehicle. A
    task with no bit at all allows everyone."""

def below(broken: _U32, mark: int, least: _I32, has: _I32) -> None:
    """Broken where a crew's figure (K) is below what a task asks for (J): level, members."""

def misses(
    broken: _U32, mark: int, begins: _I32, ends: _I32, starts: _I32, stops: _I32, least: _I32
) -> None:
    """Broken where the task's window [begins, ends) and the crew's shift [starts, stops) overlap
    for less than `least` (J, seconds; never below 1): shift, appointment, home visits. A crew
    whose shift ends before it starts misses every window."""

def short_of(broken: _U32, mark: int, needed: _I32, carried: _I32) -> None:
    """Broken where a van (`carried`, (K, P)) holds fewer of a part than `needed` (J, P)."""

def excluded(broken: _U32, mark: int, crews: NDArray[np.bool_]) -> None:
    """Broken for every task where `crews` (K) is true: position lost, off duty, van in the shop."""

def pack(broken: _U32, ignored: int = 0) -> _U64:
    """Eligibility bitsets uint64 (J, ceil(K / 64)): bit k % 64 of word k // 64 is set where crew k
    breaks no rule but the `ignored` ones."""

def travel_seconds(
    origins: _I32,
    destinations: _I32,
    speed_mmps: _I32,
    detour_pm: int,
    out: _I32 | None = None,
) -> _I32:
    """Seconds of travel int32 (n, m) by great circle x detour / speed, rounded up.

    `origins` (n, 2) and `destinations` (m, 2) are longitude and latitude in millionths of a degree
    (WGS-84, as geo.travel has them), `speed_mmps` (n) the speed of each origin's crew at its hour
    in millimetres a second (100 to 1,000,000), `detour_pm` the way driven over the great circle in
    thousandths (1 to 10,000). The same bits on every machine, for one pair as in a matrix, there as
    back; within 0.1 % of the haversine up to 5,000 km, too short beyond; at most seven days. `out`
    (n, m) is filled and returned if given. Raises ValueError for a place that is not on Earth, and
    for a speed or a detour out of range.
    """

def micro_degrees(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> _I32:
    """Degrees as places int32 (n, 2). Raises ValueError for NaN and for what is not on Earth."""
