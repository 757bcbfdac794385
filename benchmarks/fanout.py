"""CPU time per delivery by `/live` against a raw send loop in C, and memory of an idle screen.

Each figure is the median of 9 alternating runs; CPU time is that of the whole server process, user
and system, with everything it does for a batch and the ticks that fall into the run. The ordinary
ASGI path stands beside it and is not judged. An idle screen is one of 2,000 of a whole
installation.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks._clients import Loop, Wall
from benchmarks._fanout import (
    NATIVE,
    Floor,
    Plan,
    allow_open_files,
    application,
    compiled,
    floor_command,
    run_client,
)
from benchmarks._figure import figure
from benchmarks._stack import Stack, rss_mib, stack
from realtime.layers.rows import TOPICS

ROUNDS = 9
ASGI_ROUNDS = 3
ATTEMPTS = 3
DELIVERIES = 20_000
CLIENTS = (500, 2000)
PAYLOADS = {1024: 12, 16384: 20}
"""Bytes, and the microseconds between two deliveries that let the clients keep up."""
IDLE = 2000
WARM_UP = 200
SETTLE_S = 3.0


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def us_per_delivery(client: Path, port: int, way: str, plan: Plan, pid: int) -> float:
    """Microseconds of CPU per frame that arrived.

    A client that this machine held up gets what it missed as one merged batch: such a run has
    another work to do and is made again.
    """
    for _ in range(ATTEMPTS):
        run = run_client(client, port, way, plan, pid)
        if run["got"] == run["want"]:
            return run["cpu_ns"] / 1000 / run["got"]
        print(f"{way}: {run}, once more", file=sys.stderr)
    sys.exit(f"not all frames arrived by {way} in {ATTEMPTS} runs: no figure")


def measure(client: Path, folder: Path, payload: int, pace_us: int) -> None:
    """The figures of one size of frame."""
    floor_port = free_port()
    floor = floor_command(folder, floor_port, payload)
    with subprocess.Popen(floor.command) as bare, application() as (port, pid):
        try:
            for clients in CLIENTS:
                plan = Plan(clients, DELIVERIES // clients, clients * pace_us, payload)
                slower = Plan(clients, DELIVERIES // clients // 3, clients * pace_us * 3, payload)
                floors: list[float] = []
                lives: list[float] = []
                for number in range(ROUNDS + 1):
                    # The first is a warm-up; whoever goes second may find the machine warmer.
                    for turn in (0, 1) if number % 2 else (1, 0):
                        if turn:
                            lives.append(us_per_delivery(client, port, "live", plan, pid))
                        else:
                            one = us_per_delivery(client, floor_port, "floor", plan, bare.pid)
                            floors.append(one)
                asgi = [
                    us_per_delivery(client, port, "asgi", slower, pid) for _ in range(ASGI_ROUNDS)
                ]
                name = f"{clients}_clients_{payload // 1024}_kb"
                report(name, floor, median(floors[1:]), median(lives[1:]), median(asgi))
        finally:
            os.kill(bare.pid, signal.SIGKILL)


def report(name: str, floor: Floor, least: float, live: float, asgi: float) -> None:
    """Our figure and the ordinary path's, beside the floor."""
    unit, note = "us CPU per delivery", f"the floor is {floor.name}"
    ratio = live / least
    figure(
        f"fanout.{name}", live, unit, baseline=least, ratio=ratio,
        target="<= 1.25 x floor", ok=ratio <= 1.25, note=note,
    )  # fmt: skip
    figure(f"fanout.{name}_asgi", asgi, unit, baseline=least, ratio=asgi / least, note=note)


def screens(running: Stack, loop: Loop, count: int) -> list[Wall]:
    """So many screens that watch every topic, all with their first pictures."""
    walls = []
    for number in range(count):
        wall = Wall(running.port, running.live_pass(), list(TOPICS), lambda _keys, _at: None)
        walls.append(wall)
        loop.add(wall)
        if number % 20 == 0:
            loop.turn(0)
    while not all(wall.ready for wall in walls):
        loop.turn(0.1)
    return walls


def settle(loop: Loop) -> None:
    """Some seconds in which nothing happens but ticks."""
    until = time.monotonic() + SETTLE_S
    while time.monotonic() < until:
        loop.turn(0.1)


def idle_memory(running: Stack) -> None:
    """What 2,000 screens on which nothing happens cost the web process each."""
    loop = Loop()
    for wall in screens(running, loop, WARM_UP):
        loop.drop(wall)
    settle(loop)
    before = rss_mib(running.web)
    screens(running, loop, IDLE)
    settle(loop)
    each = (rss_mib(running.web) - before) * 1024 / IDLE
    loop.close()
    figure("fanout.idle_connection", each, "KiB", target="<= 32", ok=each <= 32)


def main() -> None:
    """Print every figure."""
    allow_open_files()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        client = compiled(NATIVE / "client.c", folder, "client")
        for payload, pace_us in PAYLOADS.items():
            measure(client, folder, payload, pace_us)
    with stack() as running:
        idle_memory(running)


if __name__ == "__main__":
    main()
