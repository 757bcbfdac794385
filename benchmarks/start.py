"""How long `./run` takes on a data folder that holds the demo city, to the first HTTP 200 and to
the end, and what the set-up's check and the engines take of it."""

from __future__ import annotations

import asyncio
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

import psutil

from benchmarks._figure import figure
from server.adapters import seeding
from server.adapters.cities import company_id
from server.cli.attach import attached
from server.engines import open_engines
from server.settings import Settings

ROOT = Path(__file__).resolve().parent.parent
RUNS = 3
DEMO_WITHIN_S = 300.0


def free_port() -> int:
    """A port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def start(data: Path) -> tuple[subprocess.Popen[bytes], float]:
    """`./run` and the seconds until its first HTTP 200."""
    port = free_port()
    began = time.perf_counter()
    process = subprocess.Popen(
        ["./run", "--json", "--port", str(port)],
        cwd=ROOT,
        env={**os.environ, "HEATOPS_DATA": str(data)},
        stdout=subprocess.DEVNULL,
    )
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == http.HTTPStatus.OK:
                return process, time.perf_counter() - began
        except OSError:
            if process.poll() is not None:
                sys.exit("./run ended; what it says is above")
        finally:
            connection.close()
        time.sleep(0.005)


def wait_for_demo(data: Path) -> float:
    """Seconds until the demo city and its season so far are in."""
    began = time.monotonic()
    dsn = attached(Settings(data=data)).database_url
    assert dsn is not None
    company = asyncio.run(company_id(dsn, seeding.STANDARD_COMPANY))
    while asyncio.run(seeding.state(dsn, company)) != "seeded":
        if time.monotonic() - began > DEMO_WITHIN_S:
            sys.exit("the demo city was not filled in time")
        time.sleep(0.5)
    return time.monotonic() - began


def stop(process: subprocess.Popen[bytes], number: signal.Signals) -> float:
    """Seconds from the signal until every process of the family is gone."""
    family = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
    began = time.perf_counter()
    process.send_signal(number)
    while not all(ended(member) for member in family):
        process.poll()
        time.sleep(0.005)
    return time.perf_counter() - began


def ended(process: psutil.Process) -> bool:
    """Gone, or a zombie that nobody reaps."""
    try:
        return not process.is_running() or process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def engines_alone(data: Path) -> float:
    """Seconds in which both engines open: no start can be quicker."""
    began = time.perf_counter()
    with open_engines(Settings(data=data)):
        return time.perf_counter() - began


def check_alone() -> float:
    """Seconds of the set-up when there is nothing to do."""
    began = time.perf_counter()
    subprocess.run([sys.executable, "tools/bootstrap.py", "run"], cwd=ROOT, check=True)
    return time.perf_counter() - began


def main() -> None:
    """Print the figures."""
    check_alone()  # what is missing is built before anything is timed
    folder = Path(tempfile.mkdtemp(prefix="heatops-start-"))
    folder.chmod(0o711)  # as root the engines' account passes through
    data = folder / "data"
    try:
        process, cold = start(data)
        filled = wait_for_demo(data)
        stop(process, signal.SIGINT)
        floor, warm, ctrl_c, killed = [], [], [], []
        for _ in range(RUNS):
            floor.append(engines_alone(data))
            process, seconds = start(data)
            warm.append(seconds)
            ctrl_c.append(stop(process, signal.SIGINT))
            process, _ = start(data)
            killed.append(stop(process, signal.SIGKILL))
        process, crashed = start(data)
        stop(process, signal.SIGINT)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    first = median(warm)
    figure(
        "start.warm_first_200",
        first,
        "s",
        baseline=median(floor),
        ratio=first / median(floor),
        target="<= 7",
        ok=max(warm) <= 7,
    )
    figure("start.after_kill_9_first_200", crashed, "s", target="<= 7", ok=crashed <= 7)
    figure("start.empty_data_first_200", cold, "s")
    figure("start.demo_city_filled", filled, "s")
    figure("start.ctrl_c_all_gone", max(ctrl_c), "s", target="<= 2", ok=max(ctrl_c) <= 2)
    figure("start.kill_9_all_gone", max(killed), "s", target="<= 2", ok=max(killed) <= 2)
    check = median(check_alone() for _ in range(RUNS))
    figure("start.setup_check", check, "s", target="<= 0.2", ok=check <= 0.2)


if __name__ == "__main__":
    main()
