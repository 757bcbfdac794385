"""Signing in and out, sites, and the passes of the websocket."""

from __future__ import annotations

import time
from typing import Any

import httpx
import pytest
from path_house import PASSWORD, Caller, House, run
from path_screen import Ended, Screen
from path_work import receive
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from server.adapters import accounts

EVIL = {"Origin": "https://evil.example"}


@pytest.fixture
def other(house: House) -> Caller:
    """A second session of the administrator."""
    assert house.person is not None
    return house.sign_in()


def ended(screen: Screen, what: str) -> Ended:
    """How the server closed the screen's connection."""
    with pytest.raises(Ended) as caught:
        screen.until(lambda: False, what)
    return caught.value


def greeted(house: House, *messages: dict[str, Any] | str) -> Screen:
    """A screen without a hello of its own that has sent these messages."""
    screen = Screen(house.person.http, ())
    screen.ws = screen._held.enter_context(
        connect(f"ws{house.url.removeprefix('http')}/live", subprotocols=["heatops.v1"])
    )
    for message in messages:
        if isinstance(message, str):
            screen.ws.send(message)
        else:
            screen.send(message)
    return screen


def new_pass(caller: Caller) -> str:
    return str(caller.http.post("/api/live-passes").json()["pass"])


def test_a_link_works_once(house: House) -> None:
    assert house.person is not None
    link = run(accounts.new_link(house.database_url))
    fresh = Caller(house.url)
    assert fresh.http.post("/api/sign-in/link", json={"token": link}).status_code == 200
    assert fresh.get("/api/session")["user"] == "admin"
    again = Caller(house.url).http.post("/api/sign-in/link", json={"token": link})
    assert (again.status_code, again.json()["code"]) == (403, "link_unknown")
    assert "set-cookie" not in again.headers


def test_an_old_link_does_not_work(house: House) -> None:
    link = run(accounts.new_link(house.database_url))
    house.sql("UPDATE sign_in_link SET expires_at = now() - interval '1 second'")
    answer = Caller(house.url).http.post("/api/sign-in/link", json={"token": link})
    assert (answer.status_code, answer.json()["code"]) == (403, "link_unknown")


def test_user_and_password(house: House) -> None:
    assert house.person is not None
    caller = Caller(house.url)
    refusals = [
        caller.http.post("/api/sign-in", json={"user": user, "password": password})
        for user, password in (("admin", "wrong password"), ("nobody", PASSWORD), ("admin", ""))
    ]
    assert {(a.status_code, a.json()["code"]) for a in refusals} == {(403, "sign_in_refused")}
    assert len({a.content for a in refusals}) == 1, "it tells which of the two was wrong"
    assert caller.http.get("/api/session").status_code == 401
    good = caller.http.post("/api/sign-in", json={"user": "admin", "password": PASSWORD})
    assert good.status_code == 200
    assert caller.get("/api/session")["company"]["code"] == "warm"
    cookie = good.headers["set-cookie"]
    flags = {part.strip().lower() for part in cookie.split(";")[1:]}
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags, "over plain http on loopback the browser would drop it"


def test_secrets_are_not_stored(house: House, other: Caller) -> None:
    cookie = other.http.cookies["heatops_session"]
    for table in ("session", "account", "source_token", "live_pass", "sign_in_link"):
        rows = str(house.sql(f"SELECT t::text FROM {table} t"))
        for secret in (cookie, PASSWORD, house.token):
            assert secret not in rows
            assert secret.encode().hex() not in rows


def test_without_a_session_there_is_nothing(house: House) -> None:
    for caller in (Caller(house.url), Caller(house.url, "made-up")):
        for path in (
            "/api/tickets",
            "/api/layers/tickets",
            "/api/session",
            "/api/crews",
            "/tiles/warm/x.pmtiles",
        ):
            assert caller.http.get(path).status_code == 401, path
        answer = caller.post(
            "/api/requests", {"kind": "leak", "source": "phone", "building": "B01"}
        )
        assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_signing_out_closes_the_sessions_screens(house: House, other: Caller) -> None:
    theirs = Screen(other.http, ["tickets"]).open(house.url).loaded()
    ours = Screen(house.person.http, ["tickets"]).open(house.url).loaded()
    assert other.http.post("/api/sign-out").status_code == 200
    end = ended(theirs, "the screen is closed")
    assert end.code == 4001
    assert end.bye == {"t": "bye", "reason": "session_ended", "reconnect_after_ms": None}
    assert other.http.get("/api/session").status_code == 401
    ticket = receive(house.person)
    ours.until(lambda: ticket["id"] in ours.rows("tickets"), "another session goes on")
    ours.close()


def test_a_revoked_cookie_is_refused(house: House, other: Caller) -> None:
    stolen = other.http.cookies["heatops_session"]
    other.http.post("/api/sign-out")
    with httpx.Client(base_url=house.url, cookies={"heatops_session": stolen}) as thief:
        assert thief.get("/api/session").status_code == 401
        assert thief.post("/api/live-passes").status_code == 401


def test_pages_of_other_sites_are_refused(house: House, other: Caller) -> None:
    link = run(accounts.new_link(house.database_url))
    for path, body in (
        ("/api/requests", {"kind": "leak", "source": "phone", "building": "B01"}),
        ("/api/live-passes", {}),
        ("/api/sign-out", {}),
        ("/api/sign-in", {"user": "admin", "password": PASSWORD}),
        ("/api/sign-in/link", {"token": link}),
        ("/api/session/company", {"code": "warm"}),
    ):
        for origin in ("https://evil.example", "null", f"{house.url}.evil.example"):
            headers = {"Origin": origin, "Idempotency-Key": "cross-site-1"}
            answer = other.http.post(path, json=body, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (403, "cross_site"), (
                path,
                origin,
            )
    own = {"Origin": house.url}
    assert other.http.post("/api/live-passes", headers=own).status_code == 201


def test_the_websocket_refuses_pages_of_other_sites(house: House) -> None:
    url = f"ws{house.url.removeprefix('http')}/live"
    with pytest.raises(InvalidStatus) as caught, connect(url, origin="https://evil.example"):
        pass
    assert caught.value.response.status_code == 403
    Screen(house.person.http, ["tickets"]).open(house.url, origin=house.url).loaded().close()


def test_a_pass_works_once(house: House) -> None:
    one = new_pass(house.person)
    first = greeted(
        house, {"t": "hello", "pass": one}, {"t": "sub", "topic": "tickets", "since": None}
    )
    first.views["tickets"] = Screen(house.person.http).views["tickets"]
    first.loaded().close()
    end = ended(greeted(house, {"t": "hello", "pass": one}), "the second use is refused")
    assert (end.code, end.bye and end.bye["reason"]) == (4003, "pass_refused")


def test_a_pass_expires(house: House) -> None:
    old = new_pass(house.person)
    left = house.sql("SELECT max(extract(epoch FROM expires_at - now())) FROM live_pass")[0][0]
    assert 0 < left <= 30
    house.sql("UPDATE live_pass SET expires_at = now() - interval '1 second'")
    end = ended(greeted(house, {"t": "hello", "pass": old}), "an old pass is refused")
    assert (end.code, end.bye and end.bye["reason"]) == (4003, "pass_refused")
    end = ended(greeted(house, {"t": "hello", "pass": "made-up"}), "an unknown pass is refused")
    assert end.code == 4003


def test_the_session_ends_between_pass_and_hello(house: House, other: Caller) -> None:
    unused = new_pass(other)
    other.http.post("/api/sign-out")
    screen = greeted(
        house, {"t": "hello", "pass": unused}, {"t": "sub", "topic": "tickets", "since": None}
    )
    screen.views["tickets"] = Screen(house.person.http).views["tickets"]
    end = ended(screen, "a pass of an ended session is refused")
    assert (end.code, end.bye and end.bye["reason"]) == (4001, "session_ended")
    assert screen.views["tickets"].seq == -1


def test_a_source_gets_no_pass(house: House) -> None:
    answer = house.source.http.post("/api/live-passes")
    assert (answer.status_code, answer.json()["code"]) == (401, "not_signed_in")


def test_what_is_no_protocol_ends_the_connection(house: House) -> None:
    for first in ({"t": "sub", "topic": "tickets"}, "not json", {"t": "hello"}):
        end = ended(greeted(house, first), "no hello")
        assert (end.code, end.bye and end.bye["reason"]) == (4002, "protocol")
    hello = {"t": "hello", "pass": new_pass(house.person)}
    with pytest.raises(AssertionError, match="bad_message"):
        greeted(house, hello, "{}").until(lambda: False, "nonsense")


def test_an_unknown_topic_is_told_and_the_connection_stays(house: House) -> None:
    screen = Screen(house.person.http, ["tickets"]).open(house.url).loaded()
    screen.send({"t": "sub", "topic": "residents", "since": None})
    with pytest.raises(AssertionError, match="unknown_topic"):
        screen.until(lambda: False, "the error")
    began = time.monotonic()
    screen.got["tick"] = 0
    screen.until(
        lambda: screen.got["tick"] >= 2, f"ticks go on after {time.monotonic() - began:.1f} s"
    )
    screen.close()


def test_changing_the_company_closes_its_screens(house: House, other: Caller) -> None:
    house.open_company("second")
    answer = other.http.post("/api/session/company", json={"code": "nowhere"})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_member")
    screen = Screen(other.http, ["tickets"]).open(house.url).loaded()
    assert other.http.post("/api/session/company", json={"code": "second"}).status_code == 200
    assert ended(screen, "the screen is closed").code == 4001
    assert other.get("/api/session")["company"]["code"] == "second"
    assert other.get("/api/tickets")["items"] == []
