"""One ticket into the plans, against every way of doing it tried one by one."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ext import insertion, visits
from tests.unit.ext.insertion_reference import Question, Way, cheapest, made, masks, shortened

seeds = st.integers(0, 2**32)


def question(seed: int) -> Question:
    city, r = made(seed)
    crews = len(city.crews)
    held = [t for route in city.routes for t in route if city.tickets[t]["place"] >= 0]
    ticket = r.choice([0, 0, 0, *held])
    if ticket:  # without a visit nothing may become later, or there is no plan to compare with
        city = shortened(city)
    if urgent := r.random() < 0.7:
        city.tickets[ticket].update(level=0, latest=visits.NEVER, due=r.randint(3, 25))
        city.limit[ticket] = visits.NEVER
    return Question(
        city=city,
        ticket=ticket,
        broken=[r.choice([0, 0, 0, 0, 1, 6]) for _ in range(crews)],
        weights=[r.choice([0, 1, 3, 20]) for _ in insertion.SCORE],
        now=r.randint(0, 20),
        given={
            "continuity": [r.randint(0, 4) for _ in range(crews)],
            "skill": [r.randint(0, 4) for _ in range(crews)],
            "parts": [r.randint(0, 4) for _ in range(crews)],
            "ready": [r.choice([-100, r.randint(0, 70)]) for _ in range(crews)],
        },
        late_step=r.choice([1, 5] if urgent else [0, 1, 5, 30]),
        displace=r.randint(1, 3) if urgent else r.randint(0, 3),
    )


def asked(q: Question, **more: Any) -> insertion.Answer:
    columns: dict[str, Any] = {n: np.array(column, np.int32) for n, column in q.given.items()}
    return insertion.propose(
        q.city.plan(), q.ticket, masks(q.broken), np.array(q.weights, np.int64), now=q.now,
        late_step=q.late_step, displace=q.displace, **columns, **more,
    )  # fmt: skip


def check(q: Question, option: insertion.Option, way: Way) -> None:
    city = q.city
    assert (option.crew, option.position, option.route) == (
        way.crew, way.position, tuple(way.routes[way.crew])
    )  # fmt: skip
    assert (option.arrival, option.start) == (way.arrival, way.start)
    assert option.late == city.late(q.ticket, way.start)
    assert (option.score, option.total) == (tuple(way.score), way.total)
    assert (option.levels, option.unplanned) == (way.levels, way.unplanned)
    assert [(d.ticket, d.to_crew, d.why) for d in option.displaced] == [
        (ticket, -1 if crew is None else crew, why) for ticket, crew, why in way.moves
    ]
    gone = {ticket for ticket, _, _ in way.moves}
    newly, delayed = 0, []
    for ticket, crew, _ in way.moves:
        told = next(d for d in option.displaced if d.ticket == ticket)
        assert (told.crew, told.was) == (way.crew, city.start[ticket])
        assert (told.level, told.state) == tuple(
            city.tickets[ticket][n] for n in ("level", "state")
        )
        was_late = city.late(ticket, city.start[ticket])
        if crew is None:
            assert (told.position, told.start, told.late) == (-1, visits.NEVER, 0)
            newly += city.tickets[ticket]["due"] != visits.NEVER and not was_late
            continue
        place = way.routes[crew].index(ticket)
        start = city.timed(crew, way.routes[crew])[0][place]
        assert (told.position, told.start, told.late) == (place, start, city.late(ticket, start))
        newly += told.late > 0 and not was_late
    for crew, route in way.routes.items():
        if crew != way.crew and crew not in {c for _, c, _ in way.moves}:
            continue
        for ticket, start in zip(route, city.timed(crew, route)[0], strict=True):
            if ticket == q.ticket or ticket in gone:
                continue
            before, now = city.late(ticket, city.start[ticket]), city.late(ticket, start)
            if now > before:
                delayed.append((ticket, crew, city.start[ticket], start, before, now))
                newly += before == 0
    assert sorted(delayed) == sorted(
        (d.ticket, d.crew, d.was, d.start, d.late_before, d.late) for d in option.delayed
    )
    assert option.newly_late == newly


@settings(max_examples=400, deadline=None)
@given(seeds, st.integers(1, 4))
def test_the_best_crews_are_those_that_trying_everything_finds(seed: int, shortlist: int) -> None:
    q = question(seed)
    answer = asked(q, shortlist=shortlist, options=shortlist)
    ways, plain = q.answer(shortlist)
    assert [option.crew for option in answer.options] == [way.crew for way in ways]
    for option, way in zip(answer.options, ways, strict=True):
        with q.waiting(way.crew):
            check(q, option, way)
    for crew, best in enumerate(plain):
        if best is None:
            none = q.broken[crew] or insertion.NO_POSITION
            assert (answer.broken[crew], answer.totals[crew]) == (none, insertion.NONE)
            assert answer.starts[crew] == visits.NEVER
        else:
            assert (answer.broken[crew], answer.totals[crew]) == (0, best.total)
            assert answer.starts[crew] == best.start


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_the_price_of_a_named_crew_and_position(seed: int) -> None:
    q = question(seed)
    plan, weights = q.city.plan(), np.array(q.weights, np.int64)
    for crew in range(len(q.city.crews)):
        given_ = {name: column[crew] for name, column in q.given.items()}
        common: dict[str, Any] = {"now": q.now, "late_step": q.late_step, **given_}
        best = min(q.ways(crew, 0), key=lambda w: w.key, default=None)
        if q.displace and q.late_step and (best is None or best.steps):
            best = min(q.ways(crew, q.displace), key=lambda w: w.key, default=None)
        told = insertion.price(plan, q.ticket, crew, weights, displace=q.displace, **common)
        assert (told is None) == (best is None)
        if told is not None and best is not None:
            q.settle(best)
            with q.waiting(crew):
                check(q, told, best)
        route = q.routes[crew]
        on_site = [i for i, t in enumerate(route) if q.city.tickets[t]["state"] == visits.ON_SITE]
        for position in range(len(route) + 1):
            if position <= max(on_site, default=-1):
                with pytest.raises(ValueError, match="on site"):
                    insertion.price(plan, q.ticket, crew, weights, position=position, **common)
                continue
            there = q.way(crew, position, (), list(range(len(route))))
            told = insertion.price(plan, q.ticket, crew, weights, position=position, **common)
            assert (told is None) == (there is None)
            if told is not None and there is not None:
                q.settle(there)
                with q.waiting(crew):
                    check(q, told, there)


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_a_question_changes_nothing_and_the_chosen_route_holds(seed: int) -> None:
    q = question(seed)
    q.given["ready"] = [-100] * len(q.broken)
    city, plan = q.city, q.city.plan()
    given_: dict[str, Any] = {n: np.array(column, np.int32) for n, column in q.given.items()}

    def ask() -> insertion.Answer:
        return insertion.propose(
            plan, q.ticket, masks(q.broken), np.array(q.weights, np.int64), now=q.now,
            late_step=q.late_step, displace=q.displace, **given_,
        )  # fmt: skip

    first, again = ask(), ask()
    assert [plan.route(k).tolist() for k in range(plan.crews)] == city.routes
    for crew, route in enumerate(city.routes):
        assert plan.starts(crew).tolist() == city.timed(crew, route)[0]
        assert plan.ends_at(crew) == city.timed(crew, route)[1]
    told = [[(o.total, o.route, o.score) for o in answer.options] for answer in (first, again)]
    assert told[0] == told[1]
    for option in first.options:
        gone = [d for d in option.displaced if d.to_crew != option.crew]
        assert len(option.displaced) <= q.displace
        assert not any(d.state == visits.ON_SITE for d in option.displaced)
        assert all(d.level > city.tickets[q.ticket]["level"] for d in option.displaced)
        assert city.holds(option.crew, option.route)
        kept = set(city.routes[option.crew]) - {d.ticket for d in gone}
        assert set(option.route) == kept | {q.ticket}
    if first.options:
        best = first.options[0]
        if plan.crew_of(q.ticket) not in (-1, best.crew):
            old = plan.crew_of(q.ticket)
            plan.set_route(old, np.array(q.routes[old], np.int32))
        plan.set_route(best.crew, np.array(best.route, np.int32))
        position = plan.route(best.crew).tolist().index(q.ticket)
        assert plan.starts(best.crew)[position] == best.start


@settings(max_examples=200, deadline=None)
@given(seeds)
def test_what_a_crew_leaves_behind_when_it_goes_down(seed: int) -> None:
    q = question(seed)
    city, plan = q.city, q.city.plan()
    for crew in range(plan.crews):
        told = insertion.stand_down(plan, crew, np.array(q.weights, np.int64))
        routes = [list(route) for route in city.routes]
        left = [t for t in routes[crew] if city.tickets[t]["place"] >= 0]
        routes[crew] = []
        moves = {}
        for ticket in sorted(left, key=lambda t: (city.tickets[t]["level"], t)):
            to, why, _, _ = cheapest(city, routes, ticket, q.weights, {}, barred=crew)
            moves[ticket] = (-1 if to is None else to, why)
        assert {d.ticket: (d.to_crew, d.why) for d in told} == moves
        for d in told:
            if d.to_crew >= 0:
                place = routes[d.to_crew].index(d.ticket)
                assert d.position == place
                assert d.start == city.timed(d.to_crew, routes[d.to_crew])[0][place]
        assert [plan.route(k).tolist() for k in range(plan.crews)] == city.routes


@settings(max_examples=100, deadline=None)
@given(seeds)
def test_what_taking_a_ticket_out_frees(seed: int) -> None:
    city, _ = made(seed)
    plan = city.plan()
    for crew, route in enumerate(city.routes):
        for ticket in route:
            if city.tickets[ticket]["place"] < 0:
                continue
            rest = [t for t in route if t != ticket]
            drive = city.timed(crew, route)[2] - city.timed(crew, rest)[2]
            assert insertion.release(plan, ticket) == (drive, -city.caused(crew, route, rest))
