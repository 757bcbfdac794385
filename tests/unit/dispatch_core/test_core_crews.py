"""A crew's shift, the tickets in its hands, and its position."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from dispatch_core import commands as c
from dispatch_core import crews
from dispatch_core import events as e
from dispatch_core.crews import Crew
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.ids import unix

T0 = datetime(2026, 1, 14, 7, 5, tzinfo=UTC)
AT0 = unix(T0)
REGISTER = c.RegisterCrew(
    crew="k1", name="道北一班", trades=["secondary"], certificates=["welder"], members=3,
    vehicle="暖A0001", shift="day",
)  # fmt: skip


def carry(crew: Crew | None, *commands: Any, now: datetime = T0) -> Crew:
    for command in commands:
        for event in crews.decide(crew, command, now):
            crew = crews.apply(crew, event, unix(now))
    assert crew is not None
    return crew


def on_duty() -> Crew:
    return carry(None, REGISTER, c.StartShift(ends_at=AT0 + 8 * 3600))


def test_the_furthest_ticket_is_the_current_one() -> None:
    crew = on_duty()
    assert crew.doing == ("free", None)
    crew = carry(crew, c.AssignTicket(ticket="t1"), c.AssignTicket(ticket="t2"))
    assert crew.doing == ("dispatched", "t1")
    crew = carry(crew, c.TakeTicket(ticket="t2"))
    assert crew.doing == ("en_route", "t2")
    crew = carry(crew, c.TakeTicket(ticket="t1"), c.ArriveAtTicket(ticket="t1"))
    assert crew.doing == ("on_site", "t1")
    crew = carry(crew, c.ReleaseTicket(ticket="t1"))
    assert crew.doing == ("en_route", "t2")
    assert carry(crew, c.ReleaseTicket(ticket="t2")).doing == ("free", None)


def test_every_work_event_tells_the_state_after_it() -> None:
    crew = on_duty()
    for command in (
        c.AssignTicket(ticket="t1"), c.TakeTicket(ticket="t1"), c.ArriveAtTicket(ticket="t1"),
        c.AssignTicket(ticket="t2"), c.ReleaseTicket(ticket="t1"), c.ReleaseTicket(ticket="t2"),
        c.EndShift(),
    ):  # fmt: skip
        (event,) = crews.decide(crew, command, T0)
        assert isinstance(event, e.CrewFact)
        crew = crews.apply(crew, event, AT0)
        assert (event.state, event.current) == crew.doing


def test_what_is_so_already_makes_no_fact() -> None:
    crew = carry(on_duty(), c.AssignTicket(ticket="t1"))
    assert crews.decide(crew, REGISTER, T0) == []
    assert crews.decide(crew, c.AssignTicket(ticket="t1"), T0) == []
    assert crews.decide(crew, c.ReleaseTicket(ticket="t9"), T0) == []
    assert crews.decide(carry(None, REGISTER), c.EndShift(), T0) == []


def test_changed_data_keeps_the_work() -> None:
    crew = carry(on_duty(), c.AssignTicket(ticket="t1"))
    new = c.RegisterCrew(
        crew="k1", name="道北二班", trades=["indoor"], certificates=[], members=2,
        vehicle="暖A0002", shift="night",
    )  # fmt: skip
    changed = carry(crew, new)
    assert (changed.name, changed.members) == ("道北二班", 2)
    assert changed.doing == ("dispatched", "t1")


@pytest.mark.parametrize(
    ("prepare", "command", "code"),
    [
        ([], c.AssignTicket(ticket="t1"), "crew_off_duty"),
        ([c.StartShift(ends_at=AT0 + 9)], c.TakeTicket(ticket="t1"), "not_with_crew"),
        ([c.StartShift(ends_at=AT0 + 9)], c.ArriveAtTicket(ticket="t1"), "not_with_crew"),
        (
            [c.StartShift(ends_at=AT0 + 9), c.AssignTicket(ticket="t1")],
            c.EndShift(),
            "crew_has_tickets",
        ),
        (
            [c.StartShift(ends_at=AT0 + 9), *(c.AssignTicket(ticket=f"t{i}") for i in range(6))],
            c.AssignTicket(ticket="t7"),
            "crew_full",
        ),
    ],
)
def test_what_does_not_fit_is_refused(prepare: list[Any], command: Any, code: str) -> None:
    crew = carry(None, REGISTER, *prepare)
    with pytest.raises(Conflict) as refused:
        crews.decide(crew, command, T0)
    assert refused.value.code == code
    assert refused.value.extra == crew.present()


def test_bad_data_is_refused() -> None:
    with pytest.raises(NotFound, match="no_such_crew"):
        crews.decide(None, c.EndShift(), T0)
    with pytest.raises(Invalid, match="bad_shift"):
        crews.decide(carry(None, REGISTER), c.StartShift(ends_at=AT0), T0)
    alone = c.RegisterCrew(
        crew="k2",
        name="一人",
        trades=["indoor"],
        certificates=[],
        members=1,
        vehicle="",
        shift="day",
    )
    with pytest.raises(Invalid, match="bad_crew"):
        crews.decide(None, alone, T0)


def test_a_position_is_lost_after_five_silent_minutes_and_regained_by_a_fix() -> None:
    crew = on_duty()
    assert crews.watch(crew, None, T0 + timedelta(seconds=299)) == []
    fix = AT0 + 60
    assert crews.watch(crew, fix, T0 + timedelta(seconds=359)) == []
    later = T0 + timedelta(seconds=360)
    (lost,) = crews.watch(crew, fix, later)
    assert lost == e.PositionLost(name="道北一班", since=fix)
    crew = crews.apply(crew, lost, unix(later))
    assert crews.watch(crew, fix, later) == []
    (regained,) = crews.watch(crew, fix + 600, T0 + timedelta(seconds=700))
    assert regained == e.PositionRegained(name="道北一班", lost_s=640)
    assert crews.apply(crew, regained, AT0).position_lost_since is None
    assert carry(crew, c.EndShift()).position_lost_since is None


def test_a_crew_off_duty_owes_no_fix() -> None:
    assert crews.watch(carry(None, REGISTER), None, T0 + timedelta(days=1)) == []
