"""One red ticket into 200 crews with 2,000 planned visits: the best three crews and who gives way.

The plan is made by our insertion, ticket by ticket, and improved by pyvroom where it is installed.
Crews are on site at their first visit, on the way to the second and confirmed for the third. A
call takes everything that a proposal needs: the ticket's row, the crews' rules, three options with
their scores, delays and displaced visits. Baseline: pyvroom solving again from the same plan with
the ticket added, no further exploration, two threads.
"""

from __future__ import annotations

import importlib.util
import time
from dataclasses import dataclass
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._figure import figure
from ext import assignment, insertion, visits

CREWS, VISITS, REDS = 200, 2000, 200
DAY_S = 8 * 3600
CALLS, RESOLVED = 5, 2
DISPLACE = 3
WEIGHT = {0: 100, 1: 40, 2: 10}
WEIGHTS = np.array([1, 100, 1, 0, 0, 1, 1, 1, 0, 60], np.int64)
MISSING = "pyvroom is not installed: `make bench` installs what is compared with"


@dataclass
class Day:
    """A city's crews and tickets; places are the crews' starts, then the tickets'."""

    travel: NDArray[np.int32]
    tickets: NDArray[np.void]
    needs: NDArray[np.uint64]
    has: NDArray[np.uint64]
    crews: NDArray[np.void]


def day(seed: int) -> Day:
    """Twelve kinds of crews over eight skills, 8 % red, 32 % yellow, half of the blue by
    appointment; the last REDS tickets are red and come later."""
    r = np.random.default_rng(seed)
    n = VISITS + REDS
    lon, lat = 126.6 + r.uniform(-0.24, 0.24, CREWS + n), 45.75 + r.uniform(-0.2, 0.2, CREWS + n)
    places = assignment.micro_degrees(lon, lat)
    pace = np.full(CREWS + n, 7000, np.int32)
    tickets, crews = np.zeros(n, visits.TICKET), np.zeros(CREWS, visits.CREW)
    level = r.choice([0, 1, 2], n, p=[0.08, 0.32, 0.6])
    level[VISITS:] = 0
    opens = r.integers(0, 12, n) * 1800 * ((level == 2) & (r.random(n) < 0.5))
    tickets["place"] = CREWS + np.arange(n)
    tickets["service"] = r.integers(15, 51, n) * 60
    tickets["earliest"] = opens
    tickets["due"] = np.where(level == 0, 5400, np.where(level == 1, 4 * 3600, DAY_S))
    tickets["latest"] = np.where(opens > 0, opens + 7200, tickets["due"])
    tickets["level"], tickets["churn"], tickets["before"] = level, 1, -1
    tickets["weight"] = tickets["urgency"] = [WEIGHT[int(x)] for x in level]
    kinds = [
        1 | sum(1 << int(s) for s in r.choice(range(1, 8), 3, replace=False)) for _ in range(12)
    ]
    has = np.array([kinds[int(k)] for k in r.integers(0, 12, CREWS)], np.uint64)
    skill = np.where(r.random(n) < 0.4, 0, r.integers(1, 8, n))
    crews["place"] = crews["home"] = np.arange(CREWS)
    crews["end_at"], crews["fixed"] = DAY_S, 2
    return Day(
        travel=assignment.travel_seconds(places, places, pace, 1350),
        tickets=tickets,
        needs=(np.uint64(1) << skill.astype(np.uint64)),
        has=has,
        crews=crews,
    )


def vroom_input(d: Day, jobs: list[int], routes: list[list[int]]) -> Any:
    """The same for pyvroom, every window hard, from these routes on."""
    import vroom

    problem = vroom.Input()
    problem.set_durations_matrix("car", d.travel.astype(np.uint32))
    vehicles = []
    for k in range(CREWS):
        stops = [vroom.VehicleStep("single", j) for j in routes[k]]
        skills = {s for s in range(8) if int(d.has[k]) >> s & 1}
        vehicles.append(
            vroom.Vehicle(
                k,
                start=k,
                end=k,
                skills=skills,
                time_window=vroom.TimeWindow(0, DAY_S),
                steps=[vroom.VehicleStep("start"), *stops, vroom.VehicleStep("end")],
            )
        )
    problem.add_vehicle(vehicles)
    problem.add_job(
        [
            vroom.Job(
                j,
                location=int(d.tickets["place"][j]),
                default_service=int(d.tickets["service"][j]),
                skills={int(d.needs[j]).bit_length() - 1},
                priority=int(d.tickets["weight"][j]),
                time_windows=[
                    vroom.TimeWindow(int(d.tickets["earliest"][j]), int(d.tickets["latest"][j]))
                ],
            )
            for j in jobs
        ]
    )
    return problem


def vroom_routes(solution: Any) -> list[list[int]]:
    """Tickets of each crew in order."""
    routes: list[list[int]] = [[] for _ in range(CREWS)]
    table = solution.routes
    for crew, kind, job in zip(table["vehicle_id"], table["type"], table["id"], strict=True):
        if kind == "job":
            routes[int(crew)].append(int(job))
    return routes


def driven(d: Day, routes: list[list[int]]) -> int:
    """Seconds of driving."""
    total = 0
    for k, route in enumerate(routes):
        stops = [k, *(int(d.tickets["place"][j]) for j in route), k]
        if route:
            total += int(d.travel[stops[:-1], stops[1:]].sum())
    return total


def plan_of(d: Day, routes: list[list[int]] | None) -> visits.Plan:
    """The plan with these routes, or with what our insertion makes ticket by ticket."""
    broken = np.zeros((len(d.needs), CREWS), np.uint32)
    assignment.lacks_any(broken, 1, d.needs, d.has)
    plan = visits.Plan(
        visits.Travel.of_matrix(d.travel), d.tickets, d.crews, assignment.pack(broken)
    )
    if routes is not None:
        for k, route in enumerate(routes):
            plan.set_route(k, np.array(route, np.int32))
        return plan
    for j in np.argsort(d.tickets["latest"][:VISITS], kind="stable"):
        answer = insertion.propose(plan, int(j), broken[j], WEIGHTS, now=0, options=1)
        if answer.options:
            best = answer.options[0]
            plan.set_route(best.crew, np.array(best.route, np.int32))
    return plan


def under_way(d: Day, plan: visits.Plan) -> NDArray[np.void]:
    """Each crew is at its first visit, on the way to the second, confirmed for the third."""
    tickets = d.tickets.copy()
    states = (visits.ON_SITE, visits.EN_ROUTE, visits.CONFIRMED)
    for k in range(CREWS):
        for ticket, state in zip(plan.route(k), states, strict=False):
            tickets["state"][ticket] = state
    tickets["latest"][VISITS:] = visits.NEVER  # better late than never
    return tickets


def proposal(d: Day, plan: visits.Plan, rows: NDArray[np.void], ticket: int) -> insertion.Answer:
    """The whole of it, from the ticket's row on."""
    broken = np.zeros((1, CREWS), np.uint32)
    need = d.needs[ticket : ticket + 1]
    assignment.lacks_any(broken, 1, need, d.has)
    plan.put_ticket(ticket, rows[ticket], assignment.pack(broken))
    return insertion.propose(
        plan, ticket, broken[0], WEIGHTS, now=0, late_step=300, displace=DISPLACE
    )


def unapproved(plan: visits.Plan, ticket: int, answer: insertion.Answer) -> int:
    """Visits that an option moves from a crew without naming them, or from a place on site."""
    wrong = 0
    for option in answer.options:
        named = {one.ticket for one in option.displaced}
        wrong += sum(one.state == visits.ON_SITE for one in option.displaced)
        before, after = set(plan.route(option.crew).tolist()), set(option.route)
        wrong += len((before - after) - named) + len(after - before - {ticket})
    return wrong


def main() -> None:
    """Print every figure."""
    d = day(7)
    with_vroom = importlib.util.find_spec("vroom") is not None
    plan = plan_of(d, None)
    if with_vroom:
        first = [plan.route(k).tolist() for k in range(CREWS)]
        better = vroom_input(d, list(range(VISITS)), first).solve(exploration_level=0, nb_threads=2)
        plan = plan_of(d, vroom_routes(better))
    rows = under_way(d, plan)
    for ticket in range(VISITS):
        broken = np.zeros((1, CREWS), np.uint32)
        assignment.lacks_any(broken, 1, d.needs[ticket : ticket + 1], d.has)
        plan.put_ticket(ticket, rows[ticket], assignment.pack(broken))
    planned = [plan.route(k).tolist() for k in range(CREWS)]

    times, own, late, gave_way, wrong, answers = [], [], 0, 0, 0, {}
    for _ in range(CALLS):
        for ticket in range(VISITS, VISITS + REDS):
            start, used = time.perf_counter(), time.thread_time()
            answers[ticket] = proposal(d, plan, rows, ticket)
            times.append(time.perf_counter() - start)
            own.append(time.thread_time() - used)
    for ticket, answer in answers.items():
        wrong += unapproved(plan, ticket, answer)
        if answer.options:
            gave_way += bool(answer.options[0].displaced)
            late += answer.options[0].late > 0
    p99 = float(np.percentile(times, 99)) * 1000
    middle = median(times) * 1000
    held = sum(map(len, planned))
    note = (
        f"{held} visits planned; of {REDS} red tickets {gave_way} displace others, "
        f"{late} are late at best"
    )
    figure("insert.p99", p99, "ms", target="<= 1", ok=p99 <= 1, note=note)
    figure("insert.p99_cpu", float(np.percentile(own, 99)) * 1000, "ms")
    figure("insert.median", middle, "ms")
    figure("insert.unapproved", wrong, "reassignments", target="0", ok=wrong == 0)
    if not with_vroom:
        figure("insert.against_pyvroom", None, "x", target=">= 1000", note=MISSING)
        figure("insert.gap", None, "% of driving", note=MISSING)
        return

    again, gaps, moved = [], [], []
    plain = [t for t, a in answers.items() if a.options and not a.options[0].displaced]
    owner = {ticket: k for k, route in enumerate(planned) for ticket in route}
    for ticket in plain[:RESOLVED]:
        problem = vroom_input(d, [*owner, ticket], planned)
        start = time.perf_counter()
        solved = problem.solve(exploration_level=0, nb_threads=2)
        again.append(time.perf_counter() - start)
        theirs = vroom_routes(solved)
        ours = [list(route) for route in planned]
        best = answers[ticket].options[0]
        ours[best.crew] = list(best.route)
        if sum(map(len, theirs)) == sum(map(len, ours)):
            gaps.append(100 * (driven(d, ours) / driven(d, theirs) - 1))
        moved.append(sum(k != owner.get(t, k) for k, route in enumerate(theirs) for t in route))
    ratio = median(again) * 1000 / middle
    figure(
        "insert.against_pyvroom", middle, "ms", baseline=median(again) * 1000, ratio=ratio,
        target=">= 1000", ok=ratio >= 1000,
        note=f"pyvroom moves {median(moved):g} tickets to other crews each time",
    )  # fmt: skip
    figure(
        "insert.gap", median(gaps) if gaps else None, "% of driving",
        note=f"ours over pyvroom's whole plan, {len(gaps)} tickets that both serve",
    )  # fmt: skip


if __name__ == "__main__":
    main()
