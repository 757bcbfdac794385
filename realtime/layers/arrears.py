"""Topic `arrears`: the published cells of the heat map, each a banded rate."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import CellHidden, CellPublished
from realtime.facts import Fact
from realtime.layers.rows import ArrearsRow, Row

TOPIC = "arrears"
decode = msgspec.msgpack.Decoder(ArrearsRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The cell that the fact is about, `size:x:y`."""
    return (fact.name,) if isinstance(fact.event, CellPublished | CellHidden) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The cell as it is now published; None when it is hidden."""
    if fact.name != key:
        return row
    match fact.event:
        case CellPublished() as event:
            return ArrearsRow(
                size_m=event.size_m,
                west=event.west,
                south=event.south,
                east=event.east,
                north=event.north,
                band=event.band,
                published_at=fact.at,
            )
        case CellHidden():
            return None
        case _:
            return row
