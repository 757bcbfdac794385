"""Roads as a graph, and times along them against a plain Dijkstra."""

from __future__ import annotations

import heapq

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import roads as roads_module
from geo.road_graph import KMH, STEP_M, RoadGraph, Way, build
from geo.roads import Roads, Unusable
from geo.travel import LONGEST_S, UNKNOWN, TravelModel, completed, seconds

AT = 1_768_345_200
MODEL = TravelModel(detour_pm=1_300, speed_mmps=(6_000,) * 48)
STEP = 0.004  # degrees: some 310 m east, 445 m north
needs_library = pytest.mark.skipif(
    roads_module.pyroutingkit is None, reason="no road library for this platform"
)


def spot(n, columns=6):
    """Where node n of a grid of streets lies."""
    return 126.6 + n % columns * STEP, 45.7 + n // columns * STEP


GRID = {n: spot(n) for n in range(36)}
STREETS = [Way([6 * r + c for c in range(6)], "residential", 0, None) for r in range(6)] + [
    Way([6 * r + c for r in range(6)], "primary", 0, None) for c in range(6)
]


def micro(*where):
    return np.array([[round(x * 1e6), round(y * 1e6)] for x, y in where], np.int32)


def graph_of(ways, where=GRID) -> RoadGraph:
    made = build(ways, where)
    assert made is not None
    return made


def test_long_straights_get_nodes_in_between():
    graph = graph_of(STREETS)
    assert graph.length_mm.max() <= STEP_M * 1_000 + 1
    assert len(graph.tail) == 2 * (30 * 4 + 30 * 5)
    assert int(graph.length_mm.sum()) / 2e3 == pytest.approx(30 * 310.6 + 30 * 444.8, rel=2e-3)


def test_only_what_can_be_reached_and_left_is_road():
    dead_end = Way([35, 100], "service", 1, None)
    island = Way([200, 201], "residential", 0, None)
    where = GRID | {100: (126.65, 45.75), 200: (126.9, 45.9), 201: (126.91, 45.9)}
    assert len(graph_of([*STREETS, dead_end, island], where).places) == len(
        graph_of(STREETS).places
    )
    assert build([Way([0, 1], "service", 1, None)], GRID) is None
    assert build([Way([0, 1], "motorway", 0, None)], GRID) is None, "nobody may stop there"
    assert build([Way([7, 8], "residential", 0, None)], {}) is None
    assert build([], {}) is None


def test_a_node_without_a_place_cuts_its_way():
    where = {n: p for n, p in GRID.items() if n != 2}
    cut = graph_of([STREETS[0]], where)
    assert len(cut.places) == 3 + 2 * 3, "from 3 to 5, with three in between each"


def test_speeds_of_classes_and_limits():
    def free_kmh(cls, limit):
        return graph_of([Way([0, 1], cls, 0, limit)]).free_mmps[0] * 0.0036

    assert free_kmh("residential", None) == pytest.approx(KMH["residential"], abs=0.01)
    assert free_kmh("residential", 50) == pytest.approx(45, abs=0.01)
    assert free_kmh("residential", 2) == pytest.approx(5, abs=0.01)
    assert free_kmh("primary", 400) == pytest.approx(100, abs=0.01)


# ---------------------------------------------------------------- times
def dijkstra(graph, weights, start):
    """Plainly."""
    out = {}
    for a, b, w in zip(graph.tail.tolist(), graph.head.tolist(), weights.tolist(), strict=True):
        out.setdefault(a, []).append((b, w))
    far = {start: 0}
    heap = [(0, start)]
    while heap:
        d, a = heapq.heappop(heap)
        if d > far[a]:
            continue
        for b, w in out.get(a, []):
            if d + w < far.get(b, 1 << 60):
                far[b] = d + w
                heapq.heappush(heap, (d + w, b))
    return far


@needs_library
@settings(max_examples=25, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.lists(st.integers(0, 35), min_size=2, max_size=8),
            st.sampled_from(sorted(KMH)),
            st.sampled_from([-1, 0, 0, 1]),
            st.sampled_from([None, 30, 80]),
        ),
        max_size=8,
    ),
    st.integers(2_000, 15_000),
)
def test_times_are_those_of_the_quickest_way(drawn, speed):
    graph = graph_of([*STREETS, *(Way(*way) for way in drawn)])
    roads = Roads(graph)
    model = TravelModel(speed_mmps=(speed,) * 48)
    _, first, times = np.unique(graph.places, axis=0, return_index=True, return_counts=True)
    alone = first[times == 1]  # two roads may cross without meeting
    nodes = np.sort(alone[graph.stops[alone]])[::29][:6]
    found = roads.times(model, graph.places[nodes], graph.places[nodes], AT, 300)
    weights = roads._weights(speed, roads.middle_mmps)
    for i, node in enumerate(nodes.tolist()):
        far = dijkstra(graph, weights, node)
        for j, to in enumerate(nodes.tolist()):
            assert found[i, j] == -(-far[to] // 1_000)


@needs_library
def test_journeys_take_on_average_what_the_fixes_say():
    graph = graph_of(STREETS)
    roads = Roads(graph)
    far = graph.places[np.flatnonzero(graph.stops)[::7]]
    for speed in (3_000, 6_000, 12_000):
        model = TravelModel(detour_pm=1_300, speed_mmps=(speed,) * 48)
        found = roads.times(model, far, far, AT, 300)
        straight = seconds(model, far, far, AT)
        assert found.sum() == pytest.approx(straight.sum(), rel=0.15)


@needs_library
def test_a_one_way_street_is_a_way_round():
    ring = [Way([0, 5, 35, 30, 0], "secondary", 1, None)]
    roads = Roads(graph_of(ring))
    a, b = micro(spot(0)), micro(spot(5))
    there = roads.times(MODEL, a, b, AT, 300)
    back = roads.times(MODEL, b, a, AT, 300)
    assert back[0, 0] > 2 * there[0, 0] > 0


@needs_library
def test_off_the_roads_it_is_great_circle_and_told():
    roads = Roads(graph_of(STREETS))
    near, far = spot(7), (126.5, 45.9)
    where = micro(near, spot(28), far)
    found = roads.times(MODEL, where, where, AT, 300)
    assert (found[2] == UNKNOWN).all()
    assert (found[:, 2] == UNKNOWN).all()
    whole, patched = completed(found, MODEL, where, where, AT)
    straight = seconds(MODEL, where, where, AT)
    assert patched == 5
    assert (whole[2] == straight[2]).all()
    assert (whole[:, 2] == straight[:, 2]).all()
    assert (whole[:2, :2] == found[:2, :2]).all()
    assert found[0, 1] != straight[0, 1]
    assert (np.diag(whole) == 0).all()
    assert (roads.times(MODEL, micro(far), where, AT, 300) == UNKNOWN).all()
    assert roads.times(MODEL, where[:0], where, AT, 300).shape == (0, 3)


@needs_library
def test_a_yard_is_reached_at_a_walk():
    roads = Roads(graph_of(STREETS))
    x, y = spot(7)
    at_road, in_yard = micro((x, y)), micro((x - 0.0006, y - 0.0006))
    to = micro(spot(35))
    direct = roads.times(MODEL, at_road, to, AT, 300)
    yard = roads.times(MODEL, in_yard, to, AT, 300)
    assert yard[0, 0] - direct[0, 0] >= 46.6 / 2.5, "47 m from the nearest street"
    both = roads.times(MODEL, at_road, micro((x + 0.0001, y)), AT, 300)
    assert both[0, 0] <= 5, "neighbours on one spot of the road"


@needs_library
def test_an_endless_way_counts_as_the_longest():
    slow = [Way([0, 5, 35, 30, 0], "track", 0, 5)]
    roads = Roads(graph_of(slow, {0: (120, 45), 5: (121, 45), 35: (121, 46), 30: (120, 46)}))
    model = TravelModel(speed_mmps=(1_000,) * 48)
    found = roads.times(model, micro((120, 45)), micro((121, 46)), AT, 300)
    assert 100_000 < found[0, 0] <= LONGEST_S


def test_without_the_library_roads_say_so(monkeypatch):
    monkeypatch.setattr(roads_module, "pyroutingkit", None)
    with pytest.raises(Unusable) as refused:
        Roads(graph_of(STREETS))
    assert refused.value.code == "no_library"
