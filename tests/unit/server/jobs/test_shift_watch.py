"""A crew's next shift begins also while it still has work of the one before in hand."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from dispatch_core.crews import Crew
from dispatch_core.events import CrewShiftEnded, CrewShiftStarted, Event
from dispatch_core.ids import TicketId, unix
from server.adapters.engine_store import EngineTransaction
from server.jobs import watches


class OneCrew:
    """As much of a transaction as the watch asks of it."""

    def __init__(self, crew: Crew, local: str) -> None:
        self.now = datetime.fromisoformat(f"2026-01-{local}:00+08:00").astimezone(UTC)
        self.crew = crew
        self.said: list[Event] = []

    async def timezone(self) -> str:
        return "Asia/Shanghai"

    async def streams_like(self, _: str) -> dict[str, Crew]:
        return {"crew:C1": self.crew}

    async def heads(self, streams: Any) -> dict[str, Crew]:
        return dict.fromkeys(streams, self.crew)

    def append(self, _: str, events: list[Event], **_more: str) -> None:
        self.said += events


def said(local: str, shift: str, ends: str | None, *, busy: bool) -> list[Event]:
    """What the watch says of a crew whose shift ends, or ended, at `ends`."""
    crew = Crew(
        version=1, name="一班", trades=["indoor"], certificates=[], members=2, vehicle="V",
        shift=shift, on_duty=ends is not None,
        shift_ends_at=unix(datetime.fromisoformat(f"2026-01-{ends}:00+08:00")) if ends else None,
        tickets={TicketId("T1"): "dispatched"} if busy else {},
    )  # fmt: skip
    tx = OneCrew(crew, local)
    asyncio.run(watches.shifts(cast("EngineTransaction", tx)))
    return tx.said


@pytest.mark.parametrize("shift", ["08:00-20:00", "08:00-08:00", "22:00-08:30"])
def test_work_left_over_from_yesterday_keeps_no_crew_from_its_next_shift(shift: str) -> None:
    ended = {"08:00-20:00": "13T20:00", "08:00-08:00": "14T08:00", "22:00-08:30": "13T08:30"}[shift]
    [started] = said("14T08:05", shift, ended, busy=True)
    assert isinstance(started, CrewShiftStarted)
    assert started.ends_at > unix(datetime(2026, 1, 14, 0, 5, tzinfo=UTC))
    assert started.state == "dispatched"


def test_a_shift_that_runs_is_not_moved_under_a_crew_at_work() -> None:
    assert said("14T10:00", "08:00-18:00", "14T20:00", busy=True) == []
    [started] = said("14T10:00", "08:00-18:00", "14T20:00", busy=False)
    assert isinstance(started, CrewShiftStarted)


def test_who_has_work_left_stays_past_the_end() -> None:
    assert said("14T20:30", "08:00-20:00", "14T20:00", busy=True) == []
    [ended] = said("14T20:30", "08:00-20:00", "14T20:00", busy=False)
    assert isinstance(ended, CrewShiftEnded)
