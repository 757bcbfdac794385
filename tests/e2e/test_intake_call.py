"""A seat's call typed in Chromium, from ring to ticket; repeats, stops, lost answers, strangers."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest
from installation import Installation, key
from intake_page import IntakePage
from playwright.sync_api import Route
from small_city import FLATS
from wall_page import AWAY, CITY, OpenBrowser

from server.adapters.keys import Keys
from server.adapters.vault import Vault

pytestmark = pytest.mark.browser

NAME, PHONE = "王建国", "10000000042"
ONE, TWO, OTHER = "9000000001", "9000000002", "9000000003"
"""Two households of one owner, and one of somebody else."""
OTHER_PHONE = "10000000043"


@pytest.fixture(scope="module")
def homes(stack: Installation) -> None:
    """Flats of the register with their owners."""
    company = stack.company(CITY, "暖城热力")
    vault = Vault(Keys(stack.data / "keys"))
    owners = [(NAME, PHONE, (ONE, TWO)), ("李秀英", OTHER_PHONE, (OTHER,))]
    for name, phone, households in owners:
        owner = vault.person(company, name, phone)
        stack.fetch(
            "INSERT INTO person VALUES ($1, $2, $3, $4, $5)",
            company, owner.pseudonym, vault.seal_person(company, owner),
            vault.blind_name(company, name), vault.blind_phone(company, phone),
        )  # fmt: skip
        for household in households:
            floor = int(household[-1])
            stack.fetch(
                "INSERT INTO household (company_id, household_id, building_id, unit, floor, flat,"
                " riser_ids, area_m2, gable, ground_floor, top_floor, valve, green_channel,"
                " pseudonym) VALUES ($1, $2, $3, 2, $4, $5, '{r1}', 80, $6, false, false, true,"
                " $7, $8)",
                company, household, FLATS, floor, f"{floor}01", household == OTHER,
                household == OTHER, owner.pseudonym,
            )  # fmt: skip


@pytest.fixture
def seat(stack: Installation, homes: None, person: httpx.Client, browse: OpenBrowser) -> IntakePage:
    """A seat before an empty page."""
    page = IntakePage(browse(stack.url, person.cookies))
    page.open()
    return page


def ticket(person: httpx.Client, number: str) -> dict[str, Any]:
    answer = person.get(f"/api/tickets/{number}")
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()["ticket"]
    return found


def register_row(stack: Installation, number: str) -> Any:
    (row,) = stack.fetch(
        "SELECT household_id, owner, resident FROM ticket WHERE ticket_id = $1", number
    )
    return row


def take_in(seat: IntakePage) -> str:
    """Send it; the number of the ticket that the page shows."""
    seat.press("Control+Enter")
    return seat.shown("done", "data-ticket")


def test_a_call_from_ring_to_ticket_and_the_repeat_call(
    stack: Installation, person: httpx.Client, seat: IntakePage
) -> None:
    seat.focused("who")
    seat.dial(OTHER_PHONE)
    seat.press("Enter")
    seat.say("立管跑水了，楼道里全是水")
    seat.chosen("kind", "leak")
    seat.chosen("level", "red")
    assert "跑水" in seat.text("reasons")
    assert seat.shown("card", "data-household") == OTHER
    number = take_in(seat)
    print(f"{seat.strokes} keystrokes from ring to ticket, plus the text")
    assert seat.strokes < 20

    made = ticket(person, number)
    assert (made["state"], made["kind"], made["level"]) == ("accepted", "leak", "red")
    assert made["building"] == FLATS
    assert made["source"] == "phone"
    assert "danger:跑水" in made["reasons"]
    assert made["green_channel"]
    row = register_row(stack, number)
    assert (row["household_id"], row["owner"]) == (OTHER, "person:admin")
    assert (made["owner"], seat.text("done-owner")) == ("admin", "admin")

    seat.page.keyboard.press("Escape")
    seat.focused("who")
    assert not any(word in seat.kept() for word in (OTHER_PHONE, "李秀英", "跑水"))

    seat.strokes = 0
    seat.dial(OTHER_PHONE)
    seat.press("Enter")
    seat.page.wait_for_selector(f'[data-testid="known-ticket"][data-ticket="{number}"]')
    seat.say("还在漏水，怎么没人来")
    assert seat.shown("attach", "data-ticket") == number
    assert "第 2 次" in seat.text("attach")
    assert take_in(seat) == number
    assert seat.strokes < 20
    assert seat.shown("done", "data-attached") == "true"
    again = ticket(person, number)
    assert again["reports"] == 2
    assert again["owner"] == made["owner"]
    assert seat.overflowing() == []


def test_a_second_ticket_only_when_the_seat_insists(person: httpx.Client, seat: IntakePage) -> None:
    numbers = []
    for separate in (False, True):
        seat.dial(OTHER_PHONE)
        seat.press("Enter")
        seat.say("暖气不热")
        seat.chosen("kind", "not_warm")
        if separate:
            seat.page.get_by_test_id("attach").wait_for()
            seat.press("Alt+m")
            seat.page.get_by_test_id("attach").wait_for(state="detached")
        numbers.append(take_in(seat))
        seat.press("n")
        seat.focused("who")
    assert numbers[0] != numbers[1]
    assert [ticket(person, number)["reports"] for number in numbers] == [1, 1]


def test_one_of_several_households_overrides_and_taking_it_back(
    stack: Installation, person: httpx.Client, seat: IntakePage
) -> None:
    seat.dial(PHONE)
    seat.press("Enter")
    seat.focused("households")
    seat.press("ArrowDown")
    seat.press("Enter")
    seat.say("家里不太热")
    seat.chosen("level", "blue")
    chosen = seat.shown("card", "data-household")
    assert chosen in {ONE, TWO}
    seat.press("Alt+k")
    seat.press("3")
    seat.chosen("kind", "repair")
    seat.press("Alt+l")
    seat.press("2")
    seat.chosen("level", "yellow")
    seat.focused("words")
    first = take_in(seat)
    assert seat.strokes < 24
    made = ticket(person, first)
    assert (made["kind"], made["level"]) == ("repair", "yellow")
    assert register_row(stack, first)["household_id"] == chosen

    seat.press("u")
    seat.page.get_by_test_id("undone").wait_for()
    assert ticket(person, first)["state"] == "cancelled"
    assert seat.page.locator("#words").input_value() == "家里不太热"
    second = take_in(seat)
    assert second != first


def test_a_stop_is_answered_at_once_with_its_written_reasons(
    person: httpx.Client, seat: IntakePage
) -> None:
    seat.dial(OTHER_PHONE)
    seat.press("Enter")
    seat.say("想办报停，今年不住")
    seat.chosen("kind", "suspension")
    seat.page.get_by_test_id("stop-form").wait_for()
    seat.press("Control+Enter")
    application = seat.shown("stop-done", "data-application")
    assert seat.strokes < 20
    assert seat.shown("stop-done", "data-state") == "refused"
    assert "冷山" in seat.text("aloud")
    found = person.get(f"/api/suspensions/{application}").json()["application"]
    assert (found["state"], found["household"]) == ("refused", OTHER)
    assert "gable" in found["because"]


def test_an_unknown_caller_is_taken_in_by_the_address_typed(
    person: httpx.Client, seat: IntakePage
) -> None:
    seat.dial("13900001234")
    seat.press("Enter")
    seat.say("不热")
    seat.chosen("kind", "not_warm")
    seat.press("Alt+a")
    seat.page.keyboard.type("经纬街128")
    seat.page.get_by_test_id("offers").get_by_role("option").first.wait_for()
    seat.press("Enter")
    seat.focused("words")
    number = take_in(seat)
    assert seat.strokes < 20
    assert ticket(person, number)["building"] == FLATS
    seat.press("n")
    seat.focused("who")

    seat.strokes = 0
    seat.dial("13900001235")
    seat.press("Enter")
    seat.say("屋里没暖气")
    seat.chosen("kind", "not_warm")
    seat.press("Alt+a")
    seat.page.keyboard.type("没有这条街 9999 号")
    number = take_in(seat)
    seat.page.get_by_test_id("queued").wait_for()
    assert ticket(person, number)["building"] is None
    questions = person.get("/api/address-questions", params={"answered": "false"}).json()["items"]
    assert f"ticket:{number}" in {question["reference"] for question in questions}


def test_nothing_is_lost_by_a_reload_or_by_an_answer_that_never_comes(
    person: httpx.Client, seat: IntakePage
) -> None:
    seat.browser.may_say(AWAY)
    sent: list[str] = []

    def lose(route: Route) -> None:
        sent.append(route.request.headers["idempotency-key"])
        if len(sent) == 1:  # the server takes it in, the answer is lost on the way
            body = route.request.post_data_json
            answer = person.post("/api/requests", json=body, headers={"Idempotency-Key": sent[0]})
            assert answer.status_code == 201, answer.text
        route.abort()

    seat.page.route("**/api/requests", lose)
    seat.dial(OTHER_PHONE)
    seat.press("Enter")
    seat.say("阀门坏了")
    seat.chosen("kind", "repair")
    seat.page.reload()
    seat.page.get_by_test_id("card").wait_for()
    assert seat.page.locator("#words").input_value() == "阀门坏了"
    seat.chosen("kind", "repair")

    seat.press("Control+Enter")
    seat.page.get_by_test_id("pending").wait_for()
    seat.page.get_by_test_id("line").wait_for()
    before = person.get("/api/tickets", params={"state": "open"}).json()
    seat.browser.page.on("dialog", lambda dialog: dialog.accept())  # it warns before it is left
    seat.page.reload()
    seat.page.get_by_test_id("pending").wait_for()
    seat.page.unroute("**/api/requests")
    number = seat.shown("done", "data-ticket")
    assert len(set(sent)) == 1
    after = person.get("/api/tickets", params={"state": "open"}).json()
    assert (before["total"], after["total"]) == (1, 1)
    assert after["items"][0]["id"] == number
    assert after["items"][0]["reports"] == 1
    seat.page.get_by_test_id("line").wait_for(state="detached")
    assert OTHER_PHONE not in seat.kept()


def test_a_hotline_case_hangs_on_the_ticket_and_a_session_that_ended_loses_nothing(
    person: httpx.Client, seat: IntakePage
) -> None:
    seat.browser.may_say("status of 401")
    seat.dial(OTHER_PHONE)
    seat.press("Enter")
    seat.say("市民反映多日不热")
    seat.chosen("kind", "not_warm")
    seat.press("Alt+s")
    seat.press("4")
    seat.chosen("source", "12345")
    seat.page.locator('input[name="case"]').fill("2026011400042")
    seat.page.context.clear_cookies()
    seat.press("Control+Enter")
    seat.page.get_by_test_id("pending").wait_for()
    cookies = [{"name": n, "value": v, "url": seat.browser.url} for n, v in person.cookies.items()]
    seat.page.context.add_cookies(cookies)  # type: ignore[arg-type]
    number = seat.shown("done", "data-ticket")  # sent again by itself
    assert "2026011400042" in seat.text("done-case")
    (case,) = person.get("/api/cases", params={"ticket": number}).json()["items"]
    assert (case["number"], case["origin"]) == ("2026011400042", "hotline_12345")
    assert ticket(person, number)["source"] == "12345"


def test_a_refusal_says_why_in_the_viewers_language_and_the_form_comes_back(
    seat: IntakePage,
) -> None:
    seat.browser.may_say("status of 422")
    seat.dial(OTHER_PHONE)
    seat.press("Enter")
    seat.say("想临时停供")
    seat.chosen("kind", "temporary_stop")
    assert seat.page.get_by_test_id("send").is_disabled()  # it says that days are missing
    seat.page.locator('input[name="stop_from"]').fill("2099-03-01")
    seat.page.locator('input[name="stop_until"]').fill("2099-02-01")
    seat.press("Control+Enter")
    assert "停供" in seat.text("refused")
    seat.press("Alt+b")
    seat.page.get_by_test_id("refused").wait_for(state="detached")
    assert seat.page.locator("#words").input_value() == "想临时停供"
    assert seat.page.locator('input[name="stop_until"]').input_value() == "2099-02-01"


def test_a_call_handed_over_by_the_telephone_system(
    stack: Installation, homes: None, person: httpx.Client, browse: OpenBrowser
) -> None:
    asked: list[str] = []
    browser = browse(stack.url, person.cookies)
    browser.page.on("request", lambda request: asked.append(request.url))
    seat = IntakePage(browser)
    seat.open(f"#call?phone={OTHER_PHONE}", language="en")
    seat.say("radiator is cold")
    seat.page.get_by_test_id("card").wait_for()
    assert OTHER_PHONE not in seat.page.url
    seat.page.evaluate(f"location.hash = '#call?phone={PHONE}'")
    seat.page.get_by_test_id("ringing").wait_for()  # it waits: nobody loses what was typed
    assert seat.page.locator("#words").input_value() == "radiator is cold"
    assert take_in(seat)
    assert seat.strokes == 2
    assert not re.search(f"{PHONE}|{OTHER_PHONE}", " ".join(u.split("#")[0] for u in asked))


def test_who_may_not_see_residents_is_told_so(
    stack: Installation, person: httpx.Client, browse: OpenBrowser
) -> None:
    stack.fetch("UPDATE membership SET role = 'wall'")
    try:
        page = browse(stack.url, person.cookies).page
        page.goto(f"{stack.url}/intake")
        page.get_by_test_id("role-needed").wait_for()
        assert page.locator("#who").count() == 0
        answer = person.post("/api/calls/look-up", json={"phone": PHONE}, headers=key())
        assert (answer.status_code, answer.json()["code"]) == (403, "role_needed")
    finally:
        stack.fetch("UPDATE membership SET role = 'administrator'")
