"""Crews and tickets matched at the least cost, and the matrix of their travel times.

1,000 crews, 5,000 tickets, 7.5 % of the pairs eligible: against scipy's
min_weight_full_bipartite_matching and OR-Tools' SimpleMinCostFlow, whose solving alone is timed;
lapx, which takes the whole matrix, stands beside them. The cost is compared with scipy's on every
shape, those without a full matching among them. The matrix is compared with the haversine in
float32 numpy over whole arrays, without a temporary one. The same in blocks that stay in the cache,
and chords between unit vectors in such blocks, the least work that numpy can do it with, stand
beside it.
"""

from __future__ import annotations

import importlib.util
import time
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._figure import figure
from ext.assignment import micro_degrees, travel_seconds
from ext.matching import assign

ROUNDS, SEEDS = 5, (1, 2, 3)
BLOCK = 32
"""Rows that numpy takes at once: the fastest of 4 to 64."""
SHAPES = (
    # crews, tickets, eligible, seed, steps of cost
    (1000, 5000, 0.075, 4, 1),
    (1000, 1000, 0.075, 5, 1),
    (1000, 1000, 0.075, 6, 600),
    (200, 5000, 0.075, 7, 60),
    (500, 600, 0.01, 8, 1),
    (300, 200, 0.075, 9, 1),
    (50, 50, 1.0, 10, 1),
)
"""The last but two have rows that stay without; steps make ties."""
MISSING = "scipy or ortools is not installed: `make bench` installs what is compared with"
DEAR = 10**7

Sparse = tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int64]]


def milliseconds(work: Callable[[], object]) -> float:
    """Time of one call, by the thread's own clock: none of these starts another thread."""
    start = time.thread_time()
    work()
    return (time.thread_time() - start) * 1000


def question(crews: int, tickets: int, share: float, seed: int, step: int) -> Sparse:
    """Travel seconds over 30 km at 25 km/h, the urgent cheaper, for the eligible pairs."""
    r = np.random.default_rng(seed)
    cx, cy = r.uniform(0, 30, (2, crews))
    tx, ty = r.uniform(0, 30, (2, tickets))
    way = 1.3 * np.hypot(cx[:, None] - tx, cy[:, None] - ty) / 25 * 3600
    cost = np.rint((way + 3600 - r.choice([0, 600, 3000], tickets, p=[0.7, 0.2, 0.1])) / step)
    eligible = r.random((crews, tickets)) < share
    rows, columns = np.nonzero(eligible)
    starts = np.concatenate([[0], np.cumsum(eligible.sum(axis=1))])
    return starts, columns.astype(np.int32), cost[rows, columns].astype(np.int64)


def judged(problem: Sparse, width: int) -> tuple[int, int]:
    """Rows matched and their cost, as `assign` says; that it is a matching is checked."""
    starts, columns, costs = problem
    taken = assign(*problem, width)
    used = taken[taken >= 0]
    assert len(np.unique(used)) == len(used)
    total = 0
    for i, j in enumerate(taken):
        if j >= 0:
            row = slice(starts[i], starts[i + 1])
            total += int(costs[row][columns[row] == j][0])
    return len(used), total


def as_matrix(problem: Sparse, width: int) -> NDArray[np.int64]:
    """Every pair, those that are not eligible at a cost beyond all."""
    starts, columns, costs = problem
    matrix = np.full((len(starts) - 1, width), DEAR, np.int64)
    matrix[np.repeat(np.arange(len(starts) - 1), np.diff(starts)), columns] = costs
    return matrix


def flow_of(problem: Sparse, width: int) -> Any:
    """The same as a flow from crews to tickets, ready to be solved."""
    from ortools.graph.python import min_cost_flow

    starts, columns, costs = problem
    crews = len(starts) - 1
    flow = min_cost_flow.SimpleMinCostFlow()
    rows = np.repeat(np.arange(crews), np.diff(starts))
    source, sink, ends = crews + width, crews + width + 1, crews + np.arange(width)
    flow.add_arcs_with_capacity_and_unit_cost(
        np.concatenate([rows, np.full(crews, source), ends]).astype(np.int32),
        np.concatenate([crews + columns, np.arange(crews), np.full(width, sink)]).astype(np.int32),
        np.ones(len(rows) + crews + width, np.int64),
        np.concatenate([costs, np.zeros(crews + width, np.int64)]),
    )
    flow.set_node_supply(source, crews)
    flow.set_node_supply(sink, -crews)
    return flow


def matching() -> None:
    """Times and exactness of the assignment."""
    if not all(map(importlib.util.find_spec, ("scipy", "ortools", "lap"))):
        ours = [
            milliseconds(lambda p=problem: assign(*p, 5000))
            for problem in (question(1000, 5000, 0.075, seed, 1) for seed in SEEDS)
            for _ in range(ROUNDS)
        ]
        figure("assign.sparse", median(ours), "ms")
        for name, target in (("scipy", ">= 15"), ("ortools", ">= 20")):
            figure(f"assign.against_{name}", None, "x", target=target, note=MISSING)
        figure("assign.exact", None, "of cases", target="all", note=MISSING)
        return
    import lap
    import scipy.sparse
    from scipy.optimize import linear_sum_assignment
    from scipy.sparse.csgraph import min_weight_full_bipartite_matching

    ours, scipys, flows, dense = [], [], [], []
    cases = exact = 0
    for seed in SEEDS:
        problem = question(1000, 5000, 0.075, seed, 1)
        starts, columns, costs = problem
        graph = scipy.sparse.csr_array((costs.astype(float), columns, starts), shape=(1000, 5000))
        rows, found = min_weight_full_bipartite_matching(graph)
        matrix = as_matrix(problem, 5000)
        cases, exact = (
            cases + 1,
            exact + (judged(problem, 5000) == (1000, int(matrix[rows, found].sum()))),
        )
        for _ in range(ROUNDS):
            ours.append(milliseconds(lambda p=problem: assign(*p, 5000)))
            scipys.append(milliseconds(lambda g=graph: min_weight_full_bipartite_matching(g)))
            flow = flow_of(problem, 5000)
            flows.append(milliseconds(flow.solve))
        as_floats = matrix.astype(float)
        dense.append(milliseconds(lambda m=as_floats: lap.lapjvs(m, extend_cost=True)))
    for crews, tickets, share, seed, step in SHAPES:
        problem = question(crews, tickets, share, seed, step)
        matrix = as_matrix(problem, tickets)
        rows, found = linear_sum_assignment(matrix)
        paid = matrix[rows, found]
        best = int((paid < DEAR).sum()), int(paid[paid < DEAR].sum())
        cases, exact = cases + 1, exact + (judged(problem, tickets) == best)
    kernel = median(ours)
    for name, times, least in (("scipy", scipys, 15), ("ortools", flows, 20), ("lapx", dense, 0)):
        ratio = median(times) / kernel
        figure(
            f"assign.against_{name}", kernel, "ms", baseline=median(times), ratio=ratio,
            target=f">= {least}" if least else None, ok=ratio >= least if least else None,
        )  # fmt: skip
    figure("assign.exact", exact, f"of {cases} cases", target="all", ok=exact == cases)


def matrix() -> None:
    """Times of the cost matrix."""
    r = np.random.default_rng(7)
    lon, lat = 126.6 + r.uniform(-0.2, 0.2, 6000), 45.75 + r.uniform(-0.15, 0.15, 6000)
    places = micro_degrees(lon, lat)
    a, b = places[:1000], places[1000:]
    speed = np.full(1000, 7000, np.int32)
    out = np.empty((1000, 5000), np.int32)
    scale = np.float32(6371008.8 * 1.35 / 7)
    x, y = np.radians(lon), np.radians(lat)
    unit = np.stack([np.cos(y) * np.cos(x), np.cos(y) * np.sin(x), np.sin(y)])
    near = (unit - unit[:, :1]).astype(np.float32)  # keeps single precision good to a metre
    whole, parts = np.empty((1000, 5000), np.float32), np.empty((1000, 5000), np.float32)
    xf, yf = x.astype(np.float32), y.astype(np.float32)
    cosine = np.cos(yf)

    def chords() -> None:
        for low in range(0, 1000, BLOCK):
            here = near[:, low : min(low + BLOCK, 1000), None]
            total, step = whole[: here.shape[1]], parts[: here.shape[1]]
            np.subtract(here[0], near[0, 1000:], out=total)
            np.multiply(total, total, out=total)
            for axis in (1, 2):
                np.subtract(here[axis], near[axis, 1000:], out=step)
                np.multiply(step, step, out=step)
                np.add(total, step, out=total)
            np.sqrt(total, out=total)
            np.multiply(total, scale, out=total)
            np.ceil(total, out=total)
            out[low : low + BLOCK] = total

    def haversines(at_once: int) -> None:
        for low in range(0, 1000, at_once):
            rows = slice(low, min(low + at_once, 1000))
            n = rows.stop - low
            total, step = whole[:n], parts[:n]
            np.subtract(yf[rows, None], yf[1000:], out=total)
            np.multiply(total, np.float32(0.5), out=total)
            np.sin(total, out=total)
            np.multiply(total, total, out=total)
            np.subtract(xf[rows, None], xf[1000:], out=step)
            np.multiply(step, np.float32(0.5), out=step)
            np.sin(step, out=step)
            np.multiply(step, step, out=step)
            np.multiply(step, cosine[rows, None], out=step)
            np.multiply(step, cosine[1000:], out=step)
            np.add(total, step, out=total)
            np.sqrt(total, out=total)
            np.arcsin(total, out=total)
            np.multiply(total, 2 * scale, out=total)
            np.ceil(total, out=total)
            out[rows] = total

    ours, chord, blocks, haversine = [], [], [], []
    exact = travel_seconds(a, b, speed, 1350).copy()
    for _ in range(15):
        ours.append(milliseconds(lambda: travel_seconds(a, b, speed, 1350, out)))
        chord.append(milliseconds(chords))
        assert np.abs(out - exact).max() <= 1
        blocks.append(milliseconds(lambda: haversines(BLOCK)))
        haversine.append(milliseconds(lambda: haversines(1000)))
        assert np.abs(out - exact).max() <= 3
    kernel = median(ours)
    for name, times, least in (
        ("matrix", haversine, 10),
        ("matrix_blocks", blocks, 0),
        ("matrix_chords", chord, 0),
    ):
        ratio = median(times) / kernel
        figure(
            f"assign.{name}", kernel, "ms", baseline=median(times), ratio=ratio,
            target=f">= {least}" if least else None, ok=ratio >= least if least else None,
        )  # fmt: skip


def main() -> None:
    """Print every figure."""
    matching()
    matrix()


if __name__ == "__main__":
    main()
