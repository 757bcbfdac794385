"""One hash within 31 bits of 1 and of 10 million, against faiss's IndexBinaryFlat on one thread.

Uniform hashes, and skewed ones as an archive of photos has them: scenes that were taken up to a
thousandth of all times each, a few bits apart, and a third of the scenes with rows of bits that
others have as well. Every answer is compared with that of faiss, which looks at every hash. What is
judged is the time of all queries together; the query that fares worst stands beside it. `crowd` is
a query that a twenty-fifth of all hashes answer: there only the bound holds, to look at every hash.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

import faiss
import numpy as np
from numpy.typing import NDArray

from benchmarks._figure import figure
from ext.hamming import RADIUS, HashIndex

MILLION = 1_000_000
QUERIES = 24
REPEATS = 3
Hashes = NDArray[np.uint8]


def milliseconds(work: Callable[[], object]) -> float:
    """The least time of some calls, of this thread alone: neither has another."""
    times = []
    for _ in range(REPEATS):
        start = time.thread_time()
        work()
        times.append(time.thread_time() - start)
    return min(times) * 1000


def uniform(random: np.random.Generator, n: int) -> Hashes:
    """Hashes that have nothing in common."""
    return np.frombuffer(random.bytes(32 * n), np.uint8).reshape(n, 32).copy()


def turned(random: np.random.Generator, hashes: Hashes, most: int) -> Hashes:
    """The hashes with up to so many bits turned in each."""
    rows = np.arange(len(hashes))
    for k in range(most):
        bit = random.integers(0, 256, len(hashes), np.uint8)
        still = random.random(len(hashes), np.float32) < 0.5
        hashes[rows, bit >> 3] ^= np.where(still & (k > 0), 0, 1 << (bit & 7)).astype(np.uint8)
    return hashes


def skewed(random: np.random.Generator, n: int) -> Hashes:
    """An archive: scenes of very different size, some of them alike in part."""
    scenes = uniform(random, n // 20)
    plain = random.random(len(scenes)) < 1 / 3
    rows = uniform(random, 50)[:, :8]
    scenes[plain, :8] = rows[random.integers(0, 50, int(plain.sum()))]
    share = np.minimum(1 / np.arange(1, len(scenes) + 1), 1 / 60)  # a thousandth of all at most
    scene = random.choice(len(scenes), n, p=share / share.sum())
    return turned(random, scenes[scene], 16)


def compare(name: str, hashes: Hashes, queries: Hashes, *, judged: bool = True) -> None:
    """One figure for these hashes and queries."""
    index = HashIndex()
    index.add(hashes)
    start = time.thread_time()
    index.rebuild()
    built = time.thread_time() - start
    flat = faiss.IndexBinaryFlat(256)
    flat.add(hashes)
    ours, theirs, answers = [], [], 0
    for query in queries:
        numbers, distances = index.search(query)
        _, far, every = flat.range_search(query[None], RADIUS + 1)
        order = np.lexsort((every, far))
        assert np.array_equal(every[order], numbers)
        assert np.array_equal(far[order].astype(np.int32), distances)
        answers += len(numbers)
        ours.append(milliseconds(lambda query=query: index.search(query)))
        theirs.append(milliseconds(lambda query=query: flat.range_search(query[None], RADIUS + 1)))
    ratio = sum(theirs) / sum(ours)
    least = min(b / a for a, b in zip(ours, theirs, strict=True))
    figure(
        f"photo_search.{name}", sum(ours) / len(ours), "ms", baseline=sum(theirs) / len(theirs),
        ratio=ratio, target=">= 25 x" if judged else None, ok=ratio >= 25 if judged else None,
        note=f"{len(queries)} queries, {answers:,} answers, recall 100 %, the worst query"
        f" {max(ours):.3g} ms and {least:.3g} x; {index.nbytes / len(hashes):.0f} bytes a hash,"
        f" built in {built:.1f} s",
    )  # fmt: skip


def main() -> None:
    """Print every figure."""
    faiss.omp_set_num_threads(1)
    random = np.random.default_rng(13)
    sizes = {"1m": MILLION} if "--small" in sys.argv else {"1m": MILLION, "10m": 10 * MILLION}
    for name, n in sizes.items():
        for kind, make in (("uniform", uniform), ("skewed", skewed)):
            hashes = make(random, n)
            queries = turned(random, hashes[random.choice(n, QUERIES)], 24)
            compare(f"{kind}_{name}", hashes, queries)
            del hashes
    hashes = uniform(random, MILLION)
    hashes[::25] = turned(random, np.repeat(hashes[:1], MILLION // 25, axis=0), 16)
    compare("crowd_1m", hashes, hashes[:1].copy(), judged=False)


if __name__ == "__main__":
    main()
