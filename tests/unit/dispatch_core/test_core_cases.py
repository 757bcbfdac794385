"""External cases: the procedure, the clocks, the warnings, and moving whole; by example and at
random."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch_core import cases
from dispatch_core.cases import Case
from dispatch_core.errors import Conflict, Invalid, NotFound, Refused
from dispatch_core.events import CaseNear, CasePassed, Event, decode, encode, kind_of
from dispatch_core.ids import EPOCH, CaseState, TicketId, Words, unix

HOUR = 3600
START = EPOCH + timedelta(days=20_000)
POLICY = cases.Policy(
    oldest_s=30 * 24 * HOUR,
    origins={
        "hotline_12345": cases.Origin(
            name_zh="12345 热线", name_en="12345 hotline", sign_for_s=2 * HOUR, contact_s=4 * HOUR,
            reply_s=120 * HOUR, extension_s=48 * HOUR, extensions_max=1, rework_reply_s=72 * HOUR,
            near_s=900,
        ),
    },
)  # fmt: skip
WORDS = Words(id="w-1", digest="d")


def received(at: datetime = START, ago_s: int = 0) -> Case:
    command = cases.ReceiveCase(
        origin="hotline_12345", number="26-1", ticket=TicketId("T1"), received_at=unix(at) - ago_s
    )
    return fold(None, cases.decide(None, command, at, POLICY, "p1"), at)


def fold(case: Case | None, events: list[Event], at: datetime) -> Case:
    for event in events:
        kind = kind_of(type(event))
        case = cases.apply(case, decode(kind, 1, encode(event)), unix(at))
    assert case is not None
    return case


def command(name: str, version: int) -> cases.CaseStep:
    match name:
        case "sign":
            return cases.SignFor(version=version, by="person:a")
        case "contact":
            return cases.ContactCitizen(version=version, by="person:a")
        case "extend":
            return cases.ExtendReply(version=version, by="person:a", reason=WORDS)
        case "reply":
            return cases.Reply(version=version, by="person:a", words=WORDS, satisfied=True)
        case "return":
            return cases.ReturnForRework(version=version)
        case _:
            return cases.CloseCase(version=version, by="person:a")


def step(case: Case, name: str, at: datetime) -> Case:
    return fold(case, cases.decide(case, command(name, case.version), at, POLICY, "p1"), at)


def after(*names: str) -> Case:
    case = received()
    for name in names:
        case = step(case, name, START)
    return case


def refused(case: Case | None, wish: cases.CaseCommand, at: datetime = START) -> Refused:
    with pytest.raises(Refused) as caught:
        cases.decide(case, wish, at, POLICY, "p1")
    return caught.value


def test_the_procedure_and_its_clocks() -> None:
    case = received(ago_s=600)
    began = unix(START) - 600
    assert (case.received_at, case.clocks.sign_for) == (began, began + 2 * HOUR)
    seen = []
    for name in ("sign", "contact", "reply", "close", "return", "sign", "contact", "reply"):
        due = case.due
        seen.append((case.state, due.clock if due else None))
        case = step(case, name, START + timedelta(hours=1))
    assert seen == [
        ("received", "sign_for"), ("signed", "contact"), ("contacted", "reply"), ("replied", None),
        ("closed", None), ("returned", "sign_for"), ("signed", "contact"), ("contacted", "reply"),
    ]  # fmt: skip
    assert (case.state, case.returned) == ("replied", 1)
    again = unix(START) + HOUR
    assert (case.clocks.sign_for, case.clocks.contact, case.clocks.reply) == (
        again + 2 * HOUR,
        again + 4 * HOUR,
        again + 72 * HOUR,
    )


def test_extension_has_a_reason_a_limit_and_an_end() -> None:
    before = after("sign")
    case = step(before, "extend", START)
    assert (case.state, case.extended) == ("signed", 1)
    assert case.clocks.reply == before.clocks.reply + 48 * HOUR
    assert case.clocks.contact == before.clocks.contact
    answer = refused(case, command("extend", case.version))
    assert (type(answer), answer.code, answer.extra["state"]) == (
        Conflict,
        "no_extension_left",
        "signed",
    )
    late = refused(before, command("extend", before.version), START + timedelta(hours=120))
    assert (type(late), late.code) == (Conflict, "too_late")


def test_refusals_say_what_is_possible() -> None:
    case = received()
    answer = refused(case, command("reply", case.version))
    assert (type(answer), answer.code) == (Conflict, "wrong_state")
    assert answer.extra["possible"] == ["sign", "extend"]
    assert "sign, extend" in answer.what_to_do
    stale = refused(after("sign"), command("contact", 1))
    assert (type(stale), stale.code) == (Conflict, "version_conflict")
    assert (type(refused(None, command("sign", 1)))) is NotFound


@pytest.mark.parametrize(
    ("origin", "shift_s", "code"),
    [
        ("nobody", 0, "unknown_origin"),
        ("hotline_12345", 61, "future_time"),
        ("hotline_12345", -31 * 24 * HOUR, "too_old"),
    ],
)
def test_cases_that_cannot_be_taken_in(origin: str, shift_s: int, code: str) -> None:
    wish = cases.ReceiveCase(
        origin=origin, number="1", ticket=TicketId("T"), received_at=unix(START) + shift_s
    )
    answer = refused(None, wish)
    assert (type(answer), answer.code) == (Invalid, code)


def test_a_receipt_a_little_ahead_of_our_clock_is_now() -> None:
    assert received(ago_s=-30).received_at == unix(START)


def test_each_clock_warns_near_and_passed_once() -> None:
    case = received()
    said: list[tuple[str, str]] = []
    for minutes in range(0, 5 * 24 * 60 + 30, 5):
        at = START + timedelta(minutes=minutes)
        look = cases.next_look(case)
        events = cases.watch(case, at)
        assert bool(events) == (look is not None and look <= unix(at))
        for event in events:
            assert isinstance(event, CaseNear | CasePassed)
            said.append((kind_of(type(event)), event.clock))
        case = fold(case, events, at)
        assert cases.watch(case, at) == []
    assert said == [
        (kind, clock)
        for clock in ("sign_for", "contact", "reply")
        for kind in ("case_near", "case_passed")
    ]
    assert cases.next_look(case) is None
    assert case.due is not None
    assert case.due.warned == "passed"


def test_a_warning_does_not_make_a_seen_version_old() -> None:
    case = received()
    warned = fold(case, cases.watch(case, START + timedelta(hours=3)), START)
    assert warned.version > case.version
    assert step_at(warned, "sign", case.version).state == "signed"


def step_at(case: Case, name: str, version: int) -> Case:
    return fold(case, cases.decide(case, command(name, version), START, POLICY, "p1"), START)


def test_ids_are_stable_safe_and_never_shared() -> None:
    assert cases.case_id("hotline_12345", " 2601140815 ") == "hotline_12345-2601140815"
    assert cases.case_id("hotline_12345", "２６０１") == cases.case_id("hotline_12345", "2601")
    numbers = [
        "a/b",
        "a b",
        "a-b",
        "a?b",
        "a" * 60,
        "a" * 59,
        "a" * 60 + "b",
        "市热2601",
        "市冷2601",
    ]
    ids = [cases.case_id("x", n) for n in numbers]
    assert len(set(ids)) == len(ids)
    assert all(set(i) <= set("abcdefghijklmnopqrstuvwxyz0123456789-~") for i in ids)


NAMES = ("sign", "contact", "extend", "reply", "return", "close")
Deed = tuple[str, int]
deeds: st.SearchStrategy[list[Deed]] = st.lists(
    st.tuples(st.sampled_from([*NAMES, "watch", "move"]), st.integers(0, 60 * HOUR)), max_size=40
)


@given(deeds)
def test_any_life_keeps_the_rules(life: list[Deed]) -> None:
    """Illegal steps change nothing; legal ones lead where the procedure says; a move touches no
    clock; what `watch` may say next is never missed."""
    at, case = START, received()
    extended = 0
    for deed, pause_s in life:
        at += timedelta(seconds=pause_s)
        before = case
        if deed == "watch":
            case = fold(case, cases.watch(case, at), at)
            assert case.clocks == before.clocks
        elif deed == "move":
            ticket = TicketId("T2" if case.ticket == "T1" else "T1")
            case = fold(case, cases.move(case, ticket), at)
            assert case.ticket == ticket
            assert replaced(case, before) == before
            assert cases.move(case, ticket) == []
        else:
            case, extended = _step_or_refusal(case, deed, at, extended)
        look = cases.next_look(case)
        assert (look is not None and look <= unix(at)) == bool(cases.watch(case, at))
        assert (case.due is None) == (case.state in {"replied", "closed"})
        assert case.extended <= 1


def replaced(case: Case, other: Case) -> Case:
    import msgspec

    return msgspec.structs.replace(case, ticket=other.ticket, version=other.version)


LEADS: dict[str, CaseState] = {
    "sign": "signed", "contact": "contacted", "reply": "replied", "return": "returned",
    "close": "closed",
}  # fmt: skip


def _step_or_refusal(case: Case, name: str, at: datetime, extended: int) -> tuple[Case, int]:
    made = _events_or_code(case, name, at)
    if isinstance(made, str):
        legal = name in cases.POSSIBLE[case.state]
        assert not legal or made in {"no_extension_left", "too_late"}
        return case, extended
    assert name in cases.POSSIBLE[case.state]
    after_it = fold(case, made, at)
    assert after_it.state == LEADS.get(name, case.state)
    assert after_it.version == after_it.decided == case.version + 1
    assert after_it.ticket == case.ticket
    return after_it, extended + (name == "extend")


def _events_or_code(case: Case, name: str, at: datetime) -> list[Event] | str:
    try:
        return cases.decide(case, command(name, case.version), at, POLICY, "p1")
    except Conflict as refusal:
        return refusal.code


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), max_size=30))
def test_merging_tickets_never_merges_cases(merges: list[tuple[int, int]]) -> None:
    """However tickets are merged into one another, there are as many cases as before, each with its
    own number, state and clocks."""
    hung = {f"{n}": _numbered(f"{n}", TicketId(f"T{n % 5}")) for n in range(12)}
    first = dict(hung)
    for from_number, into_number in merges:
        from_ticket, into = TicketId(f"T{from_number}"), TicketId(f"T{into_number}")
        for number, case in hung.items():
            if case.ticket == from_ticket and from_ticket != into:
                hung[number] = fold(case, cases.move(case, into), START)
    assert len(hung) == len({case.number for case in hung.values()}) == 12
    for number, case in hung.items():
        assert replaced(case, first[number]) == first[number]


def _numbered(number: str, ticket: TicketId) -> Case:
    wish = cases.ReceiveCase(
        origin="hotline_12345", number=number, ticket=ticket, received_at=unix(START)
    )
    return fold(None, cases.decide(None, wish, START, POLICY, "p1"), START)


def test_every_state_has_its_steps_and_clocks() -> None:
    states: tuple[Any, ...] = get_args(CaseState)
    assert set(cases.POSSIBLE) == set(cases.RUNNING) == set(states)
    assert {name for steps in cases.POSSIBLE.values() for name in steps} == set(NAMES)
    assert set(cases.NAMES.values()) == set(NAMES)
