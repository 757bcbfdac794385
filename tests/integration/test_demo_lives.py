"""The demo against real processes: a small city's autumn and its first day, through the API."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from path_house import House

from server.adapters import seeding
from server.demo.records import Options
from server.demo.run import OPENING_AT
from server.settings import Settings, UserError
from server.work import run_demo

SMALL = Options(communities=6, buildings=90, households=6000, points=120, crews=8, substations=5)
SEED = 7


def live(house: House) -> dict[str, Any]:
    settings = Settings(data=house.data, database_url=house.database_url)
    return run_demo(
        settings, url=house.url, company="warm", city="generated", points=SMALL.points, seed=SEED,
        feed=False, progress=lambda _what, _done: None,
    )  # fmt: skip


@pytest.fixture(scope="module")
def city(own_house: House) -> House:
    """A company without anything of its own, in which the demo has lived."""
    for table in ("point", "household", "building", "community", "node", "city"):
        own_house.sql(f"DELETE FROM {table}")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.work.demo.Options", lambda points: SMALL)
        made = live(own_house)
    assert made["buildings"] == 90
    return own_house


def test_the_clock_stands_at_the_opening_and_the_policy_is_harbins(city: House) -> None:
    assert abs(city.business_now().timestamp() - OPENING_AT) < 600
    policy = city.person.get("/api/policy")
    assert policy["origin"] == "harbin/default.toml"
    assert policy["season"] == "2025-2026"


def test_every_application_has_a_trace_that_holds(city: House) -> None:
    summary = city.person.get("/api/suspensions/summary")
    states = summary["states"]
    assert 350 <= states["closed"] <= 560
    assert states["refused"] >= 20
    assert summary["known_late"] == 0
    for state in states:
        listed = city.person.get("/api/suspensions", state=state, limit=3)["items"]
        assert listed
        for a in listed:
            one = city.person.get(f"/api/suspensions/{a['id']}")
            assert one["chain"]["holds"]
            assert one["application"]["state"] == state
            if a["visit"]:
                assert city.person.get(f"/api/visits/{a['visit']}")["chain"]["holds"]
    stopped = city.sql(
        "SELECT count(*) FROM household_standing s JOIN application a"
        " USING (company_id, application_id) WHERE s.service <> 'heated' AND a.state = 'closed'"
    )
    assert stopped[0][0] > 300


def test_contradictions_of_each_kind_are_found(city: House) -> None:
    page = city.person.get("/api/contradictions")
    assert page["scan"]["by"] == "source:demo"
    assert all(3 <= n <= 12 for n in page["by_kind"].values()), page["by_kind"]
    assert len(page["by_kind"]) == 4


def test_calls_attach_and_addresses_wait_for_a_person(city: House) -> None:
    tickets = city.sql("SELECT source, reports, household_id, level FROM ticket")
    assert {"phone", "app", "wechat", "hotline_12345"} <= {t["source"] for t in tickets}
    assert sum(t["reports"] for t in tickets) > 1.1 * len(tickets)
    levels = Counter(t["level"] for t in tickets)
    assert levels["red"] < levels["yellow"] < levels["blue"]
    waiting = city.person.get("/api/address-questions", answered="false")["items"]
    assert len(waiting) <= 8
    cases = city.person.get("/api/cases")["items"]
    assert cases
    assert {c["origin"] for c in cases} <= {"hotline_12345", "property_firm"}


def test_a_second_start_doubles_nothing_and_other_data_is_not_mixed_with(city: House) -> None:
    def counted() -> list[int]:
        tables = ("household", "application", "household_standing", "photo", "contradiction")
        return [city.sql(f"SELECT count(*) FROM {t}")[0][0] for t in tables]

    before = counted()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.work.demo.Options", lambda points: SMALL)
        live(city)
        assert counted() == before
        city.sql("DELETE FROM demo_run")
        with pytest.raises(UserError) as refused:
            live(city)
    assert refused.value.code == "demo_refused"
    assert seeding.STANDARD.points == 2400
