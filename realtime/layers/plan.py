"""Topic `plan`: each crew's day as the plan has it. Only the planner speaks of it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import CrewDayPlanned
from realtime.facts import Fact
from realtime.layers.rows import CrewDayRow, Row

TOPIC = "plan"
decode = msgspec.msgpack.Decoder(CrewDayRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The crew whose day it is."""
    return (fact.name,) if isinstance(fact.event, CrewDayPlanned) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The crew's day as the fact has it."""
    event = fact.event
    if fact.name != key or not isinstance(event, CrewDayPlanned):
        return row
    return CrewDayRow(plan=event.plan, visits=event.visits, breaks=event.breaks)
