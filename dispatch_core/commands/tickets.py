"""Commands on a ticket: intake, its five steps, and what people mend."""

from __future__ import annotations

import msgspec

from dispatch_core.commands.field import Displace, FieldStep, FieldWatch, Link
from dispatch_core.events import Price
from dispatch_core.ids import (
    CancelReason,
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
    Words,
)


class ReceiveRequest(msgspec.Struct, frozen=True, kw_only=True):
    """Take in a request; `accepted`: a seat has the caller on the line: first contact."""

    ticket: TicketId
    kind: RequestKind
    level: Level
    level_reason: IntakeReason
    source: str
    place: Place
    by: str
    reports: int = 1
    resident: str | None = None
    words: Words | None = None
    outage: OutageId | None = None
    accepted: bool = False
    household: HouseholdId | None = None
    green_channel: bool = False
    photos: list[PhotoId] = msgspec.field(default_factory=list)
    reasons: list[str] = msgspec.field(default_factory=list)
    said: str | None = None


class Repeat(msgspec.Struct, frozen=True, kw_only=True):
    """The same fault is reported again: counted on the open ticket, as it is now.

    `raise_to` is the level that the call makes it, `accepted` as in ReceiveRequest.
    """

    source: str
    by: str
    reports: int = 1
    resident: str | None = None
    words: Words | None = None
    said: str | None = None
    photos: list[PhotoId] = msgspec.field(default_factory=list)
    duplicate: bool = False
    accepted: bool = False
    raise_to: Level | None = None
    raise_reason: LevelReason = "many_reports"


class Absorb(msgspec.Struct, frozen=True, kw_only=True):
    """Another ticket is merged into this one, as it is now: the other side of Merge."""

    other: TicketId
    reports: int
    raise_to: Level | None = None


class Merge(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket ends, since another open one is the same piece of work."""

    version: int
    into: TicketId
    by: str
    reason: Words | None = None


class ChangeKind(msgspec.Struct, frozen=True, kw_only=True):
    """It is another kind of request than was heard."""

    version: int
    kind: RequestKind
    by: str
    reason_code: KindReason
    reason: Words | None = None


class ChangeOwner(msgspec.Struct, frozen=True, kw_only=True):
    """Another person owns the ticket until the call-back."""

    version: int
    owner: str
    by: str


class ChangePlace(msgspec.Struct, frozen=True, kw_only=True):
    """The ticket stands elsewhere than it was taken in at; `version` None: as it is now."""

    version: int | None
    place: Place
    by: str
    household: HouseholdId | None = None
    green_channel: bool = False


class AddPhotos(msgspec.Struct, frozen=True, kw_only=True):
    """Hang photos on the ticket."""

    version: int
    photos: list[PhotoId]
    by: str


class Accept(msgspec.Struct, frozen=True, kw_only=True):
    """A seat takes the ticket on."""

    version: int
    by: str


class Dispatch(msgspec.Struct, frozen=True, kw_only=True):
    """A person gives the ticket to a crew; a reason is owed when another crew has it."""

    version: int
    crew: CrewId
    crew_name: str
    by: str
    reason_code: RedispatchReason | None = None
    reason: Words | None = None
    with_crew: CrewId | None = None
    """The second crew of a job that needs two."""
    plan: int | None = None
    """The plan that the proposal was made on; None: by hand, without one."""
    decision: str | None = None
    rank: int | None = None
    price: Price | None = None
    arrive_at: int | None = None
    auto: bool = False
    """The policy lets the proposal confirm itself."""


class Confirm(msgspec.Struct, frozen=True, kw_only=True):
    """The crew takes the ticket."""

    version: int


class Handle(msgspec.Struct, frozen=True, kw_only=True):
    """The crew checks in on site."""

    version: int


class Verify(msgspec.Struct, frozen=True, kw_only=True):
    """The crew has finished; the call-back is next."""

    version: int


class Close(msgspec.Struct, frozen=True, kw_only=True):
    """The call-back was made; `satisfied` is None when nobody could be reached."""

    version: int
    satisfied: bool | None


class Cancel(msgspec.Struct, frozen=True, kw_only=True):
    """End the ticket without work."""

    version: int
    reason_code: CancelReason
    reason: Words | None = None


class Reopen(msgspec.Struct, frozen=True, kw_only=True):
    """The resident is not satisfied, or the fault is back."""

    version: int
    reason_code: ReopenReason
    reason: Words | None = None


class ChangeLevel(msgspec.Struct, frozen=True, kw_only=True):
    """Raise or lower the response level."""

    version: int
    level: Level
    reason_code: LevelReason
    reason: Words | None = None


Amendment = Merge | ChangeKind | ChangeOwner | ChangePlace | AddPhotos
"""What a ticket is changes, not how far it has come."""
TicketStep = (
    Accept | Dispatch | Confirm | Handle | Verify | Close | Cancel | Reopen | ChangeLevel
    | Amendment | FieldStep | Displace | Link
)  # fmt: skip
TicketCommand = ReceiveRequest | Repeat | Absorb | TicketStep | FieldWatch
