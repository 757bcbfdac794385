"""The steps of a ticket: every legal one works, every other is refused and changes nothing."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ticket_steps import (
    AFTER,
    AT0,
    COMMANDS,
    MINUTE,
    NOTE,
    T0,
    at_state,
    carry,
    dispatch,
    prepared,
    receive,
)

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import tickets
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.ids import unix


@pytest.mark.parametrize("state", list(tickets.POSSIBLE))
@pytest.mark.parametrize("name", list(COMMANDS))
def test_the_whole_state_machine(state: str, name: str) -> None:
    ticket = prepared(at_state(state), name)
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


def test_a_reopened_ticket_forgets_what_it_was_warned_of() -> None:
    ticket = at_state("handling", "red")
    later = T0 + timedelta(hours=25)
    for event in tickets.watch(ticket, later):
        ticket = tickets.apply(ticket, event, unix(later))
    assert ticket.warned == {"solved": "passed"}
    ticket = carry(ticket, c.Verify(version=ticket.version), later)
    ticket = carry(ticket, c.Reopen(version=ticket.version, reason_code="dissatisfied"), later)
    assert ticket.warned == {}
    assert ticket.due == e.Due(clock="respond", at=unix(later) + 1800, warned="no")


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
