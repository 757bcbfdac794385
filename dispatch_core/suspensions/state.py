"""What a household's heating contract has come to, and what can be done with an application."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

from dispatch_core.events import (
    Check,
    Event,
    StopApplied,
    StopApproved,
    StopClosed,
    StopFact,
    StopLate,
    StopMadeKnown,
    StopOver,
    StopReferred,
    StopRefused,
    StopRepeated,
    StopScheduled,
    StopWithdrawn,
    ValveSet,
)
from dispatch_core.ids import (
    ApplicationId,
    ApplicationState,
    CheckCode,
    Department,
    HouseholdId,
    PhotoId,
    Place,
    Standing,
    StopKind,
    Valve,
    VisitId,
    Words,
)

OPEN: tuple[ApplicationState, ...] = ("referred", "approved", "completed")
UNDECIDED: tuple[ApplicationState, ...] = ("referred", "approved")
"""Before its valve is set: a household has one such application at most."""
POSSIBLE: dict[ApplicationState, tuple[str, ...]] = {
    "referred": ("approve", "refuse", "withdraw"),
    "approved": ("valve", "withdraw"),
    "completed": ("known",),
    "refused": (),
    "withdrawn": (),
    "closed": (),
}
"""What a person can do in each state."""
SHUT: tuple[Valve, ...] = ("closed", "sealed")
STANDING: dict[StopKind, Standing] = {
    "suspension": "suspended",
    "temporary_stop": "temporary_stop",
    "resume": "heated",
}
SEASONS_KEPT = 3


class Application(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One application after the facts so far; times are Unix seconds of the business clock."""

    id: ApplicationId
    version: int
    """The version of its household's stream at its last fact."""
    decided: int
    """The version at its last fact that a person would decide differently upon."""
    action: StopKind
    season: str
    state: ApplicationState
    source: str
    times: int
    applied_at: int
    resident: str | None
    photos: list[PhotoId]
    words: Words | None
    checks: list[Check]
    policy: str
    stop_from: int | None = None
    stop_until: int | None = None
    because: list[CheckCode] = []
    answered_at: int | None = None
    answered_by: str | None = None
    took_s: int | None = None
    base_fee_fen: int | None = None
    base_fee_pct: float | None = None
    reason: Words | None = None
    visit_from: int | None = None
    visit_due_at: int | None = None
    visit: VisitId | None = None
    visits: int = 0
    """How many visits it has been put on."""
    valve: Valve | None = None
    seal: str | None = None
    completed_at: int | None = None
    known_by: int | None = None
    awaited: list[Department] = []
    """Departments that must know."""
    known: list[Department] = []
    closed_at: int | None = None
    late: Literal["visit", "known"] | None = None
    over: bool = False
    """A temporary stop has come to its end, or has been resumed before."""

    @property
    def in_force(self) -> bool:
        """A temporary stop whose end is still to be looked for."""
        ended = self.over or self.state in {"refused", "withdrawn"}
        return self.action == "temporary_stop" and not ended

    @property
    def check_at(self) -> int | None:
        """When time alone next makes something true of it."""
        looks = [self.stop_until if self.in_force else None]
        if self.late is None and self.state == "approved":
            looks.append(self.visit_due_at)
        elif self.late is None and self.state == "completed":
            looks.append(self.known_by)
        return min((at for at in looks if at is not None), default=None)


class SeasonStanding(msgspec.Struct, frozen=True):
    """How a household stands in a season, and by which application."""

    standing: Standing
    application: ApplicationId


class Heating(msgspec.Struct, frozen=True, kw_only=True):
    """A household's heating after `version` facts. Applications that are done are kept until the
    next one comes; the journal has them all."""

    version: int
    household: HouseholdId
    place: Place
    risers: list[str]
    standings: dict[str, SeasonStanding]
    valve: Valve
    valve_at: int | None
    applications: list[Application]
    """Oldest first."""

    def standing(self, season: str) -> Standing:
        """Heated, unless an application has been carried out."""
        found = self.standings.get(season)
        return found.standing if found else "heated"

    def carried_out(self, season: str) -> Application | None:
        """The application by which the season's standing is as it is, while departments are still
        to know of it. One that was undone since is not what is asked for by another."""
        found = self.standings.get(season)
        a = self.application(found.application) if found else None
        return a if a and a.state == "completed" else None

    def rests_on(self, application: Application) -> bool:
        """Whether the season's standing is what this application made of it."""
        found = self.standings.get(application.season)
        return found is not None and found.application == application.id

    def application(self, name: str) -> Application | None:
        """An application by its number, if it is still kept here."""
        return next((a for a in self.applications if a.id == name), None)

    @property
    def undecided(self) -> Application | None:
        """The application whose valve is not set yet."""
        return next((a for a in self.applications if a.state in UNDECIDED), None)


def present(application: Application) -> dict[str, object]:
    """The present state as JSON-ready facts, for a refusal."""
    return {
        "id": application.id,
        "action": application.action,
        "state": application.state,
        "version": application.version,
        "possible": list(POSSIBLE[application.state]),
    }


def apply(heating: Heating | None, event: Event, at: int) -> Heating:
    """The household's heating after one more fact. Raises ValueError for one that cannot be
    its next."""
    if isinstance(event, StopApplied):
        return _applied(heating, event, at)
    if heating is None or not isinstance(event, StopFact):
        raise ValueError(f"{type(event).__name__} cannot be the next fact of a household's heating")
    version = heating.version + 1
    before = heating.application(event.application)
    if before is None:
        raise ValueError(f"{event.application} is no application of this household")
    after = _moved(before, event, at, version)
    changed = msgspec.structs.replace(
        heating,
        version=version,
        applications=[after if a is before else a for a in heating.applications],
    )
    return _valve_set(changed, after, event, at) if isinstance(event, ValveSet) else changed


def _applied(heating: Heating | None, event: StopApplied, at: int) -> Heating:
    version = heating.version + 1 if heating else 1
    new = Application(
        id=event.application,
        version=version,
        decided=version,
        action=event.action,
        season=event.season,
        state="referred",
        source=event.source,
        times=1,
        applied_at=min(event.asked_at, at),
        resident=event.resident,
        photos=event.photos,
        words=event.words,
        checks=event.checks,
        policy=event.policy,
        stop_from=event.stop_from,
        stop_until=event.stop_until,
    )
    earlier = heating.applications if heating else []
    kept = [a for a in earlier if a.state in OPEN or a.in_force]
    return Heating(
        version=version,
        household=event.household,
        place=event.place,
        risers=event.risers,
        standings=heating.standings if heating else {},
        valve=heating.valve if heating else "unknown",
        valve_at=heating.valve_at if heating else None,
        applications=[*kept, new],
    )


def _moved(a: Application, event: StopFact, at: int, version: int) -> Application:
    changes: dict[str, Any] = {"decided": version}
    answered = {"answered_at": a.answered_at or at}
    match event:
        case StopReferred():
            changes |= {"state": "referred", "because": event.because, "visit": None, "late": None}
        case StopApproved():
            taken = ("base_fee_fen", "base_fee_pct", "visit_from", "visit_due_at", "reason")
            changes |= answered | {name: getattr(event, name) for name in taken}
            changes |= {"state": "approved", "answered_by": event.by, "took_s": event.took_s}
        case StopRefused():
            changes |= answered | {"because": event.because, "reason": event.reason}
            changes |= {"state": "refused", "answered_by": event.by, "took_s": event.took_s}
        case StopWithdrawn():
            changes |= {"state": "withdrawn", "reason": event.reason, "late": None}
        case ValveSet():
            changes |= {"state": "completed", "valve": event.valve, "seal": event.seal}
            changes |= {"completed_at": at, "known_by": event.known_by, "late": None}
            changes |= {"awaited": event.departments}
            changes |= {"known": [d for d in event.departments if d == "service"]}
        case StopClosed():
            changes |= {"state": "closed", "closed_at": at, "late": None}
        case _:
            changes = _told(a, event)
    return msgspec.structs.replace(a, version=version, **changes)


def _told(a: Application, event: StopFact) -> dict[str, Any]:
    """Facts upon which nobody decides otherwise than before."""
    match event:
        case StopRepeated():
            photos = {"photos": [*a.photos, *event.photos]} if event.photos else {}
            checks = {"checks": event.checks} if event.checks is not None else {}
            return {"times": event.times, "words": event.words or a.words, **photos, **checks}
        case StopScheduled():
            return {"visit": event.visit, "visits": a.visits + 1}
        case StopMadeKnown():
            return {"known": [*a.known, event.department]}
        case StopLate():
            return {"late": event.what}
        case StopOver():
            return {"over": True}
        case _:
            raise ValueError(f"{type(event).__name__} cannot be the next fact of an application")


def _valve_set(heating: Heating, a: Application, event: ValveSet, at: int) -> Heating:
    """The season's standing follows the valve; a stop that is resumed need not be ended."""
    standings = {
        **heating.standings,
        a.season: SeasonStanding(STANDING[a.action], a.id),
    }
    for old in sorted(standings)[:-SEASONS_KEPT]:
        del standings[old]
    applications = [
        msgspec.structs.replace(other, over=True)
        if a.action == "resume" and other.in_force and other.season == a.season
        else other
        for other in heating.applications
    ]
    return msgspec.structs.replace(
        heating,
        standings=standings,
        valve=event.valve,
        valve_at=at,
        applications=applications,
    )
