"""Contradictions against a real database: the statement finds what the rules find, a scan keeps
them until they are gone, and a mend sends word."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from path_house import House, eventually, run

from dispatch_core.contradictions import Records, find
from dispatch_core.ids import unix
from server.adapters import accounts, contradictions
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.jobs.contradictions import night_of

NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
SEASON = "2026-2027"
GRANTED = ("approved", "completed", "closed")

hours = st.sampled_from([None, -48, -1, 0, 1, 48])
application = st.tuples(
    st.sampled_from(["suspension", "temporary_stop", "resume"]),
    st.sampled_from(["referred", "approved", "refused", "withdrawn", "completed", "closed"]),
    hours,
    st.sampled_from([SEASON, "2025-2026"]),
)
standing = st.fixed_dictionaries(
    {
        "service": st.sampled_from(["heated", "suspended", "temporary_stop"]),
        "network": st.sampled_from([None, "connected", "disconnected"]),
        "valve": st.sampled_from(["open", "closed", "sealed", "unknown"]),
        "billing": st.sampled_from([None, "full", "base", "none"]),
        "billed_fen": st.sampled_from([None, 0, 91_968]),
        "applications": st.lists(application, max_size=4),
        "season": st.sampled_from([SEASON, SEASON, "2025-2026"]),
    }
)


def records_of(s: dict[str, Any]) -> Records:
    """What the rules look at, from the same random records."""
    granted = [
        (n, a) for n, a in enumerate(s["applications"]) if a[1] in GRANTED and a[3] == SEASON
    ]
    n, newest = granted[-1] if granted else (0, (None, None, None, None))
    at = unix(NOW - timedelta(days=3))
    return Records(
        service=s["service"],
        application=f"{n}" if granted else None,
        action=newest[0],
        state=newest[1],
        known_by=None if newest[2] is None else unix(NOW + timedelta(hours=newest[2])),
        network=s["network"],
        network_at=at,
        valve=s["valve"],
        valve_at=at,
        billing=s["billing"],
        billed_fen=s["billed_fen"],
        billed_at=at,
    )


async def put(c: asyncpg.Connection, company: int, number: int, s: dict[str, Any]) -> None:
    """Write a household's random records down."""
    at = NOW - timedelta(days=3)
    await c.execute(
        "INSERT INTO household_standing (company_id, season, household_id, service, network,"
        " network_at, valve, valve_at, billing, billed_fen, billed_at)"
        " VALUES ($1, $2, $3, $4, $5, $6, $7, $6, $8, $9, $6)",
        company, s["season"], f"H-{number}", s["service"], s["network"], at, s["valve"],
        s["billing"], s["billed_fen"],
    )  # fmt: skip
    for n, (action, state, known_by, season) in enumerate(s["applications"]):
        await c.execute(
            "INSERT INTO application (company_id, application_id, household_id, building_id,"
            " season, action, state, source, address, times, because, applied_at, known, late,"
            " known_by) VALUES ($1, $2, $3, 'B', $4, $5, $6, 'app', '', 1, '{}', $7, '{}', false,"
            " $8)",
            company, f"{number}/{n}", f"H-{number}", season, action, state,
            NOW - timedelta(days=30 - n),
            None if known_by is None else NOW + timedelta(hours=known_by),
        )  # fmt: skip


def test_a_scan_finds_exactly_what_the_rules_find(fresh_database: str, engines: Any) -> None:
    company = run(accounts.ensure_company(fresh_database, "rules", "Rules"))
    url = app_dsn(fresh_database, Keys(engines.keys))

    async def look(standings: list[dict[str, Any]]) -> None:
        c = await asyncpg.connect(url)
        try:
            whole = c.transaction()
            await whole.start()
            await c.execute("SELECT set_config('heatops.company', $1, true)", str(company))
            for number, s in enumerate(standings):
                await put(c, company, number, s)
            made = await contradictions.scan(c, company, SEASON, NOW, "test")
            rows = await c.fetch("SELECT * FROM contradiction")
            again = await contradictions.scan(c, company, SEASON, NOW, "test")
            await whole.rollback()
        finally:
            await c.close()
        looked_at = {n: records_of(s) for n, s in enumerate(standings) if s["season"] == SEASON}
        wanted = {(f"H-{n}", kind): r for n, r in looked_at.items() for kind in find(r, unix(NOW))}
        found = {
            (r["household_id"], r["kind"]): msgspec.json.decode(r["records"], type=Records)
            for r in rows
        }
        assert set(found) == set(wanted)
        for key, records in wanted.items():
            house = key[0].removeprefix("H-")
            name = None if records.application is None else f"{house}/{records.application}"
            assert found[key] == msgspec.structs.replace(records, application=name)
        assert (made.households, made.found, made.new, made.gone) == (
            len(looked_at), len(wanted), len(wanted), 0,
        )  # fmt: skip
        assert (again.found, again.new, again.gone) == (len(wanted), 0, 0)

    @settings(max_examples=60, deadline=None)
    @given(st.lists(standing, max_size=25))
    def every(standings: list[dict[str, Any]]) -> None:
        run(look(standings))

    every()


@pytest.mark.parametrize(
    ("local", "first"),
    [
        ("2026-11-22T02:29:59", "2026-11-21T02:30:00"),
        ("2026-11-22T02:30:00", "2026-11-22T02:30:00"),
        ("2026-11-22T23:00:00", "2026-11-22T02:30:00"),
    ],
)
def test_a_night_runs_from_half_past_two_to_the_next(local: str, first: str) -> None:
    zone = ZoneInfo("Asia/Shanghai")
    at = datetime.fromisoformat(local).replace(tzinfo=zone)
    since, until = night_of(at.astimezone(UTC), zone)
    assert since == datetime.fromisoformat(first).replace(tzinfo=zone)
    assert until - since == timedelta(days=1)


# ---------------------------------------------------------------- over HTTP, with a running core
NIGHT = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
"""02:00 in the city."""


@pytest.fixture(scope="module")
def town(own_house: House) -> House:
    own_house.set_clock(NIGHT)
    own_house.sql("DELETE FROM contradiction_scan")
    return own_house


async def enter(house: House, number: int, s: dict[str, Any]) -> None:
    c = await asyncpg.connect(house.database_url)
    try:
        await put(c, house.company, number, s)
    finally:
        await c.close()


def household(house: House, number: int, **more: Any) -> str:
    s = {
        "service": "suspended", "network": "disconnected", "valve": "sealed", "billing": "base",
        "billed_fen": 91_968, "applications": [("suspension", "closed", -48, SEASON)],
        "season": SEASON,
    }  # fmt: skip
    name = f"H-{number:03d}"
    run(enter(house, number, s | more))
    house.sql(
        "UPDATE household_standing SET household_id = $1 WHERE household_id = $2", name,
        f"H-{number}",
    )  # fmt: skip
    house.sql(
        "UPDATE application SET household_id = $1 WHERE household_id = $2", name, f"H-{number}"
    )
    return name


def listed(house: House, **query: Any) -> Any:
    return house.person.get("/api/contradictions", **query)


def test_found_listed_mended_gone(town: House) -> None:
    billed = household(town, 1, billing="full", billed_fen=306_560)
    household(town, 2)
    marked = household(town, 3, service="heated", applications=[])
    fresh = household(
        town, 4, network="connected", applications=[("suspension", "completed", 5, SEASON)]
    )
    scan = town.person.ok("/api/contradictions/scan")
    assert (scan["households"], scan["found"], scan["new"], scan["gone"]) == (4, 2, 2, 0)
    assert (scan["season"], scan["by"]) == (SEASON, "person:admin")
    page = listed(town)
    assert page["by_kind"] == {
        "suspended_yet_connected": 0, "marked_without_application": 1,
        "suspended_yet_billed": 1, "valve_open": 0,
    }  # fmt: skip
    assert (page["total"], page["scan"]["found"]) == (2, 2)
    one, two = page["items"]
    assert (one["household"], two["household"]) == (marked, billed)
    assert (two["building"], two["address"], two["unit"]) == ("B01", "和平路 0 号", 1)
    assert two["records"]["billed_fen"] == 306_560
    assert two["records"]["application"] == "1/0"
    assert "3065.60" in two["why_zh"]
    assert [m["action"] for m in two["mends"]] == ["tell_finance"]
    assert fresh not in {i["household"] for i in page["items"]}
    # pages by kind and household
    first = listed(town, limit=1)
    assert [i["household"] for i in first["items"]] == [marked]
    rest = listed(town, limit=1, after=first["next"])
    assert ([i["household"] for i in rest["items"]], rest["next"]) == ([billed], None)
    assert listed(town, kind="suspended_yet_billed")["total"] == 1
    assert listed(town, season="2025-2026")["items"] == []

    wanted = {"season": SEASON, "kind": "suspended_yet_billed", "household": billed}
    wrong = town.person.post("/api/contradictions/mend", wanted | {"action": "unmark"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "wrong_mend")
    assert listed(town, kind="suspended_yet_billed")["items"][0]["mending"] is None
    body = wanted | {"action": "tell_finance", "reason": "请张三丰核对账单"}
    answer = town.person.post("/api/contradictions/mend", body, key="mend-once-1")
    assert answer.status_code == 200, answer.text
    mended = answer.json()
    assert (mended["mending"], mended["mending_by"]) == ("tell_finance", "person:admin")
    assert town.person.post("/api/contradictions/mend", body, key="mend-once-1").json() == mended
    stood = town.sql(
        "SELECT channel, target, kind, about, body FROM message WHERE kind = 'contradiction'"
    )
    assert [(r["channel"], r["target"]) for r in stood] == [("department", "finance")]
    opened = msgspec.json.decode(
        Vault(town.keys).open_message(town.company, stood[0]["about"], stood[0]["body"])
    )
    assert (opened["household"], opened["action"]) == (billed, "tell_finance")
    assert opened["reason"] == "请张三丰核对账单"
    assert opened["records"]["billing"] == "full"
    answers = town.sql("SELECT answer FROM idempotency WHERE route LIKE '%contradictions%'")
    assert "张三丰" not in str([r[0] for r in answers])

    # a mend alone ends nothing
    assert town.person.ok("/api/contradictions/scan")["gone"] == 0
    assert listed(town, kind="suspended_yet_billed")["items"][0]["mending"] == "tell_finance"
    at = int(town.business_now().timestamp())
    report = {"household": billed, "billing": "base", "billed_fen": 91_968, "at": at}
    assert town.source.ok("/api/batches/household-standings", {"items": [report]}) == {
        "accepted": 1, "refused": [],
    }  # fmt: skip
    after = town.person.ok("/api/contradictions/scan")
    assert (after["found"], after["new"], after["gone"]) == (1, 0, 1)
    assert listed(town, kind="suspended_yet_billed")["items"] == []
    gone = town.person.post("/api/contradictions/mend", wanted | {"action": "tell_finance"})
    assert (gone.status_code, gone.json()["code"]) == (404, "no_such_contradiction")

    # it comes back: found anew, and nobody is mending it
    town.source.ok(
        "/api/batches/household-standings",
        {"items": [report | {"billing": "full", "at": at + 1}]},
    )
    back = town.person.ok("/api/contradictions/scan")
    assert (back["new"], back["gone"]) == (1, 0)
    item = listed(town, kind="suspended_yet_billed")["items"][0]
    assert item["mending"] is None
    assert item["found_at"] >= two["found_at"]


def test_a_mark_is_taken_back_by_each_department_that_made_it(town: House) -> None:
    name = household(town, 5, applications=[], service="suspended")
    town.person.ok("/api/contradictions/scan")
    body = {
        "season": SEASON, "kind": "marked_without_application", "household": name,
        "action": "unmark",
    }  # fmt: skip
    assert town.person.ok("/api/contradictions/mend", body)["mending"] == "unmark"
    about = f"contradiction:{SEASON}/marked_without_application/{name}"
    rows = town.sql("SELECT target FROM message WHERE about = $1 ORDER BY target", about)
    assert [r[0] for r in rows] == ["finance", "operations", "service"]
    carried = "SELECT 1 FROM message WHERE about = $1 AND state = 'sent' AND told = 'sent'"
    eventually(lambda: len(town.sql(carried, about)) == 3, "each has it from the gateway")


def test_what_cannot_be_asked_is_refused(town: House) -> None:
    for path, query, code in (
        ("/api/contradictions", {"limit": 0}, "bad_limit"),
        ("/api/contradictions", {"limit": 501}, "bad_limit"),
        ("/api/contradictions", {"kind": "rumour"}, "unknown_kind"),
        ("/api/contradictions", {"after": "x"}, "bad_page"),
    ):
        answer = town.person.http.get(path, params=query)
        assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert town.person.post("/api/contradictions/mend", {"season": SEASON}).status_code == 422
    unkeyed = town.person.http.post("/api/contradictions/scan", json={})
    assert unkeyed.json()["code"] == "key_missing"


def test_one_scan_at_a_time(town: House) -> None:
    async def hold() -> int:
        pool = Pool(town.app_url, size=1)
        try:
            async with pool.company(town.company) as c:
                await contradictions.scan(c, town.company, SEASON, NIGHT, "test")
                answer = await asyncio.to_thread(town.person.post, "/api/contradictions/scan", {})
                assert answer.json()["code"] == "scan_running"
                return answer.status_code
        finally:
            await pool.close()

    assert run(hold()) == 409


def test_each_night_is_scanned_once_by_itself(town: House) -> None:
    def nights() -> list[datetime]:
        rows = town.sql(
            "SELECT started_at FROM contradiction_scan WHERE by_whom = 'system:core'"
            " ORDER BY scan_id"
        )
        return [r[0] for r in rows]

    def later(than: int) -> list[datetime]:
        return eventually(lambda: nights() if len(nights()) > than else [], "the night is scanned")

    before = len(nights())
    town.set_clock(NIGHT + timedelta(minutes=31))
    first = later(before)
    assert first[-1] - NIGHT < timedelta(minutes=40)
    town.set_clock(NIGHT + timedelta(hours=20))  # the same night still
    town.set_clock(NIGHT + timedelta(days=1, minutes=29))
    town.set_clock(NIGHT + timedelta(days=1, hours=9))  # a core that was late catches up
    second = later(len(first))
    assert len(second) == len(first) + 1
    assert second[-1] > NIGHT + timedelta(days=1, hours=8)
