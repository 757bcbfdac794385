"""More than usual in one moment: a whole city cold, batches that waited for a core, a burst of
requests for numbers."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

import pytest
from path_house import BUILDINGS, House, eventually, run
from path_work import batch, receive

from server.adapters.numbers import BLOCK, Numbers
from server.adapters.pool import Pool

MANY = 12_000
"""More than the locks that a PostgreSQL of 100 connections holds."""


@pytest.fixture(scope="module")
def city(own_house: House) -> House:
    own_house.sql(
        "INSERT INTO point SELECT $1, 'M-' || n, NULL, $2 FROM generate_series(1, $3::int) AS n",
        own_house.company,
        BUILDINGS[0],
        MANY,
    )
    return own_house


def now(house: House) -> int:
    return int(house.business_now().timestamp())


def on_the_wall(house: House, like: str) -> int:
    rows = house.sql("SELECT count(*) FROM layer_row WHERE topic = 'rooms' AND key LIKE $1", like)
    return int(rows[0][0])


def test_a_whole_city_turns_cold_and_warm_again(city: House) -> None:
    at = now(city) - 60
    for later, celsius, alarms in ((0, 15.0, MANY), (1, 21.0, 0)):
        items = [
            {"point": f"M-{n}", "read_at": at + later, "celsius": celsius}
            for n in range(1, MANY + 1)
        ]
        assert batch(city.source, "room-readings", *items) == {"accepted": MANY, "refused": []}
        eventually(
            lambda alarms=alarms: on_the_wall(city, "M-%") == alarms,  # type: ignore[misc]
            f"{alarms} alarms",
        )
    facts = city.sql("SELECT kind, count(*) FROM journal WHERE stream LIKE 'point:M-%' GROUP BY 1")
    assert {r[0]: r[1] for r in facts} == {"room_alarm_raised": MANY, "room_alarm_cleared": MANY}


def test_readings_that_waited_for_a_core_are_decided_and_not_merely_known(city: House) -> None:
    at = now(city) - 50
    batch(city.source, "room-readings", {"point": "RT-01", "read_at": at, "celsius": 21.0})
    eventually(
        lambda: not city.sql("SELECT FROM telemetry_batch WHERE NOT taken"), "the core has it"
    )
    city.cores[-1].kill()
    for later, point in ((1, "RT-01"), (2, "RT-02")):
        reading = {"point": point, "read_at": at + later, "celsius": 16.0}
        batch(city.source, "room-readings", reading)
    city.core()
    eventually(lambda: on_the_wall(city, "RT-0%") == 2, "both alarms after the take-over")


def test_a_burst_takes_blocks_of_numbers_one_by_one(city: House) -> None:
    async def burst() -> list[str]:
        pool = Pool(city.app_url)
        try:
            numbers = Numbers(pool)
            moment = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)
            wanted = (numbers.next(city.company, moment) for _ in range(3 * BLOCK + 1))
            return await asyncio.gather(*wanted)
        finally:
            await pool.close()

    def last() -> int:
        return int(city.sql("SELECT last_value FROM ticket_number")[0][0])

    receive(city.source)  # the first number of all leaves `last_value` where it was
    before = last()
    given = run(burst())
    assert len(set(given)) == 3 * BLOCK + 1
    assert last() - before == 4 * BLOCK
