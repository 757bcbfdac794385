"""What dispatch answers: proposals, prices, plans and what would follow from a change."""

from __future__ import annotations

import msgspec

from dispatch_core.events import Choice, PlannedVisit, Price, Span, TicketProposed
from dispatch_core.ids import CrewId, Level, RuleCode, TicketId, TravelSource


class CrewRule(msgspec.Struct, frozen=True, kw_only=True):
    """What left a crew out; None: it may."""

    crew: CrewId
    name: str
    rule: RuleCode | None


class Proposal(msgspec.Struct, frozen=True, kw_only=True):
    """The best crews for a ticket, and of every crew the rule that left it out."""

    ticket: TicketId
    ticket_version: int
    plan: int
    made_at: int
    choices: list[Choice]
    """Best first, three at most; empty: nobody can."""
    rules: list[CrewRule]
    """Every crew, in order of ids."""
    left_out: dict[RuleCode, int]
    """Rule -> crews that it left out."""
    travel: TravelSource
    policy: str
    waits_for: RuleCode | None = None
    """What the ticket itself waits for before any crew may go, or, where crews are named all the
    same, before they begin to work."""
    safe_first: Choice | None = None
    """Where nobody can start in time: a crew that would have to leave the ticket it works on. Only
    for a named person, and after the place there was made safe."""

    def told(self, decision: str) -> TicketProposed:
        """As the screens hear of it."""
        return TicketProposed(
            plan=self.plan, ticket_version=self.ticket_version, decision=decision,
            made_at=self.made_at, choices=self.choices, left_out=self.left_out,
            travel=self.travel, policy=self.policy, waits_for=self.waits_for,
        )  # fmt: skip


class Priced(msgspec.Struct, frozen=True, kw_only=True):
    """A crew that a person thinks of, beside the best."""

    choice: Choice | None
    """None: its shift or windows leave no room, or a rule forbids it."""
    price: Price
    against: Choice | None
    """The best proposal."""
    refused_by: RuleCode | None


class CrewDay(msgspec.Struct, frozen=True, kw_only=True):
    """A crew's day as planned."""

    crew: CrewId
    visits: list[PlannedVisit]
    breaks: list[Span]


class Unplanned(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that no crew has in the plan, and why."""

    ticket: TicketId
    level: Level
    address: str
    reasons: list[RuleCode]
    """The rules that left the crews out, the one that left out most first; never empty."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """How good a plan is."""

    visits: int
    served: int
    """Tickets with a crew and a time."""
    unplanned: int
    late_red: int
    late_yellow: int
    late_blue: int
    travel_s: int
    cost: int
    """Seconds of travel that everything together counts."""
    changed: int
    cap: int
    iterations: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """The days of all crews."""

    made_at: int
    ends_at: int
    """What may begin only later is left to a later plan."""
    days: list[CrewDay]
    """Every crew that is planned for, in order of ids."""
    unplanned: list[Unplanned]
    changed: list[TicketId]
    """Tickets that had a crew in the plan before and have another now."""
    figures: Figures
    travel: TravelSource
    travel_note: str | None
    policy: str


class Moved(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket whose crew or time would be another."""

    ticket: TicketId
    level: Level
    address: str
    from_crew: CrewId | None
    to_crew: CrewId | None
    from_at: int | None
    to_at: int | None
    late_s: int


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The plan that would follow from a change, beside the one that follows without it."""

    now: Figures
    then: Figures
    changes: list[Moved]
    unplanned: list[Unplanned]
    late: list[Moved]
    """Those that would begin after their clock and do not now."""
    plan_basis: int
    iterations: int
    notes: list[str]
