"""Lives the demo's autumn through the use cases themselves, and hands over its facts in bulk."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Any, NamedTuple

from dispatch_core import suspensions
from dispatch_core.ids import ApplicationId, HouseholdId, PhotoId, VisitId
from dispatch_core.suspensions import (
    Heating,
    MakeKnown,
    RecordResults,
    Result,
    Schedule,
    Visit,
    Withdraw,
    visits,
)
from server import ports
from server.adapters.clock import system_now
from server.adapters.journal import StreamHead, Writes
from server.adapters.seeding import Past
from server.adapters.vault import Vault
from server.demo import autumn, chance
from server.demo.records import Building, Household, Register
from server.demo.standings import Stopped
from server.demo.stops import visit_at
from server.demo.weather import CITY_OFFSET_S, DAY
from server.ports import CityPolicy, Decision, Loaded, SecretPerson
from server.usecases.suspensions import ApplyForStop, StepApplication
from server.usecases.visits import RecordVisit

HOUR = 3600
FORGOTTEN = 0.004
"""Share of stops of which finance hears too late."""
NOBODY_HOME = 0.06


class Lived(NamedTuple):
    """What the autumn left behind."""

    past: Past
    stopped: list[Stopped]


@dataclass(frozen=True)
class Ground:
    """What the autumn is lived by: rules, secrets, and the pictures that applicants show."""

    company: int
    policy: CityPolicy
    vault: Vault
    journal_key: bytes
    actor: str
    photos: Sequence[str]
    numbers: Iterator[int]


def live_autumn(
    register: Register, wishes: Sequence[autumn.Wish], ground: Ground, until: float
) -> Lived:
    """Every application with its answer, visits and departments, in the order of time. What is
    open at `until` (Unix seconds) is left to the live day."""
    return _Autumn(register, ground).live(wishes, until)


class _Autumn:
    def __init__(self, register: Register, ground: Ground) -> None:
        self._g = ground
        self._buildings = {b.id: b for b in register.buildings}
        self._names = {c.id: c.name for c in register.communities}
        self._unpaid = {a.household: a.unpaid_fen for a in register.accounts}
        now = datetime.fromtimestamp(0, UTC)
        self._writes = Writes(ground.company, ground.journal_key, now, system_now())
        self._times: list[datetime] = []
        self._earlier: list[dict[str, Any]] = []
        self._persons: list[SecretPerson] = []
        self._flats: dict[str, ports.Household] = {}
        self._open: dict[str, set[str]] = {}
        """Building to its open visits."""
        self._todo: list[tuple[int, int, Callable[[int], None]]] = []
        self._order = itertools.count()

    def live(self, wishes: Sequence[autumn.Wish], until: float) -> Lived:
        """As `live_autumn`."""
        for wish in wishes:
            self._later(wish.at, partial(self._apply, wish))
        while self._todo and self._todo[0][0] < until:
            at, _, act = heapq.heappop(self._todo)
            act(at)
        heads = self._writes.heads
        stopped = [s for name, h in heads.items() if (s := self._stopped(name, h.state))]
        past = Past(
            facts=[(*r, at) for r, at in zip(self._writes.journal, self._times, strict=True)],
            system_at=self._writes.system_at,
            heads=heads,
            earlier=self._earlier,
            persons=self._persons,
        )
        return Lived(past, stopped)

    def _later(self, at: float, act: Callable[[int], None]) -> None:
        heapq.heappush(self._todo, (int(at), next(self._order), act))

    # ---------------------------------------------------------------- writing
    def _do(self, use_case: ports.UseCase, at: int, flat: ports.Household | None = None) -> Any:  # noqa: ANN401
        """Decide as a commit would, and keep the facts; the answer."""
        now = datetime.fromtimestamp(at, UTC)
        wanted = use_case.wanted()
        known = {flat.id: flat} if flat else {}
        loaded = Loaded(heads=self._states(wanted.streams), households=known, photos=self._g.photos)
        more = use_case.more(loaded).streams
        if more:
            heads = self._states([*wanted.streams, *more])
            loaded = Loaded(heads=heads, households=known, photos=self._g.photos)
        decision: Decision = use_case.decide(loaded, now)
        for stream, facts in decision.appends.items():
            self._append(stream, facts, decision.grounds, at)
        self._persons += decision.persons
        return decision.answer

    def _states(self, streams: Collection[str]) -> Mapping[str, tuple[Any, int]]:
        heads = self._writes.heads
        return {s: (heads[s].state, heads[s].version) for s in streams if s in heads}

    def _state(self, stream: str) -> Any:  # noqa: ANN401
        return self._writes.heads.get(stream, StreamHead()).state

    def _append(self, stream: str, facts: Sequence[Any], grounds: str, at: int) -> None:
        self._writes.business_at = datetime.fromtimestamp(at, UTC)
        self._writes.append(
            stream, facts, actor=self._g.actor, grounds=grounds, policy=self._g.policy.version
        )
        new = len(self._writes.journal) - len(self._times)
        self._times += [self._writes.business_at] * new

    # ---------------------------------------------------------------- an application
    def _apply(self, wish: autumn.Wish, at: int, *, again: bool = False) -> None:
        h = wish.household
        stream = f"heating:{h.id}"
        before: Heating | None = self._state(stream)
        if before is not None and before.undecided is None:
            # The state keeps only what is open: the rows of what is done are written from here.
            self._keep(stream, before)
        proof = self._g.photos[int(chance.unit("proof", h.id) * len(self._g.photos))]
        applicant = self._applicant(h, owner=wish.owner)
        name = f"{datetime.fromtimestamp(at + CITY_OFFSET_S, UTC):%y%m%d}-"
        use_case = ApplyForStop(
            application=ApplicationId(f"{name}{next(self._g.numbers):06d}"),
            action=wish.action,
            household=h.id,
            policy=self._g.policy,
            applicant=applicant,
            name=self._g.vault.blind_name(self._g.company, applicant.name),
            certificate=None,
            source=wish.source,
            asked_at=at,
            photos=(PhotoId(proof),) if wish.proof or again else (),
            stop_from=wish.stop_from,
            stop_until=wish.stop_until,
        )
        answer = self._do(use_case, at + (chance.unit("took", h.id, at) < 0.3), self._flat(h))
        if answer.state == "approved":
            heating: Heating = self._state(stream)
            a = heating.application(answer.id)
            begins = a.visit_from if a and a.visit_from else at
            self._later(max(at + 2, begins), lambda t: self._plan(h, answer.id, t))
        elif answer.state == "referred" and wish.again_at and not again:
            self._later(wish.again_at, lambda t: self._apply(wish, t, again=True))
        elif answer.state == "referred" and wish.withdrawn_at:
            self._later(wish.withdrawn_at, lambda t: self._withdraw(h, answer.id, t))

    def _keep(self, stream: str, state: Heating) -> None:
        for kept in self._earlier:
            if stream not in kept:
                kept[stream] = state
                return
        self._earlier.append({stream: state})

    def _applicant(self, h: Household, *, owner: bool) -> SecretPerson:
        if owner:
            return self._g.vault.person(self._g.company, h.owner_name, h.owner_phone)
        relative, phone = h.owner_name[0] + "小军", f"1009{h.owner_phone[4:]}"
        return self._g.vault.person(self._g.company, relative, phone)

    def _flat(self, h: Household) -> ports.Household:
        known = self._flats.get(h.id)
        if known is None:
            known = self._flats[h.id] = self._made(h, self._buildings[h.building])
        return known

    def _made(self, h: Household, b: Building) -> ports.Household:
        g = self._g
        place = ports.Building(
            id=b.id, lon=b.lon, lat=b.lat, address=b.address, community=b.community,
            community_name=self._names.get(b.community), district=b.district,
            substation=b.substation,
        )  # fmt: skip
        number = h.owner_certificate
        return ports.Household(
            id=h.id, building=place, unit=h.unit, floor=h.floor, flat=h.flat,
            risers=list(h.risers), area_m2=h.heated_m2, gable=h.gable, ground_floor=h.ground,
            top_floor=h.top, valve=h.has_valve, green_channel=h.green_channel is not None,
            warranty_until=b.warranty_until,
            resident=g.vault.person(g.company, h.owner_name, h.owner_phone).pseudonym,
            owner_name=g.vault.blind_name(g.company, h.owner_name),
            owner_certificate=g.vault.certificate(g.company, number) if number else None,
            unpaid_fen=self._unpaid.get(h.id),
        )  # fmt: skip

    def _withdraw(self, h: Household, application: str, at: int) -> None:
        command = Withdraw(application=ApplicationId(application), version=None, by=self._g.actor)
        self._step(h.id, command, at)

    def _step(self, household: str, command: suspensions.ApplicationCommand, at: int) -> None:
        use_case = StepApplication(household=household, command=command, policy=self._g.policy)
        self._do(use_case, at, self._flats[household])

    # ---------------------------------------------------------------- its visit
    def _plan(self, h: Household, application: str, at: int) -> None:
        """As the core does: join the open visit of the riser, or plan one."""
        stream = f"heating:{h.id}"
        heating: Heating = self._state(stream)
        a = heating.application(application)
        if a is None or a.state != "approved":
            return
        waiting = visits.Waiting(
            application=a.id, household=HouseholdId(h.id),
            direction="open" if a.action == "resume" else "close", building=h.building,
            unit=h.unit, risers=heating.risers, place=heating.place,
            due_at=a.visit_due_at or a.applied_at, visits=a.visits,
        )  # fmt: skip
        there = [self._opened(v) for v in sorted(self._open.get(h.building, ()))]
        [plan] = visits.plan([waiting], there)
        visit = f"visit:{plan.visit}"
        state: Visit | None = self._state(visit)
        due = min(waiting.due_at, state.due_at) if state else waiting.due_at
        facts = visits.joined(state, [waiting]) if state else [visits.planned([waiting])]
        grounds = "approved applications on the same riser"
        self._append(visit, facts, grounds, at)
        command = Schedule(
            application=a.id, version=None, by=self._g.actor, visit=plan.visit, due_at=due
        )
        made = suspensions.decide(heating, command, self._g.policy.suspension, at)
        self._append(stream, made, f"visit {plan.visit}", at)
        if state is None:
            self._open.setdefault(h.building, set()).add(plan.visit)
            self._later(visit_at(plan.visit, at, 0), lambda t: self._visit(plan.visit, t))

    def _opened(self, visit: str) -> visits.OpenVisit:
        state: Visit = self._state(f"visit:{visit}")
        return visits.OpenVisit(
            visit=VisitId(visit), direction=state.action, building=state.place.building or "",
            unit=self._flats[state.calls[0].household].unit, risers=state.risers,
            due_at=state.due_at,
        )  # fmt: skip

    def _visit(self, name: str, at: int) -> None:
        visit: Visit = self._state(f"visit:{name}")
        waiting = [c for c in visit.calls if c.state in {"waiting", "missed"}]
        results = []
        for call in waiting:
            missed = not call.misses and chance.unit("home", call.application) < NOBODY_HOME
            seal = f"F-{int(chance.unit('seal', call.application) * 90_000) + 10_000}"
            results.append(
                Result(application=call.application, outcome="nobody_home")
                if missed
                else Result(application=call.application, outcome="open")
                if visit.action == "open"
                else Result(application=call.application, outcome="sealed", seal=seal)
            )
        if results:
            command = RecordResults(version=visit.version, by=self._g.actor, results=results)
            self._do(
                RecordVisit(visit=VisitId(name), command=command, policy=self._g.policy, doors={}),
                at,
            )
        by_application = {c.application: c.household for c in waiting}
        for done in (r for r in results if r.outcome != "nobody_home"):
            self._told(by_application[done.application], done.application, at)
        after: Visit = self._state(f"visit:{name}")
        if after.made_at is None:
            misses = max(c.misses for c in after.calls)
            again = max(at + HOUR, visit_at(name, visit.planned_at, misses))
            self._later(again, lambda t: self._visit(name, t))
        else:
            self._open[visit.place.building or ""].discard(name)

    # ---------------------------------------------------------------- the closed loop
    def _told(self, household: str, application: ApplicationId, at: int) -> None:
        late = chance.unit("forgotten", application) < FORGOTTEN
        waits = {
            "operations": chance.between(0.3, 8, application, "operations"),
            "finance": 31.0 if late else chance.between(1, 22, application, "finance"),
        }
        for department, hours in waits.items():
            command = MakeKnown(
                application=application, version=None, by=self._g.actor,
                department="finance" if department == "finance" else "operations",
            )  # fmt: skip
            self._later(at + hours * HOUR, partial(self._step, household, command))
        if late:
            self._later(at + DAY, lambda t: self._late(household, t))

    def _late(self, household: str, at: int) -> None:
        stream = f"heating:{household}"
        rules = self._g.policy
        facts = suspensions.watch(self._state(stream), rules.suspension, rules.version, at)
        self._append(stream, facts, "a clock reached its time", at)

    def _stopped(self, stream: str, state: Any) -> Stopped | None:  # noqa: ANN401
        if not isinstance(state, Heating) or state.valve_at is None:
            return None
        standing = state.standings.get(autumn.SEASON)
        a = state.application(standing.application) if standing else None
        if standing is None or standing.standing == "heated" or a is None:
            return None
        flat = self._flats[stream.removeprefix("heating:")]
        return Stopped(flat.id, flat.area_m2, a.base_fee_fen or 0, state.valve_at)
