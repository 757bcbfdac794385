"""The wall through what happens to it: tickets, a dead feed, a dead Redis, a dead web, a lost
drawing context. No reload in any of it."""

from __future__ import annotations

import os
import re
import signal
import time

import httpx
import pytest
from installation import Installation, key
from small_city import at
from wall_page import AWAY, GREY, RED, WallPage

pytestmark = pytest.mark.browser


def report_red(client: httpx.Client, spot: tuple[float, float], **more: object) -> str:
    """Take a red request in at a place. Returns the ticket's id."""
    body = {
        "kind": "leak",
        "level": "red",
        "source": "phone",
        "coordinate": {"lon": spot[0], "lat": spot[1], "datum": "wgs84"},
        "accepted": True,
        **more,
    }
    answer = client.post("/api/requests", json=body, headers=key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def shown(wall: WallPage, reds: int, what: str) -> None:
    wall.wait(lambda: wall.figure("open-red") == str(reds), f"{what}: {reds} red tickets counted")


def test_a_red_ticket_a_dead_feed_and_a_dead_redis(
    stack: Installation, person: httpx.Client, wall: WallPage
) -> None:
    wall.wait(lambda: wall.all_layers("fresh"), "every layer is fresh")
    assert wall.figure("open-red") == "0"
    first, second, third, fourth = at(-500, -500), at(500, -500), at(-500, 300), at(500, 300)
    assert wall.count_pixels(first, RED) == 0

    report_red(person, first)
    shown(wall, 1, "a ticket")
    wall.see(first, RED, "its red marker")
    assert "ticket_received" in happenings(wall)

    (core,) = stack.cores
    core.kill()
    wall.wait(lambda: wall.all_layers("stale"), "every layer is grey without a feed")
    note = wall.page.get_by_test_id("layer-tickets").inner_text()
    (seconds,) = re.findall(r"停更 (\d+) 秒", note)
    assert int(seconds) >= 3
    wall.see(first, GREY, "the grey marker")
    assert wall.count_pixels(first, RED) == 0
    report_red(person, second)  # taken in all the same
    assert wall.figure("open-red") == "1"

    core.start()
    shown(wall, 2, "the feed is back, with what was committed meanwhile")
    wall.wait(lambda: wall.all_layers("fresh"), "every layer is fresh again")
    wall.see(first, RED, "the first marker")
    wall.see(second, RED, "the second marker")

    valkey = stack.engines.valkey.pid
    assert valkey is not None
    os.kill(valkey, signal.SIGKILL)
    looks = [wall.all_layers("fresh")]
    until = time.monotonic() + 6
    while time.monotonic() < until:
        wall.page.wait_for_timeout(250)
        looks.append(wall.all_layers("fresh"))
    print(f"fresh at {sum(looks)} of {len(looks)} looks while Redis is away")
    assert sum(looks) >= 0.75 * len(looks)
    report_red(person, third)
    shown(wall, 3, "through PostgreSQL")
    wall.see(third, RED, "the third marker")
    wall.wait(lambda: wall.all_layers("fresh"), "still fresh")

    assert stack.engines.restart_dead()
    report_red(person, fourth)
    shown(wall, 4, "Redis is back")
    wall.see(fourth, RED, "the fourth marker")
    wall.wait(lambda: wall.all_layers("fresh"), "fresh to the end")
    wall.check_never_reloaded()


def happenings(wall: WallPage) -> list[str | None]:
    """The codes of the lines at the foot of the wall."""
    lines = wall.page.get_by_test_id("happening").all()
    return [line.get_attribute("data-what") for line in lines]


def test_a_web_process_dies_and_comes_back(
    stack: Installation, person: httpx.Client, wall: WallPage
) -> None:
    wall.may_say(AWAY)
    report_red(person, at(-500, -500))
    shown(wall, 1, "before")
    stack.webs[0].kill()
    wall.page.get_by_test_id("line-note").wait_for()
    with httpx.Client(base_url=stack.urls[1], cookies=person.cookies, timeout=10) as other:
        report_red(other, at(500, 300))
    wall.wait(lambda: wall.all_layers("stale"), "every layer is grey without a line")
    stack.webs[0].start()
    shown(wall, 2, "reconnected by itself")
    wall.page.get_by_test_id("line-note").wait_for(state="detached")
    wall.see(at(500, 300), RED, "what was committed at another web meanwhile")
    wall.wait(lambda: wall.all_layers("fresh"), "fresh again")
    wall.check_never_reloaded()


def test_a_lost_drawing_context_comes_back(person: httpx.Client, wall: WallPage) -> None:
    spot, other = at(-500, -500), at(500, 300)
    report_red(person, spot)
    wall.see(spot, RED, "the marker")
    wall.page.evaluate(
        """() => {
          const gl = window.__heatops.map.getCanvas().getContext('webgl2');
          window.__mark.context = gl.getExtension('WEBGL_lose_context');
          window.__mark.context.loseContext();
        }"""
    )
    wall.page.get_by_test_id("map-note").wait_for()
    report_red(person, other)
    shown(wall, 2, "the figures go on")
    wall.page.evaluate("() => window.__mark.context.restoreContext()")
    wall.page.get_by_test_id("map-note").wait_for(state="detached")
    wall.see(spot, RED, "the old marker again")
    wall.see(other, RED, "the marker that came meanwhile")
    wall.check_never_reloaded()


def test_a_source_that_breaks_its_own_promise_greys_its_layer(
    person: httpx.Client, wall: WallPage
) -> None:
    def beat(cadence_s: float) -> None:
        answer = person.post(
            "/api/sources/rooms/heartbeat", json={"cadence_s": cadence_s}, headers=key()
        )
        assert answer.status_code == 200, answer.text

    chip = wall.page.get_by_test_id("layer-rooms")
    beat(2)
    wall.wait(lambda: wall.states()["rooms"] == "stale", "the silent source's layer is grey")
    assert "无消息" in (chip.get_attribute("title") or "")
    assert wall.states()["tickets"] == "fresh"
    beat(86_400)
    wall.wait(lambda: wall.states()["rooms"] == "fresh", "it speaks again")
