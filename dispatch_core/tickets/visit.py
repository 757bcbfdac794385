"""What is agreed, permitted, awaited and locked about a ticket's visit."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events import Gas
from dispatch_core.ids import Clock, CrewId, StoreId

Escalation = Clock | Literal["no_crew"]
"""What the duty manager was told of: a clock that passed, or that no crew can be proposed."""


class Appointment(msgspec.Struct, frozen=True, kw_only=True):
    """A visit agreed with the resident, Unix seconds."""

    from_at: int
    until_at: int
    night_agreed: bool


class HeldPermit(msgspec.Struct, frozen=True, kw_only=True):
    """A permit as it was written."""

    number: str
    valid_until: int
    guard: str | None
    gas: Gas | None


class PartsWait(msgspec.Struct, frozen=True, kw_only=True):
    """The parts that the work waits for; `store` None: they are on order."""

    parts: dict[str, int]
    store: StoreId | None
    expected_at: int
    late: bool = False
    """They were not there in time, and this was said."""


class Lock(msgspec.Struct, frozen=True, kw_only=True):
    """The crew, and the start if one is given, that the plan must keep."""

    crew: CrewId
    crew_name: str
    start_at: int | None


def escalation(clock: Clock | None) -> Escalation:
    """What an escalation is about: no clock stands for that no crew can be proposed."""
    return clock or "no_crew"


def overlap(start: int, minutes: int, other: int, other_minutes: int) -> bool:
    """Whether one crew cannot keep both starts (Unix seconds), each with its time on site."""
    return start < other + 60 * other_minutes and other < start + 60 * minutes
