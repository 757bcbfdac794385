"""A private installation for a benchmark:
durable engines, one web and one core process, a small register."""

from __future__ import annotations

import asyncio
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import asyncpg
import psutil

from server.adapters.accounts import ensure_company, new_link, new_source_token
from server.adapters.cities import BUILDING_COLUMNS
from server.adapters.migrate import migrate
from server.adapters.register import replace_table
from server.engines import Engines, open_engines
from server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
COMPANY = "bench"
BUILDINGS = 900
COMMUNITIES = 40
LON, LAT, HALF_DEG = 126.64, 45.76, 0.012
"""The middle of the register's houses, and how far they reach."""
READY_WITHIN_S = 60.0


class Stack:
    """A running installation with one company, and the ways in."""

    def __init__(self, engines: Engines, data: Path, port: int, web: int, core: int) -> None:
        self.engines = engines
        self.data = data
        self.port = port
        self.web = psutil.Process(web)
        self.core = psutil.Process(core)
        self.token = ""
        self.cookie = ""

    def sql(self, query: str, *arguments: Any) -> list[asyncpg.Record]:
        """Rows of a query, asked as the owner."""

        async def ask() -> list[asyncpg.Record]:
            connection = await asyncpg.connect(self.engines.database_url)
            try:
                rows: list[asyncpg.Record] = await connection.fetch(query, *arguments)
                return rows
            finally:
                await connection.close()

        return asyncio.run(ask())

    def cpu_s(self) -> dict[str, float]:
        """CPU seconds, user and system, used so far by each part with its children,
        living and gone."""
        parts = {
            "web": self.web,
            "core": self.core,
            "postgres": psutil.Process(self.engines.postgres.pid),
            "valkey": psutil.Process(self.engines.valkey.pid),
        }
        return {name: _cpu(root) for name, root in parts.items()}

    def post(self, path: str, body: Any, headers: Mapping[str, str]) -> tuple[int, Any, str]:
        """Status, JSON and cookie of one POST over a connection of its own."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(
                "POST", path, json.dumps(body), {"Content-Type": "application/json", **headers}
            )
            answer = connection.getresponse()
            data = answer.read()
            cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
            return answer.status, json.loads(data) if data else None, cookie
        finally:
            connection.close()

    def live_pass(self) -> str:
        """A new pass for `/live`."""
        status, body, _ = self.post("/api/live-passes", {}, {"Cookie": self.cookie})
        if status not in {200, 201}:
            sys.exit(f"no live pass: {status} {body}")
        return str(body["pass"])

    def request(self, key: str, number: int) -> bytes:
        """A full service request, different for each number, as the bytes of one HTTP request."""
        body = json.dumps(service_request(number), ensure_ascii=False).encode()
        head = (
            f"POST /api/requests HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.token}\r\nContent-Type: application/json\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


def service_request(number: int) -> dict[str, Any]:
    """A request at a building of the register, with its caller and their words."""
    return {
        "kind": ("not_warm", "leak", "repair", "complaint")[number % 4],
        "level": ("blue", "blue", "yellow", "red")[number % 4],
        "source": "hotline",
        "building": f"B-{number % BUILDINGS:04d}",
        "caller": {"name": "王先生", "phone": f"000-{number:08d}"},
        "words": f"暖气不热，屋里只有十五度，第 {number} 次",
        "accepted": number % 4 == 3,
    }


def _cpu(root: psutil.Process) -> float:
    total = 0.0
    for process in (root, *root.children(recursive=True)):
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue  # what it used is in its parent's account of children by now
        total += times.user + times.system + times.children_user + times.children_system
    return total


def rss_mib(process: psutil.Process) -> float:
    """Resident memory of a process, MiB."""
    return float(process.memory_info().rss) / 2**20


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


@contextmanager
def stack(*, points: int = 0, conf: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """Start everything with `points` room-temperature points in the register;
    stop it all at the end."""
    folder = Path(tempfile.mkdtemp(prefix="heatops-bench-"))
    folder.chmod(0o711)  # as root the engines' account passes through
    settings = Settings(data=folder / "data", port=_free_port(), demo=False)
    children: list[subprocess.Popen[bytes]] = []
    try:
        with open_engines(settings, postgres_conf=conf) as engines:
            token, link = asyncio.run(_prepare(engines.database_url, settings.keys, points))
            env = {
                **os.environ,
                "HEATOPS_DATA": str(settings.data),
                "HEATOPS_DATABASE_URL": engines.database_url,
                "HEATOPS_REDIS_URL": engines.redis_url,
                "HEATOPS_DEMO": "no",
            }
            with (folder / "log").open("wb") as log:
                for words in (("serve", "--port", str(settings.port)), ("core",)):
                    command = [sys.executable, "-m", "server", *words]
                    children.append(subprocess.Popen(command, cwd=ROOT, env=env, stderr=log))
            pids = [child.pid for child in children]
            running = Stack(engines, settings.data, settings.port, *pids)
            _wait(running, folder / "log")
            running.token = token
            _sign_in(running, link)
            yield running
            for child in children:
                child.terminate()
            for child in children:
                child.wait(10)
            if os.environ.get("HEATOPS_BENCH_LOG"):
                sys.stderr.write((folder / "log").read_text("utf-8"))
    finally:
        for child in children:
            if child.poll() is None:
                child.kill()
                child.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _wait(running: Stack, log: Path) -> None:
    deadline = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=5)
        try:
            connection.request("GET", "/health")
            answer = connection.getresponse()
            if answer.status == http.HTTPStatus.OK and json.loads(answer.read())["ready"]:
                return
        except OSError:
            pass
        finally:
            connection.close()
        time.sleep(0.05)
    sys.exit(f"the web process did not become ready:\n{log.read_text('utf-8')}")


def _sign_in(running: Stack, link: str) -> None:
    body = {"token": link, "user": "bench", "password": "correct horse battery"}
    status, answer, cookie = running.post("/api/sign-in/link", body, {})
    if status >= 300:
        sys.exit(f"no sign-in: {status} {answer}")
    running.cookie = cookie


async def _prepare(dsn: str, keys: Path, points: int) -> tuple[str, str]:
    await migrate(dsn, keys)
    company = await ensure_company(dsn, COMPANY, "Bench")
    connection = await asyncpg.connect(dsn)
    try:
        async with connection.transaction():
            await _register(connection, company, points)
        await connection.execute("ANALYZE")
    finally:
        await connection.close()
    return await new_source_token(dsn, COMPANY, "bench"), await new_link(dsn)


async def _register(connection: asyncpg.Connection, company: int, points: int) -> None:
    west, south = LON - HALF_DEG, LAT - HALF_DEG
    await replace_table(
        connection, company, "community",
        ("community_id", "name", "district", "lon", "lat", "radius_m"),
        [
            (f"K-{k:02d}", f"小区{k}", "道里区", west + k * HALF_DEG / 20, south, 300.0)
            for k in range(COMMUNITIES)
        ],
    )  # fmt: skip
    await replace_table(
        connection, company, "node",
        ("node_id", "kind", "parent_id", "name", "lon", "lat", "supply_low_c"),
        [
            (
                f"S-{s:02d}", "substation", None, f"{s} 号站", west + s % 5 * HALF_DEG / 2,
                south + s // 5 * HALF_DEG / 1.5, 45.0,
            )
            for s in range(20)
        ],
    )  # fmt: skip
    await replace_table(
        connection, company, "building", BUILDING_COLUMNS,
        [
            (
                f"B-{b:04d}", "", "经纬街", str(b), f"经纬街 {b} 号", west + b % 30 * HALF_DEG / 15,
                south + b // 30 * HALF_DEG / 15, None, 6, 900.0, "residential", "道里区",
                f"K-{b % COMMUNITIES:02d}", f"S-{b % 20:02d}",
            )
            for b in range(BUILDINGS)
        ],
    )  # fmt: skip
    await replace_table(
        connection, company, "point", ("point_id", "household_id", "building_id"),
        [(f"RT-{p:05d}", None, f"B-{p % BUILDINGS:04d}") for p in range(points)],
    )  # fmt: skip
