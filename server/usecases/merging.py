"""Two tickets are one piece of work: one ends in the other; external cases go along, whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from dispatch_core import commands, levels, requests, tickets
from dispatch_core.commands import ReleaseTicket
from dispatch_core.errors import Invalid, NotFound
from dispatch_core.events import Event
from dispatch_core.ids import Level, TicketId
from dispatch_core.tickets import Ticket
from server.ports import CityPolicy, Decision, Loaded, SecretText, Wanted
from server.usecases.cases import moved_cases
from server.usecases.hands import crew_streams, of_crews, parts_released, store_stream
from server.usecases.on_site import check_end
from server.usecases.streams import named
from server.usecases.ticket_answer import after, answer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeTicket:
    """End `ticket` in `into`; its crews are released, its reports are counted there."""

    ticket: TicketId
    into: TicketId
    version: int
    by: str
    city: CityPolicy
    reason: SecretText | None = None
    """Why, in words: owed where a crew was on site for the one that ends."""

    def wanted(self) -> Wanted:
        """Both tickets, the work on site of the one that ends, and its cases."""
        site = named("evidence", self.ticket)
        return Wanted(
            streams=(named("ticket", self.ticket), site, named("ticket", self.into)),
            cases_of=(self.ticket,),
        )

    def more(self, loaded: Loaded, /) -> Wanted:
        """The streams of those cases, of the crews that have the ticket, and of its store."""
        ticket: Ticket | None = loaded.state(named("ticket", self.ticket))[0]
        beside = (*crew_streams(ticket), *store_stream(ticket))
        return Wanted(streams=(*loaded.cases.get(self.ticket, ()), *beside))

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The facts of both tickets, of crews and store, and of every case; answers the one that
        stays.

        Raises Invalid `same_ticket`, `reason_needed`; NotFound `no_such_ticket`; Conflict
        `version_conflict`, `wrong_state`, `valve_shut`, `not_vented`; Forbidden `role_needed`.
        """
        if self.ticket == self.into:
            raise Invalid(
                "same_ticket", "A ticket cannot be merged into itself.", "Name another ticket."
            )
        stream, into_stream = named("ticket", self.ticket), named("ticket", self.into)
        ticket: Ticket | None = loaded.state(stream)[0]
        into: Ticket | None = loaded.state(into_stream)[0]
        reason = self.reason.words if self.reason else None
        merge = commands.Merge(version=self.version, into=self.into, by=self.by, reason=reason)
        merged = tickets.decide(ticket, merge, now)
        if ticket is None or into is None:
            raise NotFound(
                "no_such_ticket", f"There is no ticket {self.into}.", "Check its number."
            )
        check_end(loaded, self.ticket, ticket, self.by, reason)
        command = commands.Absorb(
            other=self.ticket, reports=ticket.reports, raise_to=self._level(ticket, into)
        )
        absorbed = tickets.decide(into, command, now)
        appends: dict[str, Sequence[Event]] = {stream: merged, into_stream: absorbed}
        release = ReleaseTicket(ticket=self.ticket)
        appends.update(of_crews(loaded, ticket.crews, release, now))
        appends.update(parts_released(loaded, self.ticket, ticket))
        appends.update(moved_cases(loaded, self.ticket, self.into, now))
        return Decision(
            appends=appends,
            answer=answer_of(self.into, after(into, absorbed, now), self.city),
            grounds=f"{self.ticket} is the same piece of work as {self.into}",
            policy=f"{levels.POLICY.version} {self.city.version}",
            texts=(self.reason,) if self.reason else (),
        )

    def _level(self, ticket: Ticket, into: Ticket) -> Level:
        """The more urgent of both, raised if all the calls together are many."""
        calls = into.reports - into.duplicates
        more = ticket.reports - ticket.duplicates
        return requests.merged_level(
            ticket.level, into.level, calls, calls + more, self.city.requests
        )
