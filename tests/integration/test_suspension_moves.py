"""What changes under an application: the household's door, its own mind, the lines of a form."""

from __future__ import annotations

import pytest
from path_heating import (
    a_photo,
    apply,
    close_loop,
    household,
    local,
    refused,
    report,
    seen,
    visited,
    wish,
)
from path_house import House

AUGUST = local(2026, 8, 15)


@pytest.fixture(scope="module")
def town(own_house: House) -> House:
    """A town in August, whose households can still apply."""
    own_house.set_clock(AUGUST)
    a_photo(own_house)
    return own_house


def move(house: House, home: dict[str, str], building: str) -> None:
    """An import puts right which building a household number belongs to."""
    house.sql(
        "UPDATE household SET building_id = $2, unit = 3, flat = '909' WHERE household_id = $1",
        home["household"],
        building,
    )


def test_nobody_visits_another_door_of_the_same_number(town: House) -> None:
    home, neighbour = household(town, riser_ids=["m1"]), household(town, riser_ids=["m1"])
    made, other = apply(town.source, home), apply(town.source, neighbour)
    visit = visited(town.person, made)
    assert visited(town.person, other)["id"] == visit["id"]
    move(town, home, "B07")
    now = town.person.get(f"/api/visits/{visit['id']}")["visit"]
    told = {h["household"]: (h["flat"], h["moved"]) for h in now["households"]}
    assert told[home["household"]] == (None, "B07")
    assert told[neighbour["household"]][1] is None
    assert told[neighbour["household"]][0] is not None
    assert now["unit"] == 1
    shown = seen(town.person, made)
    assert (shown["building"], shown["unit"]) == ("B05", None)


def test_a_visit_goes_where_the_household_is_by_then(town: House) -> None:
    home = household(town)
    made = apply(town.source, home, photos=[])
    assert made["state"] == "referred"
    move(town, home, "B08")
    town.person.ok(f"/api/suspensions/{made['id']}/approve",
                   {"version": made["version"], "reason": "已核对"})  # fmt: skip
    visit = visited(town.person, made)
    assert (visit["building"], visit["unit"]) == ("B08", 3)
    assert visit["address"].startswith("和平路")
    assert [(h["flat"], h["moved"]) for h in visit["households"]] == [("909", None)]


def test_who_gives_only_the_owners_name_is_told_by_it(town: House) -> None:
    home = household(town)
    made = apply(town.source, home, applicant={"name": home["name"]})
    check = next(c for c in made["checks"] if c["code"] == "owner")
    assert (check["verdict"], check["found"]) == ("pass", "owner's name")


def test_approved_again_it_joins_the_visit_that_it_had_left(town: House) -> None:
    homes = [household(town, riser_ids=["again"]) for _ in range(2)]
    first, other = (apply(town.source, home) for home in homes)
    visit = visited(town.person, first)
    assert visited(town.person, other)["id"] == visit["id"]
    for _ in range(3):
        visit = report(town.person, visit, "nobody_home", first)
    back = seen(town.person, first)
    assert (back["state"], back["because"]) == ("referred", ["visit_missed"])
    town.person.ok(f"/api/suspensions/{first['id']}/approve", {"version": back["version"]})
    again = visited(town.person, first)
    assert again["id"] == visit["id"]
    after = report(town.person, again, "closed", first, other)
    assert after["made_at"] is not None
    assert seen(town.person, first)["state"] == "completed"


def test_stopped_opened_and_stopped_again_before_anybody_has_said_that_he_knows(
    town: House,
) -> None:
    home = household(town)
    first = apply(town.source, home)
    report(town.person, visited(town.person, first), "closed", first)
    opened = apply(town.source, home, "resume")
    report(town.person, visited(town.person, opened), "open", opened)
    answer = town.source.post("/api/suspensions", wish(home))
    again = answer.json()
    assert (answer.status_code, again["state"], again["duplicate"]) == (201, "approved", False)
    assert again["id"] != first["id"]
    assert close_loop(town.person, again, "sealed")["state"] == "closed"
    assert seen(town.person, first)["state"] == "completed"


@pytest.mark.parametrize("field", ["source", "photos"])
def test_a_line_break_is_no_part_of_a_name(town: House, field: str) -> None:
    body = wish(household(town))
    body[field] = body[field] + "\n" if field == "source" else [body[field][0] + "\n"]
    assert refused(town.source, "/api/suspensions", body) == (422, "bad_body")


def test_nobody_applies_in_the_name_of_the_house(town: House) -> None:
    body = wish(household(town), source="system")
    assert refused(town.source, "/api/suspensions", body) == (422, "bad_body")
