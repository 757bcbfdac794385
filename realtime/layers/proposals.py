"""Topic `proposals`: the best crews for each ticket that waits for one. Only the engine speaks of
it."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from dispatch_core.events import ProposalWithdrawn, TicketProposed
from realtime.facts import Fact
from realtime.layers.rows import ProposalRow, Row

TOPIC = "proposals"
decode = msgspec.msgpack.Decoder(ProposalRow).decode


def touches(fact: Fact) -> Sequence[str]:
    """The ticket that the proposal is for."""
    return (fact.name,) if isinstance(fact.event, TicketProposed | ProposalWithdrawn) else ()


def fold(key: str, row: Row | None, fact: Fact) -> Row | None:
    """The proposal after the fact; None once the engine has withdrawn it: a crew has the ticket, or
    it is over."""
    if fact.name != key:
        return row
    event = fact.event
    if isinstance(event, ProposalWithdrawn):
        return None
    if not isinstance(event, TicketProposed):
        return row
    return ProposalRow(
        plan=event.plan,
        ticket_version=event.ticket_version,
        decision=event.decision,
        made_at=event.made_at,
        choices=event.choices,
        left_out=event.left_out,
        travel=event.travel,
        waits_for=event.waits_for,
        policy=event.policy,
    )
