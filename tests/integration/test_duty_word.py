"""What the duty manager is written, and how often: crews that come and go, levels that rise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from path_dispatch import T0, crews_on_duty, kinds, now_of, proposed, standing, waiting
from path_house import House, NewHouse, eventually
from path_work import carry


@pytest.fixture(scope="module")
def night(new_house: NewHouse) -> Iterator[House]:
    """A house with one crew and nothing to do."""
    with new_house(apart=True) as house:
        house.set_clock(T0)
        crews_on_duty(house, "D1")
        yield house


def later(house: House, seconds: int) -> None:
    house.set_clock(house.business_now() + timedelta(seconds=seconds))


def written(house: House, ticket: Any) -> list[str | None]:
    """The clocks that the duty manager was written about, of this ticket."""
    file = house.data / "gateway" / "warm" / "duty-manager.jsonl"
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    bodies = [json.loads(line)["body"] for line in lines]
    return [body["clock"] for body in bodies if body["ticket"] == ticket["id"]]


def test_a_crew_that_comes_and_goes_is_one_word_to_the_duty_manager(night: House) -> None:
    red = waiting(night.person, level="red")
    proposed(night, red)

    def gone() -> None:
        before = kinds(night, red).count("ticket_unproposed")
        stop = {"reason_code": "breakdown"}
        night.person.ok("/api/crews/D1/stop", stop)
        eventually(lambda: standing(night, red).get("choices") == [], "nobody can")
        assert kinds(night, red).count("ticket_unproposed") == before  # not for a moment
        later(night, 45)
        eventually(
            lambda: kinds(night, red).count("ticket_unproposed") == before + 1, "it is told of"
        )

    def back() -> None:
        before = kinds(night, red).count("ticket_proposed_again")
        night.person.ok("/api/crews/D1/back", {})
        eventually(
            lambda: kinds(night, red).count("ticket_proposed_again") == before + 1, "a crew again"
        )

    gone()
    eventually(lambda: written(night, red).count(None) == 1, "the duty manager is written")
    back()
    gone()
    assert kinds(night, red).count("ticket_escalated") == 1  # known, and never settled
    back()
    later(night, 601)
    now = night.business_now().timestamp()
    eventually(lambda: standing(night, red).get("made_at", 0) >= now - 5, "it is scored anew")
    gone()
    eventually(lambda: written(night, red).count(None) == 2, "that is another matter")
    back()
    now = now_of(night, red)
    night.person.ok(
        f"/api/tickets/{red['id']}/cancel",
        {"version": now["version"], "reason_code": "duplicate"},
    )


def test_a_raised_level_carries_up_what_was_late_before_also_over_a_restart(night: House) -> None:
    blue = carry(night.person, waiting(night.person, level="blue", building="B06"), "D1", "confirm")
    later(night, 3700)
    eventually(lambda: "deadline_passed" in kinds(night, blue), "nobody is on site in time")
    assert "ticket_escalated" not in kinds(night, blue)  # of a blue ticket that is no matter
    night.cores[-1].stop()
    now = now_of(night, blue)
    red = {"version": now["version"], "level": "red", "reason_code": "danger"}
    night.person.ok(f"/api/tickets/{blue['id']}/level", red)
    night.core()
    eventually(lambda: written(night, blue) == ["on_site"], "carried up at once")
    night.cores[-1].kill()
    night.core()
    other = waiting(night.person, level="blue", building="B07")
    later(night, 3700)
    eventually(lambda: "deadline_near" in kinds(night, other) or standing(night, other), "it runs")
    told = kinds(night, blue)
    assert told.count("ticket_escalated") == told.count("deadline_passed") == 1, told
    assert written(night, blue) == ["on_site"]
