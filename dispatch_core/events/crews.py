"""Events of a crew: register, shift, work, and whether its position is known."""

from __future__ import annotations

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.ids import CrewState, StopReason, TicketId


class Pause(msgspec.Struct, frozen=True, kw_only=True):
    """A break: so many minutes, begun between two times of the company's day (HH:MM)."""

    after: str
    before: str
    minutes: int


class CrewRegistered(Body, frozen=True, kw_only=True):
    """A crew joined the register, or its data changed."""

    name: str
    trades: list[str]
    certificates: list[str]
    members: int
    vehicle: str
    shift: str
    skill: int = 3
    """1 to 5."""
    territory: list[str] = msgspec.field(default_factory=list)
    """Districts it serves by day; empty: the whole city."""
    base_lon: float | None = None
    base_lat: float | None = None
    breaks: list[Pause] = msgspec.field(default_factory=list)
    equipment: list[str] = msgspec.field(default_factory=list)
    """What the van carries for good, e.g. pump, generator."""


class CrewStocked(Body, frozen=True, kw_only=True):
    """What lies on the crew's van now: all of it, part -> pieces."""

    parts: dict[str, int]
    by: str


class CrewStopped(Body, frozen=True, kw_only=True):
    """The crew can take no work for now: its van broke down, or somebody fell ill."""

    name: str
    reason_code: StopReason
    until_at: int | None
    by: str


class CrewBack(Body, frozen=True, kw_only=True):
    """A stopped crew can work again."""

    name: str
    by: str


class CrewFact(Body, frozen=True, kw_only=True):
    """What every event of a crew's work carries: its state after it, and the ticket it is on."""

    state: CrewState
    current: TicketId | None


class CrewShiftStarted(CrewFact, frozen=True, kw_only=True):
    """The crew is on duty."""

    ends_at: int


class CrewShiftEnded(CrewFact, frozen=True, kw_only=True):
    """The crew is off duty."""


class CrewAssigned(CrewFact, frozen=True, kw_only=True):
    """A ticket was given to the crew."""

    ticket: TicketId


class CrewEnRoute(CrewFact, frozen=True, kw_only=True):
    """The crew took the ticket and is on its way."""

    ticket: TicketId


class CrewOnSite(CrewFact, frozen=True, kw_only=True):
    """The crew has checked in."""

    ticket: TicketId


class CrewReleased(CrewFact, frozen=True, kw_only=True):
    """The crew is done with the ticket, or it was taken away."""

    ticket: TicketId


class PositionLost(Body, frozen=True, kw_only=True):
    """A crew on duty sends no fixes (定位中断)."""

    name: str
    since: int


class PositionRegained(Body, frozen=True, kw_only=True):
    """A crew's fixes are back."""

    name: str
    lost_s: int
