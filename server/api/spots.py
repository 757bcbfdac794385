"""A coordinate as callers give it, brought to WGS-84."""

from __future__ import annotations

from typing import Annotated

import msgspec

from dispatch_core.errors import Invalid
from geo.datums import Coordinate, DatumRefused, Datums

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=80, pattern="^[^\\x00-\\x1f\\x7f]*$")]
"""What a person, a crew, a store or a part is called: no control characters, with which PostgreSQL
could not read a state as JSON any more."""


class Spot(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Degrees and the datum they are in, as in a request for service; none without a datum."""

    lon: float
    lat: float
    datum: str = ""


def to_wgs84(spot: Spot, datums: Datums) -> tuple[float, float]:
    """(longitude, latitude). Raises Invalid by geo.datums' code."""
    try:
        point = datums.to_wgs84(Coordinate(spot.lon, spot.lat, spot.datum))
    except DatumRefused as refused:
        raise Invalid(refused.code, refused.detail, refused.what_to_do) from None
    return point.lon, point.lat
