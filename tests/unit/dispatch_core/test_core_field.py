"""A ticket's visit: what the work is, what is agreed, permitted, awaited, locked and displaced."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from ticket_steps import (
    AT0,
    COMMANDS,
    DAY,
    LIMITS,
    MINUTE,
    T0,
    WORK,
    at_state,
    carry,
    dispatch,
    kinds,
)

from dispatch_core import commands as c
from dispatch_core import events as e
from dispatch_core import tickets
from dispatch_core.errors import Conflict, Invalid, Refused
from dispatch_core.ids import unix

GAS = e.Gas(oxygen_pct=20.9, lel_pct=0.0, co_ppm=2.0, h2s_ppm=0.0, read_at=AT0)


def refused(ticket: tickets.Ticket, command: Any, now: Any = T0) -> Refused:
    with pytest.raises(Refused) as found:
        tickets.decide(ticket, command, now)
    return found.value


# ---------------------------------------------------------------- work
@pytest.mark.parametrize(
    ("changed", "named"),
    [
        ({"skill": 0}, "skill 0"), ({"skill": 6}, "skill 6"), ({"minutes": 0}, "0 minutes"),
        ({"minutes": 1441}, "1441"), ({"crews": 0}, "0 crews"), ({"crews": 3}, "3 crews"),
        ({"parts": {"DN80": 0}}, "part"), ({"parts": {"": 1}}, "part"),
        ({"certificates": [""]}, "certificate"), ({"vehicle": [""]}, "van"),
    ],
)  # fmt: skip
def test_work_that_no_crew_can_do_is_refused_with_what_is_wrong(changed: Any, named: str) -> None:
    work = replace(WORK, **changed)
    found = refused(at_state("accepted"), c.SetWork(version=2, work=work, by="person:1"))
    assert (found.code, named in found.detail) == ("impossible_work", True), found.detail


def test_the_work_is_kept_over_a_reopening() -> None:
    ticket = at_state("accepted")
    ticket = carry(ticket, COMMANDS["set_work"](ticket.version), T0)
    assert refused(ticket, COMMANDS["set_work"](ticket.version)).code == "same_work"
    for step in ("dispatch", "confirm", "handle", "verify", "reopen"):
        ticket = carry(ticket, COMMANDS[step](ticket.version), T0 + 5 * MINUTE)
    assert ticket.work == WORK
    assert ticket.reopened == 1


# ---------------------------------------------------------------- appointment
@pytest.mark.parametrize(
    ("first", "last"),
    [
        (None, AT0 + 60), (AT0 + 60, None), (AT0 + 60, AT0 + 60), (AT0 + 120, AT0 + 60),
        (AT0 - 7200, AT0 - 3600), (AT0 - 7200, AT0), (AT0 + 60, AT0 + 61 + DAY),
    ],
)  # fmt: skip
def test_a_window_begins_before_it_ends_and_ends_in_the_future(first: Any, last: Any) -> None:
    command = c.Appoint(version=2, from_at=first, until_at=last, by="person:1")
    assert refused(at_state("accepted"), command).code == "bad_window"


def test_the_clock_to_be_on_site_is_the_agreed_window() -> None:
    window = {"from_at": AT0 + 3 * 3600, "until_at": AT0 + 5 * 3600}
    early = carry(at_state("accepted"), c.Appoint(version=2, by="person:1", **window), T0)
    early = carry(early, dispatch(early.version), T0)
    early = carry(early, c.Confirm(version=early.version), T0 + 5 * MINUTE)
    assert early.clocks.on_site == window["until_at"]

    late = at_state("confirmed")
    (event,) = tickets.decide(late, c.Appoint(version=4, by="person:1", **window), T0)
    assert isinstance(event, e.TicketAppointed)
    late = tickets.apply(late, event, AT0)
    assert late.clocks.on_site == window["until_at"]
    assert event.due == late.due
    off = c.Appoint(version=late.version, from_at=None, until_at=None, by="person:1")
    later = T0 + 20 * MINUTE
    late = carry(late, off, later)
    assert late.appointed is None
    assert late.clocks.on_site == unix(later) + 3600
    assert refused(late, replace(off, version=late.version)).code == "not_appointed"


def test_a_new_window_is_warned_of_and_escalated_anew() -> None:
    ticket = at_state("confirmed")
    later = T0 + timedelta(hours=3)
    for event in tickets.watch(ticket, later):
        ticket = tickets.apply(ticket, event, unix(later))
    ticket = carry(ticket, c.Escalate(clock="on_site", deadline=None, to="duty"), later)
    assert ticket.warned["on_site"] == "passed"
    window = c.Appoint(
        version=ticket.version, from_at=unix(later) + 3600, until_at=unix(later) + 7200, by="u"
    )
    ticket = carry(ticket, window, later)
    assert "on_site" not in ticket.warned
    assert ticket.escalated == []


# ---------------------------------------------------------------- permits
def permit(**more: Any) -> c.Permit:
    data: dict[str, Any] = {
        "version": 2, "permit": "confined_space", "number": "YX-1", "valid_until": AT0 + 7200,
        "by": "person:1", "gas": GAS, "guard": "赵师傅", "limits": LIMITS,
    }  # fmt: skip
    return c.Permit(**{**data, **more})


@pytest.mark.parametrize(
    ("gas", "named"),
    [
        ({"oxygen_pct": 19.4}, "oxygen 19.4 %"), ({"oxygen_pct": 23.6}, "oxygen 23.6 %"),
        ({"lel_pct": 10.0}, "10 % LEL"), ({"co_ppm": 24.0}, "carbon monoxide 24 ppm"),
        ({"h2s_ppm": 6.6}, "hydrogen sulfide 6.6 ppm"), ({"lel_pct": -1.0}, "no instrument"),
        ({"oxygen_pct": float("nan")}, "no instrument"),
        ({"co_ppm": float("inf")}, "no instrument"),
        ({"read_at": AT0 - 1801}, "within the last 30 minutes"),
        ({"read_at": AT0 + 3600}, "within the last 30 minutes"),
    ],
)  # fmt: skip
def test_bad_air_lets_nobody_in_and_the_value_is_named(gas: Any, named: str) -> None:
    for kind in ("confined_space", "hot_work"):
        found = refused(at_state("accepted"), permit(permit=kind, gas=replace(GAS, **gas)))
        assert (found.code, named in found.detail) == ("bad_gas", True), found.detail


def test_a_confined_space_needs_gas_and_a_guard_and_hot_work_neither() -> None:
    ticket = at_state("accepted")
    assert refused(ticket, permit(gas=None)).code == "bad_gas"
    assert refused(ticket, permit(guard=None)).code == "bad_gas"
    assert refused(ticket, permit(number="  ")).code == "bad_permit"
    assert refused(ticket, permit(valid_until=AT0)).code == "permit_expired"
    ticket = carry(ticket, permit(permit="hot_work", gas=None, guard=None), T0)
    ticket = carry(ticket, permit(version=3), T0)
    again = carry(ticket, permit(version=4, number="YX-2"), T0)
    assert {kind: held.number for kind, held in again.permits.items()} == {
        "hot_work": "YX-1", "confined_space": "YX-2",
    }  # fmt: skip
    assert again.permits["confined_space"].guard == "赵师傅"


@given(
    oxygen=st.floats(0, 30), lel=st.floats(0, 30), co=st.floats(0, 60), h2s=st.floats(0, 20),
)  # fmt: skip
def test_a_permit_is_written_exactly_in_good_air(
    oxygen: float, lel: float, co: float, h2s: float
) -> None:
    gas = replace(GAS, oxygen_pct=oxygen, lel_pct=lel, co_ppm=co, h2s_ppm=h2s)
    good = 19.5 <= oxygen <= 23.5 and lel < 10 and co < 24 and h2s < 6.6
    try:
        made = tickets.decide(at_state("accepted"), permit(gas=gas), T0)
    except Invalid:
        made = []
    assert bool(made) == good


# ---------------------------------------------------------------- parts
def test_parts_that_do_not_come_are_told_once_for_each_wait() -> None:
    ticket = at_state("accepted")
    ticket = carry(ticket, COMMANDS["await_parts"](ticket.version), T0)
    assert tickets.next_look(ticket) <= AT0 + DAY
    seen = []
    for hours in (23, 25, 26):
        now = T0 + timedelta(hours=hours)
        for event in tickets.watch(ticket, now):
            ticket = tickets.apply(ticket, event, unix(now))
            if isinstance(event, e.TicketPartsLate):
                seen.append((hours, event.expected_at))
    assert seen == [(25, AT0 + DAY)]
    assert ticket.parts_wait is not None
    assert ticket.parts_wait.late
    later = T0 + timedelta(hours=26)
    more = c.AwaitParts(
        version=ticket.version, parts={"DN50": 2}, expected_at=unix(later) + 60, by="u"
    )
    ticket = carry(ticket, more, later)
    assert kinds(tickets.watch(ticket, later + 2 * MINUTE)) == ["ticket_parts_late"]
    ticket = carry(ticket, c.PartsReady(version=ticket.version, by="u"), later)
    assert tickets.watch(ticket, later + 2 * MINUTE) == []
    assert refused(ticket, c.PartsReady(version=ticket.version, by="u")).code == "no_parts_awaited"


def test_parts_have_names_pieces_and_a_time_to_come() -> None:
    for parts, at, code in (
        ({}, AT0 + 60, "bad_parts"), ({"DN80": 0}, AT0 + 60, "bad_parts"),
        ({"": 1}, AT0 + 60, "bad_parts"), ({"DN80": 1}, AT0, "bad_time"),
    ):  # fmt: skip
        command = c.AwaitParts(version=2, parts=parts, expected_at=at, by="u")
        assert refused(at_state("accepted"), command).code == code


def test_the_store_is_remembered_until_the_ticket_is_over() -> None:
    ticket = at_state("accepted")
    wait = c.AwaitParts(version=2, parts={"DN80": 1}, expected_at=AT0 + 60, by="u", store="W1")
    ticket = carry(ticket, wait, T0)
    ticket = carry(ticket, c.PartsReady(version=ticket.version, by="u"), T0)
    assert (ticket.parts_wait, ticket.reserved) == (None, "W1")
    for over in (
        c.Cancel(version=ticket.version, reason_code="not_ours"),
        c.Merge(version=ticket.version, into="t2", by="u"),
    ):
        assert carry(ticket, over, T0).reserved is None


# ---------------------------------------------------------------- locks
@given(
    a=st.integers(0, 500), b=st.integers(0, 500), m=st.integers(1, 200), n=st.integers(1, 200)
)  # fmt: skip
def test_locks_overlap_exactly_when_a_minute_is_in_both(a: int, b: int, m: int, n: int) -> None:
    shared = set(range(a, a + m)) & set(range(b, b + n))
    assert tickets.overlap(60 * a, m, 60 * b, n) == bool(shared)


def test_a_lock_is_for_the_crew_that_has_it_and_goes_with_it() -> None:
    ticket = at_state("dispatched")
    other = c.Pin(version=ticket.version, crew="k2", crew_name="二班", by="u")
    assert refused(ticket, other).code == "with_other_crew"
    past = c.Pin(version=ticket.version, crew="k1", crew_name="一班", by="u", start_at=AT0)
    assert refused(ticket, past).code == "bad_time"
    locked = carry(ticket, COMMANDS["pin"](ticket.version), T0)
    assert locked.pinned is not None
    away = dispatch(locked.version, "k2", reason_code="nearer_crew")
    assert kinds(tickets.decide(locked, away, T0)) == ["ticket_unpinned", "ticket_dispatched"]
    assert carry(locked, away, T0).pinned is None
    gone = COMMANDS["displace"](locked.version)
    assert kinds(tickets.decide(locked, gone, T0)) == ["ticket_unpinned", "ticket_displaced"]
    more = dispatch(locked.version, "k1", with_crew="k2")
    assert carry(locked, more, T0).pinned is not None


# ---------------------------------------------------------------- displacement
def test_a_crew_at_work_is_taken_only_by_a_person_who_made_it_safe() -> None:
    ticket = at_state("handling")
    for by, safe in (("person:1", False), ("system:core", True), ("source:x", True)):
        command = c.Displace(
            version=ticket.version, reason_code="red", by=by, because="t9", made_safe=safe
        )
        found = refused(ticket, command)
        assert (type(found), found.code) == (Conflict, "on_site")
    for state in ("dispatched", "confirmed"):
        before = at_state(state)
        gone = c.Displace(version=before.version, reason_code="red", by="system:core")
        assert carry(before, gone, T0).state == "accepted"


def test_a_displaced_ticket_waits_again_and_its_clocks_go_on() -> None:
    ticket = at_state("confirmed")
    command = c.Displace(
        version=ticket.version, reason_code="red", by="person:1", because="t9", next_crew="k2",
        next_at=AT0 + 7200,
    )  # fmt: skip
    (event,) = tickets.decide(ticket, command, T0 + 10 * MINUTE)
    assert isinstance(event, e.TicketDisplaced)
    assert (event.was, event.crew, event.crew_name) == ("confirmed", "k1", "k1班")
    after = tickets.apply(ticket, event, AT0 + 600)
    assert event.due == after.due
    assert (after.state, after.crews, after.displaced_by) == ("accepted", (), "t9")
    assert after.clocks == replace(ticket.clocks, on_site=None)
    again = carry(after, dispatch(after.version, "k2"), T0 + 11 * MINUTE)
    assert again.displaced_by is None


# ---------------------------------------------------------------- two crews
def test_two_crews_are_two() -> None:
    ticket = at_state("accepted")
    assert refused(ticket, dispatch(2, "k1", with_crew="k1")).code == "same_crew"
    pair = carry(ticket, dispatch(2, "k1", with_crew="k2"), T0)
    assert pair.crews == ("k1", "k2")
    assert refused(pair, dispatch(pair.version, "k1", with_crew="k2")).code == "same_crew"
    alone = carry(pair, dispatch(pair.version, "k1"), T0)
    assert alone.crews == ("k1",)
    assert carry(pair, COMMANDS["displace"](pair.version), T0).crews == ()


# ---------------------------------------------------------------- what the core says
def test_what_the_core_says_is_no_conflict_for_who_has_not_seen_it() -> None:
    ticket = at_state("accepted", "red")
    said = carry(ticket, c.MarkUnproposed(since=AT0, rules={"skill": 3}), T0)
    said = carry(said, c.Escalate(clock=None, deadline=None, to="duty"), T0)
    assert (said.unproposed_since, said.escalated) == (AT0, ["no_crew"])
    assert said.decided == ticket.decided
    given_ = carry(said, dispatch(ticket.version), T0)
    assert (given_.unproposed_since, given_.escalated) == (None, [])
    again = carry(said, c.ProposedAgain(), T0)
    assert (again.unproposed_since, again.escalated) == (None, ["no_crew"])


def test_a_crew_that_comes_and_goes_is_one_spell_until_it_has_settled() -> None:
    ticket = at_state("accepted", "red")
    told: list[int] = []
    minute = 0

    def lost_and_back(lost: int, back: int) -> None:
        nonlocal ticket
        mark = c.MarkUnproposed(since=AT0 + lost * 60, rules={}, settled_s=600)
        ticket = carry(ticket, mark, T0 + lost * MINUTE)
        for owed in tickets.owed(ticket):
            assert owed.clock is None
            told.append(lost)
            ticket = carry(ticket, owed, T0 + lost * MINUTE)
        assert ticket.unproposed_since == AT0 + lost * 60  # the desk is told each time
        ticket = carry(ticket, c.ProposedAgain(), T0 + back * MINUTE)
        assert ticket.unproposed_since is None

    for minute in (1, 3, 12, 20):  # never ten minutes with a crew in between
        lost_and_back(minute, minute + 1)
    lost_and_back(31, 32)
    lost_and_back(33, 34)
    given_ = carry(ticket, dispatch(ticket.version), T0 + 35 * MINUTE)
    ticket = carry(given_, COMMANDS["displace"](given_.version), T0 + 36 * MINUTE)
    lost_and_back(37, 38)  # it had a crew: this is another matter
    assert told == [1, 31, 37]


def test_a_raised_level_is_carried_up_at_once_for_what_was_late_before() -> None:
    """The duty manager need not know that a blue ticket is answered late, but that a red one is."""
    ticket = at_state("confirmed", "blue")
    late = T0 + timedelta(hours=3)
    for event in tickets.watch(ticket, late):
        ticket = tickets.apply(ticket, event, unix(late))
    assert ticket.warned["on_site"] == "passed"
    assert tickets.owed(ticket) == []
    raised = carry(ticket, COMMANDS["change_level"](ticket.version), late)
    assert [o.clock for o in tickets.owed(raised)] == ["on_site"]
    assert (tickets.next_look(raised) or 0) <= unix(late)  # not at the next warning
    for owed in tickets.owed(raised):
        raised = carry(raised, owed, late)
    assert tickets.owed(raised) == []
    assert (tickets.next_look(raised) or 0) > unix(late)


def test_a_deadline_that_a_new_level_leaves_is_not_told_twice() -> None:
    ticket = at_state("accepted", "blue")
    late = T0 + timedelta(hours=25)
    for event in tickets.watch(ticket, late):
        ticket = tickets.apply(ticket, event, unix(late))
    assert ticket.warned["respond"] == "passed"
    raised = carry(ticket, COMMANDS["change_level"](ticket.version), late)
    assert raised.clocks.respond == ticket.clocks.respond
    assert tickets.watch(raised, late) == []
    assert [o.clock for o in tickets.owed(raised)] == ["respond", "solved"]


def test_a_clock_that_begins_anew_may_be_escalated_again() -> None:
    ticket = at_state("accepted")
    once = c.Escalate(clock="respond", deadline=AT0, to="duty")
    ticket = carry(ticket, once, T0)
    assert tickets.decide(ticket, once, T0) == []
    ticket = carry(ticket, COMMANDS["change_level"](ticket.version), T0)  # a shorter time
    assert kinds(tickets.decide(ticket, once, T0)) == ["ticket_escalated"]


def test_a_new_link_ends_the_one_before() -> None:
    ticket = at_state("accepted")
    for digest in ("one", "two"):
        ticket = carry(ticket, c.Link(version=ticket.version, digest=digest, by="u"), T0)
        assert ticket.link == digest
    assert ticket.decided == 2
