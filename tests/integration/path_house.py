"""An installation for tests: a database and a Valkey of its own,
with real web and core processes."""

from __future__ import annotations

import asyncio
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import asyncpg
import httpx
from path_clock import core_follows

from server.adapters import accounts, clock
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn, feed_dsn
from server.engines.locate import find_valkey

ROOT = Path(__file__).resolve().parents[2]
WITHIN_S = 30.0
PASSWORD = "a long enough password"
_numbers = itertools.count(1)
_callers: list[Caller] = []
T = TypeVar("T")
NewHouse = Callable[..., AbstractContextManager["House"]]


def now_s() -> float:
    return time.monotonic()


def eventually(look: Callable[[], T], what: str, within_s: float = WITHIN_S) -> T:
    """The first truthy answer of `look`; prints how long it took, fails after `within_s`."""
    began = now_s()
    while not (found := look()):
        assert now_s() - began < within_s, f"{what}: not within {within_s:.0f} s"
        time.sleep(0.03)
    print(f"{what}: {now_s() - began:.2f} s")
    return found


class OwnValkey:
    """A Valkey that a test may flush, stop and start again at the same socket."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._socket = folder / f"v{next(_numbers)}.sock"
        self.url = f"unix://{self._socket}"
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def start(self) -> None:
        command = [
            str(find_valkey().server), "--port", "0", "--unixsocket", str(self._socket),
            "--save", "", "--appendonly", "no", "--dir", str(self._folder),
        ]  # fmt: skip
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        eventually(lambda: self.command("PING") == b"+PONG\r\n", "Valkey answers")

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def command(self, *words: str) -> bytes:
        """The first piece of the answer; empty when nobody listens."""
        try:
            with socket.socket(socket.AF_UNIX) as door:
                door.settimeout(5)
                door.connect(str(self._socket))
                door.sendall((" ".join(words) + "\r\n").encode())
                return door.recv(1 << 16)
        except OSError:
            return b""


class Process:
    """One `python -m server ...` of the installation."""

    def __init__(self, args: Sequence[str], env: dict[str, str], log: Path, fd: int | None) -> None:
        self._log = log
        with log.open("ab") as output:
            self.popen = subprocess.Popen(
                [sys.executable, "-m", "server", *args],
                cwd=ROOT,
                env=env,
                stdout=output,
                stderr=subprocess.STDOUT,
                pass_fds=() if fd is None else (fd,),
            )

    def log(self) -> str:
        return self._log.read_text("utf-8", "replace")

    def signal(self, number: int) -> None:
        self.popen.send_signal(number)

    def kill(self) -> None:
        if self.popen.poll() is None:
            self.popen.kill()
            self.popen.send_signal(signal.SIGCONT)
        self.popen.wait()

    def stop(self) -> None:
        """As an operator stops it."""
        if self.popen.poll() is None:
            self.popen.terminate()
            self.popen.send_signal(signal.SIGCONT)
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.kill()


class Web(Process):
    """A web process on a loopback port of its own."""

    def __init__(self, env: dict[str, str], log: Path) -> None:
        listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(["serve", "--fd", str(listener.fileno())], env, log, listener.fileno())
        listener.close()

    def wait(self) -> None:
        def ready() -> bool:
            assert self.popen.poll() is None, self.log()
            try:
                return bool(httpx.get(f"{self.url}/health", timeout=5).json()["ready"])
            except httpx.HTTPError:
                return False

        eventually(ready, "web is ready", within_s=120)


class Caller:
    """A person's session or a source's token, with a new Idempotency-Key for every POST."""

    def __init__(self, url: str, token: str | None = None, *, address: str | None = None) -> None:
        """`address`: the loopback address to call from, for what is counted by address."""
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        way = httpx.HTTPTransport(local_address=address)
        self.http = httpx.Client(base_url=url, timeout=30, headers=headers, transport=way)
        _callers.append(self)

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> httpx.Response:
        headers = {"Idempotency-Key": key or f"test-{uuid.uuid4()}"}
        return self.http.post(path, json=body if body is not None else {}, headers=headers)

    def ok(self, path: str, body: Any = None) -> Any:
        """The answer of a POST that must succeed."""
        answer = self.post(path, body)
        assert answer.status_code in {200, 201}, (path, answer.status_code, answer.text)
        return answer.json()

    def get(self, path: str, **query: Any) -> Any:
        answer = self.http.get(path, params=query)
        assert answer.status_code == 200, (path, answer.status_code, answer.text)
        return answer.json()


@dataclass
class House:
    """The installation. `company` is the one that `person` and `source` belong to."""

    database_url: str
    data: Path
    valkey: OwnValkey
    folder: Path
    company: int = 0
    token: str = ""
    webs: list[Web] = field(default_factory=list)
    cores: list[Process] = field(default_factory=list)
    _person: Caller | None = None
    _source: Caller | None = None

    @property
    def keys(self) -> Keys:
        return Keys(self.data / "keys")

    @property
    def app_url(self) -> str:
        return app_dsn(self.database_url, self.keys)

    @property
    def feed_url(self) -> str:
        return feed_dsn(self.database_url, self.keys)

    def _env(self) -> dict[str, str]:
        env = {k: v for k, v in os.environ.items() if not k.startswith("HEATOPS_")}
        return env | {
            "HEATOPS_DATABASE_URL": self.database_url,
            "HEATOPS_REDIS_URL": self.valkey.url,
            "HEATOPS_DATA": str(self.data),
        }

    def open_company(self, code: str) -> tuple[int, str]:
        """(id, token of its source `test`) of a company with the test register."""
        company = asyncio.run(accounts.ensure_company(self.database_url, code, f"{code} 供热"))
        asyncio.run(fill_register(self.database_url, company))
        return company, asyncio.run(accounts.new_source_token(self.database_url, code, "test"))

    def web(self, **env: str) -> Web:
        """Start one more web process, with more variables if need be; the caller waits for it."""
        web = Web(self._env() | env, self.folder / f"web{len(self.webs)}.log")
        self.webs.append(web)
        return web

    def core(self) -> Process:
        """Start one more core process."""
        core = Process(["core"], self._env(), self.folder / f"core{len(self.cores)}.log", None)
        self.cores.append(core)
        return core

    @property
    def url(self) -> str:
        return self.webs[0].url

    @property
    def person(self) -> Caller:
        """The administrator, signed in at the first web process."""
        if self._person is None:
            self._person = self.sign_in()
        return self._person

    def sign_in(self) -> Caller:
        """One more session of the administrator, who is made on the way."""
        caller = Caller(self.url)
        link = asyncio.run(accounts.new_link(self.database_url))
        body = {"token": link, "user": "admin", "password": PASSWORD}
        answer = caller.http.post("/api/sign-in/link", json=body)
        assert answer.status_code == 200, answer.text
        return caller

    @property
    def source(self) -> Caller:
        if self._source is None:
            self._source = Caller(self.url, self.token)
        return self._source

    def sql(self, query: str, *args: Any) -> list[asyncpg.Record]:
        """As the owner of the database."""
        return asyncio.run(fetch(self.database_url, query, *args))

    def facts_of_callers(self) -> int:
        """How many facts callers of the house's doors have written, over all companies. What time
        alone makes true, the processes write in between at any moment: that is not counted."""
        query = "SELECT count(*) FROM journal WHERE actor NOT LIKE 'system:%'"
        return int(self.sql(query)[0][0])

    def set_clock(self, at: datetime, rate: float = 1.0) -> None:
        """Move the business clock and wait until the leading core, if one runs, and the first web
        process follow it."""
        asyncio.run(clock.set_clock(self.database_url, at, rate))
        if any(core.popen.poll() is None for core in self.cores):
            asyncio.run(core_follows(self.database_url))
        person = self.person
        eventually(
            lambda: abs(person.get("/api/session")["business"]["at"] - at.timestamp()) < 20 * rate,
            "the web follows the clock",
        )

    def business_now(self) -> datetime:
        at: float = self.person.get("/api/session")["business"]["at"]
        return datetime.fromtimestamp(at, UTC)

    def close(self) -> None:
        urls = {web.url for web in self.webs}
        for caller in _callers:
            if str(caller.http.base_url).rstrip("/") in urls:
                caller.http.close()
        for process in [*self.cores, *self.webs]:
            process.stop()
        self.valkey.stop()


@contextmanager
def opened_house(
    owner_url: str, template: str, data: Path, folder: Path, *, cores: int = 1, webs: int = 1
) -> Iterator[House]:
    """A house with processes running, on a new copy of the migrated database."""
    name = f"house_{os.getpid()}_{next(_numbers)}"
    asyncio.run(fetch(owner_url, f"CREATE DATABASE {name} TEMPLATE {template}"))
    head, _, query = owner_url.partition("?")
    url = f"{head.rpartition('/')[0]}/{name}?{query}"
    house = House(url, data, OwnValkey(folder), folder)
    try:
        house.company, house.token = house.open_company("warm")
        for _ in range(cores):
            house.core()
        for _ in range(webs):
            house.web()
        for web in house.webs:
            web.wait()
        yield house
    finally:
        house.close()
        asyncio.run(fetch(owner_url, f"DROP DATABASE {name} WITH (FORCE)"))


def run(work: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(work)


async def fetch(url: str, query: str, *args: Any) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        return list(await connection.fetch(query, *args))
    finally:
        await connection.close(timeout=5)


LON, LAT = 126.63, 45.75
POINTS = [f"RT-{n:02d}" for n in range(1, 9)]
BUILDINGS = [f"B{n:02d}" for n in range(1, 13)]
HOUSEHOLDS = [f"H-{n:03d}" for n in range(1, 61)]
NODES = ["P1", "S1", "S2"]
COMMUNITIES = ["K1", "K2"]
SUPPLY_LOW_C = 60.0


async def fill_register(url: str, company: int) -> None:
    """A small city: a plant, two substations, two communities, 12 buildings, 60 households."""
    c = await asyncpg.connect(url, timeout=10)
    try:
        async with c.transaction():
            await c.execute(
                "INSERT INTO city VALUES ($1, '试验城', 'generated', 'none', '', $2, $3, $4,"
                " $5, $6, $7)",
                company, LON - 0.05, LAT - 0.05, LON + 0.05, LAT + 0.05, LON, LAT,
            )  # fmt: skip
            for table, columns, rows in _register():
                await c.copy_records_to_table(
                    table, columns=["company_id", *columns], records=[(company, *r) for r in rows]
                )
    finally:
        await c.close(timeout=5)


def _register() -> list[tuple[str, list[str], list[tuple[Any, ...]]]]:
    spot = {b: (LON + 0.01 * (n % 4), LAT + 0.01 * (n // 4)) for n, b in enumerate(BUILDINGS)}
    buildings = [
        (b, f"{n} 号楼", "和平路", str(n), f"和平路 {n} 号", *spot[b], "residential", "道里区",
         COMMUNITIES[n % 2], NODES[1 + n % 2])
        for n, b in enumerate(BUILDINGS)
    ]  # fmt: skip
    # The first 40 households share one building, and with it one cell of the arrears map.
    home = {h: BUILDINGS[0] if n < 40 else BUILDINGS[n % 12] for n, h in enumerate(HOUSEHOLDS)}
    households = [
        (h, home[h], 1, n % 6 + 1, str(n), ["r1"], 80.0, False, False, False, True, False,
         f"p-{n:04d}", *spot[home[h]])
        for n, h in enumerate(HOUSEHOLDS)
    ]  # fmt: skip
    return [
        ("community", ["community_id", "name", "district", "lon", "lat", "radius_m"],
         [(k, f"{k} 小区", "道里区", LON, LAT, 300.0) for k in COMMUNITIES]),
        ("node", ["node_id", "kind", "parent_id", "name", "lon", "lat", "supply_low_c"],
         [(n, "plant" if n == "P1" else "substation", None if n == "P1" else "P1", f"{n} 站", LON,
           LAT, SUPPLY_LOW_C) for n in NODES]),
        ("building", ["building_id", "name", "street", "house_number", "address", "lon", "lat",
                      "use", "district", "community_id", "substation_id"], buildings),
        ("household", ["household_id", "building_id", "unit", "floor", "flat", "riser_ids",
                       "area_m2", "gable", "ground_floor", "top_floor", "valve", "green_channel",
                       "pseudonym", "lon", "lat"], households),
        ("point", ["point_id", "household_id", "building_id"],
         [(p, None, BUILDINGS[n % 12]) for n, p in enumerate(POINTS)]),
    ]  # fmt: skip
