"""What web processes and the engine say to one another."""

from __future__ import annotations

import msgspec

from dispatch_core import dispatch
from dispatch_core.errors import Unavailable
from dispatch_core.ids import CrewId, TicketId
from server.adapters import frames

WITHIN_S = 2.0
WHAT_IF_WITHIN_S = 10.0
"""Two plans are made for it; whoever asks knows that."""


class Hello(msgspec.Struct, frozen=True, kw_only=True):
    """The first frame of a connection: the secret of the lease row."""

    secret: str


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One question. `within_s` is how long the caller will wait."""

    id: int
    company: int
    what: str
    body: msgspec.Raw
    within_s: float = WITHIN_S


class Reply(msgspec.Struct, frozen=True, kw_only=True):
    """Its answer, or the refusal."""

    id: int
    body: msgspec.Raw = msgspec.Raw(b"\xc0")
    refused: frames.Refusal | None = None


class ProposalOf(msgspec.Struct, frozen=True, kw_only=True):
    """`propose`: a proposal on everything as it is now."""

    ticket: TicketId


class PriceOf(msgspec.Struct, frozen=True, kw_only=True):
    """`price`: the crew that a person thinks of; `after` absent: wherever it fits best."""

    ticket: TicketId
    crew: CrewId
    with_crew: CrewId | None = None
    after: TicketId | msgspec.UnsetType | None = msgspec.UNSET
    start_at: int | None = None


class Answered(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal or a price, stored under `decision`."""

    decision: str
    ticket_version: int
    plan: int
    policy: str
    made_at: int
    proposal: dispatch.Proposal | None = None
    priced: dispatch.Priced | None = None


def unavailable() -> Unavailable:
    """The refusal for an engine that does not answer."""
    return Unavailable(
        "engine_unavailable",
        "The engine that scores crews does not answer just now.",
        "Try again in a moment, or dispatch by hand without a proposal.",
    )
