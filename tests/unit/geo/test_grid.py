"""The heat map's grid: squares in metres, nested exactly, boxes in degrees."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Geod

from geo.grid import SIZES, Cell, Grid

CENTER = (126.6276, 45.7594)
GRID = Grid(*CENTER)
lons = st.floats(126.2, 127.1)
lats = st.floats(45.4, 46.1)
sizes = st.sampled_from(SIZES)


@given(lons, lats, sizes)
def test_a_point_lies_in_its_cells_box(lon, lat, size):
    box = GRID.cell_bounds(GRID.cell_of(lon, lat, size))
    slack = 1e-11
    assert box.west - slack <= lon <= box.east + slack
    assert box.south - slack <= lat <= box.north + slack


@given(st.integers(-400, 400), st.integers(-400, 400), sizes)
def test_the_middle_of_a_cell_is_in_it(x, y, size):
    cell = Cell(size, x, y)
    assert GRID.cell_of(*GRID.cell_bounds(cell).center, size) == cell


@given(lons, lats)
def test_sizes_nest(lon, lat):
    chain = [GRID.cell_of(lon, lat, size) for size in SIZES]
    for small, large in pairwise(chain):
        assert small.parent == large
        assert small in large.children
    assert chain[-1].parent is None
    assert chain[0].children == ()


@given(st.integers(-100, 100), st.integers(-100, 100), st.sampled_from(SIZES[1:]))
def test_children_tile_their_parent_to_the_last_bit(x, y, size):
    cell = Cell(size, x, y)
    box = GRID.cell_bounds(cell)
    south_west, south_east, north_west, north_east = map(GRID.cell_bounds, cell.children)
    assert (south_west.west, south_west.south) == (box.west, box.south)
    assert (north_east.east, north_east.north) == (box.east, box.north)
    assert south_west.east == south_east.west
    assert south_west.north == north_west.south


@given(st.lists(st.tuples(lons, lats), min_size=1, max_size=50), sizes)
def test_many_at_once_agree_with_one_at_a_time(points, size):
    lon, lat = np.array(points).T
    x, y = GRID.cells_of(lon, lat, size)
    assert [Cell(size, *xy) for xy in zip(x.tolist(), y.tolist(), strict=True)] == [
        GRID.cell_of(*p, size) for p in points
    ]


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("lat", [18.2, 45.7594, 53.5])
def test_a_cell_has_its_name_for_a_size_on_the_ellipsoid(size, lat):
    grid = Grid(CENTER[0], lat)
    box = grid.cell_bounds(Cell(size, 0, 0))
    geod = Geod(ellps="WGS84")
    assert geod.inv(box.west, box.south, box.east, box.south)[2] == pytest.approx(size, rel=1e-5)
    assert geod.inv(box.west, box.south, box.west, box.north)[2] == pytest.approx(size, rel=1e-4)


def test_keys_and_refusals():
    assert Cell(400, -3, 7).key == "400:-3:7"
    with pytest.raises(ValueError, match="finite"):
        GRID.cell_of(float("nan"), 45, 100)
    with pytest.raises(ValueError, match="finite"):
        GRID.cells_of(np.array([126.0, np.inf]), np.array([45.0, 45.0]), 100)
    with pytest.raises(ValueError, match="no grid"):
        Grid(0, 89)
