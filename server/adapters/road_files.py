"""The roads of a city as a file beside its basemap."""

from __future__ import annotations

import os
import tempfile
import zlib
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from geo.road_graph import RoadGraph

VERSION: Final = 1
BYTES_MOST: Final = 2**30
"""A file that unpacks to more is none of ours."""


class UnreadableRoads(ValueError):  # noqa: N818 - reads as a verdict, like the core's Refused
    """A road file that is damaged, or of another version."""


class _File(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays are little-endian."""

    v: int
    places: bytes
    stops: bytes
    tail: bytes
    head: bytes
    length_mm: bytes
    free_mmps: bytes


def roads_beside(tiles: Path) -> Path:
    """Where the roads of the city lie whose basemap is `tiles`."""
    return tiles.with_suffix(".roads")


def write_roads(graph: RoadGraph, out: Path) -> None:
    """Write the graph to `out`, whole or not at all; the same graph gives the same bytes. Raises
    OSError."""
    arcs = {
        name: np.ascontiguousarray(getattr(graph, name), "<u4").tobytes()
        for name in ("tail", "head", "length_mm", "free_mmps")
    }
    content = _File(
        v=VERSION,
        places=np.ascontiguousarray(graph.places, "<i4").tobytes(),
        stops=graph.stops.astype(np.uint8).tobytes(),
        **arcs,
    )
    handle, temporary = tempfile.mkstemp(prefix=f".{out.name}.", dir=out.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(zlib.compress(msgspec.msgpack.encode(content), 6))
            file.flush()
            os.fchmod(file.fileno(), 0o644)
            os.fsync(file.fileno())
        Path(temporary).replace(out)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


def read_roads(path: Path) -> RoadGraph:
    """The graph of a file. Raises OSError (FileNotFoundError where the city has no roads) and
    UnreadableRoads."""
    raw = path.read_bytes()
    try:
        unpack = zlib.decompressobj()
        content = msgspec.msgpack.decode(unpack.decompress(raw, BYTES_MOST), type=_File)
        graph = RoadGraph(
            _array(content.places, "<i4").reshape(-1, 2),
            _array(content.stops, "u1").astype(bool),
            *(
                _array(part, "<u4")
                for part in (content.tail, content.head, content.length_mm, content.free_mmps)
            ),
        )
        _check(content.v, graph)
    except (zlib.error, msgspec.DecodeError, ValueError) as error:
        raise UnreadableRoads(f"{path.name} cannot be read: {error}") from error
    return graph


def _array(raw: bytes, kind: str) -> NDArray[Any]:
    return np.frombuffer(raw, kind).astype(kind[-2:])


def _check(version: int, graph: RoadGraph) -> None:
    """The library reads memory by these numbers: none may lie outside."""
    n, arcs = len(graph.places), len(graph.tail)
    if version != VERSION:
        raise ValueError(f"version {version}")
    same = {len(graph.head), len(graph.length_mm), len(graph.free_mmps)} == {arcs}
    if not n or not arcs or len(graph.stops) != n or not same or not graph.stops.any():
        raise ValueError("its parts do not fit together")
    if max(int(graph.tail.max()), int(graph.head.max())) >= n or int(graph.free_mmps.min()) == 0:
        raise ValueError("it names nodes that it does not have")
    if (np.abs(graph.places) > (180_000_000, 90_000_000)).any():
        raise ValueError("places off the Earth")
