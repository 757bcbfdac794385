"""What a ticket is, and what can be done in each state."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dispatch_core import levels
from dispatch_core.events import Clocks, Due, TicketLabel, Warned, Work
from dispatch_core.ids import (
    Clock,
    CrewId,
    HouseholdId,
    Level,
    OutageId,
    PermitKind,
    PhotoId,
    Place,
    RequestKind,
    StoreId,
    TicketId,
    TicketState,
)
from dispatch_core.tickets.visit import Appointment, Escalation, HeldPermit, Lock, PartsWait

OPEN: tuple[TicketState, ...] = (
    "received", "accepted", "dispatched", "confirmed", "handling", "verifying",
)  # fmt: skip

_AMENDED = (
    "cancel", "change_level", "change_kind", "change_owner", "change_place", "merge", "add_photos",
    "link",
)  # fmt: skip
_VISIT = ("set_work", "permit", "await_parts", "parts_ready")
_BEFORE_SITE = (*_VISIT, "appoint", "pin", "unpin")
POSSIBLE: dict[TicketState, tuple[str, ...]] = {
    "received": ("accept", *_AMENDED, *_BEFORE_SITE),
    "accepted": ("dispatch", *_AMENDED, *_BEFORE_SITE),
    "dispatched": ("confirm", "dispatch", "displace", *_AMENDED, *_BEFORE_SITE),
    "confirmed": ("handle", "dispatch", "displace", *_AMENDED, *_BEFORE_SITE),
    "handling": ("verify", "displace", *_AMENDED, *_VISIT),
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
    """The person who made first contact, else who first gave it to a crew, or who was named later
    (首接负责)."""
    photos: list[PhotoId] = msgspec.field(default_factory=list)
    reasons: list[str] = msgspec.field(default_factory=list)
    said: str | None = None
    """Keyed digest of the last caller's words."""
    called_at: int | None = None
    """When somebody last called about it; None: at intake only."""
    duplicates: int = 0
    """Of the reports those that were one call sent again."""
    merged_into: TicketId | None = None
    with_crew: CrewId | None = None
    """The second crew of a job that needs two: it moves with the ticket as the first does."""
    arrive_at: int | None = None
    """When the crew was expected as it was given the ticket."""
    auto: bool = False
    """The policy gave it to its crew; no person did."""
    work: Work | None = None
    """What a person said the work is; None: what the policy says."""
    appointed: Appointment | None = None
    permits: dict[PermitKind, HeldPermit] = msgspec.field(default_factory=dict)
    """The last of each kind, also one that has run out."""
    parts_wait: PartsWait | None = None
    reserved: StoreId | None = None
    """The store that keeps parts for it, also once they are ready."""
    pinned: Lock | None = None
    displaced_by: TicketId | None = None
    """The ticket that took its crew; None once it has one again."""
    escalated: list[Escalation] = msgspec.field(default_factory=list)
    """What was carried to the duty manager of the clocks as they stand."""
    unproposed_since: int | None = None
    proposed_at: int | None = None
    """Since when there is a crew to propose again; None: that was never otherwise."""
    reopened: int = 0
    link: str | None = None
    """Digest of the token by which the resident follows it; None: no link was made."""

    @property
    def crews(self) -> tuple[CrewId, ...]:
        """The crews that have it in hand: none, one, or two."""
        return tuple(crew for crew in (self.crew, self.with_crew) if crew is not None)

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


def warned_after(ticket: Ticket, respond: int) -> dict[Clock, Warned]:
    """The warnings said so far that still hold once the clock to respond runs out at `respond`."""
    if respond == ticket.clocks.respond:
        return ticket.warned
    return unwarned(ticket.warned, "respond")


def crew_of(ticket: Ticket) -> tuple[CrewId, str]:
    """The crew that has the ticket, and its name. Raises ValueError in a state without one."""
    if ticket.crew is None or ticket.crew_name is None:
        raise ValueError(f"a ticket that is {ticket.state} has no crew: a broken journal")
    return ticket.crew, ticket.crew_name
