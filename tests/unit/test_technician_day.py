"""A simulated day sees no request before it is called in, and its log keeps the problem's rules."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from benchmarks import _trsp_day
from benchmarks._trsp import CREWS, TICKS, Instance
from benchmarks._trsp_day import Day, Ways, live
from benchmarks._trsp_outlook import Anticipation

WAYS = Ways(first_seconds=0.03, event_seconds=0.01)
HOURS = 300


def some_instance(seed: int, requests: int) -> Instance:
    random = np.random.default_rng(seed)
    nodes = 1 + CREWS + requests
    opens = np.zeros(nodes, np.int32)
    closes = np.full(nodes, HOURS * TICKS, np.int32)
    opens[CREWS + 1 :] = random.integers(20, 200, requests) * TICKS
    closes[CREWS + 1 :] = opens[CREWS + 1 :] + 30 * TICKS
    service = np.zeros(nodes, np.int32)
    service[CREWS + 1 :] = 10 * TICKS
    need = np.zeros((nodes, 2), np.int32)
    need[CREWS + 1 :] = random.integers(0, 2, (requests, 2))
    skills = random.integers(1, 8, nodes).astype(np.uint64)
    skills[CREWS + 1 :] = random.choice([1, 2, 4], requests)
    tools = random.choice([0, 0, 1, 2], nodes).astype(np.uint64)
    return Instance(
        "some",
        random.integers(0, 60, (nodes, 2)).astype(float),
        opens,
        closes,
        service,
        skills,
        tools,
        need,
    )


def some_releases(instance: Instance, seed: int) -> dict[int, float]:
    random = np.random.default_rng(seed)
    opens = instance.opens // TICKS
    nodes = range(CREWS + 1, len(opens))
    return {v: -1.0 if random.integers(2) else float(random.integers(0, opens[v])) for v in nodes}


def visits(log: str) -> list[tuple[int, list[tuple[int, float, float]], float]]:
    """(crew, (node, left, started) ..., left for home) per line."""
    found = []
    for line in log.splitlines():
        crew, _, rest = line.partition(":")
        *stops, home = rest.split()
        rows = [
            (int(node), *map(float, times.split("/")))
            for node, times in (s.split("@") for s in stops)
        ]
        found.append((int(crew), rows, float(home.partition("@")[2])))
    return found


@pytest.mark.parametrize("seed", range(4))
def test_a_day_keeps_the_rules_and_drives_to_nothing_that_is_not_known(seed: int) -> None:
    instance = some_instance(seed, 30)
    releases = some_releases(instance, seed)
    log, seconds = live(instance, releases, WAYS, seed)
    assert len(seconds) == len({t for t in releases.values() if t >= 0})
    seen: set[int] = set()
    for crew, rows, home in visits(log):
        at, free, stocked = crew, 0.0, False
        parts = instance.parts[crew].copy()
        for node, left, start in rows:
            assert left >= free - 1e-3
            assert start >= left + math.dist(instance.xy[at], instance.xy[node]) - 1e-3
            if node == 0:
                stocked = True
            else:
                assert node not in seen
                seen.add(node)
                assert left >= releases[node]
                assert not int(instance.skills[node]) & ~int(instance.skills[crew])
                parts -= instance.parts[node]
                assert stocked or not int(instance.tools[node]) & ~int(instance.tools[crew])
                assert stocked or (parts >= 0).all()
                assert instance.opens[node] <= start * TICKS + 1 <= instance.closes[node] + 2
            at, free = node, start + instance.service[node] / TICKS
        assert home >= free - 1e-3
        assert home + math.dist(instance.xy[at], instance.xy[crew]) <= HOURS + 1e-3
    assert len(seen) > 20


def driven(
    instance: Instance, releases: dict[int, float], until: float, steps: int
) -> list[list[tuple[int, int, int]]]:
    """What each crew has driven to by then, every plan of so many steps whatever the machine."""
    day = Day(instance, WAYS, 1)
    day.rate = steps / WAYS.first_seconds
    day.tell(sorted(v for v, t in releases.items() if t < 0), -1)
    for t in sorted({t for t in releases.values() if 0 <= t <= until}):
        day.tell(sorted(v for v, at in releases.items() if at == t), round(t * TICKS))
    day.advance(round(until * TICKS))
    return [list(crew.log) for crew in day.crews]


def test_what_is_called_in_later_changes_nothing_before(monkeypatch: pytest.MonkeyPatch) -> None:
    # No clock takes part: a plan is a number of steps.
    monkeypatch.setattr(_trsp_day, "steps_in", lambda *_: 10_000)
    monkeypatch.setattr(_trsp_day.time, "process_time", lambda: 0.0)
    instance = some_instance(7, 40)
    releases = some_releases(instance, 7)
    until = 100.0
    later = [v for v, t in releases.items() if t > until]
    assert later
    moved = instance.xy.copy()
    moved[later] = 0
    opens = instance.opens.copy()
    opens[later] += 5 * TICKS
    skills = instance.skills.copy()
    skills[later] = np.uint64(1)
    other = replace(instance, xy=moved, opens=opens, skills=skills)
    first = driven(instance, releases, until, 300)
    assert sum(map(len, first)) > 5
    assert first == driven(other, releases, until, 300)


def test_a_request_that_nobody_can_serve_is_left_out_and_the_day_goes_on() -> None:
    instance = some_instance(3, 12)
    skills = instance.skills.copy()
    skills[CREWS + 1] = np.uint64(1 << 20)
    releases = dict.fromkeys(range(CREWS + 1, CREWS + 13), -1.0) | {CREWS + 1: 10.0}
    log, _ = live(replace(instance, skills=skills), releases, WAYS, 1)
    served = {node for _, rows, _ in visits(log) for node, _, _ in rows if node}
    assert CREWS + 1 not in served
    assert len(served) >= 10


@pytest.mark.parametrize(("room_seconds", "served"), [(0.0, 1), (0.05, 2)])
def test_a_call_without_a_place_gets_one_where_another_crew_can_take_over(
    monkeypatch: pytest.MonkeyPatch, room_seconds: float, served: int
) -> None:
    # Technician 1 can do both, 2 only the first; both at the same time, far from each other.
    monkeypatch.setattr(_trsp_day, "steps_in", lambda *_: 10_000)
    monkeypatch.setattr(_trsp_day.time, "process_time", lambda: 0.0)
    first, second = CREWS + 1, CREWS + 2
    nodes = CREWS + 3
    xy = np.zeros((nodes, 2))
    xy[2], xy[second] = (5, 0), (0, 20)
    opens, service = np.zeros(nodes, np.int32), np.zeros(nodes, np.int32)
    closes = np.full(nodes, HOURS * TICKS, np.int32)
    opens[first:], closes[first:], service[first:] = 80 * TICKS, 85 * TICKS, 10 * TICKS
    skills = np.zeros(nodes, np.uint64)
    skills[1], skills[2], skills[first], skills[second] = 3, 1, 1, 2
    none = np.zeros(nodes, np.uint64)
    need = np.zeros((nodes, 1), np.int32)
    instance = Instance("two", xy, opens, closes, service, skills, none, need)
    nothing_foreseen = Anticipation(weight=0)
    ways = replace(WAYS, policy=nothing_foreseen, event_seconds=0.0, room_seconds=room_seconds)
    log, _ = live(instance, {first: -1.0, second: 10.0}, ways, 1)
    assert sum(len(rows) for _, rows, _ in visits(log)) == served
