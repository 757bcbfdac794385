"""The roads of one city, loaded once and asked by one thread at a time."""

from __future__ import annotations

import hashlib
import threading
from pathlib import Path
from typing import NamedTuple

from geo.roads import Roads
from geo.travel import Places, RoadsUsed, Seconds, TravelModel, TravelTable
from geo.travel_memo import TravelMemo
from server.adapters.road_files import UnreadableRoads, read_roads


class _Loaded(NamedTuple):
    file: tuple[Path, int, int]
    """Path, time of change and size."""
    digest: str
    roads: Roads


class CityRoads:
    """Everything here is for worker threads: the first question takes seconds."""

    def __init__(self) -> None:
        self._one = threading.Lock()  # also when the one who asked has gone and its thread goes on
        self._loaded: _Loaded | None = None
        self._memo = TravelMemo()

    @property
    def nodes(self) -> int:
        """Of the roads that are loaded; 0: none."""
        loaded = self._loaded
        return 0 if loaded is None else len(loaded.roads.graph.places)

    def times(
        self, path: Path, model: TravelModel, a: Places, b: Places, at: int, off_road_m: int
    ) -> tuple[Seconds, RoadsUsed]:
        """Times along the roads of a file, int32 (n, m), UNKNOWN where they know no way, and what
        they follow from. Pairs that were asked before are remembered.

        Raises OSError, UnreadableRoads, and Unusable without the library.
        """
        with self._one:
            loaded = self._of(path)
            key = loaded.file, off_road_m, model.detour_pm, model.speed_mmps[model.slot(at)]
            for origins, ends in self._memo.missing(key, a, b):
                found = loaded.roads.times(model, origins, ends, at, off_road_m)
                self._memo.learn(origins, ends, found)
            used = RoadsUsed(
                file=loaded.digest, middle_mmps=loaded.roads.middle_mmps, off_road_m=off_road_m
            )
            return self._memo.take(a, b), used

    def _of(self, path: Path) -> _Loaded:
        stat = path.stat()
        file = path, stat.st_mtime_ns, stat.st_size
        if self._loaded is None or self._loaded.file != file:
            self._loaded = None  # two cities at once need twice the memory
            self._loaded = _Loaded(file, _digest(path), Roads(read_roads(path)))
        return self._loaded


def found_again(folder: Path, table: TravelTable) -> TravelTable:
    """A slim table with its times, from the road file in `folder` that it names; any other table as
    it is. For a worker thread.

    Raises:
        LookupError: the file is gone, cannot be read, or gives other times; the text says which.
        Unusable: without the library.
    """
    used = table.roads
    if used is None or not table.found_digest:
        return table
    path = next((p for p in sorted(folder.glob("*.roads")) if _digest(p) == used.file), None)
    if path is None:
        raise LookupError("its road file is gone")
    try:
        roads = Roads(read_roads(path), used.middle_mmps)
    except (OSError, UnreadableRoads) as error:
        raise LookupError(f"its road file cannot be read: {error}") from error
    a, b = table.places
    times = roads.times(table.model, a, b, table.at, used.off_road_m)
    try:
        return table.whole(times)
    except ValueError as error:
        raise LookupError(str(error)) from error


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
