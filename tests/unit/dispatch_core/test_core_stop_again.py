"""Stopped, opened and stopped again, while departments have still to say that they know."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from dispatch_core import suspensions
from dispatch_core.errors import Conflict
from dispatch_core.events import Event, StopApplied, StopApproved, StopRepeated
from dispatch_core.ids import ApplicationId, HouseholdId, PhotoId, Place
from dispatch_core.suspensions import Applicant, Apply, Flat, Heating, SetValve, Terms, Withdraw
from server.adapters.policies import read_policy

FILE = Path(__file__).resolve().parents[3] / "server" / "policies" / "default" / "default.toml"
POLICY = read_policy(FILE, "2026-2027", "Asia/Shanghai").suspension
DAY = 86_400
AUGUST = int(datetime(2026, 8, 15, tzinfo=UTC).timestamp())
PLACE = Place(
    building=None, lon=126.6, lat=45.7, address="和平路 5 号", community=None, district=None
)
FLAT = Flat(
    owner="p-owner", owner_name=b"owner", owner_certificate=None, valve=True, gable=False,
    ground_floor=False, top_floor=False, warranty_until=None, unpaid_fen=0,
)  # fmt: skip
TERMS = Terms(today=date(2026, 8, 15), area_m2=80.0)


def day_of(at: int) -> date:
    return datetime.fromtimestamp(at, UTC).date()


def wish(n: int, at: int, action: Any = "suspension", **changes: Any) -> Apply:
    made = Apply(
        application=ApplicationId(f"A{n}"), action=action, household=HouseholdId("H-1"),
        season="2026-2027", place=PLACE, risers=["r1"],
        terms=msgspec.structs.replace(TERMS, today=day_of(at)), flat=FLAT,
        applicant=Applicant(pseudonym="p-owner", name=b"owner", certificate=None), source="app",
        photos=[PhotoId("p")], words=None, asked_at=at,
    )  # fmt: skip
    return msgspec.structs.replace(made, **changes)


def received(heating: Heating | None, command: Apply, at: int) -> tuple[Heating, list[Event]]:
    events = suspensions.receive(heating, command, POLICY, "test", at)
    return lived(heating, events, at), events


def lived(heating: Heating | None, events: list[Event], at: int) -> Heating:
    for event in events:
        heating = suspensions.apply(heating, event, at)
    assert heating is not None
    return heating


def carried_out(heating: Heating | None, command: Apply, valve: Any, at: int) -> Heating:
    """Approved by the policy and its valve set; no department has said that it knows."""
    heating, _ = received(heating, command, at)
    done = SetValve(application=command.application, version=None, by="p", valve=valve)
    return lived(heating, suspensions.decide(heating, done, POLICY, at), at)


def test_a_stop_that_was_undone_is_not_repeated_by_the_next_one() -> None:
    heating = carried_out(None, wish(1, AUGUST), "closed", AUGUST)
    again, (event, *_) = received(heating, wish(2, AUGUST), AUGUST)
    assert isinstance(event, StopRepeated)
    opened = carried_out(again, wish(3, AUGUST, "resume"), "open", AUGUST)
    stopped, events = received(opened, wish(4, AUGUST), AUGUST)
    assert [type(e) for e in events] == [StopApplied, StopApproved]
    assert stopped.applications[-1].state == "approved"


def test_nobody_asks_again_for_the_stop_whose_resumption_is_under_way() -> None:
    heating = carried_out(None, wish(1, AUGUST), "closed", AUGUST)
    heating, _ = received(heating, wish(2, AUGUST, "resume"), AUGUST)
    with pytest.raises(Conflict) as refusal:
        received(heating, wish(3, AUGUST), AUGUST)
    assert refusal.value.code == "another_application_open"


def test_a_stop_that_has_ended_is_opened_even_if_its_resumption_is_withdrawn() -> None:
    december, end = AUGUST + 110 * DAY, AUGUST + 150 * DAY
    terms = msgspec.structs.replace(
        TERMS, today=day_of(december), stop_days=(day_of(december), day_of(end))
    )
    stop = wish(
        1, december, "temporary_stop", terms=terms, stop_from=december, stop_until=end
    )  # fmt: skip
    heating = carried_out(None, stop, "closed", december)
    heating, _ = received(heating, wish(2, end - DAY, "resume"), end - DAY)
    for _ in range(2):
        assert [
            e for e in suspensions.watch(heating, POLICY, "test", end) if isinstance(e, StopApplied)
        ] == []
    withdraw = Withdraw(application=ApplicationId("A2"), version=None, by="p")
    heating = lived(heating, suspensions.decide(heating, withdraw, POLICY, end), end)
    made = [
        e for e in suspensions.watch(heating, POLICY, "test", end) if isinstance(e, StopApplied)
    ]
    assert [e.application for e in made] == ["A1-end"]
