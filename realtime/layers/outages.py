"""Topic `outages`: where heat is shut off, until it is back."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from dispatch_core.events import OutageEnded, OutageExtended, OutageOpened
from realtime.facts import Fact
from realtime.layers.rows import OutageRow, Row

TOPIC = "outages"
decode = msgspec.msgpack.Decoder(OutageRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The outage that the fact is about."""
    ours = isinstance(fact.event, OutageOpened | OutageExtended | OutageEnded)
    return (fact.name,) if ours else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The outage after the fact; None once it has ended."""
    if fact.name != key:
        return row
    match fact.event:
        case OutageOpened() as event:
            return OutageRow(
                name=event.name,
                node_kind=event.node_kind,
                lon=event.lon,
                lat=event.lat,
                buildings=len(event.buildings),
                households=event.households,
                cause=event.cause,
                opened_at=fact.at,
                expected_end_at=event.expected_end_at,
            )
        case OutageExtended() as event if isinstance(row, OutageRow):
            return replace(row, expected_end_at=event.expected_end_at)
        case OutageEnded():
            return None
        case _:
            return row
