"""A small city on a river, written as an OpenStreetMap file the way extract tools cut one: at its
box, with ways that run out of it and relations whose members are partly missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import osmium
import pytest

WEST, SOUTH, EAST, NORTH = 126.60, 45.75, 126.64, 45.78
AWAY = 9_000_000
"""Nodes from this number on lie outside the box: ways name them, the file does not hold them."""


class CityWriter:
    """Collects nodes, ways and relations, and writes them in the order of the format."""

    def __init__(self) -> None:
        self.nodes: list[osmium.osm.mutable.Node] = []
        self.ways: list[osmium.osm.mutable.Way] = []
        self.relations: list[osmium.osm.mutable.Relation] = []
        self.away = AWAY

    def node(self, lon: float, lat: float, **tags: str) -> int:
        number = len(self.nodes) + 1
        self.nodes.append(
            osmium.osm.mutable.Node(id=number, location=(lon, lat), tags=tags, version=1)
        )
        return number

    def outside(self) -> int:
        self.away += 1
        return self.away

    def way(self, nodes: list[int], version: int = 2, **tags: str) -> int:
        number = len(self.ways) + 1
        keyed = {k.replace("__", ":"): v for k, v in tags.items()}
        self.ways.append(
            osmium.osm.mutable.Way(id=number, nodes=nodes, tags=keyed, version=version)
        )
        return number

    def line(self, *points: tuple[float, float] | None, **tags: str) -> int:
        return self.way([self.outside() if p is None else self.node(*p) for p in points], **tags)

    def box(self, lon: float, lat: float, width: float, height: float, /, **tags: str) -> int:
        corners = [(0, 0), (width, 0), (width, height), (0, height)]
        nodes = [self.node(lon + x, lat + y) for x, y in corners]
        return self.way([*nodes, nodes[0]], **tags)

    def relation(self, members: list[tuple[str, int, str]], **tags: str) -> int:
        number = len(self.relations) + 1
        self.relations.append(
            osmium.osm.mutable.Relation(id=number, members=members, tags=tags, version=2)
        )
        return number

    def write(self, path: Path, *, box: bool = True) -> Path:
        header = osmium.io.Header()
        if box:
            header.add_box(osmium.osm.Box(WEST, SOUTH, EAST, NORTH))
        with osmium.SimpleWriter(str(path), header=header) as writer:
            for node in self.nodes:
                writer.add_node(node)
            for way in self.ways:
                writer.add_way(way)
            for relation in self.relations:
                writer.add_relation(relation)
        return path


def riverside() -> CityWriter:
    """Two districts either side of a river that the box cuts twice, streets, and 120 buildings."""
    city = CityWriter()
    south_bank = city.line(None, (126.6005, 45.768), (126.62, 45.769), (126.6395, 45.768), None)
    north_bank = city.line(None, (126.6395, 45.772), (126.62, 45.773), (126.6005, 45.772), None)
    island = city.box(126.615, 45.770, 0.004, 0.001)
    city.relation(
        [("w", south_bank, "outer"), ("w", north_bank, "outer"), ("w", island, "inner")],
        type="multipolygon", natural="water", water="river", name="松花江",
    )  # fmt: skip
    middle = city.line(None, (126.6005, 45.7705), (126.6395, 45.7705), None)
    for name, lat in (("道里区", 45.757), ("松北区", 45.776)):
        seat = city.node(126.62, lat, place="city", capital="6", name=name)
        city.relation(
            [("w", middle, "outer"), ("n", seat, "admin_centre")],
            type="boundary", boundary="administrative", admin_level="6", name=name,
        )  # fmt: skip
    city.node(126.621, 45.7655, place="city", name="Harbin", **{"name:zh": "哈尔滨市"})
    city.node(126.61, 45.758, place="suburb", name="经纬街道")
    city.node(126.63, 45.758, place="suburb", name="尚志街道")
    city.line(None, (126.6005, 45.755), (126.6395, 45.755), None, highway="primary", name="经纬街")
    city.line((126.62, 45.751), (126.62, 45.768), highway="secondary", name="中央大街")
    city.line((126.603, 45.7523), (126.637, 45.7523), highway="footway")
    city.box(126.605, 45.760, 0.006, 0.004, leisure="park", name="兆麟公园")
    for row in range(10):
        for column in range(12):
            city.box(
                126.603 + column * 0.0025, 45.7535 + row * 0.0005, 0.0008, 0.0002,
                building="apartments", building__levels="7",
            )  # fmt: skip
    city.box(
        126.612, 45.7662, 0.0009, 0.0004,
        building="school", addr__street="友谊路", addr__housenumber="12", height="21 m",
    )  # fmt: skip
    city.box(126.622, 45.7662, 0.0009, 0.0004, building="church", name="索菲亚教堂")
    city.box(126.6212, 45.7674, 0.0009, 0.0004, building="dormitory", name="4号楼")
    outer = city.box(126.630, 45.7762, 0.002, 0.001)
    hole = city.box(126.6305, 45.7764, 0.001, 0.0005)
    city.relation(
        [("w", outer, "outer"), ("w", hole, "inner")],
        type="multipolygon", building="hospital", name="江北医院",
    )  # fmt: skip
    return city


@pytest.fixture
def city() -> CityWriter:
    return riverside()


@pytest.fixture
def city_file(tmp_path: Path, city: CityWriter) -> Path:
    return city.write(tmp_path / "riverside.osm.pbf")


@pytest.fixture
def new_city() -> Callable[[], CityWriter]:
    return CityWriter
