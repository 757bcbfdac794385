"""The layers of the wall: per topic, which keys a fact touches and what it makes of their rows.

`touches(fact) -> keys` and `fold(key, row, fact) -> row` are pure. A fold gives back the very row
it was given when the fact changes nothing, and None when the key is to be dropped. Happenings are
a ring instead: `happenings.line(fact)` and `happenings.slot(n)`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from realtime.facts import Fact
from realtime.layers import (
    arrears,
    crews,
    evidence,
    figures,
    happenings,
    network,
    outages,
    plan,
    positions,
    proposals,
    rooms,
    rounds,
    sentiment,
    tickets,
)
from realtime.layers.rows import Row

__all__ = ["LAYERS", "Layer", "happenings"]


class Layer(Protocol):
    """The face of one layer's module."""

    TOPIC: str

    def touches(self, fact: Fact, /) -> Sequence[str]:
        """The keys that the fact may change; empty when it is not this layer's."""

    def fold(self, key: str, row: Row | None, fact: Fact, /) -> Row | None:
        """The key's row after the fact; the same object if nothing changed, None to drop it."""

    def decode(self, body: bytes, /) -> Row:
        """A row from its stored MessagePack."""


LAYERS: dict[str, Layer] = {
    layer.TOPIC: layer
    for layer in (
        arrears, crews, evidence, figures, network, outages, plan, positions, proposals, rooms,
        rounds, sentiment, tickets,
    )
}  # fmt: skip
