"""Vector tiles of a share of a city: cut at the tile's border, bounded in bytes, encoded and
compressed."""

from __future__ import annotations

import gzip
from collections.abc import Iterator

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import mvt
from geo.generalise import BUFFER, EXTENT, LAYERS, Feature, Kind, Layer, Share, shares, simplified
from geo.shapes import Geometries, of_dimension

__all__ = ["Feature", "Layer", "Share", "build", "shares"]

TILE_LIMIT = 200 * 1024
"""Bytes of a compressed tile above which its least features are left out."""
CROWD = frozenset({"footway", "path", "steps", "cycleway", "track", "service"})
COLLECTION = 7
"""The type number of a mixed geometry, and of an empty one."""

Tile = tuple[int, int, int, bytes]
"""Zoom, column, row and the compressed tile."""


def build(share: Share, limit: int = TILE_LIMIT) -> Iterator[Tile]:
    """Every tile of the share that is not empty. The same share gives the same bytes."""
    shapes, kind_of = simplified(share)
    box = shapely.bounds(shapes)
    first, last = _span(box, 0)
    for x in range(max(share.west, int(first.min())), min(share.east, int(last.max())) + 1):
        hit = np.flatnonzero((first <= x) & (last >= x))
        if not len(hit):
            continue
        # a column at a time, so that a river across the city is not cut from its whole length for
        # every tile
        strip = _cut(shapes[hit], first[hit], last[hit], x, axis=0)
        kinds = kind_of[hit]
        strip, kinds = _without_empty(strip, kinds)
        top, bottom = _span(shapely.bounds(strip), 1)
        for y in range(int(top.min()), int(bottom.max()) + 1) if len(strip) else ():
            row = np.flatnonzero((top <= y) & (bottom >= y))
            if not len(row):
                continue
            cell, mine = _without_empty(
                _cut(strip[row], top[row], bottom[row], y, axis=1), kinds[row]
            )
            corner = np.array([x * EXTENT, y * EXTENT], float)
            local = shapely.transform(cell, lambda xy, corner=corner: xy - corner)
            data = _bounded(share.zoom, local, [share.kinds[k] for k in mine], limit)
            if data:
                yield share.zoom, x, y, data


def _span(box: NDArray[np.float64], axis: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    low = np.floor((box[:, axis] - BUFFER) / EXTENT).astype(np.int64)
    high = np.floor((box[:, axis + 2] + BUFFER) / EXTENT).astype(np.int64)
    return low, high


def _cut(
    shapes: Geometries, first: NDArray[np.int64], last: NDArray[np.int64], at: int, axis: int
) -> Geometries:
    """The shapes within the tiles `at` along one axis and their buffer."""
    out = shapes.copy()
    over = (first < at) | (last > at)
    low, high = at * EXTENT - BUFFER, (at + 1) * EXTENT + BUFFER
    far = 2.0**40
    box = (low, -far, high, far) if axis == 0 else (-far, low, far, high)
    cut = shapely.clip_by_rect(shapes[over], *box)
    for i in np.flatnonzero(shapely.get_type_id(cut) == COLLECTION):
        # an area that only touches the side leaves lines and points there, which no layer draws
        cut[i] = of_dimension(cut[i], int(shapely.get_dimensions(shapes[over][i])))
    out[over] = cut
    return out


def _without_empty(
    shapes: Geometries, kinds: NDArray[np.int64]
) -> tuple[Geometries, NDArray[np.int64]]:
    full = ~shapely.is_empty(shapes)
    return shapes[full], kinds[full]


def _bounded(zoom: int, shapes: Geometries, kinds: list[Kind], limit: int) -> bytes:
    """The tile's bytes; above the limit the smallest buildings, greens and minor ways go until it
    holds."""
    order = np.arange(len(shapes))
    spare = np.array([k[0] in {"building", "green"} or k[1] in CROWD for k in kinds], bool)
    area = shapely.area(shapes)
    size = np.where(area > 0, area, 8 * shapely.length(shapes))
    size[~spare] = np.inf
    while True:
        data = _encoded(zoom, shapes[order], [kinds[i] for i in order])
        left = int(spare[order].sum())
        if len(data) <= limit or not left:
            return data
        drop = min(left, max(1, int(left * (1 - 0.95 * limit / len(data)))))
        least = np.argsort(size[order], kind="stable")[:drop]
        order = np.delete(order, least)


def _encoded(zoom: int, shapes: Geometries, kinds: list[Kind]) -> bytes:
    layers = []
    for layer in LAYERS:
        mine = [i for i, kind in enumerate(kinds) if kind[0] == layer]
        if mine:
            properties = [_properties(zoom, kinds[i]) for i in mine]
            layers.append(mvt.TileLayer(layer, shapes[mine], properties))
    data = mvt.encode(layers, EXTENT)
    return gzip.compress(data, 6, mtime=0) if data else b""


def _properties(zoom: int, kind: Kind) -> dict[str, str | int]:
    layer, cls, name, height = kind
    out: dict[str, str | int] = {"class": cls}
    named_from = {"water": 12, "green": 15, "building": 15, "rail": 15}.get(layer, 0)
    if name and zoom >= named_from:
        out["name"] = name
    if height and zoom >= 14:
        out["h"] = height
    return out
