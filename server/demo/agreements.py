"""What the demo's desk agrees, permits, awaits and locks about visits, now and then."""

from __future__ import annotations

import math

from server.demo import chance
from server.demo.calls import Body, Call
from server.demo.dispatcher import Dispatcher
from server.demo.jobs import HOUR, MINUTE, Job
from server.demo.weather import local

APPOINTED, AWAITED, TWO_CREWS, PINNED, LINKED = 0.16, 0.05, 0.06, 0.012, 0.12
"""Shares: of blue home visits a window is agreed for; of leaks and repairs parts are awaited for;
of yellow leaks that need two crews; of blue tickets locked to a crew; of tickets followed by
link."""
PERMIT_S = 8 * HOUR
LATE_PARTS = 0.2
SPREAD_S = 40 * MINUTE
"""Within so long of its coming, or of ours, somebody speaks to the resident."""
_GUARDS = ("赵师傅", "孙师傅", "周师傅", "吴师傅")
_PARTS = ("闸阀 DN80", "散热器堵头", "DN50-DN150 抢修卡具", "除污器滤网")
_STORES = ("W1", "W1", "W2")


class Agreements:
    """Acts on a ticket beside giving it out; each is tried once."""

    def __init__(self, seed: int, dispatcher: Dispatcher) -> None:
        self._seed, self._dispatcher = seed, dispatcher
        self._began: float | None = None

    def before(self, job: Job, at: float) -> Call | None:
        """While it waits for a crew."""
        if job.parts_at is not None:
            late = chance.unit(self._seed, job.id, "late") < LATE_PARTS
            there = job.parts_at + (20 * MINUTE if late else -2 * MINUTE)
            return self._call(job, "parts-ready", at) if at >= there else None
        if job.level != "red":
            permit = self._permit(job, at)
            if permit is not None:
                return permit
        missed = self._missed(job, at)
        if missed is not None:
            return missed
        self._began = at if self._began is None else min(at, self._began)
        for step, share in self._chances(job):
            by = max(self._began, job.since) + chance.between(0, SPREAD_S, self._seed, job.id, step)
            if at >= by and step not in job.tried and chance.unit(self._seed, job.id, step) < share:
                body = self._said(job, step, at)
                job.tried.add(step)
                if body is not None:
                    return self._call(job, step, at, body)
        return None

    def given(self, job: Job, at: float) -> Call | None:
        """Once a crew has it: some residents follow it by a link."""
        if not self._dispatcher.people or "link" in job.tried:
            return None
        job.tried.add("link")
        if chance.unit(self._seed, job.id, "link") >= LINKED:
            return None
        return self._call(job, "link", at, {"send": True})

    def there(self, job: Job, at: float) -> Call | None:
        """On arrival nobody begins without the permit."""
        return self._permit(job, at) if self._dispatcher.people else None

    def _missed(self, job: Job, at: float) -> Call | None:
        """Nobody came within the window that was agreed: another one is."""
        until = job.appointed["until_at"] if job.appointed else at
        again = f"appoint {until}"
        if until >= at or again in job.tried:
            return None
        job.tried.add(again)
        ahead = chance.between(0.5, 2.5, self._seed, job.id, again) * HOUR
        return self._call(job, "appoint", at, _window(at + ahead))

    def _chances(self, job: Job) -> list[tuple[str, float]]:
        blue = job.level == "blue"
        return [
            ("appoint", APPOINTED if blue and job.work.get("home_visit") else 0.0),
            ("parts", AWAITED if job.kind in {"leak", "repair"} and job.level != "red" else 0.0),
            ("work", TWO_CREWS if job.kind == "leak" and job.level == "yellow" else 0.0),
            ("pin", PINNED if blue else 0.0),
        ]

    def _said(self, job: Job, step: str, at: float) -> Body | None:
        match step:
            case "appoint":
                return _window(at + chance.between(1.5, 8, self._seed, job.id, "window") * HOUR)
            case "parts":
                part = chance.pick(_PARTS, self._seed, job.id, "part")
                wait = chance.between(40, 100, self._seed, job.id, "wait") * MINUTE
                store = chance.pick(_STORES, self._seed, job.id, "store")
                return {"parts": {part: 1}, "store": store, "expected_at": int(at + wait)}
            case "work":
                return {"crews": 2}
            case _:
                having = (c for c, turns in self._dispatcher.order.items() if job.id in turns)
                crew = next(having, None)
                return {"crew": crew} if crew else None

    def _permit(self, job: Job, at: float) -> Call | None:
        for permit in job.work.get("permits", ()):
            step = f"permit {permit} {int(at // PERMIT_S)}"
            if job.permits.get(permit, 0) > at + HOUR or step in job.tried:
                continue
            job.tried.add(step)
            name = (self._seed, job.id, permit)
            body: Body = {
                "permit": permit, "valid_until": int(at + PERMIT_S),
                "number": f"{'YX' if permit == 'confined_space' else 'DH'}-{job.id[-6:]}",
            }  # fmt: skip
            if permit == "confined_space":
                body["guard"] = chance.pick(_GUARDS, *name)
                body["gas"] = {
                    "oxygen_pct": round(chance.between(20.3, 20.9, *name, "o2"), 1),
                    "lel_pct": 0.0, "co_ppm": round(chance.between(0, 6, *name, "co"), 1),
                    "h2s_ppm": round(chance.between(0, 2, *name, "h2s"), 1), "read_at": int(at),
                }  # fmt: skip
            return self._call(job, "permit", at, body)
        return None

    def _call(self, job: Job, step: str, at: float, body: Body | None = None) -> Call:
        job.waiting = True
        key = f"demo-{self._seed}-{job.id}-{step}-{job.version}"
        said: Body = {"version": job.version, **(body or {})}
        path = f"/api/tickets/{job.id}/{step}"
        return Call("POST", path, said, key, at, job.id, step, by=self._dispatcher.who(job))


def _window(at: float) -> Body:
    """Two hours from the next half hour on, between eight in the morning and eight at night."""
    begin = math.ceil(at / 1800) * 1800
    _, hour = local(begin)
    if not 8 <= hour <= 18:
        begin += int(((8 - hour) % 24) * HOUR)
    return {"from_at": begin, "until_at": begin + 7200}
