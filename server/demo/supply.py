"""Spare parts on the demo's vans and in its stores, and the crew whose van breaks down today."""

from __future__ import annotations

from collections.abc import Iterator

from server.demo import chance
from server.demo.calls import Body, Call
from server.demo.crews import VALVE
from server.demo.fleet import Fleet
from server.demo.jobs import HOUR, Job
from server.demo.records import Crew, Register, Store
from server.demo.weather import CITY_OFFSET_S, DAY, local

DELIVERY_HOUR = 5
"""When the stores are filled up."""
USED = 0.6
"""Of visits that may need a part do."""


def register_calls(register: Register, seed: int) -> Iterator[Call]:
    """Crews and stores as they are entered into an empty register."""
    for crew in register.crews:
        yield Call("POST", f"/api/crews/{crew.id}", _entry(crew), f"demo-{seed}-crew-{crew.id}", 0)
    for store in register.stores:
        yield _fill(store, f"demo-{seed}-store-{store.id}", 0)


def first_stock(register: Register, seed: int) -> Iterator[Call]:
    """What lies on the vans to begin with."""
    for crew in register.crews:
        yield _count(crew.id, crew.parts, f"demo-{seed}-stock-{crew.id}", 0)


def _entry(c: Crew) -> Body:
    after = c.break_after_min
    return {
        "name": c.name, "trades": list(c.trades), "certificates": list(c.certificates),
        "members": c.members, "vehicle": c.vehicle,
        "shift": f"{_hhmm(c.shift_start_min)}-{_hhmm(c.shift_end_min)}",
        "skill": c.skill, "territory": list(c.territory),
        "base": {"lon": c.base_lon, "lat": c.base_lat, "datum": "wgs84"},
        "breaks": [{"after": _hhmm(after), "before": _hhmm(after + 120), "minutes": 40}],
        "equipment": list(c.equipment),
    }  # fmt: skip


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


def _fill(store: Store, key: str, at: float) -> Call:
    body: Body = {
        "name": store.name, "lon": store.lon, "lat": store.lat, "datum": "wgs84",
        "parts": store.parts,
    }  # fmt: skip
    return Call("POST", f"/api/stores/{store.id}", body, key, at)


def _count(crew: str, parts: dict[str, int], key: str, at: float) -> Call:
    return Call("POST", f"/api/crews/{crew}/stock", {"parts": parts}, key, at)


class Supply:
    """What lies on each van as far as this process knows, and what happens to vans by the clock."""

    def __init__(self, register: Register, fleet: Fleet, seed: int) -> None:
        self._crews = {c.id: c for c in register.crews}
        self._stores = register.stores
        self._fleet, self._seed = fleet, seed
        self._vans = {c.id: dict(c.parts) for c in register.crews}
        self._told: list[Call] = []

    def used(self, job: Job, at: float) -> None:
        """A crew has finished: what it took from its van is counted."""
        crew = job.crew or ""
        van = self._vans.get(crew, {})
        took = {p: n for p, n in _uses(job, self._seed).items() if van.get(p, 0) >= n}
        if took:
            van.update({p: van[p] - n for p, n in took.items()})
            key = f"demo-{self._seed}-used-{job.id}-{job.version}"
            self._told.append(_count(crew, dict(van), key, at))

    def acts(self, from_at: float, to_at: float) -> Iterator[Call]:
        """Vans counted, filled at their base as a shift begins; the day's breakdown; deliveries."""
        yield from self._told
        self._told = []
        for crew in self._crews.values():
            day = _came(from_at, to_at, crew.shift_start_min * 60)
            if day is not None and self._vans[crew.id] != crew.parts:
                self._vans[crew.id] = dict(crew.parts)
                yield _count(crew.id, crew.parts, f"demo-{self._seed}-stock-{crew.id}-{day}", to_at)
        day = _came(from_at, to_at, DELIVERY_HOUR * 3600)
        if day is not None:
            for store in self._stores:
                yield _fill(store, f"demo-{self._seed}-store-{store.id}-{day}", to_at)
        day, _ = local(to_at)
        broken = self._fleet.breakdown(day)
        if broken is None:
            return
        key = f"demo-{self._seed}-van-{broken.crew}-{day}"
        path = f"/api/crews/{broken.crew}"
        if from_at < broken.start <= to_at:
            body: Body = {"reason_code": "breakdown", "until_at": int(to_at + 2 * HOUR)}
            yield Call("POST", f"{path}/stop", body, f"{key}-stop", to_at)
        if from_at < broken.end <= to_at:
            yield Call("POST", f"{path}/back", {}, f"{key}-back", to_at)


def _came(from_at: float, to_at: float, second: int) -> int | None:
    """The day (since the epoch) on which a second of the city's day fell into (from_at, to_at]."""
    day = int((to_at + CITY_OFFSET_S - second) // DAY)
    return day if from_at < day * DAY - CITY_OFFSET_S + second <= to_at else None


def _uses(job: Job, seed: int) -> dict[str, int]:
    """What the work took from the van."""
    part = VALVE if job.kind == "not_warm" else "闸阀 DN80" if job.kind == "leak" else ""
    return {part: 1} if part and chance.unit(seed, job.id, "used") < USED else {}
