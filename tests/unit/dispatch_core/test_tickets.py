"""The life of a ticket: every legal step works, every other is refused and changes nothing."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import levels, tickets
from dispatch_core.errors import Conflict, Invalid, NotFound, Refused
from dispatch_core.ids import Place, Words, unix
from dispatch_core.tickets import Ticket

T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
AT0 = unix(T0)
PLACE = Place(
    building="b1",
    lon=126.6,
    lat=45.7,
    address="道里区 经纬街 3号",
    community="c1",
    district="道里区",
)
MINUTE = timedelta(minutes=1)
NOTE = Words(id="w1", digest="d1")


def receive(**changed: Any) -> c.ReceiveRequest:
    given: dict[str, Any] = {
        "ticket": "t1", "kind": "not_warm", "level": "yellow", "level_reason": "cold flat",
        "source": "phone", "place": PLACE, "by": "user:1",
    }  # fmt: skip
    return c.ReceiveRequest(**{**given, **changed})


def carry(ticket: Ticket | None, command: Any, now: datetime) -> Ticket:
    for event in tickets.decide(ticket, command, now):
        ticket = tickets.apply(ticket, event, unix(now))
    assert ticket is not None
    return ticket


def dispatch(version: int, crew: str = "k1", **more: Any) -> c.Dispatch:
    return c.Dispatch(version=version, crew=crew, crew_name=f"{crew}班", by="user:1", **more)


def at_state(state: str, level: str = "yellow") -> Ticket:
    """A ticket brought to a state by the straight way, one minute a step."""
    ticket = carry(None, receive(level=level), T0)
    steps = {
        "accepted": lambda v: c.Accept(version=v, by="user:1"),
        "dispatched": dispatch,
        "confirmed": lambda v: c.Confirm(version=v),
        "handling": lambda v: c.Handle(version=v),
        "verifying": lambda v: c.Verify(version=v),
        "closed": lambda v: c.Close(version=v, satisfied=True),
    }
    if state == "cancelled":
        return carry(ticket, c.Cancel(version=1, reason_code="duplicate"), T0 + MINUTE)
    for i, (name, make) in enumerate(steps.items(), 1):
        if ticket.state == state:
            break
        ticket = carry(ticket, make(ticket.version), T0 + i * MINUTE)
        assert ticket.state == name
    return ticket


COMMANDS = {
    "accept": lambda v: c.Accept(version=v, by="user:1"),
    "dispatch": lambda v: dispatch(v, "k2", reason_code="nearer_crew"),
    "confirm": lambda v: c.Confirm(version=v),
    "handle": lambda v: c.Handle(version=v),
    "verify": lambda v: c.Verify(version=v),
    "close": lambda v: c.Close(version=v, satisfied=True),
    "cancel": lambda v: c.Cancel(version=v, reason_code="not_ours"),
    "reopen": lambda v: c.Reopen(version=v, reason_code="dissatisfied"),
    "change_level": lambda v: c.ChangeLevel(version=v, level="red", reason_code="danger"),
}
AFTER = {
    "accept": "accepted", "dispatch": "dispatched", "confirm": "confirmed", "handle": "handling",
    "verify": "verifying", "close": "closed", "cancel": "cancelled", "reopen": "accepted",
}  # fmt: skip


@pytest.mark.parametrize("state", list(tickets.POSSIBLE))
@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_whole_state_machine(state: str, name: str) -> None:
    ticket = at_state(state)
    command = COMMANDS[name](ticket.version)
    if name in tickets.POSSIBLE[ticket.state]:
        after = carry(ticket, command, T0 + 20 * MINUTE)
        assert after.state == AFTER.get(name, state)
        assert after.version == ticket.version + 1
        return
    with pytest.raises(Conflict) as refused:
        tickets.decide(ticket, command, T0 + 20 * MINUTE)
    assert refused.value.code == "wrong_state"
    assert refused.value.extra["state"] == state
    assert refused.value.extra["possible"] == list(tickets.POSSIBLE[ticket.state])


def test_a_call_is_received_and_accepted_in_one_decision() -> None:
    made = tickets.decide(None, receive(accepted=True), T0)
    assert [type(event) for event in made] == [e.TicketReceived, e.TicketAccepted]
    ticket = carry(None, receive(accepted=True), T0)
    assert (ticket.state, ticket.version) == ("accepted", 2)
    assert ticket.due == e.Due(clock="respond", at=AT0 + 7200, warned="no")


@pytest.mark.parametrize(("level", "seconds"), [("red", 1800), ("yellow", 7200), ("blue", 86400)])
def test_the_clocks_start_at_intake(level: str, seconds: int) -> None:
    ticket = carry(None, receive(level=level), T0)
    assert ticket.clocks == e.Clocks(
        first_contact=AT0 + 1800, respond=AT0 + seconds, on_site=None, solved=AT0 + 86400
    )
    assert ticket.due == e.Due(clock="first_contact", at=AT0 + 1800, warned="no")


def test_each_step_stops_its_clock() -> None:
    due = {state: at_state(state).due for state in tickets.POSSIBLE}
    clocks = {state: d.clock if d else None for state, d in due.items()}
    assert clocks == {
        "received": "first_contact", "accepted": "respond", "dispatched": "respond",
        "confirmed": "on_site", "handling": "solved", "verifying": None, "closed": None,
        "cancelled": None,
    }  # fmt: skip
    confirmed = at_state("confirmed")
    assert confirmed.clocks.on_site == confirmed.heard_at + 3600


def test_a_reopened_ticket_starts_its_clocks_again() -> None:
    for state in ("verifying", "closed"):
        later = T0 + timedelta(hours=30)
        ticket = carry(at_state(state), COMMANDS["reopen"](7 if state == "closed" else 6), later)
        at = unix(later)
        assert ticket.state == "accepted"
        assert ticket.due == e.Due(clock="respond", at=at + 7200, warned="no")
        assert ticket.clocks.solved == at + 86400
        assert ticket.received_at == AT0
        assert (ticket.crew, ticket.closed_at) == (None, None)


def test_a_raised_level_gives_its_time_from_now_but_never_more_than_there_was() -> None:
    later = T0 + timedelta(minutes=100)
    raised = carry(at_state("accepted"), COMMANDS["change_level"](2), later)
    assert raised.clocks.respond == AT0 + 7200  # 20 minutes were left, and stay 20
    early = carry(at_state("accepted"), COMMANDS["change_level"](2), T0 + 5 * MINUTE)
    assert early.clocks.respond == AT0 + 35 * 60
    lowered = carry(
        early, c.ChangeLevel(version=3, level="blue", reason_code="less_severe"), T0 + 6 * MINUTE
    )
    assert lowered.clocks.respond == AT0 + 86400


def test_a_stale_version_is_refused_with_the_present_state() -> None:
    ticket = at_state("dispatched")
    for version in (ticket.version - 1, ticket.version + 1, 0, -1):
        with pytest.raises(Conflict) as refused:
            tickets.decide(ticket, c.Confirm(version=version), T0)
        assert refused.value.code == "version_conflict"
        assert refused.value.extra == ticket.present()


def test_a_warning_that_the_caller_has_not_seen_is_no_conflict() -> None:
    ticket = at_state("dispatched", "red")
    later = T0 + 20 * MINUTE
    warned = ticket
    for event in tickets.watch(ticket, later):
        warned = tickets.apply(warned, event, unix(later))
    assert warned.version > ticket.version
    assert carry(warned, c.Confirm(version=ticket.version), later).state == "confirmed"


def test_taking_a_ticket_from_a_crew_needs_a_reason_and_another_crew() -> None:
    ticket = at_state("confirmed")
    for command, code in [
        (dispatch(ticket.version, "k1", reason_code="no_answer"), "same_crew"),
        (dispatch(ticket.version, "k2"), "reason_needed"),
        (dispatch(ticket.version, "k2", reason_code="other"), "reason_needed"),
    ]:
        with pytest.raises(Invalid) as refused:
            tickets.decide(ticket, command, T0)
        assert refused.value.code == code
    command = dispatch(ticket.version, "k2", reason_code="other", reason=NOTE)
    (event,) = tickets.decide(ticket, command, T0 + 9 * MINUTE)
    assert isinstance(event, e.TicketDispatched)
    assert (event.from_crew, event.crew) == ("k1", "k2")
    after = tickets.apply(ticket, event, AT0)
    assert after.due is not None
    assert after.due.clock == "respond"  # nobody has it confirmed: it runs again
    assert after.clocks.on_site is None


def change_level(level: Any, reason: Any) -> Any:
    return lambda v: c.ChangeLevel(version=v, level=level, reason_code=reason)


@pytest.mark.parametrize(
    ("state", "command", "code"),
    [
        ("accepted", lambda v: c.Cancel(version=v, reason_code="other"), "reason_needed"),
        ("closed", lambda v: c.Reopen(version=v, reason_code="other"), "reason_needed"),
        ("accepted", change_level("red", "other"), "reason_needed"),
        ("accepted", change_level("yellow", "danger"), "same_level"),
        ("verifying", lambda v: c.Close(version=v, satisfied=False), "not_satisfied"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_refused(state: str, command: Any, code: str) -> None:
    ticket = at_state(state)
    with pytest.raises(Invalid) as refused:
        tickets.decide(ticket, command(ticket.version), T0)
    assert refused.value.code == code


def test_a_ticket_is_taken_in_once_and_must_exist() -> None:
    with pytest.raises(Conflict, match="already_exists"):
        tickets.decide(at_state("received"), receive(), T0)
    with pytest.raises(NotFound, match="no_such_ticket"):
        tickets.decide(None, c.Confirm(version=1), T0)
    with pytest.raises(Invalid, match="bad_reports"):
        tickets.decide(None, receive(reports=0), T0)


def kinds(events: list[e.Event]) -> list[str]:
    return [e.kind_of(type(event)) for event in events]


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


def test_facts_that_cannot_follow_are_a_broken_journal() -> None:
    (received,) = tickets.decide(None, receive(), T0)
    ticket = tickets.apply(None, received, AT0)
    (accepted,) = tickets.decide(ticket, c.Accept(version=1, by="u"), T0)
    for state, event in [
        (None, accepted),
        (ticket, received),
        (ticket, e.SpikeEnded(name="x", lasted_s=1)),
    ]:
        with pytest.raises(ValueError, match=r"fact|once"):
            tickets.apply(state, event, AT0)


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
        name=st.sampled_from(sorted(COMMANDS)),
        offset=st.sampled_from([0, 0, 0, 0, -1, 1]),
        wait=st.integers(0, 4 * 3600),
    )
    def command(self, name: str, offset: int, wait: int) -> None:
        self.now += timedelta(seconds=wait)
        before = self.ticket
        assert before is not None
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
        assert may == (why in {None, "same_crew", "same_level"})
        assert bool(made) == (why is None)
        assert self.ticket is before
        self.take(made)

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
