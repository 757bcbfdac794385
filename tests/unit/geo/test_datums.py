"""A coordinate's datum is checked before anything else is done with it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pyproj
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.cgcs2000 import BY_EPSG
from geo.datums import Coordinate, DatumRefused, Datums, Point

PLAIN, OPEN = Datums(), Datums(gcj02_enabled=True)
EITHER = pytest.mark.parametrize("datums", [PLAIN, OPEN], ids=["plain", "gcj02"])


def refusal(datums: Datums, lon: float, lat: float, datum: str) -> DatumRefused:
    with pytest.raises(DatumRefused) as refused:
        datums.to_wgs84(Coordinate(lon, lat, datum))
    assert refused.value.detail.endswith(".")
    assert refused.value.what_to_do.endswith(".")
    return refused.value


@EITHER
@pytest.mark.parametrize(
    "datum", ["wgs84", "WGS-84", "wgs_84", "CGCS2000", "EPSG:4490", "EPSG:4326"]
)
def test_wgs84_and_cgcs2000_pass_unchanged(datums, datum):
    assert datums.to_wgs84(Coordinate(126.63, 45.75, datum)) == Point(126.63, 45.75)


@pytest.mark.parametrize("datum", ["gcj02", "GCJ-02", "BD-09", "bd09"])
def test_the_vendors_datums_are_refused_until_the_installer_allows_them(datum):
    told = refusal(PLAIN, 126.63, 45.75, datum)
    assert told.code == "datum_not_enabled"
    assert "Inverting GCJ-02 may be restricted in mainland China" in told.detail
    assert "HEATOPS_GCJ02=1" in told.what_to_do
    assert "cgcs2000" in told.what_to_do


@pytest.mark.parametrize(("datum", "lon", "lat"), [
    ("gcj02", 126.645964, 45.756948), ("BD-09", 126.652583, 45.762672),
])  # fmt: skip
def test_allowed_they_come_to_the_same_place(datum, lon, lat):
    point = OPEN.to_wgs84(Coordinate(lon, lat, datum))
    assert (point.lon, point.lat) == pytest.approx((126.64, 45.755), rel=0, abs=2e-6)


@EITHER
@pytest.mark.parametrize(("datum", "code"), [
    ("", "datum_missing"), (" -", "datum_missing"), ("mars", "datum_unknown"),
    ("EPSG:3857", "datum_unknown"), ("EPSG:4555", "datum_unknown"), ("epsg:", "datum_unknown"),
    ("epsg:45_51x", "datum_unknown"), ("epsg:４５５１", "datum_unknown"),
    ("x" * 5000, "datum_unknown"),
])  # fmt: skip
def test_other_datums_are_refused_by_code(datums, datum, code):
    told = refusal(datums, 126.63, 45.75, datum)
    assert told.code == code
    assert len(told.detail) < 200
    assert ("gcj02" in told.what_to_do) == datums.gcj02_enabled


@pytest.mark.parametrize("datum", ["wgs84", "gcj02", "bd09"])
@pytest.mark.parametrize(("lon", "lat"), [
    (float("nan"), 45), (126, float("inf")), (180.001, 45), (126, -90.5), (500_000, 5_000_000),
])  # fmt: skip
def test_what_is_no_place_on_earth_is_refused(lon, lat, datum):
    assert refusal(OPEN, lon, lat, datum).code == "coordinate_out_of_range"


def test_the_edges_of_the_globe_are_on_it():
    assert PLAIN.to_wgs84(Coordinate(-180, 90, "wgs84")) == Point(-180, 90)


def test_the_zones_are_those_of_the_registry():
    for zone in BY_EPSG.values():
        operation = pyproj.CRS.from_epsg(zone.epsg).coordinate_operation
        values = {p.name: p.value for p in operation.params}
        assert values["Longitude of natural origin"] == zone.middle_deg
        assert values["False easting"] == 500_000 + 1_000_000 * (zone.number or 0)
    names = [pyproj.CRS.from_epsg(code).name for code in range(4491, 4555)]
    assert all("Gauss-Kruger" in name for name in names)
    assert set(BY_EPSG) == set(range(4491, 4555))


@pytest.mark.parametrize(("datum", "easting"), [
    ("EPSG:4551", 549_780), ("epsg:4530", 42_549_780), ("EPSG: 4530", 42_549_780),
])  # fmt: skip
def test_metres_at_harbin_in_the_126_degree_zone(datum, easting):
    point = PLAIN.to_wgs84(Coordinate(easting, 5_069_000, datum))
    assert (point.lon, point.lat) == pytest.approx((126.639804, 45.754518), rel=0, abs=1e-6)


@given(st.sampled_from(sorted(BY_EPSG)), st.floats(-1.9, 1.9), st.floats(18, 53.5))
def test_metres_of_every_zone_come_back(code, aside, lat):
    lon = BY_EPSG[code].middle_deg + aside
    there = pyproj.Transformer.from_crs(4490, code, always_xy=True).transform(lon, lat)
    point = PLAIN.to_wgs84(Coordinate(*there, f"epsg:{code}"))
    assert (point.lon, point.lat) == pytest.approx((lon, lat), rel=0, abs=1e-9)


@pytest.mark.parametrize(("lon", "lat", "datum", "word"), [
    (5_069_000, 549_780, "epsg:4551", "swapped"), (5_069_000, 42_549_780, "epsg:4530", "swapped"),
    (549_780, 5_069_000, "epsg:4530", "42165800"), (42_549_780, 5_069_000, "epsg:4551", "165800"),
    (126.64, 45.755, "epsg:4551", "metres"), (900_000, 5_069_000, "epsg:4551", "outside"),
    (549_780, 9_000_000, "epsg:4551", "outside"), (float("nan"), 5_069_000, "epsg:4551", "metres"),
    (549_780, float("-inf"), "epsg:4551", "metres"),
])  # fmt: skip
def test_impossible_metres_are_refused_and_say_why(lon, lat, datum, word):
    told = refusal(PLAIN, lon, lat, datum)
    assert told.code == "coordinate_out_of_range"
    assert word in told.detail


def test_threads_share_the_zones():
    spots = [Coordinate(500_000 + 50 * k, 5_000_000, f"epsg:{4545 + k % 9}") for k in range(400)]
    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(PLAIN.to_wgs84, spots)) == [PLAIN.to_wgs84(s) for s in spots]
