"""Points onto a grid, against the same sum written with numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from ext import spatial

Floats = NDArray[np.float64]
coordinate = st.one_of(
    st.floats(-30.0, 130.0),
    st.sampled_from([0.0, -0.0, 10.0, 100.0, -1e300, 1e300, np.inf, -np.inf, np.nan]),
)


def reference(
    x: Floats, y: Floats, x0: float, y0: float, cell: float, width: int, height: int
) -> NDArray[np.int64]:
    with np.errstate(invalid="ignore", over="ignore"):
        column, row = np.floor((x - x0) / cell), np.floor((y - y0) / cell)
        inside = (column >= 0) & (column < width) & (row >= 0) & (row < height)
    index = np.full(len(x), -1)
    index[inside] = row[inside].astype(int) * width + column[inside].astype(int)
    return index


@given(
    hnp.arrays(np.float64, st.tuples(st.just(2), st.integers(0, 1300)), elements=coordinate),
    st.floats(-20.0, 20.0),
    st.floats(0.5, 40.0),
    st.integers(1, 9),
    st.integers(1, 9),
)
def test_counts_weights_and_numbers_agree_with_numpy(
    points: Floats, origin: float, cell: float, width: int, height: int
) -> None:
    x, y = np.ascontiguousarray(points[0]), np.ascontiguousarray(points[1])
    grid = (origin, -origin, cell, width, height)
    index = reference(x, y, *grid)
    kept = index[index >= 0]
    weight = np.arange(len(x), dtype=np.float64) / 7
    assert spatial.bin_index(x, y, *grid).tolist() == index.tolist()
    counts = spatial.bin_counts(x, y, None, *grid)
    assert counts.shape == (height, width)
    assert counts.ravel().tolist() == np.bincount(kept, minlength=width * height).tolist()
    sums = spatial.bin_counts(x, y, weight, *grid).ravel()
    assert np.array_equal(
        sums, np.bincount(kept, weights=weight[index >= 0], minlength=width * height)
    )


def test_a_border_belongs_to_the_cell_above_it() -> None:
    x, y = np.array([0.0, 99.999, 100.0, 200.0]), np.zeros(4)
    assert spatial.bin_index(x, y, 0.0, 0.0, 100.0, 2, 1).tolist() == [0, 0, 1, -1]


def test_a_read_only_array_will_do() -> None:
    x = np.array([1.0])
    x.setflags(write=False)
    assert spatial.bin_counts(x, x, x, 0.0, 0.0, 1.0, 2, 2).tolist() == [[0.0, 0.0], [0.0, 1.0]]


@pytest.mark.parametrize(
    ("cell", "width", "height"),
    [
        (0.0, 1, 1),
        (-1.0, 1, 1),
        (np.nan, 1, 1),
        (np.inf, 1, 1),
        (1.0, 0, 1),
        (1.0, 1, 0),
        (1.0, 65536, 65536),
    ],
)
def test_an_impossible_grid_is_refused(cell: float, width: int, height: int) -> None:
    x = np.zeros(1)
    with pytest.raises(ValueError, match=r"cell"):
        spatial.bin_counts(x, x, None, 0.0, 0.0, cell, width, height)
    with pytest.raises(ValueError, match=r"cell"):
        spatial.bin_index(x, x, 0.0, 0.0, cell, width, height)


def test_unequal_lengths_are_refused() -> None:
    one, two = np.zeros(1), np.zeros(2)
    with pytest.raises(ValueError, match="differ in length"):
        spatial.bin_counts(one, two, None, 0.0, 0.0, 1.0, 1, 1)
    with pytest.raises(ValueError, match="differ in length"):
        spatial.bin_counts(two, two, one, 0.0, 0.0, 1.0, 1, 1)
