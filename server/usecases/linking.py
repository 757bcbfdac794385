"""A link by which a resident follows a ticket: the fact holds a digest of its secret only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch_core import tickets
from dispatch_core.commands import Link
from dispatch_core.ids import TicketId
from server.ports import Decision, Loaded, OutMessage, Wanted
from server.usecases.streams import named
from server.usecases.ticket_answer import after


class LinkAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What is stored of the answer; the address itself is told once and kept nowhere."""

    ticket: TicketId
    version: int
    sent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkTicket:
    """Make a link; one made before has ended. `letter` is written to `to`, if there is anybody."""

    ticket: TicketId
    command: Link
    to: str | None
    """Pseudonym of the resident who is written to."""
    letter: dict[str, str | None] | None

    def wanted(self) -> Wanted:
        """The ticket's stream."""
        return Wanted(streams=(named("ticket", self.ticket),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The ticket's fact, and the message to its resident."""
        stream = named("ticket", self.ticket)
        ticket: tickets.Ticket | None = loaded.state(stream)[0]
        events = tickets.decide(ticket, self.command, now)
        state = after(ticket, events, now)
        messages = []
        if self.to is not None and self.letter is not None and state.resident == self.to:
            letter = OutMessage(
                channel="resident", target=self.to, kind="ticket_link", about=stream,
                body=self.letter,
            )  # fmt: skip
            messages.append(letter)
        return Decision(
            appends={stream: events},
            answer=LinkAnswer(ticket=self.ticket, version=state.version, sent=bool(messages)),
            grounds="a link for the resident",
            policy="links-1",
            messages=messages,
        )
