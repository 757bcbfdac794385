"""China's survey datum CGCS2000 in metres: the Gauss-Krueger zones of the EPSG, back to degrees.

CGCS2000 and WGS-84 differ by less than a decimetre and are taken as one. The axes are easting, then
northing, whatever the registry says (it has north first).
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from math import isfinite
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from pyproj import Transformer

DEGREES: Final = 4490
"""CGCS2000 in degrees."""
MOST_NORTHING: Final = (1_900_000.0, 6_000_000.0)
"""Metres from the equator to 17 and 54 degrees north: all of China."""
ZONES: Final = (  # first EPSG code, zones, their width in degrees, first zone's number or none
    (4491, 11, 6, 13),
    (4502, 11, 6, None),
    (4513, 21, 3, 25),
    (4534, 21, 3, None),
)


@dataclass(frozen=True, slots=True)
class Zone:
    """One zone: metres east of 500,000 are east of its middle; some zones write their number before
    the easting."""

    epsg: int
    middle_deg: int
    width_deg: int
    number: int | None

    def eastings(self) -> tuple[float, float]:
        """Lowest and highest easting of a place in the zone or the next one beside it, metres."""
        # 111.4 km a degree at the equator, less further north; a city may lie across an edge
        half = self.width_deg * 111_400.0
        middle = 500_000.0 + 1_000_000.0 * (self.number or 0)
        return middle - half, middle + half


def _zones() -> dict[int, Zone]:
    return {
        first + k: Zone(first + k, 75 + width * k, width, None if number is None else number + k)
        for first, count, width, number in ZONES
        for k in range(count)
    }


BY_EPSG: Final = _zones()
"""The zones by EPSG code. Harbin, at 126 degrees east, is in 4551 and 4530."""

_transformers: dict[int, Transformer] = {}
_lock = threading.Lock()


def degrees_of(zone: Zone, easting: float, northing: float) -> tuple[float, float]:
    """Degrees east and north of a place given in metres.

    Raises ValueError, in one sentence, for numbers that are no place of the zone; swapped axes and
    a missing or wrong zone number are named as such.
    """
    west, east = zone.eastings()
    south, north = MOST_NORTHING
    if not (isfinite(easting) and isfinite(northing)):
        raise ValueError(f"{easting}, {northing} are no numbers of metres.")
    if west <= easting <= east and south <= northing <= north:
        lon, lat = _transformer(zone.epsg).transform(easting, northing, errcheck=True)
        return float(lon), float(lat)
    if west <= northing <= east and south <= easting <= north:
        raise ValueError(
            f"Easting {easting:g} and northing {northing:g} are swapped: "
            "easting goes in lon, northing in lat."
        )
    raise ValueError(
        f"Easting {easting:g}, northing {northing:g} lie outside EPSG:{zone.epsg}"
        f" (middle {zone.middle_deg} degrees east): metres, easting {west:.0f} to {east:.0f}"
        f" and northing {south:.0f} to {north:.0f}."
    )


def _transformer(epsg: int) -> Transformer:
    """One for each zone, made when first asked for; pyproj's are safe to share among threads."""
    with _lock:
        known = _transformers.get(epsg)
        if known is None:
            # costs 20 MiB and a tenth of a second, and most installations never name a zone
            from pyproj import Transformer

            known = Transformer.from_crs(epsg, DEGREES, always_xy=True)
            _transformers[epsg] = known
        return known
