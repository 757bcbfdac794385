"""One PMTiles file, written beside its place and moved there only when it is whole and on the
disk."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable
from pathlib import Path

from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer

from geo.bounds import Bounds
from geo.generalise import LAYERS, ZOOM_MAX, ZOOM_MIN
from geo.tiles import Tile

OPENING_ZOOM = 12


def write_pmtiles(
    tiles: Iterable[Tile], bounds: Bounds, out: Path, name: str, attribution: str
) -> None:
    """Write compressed vector tiles, in any order, to `out`; the same tiles give the same bytes.

    A file already at `out` stays as it was until the new one is complete. Raises OSError (disk
    full, not writable) and ValueError when there is no tile at all; nothing is left behind then.
    """
    ordered = sorted((zxy_to_tileid(z, x, y), data) for z, x, y, data in tiles)
    if not ordered:
        raise ValueError("no tiles: nothing of the city is drawn at any zoom")
    out.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            writer = Writer(file)  # type: ignore[no-untyped-call]
            try:
                for number, data in ordered:
                    writer.write_tile(number, data)  # type: ignore[no-untyped-call]
                writer.finalize(  # type: ignore[no-untyped-call]
                    _header(bounds), _metadata(name, attribution)
                )
            finally:
                writer.tile_f.close()
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(temporary).replace(out)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    _sync_folder(out.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _header(bounds: Bounds) -> dict[str, object]:
    lon, lat = bounds.center
    return {
        "version": 3,
        "tile_type": TileType.MVT,
        "tile_compression": Compression.GZIP,
        "min_lon_e7": round(bounds.west * 1e7),
        "min_lat_e7": round(bounds.south * 1e7),
        "max_lon_e7": round(bounds.east * 1e7),
        "max_lat_e7": round(bounds.north * 1e7),
        "center_zoom": OPENING_ZOOM,
        "center_lon_e7": round(lon * 1e7),
        "center_lat_e7": round(lat * 1e7),
    }


def _metadata(name: str, attribution: str) -> dict[str, object]:
    fields = {"class": "String", "name": "String", "h": "Number"}
    return {
        "name": name,
        "attribution": attribution,
        "vector_layers": [
            {"id": layer, "fields": fields, "minzoom": ZOOM_MIN, "maxzoom": ZOOM_MAX}
            for layer in LAYERS
        ],
    }
