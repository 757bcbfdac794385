"""Commands on a crew: register, shift, stock, and the tickets in its hands."""

from __future__ import annotations

import msgspec

from dispatch_core.events import Pause
from dispatch_core.ids import CrewId, StopReason, TicketId, Trade


class Base(msgspec.Struct, frozen=True, kw_only=True):
    """Where a crew starts from, WGS-84."""

    lon: float
    lat: float


class RegisterCrew(msgspec.Struct, frozen=True, kw_only=True):
    """Enter a crew into the register, or change its data; None leaves what is there."""

    crew: CrewId
    name: str
    trades: list[Trade]
    certificates: list[str]
    members: int
    vehicle: str
    shift: str
    skill: int | None = None
    """1 to 5."""
    territory: list[str] | None = None
    """Districts; empty: the whole city."""
    base: Base | None = None
    breaks: list[Pause] | None = None
    equipment: list[str] | None = None


class StockCrew(msgspec.Struct, frozen=True, kw_only=True):
    """All that lies on the crew's van now, part -> pieces."""

    parts: dict[str, int]
    by: str


class StopCrew(msgspec.Struct, frozen=True, kw_only=True):
    """The crew can take no work, until `until_at` (Unix seconds) where that is known."""

    reason_code: StopReason
    by: str
    until_at: int | None = None


class CrewBackToWork(msgspec.Struct, frozen=True, kw_only=True):
    """A stopped crew works again."""

    by: str


class StartShift(msgspec.Struct, frozen=True, kw_only=True):
    """The crew comes on duty until `ends_at` (Unix seconds)."""

    ends_at: int


class EndShift(msgspec.Struct, frozen=True, kw_only=True):
    """The crew goes off duty."""


class AssignTicket(msgspec.Struct, frozen=True, kw_only=True):
    """Give the crew a ticket: the crew's side of Dispatch."""

    ticket: TicketId


class TakeTicket(msgspec.Struct, frozen=True, kw_only=True):
    """The crew sets out for a ticket: its side of Confirm."""

    ticket: TicketId


class ArriveAtTicket(msgspec.Struct, frozen=True, kw_only=True):
    """The crew is on site: its side of Handle."""

    ticket: TicketId


class ReleaseTicket(msgspec.Struct, frozen=True, kw_only=True):
    """The crew no longer has the ticket."""

    ticket: TicketId


WorkCommand = AssignTicket | TakeTicket | ArriveAtTicket | ReleaseTicket
"""The crew's side of a ticket's step."""
CrewCommand = (
    RegisterCrew | StockCrew | StopCrew | CrewBackToWork | StartShift | EndShift | WorkCommand
)
