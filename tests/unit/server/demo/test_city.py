"""The generated city: the same for a seed, whole, and shaped like a city."""

import math
from collections import Counter

import shapely

from server.demo.city import make_city
from server.demo.plane import area, clip, inset, split


def geometries(city, layer):
    return [f.geometry for f in city.features if f.layer == layer]


def test_same_seed_same_city_other_seed_another(city):
    again, other = make_city(7), make_city(8)
    assert again.communities == city.communities
    assert again.bounds == city.bounds
    assert [f.geometry.wkb for f in again.features] == [f.geometry.wkb for f in city.features]
    assert [h.address for c in other.communities for h in c] != [
        h.address for c in city.communities for h in c
    ]


def test_counts(city):
    assert len(city.communities) == 40
    assert sum(map(len, city.communities)) == 900
    count = Counter(f.layer for f in city.features)
    assert count["building"] > 3000
    assert set(count) == {"green", "water", "waterway", "building", "rail", "road", "place"}
    place = Counter(f.cls for f in city.features if f.layer == "place")
    assert place["city"] == 1
    assert place["district"] == 3
    assert place["neighbourhood"] == 40
    assert {"trunk", "primary", "secondary", "tertiary", "residential"} <= {
        f.cls for f in city.features if f.layer == "road"
    }


def test_everything_heated_lies_in_the_bounds_and_has_its_own_address(city):
    homes = [h for c in city.communities for h in c]
    assert all(city.bounds.contains(h.lon, h.lat) for h in homes)
    assert all(city.bounds.contains(lon, lat) for _, lon, lat in city.plants)
    assert len({h.address for h in homes}) == len(homes)
    assert len({(h.street, h.house_number) for h in homes}) == len(homes)
    for h in homes:
        outline = shapely.from_wkb(h.outline_wkb)
        assert outline.is_valid
        assert (
            outline.contains(shapely.Point(h.lon, h.lat))
            or outline.distance(shapely.Point(h.lon, h.lat)) < 1e-4
        )
        assert h.district in {"江北区", "道北区", "道南区"}


def test_no_heated_building_stands_in_the_water_or_on_the_tracks(city):
    water = shapely.union_all([g for g in geometries(city, "water") if g.area > 1e-5])
    rails = shapely.union_all(geometries(city, "rail"))
    shapes = [shapely.from_wkb(h.outline_wkb) for c in city.communities for h in c]
    assert not any(shapely.intersects(water, s) for s in shapes)
    assert not any(shapely.intersects(rails, s) for s in shapes)


def test_buildings_hardly_ever_overlap(city):
    shapes = geometries(city, "building")
    tree = shapely.STRtree(shapes)
    left, right = tree.query(shapes, predicate="overlaps")
    assert (left < right).sum() < len(shapes) * 0.02


def test_streets_are_named_once_and_blocks_are_no_chessboard(city):
    names = [
        f.name for f in city.features if f.layer == "road" and f.cls == "residential" and f.name
    ]
    assert len(names) == len(set(names))
    bearings = Counter()
    for f in city.features:
        if f.layer == "road" and f.cls in {"residential", "tertiary"}:
            (x0, y0), (x1, y1) = f.geometry.coords[0], f.geometry.coords[-1]
            bearings[math.degrees(math.atan2(y1 - y0, (x1 - x0) * 0.69)) % 90 // 10] += 1
    assert len([b for b, n in bearings.items() if n > 10]) >= 6


def test_plane_tools():
    square = [(0.0, 0.0), (10.0, 0.0), (10.0, 10.0), (0.0, 10.0)]
    assert area(square) == 100
    assert area(clip(square, (5, 0), (1, 0))) == 50
    left, right = split(square, (5.0, 5.0), 0.0, gap=2)
    assert area(left) == area(right) == 40
    assert area(inset(square, 1)) == 64
    assert inset(square, 6) == []
