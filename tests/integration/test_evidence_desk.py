"""The reviewer's side: what waits, in which order, and what a record shows before it is decided."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import asyncpg
import pytest
from path_crew import phones
from path_house import LAT, LON, House, eventually, run
from path_work import crew_on_duty, given, step
from test_calls import seat

from dispatch_core import evidence
from dispatch_core.commands import GiveUpPhoto, JudgePhoto
from dispatch_core.events import PhotoCheck, Twin
from dispatch_core.ids import PhotoId, TicketId
from server.adapters import journal
from server.adapters.clock import system_now
from server.adapters.evidence_queue import _query
from server.adapters.pool import Pool


@pytest.fixture(scope="module")
def crew(house: House) -> str:
    return crew_on_duty(house, "DESK1")


def on_site(house: House, crew: str, ticket: str, *slots: Any, fix: Any = None) -> None:
    async def day() -> None:
        async with phones(house) as phone:
            await phone.ok(crew, ticket, "check-in", **({"fix": fix} if fix else {}))
            for slot in slots:
                await phone.photo(crew, ticket, slot)

    run(day())


def told(house: House, ticket: str, make: Callable[[Any, Any], Any]) -> None:
    """A verdict, written as the photo process writes it."""

    async def write() -> None:
        pool = Pool(house.app_url)
        stream = f"evidence:{ticket}"
        try:
            async with pool.company(house.company) as c:
                heads = await journal.load_heads(c, [stream, f"ticket:{ticket}"])
                now = house.business_now()
                key = house.keys.get("journal")
                writes = journal.Writes(house.company, key, now, system_now())
                writes.heads[stream] = heads[stream]
                label = heads[f"ticket:{ticket}"].state.label
                facts = evidence.decide(heads[stream].state, make(label, heads[stream].state), now)
                writes.append(stream, facts, actor="system:photo", grounds="test", policy="test")
                await writes.flush(c)
        finally:
            await pool.close()

    asyncio.run(write())


def judged(house: House, ticket: str, slot: Any, verdict: Any, **more: Any) -> None:
    told(
        house, ticket,
        lambda label, record: JudgePhoto(
            ticket=label, slot=slot, photo=record.photos[slot].photo, verdict=verdict, trust="a",
            by="system:photo", **({"checks": [], "twin": None} | more),
        ),
    )  # fmt: skip


def queue(house: House, **asked: Any) -> Any:
    return house.person.get("/api/evidence", **asked)


def layer_rows(house: House) -> Any:
    rows = house.person.get("/api/layers/evidence")["rows"]
    return {row["key"]: row["row"] for row in rows}


def names(house: House, **asked: Any) -> list[str]:
    return [row["ticket"] for row in queue(house, **asked)["items"]]


def test_what_waits_is_listed_red_first_and_leaves_once_it_is_decided(
    house: House, crew: str
) -> None:
    blue = given(house, crew, level="blue")
    on_site(house, crew, blue, "fault_point")
    judged(house, blue, "fault_point", "review")
    eventually(lambda: names(house, crew=crew) == [blue], "the blue one waits")
    red = given(house, crew, level="red")
    on_site(house, crew, red, "fault_point", "in_progress")
    judged(house, red, "fault_point", "block")
    told(
        house, red,
        lambda label, record: GiveUpPhoto(
            ticket=label, slot="in_progress", photo=record.photos["in_progress"].photo,
            why="too_slow", tries=2, by="system:photo",
        ),
    )  # fmt: skip
    eventually(lambda: names(house, crew=crew) == [red, blue], "the red one comes first")
    eventually(lambda: names(house, crew=crew, state="unjudged") == [red], "unjudged, too")
    assert names(house, crew=crew, state="block") == [red]
    assert names(house, crew=crew, state="review") == [blue]
    assert names(house, crew="nobody") == []
    page = queue(house, crew=crew, limit=1)
    assert [row["ticket"] for row in page["items"]] == [red]
    rest = queue(house, crew=crew, limit=1, after=page["next"])
    assert ([row["ticket"] for row in rest["items"]], rest["next"]) == ([blue], None)
    (row,) = page["items"]
    assert (row["needs"], row["unjudged"], row["crew"]) == ("block", True, crew)
    assert row["slots"]["fault_point"] == "block"
    bad = house.person.http.get("/api/evidence?after=x")
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_page")

    eventually(
        lambda: layer_rows(house).get(red, {}).get("needs_person") == "block", "the layer says so"
    )

    record = house.person.get(f"/api/evidence/{blue}")
    seen = {
        "version": record["version"], "slot": "fault_point",
        "photo": record["photos"]["fault_point"]["photo"],
    }  # fmt: skip
    house.person.ok(f"/api/evidence/{blue}/accept", seen | {"reason_code": "known_good"})
    eventually(lambda: names(house, crew=crew) == [red], "the blue one is decided")
    ticket = house.person.get(f"/api/tickets/{red}")["ticket"]
    step(house.person, ticket, "cancel", reason="住户另行处理")
    eventually(lambda: names(house, crew=crew) == [], "the red one is over")
    eventually(lambda: red not in layer_rows(house), "the layer drops what is over")
    assert layer_rows(house)[blue]["needs_person"] is None


def test_the_photo_of_a_door_that_nobody_opened_is_looked_at_too(house: House, crew: str) -> None:
    ticket = given(house, crew)
    on_site(house, crew, ticket, "door")

    async def nobody() -> None:
        async with phones(house) as phone:
            await phone.ok(crew, ticket, "no-answer", called_at=[], notice_left=True)

    run(nobody())
    judged(house, ticket, "door", "block")
    eventually(lambda: ticket in names(house, crew=crew, state="block"), "the door waits")
    record = house.person.get(f"/api/evidence/{ticket}")
    assert "door" not in record["slots"]
    door = {"slot": "door", "photo": record["photos"]["door"]["photo"]}
    decision = door | {"version": record["version"], "reason_code": "reused_photo"}
    house.person.ok(f"/api/evidence/{ticket}/refuse", decision)
    eventually(lambda: ticket not in names(house, crew=crew), "it is decided")


def test_a_check_in_that_was_refused_may_be_taken_back_and_the_crew_may_check_in_again(
    house: House, crew: str
) -> None:
    ticket = given(house, crew)
    on_site(house, crew, ticket, fix={"lon": LON + 0.05})
    path = f"/api/evidence/{ticket}"
    version = house.person.get(path)["version"]
    out = {"version": version, "visit": 1, "to": "out", "reason_code": "not_there"}
    house.person.ok(f"{path}/check-in", out)
    record = house.person.get(path)
    assert (record["site_review"], record["may"]) == (False, ["check-in", "waive"])
    on_site(house, crew, ticket, "fault_point")
    record = house.person.get(path)
    assert [visit["verdict"] for visit in record["visits"]] == ["out", "in"]
    assert record["photos"]["fault_point"]["visit"] == 2


def test_a_record_says_what_was_found_in_words_and_what_may_be_done(
    house: House, crew: str
) -> None:
    first = given(house, crew)
    on_site(house, crew, first, "fault_point")
    twin = house.person.get(f"/api/evidence/{first}")["photos"]["fault_point"]["photo"]
    ticket = given(house, crew)
    on_site(house, crew, ticket, "fault_point", fix={"lon": LON + 0.05})
    judged(
        house, ticket, "fault_point", "block",
        checks=[
            PhotoCheck(code="in_fence", outcome="fail", value=212.0, threshold=60.0, measure="m"),
            PhotoCheck(code="seen_eye", outcome="fail", value=4, threshold=31, measure="bit"),
        ],
        twin=Twin(photo=PhotoId(twin), ticket=TicketId(first), slot="fault_point", bits=4),
        camera_at_ms=1_768_000_000_000,
    )  # fmt: skip
    seen = house.person.get(f"/api/evidence/{ticket}")
    photo = seen["photos"]["fault_point"]
    assert [check["zh"] for check in photo["checks"]] == [
        "扣除定位自报误差，拍摄地点距楼 212 米；只允许 60 米。",
        "与另一张照片只差 4 位；31 位以内视为同一张。",
    ]
    assert "the picture was taken 212 m from the building" in photo["checks"][0]["en"]
    assert (photo["checks"][0]["code"], photo["checks"][0]["value"]) == ("in_fence", 212.0)
    assert (photo["suspect"]["ticket"], photo["suspect"]["crew"]) == (first, crew)
    assert photo["suspect"]["at"] > 0
    clocks = {clock["clock"]: clock["at_ms"] for clock in photo["clocks"]}
    assert set(clocks) == {"server", "session", "camera", "satellites"}
    assert (clocks["camera"], clocks["satellites"]) == (1_768_000_000_000, None)
    assert photo["may"] == ["accept", "refuse", "again"]
    assert seen["may"] == ["check-in", "waive"]
    (visit,) = seen["visits"]
    assert (visit["verdict"], visit["entered"]["verdict"]) == ("out", "out")
    assert visit["entered"]["fix"]["lon"] == pytest.approx(LON + 0.05, abs=1e-6)
    assert visit["distance_m"] > 1000
    assert (seen["fence"]["within_m"], seen["held"]) == (60.0, False)
    assert seen["fence"]["lat"] == pytest.approx(LAT, abs=0.1)
    assert seen["site_review"]

    decision = {"version": seen["version"], "reason_code": "reused_photo"}
    house.person.ok(
        f"/api/evidence/{ticket}/refuse",
        decision | {"slot": "fault_point", "photo": photo["photo"]},
    )
    after = house.person.get(f"/api/evidence/{ticket}")["photos"]["fault_point"]
    assert [d["what"] for d in after["decided"]] == ["refuse"]
    assert after["checked_verdict"] == "block"
    assert after["may"] == ["accept", "again"]


def test_the_months_report_counts_what_was_found_and_says_how_sure_it_is(
    house: House, crew: str
) -> None:
    ticket = given(house, crew)
    on_site(house, crew, ticket, "fault_point")
    judged(house, ticket, "fault_point", "block")
    month = house.business_now().strftime("%Y-%m")
    report = house.person.get("/api/reports/sham", month=month)
    (found,) = [row for row in report["crews"] if row["crew"] == crew]
    assert found["blocked"] >= 1
    assert found["doubtful"] >= 1
    assert 0 <= found["low"] <= found["share"] <= found["high"] <= 1
    assert (found["finding"], found["en"]) == ("too_few", "Too few tickets to say")
    table = house.person.http.get("/api/reports/sham.csv", params={"month": month})
    assert table.headers["content-type"].startswith("text/csv")
    head, *lines = table.content.decode("utf-8-sig").splitlines()
    assert head.startswith("crew,crew_name,tickets")
    assert any(line.startswith(f"{crew},") for line in lines)
    assert house.person.get("/api/reports/sham", month="2020-12")["crews"] == []
    bad = house.person.http.get("/api/reports/sham", params={"month": "2026-13"})
    assert (bad.status_code, bad.json()["code"]) == (422, "bad_month")
    refused = seat(house, "sham-seat", "seat").http.get("/api/reports/sham?month=2026-01")
    assert (refused.status_code, refused.json()["code"]) == (403, "role_needed")


def test_the_queue_of_a_hundred_thousand_records_reads_an_index(house: House) -> None:
    async def plans() -> list[str]:
        c = await asyncpg.connect(house.database_url, timeout=10)
        found = []
        try:
            async with c.transaction():
                await c.execute(
                    "INSERT INTO evidence_standing (company_id, ticket_id, version, held,"
                    " told_version, open, needs, unjudged, rank, since, crew_id)"
                    " SELECT 999, n::text, 1, false, 1, n % 20 = 0, CASE WHEN n % 20 = 0 THEN"
                    " (ARRAY['review','block'])[1 + n % 2] END, n % 100 = 0, n % 3,"
                    " now() - n * interval '1 s', 'K' || n % 40 FROM generate_series(1, 100000) n"
                )
                await c.execute("ANALYZE evidence_standing")
                for state, crew in (
                    (None, None), ("block", None), ("unjudged", None), (None, "K7"),
                ):  # fmt: skip
                    query, args = _query(999, state, crew, 50, None)  # type: ignore[arg-type]
                    rows = await c.fetch(f"EXPLAIN {query}", *args)
                    found.append("\n".join(row[0] for row in rows))
                raise _Back
        except _Back:
            return found
        finally:
            await c.close()

    for plan in asyncio.run(plans()):
        assert "Seq Scan" not in plan
        assert "evidence_queue" in plan


class _Back(Exception):  # noqa: N818
    """Nothing of it is to stay."""
