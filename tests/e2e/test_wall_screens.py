"""The wall for who looks at it: signing in, a company without a city, both languages, the records
behind a figure, and nothing of a resident anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from installation import PASSWORD, USER, Installation, key
from small_city import FLATS, LAT, LON, at
from wall_page import BARE, RED, OpenBrowser, WallPage

from server.engines import Engines

pytestmark = pytest.mark.browser

NAME, PHONE, FLAT, WORDS = "欧阳测试", "139-0000-1234", "3单元502室", "立管漏水，老人独自在家"


@pytest.fixture
def new_house(own: tuple[Engines, Path]) -> Iterator[Installation]:
    """An installation that nobody has signed in to yet."""
    installation = Installation(*own, webs=1, cores=1, redis_db=1)
    installation.company("first", "初装热力")
    try:
        installation.start()
        yield installation
    finally:
        installation.stop()


def test_the_first_administrator_signs_in_by_the_link_once(
    new_house: Installation, browse: OpenBrowser
) -> None:
    link = f"{new_house.url}/sign-in?token={new_house.link()}"
    first = browse(new_house.url)
    first.may_say(r"status of 422")  # the link alone is refused: the page asks for a name first
    page = first.page
    page.goto(link)
    page.fill("input[name=user]", USER)
    page.fill("input[name=password]", PASSWORD)
    page.click("button.enter")
    page.wait_for_url("**/wall")
    page.wait_for_selector('html[data-ready="1"]')
    assert "初装热力" in page.inner_text("h1")

    again = browse(new_house.url)
    again.may_say(r"status of 403")  # the refusals that are meant here
    again.page.goto(link)
    problem = again.page.get_by_test_id("problem")
    problem.wait_for()
    assert "已用过" in problem.inner_text()
    again.page.fill("input[name=user]", USER)
    again.page.fill("input[name=password]", "wrong horse battery")
    again.page.click("button.enter")
    again.page.get_by_text("用户名或密码").wait_for()
    again.page.fill("input[name=password]", PASSWORD)
    again.page.click("button.enter")
    again.page.wait_for_url("**/wall")


def test_a_company_without_a_city_has_plain_ground_and_the_words(
    stack: Installation, browse: OpenBrowser
) -> None:
    person = stack.sign_in(BARE)
    wall = browse(stack.url, person.cookies)
    wall.open()
    assert "未导入城市地图" in wall.page.get_by_test_id("no-city").inner_text()
    spots = (at(-500, 0), at(500, 0))  # clear of banner and legend
    for lon, lat in spots:
        place = {"lon": lon, "lat": lat, "datum": "wgs84"}
        wish = {"kind": "leak", "level": "red", "source": "phone", "coordinate": place}
        assert person.post("/api/requests", json=wish, headers=key()).status_code == 201
    wall.wait(lambda: wall.figure("open-red") == "2", "the tickets are counted")
    person.close()
    # The camera was placed before there was anything to see: a new wall is placed on the tickets.
    wall.open()
    for spot in spots:
        wall.see(spot, RED, "a marker on plain ground")


@pytest.mark.parametrize(("width", "height"), [(1920, 1080), (390, 844)])
def test_every_figure_fits_in_both_languages(
    person: httpx.Client, wall: WallPage, width: int, height: int
) -> None:
    for x in range(-900, 900, 150):
        for level in ("red", "yellow", "blue"):
            lon, lat = at(x, {"red": -300, "yellow": 0, "blue": 300}[level])
            wish = {
                "kind": "not_warm",
                "level": level,
                "source": "phone",
                "coordinate": {"lon": lon, "lat": lat, "datum": "wgs84"},
                "accepted": True,
            }
            assert person.post("/api/requests", json=wish, headers=key()).status_code == 201
    wall.page.set_viewport_size({"width": width, "height": height})
    wall.wait(lambda: wall.figure("open-blue") == "12", "two digits to show")
    button = wall.page.get_by_test_id("language")
    for code, word in (("zh", "工单"), ("en", "Tickets")):
        if code == "en":
            button.click()
        wall.page.locator(f'html[lang^="{code}"]').wait_for(state="attached")
        assert word in wall.page.get_by_test_id("layer-tickets").inner_text()
        assert wall.overflowing() == [], code
    button.click()
    wall.page.locator('html[lang^="zh"]').wait_for(state="attached")


def take_in(person: httpx.Client, **where: object) -> str:
    """A red request in which the resident says everything, and more where it does not belong."""
    wish = {
        "kind": "leak",
        "level": "red",
        "source": "phone",
        "address": f"经纬街128号{FLAT}",
        "caller": {"name": NAME, "phone": PHONE},
        "words": f"{WORDS}，我是{NAME}，{FLAT}，电话{PHONE}",
        "accepted": True,
        **(where or {"building": FLATS}),
    }
    answer = person.post("/api/requests", json=wish, headers=key())
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


def test_a_click_leads_to_the_records_and_esc_closes_them(
    person: httpx.Client, wall: WallPage
) -> None:
    ticket = take_in(person)
    page = wall.page
    records = page.get_by_test_id("records")

    wall.wait(lambda: wall.figure("open-red") == "1", "the ticket is counted")
    page.get_by_test_id("fig-open-red").click()
    record = page.locator(f'[data-testid="record"][data-key="{ticket}"]')
    record.wait_for()
    record.get_by_role("button").click()
    page.get_by_test_id("trace-step").nth(1).wait_for()
    assert page.get_by_test_id("chain").get_attribute("data-holds") == "true"
    assert page.get_by_test_id("trace-step").count() == 2  # received, accepted
    page.keyboard.press("Escape")
    records.wait_for(state="detached")

    wall.see((LON, LAT), RED, "the marker")
    wall.click_map((LON, LAT))
    page.get_by_test_id("trace-step").first.wait_for()
    assert ticket in records.inner_text()
    page.keyboard.press("Escape")
    records.wait_for(state="detached")

    for figure in page.locator("button[data-testid^='fig-']:not(:disabled)").all():
        figure.click()
        records.wait_for()
        page.keyboard.press("Escape")
        records.wait_for(state="detached")


def test_nothing_of_a_resident_reaches_the_wall(person: httpx.Client, wall: WallPage) -> None:
    lon, lat = at(-500, 0)
    tickets = [
        take_in(person),
        # a street that the register does not know: the coordinate is what is left
        take_in(
            person, address=f"远方街999号{FLAT}", separate=True,
            coordinate={"lon": lon, "lat": lat, "datum": "wgs84"},
        ),
    ]  # fmt: skip
    page = wall.page
    wall.wait(lambda: wall.figure("open-red") == "2", "the tickets are counted")
    texts = [page.inner_text("body")]
    page.get_by_test_id("fig-open-red").click()
    for ticket in tickets:
        page.locator(f'[data-testid="record"][data-key="{ticket}"]').get_by_role("button").click()
        page.get_by_test_id("trace-step").first.wait_for()
        texts.append(page.content())
        page.get_by_test_id("records").get_by_text("返回").click()
        texts.append(page.content())
        assert any(ticket.encode() in frame for frame in wall.frames), "the ticket came by wire"
    assert "经纬街128号" in texts[0]
    everything = "\n".join(texts).encode() + b"\n".join(wall.frames)
    for secret in (NAME, PHONE, PHONE.replace("-", ""), FLAT, "单元", "502室", WORDS, "老人独自"):
        assert secret.encode() not in everything, secret
