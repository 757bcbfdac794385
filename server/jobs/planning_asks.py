"""What the core asks its child processes, and what they answer."""

from __future__ import annotations

import msgspec

from dispatch_core.dispatch import Change, Held, Plan, Proposal
from dispatch_core.ids import TicketId
from server.adapters.engine_calls import PriceOf


class AskProposals(msgspec.Struct, frozen=True, kw_only=True):
    """Proposals for several tickets on the same inputs."""

    inputs: msgspec.Raw
    tickets: list[TicketId]


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal, and the grounds on which the policy lets it confirm itself, if it does."""

    proposal: Proposal
    auto: str | None


class AskPrice(msgspec.Struct, frozen=True, kw_only=True):
    """A price on inputs."""

    inputs: msgspec.Raw
    of: PriceOf


class AskPlan(msgspec.Struct, frozen=True, kw_only=True):
    """A plan with at most so many iterations, and no more CPU than this; None: exactly so many."""

    inputs: msgspec.Raw
    iterations: int
    cpu_s: float | None


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The plan, what the next one keeps to, and the iterations that it really took."""

    plan: Plan
    held: list[Held]
    iterations: int


class AskWhatIf(msgspec.Struct, frozen=True, kw_only=True):
    """What would follow from a change."""

    inputs: msgspec.Raw
    change: Change
    iterations: int
