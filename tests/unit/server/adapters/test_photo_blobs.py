"""Photos as files and as objects: whole or not there, and no name but a photo's."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import pytest

from server.adapters.photo_blobs import Blobs, name_of, open_blobs
from server.settings import UserError

NAME = name_of(7, "ab" * 32)


def run(work: Coroutine[Any, Any, bytes | None]) -> bytes | None:
    return asyncio.run(work)


@pytest.fixture(params=["folder", "memory", "file"])
def blobs(request: pytest.FixtureRequest, tmp_path: Path) -> Blobs:
    url = {"folder": None, "memory": "memory:///", "file": f"file://{tmp_path}"}[request.param]
    return open_blobs(url, tmp_path / "photos")


def test_what_is_put_is_there_and_stays(blobs: Blobs) -> None:
    body = os.urandom(3_000_000)
    run(blobs.put(NAME, body))
    assert run(blobs.get(NAME)) == body


def test_what_is_not_there_is_said_so(blobs: Blobs) -> None:
    with pytest.raises(FileNotFoundError):
        run(blobs.get(NAME))


def test_what_is_let_go_is_gone_and_may_come_back(blobs: Blobs) -> None:
    run(blobs.put(NAME, b"first"))
    run(blobs.drop(NAME))
    run(blobs.drop(NAME))  # that it is gone already is no trouble
    with pytest.raises(FileNotFoundError):
        run(blobs.get(NAME))
    run(blobs.put(NAME, b"second"))
    assert run(blobs.get(NAME)) == b"second"


@pytest.mark.parametrize("name", ["../x", "7/ab/../../etc/passwd", "7/ab/short.sealed", "/7", ""])
def test_no_other_name_reaches_the_store(blobs: Blobs, name: str) -> None:
    with pytest.raises(ValueError, match="names no photo"):
        run(blobs.put(name, b""))
    with pytest.raises(ValueError, match="names no photo"):
        run(blobs.get(name))


def test_a_file_is_written_once_and_leaves_nothing_beside_it(tmp_path: Path) -> None:
    blobs = open_blobs(None, tmp_path)
    run(blobs.put(NAME, b"first"))
    run(blobs.put(NAME, b"second"))
    assert run(blobs.get(NAME)) == b"first"
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert file.stat().st_mode & 0o777 == 0o600


def test_a_store_that_does_not_answer_is_away_not_empty(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {
        "AWS_ACCESS_KEY_ID": "k", "AWS_SECRET_ACCESS_KEY": "s", "AWS_REGION": "x",
    }.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("AWS_ALLOW_HTTP", "true")
    blobs = open_blobs("s3://bucket/photos", Path("/nowhere"))
    with pytest.raises(OSError, match=r".") as error:
        run(blobs.get(NAME))
    assert not isinstance(error.value, FileNotFoundError)


@pytest.mark.parametrize("url", ["bucket", "ftp://x/y", "s3://", ""])
def test_an_address_that_is_none_is_named(url: str) -> None:
    with pytest.raises(UserError) as error:
        open_blobs(url, Path("/nowhere"))
    assert error.value.code == "bad_photos_url"
