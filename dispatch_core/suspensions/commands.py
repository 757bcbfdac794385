"""What can be asked of a household's heating, and of a visit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Literal

import msgspec

from dispatch_core.ids import (
    ApplicationId,
    CheckCode,
    Department,
    HouseholdId,
    PhotoId,
    Place,
    StopKind,
    Valve,
    VisitId,
    Words,
)
from dispatch_core.suspensions.checks import Applicant, Flat

Outcome = Literal[
    "closed", "sealed", "open", "nobody_home", "no_valve_found", "entry_refused", "other"
]


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """When an application is decided and what an approval is reckoned from; days are local days of
    the city."""

    today: date
    area_m2: float
    stop_days: tuple[date, date] | None = None
    """Of a temporary stop: the first day without heat and the day on which it returns."""
    cold_from: date | None = None
    """Of a resumption: since when the flat has been without heat."""


class Apply(msgspec.Struct, frozen=True, kw_only=True):
    """An application as it reached the door at `asked_at`, which is when it counts."""

    application: ApplicationId
    action: StopKind
    household: HouseholdId
    season: str
    place: Place
    risers: list[str]
    terms: Terms
    flat: Flat
    applicant: Applicant
    source: str
    photos: list[PhotoId]
    words: Words | None
    asked_at: int
    stop_from: int | None = None
    stop_until: int | None = None


class Step(msgspec.Struct, frozen=True, kw_only=True):
    """A command on one application, decided upon as it stood at `version`; None: as it is now."""

    application: ApplicationId
    version: int | None
    by: str


class Approve(Step, frozen=True, kw_only=True):
    """A person approves; a reason is owed if a check failed."""

    reason: Words | None = None


class Refuse(Step, frozen=True, kw_only=True):
    """A person refuses, by codes of the policy or in words."""

    because: list[CheckCode]
    reason: Words | None = None


class Withdraw(Step, frozen=True, kw_only=True):
    """The household takes it back."""

    reason: Words | None = None


class SetValve(Step, frozen=True, kw_only=True):
    """The valve was set, on a visit or otherwise."""

    valve: Valve
    seal: str | None = None


class MakeKnown(Step, frozen=True, kw_only=True):
    """A department says that it knows."""

    department: Department


class Schedule(Step, frozen=True, kw_only=True):
    """A visit is planned for it."""

    visit: VisitId
    due_at: int


class GiveBack(Step, frozen=True, kw_only=True):
    """The visits were in vain; a person must decide."""


ApplicationCommand = Approve | Refuse | Withdraw | SetValve | MakeKnown | Schedule | GiveBack


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What a visit brought for one application."""

    application: ApplicationId
    outcome: Outcome
    seal: str | None = None


class RecordResults(msgspec.Struct, frozen=True, kw_only=True):
    """What a visit brought, all or part of it."""

    version: int
    by: str
    results: Sequence[Result]
