"""Topic `rounds`: that a crew's phone has something new to ask for. Folded from what is told of the
crew alone."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import CrewDayPlanned, RoundChanged
from realtime.facts import Fact
from realtime.layers.rows import RoundRow, Row

TOPIC = "rounds"
decode = msgspec.msgpack.Decoder(RoundRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The crew whose day it is."""
    return (fact.name,) if isinstance(fact.event, RoundChanged | CrewDayPlanned) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """A new stamp where a ticket or the crew changed, else the starts as the plan has them."""
    event = fact.event
    if fact.name != key or not isinstance(event, RoundChanged | CrewDayPlanned):
        return row
    old = row if isinstance(row, RoundRow) else RoundRow(stamp=0, starts={})
    if isinstance(event, RoundChanged):
        return RoundRow(stamp=fact.version, starts=old.starts)
    starts: dict[str, int] = {
        ticket: visit.start_at for visit in event.visits for ticket in visit.tickets
    }
    return row if row == old and starts == old.starts else RoundRow(stamp=old.stamp, starts=starts)
