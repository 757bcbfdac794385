"""Random lives of a ticket under a core that looks only when the ticket says so, and that is away
now and then: what is late is warned of, told and carried up at once, and never twice."""

from __future__ import annotations

import contextlib
from datetime import datetime, timedelta
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from msgspec.structs import replace
from ticket_steps import COMMANDS, T0, receive

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import levels, tickets
from dispatch_core.errors import Refused
from dispatch_core.ids import Clock, unix
from dispatch_core.tickets import Ticket

STEPS = ("accept", "dispatch", "confirm", "handle", "verify", "reopen", "displace", "appoint")
CLOCKS: tuple[Clock, ...] = ("first_contact", "respond", "on_site", "solved")
LEVELS = st.sampled_from(["red", "yellow", "blue"])


class Carried(RuleBasedStateMachine):
    """Steps and changes of level at random times; nothing but the ticket outlives a step."""

    @initialize(level=LEVELS)
    def intake(self, level: str) -> None:
        self.now: datetime = T0
        self.ticket: Ticket | None = None
        self.said: dict[Clock, list[str]] = {clock: [] for clock in CLOCKS}
        self.take(tickets.decide(None, receive(level=level), self.now))
        self.look()

    def take(self, made: list[e.Event]) -> None:
        for event in made:
            before = self.ticket.clocks if self.ticket else None
            self.ticket = tickets.apply(self.ticket, event, unix(self.now))
            assert event.due == self.ticket.due
            for clock in CLOCKS:
                anew = isinstance(event, e.TicketReopened)
                if anew or getattr(before, clock, None) != getattr(self.ticket.clocks, clock):
                    self.said[clock] = []
            if isinstance(event, e.DeadlineNear | e.DeadlinePassed):
                self.said[event.clock].append(e.kind_of(type(event)))
            elif isinstance(event, e.TicketEscalated) and event.clock is not None:
                self.said[event.clock].append("ticket_escalated")

    def look(self) -> None:
        """The core: it reads the ticket anew, and only once its next look is due."""
        assert self.ticket is not None
        at = tickets.next_look(self.ticket)
        if at is None or at > unix(self.now):
            return
        self.take(tickets.watch(self.ticket, self.now))
        for owed in tickets.owed(self.ticket):
            self.take(tickets.decide(self.ticket, owed, self.now))
        later = tickets.next_look(self.ticket)
        assert later is None or later > unix(self.now)  # it would look for ever

    @rule(minutes=st.integers(0, 40), away=st.booleans())
    def time_goes_by(self, minutes: int, away: bool) -> None:
        for _ in range(minutes * 6):
            self.now += timedelta(seconds=10)
            if not away:
                self.look()
        self.look()

    @rule(hours=st.integers(1, 23))
    def a_core_that_was_away(self, hours: int) -> None:
        self.now += timedelta(hours=hours)
        self.look()

    @rule(level=LEVELS)
    def another_level(self, level: Any) -> None:
        assert self.ticket is not None
        change = c.ChangeLevel(version=self.ticket.version, level=level, reason_code="danger")
        with contextlib.suppress(Refused):
            self.take(tickets.decide(self.ticket, change, self.now))
        self.look()

    @rule(name=st.sampled_from(STEPS))
    def a_step(self, name: str) -> None:
        assert self.ticket is not None
        command = COMMANDS[name](self.ticket.version)
        if name == "appoint":
            begins = unix(self.now) + 600 + self.ticket.version  # never the same window twice
            command = replace(command, from_at=begins, until_at=begins + 1200)
        try:
            self.take(tickets.decide(self.ticket, command, self.now))
        except Refused:
            return
        self.look()

    @invariant()
    def what_is_late_was_said_and_carried_up_once(self) -> None:
        ticket = getattr(self, "ticket", None)
        if ticket is None:
            return
        for said in self.said.values():
            assert len(set(said)) == len(said), self.said
        for deadline, clock in levels.running(ticket.state, ticket.clocks):
            late = deadline <= unix(self.now)
            assert ("deadline_passed" in self.said[clock]) == late
            if late and clock in levels.ESCALATED[ticket.level]:
                assert "ticket_escalated" in self.said[clock]
            if not late:
                assert "ticket_escalated" not in self.said[clock]


Carried.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestCarried = Carried.TestCase
