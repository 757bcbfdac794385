"""Topic `network`: each plant and substation at its latest reading."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import NetworkState
from realtime.facts import Fact
from realtime.layers.rows import NetworkRow, Row

TOPIC = "network"
decode = msgspec.msgpack.Decoder(NetworkRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The node that the fact is about."""
    return (fact.event.node,) if isinstance(fact.event, NetworkState) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The node's latest reading: an older one than the last changes nothing."""
    event = fact.event
    if not isinstance(event, NetworkState) or event.node != key:
        return row
    read_at = row.read_at if isinstance(row, NetworkRow) else None
    if read_at is not None and (event.read_at is None or event.read_at < read_at):
        return row
    return NetworkRow(
        name=event.name,
        node_kind=event.node_kind,
        lon=event.lon,
        lat=event.lat,
        supply_c=event.supply_c,
        return_c=event.return_c,
        supply_low_c=event.supply_low_c,
        low=event.low,
        read_at=event.read_at,
    )
