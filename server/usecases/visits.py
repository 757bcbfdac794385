"""What a visit brought: valves set, or households to be visited again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch_core import suspensions
from dispatch_core.events import Event
from dispatch_core.ids import ApplicationId, HouseholdId, VisitId, unix
from dispatch_core.suspensions import GiveBack, RecordResults, SetValve, Visit, visits
from server.ports import CityPolicy, Decision, Loaded, OutMessage, Wanted
from server.usecases.streams import named
from server.usecases.suspensions import after, messages_of


class CallAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One household of a visit."""

    household: HouseholdId
    flat: str | None
    """None if it is not in the visit's building."""
    moved: str | None
    """The building that the register has it in by now, if that is another than the visit's."""
    application: ApplicationId
    state: visits.CallState
    misses: int
    why: str | None


class VisitAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A visit as the API shows it; times are Unix seconds."""

    id: VisitId
    version: int
    action: visits.Direction
    building: str | None
    address: str
    unit: int | None
    risers: list[str]
    households: list[CallAnswer]
    done: int
    due_at: int
    late: bool
    planned_at: int
    made_at: int | None


class Doorplate(msgspec.Struct, frozen=True):
    """Where a household lives, as the register has it now."""

    building: str
    unit: int
    flat: str


def answer_of(
    name: VisitId, visit: Visit, doors: Mapping[str, Doorplate], now: datetime
) -> VisitAnswer:
    """What a caller is told of a visit."""
    here = {h: d for h, d in doors.items() if d.building == visit.place.building}
    calls = [
        CallAnswer(
            household=c.household, flat=here[c.household].flat if c.household in here else None,
            moved=(
                doors[c.household].building
                if c.household in doors and c.household not in here
                else None
            ),
            application=c.application, state=c.state, misses=c.misses, why=c.why,
        )
        for c in visit.calls
    ]  # fmt: skip
    units = [here[c.household].unit for c in visit.calls if c.household in here]
    return VisitAnswer(
        id=name, version=visit.version, action=visit.action, building=visit.place.building,
        address=visit.place.address, unit=units[0] if units else None, risers=visit.risers,
        households=calls, done=sum(c.state == "done" for c in visit.calls), due_at=visit.due_at,
        late=visit.made_at is None and visit.due_at < unix(now), planned_at=visit.planned_at,
        made_at=visit.made_at,
    )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordVisit:
    """The results of a visit, all or part; `doors` is where its households live."""

    visit: VisitId
    command: RecordResults
    policy: CityPolicy
    doors: Mapping[str, Doorplate]

    def wanted(self) -> Wanted:
        """The visit."""
        return Wanted(streams=(named("visit", self.visit),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """The heating of the households that have a result."""
        visit: Visit | None = loaded.state(named("visit", self.visit))[0]
        return Wanted(streams=tuple(self._households(visit).values()))

    def _households(self, visit: Visit | None) -> dict[ApplicationId, str]:
        """application -> stream of its household."""
        named_here = {r.application for r in self.command.results}
        calls = visit.calls if visit else []
        return {
            c.application: named("heating", c.household)
            for c in calls
            if c.application in named_here
        }

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """The visit's facts, those of each household, and what the departments are told."""
        stream = named("visit", self.visit)
        visit: Visit | None = loaded.state(stream)[0]
        rules = self.policy.suspension
        events, back = visits.record(visit, self.visit, self.command, rules.misses_max)
        streams = self._households(visit)
        appends: dict[str, Sequence[Event]] = {stream: events}
        messages: list[OutMessage] = []
        by = self.command.by
        for result in self.command.results:
            valve = visits.valve_of(result)
            command: SetValve | GiveBack
            if valve is not None:
                command = SetValve(
                    application=result.application, version=None, by=by, valve=valve,
                    seal=result.seal,
                )  # fmt: skip
            elif result.application in back:
                command = GiveBack(application=result.application, version=None, by=by)
            else:
                continue
            heating = loaded.state(streams[result.application])[0]
            made = suspensions.decide(heating, command, rules, unix(now))
            appends[streams[result.application]] = made
            messages += messages_of(after(heating, made, now), made, now)
        for event in events:
            visit = visits.apply(visit, event, unix(now))
        if visit is None:
            raise ValueError("no fact, no visit")
        return Decision(
            appends=appends,
            answer=answer_of(self.visit, visit, self.doors, now),
            grounds=f"{by}: {len(self.command.results)} results of the visit",
            policy=self.policy.version,
            messages=messages,
        )
