"""Ways drawn on a map made into a graph of roads: arcs in both directions, lengths, speeds, and
only what can be reached and left again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from geo.travel import MICRO, Places, metres_along

KMH: Final = {
    "motorway": 80, "trunk": 60, "primary": 50, "secondary": 45, "tertiary": 40,
    "unclassified": 30, "residential": 25, "road": 25, "living_street": 12, "service": 12,
    "track": 10, "motorway_link": 40, "trunk_link": 35, "primary_link": 30, "secondary_link": 30,
    "tertiary_link": 25,
}  # fmt: skip
"""The roads that vans use, in the words of OpenStreetMap's highway key, and how fast they go there
when nobody is in the way. Only their proportions matter: how fast a city is is learnt."""
NO_STOPPING: Final = frozenset({"motorway", "motorway_link", "trunk", "trunk_link"})
"""Nobody's door opens on these."""
STEP_M: Final = 100.0
"""Longer straights get nodes in between, so that a place finds its road nearby."""

Ids = NDArray[np.int64]


class Way(NamedTuple):
    """One road: the numbers of its nodes in order, its class, +1 or -1 for one direction only (0
    both), and its speed limit."""

    nodes: Sequence[int]
    cls: str
    oneway: int
    limit_kmh: int | None


@dataclass(frozen=True, slots=True)
class RoadGraph:
    """N nodes and A arcs; from every node every other can be reached."""

    places: Places
    stops: NDArray[np.bool_]
    """Nodes where a van may stop, bool (N)."""
    tail: NDArray[np.uint32]
    head: NDArray[np.uint32]
    length_mm: NDArray[np.uint32]
    free_mmps: NDArray[np.uint32]
    """Speed with nobody in the way, millimetres a second, (A) as the others."""


def build(ways: Sequence[Way], where: Mapping[int, tuple[float, float]]) -> RoadGraph | None:
    """The graph of ways whose nodes lie at longitude and latitude `where`; a node without a place
    cuts its way. None where no road leads anywhere."""
    drawn = _Drawn()
    for way in ways:
        for run in _runs(way.nodes, where):
            drawn.add(way, run, where)
    arcs = np.array(drawn.arcs, np.int64).reshape(-1, 4)
    tail, head = arcs[:, 0], arcs[:, 1]
    kept = _two_way(tail, head, len(drawn.spots))
    stops = np.zeros(len(kept), bool)
    stops[list(drawn.stops)] = True
    inner = kept[tail] & kept[head]
    if not inner.any() or not stops[kept].any():
        return None
    renamed = np.cumsum(kept) - 1
    return RoadGraph(
        places=np.array(drawn.spots, np.int32)[kept],
        stops=stops[kept],
        tail=renamed[tail[inner]].astype(np.uint32),
        head=renamed[head[inner]].astype(np.uint32),
        length_mm=arcs[inner, 2].astype(np.uint32),
        free_mmps=arcs[inner, 3].astype(np.uint32),
    )


class _Drawn:
    """Nodes and arcs as they come; an arc is tail, head, millimetres, millimetres a second."""

    def __init__(self) -> None:
        self.spots: list[tuple[int, int]] = []
        self.stops: set[int] = set()
        self.arcs: list[tuple[int, int, int, int]] = []
        self._numbers: dict[int, int] = {}

    def add(self, way: Way, run: Sequence[int], where: Mapping[int, tuple[float, float]]) -> None:
        """A stretch of a way, with nodes in between where its straights are long."""
        ids = [self._number(node, where) for node in run]
        steps = metres_along(np.array([self.spots[i] for i in ids], np.int32)).tolist()
        speed, chain = _free_mmps(way), ids[:1]
        for b, step in zip(ids[1:], steps, strict=True):
            parts = int(step // STEP_M) + 1
            length = max(1, round(step * 1_000 / parts))
            for node in self._straight(chain[-1], b, parts):
                if node != chain[-1]:
                    self._arcs(chain[-1], node, length, speed, way.oneway)
                    chain.append(node)
        if way.cls not in NO_STOPPING:
            self.stops.update(chain)

    def _number(self, node: int, where: Mapping[int, tuple[float, float]]) -> int:
        if node not in self._numbers:
            lon, lat = where[node]
            self._numbers[node] = len(self.spots)
            self.spots.append((round(lon * MICRO), round(lat * MICRO)))
        return self._numbers[node]

    def _straight(self, a: int, b: int, parts: int) -> list[int]:
        (x, y), (to_x, to_y) = self.spots[a], self.spots[b]
        chain = []
        for k in range(1, parts):
            chain.append(len(self.spots))
            self.spots.append((x + (to_x - x) * k // parts, y + (to_y - y) * k // parts))
        return [*chain, b]

    def _arcs(self, a: int, b: int, length: int, speed: int, oneway: int) -> None:
        if oneway >= 0:
            self.arcs.append((a, b, length, speed))
        if oneway <= 0:
            self.arcs.append((b, a, length, speed))


def _free_mmps(way: Way) -> int:
    """The class's speed; a posted limit is taken at its word between a walk and a motorway."""
    kmh = KMH[way.cls] if way.limit_kmh is None else min(100, max(5, way.limit_kmh * 9 // 10))
    return kmh * 10_000 // 36


def _runs(nodes: Sequence[int], where: Mapping[int, tuple[float, float]]) -> list[list[int]]:
    """The stretches of a way whose nodes are known."""
    runs: list[list[int]] = [[]]
    for node in nodes:
        if node in where:
            runs[-1].append(node)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _two_way(tail: Ids, head: Ids, n: int) -> NDArray[np.bool_]:
    """The nodes (n) of the largest strongly connected part: tried from one node after another, most
    arcs first, until none larger can be left."""
    left = np.ones(n, bool)
    best = np.zeros(n, bool)
    degree = np.bincount(tail, minlength=n) + np.bincount(head, minlength=n)
    for seed in np.argsort(-degree, kind="stable").tolist():
        if left.sum() <= best.sum():
            break
        if not left[seed]:
            continue
        part = _reached(tail, head, seed, n) & _reached(head, tail, seed, n)
        left &= ~part
        if part.sum() > best.sum():
            best = part
    return best


def _reached(tail: Ids, head: Ids, seed: int, n: int) -> NDArray[np.bool_]:
    order = np.argsort(tail, kind="stable")
    to = head[order]
    first = np.searchsorted(tail[order], np.arange(n + 1))
    seen = np.zeros(n, bool)
    seen[seed] = True
    front = np.array([seed])
    while len(front):
        count = first[front + 1] - first[front]
        offsets = np.repeat(first[front] - np.cumsum(count) + count, count)
        ahead = np.unique(to[offsets + np.arange(count.sum())])
        front = ahead[~seen[ahead]]
        seen[front] = True
    return seen
