"""What an OpenStreetMap file in PBF holds of a city: everything drawn, and the tags of its
buildings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import osmium

from geo.assemble import Chain, assemble
from geo.bounds import Bounds
from geo.generalise import PLACE_FROM, ROAD_FROM, Layer
from geo.shapes import Geometries, Geometry, LonLat, array, bounds_of, from_wkb, line
from server.sources.pbf import check_framing, truncated

GREEN = {
    "landuse": {
        "forest", "grass", "meadow", "recreation_ground", "orchard", "village_green", "cemetery",
        "flowerbed",
    },
    "leisure": {"park", "garden", "pitch", "golf_course", "nature_reserve"},
    "natural": {"wood", "scrub", "grassland", "wetland", "heath"},
}  # fmt: skip
WATERWAYS = frozenset({"river", "stream", "canal"})
RAILWAYS = frozenset({"rail", "subway", "light_rail"})
AREA_KEYS = ("building", "natural", "landuse", "leisure", "waterway", "boundary", "place")
KEYS = (*AREA_KEYS, "highway", "railway")
DISTRICT_LEVEL, COMMUNITY_LEVEL = "6", "8"
"""admin_level of a district 区 and of a subdistrict 街道."""
MANY_WAYS = 2_000
"""A PBF file cut between two blobs is a valid one without its last objects, which are the
relations; a real extract of this many ways without any relation is one."""

Kind = tuple[Layer | Literal["admin"], str]


@dataclass(frozen=True, slots=True)
class Thing:
    """One object of the file that is kept, `id` being w, r or n and its number there."""

    id: str
    layer: Layer | Literal["admin"]
    cls: str
    name: str
    tags: dict[str, str]
    """All tags of a building or a place; empty for everything else."""


@dataclass(frozen=True, slots=True)
class Extract:
    """The kept objects; `shapes[i]` is the geometry of `things[i]` in WGS-84 degrees."""

    bounds: Bounds
    things: list[Thing]
    shapes: Geometries
    incomplete: int
    """Areas whose border lies partly outside the file."""
    assembled: int
    """How many of those could still be closed along the file's border."""


@dataclass(frozen=True, slots=True)
class _Wanted:
    """An area that the library may not be able to close: its ways, and a node said to lie
    inside."""

    thing: Thing
    ways: list[int]
    inside: list[int]


@dataclass(slots=True)
class _Found:
    things: list[Thing] = field(default_factory=list)
    hexes: list[str] = field(default_factory=list)
    broken: list[tuple[Thing, list[LonLat]]] = field(default_factory=list)
    closed: set[str] = field(default_factory=set)
    wanted: dict[str, _Wanted] = field(default_factory=dict)
    ways: int = 0
    relations: int = 0
    revised: int = 0
    """Ways that were edited after they were made: a mark of the real OpenStreetMap."""


def read_osm(path: Path, progress: Callable[[str, float], None]) -> Extract:
    """Read a whole PBF file.

    Raises UserError `city_file_not_pbf` or `city_file_truncated`; OSError when it cannot be read.
    """
    check_framing(path)
    progress("read", 0.0)
    source = str(path)
    try:
        found = _scan(source)
        progress("read", 0.7)
        missing = {k: v for k, v in found.wanted.items() if k not in found.closed}
        ways, nodes = _members(source, missing.values())
    except RuntimeError as error:  # osmium's word for everything it cannot unpack
        raise truncated(path) from error
    if found.revised and found.ways >= MANY_WAYS and not found.relations:
        raise truncated(path)
    shapes: list[Geometry] = list(from_wkb(found.hexes))
    things = found.things + [thing for thing, _ in found.broken]
    shapes += [line(run) for _, run in found.broken]
    bounds = _bounds(source, shapes)
    assembled = 0
    for area in missing.values():
        chains: list[Chain] = [[nodes.get(n) for n in ways[w]] for w in area.ways if w in ways]
        inside = next((nodes[n] for n in area.inside if n in nodes), None)
        # the border of a district says nothing of where its inside is; water and parks close on the
        # short way
        if area.thing.layer == "admin" and inside is None:
            continue
        shape = assemble(chains, bounds, inside)
        if shape is not None:
            things.append(area.thing)
            shapes.append(shape)
            assembled += 1
    progress("read", 1.0)
    return Extract(bounds, things, array(shapes), len(missing), assembled)


def _scan(source: str) -> _Found:
    found = _Found()
    factory = osmium.geom.WKBFactory()
    objects = osmium.FileProcessor(source).with_areas(osmium.filter.KeyFilter(*AREA_KEYS))
    for o in objects.with_filter(osmium.filter.KeyFilter(*KEYS)):
        if isinstance(o, osmium.osm.Area):
            if kind := _area_kind(o.tags):
                thing = _thing(("w" if o.from_way() else "r", o.orig_id()), kind, o.tags)
                found.closed.add(thing.id)
                _add(found, thing, factory.create_multipolygon(o))
        elif isinstance(o, osmium.osm.Way):
            found.ways += 1
            found.revised += o.version > 1
            _take_way(o, found, factory)
        elif isinstance(o, osmium.osm.Relation):
            found.relations += 1
            kind = _area_kind(o.tags)
            if kind and o.tags.get("type") in {"multipolygon", "boundary"}:
                thing = _thing(("r", o.id), kind, o.tags)
                # the roles label and admin_centre: what a mapper puts inside the area
                nodes = [m.ref for m in o.members if m.type == "n"]
                ways = [m.ref for m in o.members if m.type == "w"]
                found.wanted[thing.id] = _Wanted(thing, ways, nodes)
        elif isinstance(o, osmium.osm.Node) and (kind := _place_kind(o.tags)):
            _add(found, _thing(("n", o.id), kind, o.tags), factory.create_point(o))
    return found


def _take_way(way: osmium.osm.Way, found: _Found, factory: osmium.geom.WKBFactory) -> None:
    if kind := _line_kind(way.tags):
        thing = _thing(("w", way.id), kind, way.tags)
        try:
            _add(found, thing, factory.create_linestring(way))
        except osmium.InvalidLocationError:  # runs out of the file: the parts inside it stay
            found.broken += [(thing, run) for run in _runs(way)]
        except RuntimeError:  # all its points are one: nothing to draw
            return
    elif way.is_closed() and (kind := _area_kind(way.tags)):
        thing = _thing(("w", way.id), kind, way.tags)
        found.wanted[thing.id] = _Wanted(thing, [way.id], [])


def _add(found: _Found, thing: Thing, wkb: str) -> None:
    found.things.append(thing)
    found.hexes.append(wkb)


def _runs(way: osmium.osm.Way) -> Iterator[list[LonLat]]:
    run: list[LonLat] = []
    for node in way.nodes:
        if node.location.valid():
            run.append((node.location.lon, node.location.lat))
        else:
            if len(run) > 1:
                yield run
            run = []
    if len(run) > 1:
        yield run


def _members(
    source: str, areas: Iterable[_Wanted]
) -> tuple[dict[int, list[int]], dict[int, LonLat]]:
    """The node numbers of the areas' ways and the places of those nodes, as far as the file holds
    them."""
    wanted = {w for a in areas for w in a.ways}
    seeds = {n for a in areas for n in a.inside}
    only_ways = osmium.FileProcessor(source, osmium.osm.WAY)
    ways = {
        o.id: [n.ref for n in o.nodes]
        for o in only_ways.with_filter(osmium.filter.IdFilter(wanted))
        if isinstance(o, osmium.osm.Way)
    }
    ids = seeds.union(*ways.values())
    only_nodes = osmium.FileProcessor(source, osmium.osm.NODE)
    nodes = {
        o.id: (o.location.lon, o.location.lat)
        for o in only_nodes.with_filter(osmium.filter.IdFilter(ids))
        if isinstance(o, osmium.osm.Node)
    }
    return ways, nodes


def _bounds(source: str, shapes: list[Geometry]) -> Bounds:
    """The file's own box where its header names one, else the box around everything kept."""
    with osmium.io.Reader(source) as reader:
        box = reader.header().box()
    if box.valid() and box.size() > 0:
        low, high = box.bottom_left, box.top_right
        return Bounds(low.lon, low.lat, high.lon, high.lat)
    return bounds_of(array(shapes)) if shapes else Bounds(0, 0, 0, 0)


def name_of(tags: osmium.osm.TagList) -> str:
    """The name in Chinese where there is one, else the local name, else nothing."""
    return tags.get("name:zh") or tags.get("name") or ""


def _thing(origin: tuple[str, int], kind: Kind, tags: osmium.osm.TagList) -> Thing:
    all_tags = {t.k: t.v for t in tags} if kind[0] in {"building", "place"} else {}
    return Thing(f"{origin[0]}{origin[1]}", *kind, name_of(tags), all_tags)


def _line_kind(tags: osmium.osm.TagList) -> Kind | None:
    if (road := tags.get("highway")) in ROAD_FROM:
        return "road", road
    if (water := tags.get("waterway")) in WATERWAYS:
        return "waterway", water
    if (rail := tags.get("railway")) in RAILWAYS:
        return "rail", rail
    return None


def _area_kind(tags: osmium.osm.TagList) -> Kind | None:
    building = tags.get("building")
    if building and building != "no":
        return "building", building
    if (
        tags.get("natural") == "water"
        or tags.get("waterway") == "riverbank"
        or tags.get("landuse") in {"reservoir", "basin"}
    ):
        return "water", tags.get("water") or "water"
    for key, values in GREEN.items():
        if (value := tags.get(key)) in values:
            return "green", value
    if tags.get("boundary") == "administrative":
        level = tags.get("admin_level")
        return ("admin", level) if level in {DISTRICT_LEVEL, COMMUNITY_LEVEL} else None
    return _place_kind(tags)


def _place_kind(tags: osmium.osm.TagList) -> Kind | None:
    place = tags.get("place")
    if place not in PLACE_FROM or not name_of(tags):
        return None
    # 区 are often mapped as cities of their own; the seat's level tells
    if place == "city" and DISTRICT_LEVEL in {tags.get("capital"), tags.get("admin_level")}:
        return "place", "district"
    return "place", place
