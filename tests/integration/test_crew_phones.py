"""A crew's phone: signed in with a code from the desk, what it reaches, and how it is put out."""

from __future__ import annotations

import base64
import uuid
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from path_house import Caller, House, eventually
from path_work import register_crew
from test_sessions import ended, greeted, new_pass

from server.adapters import crew_devices


def jwk(key: ec.EllipticCurvePrivateKey | None = None) -> dict[str, str]:
    numbers = (key or ec.generate_private_key(ec.SECP256R1())).public_key().public_numbers()

    def b64(number: int) -> str:
        return base64.urlsafe_b64encode(number.to_bytes(32)).decode().rstrip("=")

    return {"kty": "EC", "crv": "P-256", "x": b64(numbers.x), "y": b64(numbers.y)}


def sign_in(caller: Caller, code: str, **body: Any) -> httpx.Response:
    told = {"code": code, "device_key": jwk(), "device_name": "班长的手机"}
    return caller.http.post("/api/crew/sign-in", json=told | body)


def phone(house: House, crew: str, **body: Any) -> Caller:
    """A phone of the crew, signed in."""
    caller = Caller(house.url)
    answer = sign_in(caller, new_code(house, crew), **body)
    assert answer.status_code == 200, answer.text
    return caller


def new_code(house: House, crew: str) -> str:
    answer = house.person.http.post(f"/api/crews/{crew}/code")
    assert answer.status_code == 201, answer.text
    return str(answer.json()["code"])


def refused(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


@pytest.fixture
def crew(house: House) -> str:
    """A crew of this test's own."""
    name = f"P{uuid.uuid4().hex[:8]}"
    register_crew(house.person, name)
    return name


def test_a_phone_signs_in_with_a_code(house: House, crew: str) -> None:
    caller = phone(house, crew)
    session = caller.get("/api/session")
    assert (session["role"], session["crew"], session["user"]) == ("crew", crew, crew)
    assert session["company"]["code"] == "warm"
    assert session["companies"] == []
    (device,) = house.person.get(f"/api/crews/{crew}/devices")["items"]
    assert device["device"] == session["device"]
    assert (device["name"], device["active"]) == ("班长的手机", True)
    assert device["signed_in_by"] == "person:admin"


def test_a_code_works_once(house: House, crew: str) -> None:
    code = new_code(house, crew)
    assert len(code) == 8
    assert code.isdecimal()
    assert sign_in(Caller(house.url), code).status_code == 200
    again = sign_in(Caller(house.url), code)
    assert refused(again) == (403, "code_refused")
    assert "set-cookie" not in again.headers


def test_a_code_that_is_old_or_replaced_does_not_work(house: House, crew: str) -> None:
    first, second = new_code(house, crew), new_code(house, crew)
    caller = Caller(house.url, address="127.0.0.31")
    assert refused(sign_in(caller, first)) == (403, "code_refused")
    left = house.sql(
        "SELECT extract(epoch FROM expires_at - now()) FROM crew_code WHERE crew_id = $1", crew
    )
    assert 0 < left[0][0] <= 600
    house.sql("UPDATE crew_code SET expires_at = now() WHERE crew_id = $1", crew)
    assert refused(sign_in(caller, second)) == (403, "code_refused")


def test_a_code_dies_of_wrong_tries(house: House, crew: str) -> None:
    code = new_code(house, crew)
    wrong = code[:3] + f"{(int(code[3:]) + 1) % 100_000:05d}"
    caller = Caller(house.url, address="127.0.0.32")
    for _ in range(crew_devices.WRONG_A_CODE):
        assert refused(sign_in(caller, wrong)) == (403, "code_refused")
    assert refused(sign_in(Caller(house.url), code)) == (403, "code_refused")
    assert house.person.get(f"/api/crews/{crew}/devices")["items"] == []


def test_an_address_that_guesses_is_stopped(house: House, crew: str) -> None:
    caller = Caller(house.url, address="127.0.0.33")
    for guess in range(crew_devices.WRONG_AN_ADDRESS):
        assert refused(sign_in(caller, f"guess{guess}")) == (403, "code_refused")
    code = new_code(house, crew)
    assert refused(sign_in(caller, code)) == (429, "too_many_attempts")
    elsewhere = Caller(house.url, address="127.0.0.34")
    assert sign_in(elsewhere, code).status_code == 200, "the code itself still stands"


def test_neither_code_nor_session_is_stored(house: House, crew: str) -> None:
    code = new_code(house, crew)
    assert code not in str(house.sql("SELECT t::text FROM crew_code t WHERE crew_id = $1", crew))
    caller = phone(house, crew)
    rows = str(house.sql("SELECT t::text FROM crew_device t WHERE crew_id = $1", crew))
    secret = caller.http.cookies["heatops_session"]
    assert secret not in rows
    assert secret.encode().hex() not in rows


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"d": "AAAA"}, "private_key"),
        ({"crv": "P-384"}, "bad_device_key"),
        ({"kty": "RSA"}, "bad_device_key"),
        ({"x": base64.urlsafe_b64encode(b"1" * 32).decode()}, "bad_device_key"),
        ({"x": "AQ"}, "bad_device_key"),
        ({"x": "钥匙"}, "bad_device_key"),
        ({"y": "not base64!"}, "bad_device_key"),
    ],
)
def test_a_key_that_is_none_is_refused(
    house: House, crew: str, change: dict[str, str], code: str
) -> None:
    given = new_code(house, crew)
    caller = Caller(house.url)
    assert refused(sign_in(caller, given, device_key=jwk() | change)) == (422, code)
    assert sign_in(caller, given).status_code == 200, "the code was not spent"


def test_a_crew_reaches_its_own_doors_only(house: House, crew: str) -> None:
    caller = phone(house, crew)
    for path in (
        "/api/tickets",
        "/api/layers/tickets",
        "/api/crews",
        f"/api/crews/{crew}",
        f"/api/crews/{crew}/devices",
        "/api/buildings?words=a",
        "/api/people",
        "/api/policy",
        "/tiles/warm/x.pmtiles",
    ):
        assert refused(caller.http.get(path)) == (403, "role_needed"), path
    for path in (
        "/api/requests",
        f"/api/crews/{crew}/code",
        f"/api/crews/{crew}/stop",
        "/api/session/company",
        "/api/batches/crew-positions",
    ):
        body = {"code": "warm"} if path.endswith("company") else {}
        assert refused(caller.post(path, body)) == (403, "role_needed"), path
    assert caller.http.post("/api/live-passes").status_code == 201


def test_a_crews_phone_may_not_watch_what_screens_watch(house: House, crew: str) -> None:
    hello = {"t": "hello", "pass": new_pass(phone(house, crew))}
    for topic in ("tickets", "crews", "positions", "happenings"):
        screen = greeted(house, hello, {"t": "sub", "topic": topic, "since": None})
        with pytest.raises(AssertionError, match="unknown_topic"):
            screen.until(lambda: False, "the error")
        screen.close()
        hello = {"t": "hello", "pass": new_pass(phone(house, crew))}


def test_only_the_desk_gives_codes_and_sees_phones(house: House, crew: str) -> None:
    for who in (house.source, Caller(house.url)):
        status = 401 if who is not house.source else 403
        for answer in (
            who.http.post(f"/api/crews/{crew}/code"),
            who.http.get(f"/api/crews/{crew}/devices"),
            who.http.post(f"/api/crews/{crew}/devices/x/revoke"),
        ):
            assert answer.status_code == status, answer.text
    assert refused(house.person.http.post("/api/crews/NONE/code")) == (404, "no_such_crew")


def test_a_page_of_another_site_signs_no_phone_in(house: House, crew: str) -> None:
    body = {"code": new_code(house, crew), "device_key": jwk(), "device_name": "x"}
    evil = {"Origin": "https://evil.example"}
    answer = Caller(house.url).http.post("/api/crew/sign-in", json=body, headers=evil)
    assert refused(answer) == (403, "cross_site")


def test_a_revoked_phone_is_out_at_once(house: House, crew: str) -> None:
    caller, other = phone(house, crew), phone(house, crew)
    device = caller.get("/api/session")["device"]
    screen = greeted(house, {"t": "hello", "pass": new_pass(caller)})
    screen.until(lambda: screen.got["tick"], "the phone is connected")
    path = f"/api/crews/{crew}/devices/{device}/revoke"
    assert house.person.http.post(path).json() == {"device": device, "revoked": True}
    assert ended(screen, "its connection is closed").code == 4001
    assert refused(caller.http.get("/api/session")) == (401, "device_revoked")
    assert caller.http.post("/api/live-passes").status_code == 401
    assert other.get("/api/session")["crew"] == crew
    by_device = {d["device"]: d for d in house.person.get(f"/api/crews/{crew}/devices")["items"]}
    assert by_device[device]["active"] is False
    assert by_device[device]["revoked_by"] == "person:admin"
    assert house.person.http.post(path).status_code == 200, "to revoke it again changes nothing"
    wrong = house.person.http.post(f"/api/crews/{crew}/devices/none/revoke")
    assert refused(wrong) == (404, "no_such_device")


def test_a_phone_of_another_company_is_not_found(house: House, crew: str) -> None:
    device = phone(house, crew).get("/api/session")["device"]
    house.open_company("far")
    stranger = house.sign_in()
    stranger.http.post("/api/session/company", json={"code": "far"})
    register_crew(stranger, crew)
    assert stranger.get(f"/api/crews/{crew}/devices")["items"] == []
    answer = stranger.http.post(f"/api/crews/{crew}/devices/{device}/revoke")
    assert refused(answer) == (404, "no_such_device")


def test_a_phone_handed_to_another_crew_is_theirs(house: House, crew: str) -> None:
    key = jwk()
    before = phone(house, crew, device_key=key)
    next_crew = f"{crew}b"
    register_crew(house.person, next_crew)
    after = phone(house, next_crew, device_key=key)
    assert after.get("/api/session")["crew"] == next_crew
    assert house.person.get(f"/api/crews/{crew}/devices")["items"] == []
    eventually(
        lambda: before.http.get("/api/session").status_code == 401,
        "the session under the first crew has ended",
    )


def test_a_phone_signs_out(house: House, crew: str) -> None:
    caller = phone(house, crew)
    stolen = caller.http.cookies["heatops_session"]
    assert caller.http.post("/api/sign-out").status_code == 200
    with httpx.Client(base_url=house.url, cookies={"heatops_session": stolen}) as thief:
        assert refused(thief.get("/api/session")) == (401, "not_signed_in")
    (device,) = house.person.get(f"/api/crews/{crew}/devices")["items"]
    assert (device["active"], device["revoked_at"]) == (False, None)
