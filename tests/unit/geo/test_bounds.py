"""Boxes of degrees."""

from __future__ import annotations

import math

import pytest

from geo.bounds import Bounds


def test_center_and_contains():
    box = Bounds(126, 45, 127, 46)
    assert box.center == (126.5, 45.5)
    assert box.contains(126, 46)
    assert not box.contains(126.5, 46.01)
    assert Bounds.around([(127, 45), (126, 45.5), (126.2, 46)]) == box


@pytest.mark.parametrize(
    "sides", [(127, 45, 126, 46), (126, 46, 127, 45), (0, 0, 181, 1), (0, 0, math.nan, 1)]
)
def test_what_is_no_box_is_refused(sides):
    with pytest.raises(ValueError, match="bounds"):
        Bounds(*sides)


def test_no_points_no_box():
    with pytest.raises(ValueError):  # noqa: PT011 - zip's own words
        Bounds.around([])
