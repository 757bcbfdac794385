"""Sharpness and light against the same written with numpy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from ext.exposure import exposure

Grey = NDArray[np.uint8]


def plainly(grey: Grey, dark: int, bright: int) -> tuple[float, float, float, float]:
    g = grey.astype(np.int64)
    steps = g[:-2, 1:-1] + g[2:, 1:-1] + g[1:-1, :-2] + g[1:-1, 2:] - 4 * g[1:-1, 1:-1]
    return (steps.var(), g.mean(), (g < dark).mean(), (g > bright).mean())


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(3, 12), st.integers(3, 40))),
    st.integers(0, 256),
    st.integers(-1, 255),
)
def test_it_is_the_sums_as_written(grey: Grey, dark: int, bright: int) -> None:
    found = exposure(grey, dark, bright)
    assert found == pytest.approx(plainly(grey, dark, bright), rel=1e-12, abs=1e-9)


def test_wide_pictures_of_the_sharpest_pattern_do_not_overflow() -> None:
    y, x = np.mgrid[:6, :5000]
    grey = ((x + y) % 2 * 255).astype(np.uint8)
    assert exposure(grey) == pytest.approx(plainly(grey, 8, 247), rel=1e-12)
    assert exposure(grey)[2:] == (0.5, 0.5)


def test_a_plain_picture_is_not_sharp_and_blur_makes_any_less_so() -> None:
    assert exposure(np.full((9, 9), 120, np.uint8)) == (0.0, 120.0, 0.0, 0.0)
    noise = np.random.default_rng(1).integers(0, 256, (64, 64)).astype(np.float64)
    blurred = (noise + np.roll(noise, 1, 0) + np.roll(noise, 1, 1)) / 3
    sharp, soft = exposure(noise.astype(np.uint8))[0], exposure(blurred.astype(np.uint8))[0]
    assert soft < sharp / 2


@pytest.mark.parametrize("shape", [(2, 9), (9, 2), (0, 0)])
def test_too_small_a_picture_is_refused(shape: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="3 x 3"):
        exposure(np.zeros(shape, np.uint8))
