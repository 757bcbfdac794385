"""Residents stay encrypted, companies stay apart, and the database itself sees to it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator
from typing import Any

import asyncpg
import pytest
import redis
from path_heating import local
from path_house import Caller, House, eventually, run
from path_residents import FLAT, NAME, PHONE, WORDS, at_the_desk, found_in, through_the_intake
from path_screen import TOPICS
from path_work import batch, carry, crew_on_duty, fix, receive, step

from server.adapters.vault import Vault

AUGUST = local(2026, 8, 15)


@pytest.fixture(scope="module")
def house(own_house: House) -> House:
    """In August, when households can still apply for a stop."""
    own_house.set_clock(AUGUST)
    return own_house


@pytest.fixture(scope="module")
def told(house: House) -> Any:
    """Residents' data has come in by every door that takes any."""
    caller = {"name": NAME, "phone": "139-7412-5836"}
    spot = {"lon": 126.6424, "lat": 45.7569, "datum": "wgs84"}
    address = f"{NAME}家 {PHONE} 和平路 7 号楼3单元{FLAT}"
    one = receive(
        house.person, building=None, coordinate=spot, address=address, caller=caller, words=WORDS
    )
    two = receive(
        house.source,
        caller={"name": NAME, "phone": PHONE},
        words=WORDS,
        address=address,
        level="blue",
    )
    step(
        house.person, two, "level", level="yellow", reason_code="other", reason="家里只有老人陈阿婆"
    )
    crew = crew_on_duty(house, "PR1")
    sent = carry(house.person, one, crew, "dispatch")
    receive(house.source, caller=caller, words=WORDS, address=address)  # counted on the second
    unplaced = receive(
        house.source, building=None, caller={"name": NAME}, words=WORDS, address=address
    )
    house.person.http.post("/api/calls/look-up", json={"phone": PHONE})
    house.person.http.post("/api/calls/look-up", json={"name": NAME})
    house.person.http.post("/api/requests/propose", json={"words": WORDS, "phone": PHONE})
    three = receive(house.person, caller=caller, words=WORDS, separate=True)
    step(house.person, three, "cancel", reason_code="other", reason=f"{NAME}说不用了")
    at = int(house.business_now().timestamp())
    batch(
        house.source, "mentions",
        {"id": "m-privacy", "said_at": at, "value": -0.8, "topic": "not_warm", "channel": "weibo",
         "community": "K1", "words": WORDS},
    )  # fmt: skip
    opened = house.person.ok(
        "/api/outages",
        {"node": "B05", "cause": "other", "expected_end_at": at + 3600, "reason": f"{NAME}家爆管"},
    )
    eventually(
        lambda: (
            {t["id"] for t in (one, two)}
            <= {r["key"] for r in house.person.get("/api/layers/tickets")["rows"]}
        ),
        "the tickets are on their layer",
    )
    told = [one["id"], two["id"], three["id"]]
    desk = at_the_desk(house)
    names = through_the_intake(house)
    return {
        "names": names,
        "tickets": told,
        "unplaced": unplaced["id"],
        "outage": opened["id"],
        "sent": sent,
        "desk": desk,
    }


def test_no_table_holds_a_resident_in_plain(house: House, told: Any) -> None:
    tables = house.sql(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname NOT LIKE 'pg\\_%' AND n.nspname <> 'information_schema'"
        " AND c.relkind IN ('r', 'p', 'm')"
        " AND NOT c.relispartition"
    )
    assert len(tables) > 30
    looked = 0
    for (table,) in tables:
        rows = house.sql(f"SELECT t::text FROM {table} t")
        looked += len(rows)
        for (row,) in rows:
            assert found_in(row.encode()) == [], table
    print(f"{looked} rows in {len(tables)} tables")


def test_what_is_encrypted_is_there_and_can_be_read_with_the_key(house: House, told: Any) -> None:
    vault = Vault(house.keys)
    persons = house.sql("SELECT pseudonym, body FROM person WHERE company_id = $1", house.company)
    plain = [vault.open_person(house.company, p["pseudonym"], p["body"]) for p in persons]
    assert [p for p in plain if p.name == NAME]
    texts = house.sql(
        "SELECT words_id, body FROM person_words WHERE company_id = $1", house.company
    )
    opened = [vault.open_words(house.company, t["words_id"], t["body"]) for t in texts]
    assert sum(WORDS in text for text in opened) >= 4
    assert sum(NAME in text for text in opened) >= 6
    same = house.sql(
        "SELECT DISTINCT body::json->>'resident' FROM journal"
        " WHERE stream = ANY($1::text[]) AND version = 1",
        [f"ticket:{t}" for t in told["tickets"]],
    )
    assert len(same) == 1, "one phone is one pseudonym, however it is written"


def test_redis_holds_no_resident(house: House, told: Any) -> None:
    with redis.Redis(unix_socket_path=house.valkey.url.removeprefix("unix://")) as r:
        keys = list(r.scan_iter(count=1000))
        assert any(b"feed:tickets" in key for key in keys)
        for key in keys:
            assert re.match(rb"\{\d+\}:", key), key  # every key leads with its company
            data = b"".join(v for _, entry in r.xrange(key) for v in entry.values())
            assert found_in(data + r.dump(key)) == [], key


def test_no_answer_shows_a_resident(house: House, told: Any) -> None:
    paths = [
        *(f"/api/layers/{topic}{form}" for topic in TOPICS for form in ("", ".geojson")),
        "/api/tickets?limit=500", *(f"/api/tickets/{t}" for t in told["tickets"]), "/api/outages",
        "/api/crews", "/api/crews/PR1", "/api/communities/K1", "/api/points/RT-01", "/api/session",
        "/api/outages?ended=true", "/api/stores",
    ]  # fmt: skip
    desk = told["desk"]
    seats = [
        "/api/plan", f"/api/proposals/{desk['ticket_id']}", f"/api/decisions/{desk['digest']}",
        "/api/handovers/preview", "/api/reports", f"/api/reports/{desk['day']}.pdf",
    ]  # fmt: skip
    for path in paths + seats:
        for caller in (house.person,) if path in seats else (house.person, house.source):
            answer = caller.http.get(path)
            assert answer.status_code == 200, path
            assert found_in(answer.content) == [], path


def test_no_log_tells_of_a_resident(house: House, told: Any) -> None:
    broken = house.person.post(
        "/api/requests", {"kind": "leak", "source": "phone", "words": WORDS, "x": NAME}
    )
    assert broken.status_code == 422
    assert found_in(broken.content) == []
    for process in [*house.webs, *house.cores]:
        assert found_in(process.log().encode()) == []


# ---------------------------------------------------------------- companies


@pytest.fixture(scope="module")
def neighbour(house: House) -> Iterator[tuple[int, Caller]]:
    """Another company with data in the same tables."""
    company, token = house.open_company("neighbour")
    caller = Caller(house.url, token)
    at = int(house.business_now().timestamp())
    ticket = receive(caller, caller={"name": "邻居", "phone": "13900000000"}, words="冷")
    caller.ok(
        "/api/crews/N1",
        {
            "name": "N1",
            "trades": ["indoor"],
            "members": 2,
            "vehicle": "N-1",
            "shift": "00:00-00:00",
        },
    )
    batch(caller, "room-readings", {"point": "RT-01", "read_at": at, "celsius": 15.0})
    batch(caller, "network-readings", {"node": "S1", "read_at": at, "supply_c": 50.0})
    batch(caller, "weather", {"observed_at": at, "outdoor_c": -9})
    batch(caller, "crew-positions", fix("N1", at))
    batch(caller, "account-balances", {"household": "H-001", "balance_at": at, "unpaid_fen": 5})
    batch(
        caller,
        "mentions",
        {"id": "n", "said_at": at, "value": 0, "topic": "other", "channel": "c", "community": "K1"},
    )
    house.sql(
        "INSERT INTO usual_hour VALUES ($1, 'workday', 1, 1, 2, 3), ($2, 'workday', 1, 1, 2, 3)",
        company,
        house.company,
    )
    eventually(
        lambda: house.sql(
            "SELECT 1 FROM layer_row WHERE company_id = $1 AND key = $2", company, ticket["id"]
        ),
        "the neighbour's ticket is folded",
    )
    yield company, caller
    caller.http.close()


def company_tables(house: House) -> list[str]:
    rows = house.sql(
        "SELECT c.relname FROM pg_class c"
        " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'company_id'"
        " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p')"
        " AND NOT c.relispartition ORDER BY 1"
    )
    return [r[0] for r in rows]


def test_every_table_with_a_company_is_guarded(house: House) -> None:
    tables = company_tables(house)
    assert len(tables) > 30
    open_ = house.sql(
        "SELECT relname FROM pg_class"
        " WHERE relname = ANY($1::text[]) AND NOT (relrowsecurity AND relforcerowsecurity)",
        tables,
    )
    assert open_ == []


async def _attempts(
    house: House, company: int, statements: list[tuple[str, list[Any]]]
) -> list[Any]:
    """Each statement alone as the application's role: its rows, or the error."""
    c = await asyncpg.connect(house.app_url)
    results: list[Any] = []
    try:
        for statement, args in statements:
            try:
                async with c.transaction():
                    await c.execute("SELECT set_config('heatops.company', $1, true)", str(company))
                    results.append(await c.fetch(statement, *args))
            except asyncpg.PostgresError as error:
                results.append(error)
    finally:
        await c.close()
    return results


def test_the_application_sees_one_company(
    house: House, told: Any, neighbour: tuple[int, Caller]
) -> None:
    theirs, _ = neighbour
    compared = 0
    for table in company_tables(house):
        mine = house.sql(f"SELECT count(*) FROM {table} WHERE company_id = $1", house.company)[0][0]
        other = house.sql(f"SELECT count(*) FROM {table} WHERE company_id = $1", theirs)[0][0]
        total, named = run(_attempts(house, house.company, [
            (f"SELECT count(*) FILTER (WHERE company_id <> {house.company}) FROM {table}", []),
            (f"SELECT count(*) FROM {table} WHERE company_id = {theirs}", []),
        ]))  # fmt: skip
        for result in (total, named):
            if isinstance(result, Exception):
                assert isinstance(result, asyncpg.InsufficientPrivilegeError), (table, result)
            else:
                assert result[0][0] == 0, table
        compared += mine > 0 and other > 0 and not isinstance(total, Exception)
    print(f"{compared} tables with rows of both companies")
    assert compared >= 18


def test_the_application_writes_one_company(
    house: House, told: Any, neighbour: tuple[int, Caller]
) -> None:
    theirs, _ = neighbour
    tried = 0
    for table in company_tables(house):
        row = house.sql(
            f"SELECT to_jsonb(t)::text FROM {table} t WHERE company_id = $1 LIMIT 1", theirs
        )
        if not row:
            continue
        count = house.sql(f"SELECT count(*) FROM {table} WHERE company_id = $1", theirs)[0][0]
        insert, update, delete, move = run(_attempts(house, house.company, [
            ((f"INSERT INTO {table} OVERRIDING SYSTEM VALUE"
              f" SELECT (jsonb_populate_record(NULL::public.{table}, $1::text::jsonb)).*"),
             [row[0][0]]),
            ((f"UPDATE {table} SET company_id = company_id WHERE company_id = {theirs}"
              " RETURNING 1"), []),
            (f"DELETE FROM {table} WHERE company_id = {theirs} RETURNING 1", []),
            (f"UPDATE {table} SET company_id = {theirs} RETURNING 1", []),
        ]))  # fmt: skip
        assert isinstance(insert, asyncpg.InsufficientPrivilegeError), (table, insert)
        never = (asyncpg.InsufficientPrivilegeError, asyncpg.GeneratedAlwaysError)
        for result in (update, delete, move):
            assert result == [] or isinstance(result, never), (table, result)
        assert (
            house.sql(f"SELECT count(*) FROM {table} WHERE company_id = $1", theirs)[0][0] >= count
        )
        tried += 1
    assert tried >= 20


def test_without_a_company_there_is_an_error_and_no_row(
    house: House, told: Any, neighbour: tuple[int, Caller]
) -> None:
    filled = [t for t in company_tables(house) if house.sql(f"SELECT 1 FROM {t} LIMIT 1")]

    async def look(*, after_another: bool) -> None:
        c = await asyncpg.connect(house.app_url)
        try:
            if after_another:
                async with c.transaction():
                    await c.execute(
                        "SELECT set_config('heatops.company', $1, true)", str(house.company)
                    )
            for table in filled:
                with pytest.raises(
                    (
                        asyncpg.UndefinedObjectError,
                        asyncpg.InvalidTextRepresentationError,
                        asyncpg.InsufficientPrivilegeError,
                    )
                ):
                    await c.fetch(f"SELECT 1 FROM {table}")
        finally:
            await c.close()

    asyncio.run(look(after_another=False))
    asyncio.run(look(after_another=True))


def test_the_api_keeps_companies_apart(
    house: House, told: Any, neighbour: tuple[int, Caller]
) -> None:
    _, caller = neighbour
    ours = told["tickets"][1]
    assert caller.http.get(f"/api/tickets/{ours}").status_code == 404
    assert caller.post(f"/api/tickets/{ours}/accept", {"version": 1}).status_code == 404
    assert caller.post(f"/api/outages/{told['outage']}/end", {"version": 1}).status_code == 404
    assert caller.http.get("/api/crews/PR1").status_code == 404
    assert {t["source"] for t in caller.get("/api/tickets", limit=500)["items"]} == {"phone"}
    assert len(caller.get("/api/tickets", limit=500)["items"]) == 1
    rows = eventually(
        lambda: caller.http.get("/api/layers/tickets").json().get("rows"), "the neighbour's layer"
    )
    assert ours not in {r["key"] for r in rows}


def test_what_the_roles_may_not_do(house: House) -> None:
    for role, url, forbidden in (
        ("heatops_app", house.app_url, [
            "DELETE FROM journal", "UPDATE journal SET actor = 'x'", "TRUNCATE journal",
            "SELECT * FROM journal_0", "SELECT * FROM account", "SELECT * FROM session",
            "SELECT * FROM source_token", "UPDATE business_clock SET rate = 2",
            "DELETE FROM outbox", "UPDATE layer_row SET key = 'x'",
            "UPDATE lease SET generation = 1", "CREATE TABLE mine (x int)",
            "ALTER TABLE journal DISABLE TRIGGER ALL", "SET session_replication_role = replica",
        ]),
        ("heatops_feed", house.feed_url, [
            "SELECT * FROM person", "SELECT * FROM person_words", "SELECT * FROM journal",
            "SELECT * FROM household", "SELECT * FROM account_balance",
            "UPDATE business_clock SET rate = 2",
            "INSERT INTO company (code, name) VALUES ('x', 'x')",
        ]),
    ):  # fmt: skip
        found = house.sql(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb FROM pg_roles"
            " WHERE rolname = $1",
            role,
        )
        assert tuple(found[0]) == (False, False, False, False)

        async def attempt(url: str = url, forbidden: list[str] = forbidden) -> None:
            c = await asyncpg.connect(url)
            try:
                await c.execute(f"SELECT set_config('heatops.company', '{house.company}', false)")
                for statement in forbidden:
                    with pytest.raises(asyncpg.InsufficientPrivilegeError):
                        await c.execute(statement)
                    print(statement, "- refused")
            finally:
                await c.close()

        asyncio.run(attempt())
