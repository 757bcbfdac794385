"""Nearest lines and containing areas, for many points at once."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.nearest import NONE, containing, nearest
from geo.shapes import areas_m2, array, inner_points, line, point, polygon

LAT = 45.75
EAST, NORTH = 1 / (111_195 * np.cos(np.radians(LAT))), 1 / 111_195


def test_metres_decide_and_not_degrees():
    here = np.array([[126.6, LAT]])
    # 100 m to the east are more degrees than 110 m to the north
    things = array([point(126.6, LAT + 110 * NORTH), point(126.6 + 100 * EAST, LAT)])
    assert nearest(here, things, 500).tolist() == [1]
    assert nearest(here, things, 90).tolist() == [NONE]
    assert nearest(here, things, 105).tolist() == [1]


def test_the_first_of_equals_is_taken():
    street = line([(126.6, LAT), (126.7, LAT)])
    points = np.array([[126.65, LAT + 50 * NORTH]] * 3)
    assert nearest(points, array([street, street]), 100).tolist() == [0, 0, 0]


def test_nothing_to_look_for():
    assert nearest(np.array([[126.6, LAT]]), array([]), 100).tolist() == [NONE]
    assert nearest(np.empty((0, 2)), array([point(1, 1)]), 100).tolist() == []
    assert containing(np.array([[126.6, LAT]]), array([])).tolist() == [NONE]


def test_the_smallest_area_around_a_point_is_taken():
    district = polygon([[(0, 0), (4, 0), (4, 4), (0, 4)]])
    subdistrict = polygon([[(0, 0), (2, 0), (2, 2), (0, 2)]])
    points = np.array([[1, 1], [3, 3], [5, 5]], float)
    assert containing(points, array([district, subdistrict])).tolist() == [1, 0, NONE]


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40))
def test_nearest_agrees_with_trying_every_one(seed, count):
    random = np.random.default_rng(seed)
    points = np.column_stack((random.uniform(126.5, 126.7, 30), random.uniform(45.7, 45.8, 30)))
    ends = np.column_stack(
        (random.uniform(126.5, 126.7, 2 * count), random.uniform(45.7, 45.8, 2 * count))
    )
    lines = shapely.linestrings(ends.reshape(count, 2, 2))
    scale = np.array([np.cos(np.radians(points[:, 1].mean())), 1])
    flat = shapely.transform(lines, lambda xy: xy * scale)
    by_hand = shapely.distance(shapely.points(points * scale)[:, None], flat[None]).argmin(axis=1)
    assert nearest(points, array(list(lines)), 1e6).tolist() == by_hand.tolist()


def test_areas_and_inner_points():
    east, north = 126.6 + 100 * EAST, LAT + 100 * NORTH
    square = polygon([[(126.6, LAT), (east, LAT), (east, north), (126.6, north)]])
    ring = polygon([[(0, 0), (9, 0), (9, 9), (0, 9)], [(1, 1), (8, 1), (8, 8), (1, 8)]])
    assert areas_m2(array([square])) == pytest.approx([10_000], rel=0.005)
    (inside,) = inner_points(array([ring])).tolist()
    assert shapely.contains_xy(ring, *inside)
