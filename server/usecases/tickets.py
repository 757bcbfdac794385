"""Commands on tickets: carried through their five steps together with the crew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dispatch_core import commands, crews, levels, tickets
from dispatch_core.commands import (
    Accept,
    AddPhotos,
    ArriveAtTicket,
    AssignTicket,
    Cancel,
    ChangeKind,
    ChangeLevel,
    ChangeOwner,
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
from dispatch_core.ids import CrewId, RedispatchReason, TicketId
from dispatch_core.tickets import Ticket
from server.ports import Decision, Loaded, SecretText, Wanted
from server.usecases.places import check_photos
from server.usecases.streams import named
from server.usecases.ticket_answer import TicketAnswer, after, answer_of

__all__ = ["DispatchTicket", "Step", "StepTicket", "TicketAnswer", "answer_of"]

Step = (
    Accept | Confirm | Handle | Verify | Close | Cancel | Reopen | ChangeLevel
    | ChangeKind | ChangeOwner | AddPhotos
)  # fmt: skip

CREW_SIDE: dict[type, type[TakeTicket | ArriveAtTicket | ReleaseTicket]] = {
    Confirm: TakeTicket,
    Handle: ArriveAtTicket,
    Verify: ReleaseTicket,
    Cancel: ReleaseTicket,
}
"""What a step of the ticket means for the crew that has it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTicket:
    """Every step but dispatch; `reason` is the sealed text behind the command's digest."""

    ticket: TicketId
    command: Step
    reason: SecretText | None = None

    def wanted(self) -> Wanted:
        """The ticket's stream, and the photos that are to hang on it."""
        photos = self.command.photos if isinstance(self.command, AddPhotos) else ()
        return Wanted(streams=(named("ticket", self.ticket),), photos=photos)

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
        if isinstance(self.command, AddPhotos):
            check_photos(loaded, self.command.photos)
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

    def _grounds(self) -> str:  # noqa: PLR0911 - one answer per command
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
            case ChangeKind():
                return f"kind {self.command.kind}: {self.command.reason_code}"
            case ChangeOwner():
                return f"owned by {self.command.owner}"
            case AddPhotos():
                return f"{len(self.command.photos)} photos"


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
