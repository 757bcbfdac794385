"""A crew's day on a phone in Chromium: from the code to done, half of it without a network, and
what becomes of what could not be sent."""

from __future__ import annotations

import hashlib
import io
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from crew_house import CREW, NAME, PHONE, enter_crew, enter_home, given, phone_of, traced
from crew_page import CrewPage
from desk_page import post
from installation import Installation
from PIL import Image
from playwright.sync_api import Playwright, Request, Route

pytestmark = pytest.mark.browser

SLOTS = ("fault_point", "in_progress", "user_confirmation")


@pytest.fixture(scope="module")
def home(stack: Installation) -> None:
    enter_home(stack)


@pytest.fixture
def desk(home: None, person: httpx.Client) -> httpx.Client:
    """The desk's side, with the crew on duty."""
    enter_crew(person)
    return person


@pytest.fixture
def phone(
    stack: Installation, playwright: Playwright, chromium: str, tmp_path: Path, desk: httpx.Client
) -> Iterator[CrewPage]:
    with phone_of(stack, playwright, chromium, tmp_path / "phone", desk) as page:
        yield page


def test_a_ticket_from_the_code_to_done_half_of_it_offline(
    phone: CrewPage, desk: httpx.Client
) -> None:
    ticket = given(desk)
    phone.turn_to(ticket)
    shown = phone.part("visit").inner_text()
    assert "经纬街128号 3 单元 602" in shown
    assert NAME in shown
    assert "立管跑水" in shown
    assert "绿色通道" in shown
    assert phone.part("call").get_attribute("href") == f"tel:{PHONE}"
    assert (phone.part("navigate").get_attribute("href") or "").startswith("geo:45.76")
    phone.act("accept")
    phone.act("en-route")
    phone.act("check-in")
    phone.see("next", act="photo").click()
    phone.shoot("fault_point")
    phone.drained()
    phone.see("slot", slot="fault_point", state="pending")

    phone.ready_offline()
    phone.context.set_offline(True)
    phone.act("photo")
    phone.shoot("in_progress")
    phone.see("link", state="offline", waiting="1")
    phone.see("age")
    phone.kill_tab()
    phone.open()
    phone.see("slot", slot="in_progress", state="taken")
    assert "用户确认" in phone.see("why").inner_text()
    phone.act("photo")
    phone.shoot("user_confirmation")
    phone.act("done")
    phone.see("link", state="offline", waiting="3")
    phone.see("next", act="over")
    phone.restart()
    phone.open()
    phone.see("link", waiting="3").click()
    told = phone.part("op", state="queued")
    assert told.count() == 3
    phone.press("close")
    assert [f["kind"] for f in traced(desk, ticket)].count("photo_taken") == 1

    phone.context.set_offline(False)
    phone.drained()
    facts = traced(desk, ticket)
    kinds = [f["kind"] for f in facts if f["kind"] != "deadline_near"]
    assert kinds[kinds.index("ticket_confirmed") :] == [
        "ticket_confirmed", "checked_in", "ticket_handling", "photo_taken", "photo_taken",
        "photo_taken", "checked_out", "ticket_verifying",
    ]  # fmt: skip
    photos = [f["event"] for f in facts if f["kind"] == "photo_taken"]
    assert [photo["slot"] for photo in photos] == list(SLOTS)
    assert [photo["trust"] for photo in photos] == ["a"] * 3
    there = next(f["event"] for f in facts if f["kind"] == "checked_in")
    assert (there["verdict"], there["needs_review"]) == ("in", False)


def test_what_the_server_refuses_is_shown_with_what_to_do(
    phone: CrewPage, desk: httpx.Client
) -> None:
    ticket = given(desk)
    phone.turn_to(ticket)
    phone.act("accept")
    phone.drained()
    phone.ready_offline()
    phone.context.set_offline(True)
    phone.act("en-route")
    phone.act("check-in")
    seen = desk.get(f"/api/tickets/{ticket}").json()["ticket"]
    taken = {"version": seen["version"], "reason_code": "by_hand", "made_safe": True}
    post(desk, f"/api/tickets/{ticket}/displace", taken)
    phone.context.set_offline(False)
    phone.see("link", state="refused", waiting="0").click()
    refused = phone.see("op", what="check-in", state="refused")
    assert "此工单已不在本班组" in refused.inner_text()
    assert "怎么办" in refused.inner_text()
    for what in ("check-in", "en-route"):
        op = phone.part("op", what=what, state="refused")
        for _ in range(2):
            op.locator('[data-testid="discard"]').click()
        op.wait_for(state="detached")
    phone.see("link", state="online")
    assert "checked_in" not in [f["kind"] for f in traced(desk, ticket)]


def test_a_session_that_ended_loses_nothing_and_asks_for_a_new_code(
    phone: CrewPage, desk: httpx.Client
) -> None:
    ticket = given(desk)
    phone.turn_to(ticket)
    phone.ready_offline()
    phone.context.set_offline(True)
    phone.act("accept")
    device = desk.get(f"/api/crews/{CREW}/devices").json()["items"][0]["device"]
    desk.post(f"/api/crews/{CREW}/devices/{device}/revoke")
    phone.context.set_offline(False)
    assert "待传 1 项" in phone.see("locked").inner_text()
    phone.wait(lambda: NAME not in phone.kept(), "a revoked phone forgets its residents")
    phone.press("locked")
    assert "1 项未传" in phone.see("sign-in").inner_text()
    phone.sign_in(post(desk, f"/api/crews/{CREW}/code", {})["code"])
    phone.drained()
    assert "ticket_confirmed" in [f["kind"] for f in traced(desk, ticket)]


def noise_jpeg() -> bytes:
    """A photo of more than a megabyte, unlike any other."""
    picture = Image.frombytes("RGB", (1200, 900), os.urandom(1200 * 900 * 3))
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90)
    return out.getvalue()


def test_lost_answers_and_a_killed_tab_in_the_middle_of_a_photo(
    phone: CrewPage, desk: httpx.Client
) -> None:
    ticket = given(desk)
    phone.turn_to(ticket)
    phone.ready_offline()
    keys: list[str] = []

    def lose(route: Route) -> None:
        """The server hears it, the phone does not hear the answer."""
        keys.append(route.request.headers["idempotency-key"])
        if len(keys) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    phone.context.route("**/api/crew/tickets/*/check-in", lose)
    phone.act("accept")
    phone.act("en-route")
    phone.act("check-in")
    phone.wait(lambda: len(keys) == 1, "the answer is lost")
    phone.see("slot", slot="fault_point", state="owed")
    phone.drained()
    assert keys == [keys[0]] * len(keys)
    assert len(keys) >= 2

    puts: list[int] = []
    lost: list[str] = []

    def cut(route: Route) -> None:
        """The network goes in the middle of the third chunk."""
        if len(puts) == 2:
            route.abort()
            lost.append(route.request.url)
        else:
            puts.append(int(route.request.url.partition("at=")[2]))
            route.continue_()

    phone.context.route("**/api/crew/uploads/*", cut)
    phone.act("photo")
    phone.see("camera", slot="fault_point")
    file = noise_jpeg()
    picked: Any = {"name": "old.jpg", "mimeType": "image/jpeg", "buffer": file}
    phone.part("gallery").set_input_files(picked)
    phone.see("use")
    assert "人工核对" in phone.part("camera").inner_text()
    phone.press("use")
    # one that is held while its tab goes would pass unseen
    phone.wait(lambda: lost, "two chunks are through and the third is lost")
    phone.context.set_offline(True)
    phone.kill_tab()
    phone.context.unroute("**/api/crew/uploads/*")
    phone.context.on("request", lambda r: puts.extend(_offset(r)))
    phone.open()
    phone.see("link", waiting="1")
    phone.context.set_offline(False)
    phone.drained()
    assert sorted(set(puts)) == list(range(0, len(file), 256 * 1024))
    assert puts.count(0) == 1
    photo = next(f["event"] for f in traced(desk, ticket) if f["kind"] == "photo_taken")
    assert (photo["photo"], photo["bytes"]) == (hashlib.sha256(file).hexdigest(), len(file))
    assert photo["trust"] == "c"
    phone.press("link")
    assert "相册照片、由人工核对" in phone.see("op", what="photo").inner_text()
    phone.press("close")
    assert [f["kind"] for f in traced(desk, ticket)].count("checked_in") == 1


def _offset(request: Request) -> list[int]:
    _, _, at_ = request.url.partition("at=")
    return [int(at_)] if request.method == "PUT" and at_ else []


def test_one_ticket_that_waits_does_not_hold_up_another(
    phone: CrewPage, desk: httpx.Client
) -> None:
    busy, other = given(desk), given(desk, level="blue", kind="repair")
    sent: list[str] = []

    def overloaded(route: Route) -> None:
        sent.append(route.request.url.rsplit("/", 2)[1])
        problem = {"code": "database_unavailable", "detail": "…", "what_to_do": "…"}
        route.fulfill(status=503, json=problem)

    phone.context.route(f"**/api/crew/tickets/{busy}/*", overloaded)
    phone.turn_to(busy)
    phone.act("accept")
    phone.act("en-route")
    phone.press("card", ticket=other)
    phone.turn_to(other)
    phone.act("accept")
    phone.wait(
        lambda: "ticket_confirmed" in [f["kind"] for f in traced(desk, other)],
        "the other ticket is accepted",
    )
    assert phone.waiting() == 2
    assert set(sent) == {busy}
    phone.context.unroute(f"**/api/crew/tickets/{busy}/*")
    phone.press("link")
    assert phone.part("op", what="en-route").count() == 1
    phone.press("send-now")
    phone.press("close")
    phone.drained()
    assert "ticket_confirmed" in [f["kind"] for f in traced(desk, busy)]


def test_two_tabs_of_one_phone_send_everything_once(phone: CrewPage, desk: httpx.Client) -> None:
    ticket = given(desk)
    phone.turn_to(ticket)
    phone.ready_offline()
    phone.context.set_offline(True)
    phone.act("accept")
    phone.act("en-route")
    phone.act("check-in")
    phone.wait(lambda: phone.waiting() == 3, "three things wait")
    second = phone.context.new_page()
    second.goto(f"{phone.url}/crew")
    second.wait_for_selector('[data-testid="link"][data-waiting="3"]')
    sent: list[str] = []
    phone.context.on("request", lambda r: sent.extend(_said(r)))
    phone.context.set_offline(False)
    phone.drained()
    second.wait_for_selector('[data-testid="link"][data-waiting="0"]')
    second.close()
    assert sent == ["accept", "en-route", "check-in"]
    assert [f["kind"] for f in traced(desk, ticket)].count("checked_in") == 1


def _said(request: Request) -> list[str]:
    found = "/api/crew/tickets/" in request.url and request.method == "POST"
    return [request.url.rsplit("/", 1)[1]] if found else []
