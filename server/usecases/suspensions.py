"""Commands on suspensions: apply, decide by hand, set the valve, make it known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import msgspec

from dispatch_core import suspensions
from dispatch_core.errors import Invalid, NotFound
from dispatch_core.events import Check, Event, StopRepeated, StopWithdrawn, ValveSet
from dispatch_core.ids import (
    ApplicationId,
    ApplicationState,
    CheckCode,
    Department,
    HouseholdId,
    PhotoId,
    StopKind,
    Valve,
    VisitId,
    unix,
)
from dispatch_core.suspensions import Applicant, Application, Flat, Heating, Step, Visit, visits
from server.ports import (
    CityPolicy,
    Decision,
    Household,
    Loaded,
    OutMessage,
    SecretPerson,
    SecretText,
    Wanted,
)
from server.usecases.places import of_building
from server.usecases.streams import named

DEPARTMENTS_TOLD: tuple[Department, ...] = ("operations", "finance")
"""Those that are told by message; service is this house and knows at once."""


class ApplicationAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An application as the API shows it; times are Unix seconds, money is fen."""

    id: ApplicationId
    version: int
    action: StopKind
    household: HouseholdId
    building: str | None
    address: str
    unit: int | None
    season: str
    state: ApplicationState
    source: str
    times: int
    duplicate: bool
    photos: list[PhotoId]
    stop_from: int | None
    stop_until: int | None
    checks: list[Check]
    because: list[CheckCode]
    applied_at: int
    answered_at: int | None
    answered_by: str | None
    took_s: int | None
    base_fee_fen: int | None
    base_fee_pct: float | None
    visit_due_at: int | None
    visit: VisitId | None
    valve: Valve | None
    seal: str | None
    completed_at: int | None
    known_by: int | None
    known: list[Department]
    awaited: list[Department]
    closed_at: int | None
    late: bool
    possible: tuple[str, ...]
    policy: str


def answer_of(
    heating: Heating, a: Application, unit: int | None, *, duplicate: bool = False
) -> ApplicationAnswer:
    """What a caller is told of an application: nothing of a resident."""
    return ApplicationAnswer(
        id=a.id, version=a.version, action=a.action, household=heating.household,
        building=heating.place.building, address=heating.place.address, unit=unit,
        season=a.season, state=a.state, source=a.source, times=a.times, duplicate=duplicate,
        photos=a.photos, stop_from=a.stop_from, stop_until=a.stop_until, checks=a.checks,
        because=a.because, applied_at=a.applied_at, answered_at=a.answered_at,
        answered_by=a.answered_by, took_s=a.took_s, base_fee_fen=a.base_fee_fen,
        base_fee_pct=a.base_fee_pct, visit_due_at=a.visit_due_at, visit=a.visit, valve=a.valve,
        seal=a.seal, completed_at=a.completed_at, known_by=a.known_by, known=a.known,
        awaited=[d for d in a.awaited if d not in a.known], closed_at=a.closed_at,
        late=a.late is not None, possible=suspensions.POSSIBLE[a.state], policy=a.policy,
    )  # fmt: skip


def after(heating: Heating | None, events: Sequence[Event], now: datetime) -> Heating:
    """The household's heating once the events have happened. Raises ValueError without any."""
    for event in events:
        heating = suspensions.apply(heating, event, unix(now))
    if heating is None:
        raise ValueError("no fact, no application")
    return heating


def household_of(loaded: Loaded, name: str) -> Household:
    """The household of the register. Raises NotFound `no_such_household`."""
    found = loaded.households.get(name)
    if found is None:
        raise _no_such_household(name)
    return found


def heating_of(household: str) -> str:
    """The stream of a household that a caller names. Raises NotFound `no_such_household`."""
    if not household.isprintable():
        raise _no_such_household(ascii(household))
    return named("heating", household)


def _no_such_household(name: str) -> NotFound:
    return NotFound(
        "no_such_household",
        f"The register has no household {name}.",
        "Check the household number on the heating bill.",
    )


def local_day(at: int, policy: CityPolicy) -> date:
    """The day in the city. Raises Invalid `bad_time`."""
    try:
        return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(policy.timezone)).date()
    except (OverflowError, ValueError, OSError):
        raise Invalid("bad_time", f"{at} is no time.", "Give Unix seconds.") from None


def terms_of(
    heating: Heating | None,
    household: Household,
    policy: CityPolicy,
    at: int,
    asked: tuple[str, int | None, int | None],
) -> suspensions.Terms:
    """What is decided upon and reckoned from; `asked`: season, stop_from and stop_until.

    A flat has been cold since the stop that was agreed began, else since its valve was shut.
    """
    season, start, end = asked
    standing = heating.standings.get(season) if heating else None
    cold_from: int | None = None
    if heating is not None and standing is not None and standing.standing != "heated":
        stop = heating.application(standing.application)
        cold_from = stop.stop_from if stop and stop.stop_from else heating.valve_at
    days = None
    if start is not None and end is not None:
        days = (local_day(start, policy), local_day(end, policy))
    return suspensions.Terms(
        today=local_day(at, policy),
        area_m2=household.area_m2,
        stop_days=days,
        cold_from=None if cold_from is None else local_day(cold_from, policy),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApplyForStop:
    """An application that reached the door at `asked_at`; `applicant` and `words` come sealed under
    their pseudonym and digest, with the blind indexes that the owner is compared by."""

    application: ApplicationId
    action: StopKind
    household: str
    policy: CityPolicy
    """The rules of the season that is applied for."""
    applicant: SecretPerson
    name: bytes | None
    certificate: bytes | None
    source: str
    asked_at: int
    photos: tuple[PhotoId, ...] = ()
    words: SecretText | None = None
    stop_from: int | None = None
    stop_until: int | None = None

    def wanted(self) -> Wanted:
        """The household, its heating, and the photos."""
        return Wanted(
            streams=(heating_of(self.household),),
            households=(self.household,),
            photos=self.photos,
        )

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The application with its answer, or one more of an open one."""
        household = household_of(loaded, self.household)
        for photo in self.photos:
            if photo not in loaded.photos:
                raise NotFound(
                    "no_such_photo", f"There is no photo {photo}.", "Send it to /api/photos first."
                )
        stream = named("heating", self.household)
        heating: Heating | None = loaded.state(stream)[0]
        resident = self._resident(household)
        events = suspensions.receive(
            heating, self._command(heating, household, resident), self.policy.suspension,
            self.policy.version, unix(now),
        )  # fmt: skip
        changed = after(heating, events, now)
        repeat = next((e for e in events if isinstance(e, StopRepeated)), None)
        shown = changed.application(repeat.application) if repeat else None
        repeated = repeat is not None
        answer = answer_of(
            changed, shown or changed.applications[-1], household.unit, duplicate=repeated
        )
        return Decision(
            appends={stream: events},
            answer=answer,
            status=200 if repeated else 201,
            grounds=_grounds(answer),
            policy=self.policy.version,
            # The register's own record of an owner is not overwritten by what an applicant says.
            persons=((self.applicant,) if not repeated and resident != household.resident else ()),
            texts=(self.words,) if self.words else (),
        )

    def _resident(self, household: Household) -> str:
        by_name = self.name is not None and self.name == household.owner_name
        same = by_name and self.applicant.phone is None
        return household.resident if same else self.applicant.pseudonym

    def _command(
        self, heating: Heating | None, household: Household, resident: str
    ) -> suspensions.Apply:
        return suspensions.Apply(
            application=self.application,
            action=self.action,
            household=HouseholdId(self.household),
            season=self.policy.season,
            place=of_building(household.building),
            risers=household.risers,
            terms=terms_of(
                heating, household, self.policy, self.asked_at,
                (self.policy.season, self.stop_from, self.stop_until),
            ),
            flat=Flat(
                owner=household.resident, owner_name=household.owner_name,
                owner_certificate=household.owner_certificate, valve=household.valve,
                gable=household.gable, ground_floor=household.ground_floor,
                top_floor=household.top_floor, warranty_until=household.warranty_until,
                unpaid_fen=household.unpaid_fen,
            ),
            applicant=Applicant(pseudonym=resident, name=self.name, certificate=self.certificate),
            source=self.source,
            photos=list(self.photos),
            words=self.words.words if self.words else None,
            asked_at=self.asked_at,
            stop_from=self.stop_from,
            stop_until=self.stop_until,
        )  # fmt: skip


def _grounds(answer: ApplicationAnswer) -> str:
    if answer.duplicate:
        return f"the same application again, {answer.times} times now: {answer.state}"
    return f"by policy: {answer.state}; against it: {', '.join(answer.because) or 'nothing'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StepApplication:
    """A command on an application of a household; `reason` is the text behind its digest."""

    household: str
    command: suspensions.ApplicationCommand
    policy: CityPolicy
    reason: SecretText | None = None

    def wanted(self) -> Wanted:
        """The household and its heating."""
        return Wanted(streams=(named("heating", self.household),), households=(self.household,))

    def more(self, loaded: Loaded, /) -> Wanted:
        """The visit that is to set its valve."""
        visit = self._visit(loaded)
        return Wanted(streams=(visit,) if visit else ())

    def _visit(self, loaded: Loaded) -> str | None:
        heating: Heating | None = loaded.state(named("heating", self.household))[0]
        a = heating.application(self.command.application) if heating else None
        concerned = isinstance(self.command, suspensions.Withdraw | suspensions.SetValve)
        return named("visit", a.visit) if a and a.visit and concerned else None

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The application's facts, those of its visit, and what the departments are told."""
        stream = named("heating", self.household)
        heating: Heating | None = loaded.state(stream)[0]
        household = household_of(loaded, self.household)
        events = suspensions.decide(
            heating, self.command, self.policy.suspension, unix(now),
            self._terms(heating, household, now),
        )  # fmt: skip
        changed = after(heating, events, now)
        a = changed.application(self.command.application)
        if a is None:
            raise suspensions.no_such_application(self.command.application)
        appends: dict[str, Sequence[Event]] = {stream: events} if events else {}
        visit = self._visit(loaded)
        if visit is not None:
            state: Visit | None = loaded.state(visit)[0]
            moved = [e for event in events for e in _on_visit(state, event, self.command)]
            if moved:
                appends[visit] = moved
        return Decision(
            appends=appends,
            answer=answer_of(
                changed,
                a,
                household.unit if household.building.id == changed.place.building else None,
            ),
            grounds=f"{self.command.by}: {a.state}",
            policy=self.policy.version,
            texts=(self.reason,) if self.reason else (),
            messages=messages_of(changed, events, now),
        )

    def _terms(
        self, heating: Heating | None, household: Household, now: datetime
    ) -> suspensions.Terms | None:
        a = heating.application(self.command.application) if heating else None
        if a is None:
            return None
        asked = (a.season, a.stop_from, a.stop_until)
        return terms_of(heating, household, self.policy, unix(now), asked)


def _on_visit(visit: Visit | None, event: Event, command: Step) -> list[Event]:
    if visit is None:
        return []
    match event:
        case ValveSet():
            return visits.settled(visit, event.application, event.valve, command.by)
        case StopWithdrawn():
            return visits.left(visit, event.application, command.by)
        case _:
            return []


def messages_of(heating: Heating, events: Sequence[Event], now: datetime) -> list[OutMessage]:
    """What operations and finance are told of the valves that were set."""
    told = []
    for event in events:
        a = heating.application(event.application) if isinstance(event, ValveSet) else None
        if not isinstance(event, ValveSet) or a is None:
            continue
        body = {
            "application": a.id,
            "action": a.action,
            "household": heating.household,
            "valve": event.valve,
            "at": unix(now),
            "season": a.season,
            "base_fee_fen": a.base_fee_fen,
            "base_fee_pct": a.base_fee_pct,
        }
        told += [
            OutMessage(
                channel="department", target=department, kind="valve_set",
                about=named("heating", heating.household), body=body,
            )
            for department in DEPARTMENTS_TOLD
            if department in event.departments
        ]  # fmt: skip
    return told
