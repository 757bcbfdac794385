"""`heatops up` as a person and a power cut treat it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from server.engines import open_engines
from server.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.fault


class Up:
    """A running `heatops up --json`."""

    def __init__(self, data: Path, *options: str, **given: str) -> None:
        env = {key: value for key, value in os.environ.items() if not key.startswith("HEATOPS_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "server", "up", "--json", "--no-demo", *options],
            cwd=ROOT,
            env={**env, "HEATOPS_DATA": str(data), **given},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()
        self.ready: dict[str, Any] = json.loads(line)
        self.family = psutil.Process(self.process.pid).children(recursive=True)

    def child(self, part: str) -> psutil.Process:
        """The child whose command line has this part, once there is one."""
        found: list[psutil.Process] = []

        def look() -> bool:
            for child in psutil.Process(self.process.pid).children():
                try:
                    if part in " ".join(child.cmdline()):
                        found.append(child)
                except psutil.NoSuchProcess:
                    continue
            return bool(found)

        wait_for(look)
        return found[0]

    def health(self) -> int:
        """Status of GET /health; 0 when there is no answer."""
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{self.ready['port']}/health", timeout=5
            ) as answer:
                return int(answer.status)
        except OSError:
            return 0

    def end(self) -> tuple[str, str]:
        """Ctrl-C, then what was still said on standard output and error."""
        self.process.send_signal(signal.SIGINT)
        return self.process.communicate(timeout=20)


def wait_for(condition: Callable[[], bool], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def ended(process: psutil.Process) -> bool:
    """Ended; in a container whose first process reaps nobody, orphans stay behind as zombies."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


@pytest.fixture
def data() -> Iterator[Path]:
    """A data folder that the engines' account can reach, also when the tests run as root."""
    folder = Path("/tmp") / f"heatops-up-{os.getpid()}-{time.monotonic_ns() % 10**6}"
    folder.mkdir(mode=0o711)
    yield folder / "data"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def up(data: Path) -> Iterator[Up]:
    started = Up(data, "--port", "0")
    yield started
    if started.process.poll() is None:
        started.end()
    started.process.communicate()


def refused(data: Path, *options: str, **env: str) -> dict[str, str]:
    """The error with which `heatops up` ends, which is one JSON object and no trace."""
    done = subprocess.run(
        [sys.executable, "-m", "server", "up", "--json", "--no-demo", *options],
        cwd=ROOT,
        env={**os.environ, "HEATOPS_DATA": str(data), **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode != 0
    assert done.stdout == ""
    error: dict[str, str] = json.loads(done.stderr)["error"]
    assert error["what_to_do"]
    return error


def test_it_opens_for_business_and_ctrl_c_takes_everything_away(data: Path) -> None:
    up = Up(data, "--port", "0")
    assert up.health() == 200
    assert up.ready["wall"] == f"http://127.0.0.1:{up.ready['port']}/wall"
    assert up.ready["sign_in"].startswith(f"http://127.0.0.1:{up.ready['port']}/sign-in?token=")
    assert {"postgres", "valkey"} == set(up.ready["engines"])
    assert up.ready["data"] == str(data)
    assert len(up.family) >= 4  # postgres, valkey, web, core, and what they started
    up.end()
    assert up.process.returncode == 0
    assert all(ended(process) for process in up.family)


def test_sigterm_is_a_clean_stop_too(data: Path) -> None:
    up = Up(data, "--port", "0")
    up.process.terminate()
    up.process.communicate(timeout=20)
    assert up.process.returncode == 0
    assert all(ended(process) for process in up.family)


def test_nothing_outlives_a_killed_parent_and_the_next_start_works(data: Path) -> None:
    up = Up(data, "--port", "0")
    up.process.kill()
    up.process.communicate()
    again = Up(data, "--port", "0")
    assert again.health() == 200
    wait_for(lambda: all(ended(process) for process in up.family))
    again.end()


@pytest.mark.parametrize("part", ["serve", "core"])
def test_a_killed_child_is_restarted(up: Up, part: str) -> None:
    before = up.child(f"server {part}")
    before.kill()
    wait_for(lambda: ended(before))
    assert up.child(f"server {part}").pid != before.pid
    wait_for(lambda: up.health() == 200)


@pytest.mark.parametrize("part", ["postgres -D", "valkey-server"])
def test_a_killed_engine_is_restarted(up: Up, part: str) -> None:
    before = up.child(part)
    before.kill()
    wait_for(lambda: ended(before))
    assert up.child(part).pid != before.pid
    wait_for(lambda: up.health() == 200)


@pytest.mark.skipif(
    not shutil.which("redis-server") or not Path("/usr/lib/postgresql").is_dir(),
    reason="this machine has no PostgreSQL or Redis of its own",
)
def test_engines_given_by_url_are_used_and_left_alone(data: Path) -> None:
    elsewhere = Settings(data=data.with_name("engines"))
    with open_engines(elsewhere, origins=("PATH",)) as engines:
        up = Up(
            data,
            "--port",
            "0",
            HEATOPS_DATABASE_URL=engines.database_url,
            HEATOPS_REDIS_URL=engines.redis_url,
        )
        assert set(up.ready["engines"].values()) == {
            "PostgreSQL (given by URL)",
            "Valkey (given by URL)",
        }
        assert up.health() == 200
        up.end()
        assert all(ended(process) for process in up.family)
        assert engines.postgres.pid
        assert engines.valkey.pid


def test_a_second_one_on_the_same_data_says_so(up: Up, data: Path) -> None:
    error = refused(data)
    assert error["code"] == "data_in_use"
    assert str(up.ready["port"]) in error["detail"]
    assert up.health() == 200


def test_a_taken_port_is_the_next_one(data: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        up = Up(data, "--port", str(port))
        assert up.ready["port"] > port
        assert up.health() == 200
        up.end()


def test_an_address_of_another_machine_is_refused(data: Path) -> None:
    assert refused(data, "--host", "192.0.2.1")["code"] == "bad_host"
    assert refused(data, "--host", "no such host")["code"] == "bad_host"


def test_a_setting_that_cannot_be_meant_is_refused(data: Path) -> None:
    assert refused(data, HEATOPS_PORT="many")["code"] == "bad_setting"
    assert refused(data, HEATOPS_DEMO="perhaps")["code"] == "bad_setting"


def test_a_database_that_does_not_answer_is_said(data: Path) -> None:
    nobody = {"HEATOPS_DATABASE_URL": "postgresql://x@127.0.0.1:1/x"}
    assert refused(data, **nobody)["code"] == "database_unreachable"


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a small disk")
def test_a_full_disk_is_one_sentence(data: Path) -> None:
    data.mkdir(mode=0o711)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=24m,mode=711", "tmpfs", data],
        capture_output=True,
        check=False,
    )
    if mounted.returncode != 0:
        pytest.skip("this machine does not let root mount")
    try:
        error = refused(data)
    finally:
        subprocess.run(["umount", data], check=True)
    assert error["code"] == "disk_full"
    assert str(data) in error["detail"]


def test_for_people_an_error_is_two_lines(data: Path) -> None:
    data.parent.joinpath("file").write_text("")
    done = subprocess.run(
        [sys.executable, "-m", "server", "up"],
        cwd=ROOT,
        env={**os.environ, "HEATOPS_DATA": str(data.parent / "file")},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1
    first, second = done.stderr.splitlines()
    assert first.startswith("heatops: The folder ")
    assert "HEATOPS_DATA" in second
