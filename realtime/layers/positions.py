"""Topic `positions`: the latest accepted fix of each crew."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import CrewPositions, Fix
from realtime.facts import Fact
from realtime.layers.rows import PositionRow, Row

TOPIC = "positions"
decode = msgspec.msgpack.Decoder(PositionRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """Every crew with a fix in the batch, each once."""
    if not isinstance(fact.event, CrewPositions):
        return ()
    return tuple(dict.fromkeys(fix.crew for fix in fact.event.fixes))


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The crew's newest fix: one that was taken earlier than the last changes nothing."""
    if not isinstance(fact.event, CrewPositions):
        return row
    newest = row.fixed_at if isinstance(row, PositionRow) else None
    best: Fix | None = None
    for fix in fact.event.fixes:
        if fix.crew == key and (newest is None or fix.fixed_at > newest):
            best, newest = fix, fix.fixed_at
    if best is None:
        return row
    return PositionRow(
        lon=best.lon,
        lat=best.lat,
        accuracy_m=best.accuracy_m,
        heading_deg=best.heading_deg,
        speed_mps=best.speed_mps,
        fixed_at=best.fixed_at,
    )
