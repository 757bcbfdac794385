"""Topic `crews`: what each crew is doing."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from msgspec.structs import replace

from dispatch_core.events import (
    CrewAssigned,
    CrewBack,
    CrewFact,
    CrewRegistered,
    CrewReleased,
    CrewShiftEnded,
    CrewShiftStarted,
    CrewStopped,
    PositionLost,
    PositionRegained,
)
from realtime.facts import Fact
from realtime.layers.rows import CrewRow, Row

TOPIC = "crews"
decode = msgspec.msgpack.Decoder(CrewRow).decode
_OURS = CrewFact | CrewRegistered | CrewStopped | CrewBack | PositionLost | PositionRegained


def touches(fact: Fact) -> Sequence[str]:
    """The crew that the fact is about."""
    return (fact.name,) if isinstance(fact.event, _OURS) else ()


def fold(  # noqa: PLR0911 - one answer per event
    key: str, row: Row | None, fact: Fact
) -> Row | None:
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
        case CrewStopped():
            return replace(row, stopped=True, stopped_until=event.until_at)
        case CrewBack():
            return replace(row, stopped=False, stopped_until=None)
        case CrewFact():
            return _working(row, event)
        case _:
            return row


def _registered(row: CrewRow | None, event: CrewRegistered) -> CrewRow:
    row = row or CrewRow(
        name="", trades=[], members=0, vehicle="", state="off", ticket=None, position_lost=False,
        position_lost_since=None, shift_ends_at=None,
    )  # fmt: skip
    return replace(
        row, name=event.name, trades=event.trades, members=event.members, vehicle=event.vehicle,
        certificates=event.certificates, skill=event.skill,
    )  # fmt: skip


def _working(row: CrewRow, event: CrewFact) -> CrewRow:
    row = replace(row, state=event.state, ticket=event.current)
    if isinstance(event, CrewAssigned) and event.ticket not in row.tickets:
        return replace(row, tickets=[*row.tickets, event.ticket])
    if isinstance(event, CrewReleased):
        return replace(row, tickets=[t for t in row.tickets if t != event.ticket])
    if isinstance(event, CrewShiftStarted):
        return replace(row, shift_ends_at=event.ends_at)
    if isinstance(event, CrewShiftEnded):
        return replace(row, shift_ends_at=None, position_lost=False, position_lost_since=None)
    return row
