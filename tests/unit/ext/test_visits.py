"""The plan's arrays: what is kept, what is timed anew, and what is refused."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from ext import assignment, insertion, visits
from tests.unit.ext.insertion_reference import made

TICKET = (0, 10, 0, visits.NEVER, visits.NEVER, 1, 1, 0, 2, 0, 0, -1)
CREW = (0, 0, -1, 500, 0)
WEIGHTS = np.ones(len(insertion.SCORE), np.int64)


def travel() -> visits.Travel:
    return visits.Travel.of_matrix(np.array([[0, 5, 9], [5, 0, 4], [7, 4, 0]], np.int32))


def tickets(*rows: dict[str, int]) -> NDArray[np.void]:
    made_ = np.array([TICKET] * len(rows), visits.TICKET)
    for i, row in enumerate(rows):
        for name, figure in row.items():
            made_[name][i] = figure
    return made_


def crews(*rows: dict[str, int]) -> NDArray[np.void]:
    made_ = np.array([CREW] * len(rows), visits.CREW)
    for i, row in enumerate(rows):
        for name, figure in row.items():
            made_[name][i] = figure
    return made_


def everyone(n: int) -> NDArray[np.uint64]:
    return np.ones((n, 1), np.uint64)


def line(*numbers: int) -> NDArray[np.int32]:
    return np.array(numbers, np.int32)


@settings(deadline=None)
@given(st.integers(0, 2**32))
def test_routes_are_timed_as_plain_python_times_them(seed: int) -> None:
    city, r = made(seed)
    plan = city.plan()
    for crew, route in enumerate(city.routes):
        starts, end, _ = city.timed(crew, route)
        assert (plan.route(crew).tolist(), plan.starts(crew).tolist()) == (route, starts)
        assert plan.ends_at(crew) == end
        assert all(plan.crew_of(ticket) == crew for ticket in route)
    ticket, crew = r.randrange(len(city.tickets)), r.randrange(len(city.crews))
    city.tickets[ticket].update(service=r.randint(0, 40), earliest=r.randint(0, 90))
    city.crews[crew].update(free_at=r.randint(0, 90))
    plan.put_ticket(
        ticket, np.array([tuple(city.tickets[ticket].values())], visits.TICKET),
        np.zeros(1, np.uint64),
    )  # fmt: skip
    plan.put_crew(crew, np.array(tuple(city.crews[crew].values()), visits.CREW))
    for k, route in enumerate(city.routes):
        assert plan.starts(k).tolist() == city.timed(k, route)[0]


def test_a_break_is_taken_where_the_crew_is() -> None:
    plan = visits.Plan(
        travel(), tickets({"place": 1}, {"place": -1, "level": 0, "service": 30}, {"place": 2}),
        crews({}), everyone(3),
    )  # fmt: skip
    plan.set_route(0, line(0, 1, 2))
    assert plan.starts(0).tolist() == [5, 15, 49]
    plan.set_route(0, line(1, 0, 2))
    assert plan.starts(0).tolist() == [0, 35, 49]


def test_a_moved_place_and_a_new_matrix_row_count_once_retimed() -> None:
    spots = assignment.micro_degrees(np.array([126.6, 126.7]), np.array([45.7, 45.7]))
    ways = visits.Travel.of_places(spots, 7000, 1350)
    pace = np.full(2, 7000, np.int32)
    table = assignment.travel_seconds(spots, spots, pace, 1350)
    assert ways.seconds(0, 1) == table[0, 1] > 0
    plan = visits.Plan(ways, tickets({"place": 1}), crews({}), everyone(1))
    plan.set_route(0, line(0))
    assert plan.starts(0).tolist() == [table[0, 1]]
    ways.put(1, int(spots[0, 0]), int(spots[0, 1]))
    plan.retime()
    assert plan.starts(0).tolist() == [0]
    matrix = travel()
    matrix.put_seconds(1, line(6, 0, 8), line(2, 0, 3))
    assert [matrix.seconds(a, b) for a, b in ((1, 0), (1, 2), (0, 1), (2, 1))] == [6, 8, 2, 3]
    plan = visits.Plan(matrix, tickets({"place": 1}), crews({}), everyone(1))
    answer = insertion.propose(plan, 0, np.zeros(1, np.uint32), WEIGHTS, now=0)
    assert (answer.options[0].drive, answer.options[0].score[0]) == (2, 2)


def test_coordinates_and_their_matrix_give_one_answer() -> None:
    r = np.random.default_rng(11)
    spots = assignment.micro_degrees(126 + r.random(60), 45 + r.random(60))
    table = assignment.travel_seconds(spots, spots, np.full(60, 8000, np.int32), 1300)
    rows = tickets(*({"place": 10 + i, "due": 3000, "level": i % 3} for i in range(50)))
    team = crews(*({"place": i, "end_at": 40_000} for i in range(10)))
    answers = []
    for ways in (visits.Travel.of_matrix(table), visits.Travel.of_places(spots, 8000, 1300)):
        plan = visits.Plan(ways, rows, team, np.full((50, 1), 1023, np.uint64))
        for crew in range(10):
            plan.set_route(crew, np.arange(1 + crew, 50, 10, dtype=np.int32))
        answer = insertion.propose(
            plan, 0, np.zeros(10, np.uint32), WEIGHTS, now=0, displace=2, options=6
        )
        answers.append([(o.crew, o.total, o.route, o.score) for o in answer.options])
    assert answers[0] == answers[1]
    assert len(answers[0]) == 6


def test_long_routes_find_room_and_too_long_ones_are_refused() -> None:
    plan = visits.Plan(travel(), tickets(*[{}] * 402), crews({}, {}), everyone(402))
    plan.set_route(1, line(401))
    plan.set_route(0, np.arange(400, dtype=np.int32))
    assert plan.route(0).tolist() == list(range(400))
    assert plan.starts(0)[-1] == 3990
    assert plan.starts(1).tolist() == [0]
    answer = insertion.propose(plan, 400, np.zeros(2, np.uint32), WEIGHTS, now=0)
    assert [o.crew for o in answer.options] == [1]
    assert answer.broken.tolist() == [insertion.NO_POSITION, 0]
    with pytest.raises(ValueError, match="at most 400"):
        plan.set_route(0, np.arange(401, dtype=np.int32))
    assert plan.route(0).tolist() == list(range(400))


def test_nothing_is_found_where_there_is_nobody_or_nobody_may() -> None:
    nobody = visits.Plan(travel(), tickets({}), crews(), np.zeros((1, 0), np.uint64))
    answer = insertion.propose(nobody, 0, np.zeros(0, np.uint32), WEIGHTS, now=0, displace=2)
    assert (answer.options, len(answer.broken)) == ((), 0)
    plan = visits.Plan(travel(), tickets({}), crews({"end_at": -1}, {}), everyone(1))
    answer = insertion.propose(plan, 0, np.array([0, 4], np.uint32), WEIGHTS, now=0, displace=2)
    assert answer.options == ()
    assert answer.broken.tolist() == [insertion.NO_POSITION, 4]
    assert insertion.price(plan, 0, 0, WEIGHTS, now=0, displace=2) is None
    assert insertion.stand_down(plan, 0, WEIGHTS) == ()


@pytest.mark.parametrize(
    ("table", "names"),
    [
        ("ticket", {"place": 3}), ("ticket", {"place": -1}), ("ticket", {"service": -1}),
        ("ticket", {"earliest": visits.HORIZON + 1}), ("ticket", {"latest": visits.NEVER + 1}),
        ("ticket", {"due": -visits.HORIZON - 1}), ("ticket", {"weight": 10_001}),
        ("ticket", {"urgency": -1}), ("ticket", {"impact": -1}), ("ticket", {"level": 8}),
        ("ticket", {"state": 4}), ("ticket", {"churn": -1}), ("ticket", {"before": 1}),
        ("crew", {"place": -1}), ("crew", {"home": 3}), ("crew", {"free_at": visits.NEVER}),
        ("crew", {"end_at": -visits.NEVER}), ("crew", {"fixed": -1}),
    ],
)  # fmt: skip
def test_figures_out_of_range_are_refused(table: str, names: dict[str, int]) -> None:
    plan = visits.Plan(travel(), tickets({}), crews({}), everyone(1))
    one, team = tickets({}), crews({})
    for name, figure in names.items():
        (one if table == "ticket" else team)[name] = figure
    with pytest.raises(ValueError, match="out of range"):
        visits.Plan(travel(), one, team, everyone(1))
    if table == "ticket":
        with pytest.raises(ValueError, match="out of range"):
            plan.put_ticket(0, one, np.ones(1, np.uint64))
    else:
        with pytest.raises(ValueError, match="out of range"):
            plan.put_crew(0, team)


def test_routes_that_cannot_be_are_refused() -> None:
    plan = visits.Plan(travel(), tickets({}, {}, {}), crews({}, {}), everyone(3))
    plan.set_route(0, line(0, 1))
    for crew, route, says in (
        (1, line(2, 1), "another crew"), (0, line(0, 0), "twice"), (0, line(3), "no such ticket"),
        (0, line(-1), "no such ticket"), (2, line(2), "no such crew"), (-1, line(), "no such crew"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=says):
            plan.set_route(crew, route)
    assert (plan.route(0).tolist(), plan.route(1).tolist()) == ([0, 1], [])
    plan.set_route(0, line(1))
    assert plan.crew_of(0) == -1
    plan.set_route(1, line(0))


def test_arrays_of_another_kind_are_refused() -> None:
    rows, team = tickets({}), crews({})
    made_: list[tuple[Any, ...]] = [
        (team, team, everyone(1)),
        (rows, rows, everyone(1)),
        (rows, team, everyone(2)),
        (rows, team, np.ones((1, 2), np.uint64)),
    ]
    for columns in made_:
        with pytest.raises(ValueError, match=r"TICKET|a row per ticket"):
            visits.Plan(travel(), *columns)
    plan = visits.Plan(travel(), rows, team, everyone(1))
    with pytest.raises(ValueError, match="no such ticket"):
        plan.put_ticket(1, rows, np.ones(1, np.uint64))
    with pytest.raises(ValueError, match="no such crew"):
        plan.put_crew(1, team)
    for bad in ([[0, -1], [0, 0]], [[0, 604_801], [0, 0]], [[0, 1]]):
        with pytest.raises(ValueError, match=r"a travel time|a matrix"):
            visits.Travel.of_matrix(np.array(bad, np.int32))
    with pytest.raises(ValueError, match="no coordinates"):
        travel().put(0, 1, 1)
    with pytest.raises(ValueError, match="no such place"):
        travel().seconds(0, 3)
    with pytest.raises(ValueError, match="to and from each place"):
        travel().put_seconds(0, line(1), line(1))


def test_questions_that_do_not_fit_are_refused() -> None:
    plan = visits.Plan(travel(), tickets({}, {"place": -1, "level": 0}), crews({}), everyone(2))
    free = np.zeros(1, np.uint32)
    wrong: list[tuple[tuple[Any, ...], dict[str, Any]]] = [
        ((2, free, WEIGHTS), {}),
        ((-1, free, WEIGHTS), {}),
        ((1, free, WEIGHTS), {}),
        ((0, np.zeros(2, np.uint32), WEIGHTS), {}),
        ((0, free, WEIGHTS[:9]), {}),
        ((0, free, -WEIGHTS), {}),
        ((0, free, WEIGHTS * 10_001), {}),
        ((0, free, WEIGHTS), {"displace": 9}),
        ((0, free, WEIGHTS), {"late_step": -1}),
        ((0, free, WEIGHTS), {"options": 7}),
        ((0, free, WEIGHTS), {"options": 0}),
        ((0, free, WEIGHTS), {"skill": line(1, 2)}),
    ]
    for columns, more in wrong:
        with pytest.raises(ValueError, match=r"\w"):
            insertion.propose(plan, *columns, now=0, **more)
    with pytest.raises(ValueError, match="horizon"):
        insertion.propose(plan, 0, free, WEIGHTS, now=visits.NEVER)
    for crew, position in ((1, -1), (-1, -1), (0, 1)):
        with pytest.raises(ValueError, match="no such"):
            insertion.price(plan, 0, crew, WEIGHTS, now=0, position=position)
    with pytest.raises(ValueError, match="nobody has"):
        insertion.release(plan, 0)
    with pytest.raises(ValueError, match="no such crew"):
        insertion.stand_down(plan, 1, WEIGHTS)
    assert insertion.propose(plan, 0, free, WEIGHTS, now=0).options[0].crew == 0
