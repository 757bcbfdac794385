"""A city's roads as a graph, and travel times along them by a customisable contraction hierarchy.

Customizable Contraction Hierarchies: Dibbelt, Strasser, Wagner, ACM JEA 21 (2016), as RoutingKit
implements them. The library exists for some platforms only: without it nothing here but `Roads`
fails, with Unusable.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Final, Protocol

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.road_graph import RoadGraph
from geo.travel import LONGEST_S, MICRO, UNKNOWN, Places, Seconds, TravelModel, seconds

try:
    import pyroutingkit
except ImportError:  # no wheel for this platform
    pyroutingkit = None

ACCESS_MMPS: Final = 2_500
"""Between a place and its road: yards, gates, the search for the door."""
HOURS_KEPT: Final = 4
"""Hours whose times stay ready: megabytes each, and made in milliseconds."""
SAMPLE: Final = 200
"""Journeys over which the roads' own middle speed is taken."""

_ROWS: Final = 64


class _Metric(Protocol):
    """What is used of the library's CCHMetric; it is not safe for two threads at once."""

    def customize(self, weights: NDArray[np.uint32]) -> None: ...

    def query(self, source: int, target: int) -> tuple[int, list[int], list[int]]: ...

    def distances_many_to_many(
        self, sources: NDArray[np.uint32], targets: NDArray[np.uint32]
    ) -> NDArray[np.uint32]: ...


class Unusable(RuntimeError):  # noqa: N818 - reads as a verdict, like the core's Refused
    """Roads that cannot be used here; `code` is `no_library`."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Snapped:
    """Where places (n) meet the roads."""

    node: NDArray[np.int64]
    """Its node, -1 for a place too far from any road."""
    access_ms: NDArray[np.uint32]
    """From the place to the node."""


class Roads:
    """The roads of a city, ready for questions. Not for two threads at once.

    Raises Unusable without the library.
    """

    def __init__(self, graph: RoadGraph, middle_mmps: int | None = None) -> None:
        if pyroutingkit is None:
            raise Unusable("no_library", "The road library is not made for this platform.")
        self.graph = graph
        self._topology = pyroutingkit.CCHTopology()
        degrees = (graph.places / MICRO).astype(np.float32)
        self._topology.build(
            graph.tail, graph.head, degrees[:, 1].copy(), degrees[:, 0].copy(), len(degrees)
        )
        self._metrics: dict[int, _Metric] = {}
        self._open = np.flatnonzero(graph.stops)
        self._scale = np.array([np.cos(np.radians(degrees[:, 1].mean())), 1.0]) * 0.11119508
        self._tree = shapely.STRtree(shapely.points(graph.places[self._open] * self._scale))
        self.middle_mmps = middle_mmps or self._middle_speed()
        """Their speed with nobody in the way, to which an hour's is set in proportion; given where
        times are to be found again."""

    def times(self, model: TravelModel, a: Places, b: Places, at: int, off_road_m: int) -> Seconds:
        """Travel times from each of `a` (n) to each of `b` (m) along the roads at a departure at
        `at`, int32 (n, m); UNKNOWN with an end farther than `off_road_m` from any road, or no way
        between.

        Times are class speeds slowed alike, so that the roads' middle speed is the one learnt for
        the hour. Between places on one node of the roads it is always great circle.
        """
        ours, theirs = self._snap(a, off_road_m), self._snap(b, off_road_m)
        answer = np.full((len(a), len(b)), UNKNOWN, np.int32)
        if not (ours.node >= 0).any() or not (theirs.node >= 0).any():
            return answer
        starts, row = np.unique(ours.node, return_inverse=True)
        ends, column = np.unique(theirs.node, return_inverse=True)
        metric = self._metric(model.speed_mmps[model.slot(at)])
        found = metric.distances_many_to_many(
            np.maximum(starts, 0).astype(np.uint32), np.maximum(ends, 0).astype(np.uint32)
        )
        straight = seconds(model, a, b, at)
        for start in range(0, len(a), _ROWS):
            block = slice(start, start + _ROWS)
            ms = found[row[block]][:, column]
            known = ms < pyroutingkit.INF_WEIGHT
            known &= (ours.node[block] >= 0)[:, None]
            known &= theirs.node >= 0
            ms += ours.access_ms[block, None]
            ms += theirs.access_ms
            ms += np.uint32(999)
            ms //= np.uint32(1_000)
            np.copyto(answer[block], np.minimum(ms, LONGEST_S), where=known, casting="unsafe")
            beside = known & (ours.node[block, None] == theirs.node)
            np.copyto(answer[block], straight[block], where=beside)
        return answer

    def _metric(self, speed_mmps: int) -> _Metric:
        """The times of an hour whose middle speed is `speed_mmps`."""
        known = self._metrics.get(speed_mmps)
        if known is None:
            known = self._empty()
            known.customize(self._weights(speed_mmps, self.middle_mmps))
            if len(self._metrics) >= HOURS_KEPT:
                self._metrics.clear()
            self._metrics[speed_mmps] = known
        return known

    def _empty(self) -> _Metric:
        made: _Metric = pyroutingkit.CCHMetric(self._topology)
        return made

    def _weights(self, speed_mmps: int, middle_mmps: int) -> NDArray[np.uint32]:
        """Milliseconds of every arc."""
        along = self.graph.length_mm.astype(np.int64) * 1_000 * middle_mmps
        ms = along // (self.graph.free_mmps.astype(np.int64) * speed_mmps)
        weights: NDArray[np.uint32] = np.clip(ms, 1, 10**8).astype(np.uint32)
        return weights

    def _middle_speed(self) -> int:
        """Length over time of quickest ways between nodes far apart, at the classes' speeds."""
        metric = self._empty()
        weights = self._weights(1_000, 1_000)
        metric.customize(weights)
        picked = self._open[(np.arange(2 * SAMPLE) * 2_654_435_761) % len(self._open)]
        length = took = 0
        for start, end in pairwise(picked.tolist()):
            _, _, arcs = metric.query(start, end)
            length += int(self.graph.length_mm[arcs].sum())
            took += int(weights[arcs].sum())
        return max(1, length * 1_000 // took) if took else 1_000

    def _snap(self, where: Places, off_road_m: int) -> Snapped:
        node = np.full(len(where), -1, np.int64)
        access = np.zeros(len(where), np.uint32)
        asked, found = self._tree.query_nearest(
            shapely.points(where * self._scale), max_distance=off_road_m, all_matches=False
        )
        node[asked] = self._open[found]
        apart = (where[asked] - self.graph.places[node[asked]]) * self._scale
        access[asked] = (np.sqrt((apart * apart).sum(axis=1)) * (1e6 / ACCESS_MMPS)).astype(
            np.uint32
        )
        return Snapped(node, access)
