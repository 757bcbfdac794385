"""How many homes a valve cuts off: asked of the heat tree once, and kept for a while."""

from __future__ import annotations

import time
from collections.abc import Collection

import asyncpg

from server.adapters.register import load_nodes

KEEP_S = 600
"""A register that is imported anew is seen after so long."""


class Homes:
    """Households behind nodes, by company and node."""

    def __init__(self) -> None:
        self._kept: dict[tuple[int, str], tuple[float, int]] = {}

    async def behind(
        self, c: asyncpg.Connection, company: int, nodes: Collection[str]
    ) -> dict[str, int]:
        """Node -> households that it feeds; a node that the tree does not know is not in it."""
        now = time.monotonic()
        kept = {n: self._kept.get((company, n)) for n in nodes}
        old = [n for n, known in kept.items() if known is None or now - known[0] > KEEP_S]
        for name, node in (await load_nodes(c, old)).items():
            self._kept[company, name] = now, node.households
        return {n: self._kept[company, n][1] for n in nodes if (company, n) in self._kept}
