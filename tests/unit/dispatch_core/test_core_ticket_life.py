"""A ticket over time: what it is warned of, and random lives, legal and not."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from ticket_steps import (
    AT0,
    COMMANDS,
    CONTENT,
    MINUTE,
    T0,
    at_state,
    carry,
    dispatch,
    kinds,
    receive,
)

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import levels, tickets
from dispatch_core.errors import Conflict, Refused
from dispatch_core.ids import CrewId, unix
from dispatch_core.tickets import Ticket


def test_warnings_come_once_each_and_in_order() -> None:
    ticket = at_state("received", "red")
    assert tickets.watch(ticket, T0 + 14 * MINUTE) == []
    assert tickets.next_look(ticket) == AT0 + 15 * 60
    seen = []
    for minute in (15, 16, 29, 30, 31, 24 * 60 - 15, 24 * 60, 25 * 60):
        now = T0 + minute * MINUTE
        for event in tickets.watch(ticket, now):
            ticket = tickets.apply(ticket, event, unix(now))
            seen.append((minute, e.kind_of(type(event)), event.clock, event.due.clock))
    assert seen == [
        (15, "deadline_near", "first_contact", "first_contact"),
        (15, "deadline_near", "respond", "first_contact"),
        (30, "deadline_passed", "first_contact", "first_contact"),
        (30, "deadline_passed", "respond", "first_contact"),
        (24 * 60 - 15, "deadline_near", "solved", "first_contact"),
        (24 * 60, "deadline_passed", "solved", "first_contact"),
    ]
    assert [owed.clock for owed in tickets.owed(ticket)] == ["first_contact", "respond", "solved"]
    for owed in tickets.owed(ticket):
        ticket = carry(ticket, owed, now)
    assert tickets.next_look(ticket) is None
    assert ticket.due == e.Due(clock="first_contact", at=AT0 + 1800, warned="passed")


def test_a_watch_that_slept_says_passed_without_near() -> None:
    ticket = at_state("received", "red")
    assert kinds(tickets.watch(ticket, T0 + timedelta(days=2))) == ["deadline_passed"] * 3


def test_next_look_is_when_watch_first_speaks() -> None:
    for state in tickets.POSSIBLE:
        for level in ("red", "yellow", "blue"):
            ticket = at_state(state, level)
            for _ in range(8):
                at = tickets.next_look(ticket)
                if at is None:
                    assert tickets.watch(ticket, T0 + timedelta(days=9)) == []
                    break
                now = datetime.fromtimestamp(at, UTC)
                assert tickets.watch(ticket, now - timedelta(seconds=1)) == []
                made = tickets.watch(ticket, now)
                assert made
                for event in made:
                    ticket = tickets.apply(ticket, event, at)
                for owed in tickets.owed(ticket):
                    ticket = carry(ticket, owed, now)


def test_a_silent_ticket_is_lost_and_the_next_word_regains_it() -> None:
    ticket = at_state("dispatched")
    later = T0 + 40 * MINUTE
    (lost,) = tickets.watch(ticket, later)
    assert isinstance(lost, e.LostContact)
    assert (lost.state, lost.silent_since) == ("dispatched", ticket.heard_at)
    ticket = tickets.apply(ticket, lost, unix(later))
    assert ticket.lost_contact
    assert tickets.watch(ticket, later + MINUTE) == []
    made = tickets.decide(ticket, c.Confirm(version=ticket.version - 1), later)
    assert kinds(made) == ["contact_regained", "ticket_confirmed"]
    assert not carry(ticket, c.Confirm(version=ticket.version), later).lost_contact


def test_a_crew_on_its_way_owes_its_check_in_at_the_planned_arrival() -> None:
    arrive_at = AT0 + 5 * 3600
    ticket = at_state("accepted")
    ticket = carry(
        ticket,
        c.Dispatch(
            version=ticket.version,
            crew=CrewId("C1"),
            crew_name="一班",
            by="u1",
            arrive_at=arrive_at,
        ),
        T0,
    )
    ticket = carry(ticket, c.Confirm(version=ticket.version), T0)
    ends = datetime.fromtimestamp(arrive_at + 1800, UTC)
    assert "lost_contact" not in kinds(tickets.watch(ticket, ends - timedelta(seconds=1)))
    assert "lost_contact" in kinds(tickets.watch(ticket, ends))


class Life(RuleBasedStateMachine):
    """Random commands, right and wrong, at random times, with the watch in between."""

    @initialize(level=st.sampled_from(["red", "yellow", "blue"]), accepted=st.booleans())
    def intake(self, level: str, accepted: bool) -> None:
        self.now = T0
        self.history: list[tuple[e.Event, int]] = []
        self.ticket: Ticket | None = None
        self.states: list[str] = []
        self.take(tickets.decide(None, receive(level=level, accepted=accepted), self.now))

    def take(self, made: list[e.Event]) -> None:
        for event in made:
            before = self.ticket.version if self.ticket else 0
            self.ticket = tickets.apply(self.ticket, event, unix(self.now))
            self.history.append((event, unix(self.now)))
            assert self.ticket.version == before + 1
            self.states.append(self.ticket.state)
            assert event.due == self.ticket.due

    @rule(
        pick=st.integers(0, 71),
        legal=st.sampled_from([True, True, True, False]),
        offset=st.sampled_from([0, 0, 0, 0, -1, 1]),
        wait=st.integers(0, 4 * 3600),
    )
    def command(self, pick: int, legal: bool, offset: int, wait: int) -> None:
        self.now += timedelta(seconds=wait)
        before = self.ticket
        assert before is not None
        names = list(tickets.POSSIBLE[before.state]) if legal else []
        names = names or sorted(COMMANDS)
        name = names[pick % len(names)]
        command = COMMANDS[name](before.version + offset)
        fits = before.decided <= command.version <= before.version
        may = name in tickets.POSSIBLE[before.state] and fits
        made: list[e.Event] = []
        try:
            made = tickets.decide(before, command, self.now)
        except Refused as refused:
            why = refused.code
        else:
            why = None
        assert may == (why is None or why.startswith("same_") or why in CONTENT)
        assert bool(made) == (why is None)
        assert self.ticket is before
        self.take(made)

    @rule(
        reports=st.integers(1, 3), duplicate=st.booleans(), accepted=st.booleans(),
        level=st.sampled_from([None, "red", "yellow", "blue"]), absorbed=st.booleans(),
    )  # fmt: skip
    def call_again(
        self, reports: int, duplicate: bool, accepted: bool, level: Any, absorbed: bool
    ) -> None:
        """A repeat, or another ticket that ends in this one: counted while open, never lowered."""
        before = self.ticket
        assert before is not None
        command: Any = (
            c.Absorb(other="t9", reports=reports, raise_to=level)
            if absorbed
            else c.Repeat(
                source="phone", by="user:2", reports=reports, duplicate=duplicate,
                accepted=accepted, raise_to=level,
            )
        )  # fmt: skip
        if before.state not in tickets.OPEN:
            with pytest.raises(Conflict):
                tickets.decide(before, command, self.now)
            return
        self.take(tickets.decide(before, command, self.now))
        assert self.ticket is not None
        assert self.ticket.reports == before.reports + reports
        assert self.ticket.duplicates <= self.ticket.reports - 1
        assert levels.SEVERITY[self.ticket.level] <= levels.SEVERITY[before.level]
        met = not absorbed and accepted and before.state == "received"
        assert (self.ticket.state != before.state) == met

    @rule(second=st.sampled_from(["k3", "k4"]), wait=st.integers(0, 3600))
    def two_crews(self, second: str, wait: int) -> None:
        """A job that needs two crews at one start."""
        self.now += timedelta(seconds=wait)
        before = self.ticket
        assert before is not None
        if "dispatch" not in tickets.POSSIBLE[before.state]:
            return
        command = dispatch(before.version, "k2", with_crew=second, reason_code="nearer_crew")
        if before.crews == ("k2", second):
            with pytest.raises(Refused, match="same_crew"):
                tickets.decide(before, command, self.now)
            return
        self.take(tickets.decide(before, command, self.now))
        assert self.ticket is not None
        assert self.ticket.crews == ("k2", second)

    @rule(what=st.sampled_from(["on_site", "respond", None]), since=st.booleans())
    def the_core_speaks(self, what: Any, since: bool) -> None:
        """Each thing is said once of an open ticket, and never of one that is over."""
        before = self.ticket
        assert before is not None
        commands: list[Any] = [c.Escalate(clock=what, deadline=None, to="duty")]
        if since:
            commands.append(c.MarkUnproposed(since=unix(self.now), rules={"skill": 2}))
        else:
            commands.append(c.ProposedAgain())
        for command in commands:
            self.take(tickets.decide(self.ticket, command, self.now))
            assert tickets.decide(self.ticket, command, self.now) == []
        assert self.ticket is not None
        assert self.ticket.decided == before.decided
        if before.state not in tickets.OPEN:
            assert self.ticket is before

    @invariant()
    def hands_fit_the_state(self) -> None:
        """Before dispatch nobody has it; a second crew is never alone; nothing is said twice."""
        ticket = getattr(self, "ticket", None)
        if ticket is None:
            return
        if ticket.state in {"received", "accepted"}:
            assert ticket.crews == ()
            assert ticket.clocks.on_site is None
        if ticket.state in {"dispatched", "confirmed", "handling", "verifying"}:
            assert ticket.crew is not None
            assert ticket.displaced_by is None
            assert ticket.unproposed_since is None
        assert ticket.with_crew is None or ticket.with_crew != ticket.crew
        assert len(set(ticket.escalated)) == len(ticket.escalated)
        assert ticket.state in tickets.OPEN or ticket.reserved is None

    @invariant()
    def late_parts_are_said_once(self) -> None:
        waiting: list[bool] = []
        for event, at in getattr(self, "history", []):
            if isinstance(event, e.TicketPartsAwaited):
                waiting.append(False)
            elif isinstance(event, e.TicketPartsLate):
                assert waiting[-1] is False
                assert event.expected_at <= at
                waiting[-1] = True

    @invariant()
    def the_first_owner_stays(self) -> None:
        """The first person who accepts it or gives it to a crew owns it until another is named."""
        owner: str | None = None
        for event, _ in getattr(self, "history", []):
            if isinstance(event, e.TicketOwned):
                owner = event.owner
            elif isinstance(event, e.TicketAccepted | e.TicketDispatched):
                owner = owner or (event.by if event.by.startswith("person:") else None)
        ticket = getattr(self, "ticket", None)
        assert ticket is None or ticket.owner == owner

    @rule(wait=st.integers(0, 10 * 3600))
    def watch(self, wait: int) -> None:
        self.now += timedelta(seconds=wait)
        assert self.ticket is not None
        self.take(tickets.watch(self.ticket, self.now))
        assert tickets.watch(self.ticket, self.now) == []

    @invariant()
    def clocks_are_never_negative(self) -> None:
        for event, at in getattr(self, "history", []):
            if isinstance(event, e.TicketReceived | e.TicketReopened):
                assert (
                    min(event.clocks.first_contact, event.clocks.respond, event.clocks.solved) > at
                )
            if isinstance(event, e.TicketClosed):
                assert event.took_s >= 0
            if isinstance(event, e.TicketConfirmed):
                assert event.on_site_by > at

    @invariant()
    def closed_only_after_verifying(self) -> None:
        states = getattr(self, "states", [])
        moves = [s for i, s in enumerate(states) if i == 0 or s != states[i - 1]]
        for before, after in itertools.pairwise(moves):
            assert after != "closed" or before == "verifying"

    @invariant()
    def the_history_gives_the_state(self) -> None:
        again: Ticket | None = None
        for event, at in getattr(self, "history", []):
            again = tickets.apply(again, event, at)
        assert again == getattr(self, "ticket", None)
        if again is not None and levels.running(again.state, again.clocks):
            assert again.state in tickets.OPEN


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase
