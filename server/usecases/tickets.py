"""Commands on tickets: take one in, and carry it through its five steps together with its crew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec

from dispatch_core import commands, crews, levels, tickets
from dispatch_core.commands import (
    Accept,
    ArriveAtTicket,
    AssignTicket,
    Cancel,
    ChangeLevel,
    Close,
    Confirm,
    Handle,
    ReleaseTicket,
    Reopen,
    TakeTicket,
    Verify,
)
from dispatch_core.errors import NotFound
from dispatch_core.events import Event
from dispatch_core.ids import (
    Clock,
    CrewId,
    IntakeReason,
    Level,
    OutageId,
    RedispatchReason,
    RequestKind,
    TicketId,
    TicketState,
    unix,
)
from dispatch_core.outages import Outage
from dispatch_core.tickets import Ticket
from server.ports import Decision, Loaded, SecretPerson, SecretText, Wanted
from server.usecases.places import place_of
from server.usecases.streams import named

Step = Accept | Confirm | Handle | Verify | Close | Cancel | Reopen | ChangeLevel

CREW_SIDE: dict[type, type[TakeTicket | ArriveAtTicket | ReleaseTicket]] = {
    Confirm: TakeTicket,
    Handle: ArriveAtTicket,
    Verify: ReleaseTicket,
    Cancel: ReleaseTicket,
}
"""What a step of the ticket means for the crew that has it."""


class TicketAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket as the API shows it, at its building and no closer; times are Unix seconds."""

    id: TicketId
    version: int
    state: TicketState
    kind: RequestKind
    level: Level
    lon: float
    lat: float
    address: str
    building: str | None
    community: str | None
    district: str | None
    source: str
    reports: int
    outage: OutageId | None
    crew: CrewId | None
    crew_name: str | None
    crew_confirmed: bool
    received_at: int
    due_at: int | None
    due_clock: Clock | None
    near: bool
    overdue: bool
    overdue_since: int | None
    lost_contact: bool
    closed_at: int | None
    possible: tuple[str, ...]
    """The commands that its state allows."""


CONFIRMED: frozenset[TicketState] = frozenset({"confirmed", "handling", "verifying", "closed"})


def answer_of(ticket_id: TicketId, ticket: Ticket) -> TicketAnswer:
    """What a caller is told of a ticket: nothing of a resident."""
    due = ticket.due
    overdue = due is not None and due.warned == "passed"
    return TicketAnswer(
        id=ticket_id,
        version=ticket.version,
        state=ticket.state,
        kind=ticket.kind,
        level=ticket.level,
        lon=ticket.place.lon,
        lat=ticket.place.lat,
        address=ticket.place.address,
        building=ticket.place.building,
        community=ticket.place.community,
        district=ticket.place.district,
        source=ticket.source,
        reports=ticket.reports,
        outage=ticket.outage,
        crew=ticket.crew,
        crew_name=ticket.crew_name,
        crew_confirmed=ticket.crew is not None and ticket.state in CONFIRMED,
        received_at=ticket.received_at,
        due_at=due.at if due else None,
        due_clock=due.clock if due else None,
        near=due is not None and due.warned == "near",
        overdue=overdue,
        overdue_since=due.at if due and overdue else None,
        lost_contact=ticket.lost_contact,
        closed_at=ticket.closed_at,
        possible=tickets.POSSIBLE[ticket.state],
    )


def after(ticket: Ticket | None, events: Sequence[Event], now: datetime) -> Ticket:
    """The ticket once the events have happened. Raises ValueError if there is none then."""
    for event in events:
        ticket = tickets.apply(ticket, event, unix(now))
    if ticket is None:
        raise ValueError("no fact, no ticket")
    return ticket


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveRequest:
    """Take in a request at a building of the register or at a coordinate ((lon, lat), WGS-84).

    `ticket` is a new number; `caller` and `words` come sealed under their pseudonym and digest.
    """

    ticket: TicketId
    kind: RequestKind
    level: Level
    source: str
    by: str
    level_reason: IntakeReason = "as_given"
    building: str | None = None
    spot: tuple[float, float] | None = None
    node: str | None = None
    area: str | None = None
    caller: SecretPerson | None = None
    words: SecretText | None = None
    reports: int = 1
    outage: OutageId | None = None
    accepted: bool = False

    def wanted(self) -> Wanted:
        """The ticket's stream, the building, and the outage it hangs on."""
        return Wanted(
            streams=(
                named("ticket", self.ticket),
                *((named("outage", self.outage),) if self.outage else ()),
            ),
            buildings=(self.building,) if self.building else (),
            nodes=(self.node,) if self.node else (),
            spots=(self.spot,) if self.spot else (),
        )

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """One ticket, accepted at once if a seat has the caller on the line."""
        stream = named("ticket", self.ticket)
        state, _ = loaded.state(stream)
        self._check_outage(loaded)
        events = tickets.decide(
            state,
            commands.ReceiveRequest(
                ticket=self.ticket,
                kind=self.kind,
                level=self.level,
                level_reason=self.level_reason,
                source=self.source,
                place=place_of(loaded, self.building, self.node, self.spot, self.area),
                by=self.by,
                reports=self.reports,
                resident=self.caller.pseudonym if self.caller else None,
                words=self.words.words if self.words else None,
                outage=self.outage,
                accepted=self.accepted,
            ),
            now,
        )
        return Decision(
            appends={stream: events},
            answer=answer_of(self.ticket, after(state, events, now)),
            status=201,
            grounds=f"taken in by {self.source}; level {self.level}: {self.level_reason}",
            policy=levels.POLICY.version,
            texts=(self.words,) if self.words else (),
            persons=(self.caller,) if self.caller else (),
            source="tickets",
        )

    def _check_outage(self, loaded: Loaded) -> None:
        if self.outage is None:
            return
        outage: Outage | None = loaded.state(named("outage", self.outage))[0]
        if outage is None or outage.ended_at is not None:
            raise NotFound(
                "no_such_outage",
                f"There is no open outage {self.outage}.",
                "Leave the outage away, or name an open one.",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTicket:
    """Every step but dispatch; `reason` is the sealed text behind the command's digest."""

    ticket: TicketId
    command: Step
    reason: SecretText | None = None

    def wanted(self) -> Wanted:
        """The ticket's stream."""
        return Wanted(streams=(named("ticket", self.ticket),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """The stream of the crew that has the ticket, where the step concerns it."""
        ticket, _ = loaded.state(named("ticket", self.ticket))
        crew = self._crew(ticket)
        return Wanted(streams=(named("crew", crew),) if crew else ())

    def _crew(self, ticket: Ticket | None) -> CrewId | None:
        return ticket.crew if ticket and type(self.command) in CREW_SIDE else None

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's facts, and those of its crew."""
        stream = named("ticket", self.ticket)
        ticket, _ = loaded.state(stream)
        events = tickets.decide(ticket, self.command, now)
        appends: dict[str, Sequence[Event]] = {stream: events}
        crew = self._crew(ticket)
        if crew is not None:
            crew_stream = named("crew", crew)
            state, _ = loaded.state(crew_stream)
            side = CREW_SIDE[type(self.command)](ticket=self.ticket)
            made = crews.decide(state, side, now)
            if made:
                appends[crew_stream] = made
        return Decision(
            appends=appends,
            answer=answer_of(self.ticket, after(ticket, events, now)),
            grounds=self._grounds(),
            policy=levels.POLICY.version,
            texts=(self.reason,) if self.reason else (),
        )

    def _grounds(self) -> str:
        match self.command:
            case Cancel() | Reopen():
                return f"reason: {self.command.reason_code}"
            case ChangeLevel():
                return f"level {self.command.level}: {self.command.reason_code}"
            case Close():
                told = "the resident is satisfied" if self.command.satisfied else "nobody reached"
                return f"call-back: {told}"
            case Accept():
                return "first contact made"
            case Confirm():
                return "the crew took the ticket"
            case Handle():
                return "the crew checked in on site"
            case Verify():
                return "the crew finished and checked out"


@dataclass(frozen=True, slots=True, kw_only=True)
class DispatchTicket:
    """A person gives the ticket to a crew; the crew that had it before is released."""

    ticket: TicketId
    version: int
    crew: CrewId
    by: str
    reason_code: RedispatchReason | None = None
    reason: SecretText | None = None

    def wanted(self) -> Wanted:
        """The streams of the ticket and of its new crew."""
        return Wanted(streams=(named("ticket", self.ticket), named("crew", self.crew)))

    def more(self, loaded: Loaded, /) -> Wanted:
        """The stream of the crew that has the ticket now."""
        old = self._old_crew(loaded)
        return Wanted(streams=(named("crew", old),) if old else ())

    def _old_crew(self, loaded: Loaded) -> CrewId | None:
        ticket: Ticket | None = loaded.state(named("ticket", self.ticket))[0]
        return ticket.crew if ticket and ticket.crew != self.crew else None

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's fact, the new crew's and the old crew's."""
        stream, crew_stream = named("ticket", self.ticket), named("crew", self.crew)
        ticket, _ = loaded.state(stream)
        crew: crews.Crew | None = loaded.state(crew_stream)[0]
        if crew is None:
            raise NotFound(
                "no_such_crew", f"There is no crew {self.crew}.", "Choose a crew of the register."
            )
        command = commands.Dispatch(
            version=self.version,
            crew=self.crew,
            crew_name=crew.name,
            by=self.by,
            reason_code=self.reason_code,
            reason=self.reason.words if self.reason else None,
        )
        events = tickets.decide(ticket, command, now)
        assigned = crews.decide(crew, AssignTicket(ticket=self.ticket), now)
        appends: dict[str, Sequence[Event]] = {stream: events, crew_stream: assigned}
        old = self._old_crew(loaded)
        if old is not None:
            appends.update(self._released(loaded, old, now))
        return Decision(
            appends={name: made for name, made in appends.items() if made},
            answer=answer_of(self.ticket, after(ticket, events, now)),
            grounds=f"assigned by hand; reason: {self.reason_code or 'first assignment'}",
            policy=crews.POLICY.version,
            texts=(self.reason,) if self.reason else (),
        )

    def _released(self, loaded: Loaded, old: CrewId, now: datetime) -> dict[str, Sequence[Event]]:
        stream = named("crew", old)
        state: Any = loaded.state(stream)[0]
        return {stream: crews.decide(state, ReleaseTicket(ticket=self.ticket), now)}
