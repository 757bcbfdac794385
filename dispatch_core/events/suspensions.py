"""Events of a household's heating contract, from an application to the closed loop (停热闭环)."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.ids import (
    ApplicationId,
    CheckCode,
    CheckVerdict,
    Department,
    HouseholdId,
    PhotoId,
    Place,
    StopKind,
    Valve,
    VisitId,
    Words,
)


class Check(msgspec.Struct, frozen=True, kw_only=True):
    """One check of an application: what it found against what is wanted, and, unless it passed, the
    policy's written reason as it read then."""

    code: CheckCode
    verdict: CheckVerdict
    found: str
    wanted: str
    zh: str | None = None
    en: str | None = None


class StopFact(Body, frozen=True, kw_only=True):
    """What every event of an application carries."""

    application: ApplicationId
    action: StopKind


class StopApplied(StopFact, frozen=True, kw_only=True):
    """A household asks for its heating to be stopped, or for it to flow again."""

    household: HouseholdId
    season: str
    place: Place
    risers: list[str]
    resident: str | None
    source: str
    photos: list[PhotoId]
    words: Words | None
    stop_from: int | None
    stop_until: int | None
    checks: list[Check]
    asked_at: int
    """When it reached the door; it is answered a little later."""
    policy: str


class StopRepeated(StopFact, frozen=True, kw_only=True):
    """The same application came again while the first one stands: it is counted, not doubled.

    What it brings is kept: photos, words, and the checks if these now let the policy approve.
    """

    times: int
    source: str
    photos: list[PhotoId]
    """Those that are new."""
    words: Words | None
    checks: list[Check] | None


class StopReferred(StopFact, frozen=True, kw_only=True):
    """The policy cannot decide, or the visits were in vain; a person must."""

    because: list[CheckCode]


class StopApproved(StopFact, frozen=True, kw_only=True):
    """Approved; a visit sets the valve by `visit_due_at`, and a base fee is owed by policy."""

    by: str
    took_s: int
    visit_due_at: int
    visit_from: int
    """The visit is planned from then on: a temporary stop may begin much later."""
    base_fee_fen: int | None
    base_fee_pct: float | None
    reason: Words | None


class StopRefused(StopFact, frozen=True, kw_only=True):
    """Refused, for the written reasons that the policy has for these codes."""

    by: str
    took_s: int
    because: list[CheckCode]
    reason: Words | None


class StopWithdrawn(StopFact, frozen=True, kw_only=True):
    """The household no longer wants it."""

    by: str
    reason: Words | None


class StopScheduled(StopFact, frozen=True, kw_only=True):
    """A visit has been planned for it, or it has joined one."""

    visit: VisitId
    due_at: int


class ValveSet(StopFact, frozen=True, kw_only=True):
    """The visit was made: the valve is as the application needs it; these departments must know."""

    valve: Valve
    by: str
    visit: VisitId | None
    seal: str | None
    known_by: int
    departments: list[Department]


class StopMadeKnown(StopFact, frozen=True, kw_only=True):
    """A department has taken note of the valve's state."""

    department: Department
    by: str


class StopClosed(StopFact, frozen=True, kw_only=True):
    """All departments know: the loop is closed."""

    took_s: int


class StopLate(StopFact, frozen=True, kw_only=True):
    """A deadline of the loop passed: the visit's, or that of the departments."""

    what: Literal["visit", "known"]
    due_at: int


class StopOver(StopFact, frozen=True, kw_only=True):
    """A temporary stop has reached its end."""

    stop_until: int


class VisitPlanned(Body, frozen=True, kw_only=True):
    """Applications on the same risers are to be visited together by `due_at`."""

    action: Literal["close", "open"]
    place: Place
    risers: list[str]
    applications: list[ApplicationId]
    households: list[HouseholdId]
    """In the order of `applications`."""
    due_at: int


class VisitJoined(Body, frozen=True, kw_only=True):
    """One more application was approved before the visit was made."""

    application: ApplicationId
    household: HouseholdId
    risers: list[str]
    due_at: int


class VisitLeft(Body, frozen=True, kw_only=True):
    """An application of the visit was withdrawn, or given back to a person."""

    application: ApplicationId


class VisitSettled(Body, frozen=True, kw_only=True):
    """The valve of one household of the visit is set."""

    application: ApplicationId
    valve: Valve
    by: str


class VisitMissed(Body, frozen=True, kw_only=True):
    """Nobody opened, or no valve was found: the household is to be visited again."""

    application: ApplicationId
    why: Literal["nobody_home", "no_valve_found", "entry_refused", "other"]
    by: str


class VisitMade(Body, frozen=True, kw_only=True):
    """Every household of the visit has its valve set, or has left it."""

    by: str
