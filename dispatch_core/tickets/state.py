"""What a ticket is after the facts so far, and what can be done in each state."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dispatch_core import levels
from dispatch_core.events import (
    Clocks,
    ContactRegained,
    DeadlineNear,
    DeadlinePassed,
    Due,
    Event,
    LostContact,
    TicketAbsorbed,
    TicketAccepted,
    TicketCancelled,
    TicketClosed,
    TicketConfirmed,
    TicketDispatched,
    TicketHandling,
    TicketKindChanged,
    TicketLabel,
    TicketLevelChanged,
    TicketMerged,
    TicketOwned,
    TicketPhotosAdded,
    TicketPlaced,
    TicketReceived,
    TicketReopened,
    TicketRepeated,
    TicketVerifying,
    Warned,
)
from dispatch_core.ids import (
    Clock,
    CrewId,
    HouseholdId,
    Level,
    OutageId,
    PhotoId,
    Place,
    RequestKind,
    TicketId,
    TicketState,
)

OPEN: tuple[TicketState, ...] = (
    "received", "accepted", "dispatched", "confirmed", "handling", "verifying",
)  # fmt: skip

_AMENDED = (
    "cancel", "change_level", "change_kind", "change_owner", "change_place", "merge", "add_photos",
)  # fmt: skip
POSSIBLE: dict[TicketState, tuple[str, ...]] = {
    "received": ("accept", *_AMENDED),
    "accepted": ("dispatch", *_AMENDED),
    "dispatched": ("confirm", "dispatch", *_AMENDED),
    "confirmed": ("handle", "dispatch", *_AMENDED),
    "handling": ("verify", *_AMENDED),
    "verifying": ("close", "reopen", *_AMENDED),
    "closed": ("reopen",),
    "cancelled": (),
}
"""What can be done in each state: the whole state machine."""


class Ticket(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A ticket after `version` facts; times are Unix seconds of the business clock."""

    version: int
    decided: int
    """The version of the last fact that was more than a warning."""
    state: TicketState
    kind: RequestKind
    level: Level
    place: Place
    source: str
    reports: int
    resident: str | None
    outage: OutageId | None
    received_at: int
    started_at: int
    """When the clocks started: at intake, or at the last reopening."""
    heard_at: int
    clocks: Clocks
    warned: dict[Clock, Warned]
    lost_contact: bool = False
    crew: CrewId | None = None
    crew_name: str | None = None
    closed_at: int | None = None
    household: HouseholdId | None = None
    green_channel: bool = False
    owner: str | None = None
    """Who made first contact, or was named later (首接负责)."""
    photos: list[PhotoId] = msgspec.field(default_factory=list)
    reasons: list[str] = msgspec.field(default_factory=list)
    said: str | None = None
    """Keyed digest of the last caller's words."""
    called_at: int | None = None
    """When somebody last called about it; None: at intake only."""
    duplicates: int = 0
    """Of the reports those that were one call sent again."""
    merged_into: TicketId | None = None

    @property
    def due(self) -> Due | None:
        """The earliest running clock."""
        return levels.due(self.state, self.clocks, self.warned)

    @property
    def label(self) -> TicketLabel:
        """What one line about this ticket needs."""
        return TicketLabel(level=self.level, kind=self.kind, address=self.place.address)

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        due = self.due
        return {
            "state": self.state,
            "version": self.version,
            "level": self.level,
            "crew": self.crew,
            "due_at": due.at if due else None,
            "possible": list(POSSIBLE[self.state]),
        }


def unwarned(warned: Mapping[Clock, Warned], clock: Clock) -> dict[Clock, Warned]:
    """The warnings said so far, without those of one clock."""
    return {k: v for k, v in warned.items() if k != clock}


def apply(ticket: Ticket | None, event: Event, at: int) -> Ticket:
    """The ticket after one more fact, which happened at `at`.

    Raises ValueError for a fact that cannot be the next of a ticket: a broken journal, not a user's
    mistake.
    """
    if isinstance(event, TicketReceived):
        if ticket is not None:
            raise ValueError("a ticket is received once")
        return Ticket(
            version=1,
            decided=1,
            state="received",
            kind=event.ticket.kind,
            level=event.ticket.level,
            place=event.place,
            source=event.source,
            reports=event.reports,
            resident=event.resident,
            outage=event.outage,
            received_at=at,
            started_at=at,
            heard_at=at,
            clocks=event.clocks,
            warned={},
            household=event.household,
            green_channel=event.green_channel,
            photos=event.photos,
            reasons=event.reasons,
            said=event.said,
        )
    if ticket is None:
        raise ValueError(f"{type(event).__name__} cannot be the first fact of a ticket")
    version = ticket.version + 1
    warned: dict[Clock, Warned]
    match event:
        case DeadlineNear():
            warned = {**ticket.warned, event.clock: "near"}
            return msgspec.structs.replace(ticket, version=version, warned=warned)
        case DeadlinePassed():
            warned = {**ticket.warned, event.clock: "passed"}
            return msgspec.structs.replace(ticket, version=version, warned=warned)
        case LostContact():
            return msgspec.structs.replace(ticket, version=version, lost_contact=True)
        case ContactRegained():
            return msgspec.structs.replace(ticket, version=version, lost_contact=False, heard_at=at)
        case TicketRepeated() | TicketAbsorbed() | TicketPhotosAdded():
            return _grown(msgspec.structs.replace(ticket, version=version), event, at)
        case _:
            return _moved(ticket, event, at, version)


def _moved(  # noqa: PLR0911 - one answer per event
    ticket: Ticket, event: Event, at: int, version: int
) -> Ticket:
    replace = msgspec.structs.replace
    base = replace(ticket, version=version, decided=version)
    match event:
        case TicketAccepted():
            return replace(base, state="accepted", heard_at=at, owner=base.owner or event.by)
        case TicketDispatched():
            clocks = replace(base.clocks, on_site=None)
            warned = unwarned(base.warned, "on_site")
            return replace(
                base, state="dispatched", heard_at=at, clocks=clocks, warned=warned,
                crew=event.crew, crew_name=event.crew_name,
            )  # fmt: skip
        case TicketConfirmed():
            clocks = replace(base.clocks, on_site=event.on_site_by)
            return replace(base, state="confirmed", heard_at=at, clocks=clocks)
        case TicketHandling():
            return replace(base, state="handling", heard_at=at)
        case TicketVerifying():
            return replace(base, state="verifying", heard_at=at)
        case TicketClosed():
            return replace(base, state="closed", closed_at=at, lost_contact=False)
        case TicketCancelled():
            return replace(base, state="cancelled", closed_at=at, lost_contact=False)
        case TicketReopened():
            return replace(
                base, state="accepted", heard_at=at, started_at=at, clocks=event.clocks,
                warned={}, crew=None, crew_name=None, closed_at=None,
            )  # fmt: skip
        case TicketLevelChanged():
            clocks = replace(base.clocks, respond=event.respond_by)
            warned = unwarned(base.warned, "respond")
            return replace(base, level=event.ticket.level, clocks=clocks, warned=warned)
        case TicketKindChanged() | TicketOwned() | TicketPlaced() | TicketMerged():
            return _amended(base, event, at)
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of a ticket")


def _grown(
    ticket: Ticket, event: TicketRepeated | TicketAbsorbed | TicketPhotosAdded, at: int
) -> Ticket:
    """More is known; nothing that a person decided upon has changed."""
    replace = msgspec.structs.replace
    match event:
        case TicketRepeated():
            return replace(
                ticket, photos=[*ticket.photos, *event.photos], said=event.said, called_at=at,
                reports=event.reports,
                duplicates=ticket.duplicates + (event.reports - ticket.reports) * event.duplicate,
            )  # fmt: skip
        case TicketAbsorbed():
            return replace(ticket, reports=event.reports)
        case TicketPhotosAdded():
            return replace(ticket, photos=[*ticket.photos, *event.photos])


def _amended(
    base: Ticket, event: TicketKindChanged | TicketOwned | TicketPlaced | TicketMerged, at: int
) -> Ticket:
    replace = msgspec.structs.replace
    match event:
        case TicketKindChanged():
            return replace(base, kind=event.ticket.kind)
        case TicketOwned():
            return replace(base, owner=event.owner)
        case TicketPlaced():
            return replace(
                base, place=event.place, household=event.household,
                green_channel=event.green_channel,
            )  # fmt: skip
        case TicketMerged():
            return replace(
                base, state="cancelled", closed_at=at, lost_contact=False, merged_into=event.into
            )
