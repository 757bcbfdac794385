"""Every way of giving one ticket to the crews, tried one by one in plain Python."""

from __future__ import annotations

import contextlib
import itertools
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ext import visits

Row = dict[str, int]


@dataclass
class Way:
    """One way for one crew: the key that ranks it, and what follows from it."""

    crew: int
    position: int
    out: tuple[int, ...]
    kept: list[int]
    arrival: int
    start: int
    steps: int
    levels: int
    score: list[int]
    total: int
    unplanned: int = 0
    moves: list[tuple[int, int | None, int]] = field(default_factory=list)
    routes: dict[int, list[int]] = field(default_factory=dict)

    @property
    def key(self) -> tuple[Any, ...]:
        return (
            self.steps, self.levels, self.unplanned, self.total, self.crew, self.position, self.out
        )  # fmt: skip


@dataclass
class City:
    """A plan, as Python keeps it."""

    way: list[list[int]]
    tickets: list[Row]
    crews: list[Row]
    may: list[set[int]]
    routes: list[list[int]]

    def __post_init__(self) -> None:
        self.limit = [row["latest"] for row in self.tickets]
        self.end = [row["end_at"] for row in self.crews]
        self.start: dict[int, int] = {}
        for crew, route in enumerate(self.routes):
            starts, end, _ = self.timed(crew, route)
            for ticket, start in zip(route, starts, strict=True):
                self.start[ticket] = start
                self.limit[ticket] = max(self.limit[ticket], start)
            if route:
                self.end[crew] = max(self.end[crew], end)

    def plan(self) -> visits.Plan:
        tickets = np.array([tuple(row.values()) for row in self.tickets], visits.TICKET)
        crews = np.array([tuple(row.values()) for row in self.crews], visits.CREW)
        eligible = np.array([[sum(1 << k for k in may)] for may in self.may], np.uint64)
        travel = visits.Travel.of_matrix(np.array(self.way, np.int32))
        plan = visits.Plan(travel, tickets, crews, eligible.reshape(len(tickets), 1))
        for crew, route in enumerate(self.routes):
            plan.set_route(crew, np.array(route, np.int32))
        return plan

    def timed(self, crew: int, route: Sequence[int]) -> tuple[list[int], int, int]:
        """Starts of work, the end, and seconds of driving."""
        at, now, drive = self.crews[crew]["place"], self.crews[crew]["free_at"], 0
        starts = []
        for ticket in route:
            row = self.tickets[ticket]
            if row["place"] >= 0:
                drive += self.way[at][row["place"]]
                now += self.way[at][row["place"]]
                at = row["place"]
            starts.append(max(now, row["earliest"]))
            now = starts[-1] + row["service"]
        home = self.crews[crew]["home"]
        back = self.way[at][home] if home >= 0 else 0
        return starts, now + back, drive + back

    def holds(self, crew: int, route: Sequence[int]) -> bool:
        starts, end, _ = self.timed(crew, route)
        inside = all(s <= self.limit[t] for s, t in zip(starts, route, strict=True))
        return inside and end <= self.end[crew]

    def late(self, ticket: int, start: int) -> int:
        return max(0, start - self.tickets[ticket]["due"])

    def fixed(self, crew: int, route: Sequence[int]) -> int:
        on_site = [q for q, t in enumerate(route) if self.tickets[t]["state"] == visits.ON_SITE]
        return max(min(self.crews[crew]["fixed"], len(route)), *(q + 1 for q in on_site), 0)

    def caused(self, crew: int, before: Sequence[int], after: Sequence[int]) -> int:
        """Weighted lateness that visits in both routes gain."""
        old = dict(zip(before, self.timed(crew, before)[0], strict=True))
        new = dict(zip(after, self.timed(crew, after)[0], strict=True))
        return sum(
            self.tickets[t]["weight"] * (self.late(t, new[t]) - self.late(t, old[t]))
            for t in old
            if t in new
        )


@dataclass
class Question:
    city: City
    ticket: int
    broken: list[int]
    weights: list[int]
    now: int
    given: dict[str, list[int]]
    late_step: int
    displace: int

    def __post_init__(self) -> None:
        self.routes = [[t for t in r if t != self.ticket] for r in self.city.routes]

    def ways(self, crew: int, most: int) -> Iterator[Way]:
        """Every feasible way for a crew with at most `most` displaced."""
        route, city = self.routes[crew], self.city
        mine = city.tickets[self.ticket]
        movable = [
            q
            for q, t in enumerate(route)
            if city.tickets[t]["level"] > mine["level"]
            and city.tickets[t]["state"] != visits.ON_SITE
        ]
        fixed = city.fixed(crew, route)
        for size in range(most + 1):
            for out in itertools.combinations(movable, size):
                kept = [q for q in range(len(route)) if q not in out]
                for position in range(len(kept) + 1):
                    if any(q < fixed for q in kept[position:]):
                        continue
                    way = self.way(crew, position, out, kept)
                    if way is not None:
                        yield way

    def way(self, crew: int, position: int, out: tuple[int, ...], kept: list[int]) -> Way | None:
        city, route, x = self.city, self.routes[crew], self.ticket
        mine = city.tickets[x]
        line = [route[q] for q in kept]
        line.insert(position, x)
        with self.waiting(crew):
            if not city.holds(crew, line):
                return None
            starts, _, drive = city.timed(crew, line)
            caused = city.caused(crew, route, line)
        start = starts[position]
        at, free = city.crews[crew]["place"], city.crews[crew]["free_at"]
        if position:
            free = starts[position - 1] + city.tickets[line[position - 1]]["service"]
            places = [city.tickets[t]["place"] for t in line[:position]]
            at = next((p for p in reversed(places) if p >= 0), at)
        wait, late = max(start - self.now, 0), city.late(x, start)
        work = drive + sum(city.tickets[t]["service"] for t in line)
        gone = [city.tickets[route[q]] for q in out]
        churn = sum(row["churn"] for row in gone)
        if mine["before"] not in (-1, crew):
            churn += mine["churn"]
        score = [
            drive - city.timed(crew, route)[2], late, caused, wait * mine["urgency"], work,
            *(self.given[name][crew] for name in ("continuity", "skill", "parts")),
            wait * mine["impact"] // 3600, churn,
        ]  # fmt: skip
        return Way(
            crew=crew,
            position=position,
            out=out,
            kept=line,
            arrival=free + city.way[at][mine["place"]],
            start=start,
            steps=-(-late // self.late_step) if self.late_step else 0,
            levels=sum(1 << 4 * (7 - row["level"]) for row in gone),
            score=score,
            total=sum(w * s for w, s in zip(self.weights, score, strict=True)),
        )

    @contextlib.contextmanager
    def waiting(self, crew: int) -> Iterator[None]:
        """What a crew must wait for is a window of its own."""
        mine = self.city.tickets[self.ticket]
        earliest = mine["earliest"]
        mine["earliest"] = max(earliest, self.given["ready"][crew])
        yield
        mine["earliest"] = earliest

    def settle(self, way: Way) -> None:
        """Where the displaced go."""
        with self.waiting(way.crew):
            self._settle(way)

    def _settle(self, way: Way) -> None:
        city = self.city
        gone = [self.routes[way.crew][q] for q in way.out]
        routes = [list(r) for r in self.routes]
        routes[way.crew] = list(way.kept)
        for ticket in sorted(gone, key=lambda t: (city.tickets[t]["level"], t)):
            crew, why, grown, caused = cheapest(
                city, routes, ticket, self.weights, floor={way.crew: way.position + 1}
            )
            if crew is None:
                way.unplanned += 1 << 4 * (7 - city.tickets[ticket]["level"])
            way.score[0] += grown
            way.score[2] += caused
            way.moves.append((ticket, crew, why))
        way.total = sum(w * s for w, s in zip(self.weights, way.score, strict=True))
        way.routes = dict(enumerate(routes))

    def answer(self, shortlist: int) -> tuple[list[Way], list[Way | None]]:
        """The shortlist in order, and every crew's best plain way."""
        crews = range(len(self.city.crews))
        plain = [
            min(self.ways(k, 0), key=lambda w: w.key, default=None) if not self.broken[k] else None
            for k in crews
        ]
        best = [way for way in plain if way is not None]
        if self.displace and self.late_step and all(way.steps for way in best):
            everything = (
                min(self.ways(k, self.displace), key=lambda w: w.key, default=None)
                for k in crews
                if not self.broken[k]
            )
            best = [way for way in everything if way is not None]
        best = sorted(best, key=lambda w: w.key)[:shortlist]
        for way in best:
            self.settle(way)
        return sorted(best, key=lambda w: w.key), plain


def cheapest(
    city: City,
    routes: list[list[int]],
    ticket: int,
    weights: Sequence[int],
    floor: dict[int, int],
    barred: int = -1,
) -> tuple[int | None, int, int, int]:
    """Put a displaced ticket where it costs least: crew, why, driving, weighted lateness."""
    row = city.tickets[ticket]
    best: tuple[int, int, int, int, int] | None = None
    allowed = city.may[ticket] - {barred}
    for k in sorted(allowed):
        for p in range(max(city.fixed(k, routes[k]), floor.get(k, 0)), len(routes[k]) + 1):
            line = [*routes[k][:p], ticket, *routes[k][p:]]
            if not city.holds(k, line):
                continue
            start = city.timed(k, line)[0][p]
            grown = city.timed(k, line)[2] - city.timed(k, routes[k])[2]
            own = city.late(ticket, start) - city.late(ticket, city.start[ticket])
            caused = city.caused(k, routes[k], line) + row["weight"] * own
            cost = weights[0] * grown + weights[2] * caused
            if best is None or cost < best[0]:
                best = cost, k, p, grown, caused
    if best is None:
        return None, 2 if allowed else 1, 0, 0
    _, k, p, grown, caused = best
    routes[k].insert(p, ticket)
    return k, 0, grown, caused


def made(seed: int) -> tuple[City, random.Random]:
    """A small city at random, with late routes, breaks, crews on site and crews without a shift."""
    r = random.Random(seed)
    places, crews, tickets = r.randint(1, 6), r.randint(1, 4), r.randint(1, 11)
    most = r.choice([3, 20])
    way = [[0 if a == b else r.randint(0, most) for b in range(places)] for a in range(places)]
    if r.random() < 0.5:
        way = [[way[min(a, b)][max(a, b)] for b in range(places)] for a in range(places)]
    rows = []
    for _ in range(tickets):
        earliest = r.choice([0, 0, r.randint(0, 60)])
        rest = r.random() < 0.1
        rows.append({
            "place": -1 if rest else r.randrange(places),
            "service": r.randint(0, 15),
            "earliest": earliest,
            "latest": r.choice([visits.NEVER, earliest + r.randint(0, 60)]),
            "due": r.choice([visits.NEVER, r.randint(0, 50)]),
            "weight": r.choice([0, 1, 7]),
            "urgency": r.randint(0, 3),
            "impact": r.choice([0, 5000]),
            "level": 0 if rest else r.randint(0, 2),
            "state": r.randint(0, 2),
            "churn": r.randint(0, 5),
            "before": r.randint(-1, crews - 1),
        })  # fmt: skip
    held: list[list[int]] = [[] for _ in range(crews)]
    for ticket in range(1, tickets):
        if r.random() < 0.85:
            held[r.randrange(crews)].append(ticket)
    team = []
    for crew in range(crews):
        r.shuffle(held[crew])
        if held[crew] and r.random() < 0.3:
            rows[held[crew][0]]["state"] = visits.ON_SITE
        team.append({
            "place": r.randrange(places),
            "free_at": r.randint(0, 10),
            "home": r.choice([-1, r.randrange(places)]),
            "end_at": r.choice([-5, 60, 90, 200]),
            "fixed": r.choice([0, 0, 1, 2]),
        })  # fmt: skip
    may = [{k for k in range(crews) if r.random() < 0.7} for _ in range(tickets)]
    if rows[0]["place"] < 0:
        rows[0]["place"] = 0
    return City(way, rows, team, may, held), r


def masks(broken: Sequence[int]) -> NDArray[np.uint32]:
    return np.array(broken, np.uint32)


def shortened(city: City) -> City:
    """The same city with no way longer than one by way of another place."""
    way = [list(row) for row in city.way]
    for via, a, b in itertools.product(range(len(way)), repeat=3):
        way[a][b] = min(way[a][b], way[a][via] + way[via][b])
    return City(way, city.tickets, city.crews, city.may, city.routes)
