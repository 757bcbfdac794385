"""Mapbox vector tiles, version 2: the format's own rules, before the library writes the bytes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import mapbox_vector_tile
import numpy as np
import shapely

from geo.shapes import Geometries

Properties = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class TileLayer:
    """One layer: `properties[i]` belongs to `shapes[i]`, in tile units with y down."""

    name: str
    shapes: Geometries
    properties: Sequence[Properties]


def encode(layers: Sequence[TileLayer], extent: int) -> bytes:
    """One tile of these layers, in order. No layers: no bytes."""
    data: bytes = mapbox_vector_tile.encode(
        [
            {
                "name": layer.name,
                "features": [
                    {"geometry": shape, "properties": properties}
                    for shape, properties in zip(
                        on_the_grid(layer.shapes), layer.properties, strict=True
                    )
                ],
            }
            for layer in layers
        ],
        # on_the_grid has turned the rings for a whole layer at once: a third of the time saved
        default_options={"extents": extent, "y_coord_down": True, "check_winding_order": False},
    )
    return data


def on_the_grid(shapes: Geometries) -> Geometries:
    """Whole units, outer rings turned the way the format asks (area positive with y down); what
    has no area any more becomes empty, and the library leaves it out."""
    rounded = shapely.transform(shapes, np.rint)
    turned: Geometries = shapely.orient_polygons(rounded, exterior_cw=False)
    vanished = (shapely.get_dimensions(turned) == 2) & (shapely.area(turned) == 0)
    turned[vanished] = shapely.Polygon()
    return turned
