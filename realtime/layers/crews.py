"""Topic `crews`: what each crew is doing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from dispatch_core.events import (
    CrewFact,
    CrewRegistered,
    CrewShiftEnded,
    CrewShiftStarted,
    PositionLost,
    PositionRegained,
)
from realtime.facts import Fact
from realtime.layers.rows import CrewRow, Row

TOPIC = "crews"
decode = msgspec.msgpack.Decoder(CrewRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The crew that the fact is about."""
    ours = isinstance(fact.event, CrewFact | CrewRegistered | PositionLost | PositionRegained)
    return (fact.name,) if ours else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The crew's row after the fact."""
    if fact.name != key:
        return row
    event = fact.event
    if isinstance(event, CrewRegistered):
        return _registered(row if isinstance(row, CrewRow) else None, event)
    if not isinstance(row, CrewRow):
        return None
    match event:
        case PositionLost():
            return replace(row, position_lost=True, position_lost_since=event.since)
        case PositionRegained():
            return replace(row, position_lost=False, position_lost_since=None)
        case CrewFact():
            return _working(row, event)
        case _:
            return row


def _registered(row: CrewRow | None, event: CrewRegistered) -> CrewRow:
    return CrewRow(
        name=event.name,
        trades=event.trades,
        members=event.members,
        vehicle=event.vehicle,
        state=row.state if row else "off",
        ticket=row.ticket if row else None,
        position_lost=row.position_lost if row else False,
        position_lost_since=row.position_lost_since if row else None,
        shift_ends_at=row.shift_ends_at if row else None,
    )


def _working(row: CrewRow, event: CrewFact) -> CrewRow:
    row = replace(row, state=event.state, ticket=event.current)
    if isinstance(event, CrewShiftStarted):
        return replace(row, shift_ends_at=event.ends_at)
    if isinstance(event, CrewShiftEnded):
        return replace(row, shift_ends_at=None, position_lost=False, position_lost_since=None)
    return row
