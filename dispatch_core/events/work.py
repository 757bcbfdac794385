"""What a ticket asks of a crew, and what people agree, permit and lock about its visit."""

from __future__ import annotations

import msgspec

from dispatch_core.events.tickets import TicketFact
from dispatch_core.ids import (
    Clock,
    CrewId,
    DisplaceReason,
    FaultOwner,
    PermitKind,
    RuleCode,
    StoreId,
    TicketId,
    TicketState,
    Trade,
    Words,
)


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """What a piece of field work asks of a crew."""

    trade: Trade
    owner: FaultOwner = "company"
    certificates: list[str] = msgspec.field(default_factory=list)
    permits: list[PermitKind] = msgspec.field(default_factory=list)
    """What must be permitted in writing before anybody begins."""
    skill: int = 1
    """The least skill level, 1 to 5."""
    minutes: int = 30
    """Expected time on site."""
    crews: int = 1
    """Crews that must begin at one time, 1 or 2."""
    parts: dict[str, int] = msgspec.field(default_factory=dict)
    """Part -> pieces."""
    vehicle: list[str] = msgspec.field(default_factory=list)
    """What the van must carry, e.g. pump, generator."""
    home_visit: bool = False
    """It needs somebody's home opened: 08:00-21:00 unless red or agreed."""
    equipment: str | None = None
    """The equipment record it concerns, e.g. a boiler's type."""


class Gas(msgspec.Struct, frozen=True, kw_only=True):
    """A gas reading before a confined space is entered."""

    oxygen_pct: float
    lel_pct: float
    """Combustible gas, per cent of the lower explosive limit."""
    co_ppm: float
    h2s_ppm: float
    read_at: int


class TicketWorkSet(TicketFact, frozen=True, kw_only=True):
    """A person said what the work is; until then the policy says it from the kind and the place."""

    work: Work
    by: str


class TicketAppointed(TicketFact, frozen=True, kw_only=True):
    """A visit was agreed with the resident for a window; both None: there is none any more."""

    from_at: int | None
    until_at: int | None
    night_agreed: bool
    """The resident agreed to a visit outside 08:00-21:00."""
    by: str
    on_site_by: int | None = None
    """The clock to be on site from now on, where a crew has confirmed."""


class TicketPermitted(TicketFact, frozen=True, kw_only=True):
    """A permit was written for dangerous work."""

    permit: PermitKind
    number: str
    gas: Gas | None
    guard: str | None
    """Who watches outside the confined space."""
    valid_until: int
    by: str


class TicketPartsAwaited(TicketFact, frozen=True, kw_only=True):
    """The work waits for parts: reserved in a store, or on order until `expected_at`."""

    parts: dict[str, int]
    store: StoreId | None
    """Where they are reserved; None: they are on order."""
    expected_at: int
    by: str


class TicketPartsLate(TicketFact, frozen=True, kw_only=True):
    """The parts are not there at the time they were expected."""

    expected_at: int


class TicketPartsReady(TicketFact, frozen=True, kw_only=True):
    """The parts are there; the work may be planned."""

    by: str


class TicketPinned(TicketFact, frozen=True, kw_only=True):
    """A person locked the ticket's visit to a crew, and to a start if one is given."""

    crew: CrewId
    crew_name: str
    start_at: int | None
    by: str


class TicketUnpinned(TicketFact, frozen=True, kw_only=True):
    """The lock is off: the plan may move the visit again."""

    by: str


class TicketDisplaced(TicketFact, frozen=True, kw_only=True):
    """The ticket was taken from its crew because of something more urgent; it waits again."""

    crew: CrewId
    crew_name: str
    was: TicketState
    reason_code: DisplaceReason
    because: TicketId | None
    """The ticket that goes first."""
    next_crew: CrewId | None
    next_at: int | None
    """When and by whom the plan has it done instead."""
    made_safe: bool
    """The place was made safe before the crew left it: owed where it was on site."""
    by: str
    reason: Words | None = None


class TicketEscalated(TicketFact, frozen=True, kw_only=True):
    """A passed deadline, or a red ticket nobody can take, was carried to the duty manager."""

    clock: Clock | None
    """None: no crew can be proposed."""
    deadline: int | None
    to: str


class TicketUnproposed(TicketFact, frozen=True, kw_only=True):
    """A red ticket has had no crew to propose for too long; `rules`: what left the crews out."""

    since: int
    rules: dict[RuleCode, int]
    """Rule -> crews that it alone, or first, left out."""
    again: bool = False
    """There was a crew for a moment only: the duty manager, who was told, is not told anew."""


class TicketProposedAgain(TicketFact, frozen=True, kw_only=True):
    """There is a crew to propose for the ticket again."""


class TicketLinked(TicketFact, frozen=True, kw_only=True):
    """A link was made by which the resident can follow the ticket; one made before has ended."""

    digest: str
    """Of the token, which itself stands nowhere."""
    by: str
