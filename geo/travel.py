"""How long a van takes from place to place: great circle, detour, and the speed of the hour.

Only the arithmetic of IEEE doubles is used, and a sine and cosine of our own, so that every machine
computes the same seconds from the same stored model and places.
"""

from __future__ import annotations

import hashlib
from functools import cached_property
from typing import Annotated, Final, Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

Places = NDArray[np.int32]
"""Longitude and latitude in WGS-84, millionths of a degree, as int32 (n, 2)."""
Seconds = NDArray[np.int32]
"""Travel times, whole seconds."""
Source = Literal["great_circle", "roads", "osrm", "valhalla"]

MICRO: Final = 1_000_000
SLOTS: Final = 48
"""Hours 0-23 of a working day, then of a Saturday or Sunday, by the city's clock."""
LONGEST_S: Final = 7 * 86_400
"""No journey counts as longer: sums of a day's journeys stay far inside an int32."""
SLOWEST_MMPS, FASTEST_MMPS = 1_000, 40_000
DETOUR_MOST_PM, SPREAD_MOST_PM = 3_000, 4_000
UNKNOWN: Final = -1
"""Stands in a source's times for a pair without a way."""

_EARTH_M = 6_371_008.8
_RADIANS = 3.14159265358979323846 / (180 * MICRO)
_QUARTER: Final = 90 * MICRO
_ROWS: Final = 64
"""Origins taken at once: a block of the working arrays then stays in the cache."""

_Speed = Annotated[int, msgspec.Meta(ge=SLOWEST_MMPS, le=FASTEST_MMPS)]
_Spread = Annotated[int, msgspec.Meta(ge=1_000, le=SPREAD_MOST_PM)]
_Day = Annotated[tuple[int, ...], msgspec.Meta(min_length=SLOTS, max_length=SLOTS)]


class TravelModel(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Everything that a travel time follows from, beside the two places and the time of departure.

    Raises ValueError for figures that no city has.
    """

    version: int = 0
    """Rises with every change that learning makes; 0: the policy's figures alone."""
    utc_offset_s: Annotated[int, msgspec.Meta(ge=-50_400, le=50_400)] = 28_800
    detour_pm: Annotated[int, msgspec.Meta(ge=1_000, le=DETOUR_MOST_PM)] = 1_350
    """The way driven over the great circle, thousandths."""
    speed_mmps: _Day = (7_000,) * SLOTS
    """The middle speed along the way, stops at lights included, millimetres a second."""
    spread_pm: _Day = (1_400,) * SLOTS
    """What nine of ten journeys stay within, as thousandths of the middle one's time."""
    observed: _Day = (0,) * SLOTS
    """How many journeys each hour's figures have been learnt from."""

    def __post_init__(self) -> None:
        for name, low, high in (
            ("speed_mmps", SLOWEST_MMPS, FASTEST_MMPS),
            ("spread_pm", 1_000, SPREAD_MOST_PM),
            ("observed", 0, 2**31 - 1),
        ):
            day = getattr(self, name)
            if len(day) != SLOTS or not all(low <= figure <= high for figure in day):
                raise ValueError(f"{name} has {SLOTS} figures from {low} to {high}")
        if not 1_000 <= self.detour_pm <= DETOUR_MOST_PM or abs(self.utc_offset_s) > 50_400:
            raise ValueError("no such detour or offset")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the model's own JSON, hexadecimal: names it among the inputs of a decision."""
        return hashlib.sha256(msgspec.json.encode(self)).hexdigest()

    def slot(self, at: int) -> int:
        """Which of the 48 hours a time (Unix seconds) belongs to."""
        local = at + self.utc_offset_s
        weekday = (local // 86_400 + 3) % 7  # the epoch was a Thursday
        return local // 3_600 % 24 + (24 if weekday >= 5 else 0)


class Note(msgspec.Struct, frozen=True, kw_only=True):
    """Why travel times do not come from where they should."""

    wanted: Source
    since: int
    """Unix seconds, business time."""
    why: str
    """A stable code: `not_answering`, `bad_answer`, `bad_roads`, `no_library`, `bad_settings`."""
    detail: str


class RoadsUsed(msgspec.Struct, frozen=True, kw_only=True):
    """Which roads gave the times of a table, and how: enough to find them again."""

    file: str
    """SHA-256 of the road file, hexadecimal."""
    middle_mmps: int
    """The roads' own middle speed, to which the hour's is set in proportion."""
    off_road_m: int


class TravelTable(msgspec.Struct, frozen=True, kw_only=True, dict=True):
    """Travel times from n origins to m destinations, with all that they follow from.

    `stored()` is what goes among a decision's inputs: decoded again, it gives the same `seconds`,
    bit for bit.
    """

    model: TravelModel
    at: int
    """The departure that was asked for, Unix seconds."""
    source: Source
    origins: bytes
    """Places, int32 little-endian; so are the others."""
    destinations: bytes
    found: bytes = b""
    """Seconds row by row, int32 little-endian; empty: they follow from the model."""
    patched: int = 0
    """Pairs that the source knows no way for, or places off its roads: taken by great circle."""
    note: Note | None = None
    roads: RoadsUsed | None = None
    found_digest: str = ""
    """Of a slim table: SHA-256 of what was found, hexadecimal."""

    @property
    def places(self) -> tuple[Places, Places]:
        """Origins (n, 2) and destinations (m, 2)."""
        return _places_of(self.origins), _places_of(self.destinations)

    @cached_property
    def seconds(self) -> Seconds:
        """The travel times, int32 (n, m); not to be written to. Raises LookupError for a slim
        table."""
        if self.found_digest:
            raise LookupError("a slim table's times have to be found again")
        a, b = self.places
        if not self.found:
            return seconds(self.model, a, b, self.at)
        return np.frombuffer(self.found, "<i4").reshape(len(a), len(b))

    @cached_property
    def late(self) -> Seconds:
        """What nine of ten such journeys stay within, int32 (n, m)."""
        return late(self.model, self.seconds, self.at)

    def stored(self) -> TravelTable:
        """The same without what follows from the rest."""
        bare = self.source == "great_circle" and self.found
        return msgspec.structs.replace(self, found=b"") if bare else self

    def slim(self) -> TravelTable:
        """The stored form without what can be found again on the roads it names, which is most of
        its bytes."""
        if self.roads is None or not self.found:
            return self.stored()
        named = hashlib.sha256(self.found).hexdigest()
        return msgspec.structs.replace(self, found=b"", found_digest=named)

    def whole(self, times: Seconds) -> TravelTable:
        """A slim table with the times of its roads, UNKNOWN where they know no way. Raises
        ValueError when these are not the ones it had."""
        found = as_bytes(completed(times, self.model, *self.places, self.at)[0])
        if hashlib.sha256(found).hexdigest() != self.found_digest:
            raise ValueError("the roads give other times now")
        return msgspec.structs.replace(self, found=found, found_digest="")

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the stored form, hexadecimal."""
        return hashlib.sha256(msgspec.msgpack.encode(self.stored())).hexdigest()


def places(lon: NDArray[np.float64], lat: NDArray[np.float64]) -> Places:
    """Degrees in WGS-84 (n) as places. Raises ValueError for what is not on Earth."""
    if not (np.abs(lon) <= 180).all() or not (np.abs(lat) <= 90).all():  # NaN is neither
        raise ValueError("a place has a longitude within 180 and a latitude within 90 degrees")
    return np.rint(np.stack([lon, lat], axis=-1) * MICRO).astype(np.int32)


def great_circle_table(model: TravelModel, a: Places, b: Places, at: int) -> TravelTable:
    """The table that needs nothing but the model."""
    return TravelTable(
        model=model,
        at=at,
        source="great_circle",
        origins=as_bytes(a),
        destinations=as_bytes(b),
    )


def seconds(model: TravelModel, a: Places, b: Places, at: int) -> Seconds:
    """Travel times from each of `a` (n) to each of `b` (m) by great circle at a departure at `at`
    (Unix seconds), int32 (n, m), rounded up: of three places none is nearer by way of another.

    Raises ValueError for arrays of another shape.
    """
    slot = model.slot(at)
    factor = _EARTH_M * model.detour_pm / model.speed_mmps[slot]
    answer = np.empty((len(a), len(b)), np.int32)
    for start in range(0, len(a), _ROWS):
        block = _arcs(a[start : start + _ROWS], b)
        block *= factor
        np.ceil(block, out=block)
        np.minimum(block, LONGEST_S, out=block)
        answer[start : start + _ROWS] = block
    return answer


def completed(
    times: Seconds, model: TravelModel, a: Places, b: Places, at: int
) -> tuple[Seconds, int]:
    """A source's times with those by great circle where it knows no way, and for how many pairs
    that was."""
    unknown = times == UNKNOWN
    if not unknown.any():
        return times, 0
    return np.where(unknown, seconds(model, a, b, at), times), int(unknown.sum())


def between(model: TravelModel, a: tuple[int, int], b: tuple[int, int], at: int) -> int:
    """Travel time of one pair of places (millionths of a degree), seconds: the same bits as
    `seconds` gives."""
    one, other = (np.array([place], np.int32) for place in (a, b))
    return int(seconds(model, one, other, at)[0, 0])


def late(model: TravelModel, middle: Seconds, at: int) -> Seconds:
    """Times that nine of ten journeys stay within, from the middle ones; any shape."""
    slow = middle.astype(np.int64) * model.spread_pm[model.slot(at)] + 999
    return np.minimum(slow // 1_000, LONGEST_S).astype(np.int32)


def metres(a: Places, b: Places) -> NDArray[np.float64]:
    """Great-circle distances from each of `a` (n) to each of `b` (m) on the mean sphere, metres
    (n, m): within 0.1 % of the haversine's up to 3,000 km, too short beyond."""
    answer = np.empty((len(a), len(b)))
    for start in range(0, len(a), _ROWS):
        answer[start : start + _ROWS] = _arcs(a[start : start + _ROWS], b)
    answer *= _EARTH_M
    return answer


def metres_along(places_in_order: Places) -> NDArray[np.float64]:
    """Great-circle lengths of the n - 1 steps between n places, metres."""
    x = _unit(places_in_order)
    squared = np.zeros(max(0, len(places_in_order) - 1))
    for axis in x:
        step = np.diff(axis)
        squared += step * step
    return _arc_of(squared) * _EARTH_M


def as_bytes(array: NDArray[np.int32]) -> bytes:
    """Little-endian, row by row."""
    return np.ascontiguousarray(array, "<i4").tobytes()


def _places_of(raw: bytes) -> Places:
    return np.frombuffer(raw, "<i4").reshape(-1, 2)


def _arcs(a: Places, b: Places) -> NDArray[np.float64]:
    """Angles between places in radians, from the chords between points of the unit sphere."""
    ends = zip(_unit(a), _unit(b), strict=True)
    x, other = next(ends)
    squared = x[:, None] - other
    squared *= squared
    for x, other in ends:
        step = x[:, None] - other
        step *= step
        squared += step
    return _arc_of(squared)


def _arc_of(squared: NDArray[np.float64]) -> NDArray[np.float64]:
    """2 asin(chord / 2) from the square of the chord by its series; `squared` is used up."""
    chord = np.sqrt(squared)
    stretch = squared * (5.0 / 7168.0)
    stretch += 3.0 / 640.0
    stretch *= squared
    stretch += 1.0 / 24.0
    stretch *= squared
    stretch += 1.0
    stretch *= chord
    return stretch


def _unit(where: Places) -> tuple[NDArray[np.float64], ...]:
    """Points of the unit sphere, three arrays (n). Raises ValueError for another shape."""
    if where.ndim != 2 or where.shape[1] != 2 or where.dtype.kind not in "iu":
        raise ValueError("places are whole numbers in two columns, longitude and latitude")
    sin_lon, cos_lon = _sincos(where[:, 0])
    sin_lat, cos_lat = _sincos(where[:, 1])
    return cos_lat * cos_lon, cos_lat * sin_lon, sin_lat


def _sincos(angle: NDArray[np.int32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Sine and cosine of millionths of a degree: Taylor's series within 45 degrees of the nearest
    quarter turn, 2e-16 off."""
    whole = angle.astype(np.int64)
    turns = (whole + _QUARTER // 2) // _QUARTER
    u = (whole - turns * _QUARTER) * _RADIANS
    q = u * u
    s, c = np.full(len(u), _SIN[0]), np.full(len(u), _COS[0])
    for term in _SIN[1:]:
        s = s * q + term
    for term in _COS[1:]:
        c = c * q + term
    s *= u
    quarter = turns & 3
    sine = np.choose(quarter, (s, c, -s, -c))
    cosine = np.choose(quarter, (c, -s, -c, s))
    return sine, cosine


_SIN: Final = (
    -1.0 / 1307674368000.0, 1.0 / 6227020800.0, -1.0 / 39916800.0, 1.0 / 362880.0,
    -1.0 / 5040.0, 1.0 / 120.0, -1.0 / 6.0, 1.0,
)  # fmt: skip
_COS: Final = (
    1.0 / 20922789888000.0, -1.0 / 87178291200.0, 1.0 / 479001600.0, -1.0 / 3628800.0,
    1.0 / 40320.0, -1.0 / 720.0, 1.0 / 24.0, -0.5, 1.0,
)  # fmt: skip
