"""Visits: grouped by riser, joined, missed, made; no household is lost on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dispatch_core.errors import Refused
from dispatch_core.ids import ApplicationId, HouseholdId, Place, VisitId
from dispatch_core.suspensions import RecordResults, Result, Visit, visits
from dispatch_core.suspensions.visits import OpenVisit, Waiting

PLACE = Place(
    building=None, lon=126.6, lat=45.7, address="和平路 5 号", community=None, district=None
)


def waits(
    name: str, *risers: str, building: str = "B", unit: int = 1, due_at: int = 100,
    direction: Any = "close", visits: int = 0,
) -> Waiting:  # fmt: skip
    return Waiting(
        application=ApplicationId(name), household=HouseholdId(f"H{name}"), direction=direction,
        building=building, unit=unit, risers=list(risers), place=PLACE, due_at=due_at,
        visits=visits,
    )  # fmt: skip


def grouped(*waiting: Waiting, there: tuple[OpenVisit, ...] = ()) -> dict[str, str]:
    """visit -> its applications."""
    return {
        p.visit: "".join(w.application for w in p.applications) for p in visits.plan(waiting, there)
    }


def test_risers_chain_flats_together() -> None:
    found = grouped(waits("a", "1", "2"), waits("b", "3"), waits("c", "2", "3"), waits("d", "4"))
    assert found == {"a-1": "abc", "d-1": "d"}


def test_neither_buildings_nor_units_nor_directions_mix() -> None:
    found = grouped(
        waits("a", "1"), waits("b", "1", unit=2), waits("c", "1", building="C"),
        waits("d", "1", direction="open"),
    )  # fmt: skip
    assert sorted(found.values()) == ["a", "b", "c", "d"]


def test_flats_without_a_riser_go_by_their_unit() -> None:
    assert grouped(waits("a"), waits("b"), waits("c", "1")) == {"a-1": "ab", "c-1": "c"}


def test_an_open_visit_is_joined_the_earliest_first_and_once() -> None:
    def there(name: str, due_at: int, *risers: str) -> OpenVisit:
        return OpenVisit(
            visit=VisitId(name), direction="close", building="B", unit=1, risers=list(risers),
            due_at=due_at,
        )  # fmt: skip

    open_visits = (there("late", 90, "1", "2", "3"), there("soon", 50, "1"))
    found = grouped(waits("a", "1"), waits("b", "2"), waits("c", "3"), there=open_visits)
    assert found == {"soon": "a", "late": "bc"}


def test_a_second_visit_has_another_name() -> None:
    assert grouped(waits("a", "1", visits=1)) == {"a-2": "a"}


def grown(visit: Visit | None, events: Any, at: int = 0) -> Visit:
    for event in events:
        visit = visits.apply(visit, event, at)
    assert visit is not None
    return visit


def test_it_is_due_when_its_first_application_is() -> None:
    visit = grown(None, [visits.planned([waits("a", "1", due_at=80), waits("b", "1", due_at=70)])])
    assert visit.due_at == 70
    visit = grown(visit, visits.joined(visit, [waits("c", "2", due_at=60), waits("d", "1")]))
    assert (visit.due_at, visit.risers, len(visit.calls)) == (60, ["1", "2"], 4)


def test_who_was_given_back_and_comes_again_is_visited_like_anybody() -> None:
    visit = grown(None, [visits.planned([waits("a", "1"), waits("b", "1")])])

    def results(outcome: Any) -> tuple[Any, list[ApplicationId]]:
        told = [Result(application=ApplicationId("a"), outcome=outcome)]
        command = RecordResults(version=visit.version, by="x", results=told)
        return visits.record(visit, "V", command, 1)

    events, back = results("nobody_home")
    visit = grown(visit, events)
    assert back == ["a"]
    visit = grown(visit, visits.joined(visit, [waits("a", "1", visits=1)]))
    assert [(c.application, c.state, c.misses) for c in visit.calls] == [
        ("b", "waiting", 0), ("a", "waiting", 0),
    ]  # fmt: skip
    events, back = results("closed")
    visit = grown(visit, events)
    assert ([c.state for c in visit.calls], back) == (["waiting", "done"], [])


Outcomes = st.sampled_from(
    ["closed", "sealed", "nobody_home", "no_valve_found", "entry_refused", "other", "open", "leave"]
)


@settings(max_examples=300)
@given(st.lists(st.tuples(st.integers(0, 4), Outcomes), max_size=30))
def test_it_is_made_exactly_when_nobody_waits(steps: list[tuple[int, Any]]) -> None:
    names = [ApplicationId(n) for n in "abcd"]
    visit = grown(None, [visits.planned([waits(n, "1") for n in names])])
    back: list[str] = []
    for who, outcome in steps:
        name = [*names, ApplicationId("nobody")][who]
        before = visit
        try:
            if outcome == "leave":
                events: Any = visits.left(visit, name, "x")
            else:
                results = [Result(application=name, outcome=outcome)]
                command = RecordResults(version=visit.version, by="x", results=results)
                events, given_back = visits.record(visit, "V", command, 3)
                back += given_back
        except Refused:
            continue
        visit = grown(visit, events, 5)
        waiting = [c for c in visit.calls if c.state in ("waiting", "missed")]
        assert (visit.made_at is not None) == (not waiting)
        assert [c.application for c in visit.calls] == names
        assert all(c.misses < 3 for c in waiting)
        over = {c.application: c.state for c in before.calls if c.state in ("done", "left")}
        assert all(c.state == over.get(c.application, c.state) for c in visit.calls)
    assert len(back) == len(set(back))
    assert {c.application for c in visit.calls if c.misses == 3} == set(back)


@pytest.mark.parametrize(
    ("results", "code"),
    [
        ([], "no_results"),
        ([("z", "closed")], "not_on_visit"),
        ([("a", "closed"), ("a", "closed")], "twice_on_visit"),
        ([("a", "open")], "valve_does_not_fit"),
    ],
)
def test_results_that_do_not_fit(results: list[tuple[str, Any]], code: str) -> None:
    visit = grown(None, [visits.planned([waits("a", "1")])])
    told = [Result(application=ApplicationId(a), outcome=o) for a, o in results]
    with pytest.raises(Refused) as refused:
        visits.record(visit, "V", RecordResults(version=1, by="x", results=told), 3)
    assert refused.value.code == code


def test_another_who_reported_meanwhile_is_seen() -> None:
    visit = grown(None, [visits.planned([waits("a", "1"), waits("b", "1")])])
    first = RecordResults(
        version=1, by="x", results=[Result(application=ApplicationId("a"), outcome="closed")]
    )
    visit = grown(visit, visits.record(visit, "V", first, 3)[0])
    with pytest.raises(Refused) as refused:
        visits.record(visit, "V", first, 3)
    assert refused.value.code == "version_conflict"
