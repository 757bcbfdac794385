"""Drawn streets become roads: joined where they cross and where they end."""

from __future__ import annotations

import numpy as np
import pytest

from geo.road_graph import build
from geo.road_lines import ways_of
from geo.shapes import line
from server.demo.city import make_city

EAST, NORTH = 0.001 / 77.6, 0.001 / 111.2
"""Degrees of a metre."""


def street(*points, cls="residential"):
    """By metres from a corner."""
    return cls, line([(126.6 + x * EAST * 1_000 / 1_000, 45.7 + y * NORTH) for x, y in points])


def graph_of(*streets):
    return build(*ways_of(streets))


def reach_m(graph):
    """West to east, south to north."""
    span = np.ptp(graph.places, axis=0) / 1e6
    return span[0] / EAST, span[1] / NORTH


def test_a_crossing_is_a_junction():
    graph = graph_of(street((0, 100), (400, 100)), street((200, 0), (200, 600)))
    assert reach_m(graph) == pytest.approx((400, 600), abs=3)
    assert int(graph.length_mm.sum()) / 2_000 == pytest.approx(1_000, abs=5)


def test_a_street_ends_in_the_one_it_nearly_reaches_and_not_in_one_farther():
    avenue = street((0, 0), (800, 0))
    assert reach_m(graph_of(avenue, street((300, 9), (300, 400))))[1] == pytest.approx(400, abs=3)
    assert reach_m(graph_of(avenue, street((300, 20), (300, 400))))[1] == 0


def test_footpaths_and_nothing_are_no_roads():
    assert graph_of(street((0, 0), (100, 0), cls="footway")) is None
    assert graph_of() is None


def test_two_streets_on_one_line_do_no_harm():
    graph = graph_of(street((0, 0), (400, 0)), street((200, 0), (700, 0)))
    assert reach_m(graph)[0] == pytest.approx(700, abs=3)


def test_the_generated_city_is_one_network():
    city = make_city(1)
    drawn = [(f.cls, f.geometry) for f in city.features if f.layer == "road"]
    ways, where = ways_of(drawn)
    graph = build(ways, where)
    assert graph is not None
    total = sum(graph.length_mm.tolist()) / 2e6
    assert len(graph.places) > 0.95 * len(where), "but for lanes within yards"
    homes = np.array([(h.lon, h.lat) for c in city.communities for h in c]) * 1e6
    stops = graph.places[graph.stops]
    apart = [np.hypot(*((stops - home) / 1e6 / (EAST, NORTH)).T).min() for home in homes[::7]]
    assert max(apart) < 300, "every heated building has its road"
    assert 100 < total < 2_000, "kilometres"
