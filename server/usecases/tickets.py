"""Commands on tickets: carried through their five steps together with the crew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch_core import levels, tickets
from dispatch_core.commands import (
    Accept,
    AddPhotos,
    ArriveAtTicket,
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
from dispatch_core.events import Event
from dispatch_core.ids import TicketId
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, SecretText, Wanted
from server.usecases.dispatching import DispatchTicket
from server.usecases.hands import crew_streams, of_crews, parts_released, store_stream
from server.usecases.on_site import check_end, check_owed, check_site
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
"""What a step of the ticket means for the crews that have it."""
ENDS_WORK = (Verify, Close)
"""What asks the evidence of the work on site."""
ASKS_SITE = (*ENDS_WORK, Cancel, ChangeKind)
"""What asks the work on site whether it may be."""
OVER = (Close, Cancel, Reopen)
"""After these the store keeps nothing for the ticket any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTicket:
    """Every step but dispatch; `reason` is the sealed text behind the command's digest."""

    ticket: TicketId
    command: Step
    by: str
    reason: SecretText | None = None
    city: CityPolicy
    """Says what the work is, and what evidence it owes."""

    def wanted(self) -> Wanted:
        """The ticket's stream, that of the work on site where the step asks it, and the photos that
        are to hang on the ticket."""
        photos = self.command.photos if isinstance(self.command, AddPhotos) else ()
        site = (named("evidence", self.ticket),) if isinstance(self.command, ASKS_SITE) else ()
        return Wanted(streams=(named("ticket", self.ticket), *site), photos=photos)

    def more(self, loaded: Loaded, /) -> Wanted:
        """The streams of the crews and the store that the step concerns."""
        ticket: Ticket | None = loaded.state(named("ticket", self.ticket))[0]
        hands = crew_streams(ticket) if type(self.command) in CREW_SIDE else ()
        store = store_stream(ticket) if isinstance(self.command, OVER) else ()
        return Wanted(streams=(*hands, *store))

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's facts, those of its crews, and of the store that keeps its parts.

        Raises what the ticket refuses, and Conflict as the work on site does: `valve_shut`,
        `not_vented`, `evidence_missing`, `second_person_unnamed`, `evidence_not_accepted`,
        `evidence_would_shrink`; where a crew was on site Forbidden `role_needed` and Invalid
        `reason_needed` of an end without the work.
        """
        stream = named("ticket", self.ticket)
        ticket: Ticket | None = loaded.state(stream)[0]
        if isinstance(self.command, AddPhotos):
            check_photos(loaded, self.command.photos)
        events = tickets.decide(ticket, self.command, now)
        if ticket is not None:
            self._check_site(loaded, ticket, after(ticket, events, now))
        appends: dict[str, Sequence[Event]] = {stream: events}
        side = CREW_SIDE.get(type(self.command))
        if ticket is not None and side is not None:
            appends.update(of_crews(loaded, ticket.crews, side(ticket=self.ticket), now))
        if isinstance(self.command, OVER):
            appends.update(parts_released(loaded, self.ticket, ticket))
        return Decision(
            appends=appends,
            answer=answer_of(self.ticket, after(ticket, events, now), self.city),
            grounds=self._grounds(),
            policy=levels.POLICY.version,
            texts=(self.reason,) if self.reason else (),
        )

    def _check_site(self, loaded: Loaded, ticket: Ticket, then: Ticket) -> None:
        match self.command:
            case Verify() | Close():
                closes = isinstance(self.command, Close)
                check_site(loaded, self.ticket, ticket, self.city, closes=closes)
            case Cancel():
                check_end(loaded, self.ticket, ticket, self.by, self.command.reason)
            case ChangeKind():
                check_owed(loaded, self.ticket, ticket, then, self.city)
            case _:
                pass

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
