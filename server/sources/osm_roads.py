"""The roads of an OpenStreetMap file that vans may use, as a graph."""

from __future__ import annotations

import re
from pathlib import Path

import osmium

from geo.road_graph import KMH, RoadGraph, Way, build

ONE_WAY = {"yes": 1, "true": 1, "1": 1, "-1": -1, "reverse": -1, "no": 0}
CLOSED = frozenset({"no", "agricultural", "forestry"})
"""Values of access keys behind which no van comes. Private ground stays open: that is where
substations and yards are."""
_MPH = 1.609344


def read_roads(path: Path) -> RoadGraph | None:
    """The roads of a whole PBF file; None where it has none. Turn restrictions are not heard.

    Raises OSError or RuntimeError (osmium's) when the file cannot be read.
    """
    ways: list[Way] = []
    where: dict[int, tuple[float, float]] = {}
    objects = osmium.FileProcessor(str(path), osmium.osm.NODE | osmium.osm.WAY).with_locations()
    for way in objects.with_filter(osmium.filter.KeyFilter("highway")):
        if not isinstance(way, osmium.osm.Way) or not _open(way.tags):
            continue
        nodes = []
        for node in way.nodes:
            nodes.append(node.ref)
            if node.location.valid():
                where[node.ref] = (node.location.lon, node.location.lat)
        ways.append(Way(nodes, way.tags["highway"], _oneway(way.tags), _limit(way.tags)))
    return build(ways, where)


def _open(tags: osmium.osm.TagList) -> bool:
    if tags.get("highway") not in KMH or tags.get("area") == "yes":
        return False
    # the narrower key speaks last
    for key in ("motor_vehicle", "vehicle", "access"):
        if key in tags:
            return tags.get(key) not in CLOSED
    return True


def _oneway(tags: osmium.osm.TagList) -> int:
    said = ONE_WAY.get(tags.get("oneway") or "")
    if said is not None:
        return said
    return int(tags.get("junction") in {"roundabout", "circular"} or tags["highway"] == "motorway")


def _limit(tags: osmium.osm.TagList) -> int | None:
    """The posted limit in km/h, as far as it is a number."""
    said = re.fullmatch(r"(\d{1,3})(\s*mph)?(\s*km/?h)?", tags.get("maxspeed") or "")
    if said is None or int(said[1]) == 0:
        return None
    return round(int(said[1]) * _MPH) if said[2] else int(said[1])
