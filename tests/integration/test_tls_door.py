"""The TLS listener: a phone signs in and listens over it; proxies are believed only when named."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from path_house import Caller, House, Process, Web, eventually
from path_work import register_crew
from test_crew_phones import jwk, new_code
from websockets.sync.client import connect

TRUSTED = "127.0.0.41"


class TlsWeb:
    """A web process that answers over TLS with the certificate of the house's own authority."""

    def __init__(self, house: House, **env: str) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = listener.getsockname()[1]
        self.url = f"https://localhost:{self.port}"
        self.authority = house.data / "keys" / "tls-ca.crt"
        whole = {k: v for k, v in os.environ.items() if not k.startswith("HEATOPS_")} | {
            "HEATOPS_DATABASE_URL": house.database_url,
            "HEATOPS_REDIS_URL": house.valkey.url,
            "HEATOPS_DATA": str(house.data),
            **env,
        }
        fd = listener.fileno()
        log = house.folder / f"tls{self.port}.log"
        self.process = Process(["serve", "--tls", "--fd", str(fd)], whole, log, fd)
        listener.close()

    def context(self) -> ssl.SSLContext:
        """Trusts that authority and nobody else."""
        return ssl.create_default_context(cafile=str(self.authority))

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, verify=self.context(), timeout=30)

    def wait(self) -> None:
        def ready() -> bool:
            assert self.process.popen.poll() is None, self.process.log()
            try:
                with self.client() as client:
                    return bool(client.get("/health").json()["ready"])
            except (httpx.HTTPError, OSError):
                return False

        eventually(ready, "the web over TLS is ready", within_s=120)


@pytest.fixture(scope="module")
def secure(house: House) -> Iterator[TlsWeb]:
    web = TlsWeb(house)
    try:
        web.wait()
        yield web
    finally:
        web.process.stop()


@pytest.fixture(scope="module")
def behind_proxy(house: House) -> Iterator[Web]:
    web = house.web(HEATOPS_TRUSTED_PROXIES=f"{TRUSTED}, 10.0.0.0/8")
    web.wait()
    yield web
    web.stop()


@pytest.fixture
def crew(house: House) -> str:
    name = "TLS1"
    register_crew(house.person, name)
    return name


def flags(answer: httpx.Response) -> tuple[str, set[str]]:
    """(the cookie's name, its flags)"""
    first, *rest = (part.strip() for part in answer.headers["set-cookie"].split(";"))
    return first.partition("=")[0], {part.lower() for part in rest}


def signed_in(client: httpx.Client, house: House, crew: str) -> httpx.Response:
    body = {"code": new_code(house, crew), "device_key": jwk(), "device_name": "手机"}
    answer = client.post("/api/crew/sign-in", json=body)
    assert answer.status_code == 200, answer.text
    return answer


def test_a_phone_signs_in_over_tls(house: House, secure: TlsWeb, crew: str) -> None:
    with secure.client() as client:
        name, told = flags(signed_in(client, house, crew))
        assert name == "__Host-heatops_session"
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= told
        assert client.get("/api/session").json()["crew"] == crew
        stolen = client.cookies[name]
        plain = httpx.get(f"{house.url}/api/session", cookies={"heatops_session": stolen})
        assert plain.status_code == 200, "the session is one; its cookie goes over TLS only"
        assert client.post("/api/sign-out").status_code == 200
        assert "__Host-heatops_session" not in client.cookies
        assert client.get("/api/session").status_code == 401


def test_a_cookie_of_plain_http_is_none_over_tls(house: House, secure: TlsWeb, crew: str) -> None:
    desk = house.person.http.cookies["heatops_session"]
    with secure.client() as client:
        sent = {"Cookie": f"heatops_session={desk}"}
        assert client.get("/api/session", headers=sent).status_code == 401


def test_live_goes_over_tls(house: House, secure: TlsWeb, crew: str) -> None:
    link = house.sign_in().http.cookies["heatops_session"]
    with secure.client() as client:
        sent = {"Cookie": f"__Host-heatops_session={link}", "Origin": secure.url}
        one = client.post("/api/live-passes", headers=sent).json()["pass"]
        url = f"wss://localhost:{secure.port}/live"
        with connect(
            url, ssl=secure.context(), origin=secure.url, subprotocols=["heatops.v1"]
        ) as live:
            live.send(f'{{"t":"hello","pass":"{one}"}}')
            live.send('{"t":"sub","topic":"tickets","since":null}')
            got = [live.recv(timeout=20) for _ in range(2)]
            assert any(isinstance(message, bytes) for message in got), "the snapshot"


def test_a_phone_revoked_at_the_desk_is_out_at_this_process_too(
    house: House, secure: TlsWeb, crew: str
) -> None:
    with secure.client() as client:
        device = signed_in(client, house, crew).json()["device"]
        assert client.get("/api/session").status_code == 200, "remembered for seconds from now on"
        house.person.ok(f"/api/crews/{crew}/devices/{device}/revoke")
        assert client.post("/api/live-passes").status_code == 401, "who writes is looked up anew"
        eventually(
            lambda: client.get("/api/session").status_code == 401, "reading has ended as well"
        )


def test_who_does_not_trust_the_authority_gets_nothing(secure: TlsWeb) -> None:
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{secure.url}/health")
    with pytest.raises(httpx.HTTPError):
        httpx.get(f"http://127.0.0.1:{secure.port}/health")


def test_the_page_gives_the_authority_that_signed(
    house: House, secure: TlsWeb, tmp_path: Path
) -> None:
    page = Caller(house.url).http.get("/ca")
    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "default-src 'self'" in page.headers["content-security-policy"]
    for word in ("安卓", "iPhone", "Windows", "信任", "Install the certificate", 'lang="en"'):
        assert word in page.text
    file = Caller(house.url).http.get("/ca/heatops-ca.crt")
    assert file.headers["content-type"] == "application/x-x509-ca-cert"
    pem = tmp_path / "installed.pem"
    pem.write_text(ssl.DER_cert_to_PEM_cert(file.content))
    trusting = ssl.create_default_context(cafile=str(pem))
    assert httpx.get(f"{secure.url}/health", verify=trusting).status_code == 200


def test_a_made_up_host_writes_nothing_into_the_page(house: House, secure: TlsWeb) -> None:
    evil = {"Host": '"><script>alert(1)</script>'}
    page = Caller(house.url).http.get("/ca", headers=evil)
    assert "<script>" not in page.text


def through_proxy(web: Web, address: str, **headers: str) -> Any:
    """Signing in with a wrong code, as a proxy at this address forwards it."""
    return Caller(web.url, address=address).http.post(
        "/api/crew/sign-in",
        json={"code": "x", "device_key": jwk(), "device_name": "x"},
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def test_a_named_proxy_is_believed(house: House, behind_proxy: Web, crew: str) -> None:
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.5"}
    proxy = Caller(behind_proxy.url, address=TRUSTED)
    body = {"code": new_code(house, crew), "device_key": jwk(), "device_name": "手机"}
    answer = proxy.http.post("/api/crew/sign-in", json=body, headers=forwarded)
    assert answer.status_code == 200
    assert "secure" in flags(answer)[1]


def test_tries_are_counted_by_the_address_behind_the_proxy(behind_proxy: Web) -> None:
    for _ in range(20):
        refused = through_proxy(behind_proxy, TRUSTED, X_Forwarded_For="203.0.113.6")
        assert refused.json()["code"] == "code_refused"
    stopped = through_proxy(behind_proxy, TRUSTED, X_Forwarded_For="203.0.113.6")
    assert stopped.json()["code"] == "too_many_attempts"
    other = through_proxy(behind_proxy, TRUSTED, X_Forwarded_For="203.0.113.7")
    assert other.json()["code"] == "code_refused"


@pytest.mark.parametrize("named", [True, False], ids=["others are named", "nobody is named"])
def test_who_is_not_named_is_not_believed(
    house: House, behind_proxy: Web, crew: str, *, named: bool
) -> None:
    url = behind_proxy.url if named else house.url
    address = "127.0.0.42" if named else "127.0.0.1"
    body = {"code": new_code(house, crew), "device_key": jwk(), "device_name": "手机"}
    forwarded = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.8"}
    answer = Caller(url, address=address).http.post(
        "/api/crew/sign-in", json=body, headers=forwarded
    )
    assert answer.status_code == 200
    name, told = flags(answer)
    assert (name, "secure" in told) == ("heatops_session", False)
