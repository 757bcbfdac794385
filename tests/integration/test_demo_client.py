"""The demo's client over a real socket: lost answers sent again, refusals told."""

import asyncio
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from server.demo import client as demo_client
from server.demo.calls import Call
from server.demo.client import ApiClient
from server.demo.run import live, resume
from server.settings import UserError


class Api(BaseHTTPRequestHandler):
    """Does each key once; loses every third answer after the work is done."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.server.seen.append(self.path)
        self._answer(
            *self.server.reads.get(self.path.split("?")[0], (404, {"detail": "nothing here"}))
        )

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        key = self.headers["Idempotency-Key"]
        assert self.headers["Authorization"] == "Bearer secret"
        with self.server.lock:
            self.server.posts += 1
            again = key in self.server.done
            self.server.done.setdefault(key, body)
            lose = self.server.posts % 3 == 0
        if self.path == "/busy" and not again:
            self._answer(503, {"code": "database_unavailable"})
        elif self.path == "/flying" and not again:
            self._answer(409, {"code": "key_in_flight"})
        elif self.path == "/conflict":
            self._answer(409, {"code": "version_conflict"})
        elif lose:
            self.close_connection = True
        else:
            self._answer(201, {"key": key, "body": body})

    def _answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@pytest.fixture
def server():
    web = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    web.daemon_threads = True
    web.lock, web.done, web.posts, web.seen, web.reads = threading.Lock(), {}, 0, [], {}
    thread = threading.Thread(target=web.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    yield web
    web.shutdown()
    thread.join()
    web.server_close()


def url(server):
    return f"http://127.0.0.1:{server.server_address[1]}"


def post(path, key):
    return Call("POST", path, {"n": key, "words": "暖气冰凉"}, key, 0.0)


def test_lost_answers_are_asked_for_again_and_nothing_happens_twice(server):
    async def run():
        async with ApiClient(url(server), "secret", 4) as client:
            return await client.send_all([post("/api/requests", f"k{n}") for n in range(40)])

    answers = asyncio.run(run())
    assert [c.key for c, _, _ in answers] == [f"k{n}" for n in range(40)]
    assert all(status == 201 and body["key"] == call.key for call, status, body in answers)
    assert len(server.done) == 40
    assert server.posts > 40


def test_what_time_cures_is_tried_again_and_a_refusal_is_not(server):
    async def run():
        async with ApiClient(url(server), "secret", 2) as client:
            return [
                (await client.send(post(f"/{name}", name)))[0]
                for name in ("busy", "flying", "conflict")
            ]

    assert asyncio.run(run()) == [201, 201, 409]


def test_an_api_that_stays_away_is_told(monkeypatch):
    monkeypatch.setattr(demo_client, "RETRY_FOR_S", 0.3)

    async def run():
        async with ApiClient("http://127.0.0.1:9", "secret", 1) as client:
            await client.get("/api/session")

    with pytest.raises(UserError) as told:
        asyncio.run(run())
    assert told.value.code == "api_unreachable"


class Recorder:
    """A day that only looks."""

    def __init__(self):
        self.adopted, self.steps = None, []

    def adopt(self, *what):
        self.adopted = what

    def step(self, from_at, to_at):
        self.steps.append((from_at, to_at))
        if len(self.steps) == 3:
            raise asyncio.CancelledError
        return [post("/api/batches/weather", f"w{to_at}")]

    def answer(self, call, status, body):
        assert status == 201


def test_going_on_reads_every_page_of_what_is_open(server):
    server.reads = {
        "/api/tickets": (200, {"items": [{"id": "T1"}], "next": None}),
        "/api/outages": (200, {"items": [{"id": "O1"}]}),
        "/api/cases": (200, {"items": [{"id": "K1"}], "next": None}),
        "/api/layers/positions": (200, {"rows": [{"key": "C01", "row": {"lon": 1.0, "lat": 2.0}}]}),
    }
    day = Recorder()

    async def run():
        async with ApiClient(url(server), "secret", 1) as client:
            await resume(client, day, 5.0)

    asyncio.run(run())
    assert day.adopted == ([{"id": "T1"}], [{"id": "O1"}], [{"id": "K1"}], {"C01": (1.0, 2.0)}, 5.0)
    assert any("state=open" in path for path in server.seen)


def test_a_token_that_is_refused_is_told(server):
    server.reads = {"/api/session": (401, {"detail": "no such token"})}

    async def run():
        async with ApiClient(url(server), "secret", 1) as client:
            await live(client, Recorder())

    with pytest.raises(UserError) as told:
        asyncio.run(run())
    assert told.value.code == "api_refused"


def test_the_live_day_follows_the_clock_and_catches_up(server, monkeypatch):
    clock = iter([1000.0, 1001.0, 1800.0, 1801.0])
    monkeypatch.setattr("server.demo.run.LIVE_STEP_S", 0.0)

    async def business(_):
        return next(clock), 1.0

    async def nothing(*_):
        return None

    monkeypatch.setattr("server.demo.run._business", business)
    monkeypatch.setattr("server.demo.run.resume", nothing)
    day = Recorder()

    async def run():
        async with ApiClient(url(server), "secret", 1) as client:
            await live(client, day)

    with pytest.raises(asyncio.CancelledError):
        asyncio.run(run())
    assert day.steps == [(1000.0, 1001.0), (1001.0, 1301.0), (1301.0, 1601.0)]
