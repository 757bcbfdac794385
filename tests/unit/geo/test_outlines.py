"""How far a place is from a building's outline, as it is and as a vendor's map draws it."""

from __future__ import annotations

from math import cos, radians

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo.gcj02 import gcj02_of_wgs84
from geo.outlines import Outline
from geo.shapes import around

EARTH = Geod(ellps="WGS84")
LON, LAT = 126.63, 45.75
EAST, NORTH = 1 / (111_320 * cos(radians(LAT))), 1 / 111_150


def block(x: float, y: float, wide: float, high: float) -> shapely.Polygon:
    """Metres from the city's middle."""
    return shapely.box(
        LON + x * EAST, LAT + y * NORTH, LON + (x + wide) * EAST, LAT + (y + high) * NORTH
    )


def metres(outline: Outline | None, x: float, y: float) -> float:
    assert outline is not None
    return outline.metres_to(LON + x * EAST, LAT + y * NORTH)


def test_two_wings_and_a_courtyard() -> None:
    wings = shapely.MultiPolygon(
        [block(0, 0, 40, 40) - block(10, 10, 20, 20), block(100, 0, 20, 9)]
    )
    outline = Outline.of_wkb(wings.wkb)
    assert metres(outline, 5, 5) == 0
    assert metres(outline, 110, 5) == 0
    assert metres(outline, 20, 20) == pytest.approx(10, rel=5e-3), "the courtyard is outside"
    assert metres(outline, 65, 5) == pytest.approx(25, rel=5e-3)
    assert metres(outline, 80, 5) == pytest.approx(20, rel=5e-3)


@pytest.mark.parametrize(
    "wkb",
    [b"", b"no outline", shapely.Point(LON, LAT).wkb, shapely.Polygon().wkb,
     shapely.LineString([(LON, LAT), (LON + 1, LAT)]).wkb],
    ids=["nothing", "no wkb", "a point", "an empty area", "a line"],
)  # fmt: skip
def test_what_is_no_area(wkb: bytes) -> None:
    assert Outline.of_wkb(wkb) is None


@given(st.floats(-800, 800), st.floats(-800, 800))
def test_a_place_alone_is_as_far_as_the_geodesic(x: float, y: float) -> None:
    lon, lat = LON + x * EAST, LAT + y * NORTH
    _, _, truth = EARTH.inv(LON, LAT, lon, lat)
    assert Outline.of_place(LON, LAT).metres_to(lon, lat) == pytest.approx(
        truth, rel=5e-3, abs=1e-6
    )


@given(st.floats(-300, 300), st.floats(-300, 300))
def test_the_shifted_outline_is_as_far_from_the_shifted_place(x: float, y: float) -> None:
    outline = Outline.of_wkb(block(0, 0, 60, 12).wkb)
    assert outline is not None
    lon, lat = LON + x * EAST, LAT + y * NORTH
    there = [float(v[0]) for v in gcj02_of_wgs84(np.array([lon]), np.array([lat]))]
    assert outline.as_gcj02().metres_to(*there) == pytest.approx(metres(outline, x, y), abs=1.5)
    assert outline.as_gcj02().metres_to(lon, lat) > 100


@given(
    wide=st.floats(4, 200), high=st.floats(4, 200), within=st.floats(5, 300), known=st.booleans()
)
def test_the_fence_that_is_drawn_is_the_one_that_is_measured(
    wide: float, high: float, within: float, known: bool
) -> None:
    house = block(0, 0, wide, high)
    wkb = house.wkb if known else None
    outline = Outline.of_wkb(house.wkb) if known else Outline.of_place(LON, LAT)
    assert outline is not None
    border = shapely.from_geojson(around(wkb, LON, LAT, within))
    for lon, lat in shapely.get_coordinates(border):
        assert outline.metres_to(lon, lat) == pytest.approx(within, rel=5e-3)


def test_a_fence_around_what_cannot_be_read_is_around_its_place() -> None:
    assert around(b"no outline", LON, LAT, 60.0) == around(None, LON, LAT, 60.0)
