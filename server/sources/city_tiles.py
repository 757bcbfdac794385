"""A city's features made into its basemap by a few worker processes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing.connection import wait as wait_for
from pathlib import Path

from geo.bounds import Bounds
from geo.tiles import Feature, Share, Tile, build, shares
from server.sources.pmtiles_file import write_pmtiles

Progress = Callable[[str, float], None]
"""Told a step's name and how much of it is done, 0..1."""


def write_city(
    features: Sequence[Feature],
    bounds: Bounds,
    out: Path,
    name: str,
    attribution: str,
    progress: Progress,
    workers: int = 2,
) -> None:
    """Draw the features into one PMTiles file at `out`, whole or not at all; the same input gives
    the same bytes.

    With one worker everything runs in this process. Raises OSError when the file cannot be written,
    ValueError when there is nothing to draw, BrokenProcessPool when a worker was killed; a file
    already there stays in each case.
    """
    progress("tiles", 0.0)
    total, done = max(1, len(features)), 0
    tiles: list[Tile] = []
    for share, built in _built(shares(features), workers):
        tiles.extend(built)
        done += len(share.wkb)
        # a feature is drawn at two zooms on average: a bar that never runs backwards, and ends by
        # the next line
        progress("tiles", min(0.99, done / (2 * total)))
    progress("tiles", 1.0)
    write_pmtiles(tiles, bounds, out, name, attribution)


def _built(work: Iterator[Share], workers: int) -> Iterator[tuple[Share, list[Tile]]]:
    """Each share with its tiles, in the order they are done; at most two shares a worker wait in
    memory."""
    if workers <= 1:
        for share in work:
            yield share, _build(share)
        return
    # spawn, not fork: the caller may hold threads, sockets and an event loop
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_die_with_parent) as pool:
        pending: dict[Future[list[Tile]], Share] = {}
        for share in work:
            pending[pool.submit(_build, share)] = share
            if len(pending) >= 2 * workers:
                yield from _finished(pending)
        while pending:
            yield from _finished(pending)


def _finished(pending: dict[Future[list[Tile]], Share]) -> Iterator[tuple[Share, list[Tile]]]:
    ready, _ = wait(pending, return_when=FIRST_COMPLETED)
    for future in ready:
        yield pending.pop(future), future.result()


def _build(share: Share) -> list[Tile]:
    return list(build(share))


def _die_with_parent() -> None:
    """A pool's workers outlive a killed parent, waiting for work for ever: leave as soon as it is
    gone."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait_for([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
