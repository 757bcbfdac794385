"""What the planner tells the screens: crews' days and proposals; told, not journalled."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.ids import (
    CrewId,
    Level,
    RequestKind,
    RuleCode,
    ScorePart,
    TicketId,
    TravelSource,
)

VisitState = Literal["planned", "dispatched", "confirmed", "en_route", "on_site"]


class PlannedVisit(msgspec.Struct, frozen=True, kw_only=True):
    """One visit of a crew's day; several tickets in one building or on one pipe are one visit."""

    tickets: list[TicketId]
    level: Level
    kind: RequestKind
    address: str
    leave_at: int
    """When the crew sets out for it."""
    start_at: int
    end_at: int
    state: VisitState
    frozen: bool
    """The plan does not move it: confirmed, begun, locked, or about to begin."""
    late_s: int
    """How much after the earliest running clock it begins; 0: in time."""
    with_crew: CrewId | None = None
    """The second crew of a job that needs two."""


class Span(msgspec.Struct, frozen=True, kw_only=True):
    """From a time to another."""

    from_at: int
    until_at: int


class CrewDayPlanned(Body, frozen=True, kw_only=True):
    """A crew's day as the plan has it; its earlier plan no longer holds."""

    plan: int
    visits: list[PlannedVisit]
    breaks: list[Span]


class RoundChanged(Body, frozen=True, kw_only=True):
    """Something of what a crew's phone shows of its day is another now."""


class Displacement(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that would have to give way, and what becomes of it."""

    ticket: TicketId
    level: Level
    address: str
    was_at: int
    crew: CrewId | None
    """Who would have it then; None: nobody today."""
    start_at: int | None
    late_s: int


class Choice(msgspec.Struct, frozen=True, kw_only=True):
    """A crew for a ticket, with its reasons and its price against the best."""

    crew: CrewId
    crew_name: str
    arrive_at: int
    start_at: int
    end_at: int
    sure_s: int
    """The arrival is right within so many seconds, nine times out of ten."""
    distance_m: int
    score: dict[ScorePart, int]
    """Each part in seconds of travel; their sum orders the crews, after the minutes by which work
    would start too late and whoever would have to give way."""
    total: int
    facts: dict[str, int | str]
    """What stands behind the parts, e.g. visits_here, pieces_on_van, degree_hours."""
    after: TicketId | None
    """The visit it would follow; None: the next one."""
    displaced: list[Displacement]
    newly_late: list[Displacement]
    """Tickets that would breach a clock because of it."""
    with_crew: CrewId | None = None
    crew_version: int = 0
    """The version of the crew's stream that this was scored on."""
    with_crew_version: int = 0
    """The same of the second crew's."""


class TicketProposed(Body, frozen=True, kw_only=True):
    """The best crews for a ticket, and the rule that left every other out."""

    plan: int
    ticket_version: int
    decision: str
    """Content address of the inputs and the answer."""
    made_at: int
    choices: list[Choice]
    """Best first, three at most; empty: nobody can."""
    left_out: dict[RuleCode, int]
    """Rule -> crews that it left out."""
    travel: TravelSource
    policy: str
    waits_for: RuleCode | None = None
    """What the ticket itself waits for, e.g. a permit or parts, before any crew may go."""


class ProposalWithdrawn(Body, frozen=True, kw_only=True):
    """The ticket needs no proposal any more."""


class PlanFigures(Body, frozen=True, kw_only=True):
    """How good the plan is, and what it was made with."""

    plan: int
    made_at: int
    visits: int
    unplanned: int
    late: int
    changed: int
    """Tickets that changed crew in this round."""
    cap: int
    travel: TravelSource
    travel_because: str | None
    cpu_ms: int
    iterations: int
    lost_since: int | None = None
    """Since when no plan has been made because its making broke off; None: it did not."""
