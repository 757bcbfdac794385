"""Coordinates with their datum, and the one way to WGS-84; a datum that cannot be trusted is
refused, not guessed.

A fix in the wrong datum is wrong by hundreds of metres, which defeats every fence and every nearest
crew.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Final

import numpy as np

from geo import cgcs2000, gcj02

SAME_AS_WGS84: Final = frozenset({"wgs84", "cgcs2000", "epsg:4326", "epsg:4490"})
"""WGS-84, and CGCS2000 in degrees: the two differ by less than a decimetre."""
VENDORS: Final = {"gcj02": gcj02.wgs84_of_gcj02, "bd09": gcj02.wgs84_of_bd09}
"""Datums of Chinese map vendors, 400-670 m off (BD-09 more)."""
GCJ02_NOTE: Final = "Inverting GCJ-02 may be restricted in mainland China."
"""The legal note that stands wherever the option is spoken of."""


@dataclass(frozen=True, slots=True)
class Coordinate:
    """Degrees east and north in the named datum; metres east and north where the datum is a zone of
    CGCS2000."""

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

    `code` is `datum_missing`, `datum_unknown`, `datum_not_enabled` or `coordinate_out_of_range`;
    `detail` says in one sentence why, `what_to_do` what to send instead.
    """

    def __init__(self, code: str, detail: str, what_to_do: str) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.what_to_do = what_to_do


@dataclass(frozen=True, slots=True)
class Datums:
    """The datums that an installation takes in."""

    gcj02_enabled: bool = False
    """GCJ-02 and BD-09 too. The installer's choice, because of GCJ02_NOTE."""

    def to_wgs84(self, coordinate: Coordinate) -> Point:
        """The coordinate in WGS-84. Datum names are taken in any case and with or without `-`, `_`
        and blanks; a zone of CGCS2000 is `epsg:` and its number.

        Raises DatumRefused for a datum that is not accepted, and for a longitude beyond +-180, a
        latitude beyond +-90, metres outside their zone, or what is no finite number.
        """
        name = coordinate.datum.lower().translate(_WITHOUT_MARKS)
        if name in SAME_AS_WGS84:
            return _on_earth(coordinate)
        if (zone := _zone(name)) is not None:
            try:
                lon, lat = cgcs2000.degrees_of(zone, coordinate.lon, coordinate.lat)
            except ValueError as error:
                raise DatumRefused(
                    "coordinate_out_of_range",
                    str(error),
                    "Send easting as lon and northing as lat, in metres, with the zone's number.",
                ) from None
            return Point(lon, lat)
        if name in VENDORS:
            if not self.gcj02_enabled:
                raise DatumRefused(
                    "datum_not_enabled",
                    f"Coordinates in {coordinate.datum[:40]} are not accepted by this installation."
                    f" {GCJ02_NOTE}",
                    "Send wgs84 or cgcs2000; or the installer sets HEATOPS_GCJ02=1.",
                )
            return _unshifted(name, _on_earth(coordinate))
        if not name:
            raise DatumRefused("datum_missing", "The coordinate has no datum.", self._choice())
        raise DatumRefused(
            "datum_unknown", f"{coordinate.datum[:40]!r} is no known datum.", self._choice()
        )

    def _choice(self) -> str:
        vendors = ", gcj02, bd09" if self.gcj02_enabled else ""
        return (
            f"Name it wgs84 or cgcs2000{vendors}, in degrees;"
            " or a zone of CGCS2000 as epsg:4491 to epsg:4554, in metres."
        )


def _on_earth(coordinate: Coordinate) -> Point:
    lon, lat = coordinate.lon, coordinate.lat
    if not (isfinite(lon) and isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
        raise DatumRefused(
            "coordinate_out_of_range",
            f"Longitude {lon} and latitude {lat} are no place on Earth.",
            "Send degrees, lon -180..180 and lat -90..90.",
        )
    return Point(lon, lat)


def _unshifted(name: str, place: Point) -> Point:
    lon, lat = VENDORS[name](np.array([place.lon], np.float64), np.array([place.lat], np.float64))
    return Point(float(lon[0]), float(lat[0]))


def _zone(name: str) -> cgcs2000.Zone | None:
    prefix, _, number = name.partition(":")
    if prefix != "epsg" or not (number.isascii() and number.isdecimal() and len(number) == 4):
        return None
    return cgcs2000.BY_EPSG.get(int(number))


_WITHOUT_MARKS: Final = str.maketrans("", "", "-_ ")
