"""Where GCJ-02 is shifted: inside mainland China, border cities included, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.china import BORDER, RINGS
from geo.gcj02 import bd09_of_wgs84, gcj02_of_wgs84, wgs84_of_bd09, wgs84_of_gcj02

INSIDE = {
    "Harbin": (126.64, 45.755), "Heihe": (127.489, 50.245), "Suifenhe": (131.150, 44.396),
    "Manzhouli": (117.43, 49.59), "Dandong": (124.383, 40.124), "Hunchun": (130.366, 42.863),
    "Fuyuan": (134.30, 48.362), "Erenhot": (111.977, 43.653), "Ruili": (97.855, 24.013),
    "Pingxiang": (106.766, 22.094), "Horgos": (80.417, 44.214), "Shenzhen": (114.058, 22.543),
    "Zhuhai": (113.555, 22.225), "Tumen": (129.845, 42.967), "Ji'an": (126.19, 41.125),
    "Raohe": (134.014, 46.798), "Jiayin": (130.403, 48.889), "Mohe": (122.35, 53.478),
    "Xiamen": (118.09, 24.48), "Sanya": (109.51, 18.25), "Urumqi": (87.61, 43.82),
    "Lhasa": (91.13, 29.65), "Kashgar": (75.99, 39.47), "Zhoushan": (122.2, 29.99),
}  # fmt: skip
OUTSIDE = {
    "Blagoveshchensk": (127.54, 50.29), "Blagoveshchensk, Lenin square": (127.527, 50.2578),
    "Sinuiju": (124.398, 40.10), "Zabaikalsk": (117.327, 49.651), "Vladivostok": (131.886, 43.115),
    "Ussuriysk": (131.95, 43.80), "Khabarovsk": (135.07, 48.48), "Vientiane": (102.6, 17.97),
    "Hanoi": (105.85, 21.03), "Ulaanbaatar": (106.9, 47.92), "Pyongyang": (125.75, 39.03),
    "Seoul": (126.98, 37.57), "Bishkek": (74.6, 42.87), "Almaty": (76.9, 43.25),
    "Hong Kong": (114.16, 22.28), "Macau": (113.545, 22.195), "Taipei": (121.56, 25.04),
    "Kinmen": (118.32, 24.43), "Manpo": (126.29, 41.155), "Hyesan": (128.178, 41.398),
    "Zamyn-Uud": (111.905, 43.728), "Muse": (97.905, 23.985), "Lao Cai": (103.975, 22.49),
    "Mong Cai": (107.966, 21.527), "Dalnerechensk": (133.725, 45.93), "Kathmandu": (85.32, 27.71),
    "Thimphu": (89.64, 27.47), "Tokyo": (139.7, 35.7), "Fukuoka": (130.4, 33.6),
}  # fmt: skip


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return float(np.hypot((a[0] - b[0]) * np.cos(np.radians(a[1])), a[1] - b[1]) * 111_195)


def one(function, lon: float, lat: float) -> tuple[float, float]:
    x, y = function(np.array([lon]), np.array([lat]))
    return float(x[0]), float(y[0])


@pytest.mark.parametrize("city", INSIDE)
def test_cities_inside_are_shifted_and_come_back(city):
    at = INSIDE[city]
    shifted = one(gcj02_of_wgs84, *at)
    assert 30 < metres(at, shifted) < 800
    assert metres(at, one(wgs84_of_gcj02, *shifted)) < 1e-6
    assert metres(at, one(wgs84_of_bd09, *one(bd09_of_wgs84, *at))) < 1e-6


@pytest.mark.parametrize("city", OUTSIDE)
def test_cities_outside_are_left_alone(city):
    at = OUTSIDE[city]
    assert one(gcj02_of_wgs84, *at) == at
    assert one(wgs84_of_gcj02, *at) == at
    assert metres(at, one(wgs84_of_bd09, *one(bd09_of_wgs84, *at))) < 1e-6


def test_harbin_is_511_metres_off():
    assert metres((126.64, 45.755), one(gcj02_of_wgs84, 126.64, 45.755)) == pytest.approx(
        511, abs=2
    )


@given(st.floats(-180, 180), st.floats(-90, 90))
def test_far_from_china_nothing_moves(lon, lat):
    west, south = np.min(RINGS[0], axis=0)
    east, north = np.max(RINGS[0], axis=0)
    if not (west - 0.02 < lon < east + 0.02 and south - 0.02 < lat < north + 0.02):
        assert one(gcj02_of_wgs84, lon, lat) == (lon, lat) == one(wgs84_of_gcj02, lon, lat)


@given(st.floats(73, 135.5), st.floats(17.5, 54))
def test_inside_comes_back_and_outside_is_left_alone(lon, lat):
    inside = bool(BORDER.inside(np.array([lon]), np.array([lat]))[0])
    there = one(gcj02_of_wgs84, lon, lat)
    assert (there != (lon, lat)) == inside
    if inside:
        assert metres((lon, lat), one(wgs84_of_gcj02, *there)) < 1e-6
    else:
        back = one(wgs84_of_gcj02, *there)
        # the image of a place across the border, else itself
        if back != (lon, lat):
            assert BORDER.inside(np.array([back[0]]), np.array([back[1]]))[0]
            assert metres(one(gcj02_of_wgs84, *back), (lon, lat)) < 1e-6


def near_the_border() -> tuple[np.ndarray, np.ndarray]:
    """Points within some 600 m of the land border, on both sides."""
    random = np.random.default_rng(11)
    ring = np.array(RINGS[0])
    after = np.roll(ring, -1, axis=0)
    edge = random.integers(0, len(ring) - 40, 40_000)  # the last 40 corners lie at sea
    along = random.random((len(edge), 1))
    at = ring[edge] * along + after[edge] * (1 - along) + random.normal(0, 0.004, (len(edge), 2))
    return np.ascontiguousarray(at[:, 0]), np.ascontiguousarray(at[:, 1])


def test_at_the_border_the_place_inside_is_what_counts():
    lon, lat = near_the_border()
    inside = BORDER.inside(lon, lat)
    x, y = gcj02_of_wgs84(lon, lat)
    crossing = inside & ~BORDER.inside(x, y)
    assert crossing.sum() > 1000  # images that lie across the border
    back_x, back_y = wgs84_of_gcj02(x, y)
    off = np.hypot(back_x - lon, back_y - lat)
    assert off[inside].max() < 1e-11  # about a thousandth of a millimetre, crossing or not
    # an outside place moves only where it coincides with the image of a place inside
    moved = ~inside & (off > 0)
    assert moved.any()
    assert BORDER.inside(back_x[moved], back_y[moved]).all()


def test_a_place_no_fix_can_give_stays_where_it_is():
    # just inside, but unshifted it would lie outside: neither side's places have it for an image
    lon, lat = near_the_border()
    x, y = wgs84_of_gcj02(lon, lat)
    stays = (x == lon) & (y == lat)
    assert (stays & BORDER.inside(lon, lat)).any()
    assert BORDER.inside(x[~stays], y[~stays]).all()


def test_rings_do_not_cross_themselves():
    import shapely

    assert all(shapely.Polygon(ring).is_valid for ring in RINGS)
    mainland = shapely.Polygon(RINGS[0])
    assert all(mainland.contains(shapely.Polygon(ring)) for ring in RINGS[1:])
    assert sum(len(ring) for ring in RINGS) < 700
