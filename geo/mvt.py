"""Mapbox vector tiles, version 2."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import mapbox_vector_tile

from geo.shapes import Geometry

Properties = Mapping[str, str | int]


def encode(
    layers: Sequence[tuple[str, Sequence[tuple[Geometry, Properties]]]], extent: int
) -> bytes:
    """One tile of these layers, in order; geometries in tile units, y down. No layers: no bytes."""
    data: bytes = mapbox_vector_tile.encode(
        [
            {"name": name, "features": [{"geometry": g, "properties": p} for g, p in features]}
            for name, features in layers
        ],
        default_options={"extents": extent, "y_coord_down": True},
    )
    return data
