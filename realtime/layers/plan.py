"""Topic `plan`: each crew's day as the plan has it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import CrewDayPlanned, CrewShiftEnded
from realtime.facts import Fact
from realtime.layers.rows import CrewDayRow, Row

TOPIC = "plan"
decode = msgspec.msgpack.Decoder(CrewDayRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The crew whose day it is."""
    return (fact.name,) if isinstance(fact.event, CrewDayPlanned | CrewShiftEnded) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The crew's day after the fact; None once its shift is over."""
    if fact.name != key:
        return row
    match fact.event:
        case CrewShiftEnded():
            return None
        case CrewDayPlanned(plan=plan, visits=visits, breaks=breaks):
            return CrewDayRow(plan=plan, visits=visits, breaks=breaks)
        case _:
            return row
