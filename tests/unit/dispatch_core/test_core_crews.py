"""A crew's shift, the tickets in its hands, and its position."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
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


# ---------------------------------------------------------------- the register's further data
def full(**changed: Any) -> c.RegisterCrew:
    more: dict[str, Any] = {
        "skill": 4, "territory": ["道里区"], "base": c.Base(lon=126.6, lat=45.7),
        "breaks": [e.Pause(after="11:00", before="13:00", minutes=40)], "equipment": ["pump"],
    }  # fmt: skip
    return msgspec.structs.replace(REGISTER, **(more | changed))


def test_what_the_register_does_not_say_stays() -> None:
    crew = carry(None, REGISTER)
    assert (crew.skill, crew.territory, crew.base, crew.breaks) == (3, [], None, [])
    crew = carry(crew, full())
    again = carry(crew, REGISTER)
    assert (again.skill, again.territory, again.base) == (4, ["道里区"], crew.base)
    assert (again.breaks, again.equipment) == (crew.breaks, ["pump"])
    assert crews.decide(crew, REGISTER, T0) == []
    assert carry(crew, full(territory=[], equipment=[])).territory == []


@pytest.mark.parametrize(
    "changed",
    [
        {"skill": 0}, {"skill": 6},
        {"breaks": [e.Pause(after="11", before="13:00", minutes=40)]},
        {"breaks": [e.Pause(after="11:00", before="24:00", minutes=40)]},
        {"breaks": [e.Pause(after="11:00", before="13:00", minutes=0)]},
        {"breaks": [e.Pause(after="11:00", before="13:00", minutes=500)]},
    ],
)  # fmt: skip
def test_a_skill_or_a_break_that_is_none_is_refused(changed: Any) -> None:
    with pytest.raises(Invalid, match="bad_crew"):
        crews.decide(None, full(**changed), T0)


# ---------------------------------------------------------------- stocked, stopped, back
def test_a_van_is_counted_and_never_below_zero() -> None:
    crew = on_duty()
    assert crew.parts is None
    crew = carry(crew, c.StockCrew(parts={"DN80": 2, "DN50": 0}, by="u"))
    assert crew.parts == {"DN80": 2}
    assert crews.decide(crew, c.StockCrew(parts={"DN80": 2}, by="u"), T0) == []
    assert carry(crew, c.StockCrew(parts={}, by="u")).parts == {}
    for parts in ({"DN80": -1}, {"": 1}):
        with pytest.raises(Invalid, match="bad_parts"):
            crews.decide(crew, c.StockCrew(parts=parts, by="u"), T0)


def test_a_stopped_crew_keeps_what_it_has_and_takes_nothing_more() -> None:
    crew = carry(on_duty(), c.AssignTicket(ticket="t1"))
    crew = carry(crew, c.StopCrew(reason_code="breakdown", by="u"))
    with pytest.raises(Conflict, match="crew_stopped") as refused:
        crews.decide(crew, c.AssignTicket(ticket="t2"), T0)
    assert refused.value.extra["stopped"] is True
    assert crews.decide(crew, c.AssignTicket(ticket="t1"), T0) == []
    crew = carry(crew, c.TakeTicket(ticket="t1"), c.ReleaseTicket(ticket="t1"))
    assert crew.doing == ("free", None)
    crew = carry(crew, c.CrewBackToWork(by="u"), c.AssignTicket(ticket="t2"))
    assert crews.decide(crew, c.CrewBackToWork(by="u"), T0) == []
    assert crew.doing == ("dispatched", "t2")


def test_a_stop_ends_at_its_time_and_is_told_once() -> None:
    crew = on_duty()
    with pytest.raises(Invalid, match="bad_time"):
        crews.decide(crew, c.StopCrew(reason_code="sick", until_at=AT0, by="u"), T0)
    stop = c.StopCrew(reason_code="sick", until_at=AT0 + 3600, by="u")
    crew = carry(crew, stop)
    assert crews.decide(crew, stop, T0) == []
    assert crews.stop_over(crew, T0 + timedelta(minutes=59), "system:core") == []
    longer = carry(crew, c.StopCrew(reason_code="sick", by="u"), now=T0 + timedelta(minutes=5))
    assert longer.stopped == crews.Stopped(reason_code="sick", since=AT0, until_at=None)
    assert crews.stop_over(longer, T0 + timedelta(days=9), "system:core") == []
    now = T0 + timedelta(hours=1)
    (back,) = crews.stop_over(crew, now, "system:core")
    crew = crews.apply(crew, back, unix(now))
    assert crew.stopped is None
    assert crews.stop_over(crew, now, "system:core") == []
