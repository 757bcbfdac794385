"""What of a city is drawn at which zoom, and how coarsely: the city cut into shares of work, one or
more per zoom."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.shapes import Geometries, Geometry, array, repaired

Layer = Literal["green", "water", "waterway", "building", "rail", "road", "place"]
LAYERS: tuple[Layer, ...] = get_args(Layer)
ZOOM_MIN, ZOOM_MAX = 9, 15
EXTENT = 4096
"""Units along the side of a tile."""
BUFFER = 64
"""Units drawn beyond a tile's side, so that outlines do not show at the seams."""

ROAD_FROM = {
    "motorway": 9, "trunk": 9, "primary": 9, "secondary": 10, "tertiary": 11,
    "motorway_link": 11, "trunk_link": 11, "primary_link": 12, "secondary_link": 12,
    "tertiary_link": 12, "residential": 12, "unclassified": 12, "living_street": 13,
    "pedestrian": 13, "road": 13, "service": 14, "track": 14, "footway": 14, "path": 14,
    "cycleway": 14, "steps": 15,
}  # fmt: skip
PLACE_FROM = {
    "city": 9, "town": 10, "district": 10, "suburb": 11, "village": 12, "island": 12,
    "neighbourhood": 13, "quarter": 13, "hamlet": 13, "square": 14, "islet": 14, "locality": 14,
}  # fmt: skip
OTHER_FROM: dict[str, dict[str, int]] = {
    "building": {},
    "green": {},
    "water": {},
    "rail": {"rail": 11},
    "waterway": {"river": 9},
}
LAYER_FROM = {
    "green": 10,
    "water": 9,
    "waterway": 12,
    "building": 13,
    "rail": 13,
    "road": 15,
    "place": 15,
}
"""The first zoom of a class that the tables above do not name."""

TOLERANCE = {9: 10, 10: 10, 11: 8, 12: 6, 13: 4, 14: 3, 15: 1}
"""How far a line may move when simplified, in tile units of that zoom."""
BUILDING_SIDE = {13: 40, 14: 20, 15: 8}
"""The side of the smallest building drawn, in tile units: 33, 8 and 1.7 m at Harbin's latitude."""
AREA_SIDE = {"green": 64, "water": 24}

SHARE_FEATURES = 20_000
"""About how many features one share of work holds: a figure of the data, so that the bytes do not
depend on the workers."""


@dataclass(frozen=True, slots=True)
class Feature:
    """One thing on the map; geometry in WGS-84 degrees, height 0 when unknown."""

    layer: Layer
    cls: str
    name: str
    height_m: float
    geometry: Geometry


Kind = tuple[Layer, str, str, int]
"""Layer, class, name and height in metres: what the features of one line have in common."""


@dataclass(frozen=True, slots=True)
class Share:
    """The features of some tile columns of one zoom, in tile units of that zoom's whole world;
    travels to a worker."""

    zoom: int
    west: int
    east: int
    """First and last tile column, both included."""
    kinds: list[Kind]
    kind_of: NDArray[np.int64]
    wkb: NDArray[np.object_]


def mercator(xy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Longitude and latitude (n, 2) to the unit square of web maps: x east, y south, both 0..1
    (EPSG:3857 scaled)."""
    sine = np.sin(np.radians(np.clip(xy[:, 1], -85.0511287798, 85.0511287798)))
    return np.column_stack((xy[:, 0] / 360 + 0.5, 0.5 - np.arctanh(sine) / (2 * np.pi)))


def first_zoom(kind: Kind) -> int:
    """The lowest zoom at which this kind of feature is drawn; ZOOM_MAX + 1 for a class nobody
    draws."""
    layer, cls = kind[:2]
    if layer == "road":
        return ROAD_FROM.get(cls, ZOOM_MAX + 1)
    if layer == "place":
        return PLACE_FROM.get(cls, ZOOM_MAX + 1)
    return OTHER_FROM[layer].get(cls, LAYER_FROM[layer])


def shares(features: Sequence[Feature]) -> Iterator[Share]:
    """The whole work for these features, the heaviest zoom first."""
    kinds: list[Kind] = []
    number: dict[Kind, int] = {}
    kind_of = np.empty(len(features), np.int64)
    for i, f in enumerate(features):
        kind = (f.layer, f.cls, f.name, round(f.height_m))
        if kind not in number:
            number[kind] = len(kinds)
            kinds.append(kind)
        kind_of[i] = number[kind]
    world = repaired(shapely.transform(array([f.geometry for f in features]), mercator))
    start = np.array([first_zoom(k) for k in kinds])[kind_of]
    side = np.array([AREA_SIDE.get(k[0], 0) for k in kinds])[kind_of]
    building = np.array([k[0] == "building" for k in kinds])[kind_of]
    flat = shapely.get_dimensions(world) == 2
    area, box = shapely.area(world), shapely.bounds(world)
    for zoom in range(ZOOM_MAX, ZOOM_MIN - 1, -1):
        scale = EXTENT * 2.0**zoom
        least = np.where(building, BUILDING_SIDE.get(zoom, 0), side)
        chosen = np.flatnonzero((start <= zoom) & (~flat | (area * scale**2 >= least**2)))
        if not len(chosen):
            continue
        yield from _columns(zoom, scale, kinds, kind_of[chosen], world[chosen], box[chosen])


def _columns(
    zoom: int,
    scale: float,
    kinds: list[Kind],
    kind_of: NDArray[np.int64],
    world: Geometries,
    box: NDArray[np.float64],
) -> Iterator[Share]:
    """Cut one zoom into runs of tile columns with about the same number of features."""
    first = np.floor((box[:, 0] * scale - BUFFER) / EXTENT).astype(np.int64)
    last = np.floor((box[:, 2] * scale + BUFFER) / EXTENT).astype(np.int64)
    parts = max(1, round(len(world) / SHARE_FEATURES))
    cuts = np.unique(np.quantile(first, np.arange(parts) / parts, method="lower"))
    for k, west in enumerate(cuts):
        east = cuts[k + 1] - 1 if k + 1 < len(cuts) else last.max()
        mine = np.flatnonzero((first <= east) & (last >= west))
        own, kind = np.unique(kind_of[mine], return_inverse=True)
        scaled = shapely.transform(world[mine], lambda xy: xy * scale)
        yield Share(
            zoom=zoom,
            west=int(west),
            east=int(east),
            kinds=[kinds[i] for i in own],
            kind_of=kind,
            wkb=shapely.to_wkb(scaled),
        )


def simplified(share: Share) -> tuple[Geometries, NDArray[np.int64]]:
    """The share's geometries as they are drawn, and the kind of each: lines of one kind joined
    below zoom 14, corners dropped."""
    shapes, kind_of = shapely.from_wkb(share.wkb), share.kind_of
    if share.zoom < 14:
        shapes, kind_of = _joined(shapes, kind_of)
    points = shapely.get_dimensions(shapes) == 0
    thinner = shapely.simplify(shapes, TOLERANCE[share.zoom], preserve_topology=True)
    return np.where(points, shapes, thinner), kind_of


def _joined(shapes: Geometries, kind_of: NDArray[np.int64]) -> tuple[Geometries, NDArray[np.int64]]:
    """Lines of one kind joined end to end: fewer features and longer labels."""
    lines = shapely.get_dimensions(shapes) == 1
    groups: dict[int, list[int]] = defaultdict(list)
    for i in np.flatnonzero(lines):
        groups[int(kind_of[i])].append(int(i))
    joined: list[Geometry] = list(shapes[~lines])
    kinds: list[int] = kind_of[~lines].tolist()
    for kind, members in groups.items():
        together = shapely.multilinestrings(shapely.get_parts(shapes[members]))
        parts = shapely.get_parts(shapely.line_merge(together))
        joined.extend(parts)
        kinds.extend([kind] * len(parts))
    return array(joined), np.array(kinds, np.int64)
