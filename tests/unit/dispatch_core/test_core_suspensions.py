"""Heating applications: checks against the policy, and a life in which nothing is open twice."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core import suspensions
from dispatch_core.errors import Conflict, Invalid, Refused
from dispatch_core.events import Event, StopApplied, StopApproved, StopRepeated
from dispatch_core.ids import ApplicationId, HouseholdId, PhotoId, Place, VisitId
from dispatch_core.suspensions import (
    Applicant,
    Apply,
    Approve,
    Flat,
    GiveBack,
    Heating,
    MakeKnown,
    Policy,
    Refuse,
    Schedule,
    SetValve,
    Terms,
    Withdraw,
    checks,
    fees,
)
from server.adapters.policies import read_policy

FILE = Path(__file__).resolve().parents[3] / "server" / "policies" / "default" / "default.toml"
POLICY: Policy = read_policy(FILE, "2026-2027", "Asia/Shanghai").suspension
DAY = 86_400
AUGUST = int(datetime(2026, 8, 15, tzinfo=UTC).timestamp())
PLACE = Place(
    building=None, lon=126.6, lat=45.7, address="和平路 5 号", community=None, district=None
)
OWNER = Applicant(pseudonym="p-owner", name=b"owner", certificate=None)
FLAT = Flat(
    owner="p-owner", owner_name=b"owner", owner_certificate=b"card", valve=True, gable=False,
    ground_floor=False, top_floor=False, warranty_until=None, unpaid_fen=0,
)  # fmt: skip

TERMS = Terms(today=date(2026, 8, 15), area_m2=80.0)


def day_of(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def changed(base: Any, **changes: Any) -> Any:
    return msgspec.structs.replace(base, **changes)


def wish(n: int, at: int, action: str = "suspension", **changes: Any) -> Apply:
    made = Apply(
        application=ApplicationId(f"A{n}"), action=action, household=HouseholdId("H-1"),
        season="2026-2027", place=PLACE, risers=["r1"], terms=changed(TERMS, today=day_of(at)),
        flat=FLAT, applicant=OWNER, source="app", photos=[PhotoId("p")], words=None, asked_at=at,
    )  # type: ignore[arg-type] # fmt: skip
    return changed(made, **changes)


def receive(heating: Heating | None, command: Apply, at: int) -> tuple[Heating, list[Event]]:
    events = suspensions.receive(heating, command, POLICY, "test", at)
    for event in events:
        heating = suspensions.apply(heating, event, at)
    assert heating is not None
    return heating, events


def found(code: str, **flat_or_applicant: Any) -> tuple[str, list[str]]:
    """(state, because) of an application whose facts are changed."""
    of_flat = {k: v for k, v in flat_or_applicant.items() if k in FLAT.__struct_fields__}
    of_owner = {k: v for k, v in flat_or_applicant.items() if k in OWNER.__struct_fields__}
    rest = {k: v for k, v in flat_or_applicant.items() if k not in of_flat | of_owner}
    if "today" in rest:
        rest["terms"] = changed(TERMS, today=rest.pop("today"))
    command = wish(
        1, AUGUST, flat=changed(FLAT, **of_flat), applicant=changed(OWNER, **of_owner), **rest
    )
    heating, _ = receive(None, command, AUGUST)
    a = heating.applications[0]
    check = next(c for c in a.checks if c.code == code)
    assert (check.zh is None) == (check.verdict == "pass")
    return a.state, list(a.because)


@pytest.mark.parametrize(
    ("code", "changes", "state"),
    [
        ("arrears", {"unpaid_fen": 1}, "refused"),
        ("arrears", {"unpaid_fen": None}, "referred"),
        ("valve", {"valve": False}, "refused"),
        ("gable", {"gable": True}, "refused"),
        ("ground_floor", {"ground_floor": True}, "refused"),
        ("top_floor", {"top_floor": True}, "refused"),
        ("warranty", {"warranty_until": date(2026, 8, 15)}, "refused"),
        ("deadline", {"today": date(2026, 10, 1)}, "refused"),
        ("owner", {"pseudonym": "p-x", "name": b"other"}, "referred"),
        ("owner", {"pseudonym": "p-x", "owner_name": None}, "referred"),
        ("owner", {"certificate": b"not the card"}, "referred"),
        ("proof", {"photos": []}, "referred"),
    ],
)
def test_each_check_decides_by_policy(code: str, changes: dict[str, Any], state: str) -> None:
    assert found(code, **changes) == (state, [code])


@pytest.mark.parametrize(
    "changes",
    [
        {"warranty_until": date(2026, 8, 14)},
        {"today": date(2026, 9, 30)},
        {"pseudonym": "p-x"},  # the name is the owner's
        {"name": None},  # the phone is the owner's
        {"pseudonym": "p-x", "name": b"other", "certificate": b"card"},
    ],
)
def test_what_does_not_stand_against_it(changes: dict[str, Any]) -> None:
    assert found("owner", **changes) == ("approved", [])


@pytest.mark.parametrize(
    ("applicant", "told"),
    [
        ({}, "owner's name"),
        ({"name": None}, "owner's phone"),
        ({"pseudonym": "p-x"}, "owner's name"),
        ({"certificate": b"card", "name": b"other"}, "certificate"),
    ],
)
def test_by_what_the_owner_was_told(applicant: dict[str, Any], told: str) -> None:
    heating, _ = receive(None, wish(1, AUGUST, applicant=changed(OWNER, **applicant)), AUGUST)
    check = next(c for c in heating.applications[0].checks if c.code == "owner")
    assert (check.verdict, check.found) == ("pass", told)


def test_refusal_comes_before_referral_and_everything_is_told() -> None:
    assert found("gable", gable=True, photos=[], unpaid_fen=None) == (
        "refused",
        ["gable", "arrears", "proof"],
    )


def test_a_city_without_a_rule_does_not_make_the_check() -> None:
    rules = {code: rule for code, rule in POLICY.checks.items() if code != "gable"}
    policy = changed(POLICY, checks=rules)
    facts = checks.Facts(
        action="suspension", today=date(2026, 8, 15), applicant=OWNER,
        flat=changed(FLAT, gable=True), standing="heated", valve="unknown", stop_days=None,
        photos=["p"],
    )  # fmt: skip
    assert checks.outcome(checks.make(facts, policy), policy) == ("approve", [])
    assert checks.outcome(checks.make(facts, POLICY), POLICY) == ("refuse", ["gable"])


def test_a_text_that_cannot_be_filled_in_is_found_when_the_file_is_read() -> None:
    rule = changed(POLICY.checks["gable"], zh="冷山 {floor}")
    with pytest.raises(ValueError, match="gable"):
        suspensions.check_texts(changed(POLICY, checks=POLICY.checks | {"gable": rule}))


@pytest.mark.parametrize(
    ("action", "cold", "pct"),
    [
        ("suspension", (None, date(2026, 8, 15)), 30.0),
        ("resume", (date(2026, 8, 20), date(2026, 9, 1)), 100.0),
        ("resume", (date(2026, 8, 20), date(2027, 4, 15)), 30.38),  # 182 of 183 days were cold
        ("resume", (date(2026, 12, 1), date(2026, 12, 20)), 92.73),  # 19 days
        ("temporary_stop", (date(2026, 12, 1), date(2027, 1, 15)), 82.79),  # 45 days
    ],
)
def test_what_is_owed(action: Any, cold: tuple[date | None, date | None], pct: float) -> None:
    assert fees.share_pct(action, POLICY, cold) == pct
    full = changed(POLICY, resume_billing="full", temporary_billing="full")
    assert fees.share_pct(action, full, cold) == (30.0 if action == "suspension" else 100.0)


def test_fen_are_rounded_half_up() -> None:
    policy = changed(POLICY, fee_fen_per_m2=1)
    assert [fees.fee_fen(area, 50.0, policy) for area in (1.0, 2.98, 3.0)] == [1, 1, 2]
    assert fees.fee_fen(85.5, 30.0, POLICY) == 98291  # 98,290.8


@given(st.floats(1, 500), st.floats(0, 100))
def test_the_fee_is_the_share_to_the_fen(area: float, pct: float) -> None:
    area, pct = round(area, 2), round(pct, 2)
    assert abs(fees.fee_fen(area, pct, POLICY) - area * pct / 100 * 3832) <= 0.51


# ---------------------------------------------------------------- a life

LONG: Policy = changed(POLICY, deadline="2027-03-31", season_from="2026-08-01")
"""A season in which there is time for everything."""
ACTIONS = ("suspension", "temporary_stop", "resume")
Day = Callable[[Heating | None, int, int], list[Event]]


def _apply(action: str, *, good: bool) -> Day:
    def day(heating: Heating | None, n: int, at: int) -> list[Event]:
        stop = {}
        if action == "temporary_stop":
            start = at + DAY
            days = (day_of(start), day_of(start + 30 * DAY))
            terms = changed(TERMS, today=day_of(at), stop_days=days)
            stop = {"stop_from": start, "stop_until": start + 30 * DAY, "terms": terms}
        photos = [PhotoId("p")] if good else []
        return suspensions.receive(
            heating, wish(n, at - 3, action, photos=photos, **stop), LONG, "test", at
        )

    return day


def _step(make: Callable[[str, int | None], Any], *, stale: bool) -> Day:
    def day(heating: Heating | None, n: int, at: int) -> list[Event]:
        last = heating.applications[n % len(heating.applications)] if heating else None
        name = last.id if last else "nothing"
        version = 0 if stale else None if n % 2 else last.version if last else 1
        return suspensions.decide(heating, make(name, version), LONG, at, TERMS)

    return day


def _watch(heating: Heating | None, _: int, at: int) -> list[Event]:
    return suspensions.watch(heating, LONG, "test", at) if heating else []


STEPS: dict[str, Callable[[str, int | None], Any]] = {
    "approve": lambda a, v: Approve(application=a, version=v, by="x", reason=None),
    "refuse": lambda a, v: Refuse(application=a, version=v, by="x", because=["proof"]),
    "withdraw": lambda a, v: Withdraw(application=a, version=v, by="x"),
    "shut": lambda a, v: SetValve(application=a, version=v, by="x", valve="closed"),
    "open": lambda a, v: SetValve(application=a, version=v, by="x", valve="open"),
    "finance": lambda a, v: MakeKnown(application=a, version=v, by="x", department="finance"),
    "operations": lambda a, v: MakeKnown(application=a, version=v, by="x", department="operations"),
    "schedule": lambda a, v: Schedule(
        application=a, version=v, by="x", visit=VisitId("V"), due_at=1
    ),
    "give back": lambda a, v: GiveBack(application=a, version=v, by="x"),
}
DAYS: dict[str, Day] = (
    {f"{action} {good}": _apply(action, good=good) for action in ACTIONS for good in (True, False)}
    | {name: _step(make, stale=False) for name, make in STEPS.items()}
    | {"stale refuse": _step(STEPS["refuse"], stale=True)}
    | {"watch": _watch}
)


def check(heating: Heating, before: Heating | None, at: int) -> None:
    undecided = [a for a in heating.applications if a.state in ("referred", "approved")]
    assert len(undecided) <= 1
    for a in heating.applications:
        assert a.decided <= a.version <= heating.version
        assert a.took_s is None or a.took_s >= 0
        assert (a.answered_at is None) == (a.took_s is None)
        assert a.answered_at is None or a.answered_at >= a.applied_at
        if a.state == "closed":
            assert set(a.known) >= set(a.awaited)
            assert a.closed_at is not None
            assert a.completed_at is not None
        if a.state == "completed":
            assert "service" in a.known
            assert not set(a.known) >= set(a.awaited)
            assert a.known_by == (a.completed_at or 0) + LONG.known_within_s
        if a.state == "approved":
            assert a.visit_due_at is not None
            assert a.visit_from is not None
            assert a.visit_from < a.visit_due_at
        assert a.late is None or a.state in ("approved", "completed")
    by = heating.standings.get("2026-2027")
    if by is not None:
        wanted = {"suspended": "shut", "temporary_stop": "shut", "heated": "open"}[by.standing]
        assert (heating.valve in ("closed", "sealed")) == (wanted == "shut")
    if before is not None:
        done = {a.id: a.state for a in before.applications if a.state in ("refused", "closed")}
        assert all(a.state == done.get(a.id, a.state) for a in heating.applications)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(sorted(DAYS)), st.integers(0, 12 * DAY)), max_size=40))
def test_a_life_of_legal_and_illegal_days(days: list[tuple[str, int]]) -> None:
    heating: Heating | None = None
    facts: list[tuple[Event, int]] = []
    at = AUGUST
    for n, (name, pause) in enumerate(days):
        at += pause
        try:
            events = DAYS[name](heating, n, at)
        except Refused:
            continue
        before = heating
        for event in events:
            heating = suspensions.apply(heating, event, at)
            facts.append((event, at))
        if heating is not None:
            check(heating, before, at)
            assert heating.version == len(facts)
    folded: Heating | None = None
    for event, when in facts:
        folded = suspensions.apply(folded, event, when)
    assert folded == heating
    if heating is not None:
        stored = msgspec.json.encode(heating)
        assert msgspec.json.decode(stored, type=Heating) == heating
    names = [e.application for e, _ in facts if isinstance(e, StopApplied)]
    assert len(names) == len(set(names))


def test_a_repeat_is_counted_even_if_it_would_be_refused_now() -> None:
    heating, _ = receive(None, wish(1, AUGUST), AUGUST)
    worse = wish(2, AUGUST + 9, flat=changed(FLAT, gable=True))
    heating, events = receive(heating, worse, AUGUST + 9)
    assert [type(e) for e in events] == [StopRepeated]
    assert [(a.id, a.times) for a in heating.applications] == [("A1", 2)]
    with pytest.raises(Conflict) as refused:
        suspensions.receive(heating, wish(3, AUGUST, "resume"), POLICY, "test", AUGUST)
    assert refused.value.code == "another_application_open"


def test_a_repeat_does_not_outdate_what_a_person_decides() -> None:
    heating, _ = receive(None, wish(1, AUGUST, photos=[]), AUGUST)
    seen = heating.applications[0].version
    heating, _ = receive(heating, wish(2, AUGUST, photos=[]), AUGUST)
    command = Refuse(application=ApplicationId("A1"), version=seen, by="x", because=["proof"])
    assert suspensions.decide(heating, command, POLICY, AUGUST)


def test_an_approval_against_a_failed_check_needs_a_reason() -> None:
    heating, _ = receive(None, wish(1, AUGUST, photos=[]), AUGUST)
    command = Approve(application=ApplicationId("A1"), version=None, by="x")
    with pytest.raises(Invalid) as refused:
        suspensions.decide(heating, command, POLICY, AUGUST, TERMS)
    assert refused.value.code == "reason_needed"


def test_only_service_awaited_closes_with_the_valve() -> None:
    heating, _ = receive(None, wish(1, AUGUST), AUGUST)
    alone = changed(POLICY, departments=["service"])
    command = SetValve(application=ApplicationId("A1"), version=None, by="x", valve="closed")
    events = suspensions.decide(heating, command, alone, AUGUST)
    for event in events:
        heating = suspensions.apply(heating, event, AUGUST)
    assert (heating.applications[0].state, heating.applications[0].known) == ("closed", ["service"])


def test_a_stop_far_away_is_visited_shortly_before() -> None:
    start = int(datetime(2026, 12, 1, tzinfo=UTC).timestamp())
    end = int((datetime(2026, 12, 1, tzinfo=UTC) + timedelta(days=40)).timestamp())
    command = wish(
        1, AUGUST, "temporary_stop", stop_from=start, stop_until=end,
        terms=changed(TERMS, stop_days=(date(2026, 12, 1), date(2027, 1, 10))),
    )  # fmt: skip
    _, events = receive(None, command, AUGUST)
    approved = events[-1]
    assert isinstance(approved, StopApproved)
    assert (approved.visit_due_at, approved.visit_from) == (start, start - POLICY.visit_within_s)
