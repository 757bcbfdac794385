"""The queues of the intake page worked through in Chromium by keys: a suspension from the referral
to the closed loop, an address that teaches, a file whose refused rows are shown, and the rest."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import pytest
from installation import Installation, key
from intake_page import IntakePage
from playwright.sync_api import Page
from small_city import FLATS
from wall_page import CITY, OpenBrowser

from server.adapters.keys import Keys
from server.adapters.vault import Vault
from server.engines import Engines

pytestmark = pytest.mark.browser

HOMES = tuple(f"910000000{n}" for n in range(1, 7))
SHIPPED = Path(__file__).resolve().parents[2] / "server" / "policies" / "default" / "default.toml"
ALL_YEAR = {
    'deadline = "09-30"': 'deadline = "06-30"',
    'season_from = "10-15"': 'season_from = "07-01"',
    'season_until = "04-15"': 'season_until = "06-30"',
    'resume_until = "03-31"': 'resume_until = "06-30"',
}
"""A season that lasts from July to June: whenever the tests run, applications are taken."""
VIEWS = (
    "suspensions", "suspensions/visits", "addresses", "addresses/aliases", "cases",
    "contradictions", "imports", "imports/runs", "imports/export", "reminders", "reminders/start",
)  # fmt: skip
SCREENS = ((1920, 1080), (1366, 768), (390, 844))


class Queues:
    """One person's page, by keys."""

    def __init__(self, seat: IntakePage) -> None:
        self.seat = seat
        self.page: Page = seat.page

    def open(self, view: str, language: str = "zh") -> None:
        """Show a view and wait until its list has been read."""
        self.page.goto(f"{self.seat.browser.url}/intake?lang={language}#{view}")
        self.page.wait_for_selector('html[data-ready="1"]')
        self.page.get_by_test_id("frame").wait_for()

    def press(self, *keys: str) -> None:
        """One key after the other."""
        for name in keys:
            self.page.keyboard.press(name)

    def until(self, selector: str) -> None:
        """Wait for a part of the page."""
        self.page.wait_for_selector(selector)

    def see(self, testid: str, **attributes: str) -> None:
        """Wait for a part that says so by its data attributes."""
        told = "".join(f'[data-{name}="{value}"]' for name, value in attributes.items())
        self.until(f'[data-testid="{testid}"]{told}')

    def pick(self, record: str) -> None:
        """Go down the list, by keys, until this record is shown."""
        self.until(f'[data-testid="row"][data-id="{record}"]')
        self.press("Home")
        rows = self.page.get_by_test_id("row").evaluate_all("all => all.map(r => r.dataset.id)")
        self.press(*["ArrowDown"] * rows.index(record))
        self.see("record", id=record)

    def text(self, testid: str) -> str:
        """What a part says."""
        return self.page.get_by_test_id(testid).first.inner_text()

    def check_fits(self) -> None:
        """Nothing sticks out of the page or its box."""
        found = self.page.evaluate(_OVERFLOWING)
        assert found == []


@pytest.fixture(scope="module", autouse=True)
def all_year(own: tuple[Engines, Path]) -> None:
    """Rules by which an application is in time on every day; there before any process starts."""
    rules = SHIPPED.read_text()
    for shipped, here in ALL_YEAR.items():
        assert shipped in rules
        rules = rules.replace(shipped, here)
    folder = own[1] / "policies" / CITY
    folder.mkdir(parents=True)
    (folder / "default.toml").write_text(rules)


@pytest.fixture(scope="module")
def homes(stack: Installation) -> None:
    """Flats of the register, all of one owner."""
    company = stack.company(CITY, "暖城热力")
    vault = Vault(Keys(stack.data / "keys"))
    owner = vault.person(company, "李秀英", "10000000061")
    stack.fetch(
        "INSERT INTO person VALUES ($1, $2, $3, $4, $5)",
        company, owner.pseudonym, vault.seal_person(company, owner),
        vault.blind_name(company, "李秀英"), vault.blind_phone(company, "10000000061"),
    )  # fmt: skip
    for n, household in enumerate(HOMES, 1):
        stack.fetch(
            "INSERT INTO household (company_id, household_id, building_id, unit, floor, flat,"
            " riser_ids, area_m2, gable, ground_floor, top_floor, valve, green_channel, pseudonym)"
            " VALUES ($1, $2, $3, 1, 3, $4, '{r1}', 80, false, false, false, true, false, $5)",
            company, household, FLATS, f"30{n}", owner.pseudonym,
        )  # fmt: skip


@pytest.fixture
def queues(stack: Installation, homes: None, person: httpx.Client, browse: OpenBrowser) -> Queues:
    """A person before the page."""
    return Queues(IntakePage(browse(stack.url, person.cookies)))


def post(client: httpx.Client, path: str, body: dict[str, Any], **headers: str) -> dict[str, Any]:
    answer = client.post(path, json=body, headers=key() | headers)
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


def apply(client: httpx.Client, household: str) -> str:
    """An application that a person must decide: not by the owner, and without proof."""
    body = {
        "action": "suspension", "household": household, "source": "counter",
        "applicant": {"name": "王建国", "phone": "13900000001"},
    }  # fmt: skip
    told = post(client, "/api/suspensions", body)
    assert told["state"] == "referred", told
    return str(told["id"])


def application(client: httpx.Client, number: str) -> dict[str, Any]:
    found: dict[str, Any] = client.get(f"/api/suspensions/{number}").json()
    return found


def test_a_referred_suspension_is_carried_to_the_closed_loop(
    person: httpx.Client, queues: Queues
) -> None:
    number = apply(person, HOMES[0])
    queues.open("suspensions")
    queues.pick(number)
    queues.see("check", code="owner", verdict="fail")
    queues.see("check", code="valve", verdict="pass")
    assert "产权证明" in queues.text("checks")
    queues.see("step-answered", state="waits")

    queues.press("a")
    queues.until("textarea:focus")
    queues.page.keyboard.type("产权证原件已核对")
    queues.press("Control+Enter")
    queues.see("state", state="approved")
    queues.see("step-answered", state="done")
    assert queues.text("written-reason") == "产权证原件已核对"
    queues.see("step-visited", state="waits")
    queues.check_fits()

    queues.press("6")  # the visit that the core has planned for its riser
    queues.until('[data-testid="visit-state"]')
    queues.press("r")
    queues.until("select:focus")
    queues.press("2")
    queues.page.keyboard.press("Tab")
    queues.page.keyboard.type("F-20931")
    queues.press("Control+Enter")
    queues.see("home", state="done")

    queues.press("3")
    queues.pick(number)
    queues.see("known-service", known="true")
    queues.see("known-finance", known="false")
    assert "F-20931" in queues.text("loop")
    queues.press("o")
    queues.see("known-operations", known="true")
    queues.press("i")
    queues.see("state", state="closed")
    queues.see("step-closed", state="done")
    queues.see("chain", holds="true")
    found = application(person, number)["application"]
    assert (found["state"], found["valve"], found["seal"]) == ("closed", "sealed", "F-20931")
    assert set(found["known"]) == {"service", "operations", "finance"}


def test_a_refusal_names_its_grounds_and_new_rows_wait_until_they_are_asked_for(
    person: httpx.Client, queues: Queues
) -> None:
    first = apply(person, HOMES[1])
    queues.open("suspensions")
    queues.pick(first)
    second = apply(person, HOMES[2])
    queues.until('[data-testid="fresh"]')
    assert second not in queues.page.get_by_test_id("queue").inner_html()
    queues.press("f")
    queues.until("textarea:focus")
    queues.press("Escape")
    assert application(person, first)["application"]["state"] == "referred"
    queues.press("f", "Control+Enter")
    queues.see("state", state="refused")
    found = application(person, first)["application"]
    assert {"owner", "proof"} <= set(found["because"])
    assert queues.page.locator(f'[data-testid="row"][data-id="{first}"]').count() == 1  # it stays
    queues.press("u")
    queues.until(f'[data-testid="row"][data-id="{second}"]')
    assert queues.page.locator(f'[data-testid="row"][data-id="{first}"]').count() == 0
    waits = person.get("/api/suspensions/summary").json()["states"]["referred"]
    queues.until(f'[data-testid="list-referred"] b >> text="{waits}"')


def test_an_address_teaches_and_settles_another_that_says_the_same(
    person: httpx.Client, queues: Queues
) -> None:
    texts = ("王家大院 128 号 1 单元", "王家大院 128 号")
    tickets = []
    for text in texts:
        body = {"kind": "question", "source": "phone", "words": "问一下", "address": text}
        tickets.append(post(person, "/api/requests", body | {"separate": True})["id"])
    asked = person.get("/api/address-questions").json()["items"]
    numbers = {q["reference"]: str(q["id"]) for q in asked}
    queues.open("addresses")
    queues.pick(numbers[f"ticket:{tickets[0]}"])
    assert queues.text("text") == texts[0]
    queues.press("/")
    queues.until('[data-testid="search-field"]:focus')
    queues.page.keyboard.type("经纬街128")
    queues.page.get_by_test_id("offer").first.wait_for()
    queues.press("Enter")
    queues.until('[data-testid="lessons"]')
    assert "“王家大院” = 经纬街" in queues.text("lessons")
    queues.press("Enter")
    queues.see("also-answered", n="1")
    assert "王家大院" in queues.text("taught")
    for ticket in tickets:
        assert person.get(f"/api/tickets/{ticket}").json()["ticket"]["building"] == FLATS
    queues.check_fits()

    queues.press("l")
    queues.see("record", id="street/王家大院")
    queues.press("f")
    queues.until('[data-testid="empty"]')
    assert person.get("/api/address-aliases").json()["items"] == []


def test_a_file_is_tried_its_columns_put_right_and_then_imported(
    person: httpx.Client, queues: Queues, tmp_path: Path
) -> None:
    file = tmp_path / "住户.csv"
    rows = [
        "户号,楼栋编号,单元,楼层,室号,面积,谁家",
        f"9200000001,{FLATS},1,4,401,66.5,王建国",
        f"9200000002,{FLATS},1,4,402,abc,李四",
        "9200000003,B9999,1,4,403,70,赵五",
        f"9200000001,{FLATS},1,4,404,70,赵六",
    ]
    file.write_bytes("\n".join(rows).encode("gb18030"))
    queues.page.on("filechooser", lambda _: None)  # from now on, not only once it is awaited
    queues.open("imports")
    with queues.page.expect_file_chooser() as choosing:
        queues.press("o")
    choosing.value.set_files(file)
    queues.see("outcome", dry="true")
    assert (queues.text("rows"), queues.text("added"), queues.text("refused")) == ("4 行", "1", "3")
    codes = queues.page.get_by_test_id("reject").evaluate_all("all => all.map(r => r.dataset.code)")
    assert sorted(codes) == ["bad_number", "duplicate_key", "unknown_building"]
    assert person.get("/api/imports").json()["items"][0]["dry"]
    assert queues.page.get_by_test_id("column-owner_name").input_value() == ""

    queues.page.get_by_test_id("column-owner_name").fill("谁家")
    queues.page.keyboard.press("Tab")
    queues.page.get_by_test_id("save-as").fill("物业")
    queues.page.keyboard.press("Enter")
    queues.until('[data-testid="saved"]')
    saved = person.get("/api/import-mappings", params={"kind": "households"}).json()["items"]
    assert [(m["name"], m["mapping"]["owner_name"]) for m in saved] == [("物业", "谁家")]
    queues.until('[data-testid="import"]:not(:disabled)')
    queues.check_fits()
    queues.press("Escape")  # out of the field
    queues.press("i")
    queues.see("outcome", dry="false")
    with queues.page.expect_download() as fetching:
        queues.page.locator('[data-testid="outcome"] a[download]').click()
    rejected = Path(fetching.value.path()).read_text("utf-8-sig")
    assert "9200000003" in rejected
    assert "unknown_building" in rejected
    found = person.post(
        "/api/calls/look-up", json={"household": "9200000001"}, headers=key()
    ).json()
    assert found["households"][0]["owner_name"] == "王建国"


def test_a_case_goes_through_its_clocks(person: httpx.Client, queues: Queues) -> None:
    body = {
        "origin": "hotline_12345", "number": "26011408150001", "words": "家里不热",
        "household": HOMES[3],
    }  # fmt: skip
    case = post(person, "/api/cases", body)["case"]["id"]
    queues.open("cases")
    queues.pick(case)
    queues.until('[data-clock="sign_for"][data-state="blue"]')
    queues.press("s")
    queues.see("case-state", state="signed")
    queues.until('[data-clock="sign_for"][data-state="met"]')
    queues.press("c")
    queues.see("case-state", state="contacted")
    queues.press("r")
    queues.until("textarea:focus")
    queues.page.keyboard.type("已修复，室温 20 度。")
    queues.press("Control+Enter")
    queues.see("case-state", state="replied")
    queues.until('[data-testid="told"] >> text=已发送')
    queues.press("x", "Control+Enter")
    queues.see("case-state", state="closed")
    queues.check_fits()


def test_a_contradiction_is_found_on_demand_and_mending_is_ordered(
    person: httpx.Client, queues: Queues
) -> None:
    item = {"household": HOMES[4], "network": "disconnected", "billing": "full", "billed_fen": 100}
    post(person, "/api/batches/household-standings", {"items": [item]})
    queues.open("contradictions", "en")
    queues.until('[data-testid="scan-line"]')
    queues.press("s")
    queues.see("cell-network", bad="true")
    queues.see("cell-application", bad="true")
    queues.see("cell-billing", bad="false")
    assert "1 found" in queues.text("scan-line")
    queues.press("a")
    queues.see("mending", mending="ask_for_application")
    found = person.get("/api/contradictions").json()["items"][0]
    assert (found["household"], found["mending_by"]) == (HOMES[4], "person:admin")
    queues.check_fits()


def test_a_reminder_goes_out_only_after_its_number_was_typed(
    person: httpx.Client, queues: Queues
) -> None:
    told = person.get(
        "/api/campaigns/preview", params={"purpose": "suspension_deadline", "days_before": 7}
    ).json()
    number = told["recipients"] - told["without_phone"]
    queues.open("reminders/start")
    queues.page.get_by_test_id("days").fill("7")
    queues.page.keyboard.press("Tab")
    queues.until('[data-testid="preview"]')
    assert told["text_zh"] in queues.text("record")
    assert number >= 1
    queues.page.get_by_test_id("sure").fill(str(number + 1))
    assert queues.page.locator("form button[type=submit]").is_disabled()
    queues.page.get_by_test_id("sure").fill(str(number))
    queues.press("Control+Enter")
    queues.until('[data-testid="reach"]')
    assert person.get("/api/campaigns").json()["items"][0]["days_before"] == 7


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_view_fits_every_screen(person: httpx.Client, queues: Queues, language: str) -> None:
    apply(person, HOMES[5])  # the same again in the other language: it is not multiplied
    for view in VIEWS:
        queues.open(view, language)
        queues.page.wait_for_load_state("networkidle")
        for width, height in SCREENS:
            queues.page.set_viewport_size({"width": width, "height": height})
            queues.check_fits()


_OVERFLOWING = """() => {
  const wide = document.documentElement;
  const out = wide.scrollWidth > wide.clientWidth ? [`page ${wide.scrollWidth}`] : [];
  for (const part of document.querySelectorAll('header *, .q *')) {
    if (part.clientWidth === 0 || part.closest('.unseen, textarea, input, select')) continue;
    if (['hidden', 'auto', 'scroll'].includes(getComputedStyle(part).overflowX)) continue;
    if (part.scrollWidth > part.clientWidth + 1) {
      out.push(`${part.tagName} ${part.className} ${part.textContent.slice(0, 40)}`);
    }
  }
  return out;
}"""
