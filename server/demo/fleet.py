"""The crews' vans: where they are, where they drive, and what their phones report."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from server.demo import chance
from server.demo.faults import FIRST_DAY
from server.demo.records import Crew, Register
from server.demo.weather import CITY_OFFSET_S, DAY, local

SPEED_MPS = 25 / 3.6
"""A van in winter traffic."""
FIX_PERIOD_S = 10
SILENT_WINDOW_S = 5400
BREAKDOWN_S = 3600.0
FIRST_BREAKDOWN_HOUR = 7.4
At = tuple[float, float]


@dataclass(slots=True)
class Van:
    """One crew on the road. `route` holds the corners still ahead, the last one is the goal."""

    crew: Crew
    at: At
    route: list[At] = field(default_factory=list)
    heading_deg: float = 0.0
    driving: bool = False


class Breakdown(NamedTuple):
    """A van that stands still from `start` to `end`, Unix seconds."""

    crew: str
    start: float
    end: float


def apart_m(a: At, b: At) -> float:
    """Metres between two places of one city, within a percent."""
    return math.hypot(
        (a[0] - b[0]) * 111_320 * math.cos(math.radians(a[1])), (a[1] - b[1]) * 111_150
    )


def on_shift(crew: Crew, at: float) -> bool:
    """Whether the crew's shift covers a time (Unix seconds)."""
    return left_of_shift(crew, at) > 0


def left_of_shift(crew: Crew, at: float) -> float:
    """Seconds until the end of the running shift; 0 off duty."""
    minute = local(at)[1] * 60
    length = (crew.shift_end_min - crew.shift_start_min) % 1440
    since = (minute - crew.shift_start_min) % 1440
    return (length - since) * 60 if since < length else 0.0


class Fleet:
    """All vans of a register, and where they are."""

    def __init__(self, register: Register, seed: int) -> None:
        self._seed = seed
        self._stops = [
            (n.lon, n.lat) for n in register.nodes if n.kind == "substation" and n.lon and n.lat
        ]
        self._broken: dict[int, Breakdown | None] = {}
        self.vans = {c.id: Van(c, (c.base_lon, c.base_lat)) for c in register.crews}

    def send(self, crew: str, to: At) -> None:
        """Drive there: along the streets' two directions, with one corner."""
        van = self.vans[crew]
        turn = math.radians(chance.between(-8, 14, self._seed, crew, round(to[0], 4)))
        c, s, k = math.cos(turn), math.sin(turn), math.cos(math.radians(to[1]))
        dx, dy = (to[0] - van.at[0]) * k, to[1] - van.at[1]
        along = dx * c + dy * s
        corner = (van.at[0] + along * c / k, van.at[1] + along * s)
        if chance.unit(self._seed, crew, round(to[1], 4), "side") < 0.5:
            across = -dx * s + dy * c
            corner = (van.at[0] - across * s / k, van.at[1] + across * c)
        van.route = [corner, to]

    def drive(self, from_at: float, to_at: float, busy: frozenset[str]) -> None:
        """Move every van; one without work now and then looks after a substation."""
        stands = self.stopped(to_at)
        for van in self.vans.values():
            crew = van.crew.id
            window = int(to_at // 900)
            fresh = int(from_at // 900) != window
            if crew in stands:
                van.driving = False
                continue
            if (
                fresh
                and crew not in busy
                and not van.route
                and on_shift(van.crew, to_at)
                and self._stops
            ) and chance.unit(self._seed, "patrol", crew, window) < 0.35:
                here = van.at
                near = sorted(self._stops, key=lambda p: apart_m(p, here))[:6]
                self.send(crew, chance.pick(near, self._seed, "stop", crew, window))
            self._move(
                van,
                (to_at - from_at) * SPEED_MPS * chance.between(0.75, 1.2, crew, int(to_at // 60)),
            )

    @staticmethod
    def _move(van: Van, metres: float) -> None:
        van.driving = bool(van.route)
        while van.route and metres > 0:
            goal = van.route[0]
            far = apart_m(van.at, goal)
            if far > 1:
                east = (goal[0] - van.at[0]) * math.cos(math.radians(goal[1]))
                van.heading_deg = math.degrees(math.atan2(east, goal[1] - van.at[1])) % 360
            if far <= metres:
                van.at, metres = goal, metres - far
                van.route.pop(0)
            else:
                t = metres / far
                van.at = (
                    van.at[0] + (goal[0] - van.at[0]) * t,
                    van.at[1] + (goal[1] - van.at[1]) * t,
                )
                metres = 0

    def breakdown(self, day: int) -> Breakdown | None:
        """The van that breaks down on a day (since the epoch), for an hour."""
        if day not in self._broken:
            self._broken = {day: self._draw(day)}
        return self._broken[day]

    def _draw(self, day: int) -> Breakdown | None:
        name = (self._seed, "breakdown", day)
        hour = chance.between(8, 17, *name, "hour") if day != FIRST_DAY else FIRST_BREAKDOWN_HOUR
        start = day * DAY - CITY_OFFSET_S + hour * 3600
        out = sorted(
            v.crew.id
            for v in self.vans.values()
            if "indoor" in v.crew.trades and left_of_shift(v.crew, start) > 2 * BREAKDOWN_S
        )
        return Breakdown(chance.pick(out, *name), start, start + BREAKDOWN_S) if out else None

    def stopped(self, at: float) -> frozenset[str]:
        """Crews whose van stands broken down."""
        broken = self.breakdown(local(at)[0])
        down = broken is not None and broken.start <= at < broken.end
        return frozenset({broken.crew} if broken and down else ())

    def silent(self, at: float) -> set[str]:
        """The one or two crews on duty whose phones have no signal in this hour and a half."""
        window = int(at // SILENT_WINDOW_S)
        duty = sorted(v.crew.id for v in self.vans.values() if on_shift(v.crew, at))
        if not duty:
            return set()
        count = 1 + (chance.unit(self._seed, "silent", window) < 0.5)
        return {chance.pick(duty, self._seed, "silent", window, n) for n in range(count)}

    def fixes(self, at: int, also: Sequence[str] = ()) -> list[dict[str, Any]]:
        """A fix of every van on duty or in `also`, but the silent: items of a batch."""
        silent = self.silent(at)
        out = []
        for van in self.vans.values():
            crew = van.crew.id
            if crew in silent or not (on_shift(van.crew, at) or crew in also):
                continue
            jitter = [chance.between(-1, 1, crew, at, k) * 4e-5 for k in range(2)]
            pace = chance.between(0.6, 1.25, crew, int(at // 60), "pace") if van.driving else 0.0
            out.append(
                {
                    "crew": crew, "fixed_at": at, "lon": round(van.at[0] + jitter[0], 6),
                    "lat": round(van.at[1] + jitter[1], 6), "datum": "wgs84",
                    "accuracy_m": round(chance.between(4, 22, crew, at, "accuracy"), 0),
                    "heading_deg": round(van.heading_deg, 0) if van.driving else None,
                    "speed_mps": round(SPEED_MPS * pace, 1),
                }
            )  # fmt: skip
        return out
