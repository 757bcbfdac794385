"""A coordinate's datum is checked before anything else is done with it."""

from __future__ import annotations

import pytest

from geo.datums import Coordinate, DatumRefused, Point, to_wgs84


@pytest.mark.parametrize(
    "datum", ["wgs84", "WGS-84", "wgs_84", "CGCS2000", "EPSG:4490", "EPSG:4326"]
)
def test_wgs84_and_cgcs2000_pass_unchanged(datum):
    assert to_wgs84(Coordinate(126.63, 45.75, datum)) == Point(126.63, 45.75)


@pytest.mark.parametrize(("datum", "code"), [
    ("gcj02", "datum_not_enabled"),
    ("GCJ-02", "datum_not_enabled"),
    ("BD-09", "datum_not_enabled"),
    ("EPSG:4549", "datum_unknown"),
    ("", "datum_unknown"),
])  # fmt: skip
def test_other_datums_are_refused_by_code(datum, code):
    with pytest.raises(DatumRefused) as refused:
        to_wgs84(Coordinate(126.63, 45.75, datum))
    assert refused.value.code == code
    assert "cgcs2000" in refused.value.detail.lower()


@pytest.mark.parametrize(("lon", "lat"), [
    (float("nan"), 45), (126, float("inf")), (180.001, 45), (126, -90.5), (500_000, 5_000_000),
])  # fmt: skip
def test_what_is_no_place_on_earth_is_refused(lon, lat):
    with pytest.raises(DatumRefused) as refused:
        to_wgs84(Coordinate(lon, lat, "wgs84"))
    assert refused.value.code == "coordinate_out_of_range"


def test_the_edges_of_the_globe_are_on_it():
    assert to_wgs84(Coordinate(-180, 90, "wgs84")) == Point(-180, 90)
