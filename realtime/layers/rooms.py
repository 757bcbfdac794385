"""Topic `rooms`: one row per active room-temperature alarm, placed at its building."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from dispatch_core.events import RoomAlarmChanged, RoomAlarmCleared, RoomAlarmRaised
from realtime.facts import Fact
from realtime.layers.rows import RoomRow, Row

TOPIC = "rooms"
decode = msgspec.msgpack.Decoder(RoomRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The point that the fact is about."""
    ours = isinstance(fact.event, RoomAlarmRaised | RoomAlarmChanged | RoomAlarmCleared)
    return (fact.name,) if ours else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The alarm after the fact; None once it is cleared."""
    if fact.name != key:
        return row
    match fact.event:
        case RoomAlarmRaised() as event:
            return RoomRow(
                celsius=event.celsius,
                bound_c=event.bound_c,
                since=event.read_at,
                read_at=event.read_at,
                lon=event.lon,
                lat=event.lat,
                address=event.address,
                building=event.building,
                community=event.community,
                substation=event.substation,
                substation_name=event.substation_name,
                substation_lon=event.substation_lon,
                substation_lat=event.substation_lat,
            )
        case RoomAlarmChanged() as event if isinstance(row, RoomRow):
            return replace(row, celsius=event.celsius, read_at=event.read_at)
        case RoomAlarmCleared():
            return None
        case _:
            return row
