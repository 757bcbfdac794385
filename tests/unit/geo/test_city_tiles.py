"""What the vector tiles of a small city hold, read back with an independent decoder."""

from __future__ import annotations

import gzip
import math

import mapbox_vector_tile
import numpy as np
import pytest
import shapely
from shapely.geometry import shape

from geo.generalise import BUFFER, EXTENT, ZOOM_MAX, ZOOM_MIN, mercator, shares
from geo.shapes import line, point, polygon
from geo.tiles import Feature, build

LON, LAT = 126.63, 45.75
METRE_LON, METRE_LAT = 1 / 77_700, 1 / 111_150


def at(x, y):
    """Metres from the centre to degrees."""
    return LON + x * METRE_LON, LAT + y * METRE_LAT


def block(x, y, w, h):
    return polygon([[at(x, y), at(x + w, y), at(x + w, y + h), at(x, y + h)]])


def tiles(features, **options):
    return {(z, x, y): data for s in shares(features) for z, x, y, data in build(s, **options)}


def decoded(data):
    layers = mapbox_vector_tile.decode(
        gzip.decompress(data), default_options={"y_coord_down": True}
    )
    return {name: layer["features"] for name, layer in layers.items()}


def tile_at(lon, lat, z):
    ((x, y),) = np.floor(mercator(np.array([[lon, lat]])) * 2**z).astype(int).tolist()
    return z, x, y


CITY = [
    Feature("building", "apartments", "", 18.0, block(0, 0, 60, 15)),
    Feature("building", "garage", "", 0.0, block(100, 0, 4, 5)),
    Feature("road", "primary", "中山路", 0.0, line([at(-900, -50), at(900, -50)])),
    Feature("road", "footway", "", 0.0, line([at(0, -20), at(60, -20)])),
    Feature("water", "river", "松花江", 0.0, block(-9_000, 500, 18_000, 900)),
    Feature("place", "city", "哈尔滨市", 0.0, point(LON, LAT)),
    Feature("place", "suburb", "经纬街道", 0.0, point(*at(200, 200))),
]


def test_mercator_agrees_with_the_textbook_formula():
    x, y = mercator(np.array([[LON, LAT], [0, 0], [-180, 85.0511287798]])).T
    assert x == pytest.approx([LON / 360 + 0.5, 0.5, 0])
    by_hand = 0.5 - math.log(math.tan(math.pi / 4 + math.radians(LAT) / 2)) / (2 * math.pi)
    assert y == pytest.approx([by_hand, 0.5, 0], abs=1e-12)


def test_each_zoom_shows_what_it_can_carry():
    made = tiles(CITY)
    assert {z for z, _, _ in made} == set(range(ZOOM_MIN, ZOOM_MAX + 1))

    def shown(z):
        found = decoded(made[tile_at(LON, LAT - 1e-4, z)])
        return {(layer, f["properties"]["class"]) for layer, fs in found.items() for f in fs} - {
            ("water", "river")
        }

    assert shown(9) == {("road", "primary"), ("place", "city")}
    assert shown(11) == shown(9) | {("place", "suburb")}
    assert ("road", "footway") not in shown(13)
    assert ("road", "footway") in shown(14)
    assert ("building", "garage") not in shown(14)
    assert {("building", "garage"), ("building", "apartments")} <= shown(15)


def test_properties_follow_the_zoom():
    made = tiles(CITY)
    home = tile_at(LON + 3e-4, LAT + 5e-5, 15)
    (block_of_flats,) = [
        f for f in decoded(made[home])["building"] if f["properties"]["class"] == "apartments"
    ]
    assert block_of_flats["properties"] == {"class": "apartments", "h": 18}
    names = {f["properties"].get("name") for f in decoded(made[tile_at(LON, LAT, 9)])["road"]}
    assert names == {"中山路"}


def test_a_river_over_many_tiles_is_whole_and_every_tile_keeps_to_itself():
    (river,) = [f for f in CITY if f.layer == "water"]
    made = tiles([river])
    west, south, east, north = river.geometry.bounds
    for z in (12, 15):
        (x0, y0), (x1, y1) = (
            tile_at(west, north, z)[1:], tile_at(east, south, z)[1:]
        )  # fmt: skip
        area = 0.0
        for x in range(x0, x1 + 1):
            for y in range(y0, y1 + 1):
                (feature,) = decoded(made[z, x, y])["water"]
                part = shape(feature["geometry"])
                assert min(part.bounds) >= -BUFFER
                assert max(part.bounds) <= EXTENT + BUFFER
                area += part.intersection(shapely.box(0, 0, EXTENT, EXTENT)).area
        corners = mercator(np.array([[west, south], [east, north]])) * EXTENT * 2**z
        whole = abs(np.prod(corners[1] - corners[0]))
        assert area == pytest.approx(whole, rel=0.01)


def test_outer_rings_are_wound_as_the_format_asks():
    ring = polygon([[at(0, 0), at(200, 0), at(200, 200), at(0, 200)],
                    [at(50, 50), at(150, 50), at(150, 150), at(50, 150)]])  # fmt: skip
    made = tiles([Feature("green", "park", "", 0.0, ring)])
    (park,) = decoded(made[tile_at(*at(10, 10), 14)])["green"]
    geometry = shape(park["geometry"])
    assert len(geometry.interiors) == 1
    # y points down: what the format calls clockwise has a positive area by the surveyor's formula
    assert geometry.exterior.is_ccw
    assert not geometry.interiors[0].is_ccw


def test_lines_of_one_street_are_joined_below_zoom_14_and_kept_apart_from_others():
    pieces = [
        Feature("road", "primary", "中山路", 0.0, line([at(k * 90, 0), at(k * 90 + 90, 0)]))
        for k in range(5)
    ]
    other = Feature("road", "primary", "经纬街", 0.0, line([at(450, 0), at(540, 0)]))
    made = tiles([*pieces, other])
    assert len(decoded(made[tile_at(*at(200, 0), 12)])["road"]) == 2
    assert len(decoded(made[tile_at(*at(200, 0), 14)])["road"]) == 6


def test_a_crowded_tile_loses_its_smallest_buildings_until_it_fits():
    crowd = [
        Feature("building", "yes", "", 0.0, block(20 * i, 20 * j, 6 + i % 7, 6 + j % 5))
        for i in range(40)
        for j in range(40)
    ]
    street = Feature("road", "primary", "中山路", 0.0, line([at(0, 0), at(800, 800)]))
    full, bounded = tiles([*crowd, street]), tiles([*crowd, street], limit=2_000)
    assert max(map(len, full.values())) > 2_000
    assert max(map(len, bounded.values())) <= 2_000
    key = max(full, key=lambda k: len(full[k]))
    before, after = decoded(full[key]), decoded(bounded[key])
    assert after["road"] == before["road"]
    assert 0 < len(after["building"]) < len(before["building"])

    def areas(layer):
        return sorted(shape(f["geometry"]).area for f in layer)

    kept, all_of_them = areas(after["building"]), areas(before["building"])
    # equal footprints differ by the rounding to whole units
    assert min(kept) > 0.9 * all_of_them[-len(kept)]


def test_the_same_city_gives_the_same_bytes():
    assert tiles(CITY) == tiles(CITY)


def test_a_self_crossing_footprint_is_drawn_all_the_same():
    bow = polygon([[at(0, 0), at(80, 80), at(80, 0), at(0, 80)]])
    made = tiles([Feature("building", "yes", "", 0.0, bow)])
    (drawn,) = decoded(made[tile_at(*at(20, 40), 15)])["building"]
    assert shape(drawn["geometry"]).is_valid


def test_a_class_that_nobody_draws_makes_no_tile():
    assert tiles([Feature("road", "proposed", "", 0.0, line([at(0, 0), at(9, 9)]))]) == {}
    assert tiles([]) == {}
