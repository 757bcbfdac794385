"""The demo's dispatchers: they confirm what is proposed, sometimes overrule it, let others give way
to a red ticket, and keep off what somebody else has open."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from server.demo import chance
from server.demo.calls import Body, Call
from server.demo.jobs import MINUTE, Job

OVERRULED = 0.08
"""Of proposals that are not red another crew is taken, once its price was seen."""
LATER_S = 30 * MINUTE
"""One that would begin so much later is not thought of."""
_LOOK_AGAIN = frozenset(
    {"proposal_changed", "busy", "reason_needed", "displacement_unseen", "no_such_decision",
     "crew_not_scored"}
)  # fmt: skip
"""What came in between was another proposal, no other person."""
_REASONS = ("knows_better", "knows_better", "resident_asked", "crew_asked", "training")
AHEAD_S = 75 * MINUTE
"""A visit that would begin later than this is not given out yet, unless it is red."""
YELLOW_S = 80 * MINUTE
"""A yellow one is by then all the same: its crew must have taken it within two hours."""
LEAD_S = 30 * MINUTE
"""A visit is given out about so long before the plan lets its crew set out."""
SAFE_FIRST_S = 5 * MINUTE
"""A red ticket without a crew for so long takes one from a site, which it makes safe first."""
RED_AGAIN_S, AGAIN_S = 45.0, 10 * MINUTE
"""Without a crew to propose, one looks again after this."""
CONFLICT_S = 15.0
"""Somebody was faster on a red ticket, or on one that was to give way: both are read again."""
GUEST_S, GUEST_MOST_S, HELD_S = 10.0, 5 * MINUTE, 12 * MINUTE
"""Where somebody else works at a desk, a red ticket is left to them for so long by the real clock,
and at most for so long by the business clock; one that they have open at most for so long."""
AWAY_S = 2 * MINUTE
"""An engine that did not answer is not asked again for so long: tickets go out by hand."""


class Dispatcher:
    """What the people at the desk know: the plan, and what others have open."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self.people: Sequence[str] = ()
        """Nobody: tickets go out by hand."""
        self.behind = False
        """The time that is lived is not now: no proposal would fit it."""
        self.hands: frozenset[str] = frozenset()
        """Tickets that other people have open."""
        self.order: dict[str, dict[str, int]] = {}
        """Crew -> ticket -> its turn in the plan."""
        self.pace = 1.0
        """Business seconds in a real one."""
        self._leave: dict[str, float] = {}
        self._away_until = 0.0
        self._open: dict[str, tuple[str, str]] = {}
        """Person -> the ticket that is open and what is done with it."""
        self._heard: dict[str, frozenset[str]] = {}

    # ---------------------------------------------------------------- what the desk hears
    @property
    def live(self) -> bool:
        """Whether what is lived is now, with people at the desk."""
        return bool(self.people) and not self.behind

    def scores(self, at: float) -> bool:
        """Whether tickets go out on proposals now."""
        return self.live and at >= self._away_until

    def who(self, job: Job) -> str | None:
        """The person at the desk who looks after a ticket."""
        return chance.pick(self.people, self._seed, job.id, "who") if self.people else None

    def listen(self, at: float) -> Iterator[Call]:
        """What each person has open; the plan; tickets that somebody else has given out."""
        for name in self.people:
            ticket, doing = self._open.pop(name, (None, "looking"))
            body: Body = {"ticket": ticket, "doing": doing}
            key = f"demo-{self._seed}-presence"
            yield Call("POST", "/api/presence", body, key, at, None, "presence", by=name, once=True)
        if self.people:
            first = self.people[0]
            yield Call("GET", "/api/plan", None, "", at, None, "plan", by=first, once=True)
            given = "/api/tickets?state=dispatched&limit=500"
            yield Call("GET", given, None, "", at, None, "given", once=True)

    def hear(self, call: Call, body: Body) -> None:
        """What a look at the plan or at the others brought."""
        if call.step == "presence" and call.by:
            open_ = (h["ticket"] for h in body["hands"] if h["who"] not in self.people)
            self._heard[call.by] = frozenset(open_)
            self.hands = frozenset[str]().union(*self._heard.values())
        elif call.step == "plan":
            self.order, self._leave = {}, {}
            for line in body["crews"]:
                visits = line["day"]["visits"]
                turns = [t for visit in visits for t in visit["tickets"]]
                self.order[line["crew"]] = {t: n for n, t in enumerate(turns)}
                self._leave |= {t: v["leave_at"] for v in visits for t in v["tickets"]}

    def due(self, job: Job, latest: float) -> float:
        """When a ticket that waits is looked at: reds at once, blue ones as the plan has them."""
        name = (self._seed, job.id, "look")
        if job.level == "red":
            left = min(GUEST_S * self.pace, GUEST_MOST_S) if self.hands else 0.0
            return job.since + chance.between(0.2, 1.2, *name) * MINUTE + left
        if job.level == "yellow":
            return job.since + chance.skewed(5, 0.5, *name) * MINUTE
        leave = self._leave.get(job.id)
        return latest if leave is None else leave - LEAD_S

    def keeps_off(self, job: Job, at: float) -> bool:
        """Whether somebody else has it open; a red one is not left lying with them."""
        return job.id in self.hands and not (job.level == "red" and at - job.since > HELD_S)

    # ---------------------------------------------------------------- one ticket
    def act(self, job: Job, at: float, jobs: Mapping[str, Job]) -> Call | None:
        """The next act on a ticket whose turn it is: look at the proposal, ask a price, confirm."""
        who = self.who(job)
        if who is None:
            return None
        if job.seen is None:
            self._open[who] = (job.id, "looking")
            job.waiting = True
            path = f"/api/proposals/{job.id}"
            return Call("GET", path, None, "", at, job.id, "proposal", by=who, once=True)
        if "against" in job.seen:
            return self._overrule(job, job.seen, at, who)
        choices: list[Body] = job.seen["choices"]
        if not choices:
            return self._nobody(job, job.seen, at, who, jobs)
        best = choices[0]
        can_wait = job.level == "blue" or (job.level == "yellow" and at - job.since < YELLOW_S)
        if can_wait and best["start_at"] - at > AHEAD_S:
            job.rest(at + AGAIN_S)
            return None
        others = [c["crew"] for c in choices[1:] if c["start_at"] < best["start_at"] + LATER_S]
        if others and self._doubts(job):
            crew = chance.pick(others, self._seed, job.id, "instead")
            self._open[who] = (job.id, "choosing")
            job.tried.add("other")
            job.waiting = True
            body: Body = {"crew": crew}
            path = f"/api/proposals/{job.id}/price"
            key = f"demo-{self._seed}-price"
            return Call("POST", path, body, key, at, job.id, "price", by=who, once=True)
        return self._give(job, best, job.seen["decision"], at, who, jobs)

    def answered(self, call: Call, status: int, body: Body, job: Job) -> None:
        """A proposal, a price, or why a confirmation was refused."""
        if status == 200 and call.step in {"proposal", "price"}:
            job.seen, job.waiting = body, False
        elif status == 503:
            self._away_until = call.at + AWAY_S
            job.rest(call.at)
        elif body.get("code") in _LOOK_AGAIN:
            job.rest(call.at)
            again: Body = (body.get("present") or {}).get("proposal") or {}
            if again.get("proposal"):
                job.version = max(job.version, again["ticket_version"])
                job.seen = {**again["proposal"], "decision": again["decision"]}
        else:
            job.stale = True
            job.rest(call.at + (CONFLICT_S if job.level == "red" else 2 * MINUTE))

    def _doubts(self, job: Job) -> bool:
        return (
            job.level != "red"
            and "other" not in job.tried
            and chance.unit(self._seed, job.id, "other") < OVERRULED
        )

    def _overrule(self, job: Job, priced: Body, at: float, who: str) -> Call | None:
        """Another crew, unless that would harm others: then the proposal after all."""
        choice, price = priced["choice"], priced["price"]
        if choice is None or price["newly_late"] or price["displaced"]:
            job.rest(at)
            return None
        reason = chance.pick(_REASONS, self._seed, job.id, "reason")
        return self._send(job, choice["crew"], priced["decision"], at, who, reason_code=reason)

    def _nobody(
        self, job: Job, seen: Body, at: float, who: str, jobs: Mapping[str, Job]
    ) -> Call | None:
        """No crew may go; for a red ticket one may be taken from a site that it makes safe."""
        safe = seen.get("safe_first")
        if job.level != "red":
            job.rest(at + AGAIN_S)
        elif safe and at - job.since > SAFE_FIRST_S:
            return self._give(job, safe, seen["decision"], at, who, jobs)
        else:
            job.rest(at + RED_AGAIN_S)
        return None

    def _give(
        self, job: Job, choice: Body, decision: str, at: float, who: str, jobs: Mapping[str, Job]
    ) -> Call | None:
        """Confirm; whatever gives way is named as it was seen last."""
        named = []
        for gone in choice["displaced"]:
            known = jobs.get(gone["ticket"])
            if known is None or known.waiting or known.stale or known.id in self.hands:
                job.rest(at + 5)
                return None
            named.append({"ticket": known.id, "version": known.version})
            known.stale = True  # read again before anybody goes on with it
        more: Body = {"displace": named} if named else {}
        if job.seen is not None and not job.seen["choices"]:
            more |= {"made_safe": True, "reason_code": "higher_priority"}
        return self._send(job, choice["crew"], decision, at, who, **more)

    def _send(
        self, job: Job, crew: str, decision: str, at: float, who: str, **more: object
    ) -> Call:
        self._open[who] = (job.id, "choosing")
        job.waiting = True
        body: Body = {"version": job.version, "crew": crew, "decision": decision, **more}
        key = f"demo-{self._seed}-{job.id}-dispatch-{job.version}-{decision[:12]}"
        path = f"/api/tickets/{job.id}/dispatch"
        return Call("POST", path, body, key, at, job.id, "dispatch", by=who, once=True)
