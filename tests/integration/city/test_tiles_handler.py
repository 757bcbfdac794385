"""The basemap over HTTP, from a real server: ranges, conditions and refusals as in RFC 9110."""

from __future__ import annotations

import asyncio
import os
import socket
import threading
from email.utils import formatdate
from pathlib import Path

import httpx
import pytest
import uvicorn
from litestar import Litestar

from server.api.tiles import PIECE, create_tiles_handler

BODY = os.urandom(3 * PIECE + 12_345)
SIZE = len(BODY)
URL = "/tiles/demo/city-1.pmtiles"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tiles")
    (folder / "city-1.pmtiles").write_bytes(BODY)
    (folder / "gone.pmtiles").symlink_to(folder / "nowhere")
    (folder / "empty.pmtiles").write_bytes(b"")
    (folder / "folder.pmtiles").mkdir()
    (folder.parent / "secret.pmtiles").write_bytes(b"secret")
    return folder


@pytest.fixture(scope="module")
def server(folder):
    async def resolve(company, name):
        await asyncio.sleep(0)
        return folder / f"{name}.pmtiles" if company == "demo" else None

    app = Litestar([create_tiles_handler(resolve)])
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    config = uvicorn.Config(app, log_level="warning", lifespan="off")
    running = uvicorn.Server(config)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [listening]})
    thread.start()
    yield listening.getsockname()
    running.should_exit = True
    thread.join(10)
    listening.close()


@pytest.fixture(scope="module")
def client(server):
    with httpx.Client(base_url=f"http://{server[0]}:{server[1]}") as client:
        yield client


@pytest.fixture
def etag(client):
    return client.head(URL).headers["etag"]


def test_the_whole_file(client):
    answer = client.get(URL)
    assert answer.status_code == 200
    assert answer.content == BODY
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.headers["accept-ranges"] == "bytes"
    assert answer.headers["content-type"] == "application/vnd.pmtiles"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["etag"].startswith('"')
    assert "content-range" not in answer.headers


@pytest.mark.parametrize(("asked", "start", "end"), [
    ("bytes=0-0", 0, 1),
    ("bytes=0-16383", 0, 16_384),
    ("bytes=100-99999", 100, 100_000),
    (f"bytes={PIECE - 1}-{2 * PIECE}", PIECE - 1, 2 * PIECE + 1),
    (f"bytes={SIZE - 1}-", SIZE - 1, SIZE),
    ("bytes=5-", 5, SIZE),
    ("bytes=-7", SIZE - 7, SIZE),
    (f"bytes=-{SIZE + 5}", 0, SIZE),
    (f"bytes=10-{SIZE * 9}", 10, SIZE),
    ("BYTES=1-2", 1, 3),
])  # fmt: skip
def test_one_range(client, asked, start, end):
    answer = client.get(URL, headers={"Range": asked})
    assert answer.status_code == 206
    assert answer.content == BODY[start:end]
    assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"
    assert answer.headers["content-length"] == str(end - start)


@pytest.mark.parametrize("asked", [f"bytes={SIZE}-", f"bytes={SIZE + 9}-{SIZE + 99}", "bytes=-0"])
def test_a_range_beyond_the_end(client, asked):
    answer = client.get(URL, headers={"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{SIZE}"
    assert answer.content == b""


@pytest.mark.parametrize("asked", [
    "bytes=0-1,5-6", "bytes=9-2", "bytes=", "bytes=-", "bytes=a-b", "lines=1-2", "0-1",
    "bytes=0x1-2",
    "bytes=" + "9" * 5_000 + "-", "bytes=١-٢".encode(),
])  # fmt: skip
def test_several_ranges_and_what_is_no_range_get_the_whole_file(client, asked):
    answer = client.get(URL, headers={"Range": asked})
    assert answer.status_code == 200
    assert answer.content == BODY


def test_head_tells_the_length_and_sends_nothing(client):
    answer = client.head(URL, headers={"Range": "bytes=0-9"})
    assert answer.status_code == 200
    assert answer.headers["content-length"] == str(SIZE)
    assert answer.content == b""


def test_if_none_match(client, etag):
    for tags in (etag, f'"other", {etag}', f"W/{etag}", "*"):
        answer = client.get(URL, headers={"If-None-Match": tags, "Range": "bytes=0-9"})
        assert answer.status_code == 304, tags
        assert answer.headers["etag"] == etag
        assert answer.content == b""
    assert client.head(URL, headers={"If-None-Match": etag}).status_code == 304
    assert client.get(URL, headers={"If-None-Match": '"other"'}).status_code == 200


def test_if_modified_since_counts_only_without_if_none_match(client):
    modified = client.head(URL).headers["last-modified"]
    assert client.get(URL, headers={"If-Modified-Since": modified}).status_code == 304
    both = {"If-Modified-Since": modified, "If-None-Match": '"other"'}
    assert client.get(URL, headers=both).status_code == 200
    for early in (formatdate(0, usegmt=True), "yesterday"):
        assert client.get(URL, headers={"If-Modified-Since": early}).status_code == 200


def test_if_range_joins_only_what_is_surely_the_same(client, etag):
    modified = client.head(URL).headers["last-modified"]
    for same in (etag, modified):
        answer = client.get(URL, headers={"Range": "bytes=0-9", "If-Range": same})
        assert answer.status_code == 206, same
    later = formatdate(4_000_000_000, usegmt=True)
    for other in ('"other"', f"W/{etag}", formatdate(0, usegmt=True), later, "nonsense"):
        answer = client.get(URL, headers={"Range": "bytes=0-9", "If-Range": other})
        assert answer.status_code == 200, other
        assert answer.content == BODY


@pytest.mark.parametrize("path", [
    "/tiles/other/city-1.pmtiles", "/tiles/demo/none.pmtiles", "/tiles/demo/gone.pmtiles",
    "/tiles/demo/folder.pmtiles", "/tiles/demo/city-1", "/tiles/demo/.pmtiles",
    "/tiles/demo/..%2Fsecret.pmtiles", "/tiles/demo/%2e%2e%2fsecret.pmtiles",
    "/tiles/demo/..%5csecret.pmtiles", "/tiles/demo/a%00b.pmtiles", "/tiles/../city-1.pmtiles",
])  # fmt: skip
def test_nothing_else_is_served(client, path):
    answer = client.get(path)
    assert answer.status_code == 404
    assert b"secret" not in answer.content


def test_an_empty_file(client):
    assert client.get("/tiles/demo/empty.pmtiles").status_code == 200
    asked = {"Range": "bytes=0-9"}
    assert client.get("/tiles/demo/empty.pmtiles", headers=asked).status_code == 416


def test_other_methods_are_refused(client):
    assert client.post(URL).status_code == 405


def test_a_replaced_file_is_another(client, folder):
    path = folder / "again.pmtiles"
    path.write_bytes(b"first")
    before = client.get("/tiles/demo/again.pmtiles").headers["etag"]
    new = folder / "new"
    new.write_bytes(b"other")
    new.replace(path)
    after = client.get("/tiles/demo/again.pmtiles", headers={"If-None-Match": before})
    assert (after.status_code, after.content) == (200, b"other")


def test_a_reader_that_leaves_closes_the_file(server, client):
    def open_files():
        return sum(
            fd.is_symlink() and fd.resolve().name == "city-1.pmtiles"
            for fd in Path("/proc/self/fd").iterdir()
        )

    for _ in range(5):
        with socket.create_connection(server) as leaver:
            leaver.sendall(f"GET {URL} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            leaver.recv(1000)
    for _ in range(100):
        client.get(URL, headers={"Range": "bytes=0-9"})
        if not open_files():
            break
    assert open_files() == 0


def test_keep_alive_carries_many_answers_on_one_connection(server):
    """Lengths are right to the byte: the next answer begins where the last ended."""
    with socket.create_connection(server) as connection:
        stream = connection.makefile("rb")
        for asked, status in (("bytes=0-9", 206), ("bytes=-0", 416), ("bytes=7-7", 206)):
            request = f"GET {URL} HTTP/1.1\r\nHost: x\r\nRange: {asked}\r\n\r\n"
            connection.sendall(request.encode())
            assert stream.readline().split()[1] == str(status).encode()
            length = 0
            while line := stream.readline().strip():
                name, _, value = line.partition(b":")
                if name.lower() == b"content-length":
                    length = int(value)
            stream.read(length)
        stream.close()
