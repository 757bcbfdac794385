"""Two dispatchers at two desks, and a desk whose engine is away: hands are seen, nothing is
overwritten, and a person can always assign by hand."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest
from desk_page import (
    CREWS,
    DeskPage,
    cancel_all,
    dispatcher,
    enter_crews,
    noon,
    place_crews,
    proposed,
    report,
)
from installation import Installation
from wall_page import OpenBrowser

pytestmark = pytest.mark.browser
OTHER = "李调度"
REFUSED = r"status of 4(09|22)"
"""What a browser itself says of an answer that refuses."""
AWAY = r"status of 503"


@pytest.fixture(scope="module")
def crews(stack: Installation) -> None:
    """Four crews on duty at noon."""
    noon(stack)
    client = stack.sign_in("main")
    enter_crews(client)
    client.close()


@pytest.fixture
def second(stack: Installation, person: httpx.Client) -> Iterator[httpx.Client]:
    """Another dispatcher of the same company."""
    client = dispatcher(stack, OTHER)
    yield client
    cancel_all(person)
    client.close()


def opened(stack: Installation, browse: OpenBrowser, client: httpx.Client) -> DeskPage:
    """A desk for whoever the client is."""
    page = DeskPage(browse(stack.url, client.cookies))
    page.page.set_viewport_size({"width": 1600, "height": 900})
    page.browser.may_say(f"{REFUSED}|{AWAY}")
    page.open()
    return page


def test_two_desks_see_each_other_and_only_one_gets_the_ticket(
    stack: Installation,
    crews: None,
    person: httpx.Client,
    second: httpx.Client,
    browse: OpenBrowser,
) -> None:
    place_crews(person)
    ticket = report(person, (-250, -150))["id"]
    report(person, (500, 300), level="blue")
    proposed(person, ticket)
    mine, theirs = opened(stack, browse, person), opened(stack, browse, second)
    mine.proposal(ticket)
    theirs.proposal(ticket)
    assert OTHER in mine.see("hand").inner_text()
    assert "admin" in theirs.see("hand").inner_text()
    theirs.press("o")
    theirs.see("other-crew")
    mine.browser.wait(lambda: "选派中" in mine.part("hand").inner_text(), "the other one chooses")
    theirs.press("Escape")

    # Both go by what they saw: the page of the slower one does not hear of the faster one.
    mine.page.route(
        "**/api/tickets/*/dispatch", lambda route: _after(route, theirs, ticket, person)
    )
    mine.press("Enter")
    told = mine.see("conflict").inner_text()
    assert OTHER in told
    assert "派发" in told
    taken = person.get(f"/api/tickets/{ticket}").json()["ticket"]
    kinds = [step["kind"] for step in person.get(f"/api/tickets/{ticket}").json()["trace"]]
    assert kinds.count("ticket_dispatched") == 1
    assert taken["crew"] is not None
    mine.see("ticket", id=ticket, state="dispatched")


def _after(route: object, theirs: DeskPage, ticket: str, person: httpx.Client) -> None:
    """Let the slower confirmation go only once the faster one has been decided."""
    best = proposed(person, ticket)
    with httpx.Client(base_url=theirs.browser.url, timeout=10) as client:
        for cookie in theirs.page.context.cookies():
            client.cookies.set(cookie["name"], cookie["value"])
        version = client.get(f"/api/tickets/{ticket}").json()["ticket"]["version"]
        body = {
            "version": version,
            "crew": best["choices"][0]["crew"],
            "decision": best["decision"],
        }
        answer = client.post(
            f"/api/tickets/{ticket}/dispatch", json=body, headers={"Idempotency-Key": ticket}
        )
        assert answer.is_success, answer.text
    route.continue_()  # type: ignore[attr-defined]


def test_without_the_engine_a_person_assigns_by_hand(
    stack: Installation, crews: None, person: httpx.Client, browse: OpenBrowser
) -> None:
    place_crews(person)
    ticket = report(person, (-250, -150))["id"]
    proposed(person, ticket)
    desk = opened(stack, browse, person)
    desk.proposal(ticket)
    (core,) = stack.cores
    core.kill()
    try:
        desk.press("o")
        desk.see("other-crew")
        desk.page.keyboard.type(CREWS["C04"][0])
        desk.see("crew-option", crew="C04")
        desk.see("engine-away")
        desk.press("Enter")
        desk.see("why")
        desk.page.get_by_test_id("reason-code").select_option("no_answer")
        desk.press("Tab", "Enter")
        desk.see("done")
        given = person.get(f"/api/tickets/{ticket}").json()
        assert given["ticket"]["crew"] == "C04"
        assert "by hand" in given["trace"][-1]["grounds"]
        desk.see("queue-stale")  # without a feed the picture says so
    finally:
        core.start()
    desk.gone("queue-stale")
