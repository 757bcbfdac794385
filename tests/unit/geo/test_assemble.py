"""Areas cut off by the file's border are closed along it."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from geo.assemble import assemble
from geo.bounds import Bounds

BOX = Bounds(0, 0, 10, 10)


def test_a_river_through_the_box_is_closed_on_both_sides():
    south = [None, (0.1, 4.0), (5.0, 4.5), (9.9, 4.0), None]
    north = [None, (9.9, 6.0), (5.0, 6.5), (0.1, 6.0), None]
    river = assemble([south, north], BOX, None)
    assert river is not None
    assert river.area == pytest.approx(20, rel=0.02)
    assert shapely.contains_xy(river, 5, 5)
    assert not shapely.contains_xy(river, 5, 1)
    assert river.bounds == pytest.approx((0, 4, 10, 6.5))


def test_an_island_in_the_river_stays_dry_also_when_the_border_cuts_it():
    south = [None, (0.1, 2.0), (9.9, 2.0), None]
    north = [None, (0.1, 8.0), (9.9, 8.0), None]
    whole_island = [(3.0, 4.0), (5.0, 4.0), (5.0, 6.0), (3.0, 6.0), (3.0, 4.0)]
    cut_island = [None, (9.9, 4.0), (8.0, 5.0), (9.9, 6.0), None]
    river = assemble([south, north, whole_island, cut_island], BOX, None)
    assert river is not None
    assert shapely.contains_xy(river, 1, 5)
    assert not shapely.contains_xy(river, 4, 5)
    assert not shapely.contains_xy(river, 9.5, 5)
    assert shapely.contains_xy(river, 9.5, 3)


@pytest.mark.parametrize(("inside", "area"), [((2.0, 5.0), 30), ((8.0, 5.0), 70)])
def test_a_point_inside_decides_which_side_of_a_district_border_it_is(inside, area):
    district = assemble([[None, (3.0, 0.1), (3.0, 9.9), None]], BOX, inside)
    assert district is not None
    assert district.area == pytest.approx(area)


def test_without_such_a_point_the_smaller_way_round_is_taken():
    park = assemble([[None, (4.0, 0.1), (4.0, 2.0), (6.0, 2.0), (6.0, 0.1), None]], BOX, None)
    assert park is not None
    assert park.area == pytest.approx(4)


def test_a_corner_of_the_box_is_walked_round():
    park = assemble([[None, (0.1, 3.0), (3.0, 3.0), (3.0, 0.1), None]], BOX, None)
    assert park is not None
    assert park.area == pytest.approx(9)


def test_a_closed_way_that_leaves_the_box_in_its_middle():
    lake = [(5.0, 8.0), (7.0, 8.0), (7.0, 9.9), None, (5.0, 9.9), (5.0, 8.0)]
    shape = assemble([lake], BOX, None)
    assert shape is not None
    assert shape.area == pytest.approx(4)


def test_one_way_in_several_pieces_needs_no_border():
    square = [[(1.0, 1.0), (2.0, 1.0), (2.0, 2.0)], [(1.0, 1.0), (1.0, 2.0), (2.0, 2.0)]]
    shape = assemble(square, BOX, None)
    assert shape is not None
    assert shape.area == pytest.approx(1)


@pytest.mark.parametrize("chains", [
    [],
    [[None, (5.0, 5.0), None]],
    [[(5.0, 5.0), (6.0, 5.0), (6.0, 6.0)]],
    [[None, (3.0, 0.1), (3.0, 5.0)]],
], ids=["nothing", "one point", "open in the middle", "one end in the middle"])  # fmt: skip
def test_a_gap_that_the_border_does_not_explain_gives_no_area(chains):
    assert assemble(chains, BOX, None) is None


def test_a_seed_outside_both_readings_gives_no_area():
    assert assemble([[None, (3.0, 0.1), (3.0, 9.9), None]], BOX, (20.0, 20.0)) is None


@settings(max_examples=150, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_a_cut_area_comes_back_as_its_part_inside_the_box(seed):
    """Any star-shaped area over the border, its points outside forgotten as an extract does."""
    random = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 720, endpoint=False)
    waves = sum(
        random.uniform(0, 0.3 / k) * np.sin(k * turn + random.uniform(0, 7)) for k in (1, 2, 3, 5)
    )
    reach = random.uniform(2, 8) * (1 + waves)
    middle = random.uniform(1, 9, 2)
    x, y = middle[0] + reach * np.cos(turn), middle[1] + reach * np.sin(turn)
    whole = shapely.Polygon(np.column_stack((x, y)))
    true = shapely.intersection(whole, shapely.box(0, 0, 10, 10))
    points = [
        (float(a), float(b)) if BOX.contains(a, b) else None for a, b in zip(x, y, strict=True)
    ]
    assume(sum(p is not None for p in points) > 5)
    # cut into ways as mappers cut long borders, the last one back to the first point
    cuts = sorted(random.choice(len(points), 3, replace=False).tolist())
    ring = [*points, points[0]]
    ways = [ring[a : b + 1] for a, b in pairwise([0, *cuts, len(points)])]
    shape = assemble([w for w in ways if len(w) > 1], BOX, (float(middle[0]), float(middle[1])))
    assert shape is not None
    assert shape.is_valid
    assert shapely.symmetric_difference(shape, true).area < 0.02 * 100
