"""Who looks at evidence that no machine accepts: takes a poor fix at its word, has a photo that was
seen before taken again, sends a crew that was never there once more."""

from __future__ import annotations

from server.demo import chance
from server.demo.calls import Body, Call
from server.demo.dispatcher import Dispatcher
from server.demo.jobs import HOUR, MINUTE, Job
from server.demo.phones import Phones

JUDGED_S = 2 * MINUTE
"""A photo has its verdict by then."""
LOOKED_AT = (8.0, 70.0)
"""Minutes until somebody at the desk gets to it."""


class Reviewer:
    """The evidence of tickets that could not close."""

    def __init__(self, seed: int, dispatcher: Dispatcher, phones: Phones) -> None:
        self._seed, self._dispatcher, self._phones = seed, dispatcher, phones
        self._waits: set[str] = set()
        """Tickets that somebody must look at before they close."""
        self._next: dict[str, tuple[str, Body]] = {}
        """Ticket -> the decision that was taken, before it is said."""

    def refused(self, job: Job, present: Body, at: float) -> None:
        """The ticket did not close: its photos are being judged, or a person must look."""
        if present.get("verdict") == "pending":
            job.rest(at + JUDGED_S)
            return
        self._waits.add(job.id)
        minutes = chance.between(*LOOKED_AT, self._seed, job.id, "review", job.version)
        job.rest(at + minutes * MINUTE)

    def waits(self, job: Job) -> bool:
        """Whether it cannot close yet."""
        return job.id in self._waits

    def act(self, job: Job, at: float) -> Call | None:
        """Look at the evidence, or say what was decided. By night and in the past nobody does."""
        who = self._dispatcher.who(job)
        if who is None:
            job.rest(at + HOUR)
            return None
        job.waiting = True
        decided = self._next.pop(job.id, None)
        if decided is None:
            path = f"/api/evidence/{job.id}"
            return Call("GET", path, None, "", at, job.id, "evidence", by=who)
        what, body = decided
        key = f"demo-{self._seed}-{job.id}-{what}-{body['version']}"
        if what == "reopen":
            return Call("POST", f"/api/tickets/{job.id}/reopen", body, key, at, job.id, "reopen",
                        by=who)  # fmt: skip
        path = f"/api/evidence/{job.id}/{what}"
        return Call("POST", path, body, key, at, job.id, "review", by=who)

    def answer(self, job: Job, call: Call, status: int, body: Body) -> None:
        """What the evidence is, or that the decision was taken."""
        job.waiting = False
        if status != 200:
            self._waits.discard(job.id)  # somebody was faster: closing tells
            job.rest(call.at + JUDGED_S)
        elif call.step == "evidence":
            self._decide(job, body, call.at)
        elif call.path.endswith("/again") and call.body is not None:
            self._phones.again(job, call.body["slot"])
            self._waits.discard(job.id)

    def _decide(self, job: Job, seen: Body, at: float) -> None:
        why: Body = {
            "version": seen["version"], "reason_code": "known_good", "reason": "与住户核实过",
        }  # fmt: skip
        for visit in seen["visits"]:
            if visit["round"] != seen["round"]:
                continue
            if visit["verdict"] == "out":
                version = seen["ticket"]["version"]
                reopened = {"version": version, "reason_code": "dissatisfied"}
                self._next[job.id] = ("reopen", reopened)
                self._waits.discard(job.id)
                self._phones.forget(job.id)
                return
            if visit["needs_review"]:
                there = why | {"visit": visit["visit"], "to": "in", "reason_code": "seen_by_phone"}
                self._next[job.id] = ("check-in", there)
                return
        for slot, state in seen["slots"].items():
            if state in {"review", "block"}:
                photo = {"slot": slot, "photo": seen["photos"][slot]["photo"]}
                if self._phones.cheated(job) and state == "block":
                    self._next[job.id] = ("again", why | photo | {"reason_code": "reused_photo"})
                else:
                    self._next[job.id] = ("accept", why | photo)
                return
        self._waits.discard(job.id)
        job.rest(at + JUDGED_S)
