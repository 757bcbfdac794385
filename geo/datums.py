"""Coordinates with their datum, and the one way to WGS-84; a datum that cannot be trusted is
refused, not guessed.

A fix in the wrong datum is wrong by hundreds of metres, which defeats every fence and every nearest
crew.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

SAME_AS_WGS84: Final = frozenset({"wgs84", "cgcs2000", "epsg:4326", "epsg:4490"})
"""WGS-84, and CGCS2000 in degrees: the two differ by less than a decimetre."""
NOT_ENABLED: Final = frozenset({"gcj02", "bd09"})
"""Datums of Chinese map vendors, 400-670 m off (BD-09 more)."""


@dataclass(frozen=True, slots=True)
class Coordinate:
    """Degrees east and north in the named datum."""

    lon: float
    lat: float
    datum: str


@dataclass(frozen=True, slots=True)
class Point:
    """Degrees east and north in WGS-84."""

    lon: float
    lat: float


class DatumRefused(ValueError):  # noqa: N818 - reads as a verdict, like the core's Refused
    """A coordinate that is not taken in.

    `code` is `datum_not_enabled`, `datum_unknown` or `coordinate_out_of_range`; `detail` says in
    one sentence why and what to send instead.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail


def to_wgs84(coordinate: Coordinate) -> Point:
    """The coordinate in WGS-84. Datum names are taken in any case and with or without `-`, `_` and
    blanks.

    Raises DatumRefused for a datum that is not accepted, and for a longitude beyond +-180, a
    latitude beyond +-90, or one that is no finite number.
    """
    datum = coordinate.datum.lower().translate(_WITHOUT_MARKS)
    if datum in NOT_ENABLED:
        raise DatumRefused(
            "datum_not_enabled",
            f"Coordinates in {coordinate.datum} are not accepted by this installation; "
            "send WGS-84 or CGCS2000 degrees.",
        )
    if datum not in SAME_AS_WGS84:
        raise DatumRefused(
            "datum_unknown",
            f"{coordinate.datum!r} is no known datum; name it wgs84 or cgcs2000, in degrees.",
        )
    lon, lat = coordinate.lon, coordinate.lat
    if not (isfinite(lon) and isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise DatumRefused(
            "coordinate_out_of_range",
            f"Longitude {lon} and latitude {lat} are no place on Earth; "
            "send degrees, lon -180..180 and lat -90..90.",
        )
    return Point(lon, lat)


_WITHOUT_MARKS: Final = str.maketrans("", "", "-_ ")
