"""The datums of Chinese map vendors, GCJ-02 and Baidu's BD-09, from WGS-84 and back, over arrays.

From WGS-84 is free to use. The way back is exact here, and inverting GCJ-02 may be restricted in
mainland China: `geo.datums` opens it only where the installer turned it on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ext import gcj
from geo.china import BORDER

Degrees = NDArray[np.float64]


def gcj02_of_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """GCJ-02 of WGS-84 places, degrees (n): shifted inside mainland China, the same elsewhere."""
    return gcj.wgs84_to_gcj02(lon, lat, BORDER)


def wgs84_of_gcj02(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """WGS-84 of GCJ-02 places, degrees (n), to a millionth of a millimetre.

    A place is unshifted when its WGS-84 then lies inside mainland China; any other stays. Within
    600 m of the border two places can have one image: the one inside is taken.
    """
    return gcj.gcj02_to_wgs84(lon, lat, BORDER)


def bd09_of_wgs84(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """BD-09 of WGS-84 places, degrees (n). Baidu's own part of the shift, some 1,000 m, applies
    everywhere on Earth."""
    return gcj.gcj02_to_bd09(*gcj02_of_wgs84(lon, lat))


def wgs84_of_bd09(lon: Degrees, lat: Degrees) -> tuple[Degrees, Degrees]:
    """WGS-84 of BD-09 places, degrees (n); through GCJ-02, as `wgs84_of_gcj02`."""
    return wgs84_of_gcj02(*gcj.bd09_to_gcj02(lon, lat))
