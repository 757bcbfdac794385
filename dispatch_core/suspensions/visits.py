"""Visits that set valves: planned per riser, joined, missed, made."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import msgspec

from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import (
    Event,
    VisitJoined,
    VisitLeft,
    VisitMade,
    VisitMissed,
    VisitPlanned,
    VisitSettled,
)
from dispatch_core.ids import ApplicationId, HouseholdId, Place, Valve, VisitId
from dispatch_core.suspensions.commands import RecordResults, Result
from dispatch_core.suspensions.state import SHUT

Direction = Literal["close", "open"]
CallState = Literal["waiting", "missed", "done", "left"]
OVER: tuple[CallState, ...] = ("done", "left")
_VALVES: dict[str, Valve] = {"closed": "closed", "sealed": "sealed", "open": "open"}


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """One household of a visit."""

    application: ApplicationId
    household: HouseholdId
    state: CallState = "waiting"
    misses: int = 0
    why: str | None = None
    """Of the last miss."""


class Visit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit after `version` facts; times are Unix seconds."""

    version: int
    decided: int
    """The version at the last fact that the people on the visit must have seen."""
    action: Direction
    place: Place
    risers: list[str]
    calls: list[Call]
    due_at: int
    planned_at: int
    made_at: int | None = None

    def call(self, application: str) -> Call | None:
        """The call that an application means here."""
        return next((c for c in self.calls if c.application == application), None)

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        return {
            "version": self.version,
            "made_at": self.made_at,
            "calls": {c.application: c.state for c in self.calls},
        }


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """An approved application that no visit has been planned for."""

    application: ApplicationId
    household: HouseholdId
    direction: Direction
    building: str
    unit: int
    risers: list[str]
    place: Place
    due_at: int
    visits: int
    """How many it has been on before."""


class OpenVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A visit that can still be joined."""

    visit: VisitId
    direction: Direction
    building: str
    unit: int
    risers: list[str]
    due_at: int


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """Applications for one visit, which is there already or is to be planned."""

    visit: VisitId
    applications: list[Waiting]


def plan(waiting: Sequence[Waiting], open_visits: Sequence[OpenVisit]) -> list[Plan]:
    """Groups applications by riser: same building, unit and direction, and chained by shared risers
    (in old vertical systems a flat hangs on several). What touches an open visit joins the one that
    is due first. Households without a known riser go by their unit."""
    groups: dict[tuple[str, int, Direction], list[Waiting]] = {}
    for one in sorted(waiting, key=lambda w: w.application):
        groups.setdefault((one.building, one.unit, one.direction), []).append(one)
    visits: dict[tuple[str, int, Direction], list[OpenVisit]] = {}
    for visit in sorted(open_visits, key=lambda v: (v.due_at, v.visit)):
        visits.setdefault((visit.building, visit.unit, visit.direction), []).append(visit)
    plans: dict[VisitId, Plan] = {}
    for key, members in groups.items():
        for chained, risers in _chains(members):
            joined = next((v for v in visits.get(key, []) if risers & _risers(v.risers)), None)
            first = chained[0]
            name = joined.visit if joined else VisitId(f"{first.application}-{first.visits + 1}")
            before = plans[name].applications if name in plans else []
            plans[name] = Plan(visit=name, applications=[*before, *chained])
    return list(plans.values())


def _risers(named: Iterable[str]) -> set[str]:
    return set(named) or {""}


def _chains(members: Sequence[Waiting]) -> list[tuple[list[Waiting], set[str]]]:
    chains: list[tuple[list[Waiting], set[str]]] = []
    for one in members:
        risers = _risers(one.risers)
        touched = [c for c in chains if c[1] & risers]
        merged = ([w for c in touched for w in c[0]] + [one], set(risers).union(
            *(c[1] for c in touched)))  # fmt: skip
        chains = [c for c in chains if c not in touched] + [merged]
    return [(sorted(ws, key=lambda w: w.application), risers) for ws, risers in chains]


def planned(group: Sequence[Waiting]) -> VisitPlanned:
    """The fact that opens a visit; it is due when the first of its applications is."""
    return VisitPlanned(
        action=group[0].direction,
        place=group[0].place,
        risers=sorted({r for w in group for r in w.risers}),
        applications=[w.application for w in group],
        households=[w.household for w in group],
        due_at=min(w.due_at for w in group),
    )


def joined(visit: Visit, group: Sequence[Waiting]) -> list[Event]:
    """The facts by which applications join an open visit."""
    due_at, made = visit.due_at, []
    for one in group:
        due_at = min(due_at, one.due_at)
        made.append(
            VisitJoined(
                application=one.application, household=one.household, risers=one.risers,
                due_at=due_at,
            )
        )  # fmt: skip
    return list(made)


def left(visit: Visit, application: ApplicationId, by: str) -> list[Event]:
    """An application leaves the visit, which is made if nothing is left to do."""
    call = visit.call(application)
    if call is None or call.state in OVER or visit.made_at is not None:
        return []
    return _ended(visit, [VisitLeft(application=application)], {application}, by)


def settled(visit: Visit, application: ApplicationId, valve: Valve, by: str) -> list[Event]:
    """A valve was set: by the visit, or beside it."""
    call = visit.call(application)
    if call is None or call.state in OVER or visit.made_at is not None:
        return []
    fact = VisitSettled(application=application, valve=valve, by=by)
    return _ended(visit, [fact], {application}, by)


def valve_of(result: Result) -> Valve | None:
    """How a result leaves the valve; None for a visit in vain."""
    return _VALVES.get(result.outcome)


def record(
    visit: Visit | None, name: str, command: RecordResults, misses_max: int
) -> tuple[list[Event], list[ApplicationId]]:
    """The visit's facts of what it brought, and the applications that go back to a person.

    Raises NotFound `no_such_visit`; Conflict `version_conflict`, `visit_is_made`; Invalid
    `no_results`, `not_on_visit`, `twice_on_visit`, `valve_does_not_fit`.
    """
    if visit is None:
        raise NotFound("no_such_visit", f"There is no visit {name}.", "Check its number.")
    if visit.made_at is not None:
        raise Conflict("visit_is_made", "The visit is made.", "Look at it.", visit.present())
    if not visit.decided <= command.version <= visit.version:
        raise Conflict(
            "version_conflict",
            f"The visit has changed: it is at version {visit.version}.",
            "Look at the visit as it is now.",
            visit.present(),
        )
    _check_results(visit, command.results)
    facts: list[Event] = []
    over: set[str] = set()
    back: list[ApplicationId] = []
    for result in command.results:
        call = visit.call(result.application)
        valve = valve_of(result)
        if valve is not None:
            facts.append(VisitSettled(application=result.application, valve=valve, by=command.by))
            over.add(result.application)
            continue
        facts.append(VisitMissed(application=result.application, why=_why(result), by=command.by))
        if call is not None and call.misses + 1 >= misses_max:
            facts.append(VisitLeft(application=result.application))
            over.add(result.application)
            back.append(result.application)
    return _ended(visit, facts, over, command.by), back


def _why(
    result: Result,
) -> Literal["nobody_home", "no_valve_found", "entry_refused", "other"]:
    match result.outcome:
        case "nobody_home" | "no_valve_found" | "entry_refused" | "other":
            return result.outcome
        case _:
            raise ValueError(f"{result.outcome} is no miss")


def _check_results(visit: Visit, results: Sequence[Result]) -> None:
    if not results:
        raise Invalid("no_results", "There is no result.", "Give one for each household visited.")
    seen: set[str] = set()
    for result in results:
        call = visit.call(result.application)
        if call is None or call.state in OVER:
            raise Invalid(
                "not_on_visit",
                f"The application {result.application} does not wait for this visit.",
                "Give results of households that are waiting or were missed.",
                visit.present(),
            )
        if result.application in seen:
            raise Invalid(
                "twice_on_visit", f"{result.application} has two results.", "Give one for each."
            )
        seen.add(result.application)
        valve = valve_of(result)
        if valve is not None and (valve in SHUT) != (visit.action == "close"):
            raise Invalid(
                "valve_does_not_fit",
                f"This visit is to {visit.action} valves, not to leave one {valve}.",
                "Report what was found as a miss.",
            )


def _ended(visit: Visit, facts: list[Event], over: set[str], by: str) -> list[Event]:
    if all(c.state in OVER or c.application in over for c in visit.calls):
        return [*facts, VisitMade(by=by)]
    return facts


def apply(visit: Visit | None, event: Event, at: int) -> Visit:
    """The visit after one more fact. Raises ValueError for one that cannot be its next."""
    if isinstance(event, VisitPlanned) and visit is None:
        pairs = zip(event.applications, event.households, strict=True)
        return Visit(
            version=1, decided=1, action=event.action, place=event.place, risers=event.risers,
            calls=[Call(application=a, household=h) for a, h in pairs],
            due_at=event.due_at, planned_at=at,
        )  # fmt: skip
    if visit is None:
        raise ValueError(f"{type(event).__name__} cannot be the first fact of a visit")
    version = visit.version + 1
    told = msgspec.structs.replace(visit, version=version)
    match event:
        case VisitJoined():
            new = Call(application=event.application, household=event.household)
            # One that was given back and approved again begins anew.
            others = [c for c in visit.calls if c.application != event.application]
            return msgspec.structs.replace(
                told,
                calls=[*others, new],
                risers=sorted({*visit.risers, *event.risers}),
                due_at=event.due_at,
            )
        case VisitLeft():
            return _changed(told, event.application, state="left")
        case VisitSettled():
            return _changed(told, event.application, state="done")
        case VisitMissed():
            call = visit.call(event.application)
            misses = call.misses + 1 if call else 1
            return _changed(told, event.application, state="missed", misses=misses, why=event.why)
        case VisitMade():
            return msgspec.structs.replace(told, decided=version, made_at=at)
        case _:
            raise ValueError(f"{type(event).__name__} cannot be the next fact of a visit")


def _changed(visit: Visit, application: str, **changes: object) -> Visit:
    calls = [
        msgspec.structs.replace(c, **changes) if c.application == application else c
        for c in visit.calls
    ]
    return msgspec.structs.replace(visit, decided=visit.version, calls=calls)
