"""What a dispatcher does beside confirming, in Chromium: a permit with its gas reading, a job for
two crews, a crew taken off its site after making safe, a reason that can be read again, and what
would follow if crews were lost."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from desk_page import (
    CREWS,
    DeskPage,
    enter_crews,
    noon,
    post,
    proposed,
    report,
    trace,
)
from installation import Installation, wait_until

pytestmark = pytest.mark.browser
REFUSED = r"status of 4(09|22)"
"""What a browser itself says of an answer that refuses."""


@pytest.fixture(scope="module")
def crews(stack: Installation) -> None:
    """Four crews on duty at noon, with the certificates of a confined space."""
    noon(stack)
    client = stack.sign_in("main")
    enter_crews(client, certificates=["welder", "confined_space"])
    client.close()


def ticket_of(client: httpx.Client, ticket: str) -> dict[str, Any]:
    """A ticket as the API shows it."""
    found: dict[str, Any] = client.get(f"/api/tickets/{ticket}").json()["ticket"]
    return found


def test_a_confined_space_waits_for_its_permit_and_a_bad_gas_reading_is_refused(
    desk: DeskPage, person: httpx.Client
) -> None:
    desk.browser.may_say(REFUSED)
    ticket = report(person, (-250, -150))["id"]
    proposed(person, ticket)
    desk.open()
    desk.proposal(ticket)
    desk.press("e")
    desk.see("form-work")
    desk.page.get_by_label("有限空间作业票").check()
    desk.part("form-send").click()
    desk.gone("form-work")
    assert ticket_of(person, ticket)["work"]["permits"] == ["confined_space"]
    desk.see("waits-for").get_by_role("button").click()  # what is owed is one press away
    desk.see("form-permit")
    fill = {
        "permit-number": "YX-2026-014", "gas-oxygen": "18.2", "gas-lel": "0", "gas-co": "3",
        "gas-h2s": "0", "permit-guard": "老周",
    }  # fmt: skip
    for field, text in fill.items():
        desk.page.get_by_test_id(field).fill(text)
    desk.press("Enter")
    said = desk.see("form-problem").inner_text()
    assert "18.2" in said
    assert ticket_of(person, ticket)["permits"] == []

    desk.page.get_by_test_id("gas-oxygen").fill("20.8")
    desk.press("Enter")
    desk.gone("form-permit")
    (permit,) = ticket_of(person, ticket)["permits"]
    assert (permit["number"], permit["guard"]) == ("YX-2026-014", "老周")
    desk.browser.wait(lambda: "作业票" in desk.part("notes").inner_text(), "the permit is noted")
    desk.gone("waits-for")
    desk.see("choice", rank="1")


def test_a_job_for_two_crews_names_both_and_gives_it_to_both(
    desk: DeskPage, person: httpx.Client
) -> None:
    taken = report(person, (-250, -150))
    ticket = taken["id"]
    post(person, f"/api/tickets/{ticket}/work", {"version": taken["version"], "crews": 2})
    wait_until(
        lambda: proposed(person, ticket)["choices"][0]["with_crew"], "a second crew is proposed", 60
    )
    desk.open()
    desk.proposal(ticket)
    second = desk.see("with-crew").inner_text()
    assert any(name in second for name, _ in CREWS.values())
    best = proposed(person, ticket)["choices"][0]
    for crew in (best["crew"], best["with_crew"]):
        desk.see("bar", ticket=ticket, crew=crew, state="ghost")  # one start in two lanes
    desk.press("Enter")
    desk.see("done")
    held = ticket_of(person, ticket)
    assert {held["crew"], held["with_crew"]} == {best["crew"], best["with_crew"]}


def test_a_crew_leaves_its_site_only_after_a_person_says_that_it_was_made_safe(
    desk: DeskPage, person: httpx.Client
) -> None:
    held = {}
    for crew, (_, (x, y)) in CREWS.items():
        one = report(person, (x + 10, y), level="blue", kind="repair")
        one = post(
            person, f"/api/tickets/{one['id']}/work", {"version": one["version"], "minutes": 300}
        )
        for step, more in (("dispatch", {"crew": crew}), ("confirm", {}), ("handle", {})):
            body = {"version": one["version"], **more}
            one = post(person, f"/api/tickets/{one['id']}/{step}", body)
        held[one["id"]] = crew
    red = report(person, (0, 0), level="red")["id"]
    desk.open()
    desk.pick(red)
    desk.see("safe-first").get_by_role("button").first.click()
    desk.see("why")
    send = desk.part("send-choice")
    desk.page.get_by_test_id("reason-code").select_option("higher_priority")
    assert send.is_disabled()  # nobody has said yet that the place was made safe
    desk.page.get_by_test_id("made-safe").check()
    desk.press("Enter")
    desk.browser.wait(
        lambda: send.is_enabled() and "让单" in send.inner_text(), "who gives way has been read"
    )
    assert ticket_of(person, red)["crew"] is None
    desk.press("Enter")
    desk.see("done")
    given = ticket_of(person, red)
    (left,) = [ticket for ticket, crew in held.items() if crew == given["crew"]]
    step = trace(person, left)[-1]
    assert (step["kind"], step["event"]["made_safe"]) == ("ticket_displaced", True)
    assert step["actor"].startswith("person:")


def test_the_written_reason_can_be_read_in_the_trace(desk: DeskPage, person: httpx.Client) -> None:
    ticket = report(person, (-250, -150))["id"]
    proposed(person, ticket)
    desk.open()
    desk.proposal(ticket)
    desk.press("Shift+Digit2")
    desk.see("why")
    desk.page.get_by_test_id("reason-code").select_option("other")
    assert desk.part("send-choice").is_disabled()
    desk.press("Tab")
    desk.page.keyboard.type("带教新组员")
    desk.press("Enter")
    desk.see("done")
    desk.press("z")
    desk.see("ticket", id=ticket, state="accepted")
    desk.press("t")
    assert "带教新组员" in desk.see("trace-written").inner_text()


def test_what_if_says_which_tickets_and_what_it_costs(desk: DeskPage, person: httpx.Client) -> None:
    tickets = [report(person, (-250 + 80 * n, -150 + 60 * n))["id"] for n in range(6)]
    for ticket in tickets:
        proposed(person, ticket)
    desk.open()
    desk.pick(tickets[0])
    desk.press("q")
    desk.see("what-if")
    for crew in list(CREWS)[:3]:
        desk.page.get_by_test_id("crew-down").select_option(crew)
    desk.press("Enter")
    totals = desk.see("totals")
    cost = totals.locator('tr[data-figure="cost"]').inner_text()
    assert re.search(r"\d+ (时|分|秒)", cost), cost
    moved = desk.part("changes").inner_text()
    assert "→" in moved
    left = next(name for crew, (name, _) in CREWS.items() if crew not in list(CREWS)[:3])
    assert left in moved
    assert all(ticket_of(person, ticket)["crew"] is None for ticket in tickets)
