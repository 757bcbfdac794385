"""The demo's dispatchers against real processes: reds get crews in time or a named reason, and what
a person has open is left to that person."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from path_house import House

from benchmarks.demo_hour import read, reds
from server.adapters.accounts import add_account, new_source_token
from server.adapters.demo_people import sessions
from server.demo.city import make_city
from server.demo.client import COOKIE, ApiClient
from server.demo.records import Options, Register
from server.demo.register import fill_city
from server.demo.run import OPENING_AT, backfill, live
from server.demo.simulate import Day
from server.settings import Settings
from server.work import run_demo
from server.work.demo import PEOPLE

SMALL = Options(communities=6, buildings=90, households=6000, points=240, crews=20, substations=5)
SEED = 7
PAST_S = 3600
RATE = 20.0
WITHIN_S = 180.0
RED_WORDS = ("主管爆管往外喷水，楼道里全是汽", "入户井盖破了，里面冒汽", "暖气立管跑水，关不住")


@pytest.fixture(scope="module")
def city(own_house: House) -> House:
    """A company in which the demo has lived for an hour, its clock at the opening."""
    for table in ("point", "household", "building", "community", "node", "city"):
        own_house.sql(f"DELETE FROM {table}")
    settings = Settings(data=own_house.data, database_url=own_house.database_url)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("server.work.demo.Options", lambda points: SMALL)
        patch.setattr("server.work.demo.HISTORY_S", PAST_S)
        short = functools.partial(backfill, history_s=PAST_S)
        patch.setattr("server.work.demo.backfill", short)
        run_demo(
            settings, url=own_house.url, company="warm", city="generated", points=240, seed=SEED,
            feed=False, progress=lambda _what, _done: None,
        )  # fmt: skip
    return own_house


@pytest.fixture(scope="module")
def register() -> Register:
    return fill_city(make_city(SEED, SMALL), SEED, SMALL)


def live_until(house: House, register: Register, done: Callable[[], bool]) -> None:
    """The demo goes on as its own process would, until `done`."""

    async def run() -> None:
        dsn = house.database_url
        token = await new_source_token(dsn, "warm", "demo")
        people = await sessions(dsn, house.company, PEOPLE)
        async with ApiClient(house.url, token, sessions=people) as client:
            day = asyncio.create_task(live(client, Day(register, SEED)))
            try:
                async with asyncio.timeout(WITHIN_S):
                    while not await asyncio.to_thread(done):
                        assert not day.done(), day.exception()
                        await asyncio.sleep(0.5)
            finally:
                day.cancel()
                await asyncio.gather(day, return_exceptions=True)

    asyncio.run(run())


def test_crews_and_stores_are_entered_whole(city: House, register: Register) -> None:
    crews = {c["id"]: c for c in city.person.get("/api/crews")["items"]}
    for crew in register.crews:
        told = crews[crew.id]
        assert told["skill"] == crew.skill
        assert sorted(told["territory"]) == sorted(crew.territory)
        assert told["base"]["lon"] == pytest.approx(crew.base_lon)
        assert told["parts"]
        assert told["breaks"]
    stores = city.person.get("/api/stores")["items"]
    assert len(stores) == len(register.stores) >= 2
    assert all(s["free"] for s in stores)


def test_reds_get_a_crew_or_a_reason_and_an_open_ticket_is_left_alone(
    city: House, register: Register
) -> None:
    begin = city.business_now().timestamp()
    city.set_clock(datetime.fromtimestamp(max(begin, OPENING_AT), UTC), RATE)
    begin = city.business_now().timestamp() - 1
    homes = register.buildings[:: len(register.buildings) // 4]

    def ask(words: str, building: str) -> str:
        body = {"source": "phone", "building": building, "words": words, "accepted": True}
        ticket: dict[str, Any] = city.person.ok("/api/requests", body)
        assert ticket["level"] == "red"
        return str(ticket["id"])

    mine = ask(RED_WORDS[0], homes[3].id)
    city.person.ok("/api/presence", {"ticket": mine, "doing": "looking"})
    asked = {ask(words, home.id) for words, home in zip(RED_WORDS, homes, strict=False)}

    def facts() -> list[Any]:
        return asyncio.run(read(city.database_url, city.company))

    def all_settled() -> bool:
        hands = city.person.ok("/api/presence", {"ticket": mine, "doing": "looking"})["hands"]
        assert {h["who"] for h in hands} <= set(PEOPLE)
        found = {r.ticket: r for r in reds(facts(), begin, begin + 7200)}
        return all(found[t].in_time or found[t].reason for t in asked)

    live_until(city, register, all_settled)
    found = {r.ticket: r for r in reds(facts(), begin, begin + 7200)}
    assert any(found[t].in_time for t in asked), found
    given = city.sql(
        "SELECT stream, actor, body::json->>'decision' AS decision FROM journal"
        " WHERE kind = 'ticket_dispatched' AND actor LIKE 'person:%'"
    )
    assert given
    assert all(g["actor"].removeprefix("person:") in PEOPLE for g in given)
    assert any(g["decision"] for g in given)
    assert city.person.get(f"/api/tickets/{mine}")["ticket"]["state"] == "accepted"
    assert {p["name"] for p in city.person.get("/api/people")["items"]} >= set(PEOPLE)


def test_nobody_signs_in_as_the_demos_people(city: House) -> None:
    for name in PEOPLE:
        answer = city.source.http.post("/api/sign-in", json={"user": name, "password": ""})
        assert answer.status_code == 403


def test_a_real_account_of_the_same_name_is_not_taken(city: House) -> None:
    name, password = PEOPLE[0], "a long enough password"
    dsn, company = city.database_url, city.company
    asyncio.run(add_account(dsn, company, name, "manager", password))
    made = asyncio.run(sessions(dsn, company, [name]))
    with httpx.Client(base_url=city.url, cookies={COOKIE: made[name]}) as demo:
        assert demo.get("/api/session").json()["user"] == f"{name}·{company}"
    with httpx.Client(base_url=city.url) as real:
        body = {"user": name, "password": password}
        assert real.post("/api/sign-in", json=body).status_code == 200
        assert real.get("/api/session").json()["role"] == "manager"
