"""A whole installation for tests that kill parts of it:
web and core processes over engines that the test owns."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import asyncpg
import httpx

from server.adapters.accounts import ensure_company, new_link
from server.adapters.migrate import migrate
from server.engines import Engines, open_engines
from server.engines.children import spawn
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "admin", "correct horse battery"
PATIENCE_S = 30.0

T = TypeVar("T")
Rows = list[asyncpg.Record]


def wait_until(
    condition: Callable[[], T], what: str, within: float = PATIENCE_S, every: float = 0.05
) -> T:
    """The first true value of `condition`;
    prints how long it took, fails after `within` seconds."""
    started = time.monotonic()
    while not (value := condition()):
        assert time.monotonic() - started < within, f"not within {within:.0f} s: {what}"
        time.sleep(every)
    print(f"{time.monotonic() - started:6.2f} s until {what}")
    return value


def apart(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, run in a thread of its own: Playwright keeps a loop in ours."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


@contextmanager
def own_engines(conf: dict[str, str] | None = None) -> Iterator[tuple[Engines, Path]]:
    """Engines that may be killed, and their data folder; gone at the end."""
    with TemporaryDirectory(prefix="heatops-test-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)  # as root the engines' account passes through
        data = Path(folder) / "data"
        with open_engines(Settings(data=data), postgres_conf=conf) as engines:
            yield engines, data


def free_port() -> int:
    """A port that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


class Process:
    """One `python -m server ...` that can be killed, stopped and started again."""

    def __init__(self, name: str, arguments: list[str], env: dict[str, str], log: Path) -> None:
        self.name = name
        self._arguments = arguments
        self._env = env
        self.log = log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """The process's id while it lives."""
        assert self._process is not None
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it runs, or is stopped."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it; it is not ready yet."""
        with self.log.open("ab") as output:
            self._process = spawn(
                [sys.executable, "-m", "server", *self._arguments],
                death_signal=signal.SIGKILL,
                env=self._env,
                output=output,
            )

    def kill(self) -> None:
        """kill -9, and wait for its end."""
        assert self._process is not None
        self._process.kill()
        self._process.wait(10)

    def send(self, number: signal.Signals) -> None:
        """Send it a signal."""
        assert self._process is not None
        self._process.send_signal(number)

    def end(self) -> None:
        """A clean stop, by force after 5 s."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGCONT)
        self._process.terminate()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()


class Installation:
    """A database of its own on given engines, with web and core processes."""

    def __init__(
        self, engines: Engines, data: Path, *, webs: int, cores: int, redis_db: int
    ) -> None:
        self.engines = engines
        self.data = data
        name = f"installation_{redis_db}"
        self.database_url = engines.database_url.replace("/heatops?", f"/{name}?")
        self.redis_url = f"{engines.redis_url}?db={redis_db}"
        apart(self._make(name))
        env = {
            **{k: v for k, v in os.environ.items() if not k.startswith("HEATOPS_")},
            "PYTHONPATH": str(ROOT),
            "PYTHONUNBUFFERED": "1",
            "HEATOPS_DATA": str(data),
            "HEATOPS_DATABASE_URL": self.database_url,
            "HEATOPS_REDIS_URL": self.redis_url,
        }
        logs = data.parent / "test-logs"
        logs.mkdir(exist_ok=True)
        self.ports = [free_port() for _ in range(webs)]
        self.webs = [
            Process(f"web {n}", ["serve", "--port", str(port)], env, logs / f"{name}-web-{n}.log")
            for n, port in enumerate(self.ports)
        ]
        self.cores = [
            Process(f"core {n}", ["core"], env, logs / f"{name}-core-{n}.log") for n in range(cores)
        ]
        self.photo = Process("photo", ["photo"], env, logs / f"{name}-photo.log")
        """Judges photos; started by the tests that want verdicts."""

    @property
    def url(self) -> str:
        """The first web."""
        return self.urls[0]

    @property
    def urls(self) -> list[str]:
        """Every web."""
        return [f"http://127.0.0.1:{port}" for port in self.ports]

    async def _make(self, name: str) -> None:
        owner = await asyncpg.connect(self.engines.database_url)
        try:
            await owner.execute(f"CREATE DATABASE {name}")
        finally:
            await owner.close()
        await migrate(self.database_url, Settings(data=self.data).keys)

    def company(self, code: str, name: str) -> int:
        """A new company's id."""
        return apart(ensure_company(self.database_url, code, name))

    def link(self) -> str:
        """A one-time sign-in token."""
        return apart(new_link(self.database_url))

    def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        """Rows, read as the owner."""

        async def read() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.database_url, timeout=5)
            try:
                rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
                return rows
            finally:
                await connection.close()

        return apart(read())

    def fetch_together(self, *queries: tuple[str, *tuple[object, ...]]) -> list[Rows]:
        """What every query finds at one and the same moment: the processes go on writing."""

        async def read() -> list[Rows]:
            connection = await asyncpg.connect(self.database_url, timeout=5)
            try:
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    return [await connection.fetch(query, *given) for query, *given in queries]
            finally:
                await connection.close()

        return apart(read())

    def start(self) -> None:
        """Start every process and wait until the webs answer."""
        for process in (*self.cores, *self.webs):
            process.start()
        for number in range(len(self.webs)):
            self.ready(number)

    def ready(self, number: int = 0) -> None:
        """Wait until a web answers that it is ready."""

        def answers() -> bool:
            assert self.webs[number].alive, self.webs[number].log.read_text()[-3000:]
            try:
                return httpx.get(f"{self.urls[number]}/health", timeout=2).status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, f"web {number} is ready", 60)

    def sign_in(self, company: str | None = None) -> httpx.Client:
        """A signed-in person; the first makes the administrator."""
        client = httpx.Client(base_url=self.url, timeout=10)
        known = self.fetch("SELECT 1 FROM account")
        person = {"user": USER, "password": PASSWORD}
        answer = (
            client.post("/api/sign-in", json=person)
            if known
            else client.post("/api/sign-in/link", json={"token": self.link(), **person})
        )
        if answer.is_success and company is not None:
            answer = client.post("/api/session/company", json={"code": company})
        if not answer.is_success:
            client.close()
        assert answer.is_success, answer.text
        return client

    def stop(self) -> None:
        """End every process."""
        for process in (*self.webs, self.photo, *self.cores):
            process.end()


def key() -> dict[str, str]:
    """A fresh Idempotency-Key."""
    return {"Idempotency-Key": str(uuid.uuid4())}
