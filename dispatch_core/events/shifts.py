"""Events of the desk's own day: handover between shifts, and the frozen morning report."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.ids import Clock, CrewId, Level, OutageId, RequestKind, TicketId, Words

HandoverSide = Literal["leaving", "coming"]


class HandedTicket(msgspec.Struct, frozen=True, kw_only=True):
    """An open ticket as it is handed over."""

    ticket: TicketId
    version: int
    level: Level
    kind: RequestKind
    address: str
    state: str
    crew_name: str | None
    due_clock: Clock | None
    due_at: int | None
    overdue: bool


class HandedOutage(msgspec.Struct, frozen=True, kw_only=True):
    """An open outage with its shut valve (node)."""

    outage: OutageId
    name: str
    node: str
    buildings: int
    households: int
    opened_at: int
    expected_end_at: int


class HandedCrew(msgspec.Struct, frozen=True, kw_only=True):
    """A crew that is silent, and the ticket it is on."""

    crew: CrewId
    name: str
    since: int
    ticket: TicketId | None


class HandedPromise(msgspec.Struct, frozen=True, kw_only=True):
    """Something promised to somebody: an agreed visit, parts, a reply to a case, a call-back."""

    what: Literal["appointment", "parts", "case_reply", "call_back"]
    ticket: TicketId
    address: str
    by_at: int


class HandoverDrawn(Body, frozen=True, kw_only=True):
    """The list to be handed over, as it was when it was drawn up."""

    reds: list[HandedTicket]
    overdue: list[HandedTicket]
    outages: list[HandedOutage]
    silent: list[HandedCrew]
    lost: list[HandedTicket]
    """Tickets whose contact is lost."""
    promises: list[HandedPromise]
    open: dict[str, int]
    """Level -> open tickets."""
    note: Words | None
    by: str


class HandoverSigned(Body, frozen=True, kw_only=True):
    """One of the two shifts signed; after both it cannot change any more."""

    side: HandoverSide
    by: str


class ReportFrozen(Body, frozen=True, kw_only=True):
    """The figures of 24 hours up to 07:30, which never change afterwards."""

    from_at: int
    until_at: int
    figures: dict[str, float | int | None]
    """Name of a figure -> its value, in the unit that its name ends with."""
    by_crew: list[dict[str, int | str]]
    reds: list[HandedTicket]


class ReportCorrected(Body, frozen=True, kw_only=True):
    """A remark on a frozen report; its figures stay."""

    remark: Words
    by: str
