"""What the core makes of batches and of time, on a business clock that the tests move."""

from __future__ import annotations

import signal
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from path_day import engine_round
from path_house import COMMUNITIES, HOUSEHOLDS, House, eventually, run
from path_screen import Screen
from path_work import batch, carry, crew_on_duty, fix, receive, step

T0 = datetime(2026, 1, 14, 4, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def town(own_house: House) -> House:
    own_house.set_clock(T0)
    return own_house


@pytest.fixture(scope="module")
def wall(town: House) -> Screen:
    return Screen(town.person.http).open(town.url).loaded()


def now(town: House) -> int:
    return int(town.business_now().timestamp())


def seen(wall: Screen, ticket: str) -> dict[str, Any]:
    """The ticket's row on the wall; empty while there is none."""
    row: dict[str, Any] = wall.rows("tickets").get(ticket, {})
    return row


def pass_time(town: House, **by: float) -> int:
    """Move the business clock forward; the new time."""
    town.set_clock(town.business_now() + timedelta(**by))
    return now(town)


def facts(town: House, stream: str, *kinds: str) -> list[str]:
    rows = town.sql("SELECT kind FROM journal WHERE stream = $1 ORDER BY version", stream)
    return [r[0] for r in rows if not kinds or r[0] in kinds]


def read_room(town: House, celsius: float, at: int) -> None:
    assert (
        batch(town.source, "room-readings", {"point": "RT-01", "read_at": at, "celsius": celsius})[
            "accepted"
        ]
        == 1
    )


def test_a_cold_room_raises_an_alarm_that_clears_with_a_margin(town: House, wall: Screen) -> None:
    at = now(town) - 500
    read_room(town, 17.9, at)
    wall.until(lambda: "RT-01" in wall.rows("rooms"), "the cold room is on the wall")
    row = wall.rows("rooms")["RT-01"]
    assert (row["celsius"], row["bound_c"], row["since"], row["building"]) == (
        17.9,
        18.0,
        at,
        "B01",
    )
    assert (row["substation"], row["community"]) == ("S1", "K1")
    wall.until(lambda: wall.rows("figures").get("rooms", {}).get("below") == 1, "it is counted")
    for step_s, celsius in ((1, 18.1), (2, 18.4), (3, 17.2)):
        read_room(town, celsius, at + step_s)
    wall.until(
        lambda: wall.rows("rooms").get("RT-01", {}).get("celsius") == 17.2,
        "below the margin it stays",
    )
    assert wall.rows("rooms")["RT-01"]["since"] == at
    read_room(town, 25.0, at - 60)  # older than what is known
    read_room(town, 120.0, at + 4)  # no room is so warm: a sensor's fault
    read_room(town, 18.5, at + 5)
    wall.until(lambda: "RT-01" not in wall.rows("rooms"), "at the bound and margin it clears")
    told = facts(town, "point:RT-01")
    assert (told[0], told[-1], told.count("room_alarm_raised")) == (
        "room_alarm_raised",
        "room_alarm_cleared",
        1,
    )
    read_room(town, 18.0, at + 6)
    read_room(town, 17.99, at + 7)
    wall.until(lambda: "RT-01" in wall.rows("rooms"), "a new alarm rises below the bound")
    assert wall.rows("rooms")["RT-01"]["since"] == at + 7


def test_low_supply(town: House, wall: Screen) -> None:
    at = now(town) - 500
    for n, (supply, low) in enumerate(
        ((71.0, False), (59.9, True), (60.5, True), (61.0, False), (60.0, False))
    ):
        batch(
            town.source,
            "network-readings",
            {"node": "S1", "read_at": at + n, "supply_c": supply, "return_c": 40},
        )
        wall.until(
            lambda s=supply: wall.rows("network")["S1"]["supply_c"] == s,
            f"supply {supply} is shown",
        )
        assert wall.rows("network")["S1"]["low"] is low, supply
    wall.until(
        lambda: wall.rows("figures").get("supply", {}).get("reporting") == 1, "the figure counts it"
    )


def test_weather(town: House, wall: Screen) -> None:
    at = now(town)
    batch(
        town.source, "weather", {"observed_at": at - 60, "outdoor_c": -27.4, "wind_mps": 6.1},
        {"observed_at": at - 600, "outdoor_c": 3.0}, cadence_s=300,
    )  # fmt: skip
    wall.until(
        lambda: wall.rows("figures").get("weather", {}).get("outdoor_c") == -27.4,
        "the weather is shown",
    )
    batch(town.source, "weather", {"observed_at": at - 900, "outdoor_c": 9.0})
    receive(town.person, source="after_weather")
    wall.until(lambda: "after_weather" in str(wall.rows("tickets")), "a later fact is shown")
    assert wall.rows("figures")["weather"]["outdoor_c"] == -27.4, "older weather changes nothing"
    wall.until(
        lambda: wall.last_tick["topics"]["figures"]["cadence_s"] == 300,
        "the promised cadence is told",
    )
    heard = wall.last_tick["topics"]["figures"]["source_at"]
    assert abs(heard - wall.last_tick["server_time"]) < 60


def mention(n: int, at: int, value: float, topic: str = "not_warm") -> dict[str, Any]:
    return {
        "id": f"m{n}",
        "said_at": at,
        "value": value,
        "topic": topic,
        "channel": "weibo",
        "community": "K1",
    }


def test_mentions_make_a_mood_and_a_spike(town: House, wall: Screen) -> None:
    at = now(town) - 60
    batch(
        town.source,
        "mentions",
        mention(0, at, 0.5, "praise"),
        mention(1, at, -0.7),
        mention(2, at, -0.5, "billing"),
    )
    wall.until(
        lambda: wall.rows("sentiment").get("K1", {}).get("mentions") == 3, "the community is shown"
    )
    row = wall.rows("sentiment")["K1"]
    assert (row["negative"], row["spike"], row["mean_value"]) == (2, False, -0.23)
    batch(town.source, "mentions", *(mention(n, at, -0.9) for n in range(10, 17)))
    run(engine_round(town))
    wall.until(lambda: wall.rows("sentiment")["K1"]["spike"], "a spike")
    assert wall.rows("sentiment")["K1"]["top_topic"] == "not_warm"
    assert facts(town, "community:K1", "spike_started") == ["spike_started"]
    pass_time(town, hours=3, minutes=5)
    run(engine_round(town))
    wall.until(
        lambda: not wall.rows("sentiment").get("K1", {"spike": False})["spike"],
        "three hours later it is over",
    )
    assert facts(town, "community:K1", "spike_started", "spike_ended") == [
        "spike_started",
        "spike_ended",
    ]
    assert COMMUNITIES[1] not in wall.rows("sentiment")


def owe(town: House, who: list[str], fen: int) -> None:
    time.sleep(1.1)  # what changes within the second of a round counts for that round
    at = now(town)
    rows = [{"household": h, "balance_at": at, "unpaid_fen": fen} for h in who]
    assert batch(town.source, "account-balances", *rows)["accepted"] == len(who)


def rounds(town: House) -> int:
    return int(
        town.sql("SELECT coalesce(max(extract(epoch FROM at)), 0)::bigint FROM arrears_round")[0][0]
    )


def next_round(town: House) -> None:
    before = rounds(town)
    pass_time(town, minutes=16)
    run(engine_round(town))  # the core's own comes every 20 s; whoever is first holds it
    eventually(lambda: rounds(town) > before, "a round of the map")


def see_all(town: House, wall: Screen) -> None:
    """The wall has everything that was committed before."""
    mark = receive(town.person, level="blue")["id"]
    wall.until(lambda: mark in wall.rows("tickets"), "a later ticket is shown")


def test_arrears_show_only_what_stands_for_enough_households(town: House, wall: Screen) -> None:
    # 40 households share a cell, the others are alone in theirs.
    owe(town, HOUSEHOLDS[50:55], 5000)
    owe(town, HOUSEHOLDS[4:40], 0)
    owe(town, HOUSEHOLDS[:4], 5000)
    next_round(town)
    see_all(town, wall)
    assert wall.rows("arrears") == {}, "four in arrears are too few"
    owe(town, HOUSEHOLDS[4:6], 5000)
    next_round(town)
    see_all(town, wall)
    assert wall.rows("arrears") == {}, "two changed: not looked at again"
    owe(town, HOUSEHOLDS[6:10], 5000)
    next_round(town)
    wall.until(lambda: wall.rows("arrears"), "ten of forty are shown")
    (key, row), = wall.rows("arrears").items()  # fmt: skip
    assert (row["band"], row["size_m"], key.split(":")[0]) == (4, 100, "100")
    assert set(row) == {"size_m", "west", "south", "east", "north", "band", "published_at"}, (
        "no sum, no count"
    )
    assert row["west"] <= 126.63 < row["east"]
    shown = row["published_at"]
    owe(town, HOUSEHOLDS[:9], 0)
    owe(town, HOUSEHOLDS[9:10], 99)
    run(engine_round(town))
    see_all(town, wall)
    assert wall.rows("arrears")[key]["published_at"] == shown, "nothing between the rounds"
    next_round(town)
    wall.until(lambda: key not in wall.rows("arrears"), "one left in arrears: hidden")


def test_crew_positions(town: House, wall: Screen) -> None:
    crew, at = crew_on_duty(town, "POS1"), now(town)
    batch(
        town.source,
        "crew-positions",
        fix(crew, at, heading_deg=90.0),
        fix(crew, at - 30, lon=126.637),
    )
    wall.until(lambda: crew in wall.rows("positions"), "the crew is on the map")
    row = wall.rows("positions")[crew]
    assert (row["lon"], row["heading_deg"], row["fixed_at"]) == (126.64, 90.0, at)
    batch(town.source, "crew-positions", fix(crew, at - 10, lon=126.639))
    batch(town.source, "crew-positions", fix(crew, at + 2, lon=126.7))
    batch(town.source, "crew-positions", fix(crew, at + 1, lon=126.6402))
    wall.until(lambda: wall.rows("positions")[crew]["lon"] == 126.6402, "the newest good one")


def test_a_position_is_lost_and_found(town: House, wall: Screen) -> None:
    crew, at = crew_on_duty(town, "POS2"), now(town)
    batch(town.source, "crew-positions", fix(crew, at))
    wall.until(lambda: wall.rows("positions").get(crew, {}).get("fixed_at") == at, "a fix")
    assert not wall.rows("crews")[crew]["position_lost"]
    pass_time(town, minutes=6)
    wall.until(lambda: wall.rows("crews")[crew]["position_lost"], "the position is lost")
    assert abs(wall.rows("crews")[crew]["position_lost_since"] - at) < 60
    assert facts(town, f"crew:{crew}", "position_lost") == ["position_lost"]
    batch(town.source, "crew-positions", fix(crew, now(town)))
    wall.until(lambda: not wall.rows("crews")[crew]["position_lost"], "it is back")
    both = facts(town, f"crew:{crew}", "position_lost", "position_regained")
    assert both == ["position_lost", "position_regained"]

    def lines() -> list[str]:
        ring = wall.rows("happenings").values()
        return sorted(h["what"] for h in ring if h["stream"] == f"crew:{crew}")

    wall.until(lambda: lines() == ["position_lost", "position_regained"], "both are told")


WARNINGS = ("deadline_near", "deadline_passed", "lost_contact")


def test_deadlines_are_told_exactly_once_across_a_restart_of_the_core(
    town: House, wall: Screen
) -> None:
    ticket = receive(town.person, level="red")
    stream = f"ticket:{ticket['id']}"
    pass_time(town, minutes=16)
    wall.until(lambda: seen(wall, ticket["id"]).get("near"), "the node warning")
    assert facts(town, stream, *WARNINGS) == ["deadline_near"] * 2, "first contact and respond"
    town.cores[-1].signal(signal.SIGKILL)
    pass_time(town, minutes=15)
    town.core()
    wall.until(lambda: seen(wall, ticket["id"]).get("overdue"), "overdue, told by the next core")
    town.cores[-1].signal(signal.SIGKILL)
    town.core()
    row = wall.rows("tickets")[ticket["id"]]
    assert row["overdue_since"] == ticket["received_at"] + 1800
    pass_time(town, minutes=5)
    later = receive(town.person, level="red")
    wall.until(lambda: later["id"] in wall.rows("tickets"), "the third core folds")
    time.sleep(2.5)
    expected = ["deadline_near", "deadline_near", "deadline_passed", "deadline_passed"]
    assert facts(town, stream, *WARNINGS) == expected
    listed = town.person.get("/api/tickets", overdue=True)["items"]
    assert ticket["id"] in [t["id"] for t in listed]
    trace = town.person.get(f"/api/tickets/{ticket['id']}")
    assert trace["chain"]["holds"]
    assert {f["actor"] for f in trace["trace"] if f["kind"] in WARNINGS} == {"system:core"}
    answered = step(town.person, ticket, "accept")  # a version before the warnings still fits
    assert answered["state"] == "accepted"


def test_lost_contact(town: House, wall: Screen) -> None:
    crew = crew_on_duty(town, "LC1")
    ticket = carry(town.person, receive(town.person, level="blue"), crew, "dispatch")
    stream = f"ticket:{ticket['id']}"
    pass_time(town, minutes=29)
    time.sleep(1.5)
    assert facts(town, stream, "lost_contact") == []
    pass_time(town, minutes=2)
    wall.until(lambda: seen(wall, ticket["id"]).get("lost_contact"), "contact is lost")
    assert ticket["id"] in [
        t["id"] for t in town.person.get("/api/tickets", lost_contact=True)["items"]
    ]
    step(town.person, ticket, "confirm")
    wall.until(
        lambda: seen(wall, ticket["id"]).get("lost_contact") is False, "the crew is heard again"
    )
    assert facts(town, stream, "lost_contact", "contact_regained") == [
        "lost_contact",
        "contact_regained",
    ]


def test_a_crew_at_work_elsewhere_is_not_silent(town: House) -> None:
    crew = crew_on_duty(town, "LC2")
    waits = carry(town.person, receive(town.person, level="blue"), crew, "confirm")
    other = receive(town.person, level="blue", building="B09", separate=True)
    other = carry(town.person, other, crew, "handle")
    pass_time(town, minutes=125)
    time.sleep(1.5)
    assert facts(town, f"ticket:{waits['id']}", "lost_contact") == []
    carry(town.person, other, crew, "verify")
    stream = f"ticket:{waits['id']}"
    eventually(lambda: facts(town, stream, "lost_contact"), "nobody has heard of it since")


def test_the_clock_can_run_fast(town: House, wall: Screen) -> None:
    ticket = receive(town.person, level="red")
    town.set_clock(town.business_now(), rate=600)
    wall.until(lambda: seen(wall, ticket["id"]).get("overdue"), "half an hour passes in seconds")
    town.set_clock(town.business_now())
    assert facts(town, f"ticket:{ticket['id']}", "deadline_passed").count("deadline_passed") >= 1
    assert wall.last_tick["business"]["rate"] in {1.0, 600.0}
