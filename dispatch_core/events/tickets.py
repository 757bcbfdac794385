"""Events of a ticket, from intake to the closed loop."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.ids import (
    CancelReason,
    Clock,
    CrewId,
    HouseholdId,
    IntakeReason,
    KindReason,
    Level,
    LevelReason,
    OutageId,
    PhotoId,
    Place,
    RedispatchReason,
    ReopenReason,
    RequestKind,
    TicketId,
    TicketState,
    Words,
)

Warned = Literal["no", "near", "passed"]


class Due(msgspec.Struct, frozen=True, kw_only=True):
    """The earliest running clock after an event, and which of its warnings are committed."""

    clock: Clock
    at: int
    warned: Warned


class Clocks(msgspec.Struct, frozen=True, kw_only=True):
    """The deadlines of a ticket's four clocks; `on_site` has one only once a crew has confirmed."""

    first_contact: int
    respond: int
    on_site: int | None
    solved: int


class Price(msgspec.Struct, frozen=True, kw_only=True):
    """What a choice costs against the best proposal."""

    best: CrewId | None
    later_s: int
    newly_late: list[TicketId]
    displaced: list[TicketId]


class TicketLabel(msgspec.Struct, frozen=True, kw_only=True):
    """What one line about a ticket needs."""

    level: Level
    kind: RequestKind
    address: str


class TicketFact(Body, frozen=True, kw_only=True):
    """What every ticket event carries: its label, and the earliest clock running after it."""

    ticket: TicketLabel
    due: Due | None


class TicketReceived(TicketFact, frozen=True, kw_only=True):
    """A request was taken in."""

    level_reason: IntakeReason
    source: str
    place: Place
    reports: int
    resident: str | None
    words: Words | None
    outage: OutageId | None
    clocks: Clocks
    policy: str
    household: HouseholdId | None = None
    green_channel: bool = False
    photos: list[PhotoId] = msgspec.field(default_factory=list)
    reasons: list[str] = msgspec.field(default_factory=list)
    """Codes of everything that spoke for the level and kind, e.g. `danger:爆管`."""
    said: str | None = None
    """Keyed digest of who said what: the same call sent twice is known by it."""


class TicketRepeated(TicketFact, frozen=True, kw_only=True):
    """The same fault was reported again while the ticket is open: attached, not doubled."""

    reports: int
    """All reports so far."""
    source: str
    resident: str | None
    words: Words | None
    photos: list[PhotoId] = msgspec.field(default_factory=list)
    said: str | None = None
    duplicate: bool = False
    """The very same words of the same caller within minutes: counted, but no more urgent."""


class TicketPlaced(TicketFact, frozen=True, kw_only=True):
    """A person found the door: the ticket stands at another place than it was taken in at."""

    place: Place
    household: HouseholdId | None
    by: str
    green_channel: bool = False


class TicketOwned(TicketFact, frozen=True, kw_only=True):
    """Another person owns the ticket until the call-back (首接负责)."""

    owner: str
    from_owner: str | None
    by: str


class TicketKindChanged(TicketFact, frozen=True, kw_only=True):
    """A person changed the kind; `ticket.kind` is the new one."""

    from_kind: RequestKind
    reason_code: KindReason
    reason: Words | None
    by: str


class TicketMerged(TicketFact, frozen=True, kw_only=True):
    """The ticket ends because another open one is the same piece of work; its cases move there."""

    into: TicketId
    by: str
    reason: Words | None = None


class TicketAbsorbed(TicketFact, frozen=True, kw_only=True):
    """Another ticket was merged into this one: its reports are counted here."""

    other: TicketId
    reports: int


class TicketPhotosAdded(TicketFact, frozen=True, kw_only=True):
    """Photos were attached to the ticket."""

    photos: list[PhotoId]
    by: str


class TicketAccepted(TicketFact, frozen=True, kw_only=True):
    """A seat has made first contact and owns the ticket (受理)."""

    by: str


class TicketDispatched(TicketFact, frozen=True, kw_only=True):
    """A person gave the ticket to a crew (派发); `from_crew` had it before."""

    crew: CrewId
    crew_name: str
    from_crew: CrewId | None
    by: str
    reason_code: RedispatchReason | None
    reason: Words | None
    with_crew: CrewId | None = None
    """The second crew of a job that needs two."""
    plan: int | None = None
    """The plan that the proposal was made on; None: given by hand without one."""
    decision: str | None = None
    """Content address of the inputs and the answer of the proposal."""
    rank: int | None = None
    """Which of the proposed crews it was, from 1; None: none of them."""
    price: Price | None = None
    """What this crew costs against the best, as it was shown before the choice."""
    arrive_at: int | None = None
    auto: bool = False
    """The policy let the proposal confirm itself."""


class TicketConfirmed(TicketFact, frozen=True, kw_only=True):
    """The crew has taken the ticket; the clock to be on site runs from here."""

    crew: CrewId
    crew_name: str
    on_site_by: int


class TicketHandling(TicketFact, frozen=True, kw_only=True):
    """The crew has checked in on site (处理)."""

    crew: CrewId
    crew_name: str


class TicketVerifying(TicketFact, frozen=True, kw_only=True):
    """The crew has finished and checked out; a seat calls the resident back (验证)."""

    crew: CrewId
    crew_name: str


class TicketClosed(TicketFact, frozen=True, kw_only=True):
    """The loop is closed (闭环); `satisfied` is None when nobody could be reached."""

    satisfied: bool | None
    took_s: int
    """Seconds since the ticket was received."""
    crew_name: str | None


class TicketCancelled(TicketFact, frozen=True, kw_only=True):
    """The ticket ends without work, for a reason."""

    reason_code: CancelReason
    reason: Words | None


class TicketReopened(TicketFact, frozen=True, kw_only=True):
    """Work was not good, or the fault is back. Carries all that an open ticket shows anew."""

    reason_code: ReopenReason
    reason: Words | None
    source: str
    place: Place
    reports: int
    outage: OutageId | None
    received_at: int
    clocks: Clocks
    policy: str


class TicketLevelChanged(TicketFact, frozen=True, kw_only=True):
    """A person changed the response level; `ticket.level` is the new one."""

    from_level: Level
    reason_code: LevelReason
    reason: Words | None
    respond_by: int
    policy: str


class DeadlineNear(TicketFact, frozen=True, kw_only=True):
    """The node warning before a clock's deadline (节点预警)."""

    clock: Clock
    deadline: int


class DeadlinePassed(TicketFact, frozen=True, kw_only=True):
    """A clock's deadline has passed."""

    clock: Clock
    deadline: int


class LostContact(TicketFact, frozen=True, kw_only=True):
    """Nothing was heard on the ticket past its expected time (失联工单)."""

    state: TicketState
    silent_since: int


class ContactRegained(TicketFact, frozen=True, kw_only=True):
    """Something was heard on the ticket again."""
