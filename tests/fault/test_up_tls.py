"""`heatops up` with its TLS listener, as crews' phones find it."""

from __future__ import annotations

import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from test_up import Up, data, ended, refused, wait_for  # noqa: F401 - data is a fixture

pytestmark = pytest.mark.fault


@pytest.fixture
def secure(data: Path) -> Iterator[Up]:  # noqa: F811
    started = Up(data, "--port", "0", "--tls-port", "0", "--tls-name", "localhost")
    yield started
    if started.process.poll() is None:
        started.end()
    started.process.communicate()


def status(up: Up, path: str) -> int:
    """Of a GET over TLS by who trusts our authority; 0 when there is no answer."""
    (url,) = up.ready["crew"]["urls"]
    trusting = ssl.create_default_context(cafile=str(Path(up.ready["data"]) / "keys/tls-ca.crt"))
    try:
        with urllib.request.urlopen(
            url.removesuffix("/crew") + path, timeout=5, context=trusting
        ) as answer:
            return int(answer.status)
    except OSError:
        return 0


def test_phones_are_told_where_and_what_to_trust(secure: Up) -> None:
    crew = secure.ready["crew"]
    assert crew["urls"][0].startswith("https://localhost:")
    wait_for(lambda: status(secure, "/health") == 200, 60)
    page = crew["ca"].replace("//localhost", "//127.0.0.1")
    with urllib.request.urlopen(page, timeout=5) as answer:
        text = answer.read().decode()
    assert crew["fingerprint"] in text
    port = crew["urls"][0].rpartition(":")[2].removesuffix("/crew")
    assert f":{port}/crew" in text, "the page leads to the port that was free"


def test_a_killed_tls_process_is_restarted(secure: Up) -> None:
    wait_for(lambda: status(secure, "/health") == 200, 60)
    before = secure.child("serve --tls")
    before.kill()
    wait_for(lambda: ended(before))
    assert secure.health() == 200, "the desk's is another process"
    wait_for(lambda: status(secure, "/health") == 200, 60)
    secure.end()
    assert all(ended(process) for process in secure.family)


def test_without_tls_there_is_none(data: Path) -> None:  # noqa: F811
    up = Up(data, "--port", "0", "--no-tls")
    assert up.ready["crew"] is None
    assert not (data / "keys" / "tls.key").exists()
    up.end()


def test_files_that_cannot_be_used_are_said(data: Path) -> None:  # noqa: F811
    pem = data.parent / "own.pem"
    pem.write_text("no certificate")
    error = refused(data, "--tls-cert", str(pem), "--tls-key", str(pem))
    assert error["code"] == "certificate_unusable"
    assert refused(data, "--tls-cert", str(pem))["code"] == "bad_setting"
    assert refused(data, "--tls-name", "no name")["code"] == "bad_setting"
