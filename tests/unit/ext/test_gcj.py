"""The vendors' shifts against the published formulas, written with the C library's sines."""

from __future__ import annotations

from math import atan2, cos, fabs, pi, sin, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ext import gcj

CHINA = gcj.Border([np.array([(73.0, 17.5), (135.5, 17.5), (135.5, 54.0), (73.0, 54.0)])])
AXIS, EE = 6378245.0, 0.00669342162296594323
longitude, latitude = st.floats(73.5, 135), st.floats(18, 53.5)


def published(lon: float, lat: float) -> tuple[float, float]:
    x, y = lon - 105.0, lat - 35.0
    both = (20.0 * sin(6.0 * x * pi) + 20.0 * sin(2.0 * x * pi)) * 2.0 / 3.0
    n = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * sqrt(fabs(x)) + both
    n += (20.0 * sin(y * pi) + 40.0 * sin(y / 3.0 * pi)) * 2.0 / 3.0
    n += (160.0 * sin(y / 12.0 * pi) + 320.0 * sin(y * pi / 30.0)) * 2.0 / 3.0
    e = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * sqrt(fabs(x)) + both
    e += (20.0 * sin(x * pi) + 40.0 * sin(x / 3.0 * pi)) * 2.0 / 3.0
    e += (150.0 * sin(x / 12.0 * pi) + 300.0 * sin(x / 30.0 * pi)) * 2.0 / 3.0
    phi = lat / 180.0 * pi
    w = 1 - EE * sin(phi) ** 2
    north = n * 180.0 / ((AXIS * (1 - EE)) / (w * sqrt(w)) * pi)
    return lon + e * 180.0 / (AXIS / sqrt(w) * cos(phi) * pi), lat + north


def published_bd09(lon: float, lat: float) -> tuple[float, float]:
    z = sqrt(lon * lon + lat * lat) + 0.00002 * sin(lat * pi * 3000.0 / 180.0)
    theta = atan2(lat, lon) + 0.000003 * cos(lon * pi * 3000.0 / 180.0)
    return z * cos(theta) + 0.0065, z * sin(theta) + 0.006


def one(kernel, lon: float, lat: float, *border: gcj.Border) -> tuple[float, float]:
    x, y = kernel(np.array([lon]), np.array([lat]), *border)
    return float(x[0]), float(y[0])


@given(longitude, latitude)
def test_forward_is_the_published_formula(lon, lat):
    assert one(gcj.wgs84_to_gcj02, lon, lat, CHINA) == pytest.approx(
        published(lon, lat), rel=0, abs=2e-13
    )
    assert one(gcj.gcj02_to_bd09, lon, lat) == pytest.approx(
        published_bd09(lon, lat), rel=0, abs=2e-13
    )


@given(longitude, latitude)
def test_backward_undoes_forward_within_a_thousandth_of_a_millimetre(lon, lat):
    nowhere_near_the_border = 75 < lon < 134 and 19 < lat < 53
    if nowhere_near_the_border:
        there = one(gcj.wgs84_to_gcj02, lon, lat, CHINA)
        assert one(gcj.gcj02_to_wgs84, *there, CHINA) == pytest.approx((lon, lat), rel=0, abs=1e-11)
    there = one(gcj.gcj02_to_bd09, lon, lat)
    assert one(gcj.bd09_to_gcj02, *there) == pytest.approx((lon, lat), rel=0, abs=1e-11)


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_bd09_goes_back_anywhere_on_earth(lon, lat):
    there = one(gcj.gcj02_to_bd09, lon, lat)
    assert one(gcj.bd09_to_gcj02, *there) == pytest.approx((lon, lat), rel=0, abs=1e-11)


def test_a_point_alone_and_a_point_among_many_give_the_same_bits():
    random = np.random.default_rng(3)
    lon, lat = random.uniform(74, 135, 1003), random.uniform(18, 53, 1003)
    for kernel, border in (
        (gcj.wgs84_to_gcj02, [CHINA]), (gcj.gcj02_to_wgs84, [CHINA]),
        (gcj.gcj02_to_bd09, []), (gcj.bd09_to_gcj02, []),
    ):  # fmt: skip
        x, y = kernel(lon, lat, *border)
        alone = [one(kernel, a, b, *border) for a, b in zip(lon, lat, strict=True)]
        assert alone == list(zip(x.tolist(), y.tolist(), strict=True))


def test_the_same_bits_on_every_machine():
    # written down once; a machine that differs here would decide differently
    there = one(gcj.wgs84_to_gcj02, 126.64, 45.755, CHINA)
    assert [v.hex() for v in there] == ["0x1.fa957794c0221p+6", "0x1.6e0e3aa970b01p+5"]
    back = one(gcj.gcj02_to_wgs84, 126.64, 45.755, CHINA)
    assert [v.hex() for v in back] == ["0x1.fa894431a5025p+6", "0x1.6e064479ea9e9p+5"]


def test_outside_the_border_and_what_is_no_number_stays():
    lon = np.array([2.35, -74.0, np.nan, np.inf, 126.0, 1e308])
    lat = np.array([48.85, 40.7, 45.0, 45.0, np.nan, -1e308])
    for kernel in (gcj.wgs84_to_gcj02, gcj.gcj02_to_wgs84):
        x, y = kernel(lon, lat, CHINA)
        np.testing.assert_array_equal(x, lon)
        np.testing.assert_array_equal(y, lat)


@given(
    hnp.arrays(np.float64, st.tuples(st.integers(3, 12), st.just(2)),
               elements=st.integers(-20, 20).map(float)),
    st.integers(-22, 22), st.integers(-22, 22),
)  # fmt: skip
def test_inside_counts_the_edges_to_the_east(ring, a, b):
    lon, lat = a + 0.5, b + 0.5
    crossed = 0
    for (x1, y1), (x2, y2) in zip(ring, np.roll(ring, -1, axis=0), strict=True):
        if (y1 > lat) != (y2 > lat):
            crossed += lon < (x2 - x1) * (lat - y1) / (y2 - y1) + x1
    inside = gcj.Border([ring]).inside(np.array([lon]), np.array([lat]))
    assert bool(inside[0]) == bool(crossed % 2)


def test_a_hole_is_outside():
    square = np.array([(0.0, 0.0), (9.0, 0.0), (9.0, 9.0), (0.0, 9.0)])
    border = gcj.Border([square, square / 3 + 3])
    found = border.inside(np.array([1.0, 4.5, 8.0, 9.5]), np.array([1.0, 4.5, 8.0, 4.5]))
    assert found.tolist() == [True, False, True, False]


@pytest.mark.parametrize("rings", [
    [], [np.zeros((2, 2))], [np.zeros((4, 3))], [np.full((3, 2), np.nan)],
])  # fmt: skip
def test_what_is_no_ring_is_refused(rings):
    with pytest.raises(ValueError, match=r"ring"):
        gcj.Border(rings)


def test_unequal_lengths_are_refused():
    for call in (
        lambda a, b: gcj.wgs84_to_gcj02(a, b, CHINA), lambda a, b: gcj.gcj02_to_wgs84(a, b, CHINA),
        gcj.gcj02_to_bd09, gcj.bd09_to_gcj02, CHINA.inside,
    ):  # fmt: skip
        with pytest.raises(ValueError, match="differ in length"):
            call(np.zeros(2), np.zeros(3))
