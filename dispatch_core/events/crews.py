"""Events of a crew: register, shift, work, and whether its position is known."""

from __future__ import annotations

from dispatch_core.events.base import Body
from dispatch_core.ids import CrewState, TicketId


class CrewRegistered(Body, frozen=True, kw_only=True):
    """A crew joined the register, or its data changed."""

    name: str
    trades: list[str]
    certificates: list[str]
    members: int
    vehicle: str
    shift: str


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
