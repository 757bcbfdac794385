"""What time makes true of applications: the deadline, late visits, temporary stops that end."""

from __future__ import annotations

from typing import Any

from path_heating import (
    a_photo,
    apply,
    close_loop,
    household,
    kinds,
    local,
    refused,
    report,
    seen,
    visited,
    wish,
)
from path_house import House, NewHouse, eventually

DAY = 86_400


def unix_of(*day: int) -> int:
    return int(local(*day).timestamp())


def test_the_last_day_counts_to_its_end(own_house: House) -> None:
    house = own_house
    house.set_clock(local(2026, 6, 30, 12))
    a_photo(house)
    home = household(house)
    assert refused(house.source, "/api/suspensions", wish(home)) == (422, "season_over")
    assert refused(house.source, "/api/suspensions", wish(home, season="2026-2027")) == (
        422,
        "season_not_open",
    )
    house.set_clock(local(2026, 9, 30, 23))
    assert apply(house.source, home)["state"] == "approved"
    assert house.person.get("/api/suspensions/summary")["days_left"] == 0
    house.set_clock(local(2026, 10, 1, 0))
    late = apply(house.source, household(house))
    assert (late["state"], late["because"]) == ("refused", ["deadline"])
    check = late["checks"][0]
    assert (check["found"], check["wanted"]) == ("2026-10-01", "2026-09-30")
    assert "2026-09-30" in check["zh"]
    assert "2026-09-30" in check["en"]


def test_a_late_visit_and_late_departments(own_house: House) -> None:
    house = own_house
    house.set_clock(local(2026, 8, 1))
    made = apply(house.source, household(house))
    visit = visited(house.person, made)
    house.set_clock(local(2026, 8, 5))
    eventually(lambda: seen(house.person, made)["late"], "the visit is late")
    assert house.person.get("/api/visits", late=True)["items"][0]["id"] == visit["id"]
    assert made["id"] in [a["id"] for a in house.person.get("/api/suspensions", late=True)["items"]]
    report(house.person, visit, "closed", made)
    assert seen(house.person, made)["late"] is False
    house.set_clock(local(2026, 8, 7))
    eventually(lambda: seen(house.person, made)["late"], "the departments are late")
    summary = eventually(
        lambda: (s := house.person.get("/api/suspensions/summary"))["known_late"] and s,
        "the summary counts it",
    )
    assert summary["known_late"] == 1
    assert close_known(house, made)["late"] is False
    assert kinds(house.person, made) == [
        "applied", "approved", "scheduled", "late", "valve_set", "late", "made_known",
        "made_known", "closed",
    ]  # fmt: skip


def close_known(house: House, made: Any) -> Any:
    for department in ("operations", "finance"):
        body = {"version": seen(house.person, made)["version"], "department": department}
        house.source.ok(f"/api/suspensions/{made['id']}/known", body)
    return seen(house.person, made)


def test_a_gateways_delivery_makes_it_known(own_house: House) -> None:
    house = own_house
    home = household(house)
    made = apply(house.source, home)
    report(house.person, visited(house.person, made), "sealed", made)
    messages = house.person.get("/api/messages", about=f"heating:{home['household']}")["items"]
    assert {m["target"] for m in messages} == {"operations", "finance"}
    for message in messages:
        house.source.ok(f"/api/messages/{message['id']}/delivered", {"delivered": True})
    done = eventually(
        lambda: (a := seen(house.person, made))["state"] == "closed" and a, "the loop is closed"
    )
    assert sorted(done["known"]) == ["finance", "operations", "service"]


def test_a_delivery_makes_known_what_its_message_told(own_house: House) -> None:
    house = own_house
    house.set_clock(local(2026, 8, 20))
    home = household(house)
    stop = apply(house.source, home)
    report(house.person, visited(house.person, stop), "sealed", stop)
    about = f"heating:{home['household']}"
    earlier = {m["id"] for m in house.person.get("/api/messages", about=about)["items"]}
    house.set_clock(local(2026, 8, 21))
    opened = apply(house.source, home, "resume")
    report(house.person, visited(house.person, opened), "open", opened)
    for message in house.person.get("/api/messages", about=about)["items"]:
        if message["id"] not in earlier:
            house.source.ok(f"/api/messages/{message['id']}/delivered", {"delivered": True})
    eventually(lambda: seen(house.person, opened)["state"] == "closed", "the opening is known")
    before = seen(house.person, stop)
    assert (before["state"], before["known"]) == ("completed", ["service"])


def test_a_temporary_stop_ends_by_itself(own_house: House) -> None:
    house = own_house
    house.set_clock(local(2026, 11, 20))
    home = household(house)
    days = {"stop_from": unix_of(2026, 12, 1, 0), "stop_until": unix_of(2027, 1, 15, 0)}
    short = days | {"stop_until": unix_of(2026, 12, 20, 0)}
    made = apply(house.source, home, "temporary_stop", **short)
    assert (made["state"], made["because"]) == ("refused", ["temporary_days"])
    check = made["checks"][0]
    assert (check["found"], check["wanted"]) == ("19", "30-90")
    assert "19" in check["zh"]

    made = apply(house.source, home, "temporary_stop", **days)
    assert (made["state"], made["visit_due_at"]) == ("approved", days["stop_from"])
    cold = 45 / 183  # of the days from 15 October to 15 April, a day without heat owes 30 %
    assert abs(made["base_fee_pct"] - (100 - 70 * cold)) < 0.01
    house.set_clock(local(2026, 11, 29))  # the visit is planned only now: three days before
    visit = visited(house.person, made)
    assert (visit["action"], visit["due_at"]) == ("close", days["stop_from"])
    assert visit["planned_at"] >= days["stop_from"] - 3 * DAY
    assert close_loop(house.person, made, "closed")["state"] == "closed"
    again = apply(house.source, home, "temporary_stop", **days)
    assert again["because"] == ["already_suspended"]

    house.set_clock(local(2027, 1, 15, 8))
    resumed = {"id": f"{made['id']}-end"}
    eventually(
        lambda: house.person.http.get(f"/api/suspensions/{resumed['id']}").status_code == 200,
        "the end makes an opening",
    )
    found = seen(house.person, resumed)
    assert (found["action"], found["state"], found["source"]) == ("resume", "approved", "system")
    assert visited(house.person, resumed)["action"] == "open"
    assert close_loop(house.person, resumed, "open")["valve"] == "open"
    rows = house.sql(
        "SELECT service FROM household_standing WHERE household_id = $1", home["household"]
    )
    assert [r[0] for r in rows] == ["heated"]


def test_a_temporary_stop_that_was_never_made_is_over_at_its_end(own_house: House) -> None:
    house = own_house
    house.set_clock(local(2026, 11, 20))
    days = {"stop_from": unix_of(2026, 11, 20, 23), "stop_until": unix_of(2027, 1, 5, 0)}
    made = apply(house.source, household(house), "temporary_stop", **days)
    visit = visited(house.person, made)
    house.set_clock(local(2027, 1, 6))
    eventually(lambda: seen(house.person, made)["state"] == "withdrawn", "it is over")
    after = house.person.get(f"/api/visits/{visit['id']}")["visit"]
    assert ([h["state"] for h in after["households"]], after["made_at"] is not None) == (
        ["left"],
        True,
    )


def test_a_temporary_stop_resumed_before_its_end(own_house: House) -> None:
    house = own_house
    house.set_clock(local(2026, 11, 20))
    days = {"stop_from": unix_of(2026, 11, 21, 0), "stop_until": unix_of(2027, 1, 15, 0)}
    home = household(house)
    stop = apply(house.source, home, "temporary_stop", **days)
    close_loop(house.person, stop, "closed")
    house.set_clock(local(2026, 12, 21))
    made = apply(house.source, home, "resume")
    assert abs(made["base_fee_pct"] - (100 - 70 * 30 / 183)) < 0.01
    close_loop(house.person, made, "open")
    house.set_clock(local(2027, 1, 15, 1))
    ended = apply(house.source, home, "resume")
    assert ended["because"] == ["not_suspended"]
    answer = house.person.http.get(f"/api/suspensions/{stop['id']}-end")
    assert answer.status_code == 404


def test_resumed_in_winter_until_the_policys_day(own_house: House) -> None:
    house = own_house
    house.set_clock(local(2026, 9, 1))
    homes = [household(house) for _ in range(2)]
    stops = [apply(house.source, home) for home in homes]
    for made in stops:
        close_loop(house.person, made, "closed")
    house.set_clock(local(2027, 1, 15))
    made = apply(house.source, homes[0], "resume")
    assert made["state"] == "approved"
    cold = 92 / 183  # 15 October to 14 January
    assert abs(made["base_fee_pct"] - (100 - 70 * cold)) < 0.01
    house.set_clock(local(2027, 4, 1))
    late = apply(house.source, homes[1], "resume")
    assert (late["state"], late["because"]) == ("refused", ["resume_deadline"])


def test_of_two_who_decide_one_wins(new_house: NewHouse) -> None:
    """Two web processes, one referred application, many decisions at once."""
    from concurrent.futures import ThreadPoolExecutor

    from path_house import Caller

    with new_house(webs=2) as house:
        house.set_clock(local(2026, 8, 15))
        first = house.person
        second = Caller(house.webs[1].url)
        signed = second.http.post(
            "/api/sign-in", json={"user": "admin", "password": "a long enough password"}
        )
        assert signed.status_code == 200, signed.text
        a_photo(house)
        home = household(house)
        made = apply(house.source, home, photos=[])
        path = f"/api/suspensions/{made['id']}"
        bodies = [
            ("approve", {"version": made["version"], "reason": "已核对"}),
            ("refuse", {"version": made["version"], "because": ["proof"]}),
        ]

        def decide(n: int) -> int:
            name, body = bodies[n // 2 % 2]
            return (first, second)[n % 2].post(f"{path}/{name}", body).status_code

        with ThreadPoolExecutor(8) as pool:
            answers = sorted(pool.map(decide, range(16)))
        assert answers == [200] + [409] * 15
        fresh = household(house)
        callers = (Caller(house.webs[0].url, house.token), Caller(house.webs[1].url, house.token))
        with ThreadPoolExecutor(8) as pool:
            sent = pool.map(
                lambda n: callers[n % 2].post("/api/suspensions", wish(fresh)).status_code,
                range(50),
            )
            assert sorted(sent) == [200] * 49 + [201]
        rows = house.sql(
            "SELECT times FROM application WHERE household_id = $1", fresh["household"]
        )
        assert [r[0] for r in rows] == [50]
