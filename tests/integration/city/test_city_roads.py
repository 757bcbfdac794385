"""The roads of an imported city: which ways vans may use, the file beside the tiles, and times on
real extracts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from geo import roads as roads_module
from geo.roads import Roads
from geo.travel import TravelModel, seconds
from server.adapters.road_files import UnreadableRoads, read_roads, roads_beside, write_roads
from server.sources import osm_roads
from server.sources.city_import import import_city

SHARED = Path(__file__).parents[3].parent / "shared/data/city"
needs_library = pytest.mark.skipif(
    roads_module.pyroutingkit is None, reason="no road library for this platform"
)


def quiet(step, done):
    """Nobody watches."""


@pytest.fixture
def kept(new_city, tmp_path):
    """How many arcs lead along one street with these tags, forward and back, and its speed."""

    def arcs(**tags):
        city = new_city()
        a, b = city.node(126.610, 45.76), city.node(126.611, 45.76)
        # a street beside it, so that a one-way one leads back
        city.way([a, b], **tags)
        city.way([a, city.node(126.6105, 45.761), b], highway="tertiary")
        graph = osm_roads.read_roads(city.write(tmp_path / "street.osm.pbf"))
        where = (graph.places[:, 1] == 45_760_000).nonzero()[0].tolist()
        on = np.isin(graph.tail, where) & np.isin(graph.head, where)
        east = graph.places[graph.head[on], 0] > graph.places[graph.tail[on], 0]
        speed = graph.free_mmps[on] * 0.0036
        return bool(east.any()), bool((~east).any()), round(float(speed[0])) if on.any() else None

    return arcs


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, (True, True, 25)),
        ({"highway": "residential", "oneway": "yes"}, (True, False, 25)),
        ({"highway": "residential", "oneway": "-1"}, (False, True, 25)),
        ({"highway": "motorway"}, (True, False, 80)),
        ({"highway": "motorway", "oneway": "no"}, (True, True, 80)),
        ({"highway": "primary", "junction": "roundabout"}, (True, False, 50)),
        ({"highway": "service", "access": "private"}, (True, True, 12)),
        ({"highway": "residential", "access": "no"}, (False, False, None)),
        ({"highway": "residential", "access": "no", "motor_vehicle": "yes"}, (True, True, 25)),
        ({"highway": "footway"}, (False, False, None)),
        ({"highway": "residential", "area": "yes"}, (False, False, None)),
        ({"highway": "primary", "maxspeed": "60"}, (True, True, 54)),
        ({"highway": "primary", "maxspeed": "30 mph"}, (True, True, 43)),
        ({"highway": "primary", "maxspeed": "CN:urban"}, (True, True, 50)),
        ({"highway": "primary", "maxspeed": "0"}, (True, True, 50)),
    ],
)  # fmt: skip
def test_which_ways_vans_may_use(kept, tags, expected):
    assert kept(**tags) == expected


def test_the_import_lays_the_roads_beside_the_tiles(city_file, tmp_path):
    made = import_city(city_file, tmp_path, None, quiet, workers=1)
    graph = read_roads(roads_beside(made.tiles))
    assert made.road_nodes == len(graph.places) > 30
    # the avenue and the main street, which cross without a common node: the longer one stays
    assert graph.places[:, 1].min() == graph.places[:, 1].max() == 45_755_000
    first = roads_beside(made.tiles).read_bytes()
    write_roads(graph, roads_beside(made.tiles))
    assert roads_beside(made.tiles).read_bytes() == first


def test_a_city_without_roads_is_imported_all_the_same(new_city, tmp_path):
    city = new_city()
    city.box(126.61, 45.76, 0.001, 0.001, building="yes")
    made = import_city(city.write(tmp_path / "x.osm.pbf"), tmp_path, "城", quiet, workers=1)
    assert made.road_nodes == 0
    assert not roads_beside(made.tiles).exists()


def test_a_file_that_names_what_it_has_not_is_refused(city_file, tmp_path):
    made = import_city(city_file, tmp_path, None, quiet, workers=1)
    graph = read_roads(roads_beside(made.tiles))
    for name, wrong in (
        ("head", graph.head + 10**6), ("free_mmps", graph.free_mmps * 0), ("tail", graph.tail[1:]),
        ("stops", graph.stops & False), ("places", graph.places * 0 + 190_000_000),
        ("places", graph.places[:0]),
    ):  # fmt: skip
        parts = {k: getattr(graph, k) for k in graph.__slots__} | {name: wrong}
        write_roads(type(graph)(**parts), tmp_path / "wrong.roads")
        with pytest.raises(UnreadableRoads):
            read_roads(tmp_path / "wrong.roads")


@needs_library
@pytest.mark.parametrize("name", ["harbin", "helsinki-centre"])
def test_times_on_a_real_city(name, tmp_path):
    path = SHARED / f"{name}.osm.pbf"
    if not path.exists():
        pytest.skip(f"no extract of {name} beside the checkout")
    graph = osm_roads.read_roads(path)
    write_roads(graph, tmp_path / "x.roads")
    again = read_roads(tmp_path / "x.roads")
    for part in graph.__slots__:
        assert (getattr(again, part) == getattr(graph, part)).all()
    roads = Roads(again)
    chance = np.random.default_rng(5)
    nodes = np.flatnonzero(graph.stops)
    where = graph.places[chance.choice(nodes, 120)] + chance.integers(-300, 300, (120, 2))
    where = where.astype(np.int32)
    model = TravelModel()
    found = roads.times(model, where, where, 1_768_345_200, 300)
    straight = seconds(model, where, where, 1_768_345_200)
    assert found.min() == 0
    assert (np.diag(found) == 0).all()
    ratio = found.sum() / straight.sum()
    assert 0.6 < ratio < 1.7, "roads and great circles agree on what a journey takes"
    # by way of a third place it is never quicker, but for the walk to its door and a rounding
    a, b, c = chance.integers(0, 120, (3, 500))
    assert (found[a, c] <= found[a, b] + found[b, c] + 40).all()
