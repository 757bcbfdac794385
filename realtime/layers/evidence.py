"""Topic `evidence`: how the evidence of each open ticket stands. Only the core speaks of it, under
the policy in force."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import EvidenceSettled, EvidenceStands
from realtime.facts import Fact
from realtime.layers.rows import EvidenceRow, Row

TOPIC = "evidence"
decode = msgspec.msgpack.Decoder(EvidenceRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The ticket whose evidence it is."""
    return (fact.name,) if isinstance(fact.event, EvidenceStands | EvidenceSettled) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """How it stands after the fact; None once the ticket is over."""
    if fact.name != key:
        return row
    event = fact.event
    if isinstance(event, EvidenceSettled):
        return None
    if not isinstance(event, EvidenceStands):
        return row
    return EvidenceRow(
        verdict=event.verdict,
        slots=event.slots,
        needs_person=event.needs,
        unjudged=event.unjudged,
        level=event.ticket.level,
        address=event.ticket.address,
        since=event.since,
        asks=event.asks,
        asks_since=event.asks_since,
        unanswered=event.unanswered,
        to_desk=event.to_desk,
    )
