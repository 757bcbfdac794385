"""Points in fences beside shapely, fences that share their edges, and metres beside a geodesic."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from pyproj import Geod

from ext.fence import Fences, signed_distance_m

Floats = NDArray[np.float64]
Rings = list[Floats]
EARTH = Geod(ellps="WGS84")


def star(random: np.random.Generator, x: float, y: float, size: float, corners: int) -> Floats:
    """A ring that does not cross itself, and is hardly ever convex."""
    angle = np.sort(random.uniform(0, 2 * np.pi, corners))
    reach = size * random.uniform(0.2, 1.0, corners)
    return np.column_stack([x + reach * np.cos(angle), y + reach * np.sin(angle)])


def held(fences: Fences, x: Floats, y: Floats) -> set[tuple[int, int]]:
    points, numbers = fences.pairs(x, y)
    assert points.dtype == np.int64
    assert numbers.dtype == np.int32
    pairs = list(zip(points.tolist(), numbers.tolist(), strict=True))
    assert pairs == sorted(set(pairs))
    return set(pairs)


@settings(deadline=None, max_examples=60)
@given(st.integers(0, 2**32 - 1), st.integers(1, 40), st.floats(0.01, 8.0))
def test_the_pairs_are_those_of_shapely(seed: int, count: int, size: float) -> None:
    random = np.random.default_rng(seed)
    fences: list[Rings] = []
    shapes = []
    for _ in range(count):
        x, y = random.uniform(0, 10, 2)
        ring = star(random, x, y, size, int(random.integers(3, 60)))
        shape = shapely.Polygon(ring)
        if not shape.is_valid:
            continue
        fences.append([ring])
        shapes.append(shape)
    x, y = random.uniform(-1, 11, (2, 500))
    tree = shapely.STRtree(shapely.points(x, y))
    found, inside = tree.query(shapes, predicate="contains") if shapes else ([], [])
    expected = {(int(p), int(f)) for f, p in zip(found, inside, strict=True)}
    assert held(Fences(fences), x, y) == expected


def test_holes_and_parts_are_rings_like_any_other() -> None:
    outer = np.array([(0, 0), (10, 0), (10, 10), (0, 10)], float)
    hole = outer[::-1] * 0.4 + 3
    far = outer + np.array((20, 5))
    x, y = np.array([5.0, 1.0, 25.0, 15.0]), np.array([5.0, 1.0, 9.0, 5.0])
    assert held(Fences([[outer, hole, far]]), x, y) == {(1, 0), (2, 0)}


@pytest.mark.parametrize("turn", [0.0, 0.3])
def test_of_fences_that_share_their_edges_each_point_is_in_one(turn: float) -> None:
    """A tiling: also of points on edges and corners none is lost and none counted twice."""
    cos, sin = np.cos(turn), np.sin(turn)
    corner = np.stack(np.meshgrid(np.arange(9.0), np.arange(9.0)), axis=-1) @ [
        [cos, sin],
        [-sin, cos],
    ]
    fences = [
        [np.array([corner[r, c], corner[r, c + 1], corner[r + 1, c + 1], corner[r + 1, c]])]
        for r in range(8)
        for c in range(8)
    ]
    edge = (corner[1:-1, 1:-1] + corner[1:-1, 2:]) / 2
    within = np.random.default_rng(1).uniform(0.1, 7.9, (2000, 2)) @ [[cos, sin], [-sin, cos]]
    spots = np.concatenate([corner[1:-1, 1:-1].reshape(-1, 2), edge.reshape(-1, 2), within])
    pairs = held(Fences(fences), spots[:, 0].copy(), spots[:, 1].copy())
    assert sorted(point for point, _ in pairs) == list(range(len(spots)))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 2**32 - 1))
def test_points_on_the_lines_of_the_grid_are_where_they_are(seed: int) -> None:
    """Whole numbers everywhere: corners, edges, cells and points fall together."""
    random = np.random.default_rng(seed)
    fences = [
        [random.integers(0, 9, (int(random.integers(3, 7)), 2)).astype(float)] for _ in range(6)
    ]
    x, y = (
        axis.ravel().astype(float) for axis in np.meshgrid(np.arange(-1, 10), np.arange(-1, 10))
    )
    together = held(Fences(fences), x, y)
    for number, rings in enumerate(fences):
        alone = {(point, number) for point, _ in held(Fences([rings]), x, y)}
        assert alone == {pair for pair in together if pair[1] == number}
        signed = {i for i in range(len(x)) if signed_distance_m(rings, x[i], y[i]) < 0}
        on = {i for i in range(len(x)) if signed_distance_m(rings, x[i], y[i]) == 0}
        assert signed | on >= {point for point, _ in alone} >= signed


def test_flat_tiny_far_and_no_fences() -> None:
    x, y = np.array([0.0, 5e6, np.nan, 0.0]), np.array([0.0, 5e6, 0.0, np.nan])
    assert held(Fences([]), x, y) == set()
    flat = [np.array([(0, 0), (1, 0), (2, 0)], float)]
    point = [np.zeros((3, 2))]
    tiny = [np.array([(-1, -1), (1, -1), (0, 1)]) * 1e-9]
    far = [np.array([(-1, -1), (1, -1), (0, 1)]) + 5e6]
    assert held(Fences([flat, point, tiny, far]), x, y) == {(0, 2), (1, 3)}
    assert len(Fences([flat, far])) == 2
    assert held(Fences([far]), np.empty(0), np.empty(0)) == set()


@pytest.mark.parametrize(
    "rings",
    [
        [],
        [np.zeros((2, 2))],
        [np.zeros((3, 3))],
        [np.full((3, 2), np.nan)],
        [np.full((3, 2), np.inf)],
    ],
)
def test_what_is_no_fence_is_refused(rings: Rings) -> None:
    with pytest.raises(ValueError, match="ring"):
        Fences([rings])
    with pytest.raises(ValueError, match="ring"):
        signed_distance_m(rings, 0.0, 0.0)


def test_unequal_lengths_and_impossible_places_are_refused() -> None:
    square = [np.array([(0, 0), (1, 0), (1, 1), (0, 1)], float)]
    with pytest.raises(ValueError, match="differ in length"):
        Fences([square]).pairs(np.zeros(1), np.zeros(2))
    for lon, lat in ((181.0, 0.0), (0.0, 90.5), (np.nan, 0.0), (0.0, np.nan)):
        with pytest.raises(ValueError, match="longitude"):
            signed_distance_m(square, lon, lat)


@settings(deadline=None, max_examples=80)
@given(st.floats(74, 135), st.floats(18, 53.5), st.floats(0, 360), st.floats(0.5, 5000))
def test_metres_are_those_of_a_geodesic(lon: float, lat: float, way: float, metres: float) -> None:
    """A thin triangle whose near corner lies so many metres away that way."""
    rings = [
        np.array([
            EARTH.fwd(lon, lat, way, metres)[:2],
            EARTH.fwd(lon, lat, way - 0.5, metres + 200)[:2],
            EARTH.fwd(lon, lat, way + 0.5, metres + 200)[:2],
        ])
    ]  # fmt: skip
    assert signed_distance_m(rings, lon, lat) == pytest.approx(metres, rel=2e-3, abs=0.01)


def test_inside_is_negative_and_holes_have_outlines_too() -> None:
    """A yard of 100 m by 60 m with a court of 20 m by 20 m in its middle."""
    lon, lat = 126.63, 45.76

    def ring(wide: float, tall: float) -> Floats:
        east = EARTH.fwd(lon, lat, 90, wide / 2)[0] - lon
        north = EARTH.fwd(lon, lat, 0, tall / 2)[1] - lat
        return np.array([
            (lon - east, lat - north), (lon + east, lat - north), (lon + east, lat + north),
            (lon - east, lat + north),
        ])  # fmt: skip

    yard, court = ring(100, 60), ring(20, 20)
    assert signed_distance_m([yard], lon, lat) == pytest.approx(-30, abs=0.01)
    assert signed_distance_m([yard, court], lon, lat) == pytest.approx(10, abs=0.01)
    east = EARTH.fwd(lon, lat, 90, 80)[0]
    assert signed_distance_m([yard, court], east, lat) == pytest.approx(30, abs=0.01)
    east = EARTH.fwd(lon, lat, 90, 45)[0]
    assert signed_distance_m([yard, court], east, lat) == pytest.approx(-5, abs=0.01)
