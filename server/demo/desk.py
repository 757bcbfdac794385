"""The people of the demo: seats that take calls, dispatchers, crews that confirm and work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from server.demo import chance
from server.demo.agreements import Agreements
from server.demo.calls import Body, Call
from server.demo.dispatcher import Dispatcher
from server.demo.faults import Fault, Faults
from server.demo.fleet import Fleet, Van, apart_m, left_of_shift
from server.demo.jobs import HOUR, MINUTE, Job, first_seen, urgency
from server.demo.phones import STEPS as PHONE_STEPS
from server.demo.phones import Phones, phone_of
from server.demo.reviewer import Reviewer
from server.demo.supply import Supply
from server.demo.weather import local

DISPATCH_EVERY_S = 40.0
"""One dispatcher gives out a ticket in about this time."""
DRIVE_S = 15 * MINUTE
"""A crew sets out about so long before a door is opened."""
PATIENCE_S = 90.0
"""A refused act is tried again after this."""
LOOKS = 4
"""So many proposals are opened at one time, beside those of red tickets."""
LATEST_S = 22 * HOUR
"""A blue ticket goes after so long at the latest."""
_NEEDS: dict[str, tuple[str, ...]] = {
    "leak": ("secondary", "indoor"), "not_warm": ("indoor", "secondary"),
    "repair": ("secondary", "indoor"),
}  # fmt: skip
PACE = 0.75
"""Plans leave room: half of all visits are over in less than this share of the time planned."""
_AT_A_DESK = frozenset(
    {"question", "refund", "change_of_data", "new_connection", "contract_closing"}
)
"""Kinds that no crew drives for."""
UNPLACED_S = {"red": 6 * MINUTE, "yellow": 50 * MINUTE, "blue": 5 * HOUR}
"""After so long somebody has asked the caller for the way."""
_ENDED = frozenset({"closed", "cancelled"})


class Desk:
    """Every open ticket and the next human act on it."""

    def __init__(self, fleet: Fleet, faults: Faults, supply: Supply, seed: int) -> None:
        self._fleet, self._faults, self._supply, self._seed = fleet, faults, supply, seed
        self.jobs: dict[str, Job] = {}
        self.dispatcher = Dispatcher(seed)
        self._agreements = Agreements(seed, self.dispatcher)
        self.phones = Phones(seed)
        self._reviewer = Reviewer(seed, self.dispatcher, self.phones)
        self._hands = 0.0

    @property
    def busy(self) -> frozenset[str]:
        """Crews with work in hand; one whose ticket is being called back is free again."""
        return frozenset(c for j in self.jobs.values() if j.state != "verifying" for c in j.crews)

    def see(self, ticket: Body, at: float) -> None:
        """Take a ticket as the API shows it; an ended one is forgotten."""
        if ticket["state"] in _ENDED:
            self.jobs.pop(ticket["id"], None)
            self.phones.forget(ticket["id"])
            return
        job = self.jobs.get(ticket["id"])
        if job is None:
            job = self.jobs[ticket["id"]] = first_seen(ticket, at)
        job.update(ticket, at)

    def given(self, tickets: list[Body], at: float) -> None:
        """Tickets that have a crew by now, whoever gave them out."""
        for ticket in tickets:
            job = self.jobs.get(ticket["id"])
            if job is None or (not job.waiting and job.version < ticket["version"]):
                self.see(ticket, at)

    def answer(self, call: Call, status: int, body: Body) -> None:
        """What came back of an act on a ticket."""
        job = self.jobs.get(call.ticket or "")
        asks = call.step in {"proposal", "price"} or (call.step == "dispatch" and status != 200)
        if job is not None and call.by == phone_of(job.crew):
            self._phoned(job, call, status, body)
        elif job is not None and call.step in {"evidence", "review"}:
            self._reviewer.answer(job, call, status, body)
        elif job is not None and body.get("code") == "evidence_not_accepted":
            job.stale = True
            self._reviewer.refused(job, body.get("present") or {}, call.at)
        elif job is not None and call.by and asks:
            self.dispatcher.answered(call, status, body, job)
        elif call.step == "link" and job is not None:
            job.waiting, job.stale = False, True
        elif status in {200, 201} and call.step:
            self.see(body.get("ticket", body), call.at)
        elif status == 404 and call.ticket:
            self.jobs.pop(call.ticket, None)
        elif job is not None:
            # somebody was faster, or it cannot be now: read it again, and let it rest a while
            job.stale = True
            job.rest(call.at + PATIENCE_S)

    def _phoned(self, job: Job, call: Call, status: int, body: Body) -> None:
        """What came back to a crew's phone."""
        job.waiting = False
        done = self.phones.answer(job, call, status, body)
        if done and call.step not in PHONE_STEPS:
            self.see(body["ticket"], call.at)
        elif not done:
            job.stale = True
            job.rest(call.at + PATIENCE_S)

    def acts(self, from_at: float, to_at: float) -> Iterator[Call]:
        """The acts that fall into a span of time, one for a ticket at most."""
        self._hands = min(self._hands + (to_at - from_at) / DISPATCH_EVERY_S, 40.0)
        for job in [j for j in self.jobs.values() if j.stale and not j.waiting]:
            job.waiting = True
            yield Call("GET", f"/api/tickets/{job.id}", None, "", to_at, job.id, "read")
        ready = [
            j for j in self.jobs.values()
            if not j.waiting and not j.stale and j.not_before <= to_at
        ]  # fmt: skip
        yield from self._give_out([j for j in ready if j.state == "accepted"], to_at)
        for job in ready:
            if job.state == "accepted" or job.waiting:
                continue
            given = job.state in {"dispatched", "confirmed"}
            call = self._beside(job, to_at) if given else None
            call = call or self._next(job, to_at)
            if call:
                yield call

    def urgent(self, at: float) -> Iterator[Call]:
        """Reds whose proposal has just come: nobody puts it aside."""
        for job in list(self.jobs.values()):
            seen = job.state == "accepted" and job.seen is not None and not job.waiting
            if seen and job.level == "red" and not self.dispatcher.keeps_off(job, at):
                call = self.dispatcher.act(job, at, self.jobs)
                if call:
                    yield call

    # ---------------------------------------------------------------- giving out
    def _give_out(self, waiting: list[Job], at: float) -> Iterator[Call]:
        """What becomes of tickets that wait for a crew, the most urgent first."""
        taken = Counter(
            c for j in self.jobs.values() if j.state != "verifying" for c in j.crews
        )  # fmt: skip
        scored, looks = self.dispatcher.scores(at), 0
        for job in sorted(waiting, key=lambda j: (urgency(j, at), j.since, j.id)):
            if self.dispatcher.keeps_off(job, at):
                continue
            agreed = self._agreements.before(job, at) if scored else None
            if agreed is not None:
                yield agreed
                continue
            if self._turn(job) > at:
                continue
            idle = self._without_visit(job)
            if idle:
                yield self._call(job, "cancel", at, reason_code=idle)
            elif scored and job.placed:
                if job.seen is None and job.level != "red":
                    if self._hands < 1 or looks >= LOOKS:
                        continue
                    self._hands -= 1
                    looks += 1
                call = self.dispatcher.act(job, at, self.jobs)
                if call:
                    yield call
            else:
                crew = self._choose(job, at, taken) if self._hands >= 1 else None
                if crew:
                    self._hands -= 1
                    taken[crew] += 1
                    yield self._call(job, "dispatch", at, crew=crew)

    def _turn(self, job: Job) -> float:
        """When somebody at the desk gets to a ticket that waits for a crew."""
        due = self._due(job)
        by_plan = self.dispatcher.live and job.placed and not self._without_visit(job)
        return self.dispatcher.due(job, due) if by_plan else due

    def _without_visit(self, job: Job) -> str | None:
        """Why no crew needs to go: the caller had a question, or called twice."""
        if job.kind in _AT_A_DESK:
            return "caller_withdrew"
        twice = job.level == "blue" and chance.unit(self._seed, job.id, "twice") < 0.04
        return "duplicate" if twice else None

    def _choose(self, job: Job, at: float, taken: Counter[str]) -> str | None:
        """By hand: the nearest able crew with a free hand; for a red one also a crew at work, and
        one of the trade if no other is there."""
        limit = 1 if job.level == "red" else 0
        least = 70 * MINUTE if job.level == "blue" else 35 * MINUTE
        silent = self._fleet.silent(at) | self._fleet.stopped(at)
        free = [
            v
            for v in self._fleet.vans.values()
            if taken[v.crew.id] <= limit
            and v.crew.id not in silent
            and left_of_shift(v.crew, at) > least
            and self._of_trade(job, v)
        ]
        able = [v for v in free if _may(job, v, at)]
        best = min(
            able or (free if job.level == "red" else []),
            key=lambda v: (taken[v.crew.id], apart_m(v.at, job.at), v.crew.id),
            default=None,
        )
        return best.crew.id if best else None

    @staticmethod
    def _of_trade(job: Job, van: Van) -> bool:
        told = job.work.get("trade")
        if told:
            return told in van.crew.trades
        needs = ("substation",) if job.substation else _NEEDS.get(job.kind, ("indoor", "secondary"))
        return bool(set(needs) & set(van.crew.trades))

    # ---------------------------------------------------------------- in the crews' hands
    def _next(self, job: Job, to_at: float) -> Call | None:  # noqa: PLR0911 - one answer per state
        if job.state == "confirmed":
            return self._on_the_way(job, to_at)
        if job.state == "handling" and self.phones.has(job):
            return self._at_work(job, to_at)
        if self._due(job) > to_at:
            return None
        match job.state:
            case "received":
                return self._call(job, "accept", to_at)
            case "dispatched" if self.phones.has(job):
                return self.phones.take_on(job, to_at)
            case "dispatched":
                return self._call(job, "confirm", to_at)
            case "handling":
                self._supply.used(job, to_at)
                return self._call(job, "verify", to_at)
            case "verifying" if self.phones.owes(job):
                return self.phones.next(job, to_at, over=False)
            case "verifying" if self._reviewer.waits(job):
                return self._reviewer.act(job, to_at)
            case "verifying":
                dice = chance.unit(self._seed, job.id, "verdict", job.version)
                if dice < 0.035:
                    return self._call(job, "reopen", to_at, reason_code="dissatisfied")
                return self._call(job, "close", to_at, satisfied=True if dice < 0.93 else None)
            case _:
                return None

    def _at_work(self, job: Job, at: float) -> Call | None:
        """Photos while the work goes on, then that it is done."""
        call = self.phones.next(job, at, over=self._due(job) <= at)
        if call is not None and call.step == "verify":
            self._supply.used(job, at)
        return call

    def _beside(self, job: Job, at: float) -> Call | None:
        """What the desk does beside a crew that has the ticket: the resident gets a link; a crew
        that cannot come loses what it has not begun."""
        linked = self._agreements.given(job, at)
        if linked is not None or not self.dispatcher.scores(at) or job.id in self.dispatcher.hands:
            return linked
        if self._fleet.stopped(at).isdisjoint(job.crews):
            return None
        who = self.dispatcher.who(job)
        return self._call(job, "displace", at, reason_code="crew_stopped", by=who)

    def _on_the_way(self, job: Job, to_at: float) -> Call | None:
        """Drive, and check in once all are there and what is permitted holds."""
        vans = [self._fleet.vans[c] for c in job.crews if c in self._fleet.vans]
        live = self.dispatcher.live
        if not vans or (live and not job.may_begin(to_at + DRIVE_S)):
            return None
        if all(apart_m(van.at, job.at) < 40 for van in vans):
            if live and not job.may_begin(to_at):
                return None
            written = self._agreements.there(job, to_at)
            if written is None and self.phones.has(job):
                return self.phones.arrive(job, vans[0].at, to_at)
            return written or self._call(job, "handle", to_at)
        for van in vans:
            if apart_m(van.at, job.at) < 40 or not self._is_next(job, van.crew.id):
                continue
            if not van.route or apart_m(van.route[-1], job.at) > 40:
                self._fleet.send(van.crew.id, job.at)
        return None

    def _is_next(self, job: Job, crew: str) -> bool:
        """Whether a crew goes there next: red ones first, then in the order of the plan, else of
        coming."""
        turns = self.dispatcher.order.get(crew, {})

        def turn(j: Job) -> tuple[bool, int, float]:
            return j.level != "red", turns.get(j.id, len(turns)), j.since

        others = [j for j in self.jobs.values() if crew in j.crews and j is not job]
        return all(
            j.state != "handling" and (j.state != "confirmed" or turn(job) <= turn(j))
            for j in others
        )

    # ---------------------------------------------------------------- how long people take
    def _due(self, job: Job) -> float:
        """When the next person gets to it, from who they are and what hour it is."""
        name = (self._seed, job.id, job.state, job.version)
        _, hour = local(job.since)
        night = not 6 <= hour < 21
        red, yellow = job.level == "red", job.level == "yellow"
        fault = self._fault(job)
        match job.state:
            case "received":
                wait = chance.skewed(13 if night else 9, 0.75, *name) * (0.4 if red else 1)
            case "accepted":
                return self._given_out(job, name, night=night)
            case "dispatched" if red and self.dispatcher.people:
                wait = chance.between(0.5, 2, *name)
            case "dispatched" if fault:
                wait = 9
            case "dispatched":
                slow = chance.unit(*name, "slow") < 0.06 and not red
                wait = chance.between(35, 70, *name) if slow else chance.skewed(3.5, 0.7, *name)
            case "handling" if fault:
                return max(job.since + 20 * MINUTE, fault.end + 15 * MINUTE)
            case "handling":
                usual = 78.0 if red else 48.0 if yellow else 32.0
                wait = chance.skewed(PACE * (job.minutes or usual), 0.3, *name)
            case _:
                wait = chance.skewed(9, 0.8, *name)
        return job.since + wait * MINUTE

    def _given_out(self, job: Job, name: tuple[object, ...], *, night: bool) -> float:
        """When a ticket would go out by hand."""
        fault = self._fault(job)
        if fault:
            return max(job.since + 2 * MINUTE, fault.ticket_at + 17 * MINUTE)
        if not job.placed:
            return job.since + UNPLACED_S[job.level]
        if job.level == "red":
            return job.since + chance.skewed(8, 0.6, *name) * MINUTE
        if job.level == "yellow":
            return job.since + chance.skewed(85 if night else 50, 0.6, *name) * MINUTE
        if self._without_visit(job):
            return job.since + chance.skewed(25, 0.8, *name) * MINUTE
        due = self._by_day(job.since + chance.skewed(7, 0.7, *name) * HOUR, name)
        return min(due, job.since + LATEST_S)

    @staticmethod
    def _by_day(due: float, name: tuple[object, ...]) -> float:
        """Home visits are from 8:00 to 19:30; what got late is spread over the next day."""
        _, hour = local(due)
        if 8 <= hour < 19.5:
            return due
        return due + ((8 - hour) % 24) * HOUR + chance.between(0, 7, *name, "morning") * HOUR

    def _fault(self, job: Job) -> Fault | None:
        if not job.substation:
            return None
        near = self._faults.around(job.since)
        return min(near, key=lambda f: abs(f.ticket_at - job.since))

    def _call(
        self, job: Job, step: str, at: float, *, by: str | None = None, **more: object
    ) -> Call:
        job.waiting = True
        key = f"demo-{self._seed}-{job.id}-{step}-{job.version}"
        body: Body = {"version": job.version, **more}
        return Call("POST", f"/api/tickets/{job.id}/{step}", body, key, at, job.id, step, by=by)


def _may(job: Job, van: Van, at: float) -> bool:
    """Whether a crew has the papers, the skill and the district, as a person knows it by heart."""
    crew, work = van.crew, job.work
    night = not 6 <= local(at)[1] < 21
    here = night or not crew.territory or job.district is None or job.district in crew.territory
    return (
        here
        and set(work.get("certificates", ())) <= set(crew.certificates)
        and crew.skill >= work.get("skill", 1)
    )
