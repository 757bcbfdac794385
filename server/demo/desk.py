"""The people of the demo: seats that take calls, one dispatcher, crews that confirm and work."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from server.demo import chance
from server.demo.calls import Body, Call
from server.demo.faults import Fault, Faults
from server.demo.fleet import At, Fleet, apart_m, left_of_shift
from server.demo.weather import local

MINUTE, HOUR = 60.0, 3600.0
DISPATCH_EVERY_S = 40.0
"""One dispatcher gives out a ticket in about this time."""
PATIENCE_S = 90.0
"""A refused act is tried again after this."""
LONG_S, LATEST_S = 18 * HOUR, 22 * HOUR
"""A blue ticket that waited long goes before its turn, after the second figure at the latest."""
_NEEDS: dict[str, tuple[str, ...]] = {
    "leak": ("secondary", "indoor"), "not_warm": ("indoor", "secondary"),
    "repair": ("secondary", "indoor"),
}  # fmt: skip
_URGENCY = {"red": 0, "yellow": 1, "blue": 2}
_PLACED = frozenset({"flat", "unit", "building"})
_AT_A_DESK = frozenset(
    {"question", "refund", "change_of_data", "new_connection", "contract_closing"}
)
"""Kinds that no crew drives for."""
UNPLACED_S = 5 * HOUR
"""After so long somebody has asked the caller for the way."""
_ENDED = frozenset({"closed", "cancelled"})


@dataclass(slots=True)
class Job:
    """A ticket as the demo last saw it."""

    id: str
    version: int
    state: str
    level: str
    kind: str
    at: At
    placed: bool
    """Its door is known; else it waits for whoever finds it."""
    substation: bool
    """The ticket stands at a substation: the fault of the day."""
    crew: str | None
    since: float
    """Business time of the last step that the demo knows of."""
    waiting: bool = False
    """A call is on its way."""
    stale: bool = False
    """It must be read again before the next act."""
    not_before: float = 0.0


def _urgency(job: Job, at: float) -> int:
    """Red, then yellow and what has waited long, then blue."""
    return 1 if at - job.since > LONG_S and job.level != "red" else _URGENCY[job.level]


class Desk:
    """Every open ticket and the next human act on it."""

    def __init__(self, fleet: Fleet, faults: Faults, seed: int) -> None:
        self._fleet, self._faults, self._seed = fleet, faults, seed
        self.jobs: dict[str, Job] = {}
        self._hands = 0.0

    @property
    def busy(self) -> frozenset[str]:
        """Crews with work in hand; one whose ticket is being called back is free again."""
        return frozenset(j.crew for j in self.jobs.values() if j.crew and j.state != "verifying")

    def see(self, ticket: Body, at: float) -> None:
        """Take a ticket as the API shows it; an ended one is forgotten."""
        job = self.jobs.get(ticket["id"])
        state = ticket["state"]
        if state in _ENDED:
            self.jobs.pop(ticket["id"], None)
            return
        crew = ticket.get("crew") if state not in {"received", "accepted"} else None
        if job is None:
            job = self._first_seen(ticket, at)
        elif job.state != state:
            job.since = at
        job.version, job.state, job.level = ticket["version"], state, ticket["level"]
        job.placed = ticket.get("precision", "building") in _PLACED
        job.crew, job.waiting, job.stale = crew, False, False

    def _first_seen(self, ticket: Body, at: float) -> Job:
        """A new ticket, or one that another process knew: of its past only the age counts."""
        early = ticket["state"] in {"received", "accepted"}
        job = Job(
            id=ticket["id"],
            version=ticket["version"],
            state=ticket["state"],
            level=ticket["level"],
            kind=ticket["kind"],
            at=(float(ticket["lon"]), float(ticket["lat"])),
            placed=ticket.get("precision", "building") in _PLACED,
            substation="换热站" in ticket["address"] and ticket["building"] is None,
            crew=None,
            since=float(ticket["received_at"]) if early else at,
        )
        self.jobs[job.id] = job
        return job

    def conflict(self, ticket: str, at: float) -> None:
        """Somebody was faster, or it cannot be now: read it again, and let it rest a while."""
        job = self.jobs.get(ticket)
        if job is not None:
            job.waiting, job.stale, job.not_before = False, True, at + PATIENCE_S

    def acts(self, from_at: float, to_at: float) -> Iterator[Call]:
        """The acts that fall into a span of time, one for a ticket at most."""
        self._hands = min(self._hands + (to_at - from_at) / DISPATCH_EVERY_S, 40.0)
        for job in [j for j in self.jobs.values() if j.stale and not j.waiting]:
            job.waiting = True
            yield Call("GET", f"/api/tickets/{job.id}", None, "", to_at, job.id, "read")
        ready = [j for j in self.jobs.values() if not j.waiting and j.not_before <= to_at]
        taken = Counter(j.crew for j in self.jobs.values() if j.crew and j.state != "verifying")
        queue = [
            j for j in ready if not j.stale and j.state == "accepted" and self._due(j) <= to_at
        ]
        for job in sorted(queue, key=lambda j: (_urgency(j, to_at), j.since, j.id)):
            idle = self._without_visit(job)
            if idle:
                yield self._call(job, "cancel", to_at, reason_code=idle)
                continue
            crew = self._choose(job, to_at, taken) if self._hands >= 1 else None
            if crew:
                self._hands -= 1
                taken[crew] += 1
                yield self._call(job, "dispatch", to_at, crew=crew)
        for job in ready:
            if job.state == "accepted":
                continue
            call = self._next(job, to_at)
            if call:
                yield call

    def _next(self, job: Job, to_at: float) -> Call | None:
        if job.state == "confirmed":
            return self._on_the_way(job, to_at)
        if self._due(job) > to_at:
            return None
        match job.state:
            case "received":
                return self._call(job, "accept", to_at)
            case "dispatched":
                return self._call(job, "confirm", to_at)
            case "handling":
                return self._call(job, "verify", to_at)
            case "verifying":
                dice = chance.unit(self._seed, job.id, "verdict", job.version)
                if dice < 0.035:
                    return self._call(job, "reopen", to_at, reason_code="dissatisfied")
                return self._call(job, "close", to_at, satisfied=True if dice < 0.93 else None)
            case _:
                return None

    def _on_the_way(self, job: Job, to_at: float) -> Call | None:
        """Drive, and check in on arrival."""
        if job.crew is None or job.crew not in self._fleet.vans:
            return None
        van = self._fleet.vans[job.crew]
        if apart_m(van.at, job.at) < 40:
            return self._call(job, "handle", to_at)
        others = [j for j in self.jobs.values() if j.crew == job.crew and j is not job]
        first = all(
            j.state != "handling" and (j.state != "confirmed" or job.since <= j.since)
            for j in others
        )
        if first and (not van.route or apart_m(van.route[-1], job.at) > 40):
            self._fleet.send(job.crew, job.at)
        return None

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
            case "accepted" if fault:
                return max(job.since + 2 * MINUTE, fault.ticket_at + 17 * MINUTE)
            case "accepted" if not job.placed:
                return job.since + (0.2 if red else 1) * UNPLACED_S
            case "accepted" if red:
                wait = chance.skewed(8, 0.6, *name)
            case "accepted" if yellow:
                wait = chance.skewed(85 if night else 50, 0.6, *name)
            case "accepted" if self._without_visit(job):
                wait = chance.skewed(25, 0.8, *name)
            case "accepted":
                due = self._by_day(job.since + chance.skewed(7, 0.7, *name) * HOUR, name)
                return min(due, job.since + LATEST_S)
            case "dispatched" if fault:
                wait = 9
            case "dispatched":
                slow = chance.unit(*name, "slow") < 0.06 and not red
                wait = chance.between(35, 70, *name) if slow else chance.skewed(3.5, 0.7, *name)
            case "handling" if fault:
                return max(job.since + 20 * MINUTE, fault.end + 15 * MINUTE)
            case "handling":
                wait = chance.skewed(62 if red else 38 if yellow else 26, 0.4, *name)
            case _:
                wait = chance.skewed(9, 0.8, *name)
        return job.since + wait * MINUTE

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

    def _without_visit(self, job: Job) -> str | None:
        """Why no crew needs to go: the caller had a question, or called twice."""
        if job.kind in _AT_A_DESK:
            return "caller_withdrew"
        twice = job.level == "blue" and chance.unit(self._seed, job.id, "twice") < 0.04
        return "duplicate" if twice else None

    def _choose(self, job: Job, at: float, taken: Counter[str]) -> str | None:
        """The nearest crew of the trade with a free hand; for a red one also a crew at work."""
        needs = ("substation",) if job.substation else _NEEDS.get(job.kind, ("indoor", "secondary"))
        limit = 1 if job.level == "red" else 0
        least = 70 * MINUTE if job.level == "blue" else 35 * MINUTE
        silent = self._fleet.silent(at)
        able = [
            v
            for v in self._fleet.vans.values()
            if taken[v.crew.id] <= limit
            and v.crew.id not in silent
            and left_of_shift(v.crew, at) > least
            and set(needs) & set(v.crew.trades)
        ]
        best = min(
            able, key=lambda v: (taken[v.crew.id], apart_m(v.at, job.at), v.crew.id), default=None
        )
        return best.crew.id if best else None

    def _call(self, job: Job, step: str, at: float, **more: object) -> Call:
        job.waiting = True
        key = f"demo-{self._seed}-{job.id}-{step}-{job.version}"
        body: Body = {"version": job.version, **more}
        return Call("POST", f"/api/tickets/{job.id}/{step}", body, key, at, job.id, step)
