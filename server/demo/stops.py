"""Stops and resumptions of the demo's live day: applications, visits made, departments told."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from server.demo import chance
from server.demo.autumn import Autumn
from server.demo.calls import Body, Call
from server.demo.proofs import proofs
from server.demo.records import Household, Register
from server.demo.weather import CITY_OFFSET_S, DAY, local

Item = dict[str, Any]
HOUR = 3600
A_DAY = 15.0
"""Applications of a January workday for 60,000 households."""
TEMPORARY, RESUME = 0.45, 0.33
"""Shares of applications; the others want to stop for the season, months too late."""
NO_PROOF, RELATIVE, BARRED = 0.45, 0.4, 0.15
LOOK_EVERY_S = 900
PAGE = 200
_SOURCES = ("counter", "counter", "app", "app", "phone")


class Stops:
    """What happens to heating contracts from now on."""

    def __init__(self, register: Register, autumn: Autumn, seed: int) -> None:
        self._seed = seed
        asked = {w.household.id for w in autumn.wishes}
        back = {w.household.id for w in autumn.wishes if w.action != "suspension"}
        self._homes = register.households
        self._able = [h for h in register.households if h.id not in asked and autumn.may_stop(h)]
        self._stopped = [
            w.household
            for w in autumn.wishes
            if w.owner and w.household.id not in back and autumn.may_stop(w.household)
        ]
        self._photos = [photo for photo, _ in proofs()]
        self._scale = len(register.households) / 60_000
        self._visits: dict[str, Item] = {}
        self._completed: dict[str, Item] = {}

    # ---------------------------------------------------------------- applications
    def applications(self, minute: int) -> Iterator[Item]:
        """Bodies of POST /api/suspensions of a minute (minutes since the epoch)."""
        day, hour = local(minute * 60)
        if not 8 <= hour < 20:
            return
        rate = A_DAY / 12 / 60 * self._scale
        for n in range(chance.poisson(rate, self._seed, "stops", minute)):
            name: tuple[object, ...] = (self._seed, "stop", minute, n)
            dice = chance.unit(*name, "action")
            if dice < TEMPORARY and self._able:
                yield self._temporary(day, name)
            elif dice < TEMPORARY + RESUME and self._stopped:
                yield self._wish("resume", chance.pick(self._stopped, *name, "who"), name)
            else:
                yield self._wish("suspension", chance.pick(self._homes, *name, "who"), name)

    def _temporary(self, day: int, name: tuple[object, ...]) -> Item:
        barred = chance.unit(*name, "barred") < BARRED
        home = chance.pick(self._homes if barred else self._able, *name, "who")
        start = (day + 2 + int(chance.unit(*name, "start") * 8)) * DAY - CITY_OFFSET_S
        length = 32 + int(chance.unit(*name, "length") * 45)
        days = {"stop_from": start, "stop_until": start + length * DAY}
        return self._wish("temporary_stop", home, name) | days

    def _wish(self, action: str, home: Household, name: tuple[object, ...]) -> Item:
        applicant = {"name": home.owner_name, "phone": home.owner_phone}
        if chance.unit(*name, "relative") < RELATIVE:
            applicant = {
                "name": f"{home.owner_name[0]}小军", "phone": f"1009{home.owner_phone[4:]}",
            }  # fmt: skip
        shown = action != "resume" and chance.unit(*name, "proof") >= NO_PROOF
        return {
            "action": action, "household": home.id, "applicant": applicant,
            "source": chance.pick(_SOURCES, *name, "source"),
            "photos": [chance.pick(self._photos, *name, "photo")] if shown else [],
        }  # fmt: skip

    # ---------------------------------------------------------------- visits and departments
    def see(self, call: Call, body: Body) -> None:
        """What a look brought: open visits, or applications that departments must know of."""
        items = {i["id"]: i for i in body.get("items", [])}
        if call.step == "visits":
            self._visits = items
        else:
            self._completed = items

    def acts(self, from_at: float, to_at: float) -> Iterator[Call]:
        """Looks every quarter of an hour, visits that are made and departments that take note."""
        if int(from_at // LOOK_EVERY_S) != int(to_at // LOOK_EVERY_S):
            for path, step in (
                (f"/api/visits?open=true&limit={PAGE}", "visits"),
                (f"/api/suspensions?state=completed&limit={PAGE}", "completed"),
            ):
                yield Call("GET", path, None, "", to_at, None, step)
        for visit in list(self._visits.values()):
            misses = max((h["misses"] for h in visit["households"]), default=0)
            if visit_at(visit["id"], visit["planned_at"], misses) <= to_at:
                self._visits.pop(visit["id"])
                yield self._made(visit, to_at)
        for a in list(self._completed.values()):
            yield from self._known(a, to_at)

    def _made(self, visit: Item, at: float) -> Call:
        results = [self._result(visit, c) for c in visit["households"] if c["state"] in _TO_DO]
        body = {"version": visit["version"], "results": results}
        key = f"demo-{self._seed}-visit-{visit['id']}-{visit['version']}"
        return Call("POST", f"/api/visits/{visit['id']}/results", body, key, at, None, "visit")

    def _result(self, visit: Item, household: Item) -> Item:
        application = household["application"]
        name = (self._seed, application, visit["version"])
        if chance.unit(*name, "home") < 0.12:
            return {"application": application, "outcome": "nobody_home"}
        if visit["action"] == "open":
            return {"application": application, "outcome": "open"}
        seal = f"F-{int(chance.unit(*name, 'seal') * 90_000) + 10_000}"
        return {"application": application, "outcome": "sealed", "seal": seal}

    def _known(self, a: Item, at: float) -> Iterator[Call]:
        """One department at a time: the next sees another version."""
        for department, latest_h in (("operations", 7), ("finance", 20)):
            name = (self._seed, a["id"], department)
            due = a["completed_at"] + chance.between(0.5, latest_h, *name) * HOUR
            if department in a["awaited"] and due <= at:
                self._completed.pop(a["id"])
                body = {"version": a["version"], "department": department}
                key = f"demo-{self._seed}-known-{a['id']}-{department}-{a['version']}"
                path = f"/api/suspensions/{a['id']}/known"
                yield Call("POST", path, body, key, at, None, "known")
                return


_TO_DO = frozenset({"waiting", "missed"})


def visit_at(visit: str, planned_at: float, misses: int) -> float:
    """When people go: within a day of the planning, and again the next day if it was in vain."""
    at = _by_day(planned_at + chance.between(4, 24, visit) * HOUR, visit)
    for _ in range(misses):
        at = _by_day(at + 20 * HOUR, visit)
    return at


def _by_day(at: float, *name: object) -> float:
    """The same time, or the next morning if it lies between six in the evening and half past 8."""
    _, hour = local(at)
    if 8.5 <= hour < 18:
        return at
    return at + ((8.5 - hour) % 24 + chance.between(0, 3, "morning", *name)) * HOUR
