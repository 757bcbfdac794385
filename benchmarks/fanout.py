"""CPU time per delivery against a raw send loop in C, and memory of an idle connection.

Each figure is the median of 9 alternating runs; CPU time is that of the whole server process, user
and system. The ordinary ASGI path stands beside it and is not judged.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from statistics import median

from benchmarks._fanout import (
    ROOT,
    Run,
    allow_open_files,
    application,
    compiled,
    floor_program,
    run_client,
)
from benchmarks._figure import figure

ROUNDS = 9
ASGI_ROUNDS = 3
DELIVERIES = 20_000
CLIENTS = (500, 2000)
PAYLOADS = {1024: 12, 16384: 20}
"""Bytes, and the microseconds between two deliveries that let the clients keep up."""
IDLE = 2000


def free_port() -> int:
    """A port nobody listens on just now."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return int(probe.getsockname()[1])


def us_per_delivery(run: Run) -> float:
    """Microseconds of CPU per frame that arrived."""
    if run["got"] != run["want"]:
        sys.exit(f"only {run['got']} of {run['want']} frames arrived: no figure")
    return run["cpu_ns"] / 1000 / run["got"]


def measure(client: Path, folder: Path, payload: int, pace_us: int) -> None:
    """The figures of one size of frame."""
    program = floor_program(folder, payload)
    floor_port = free_port()
    floor = None if program is None else subprocess.Popen([program, str(floor_port)])
    try:
        with application() as (port, pid):
            for clients in CLIENTS:
                plan = (clients, DELIVERIES // clients, clients * pace_us, payload)
                slower = (clients, DELIVERIES // clients // 3, clients * pace_us * 3, payload)
                floors: list[float] = []
                raws: list[float] = []
                for number in range(ROUNDS + 1):
                    # The first is a warm-up; whoever goes second may find the machine warmer.
                    for turn in (0, 1) if number % 2 else (1, 0):
                        if turn:
                            raw = run_client(client, port, "/raw", plan, pid)
                            raws.append(us_per_delivery(raw))
                        elif floor is not None:
                            bare = run_client(client, floor_port, "/", plan, floor.pid)
                            floors.append(us_per_delivery(bare))
                asgi = [
                    us_per_delivery(run_client(client, port, "/asgi", slower, pid))
                    for _ in range(ASGI_ROUNDS)
                ]
                name = f"{clients}_clients_{payload // 1024}_kb"
                report(name, median(raws[1:]), median(asgi), floors[1:])
    finally:
        if floor is not None:
            floor.kill()
            floor.wait()


def report(name: str, raw: float, asgi: float, floors: list[float]) -> None:
    """Our figure and the ordinary path's, beside the floor where it could be measured."""
    if not floors:
        figure(f"fanout.{name}", raw, "us CPU per delivery")
        figure(f"fanout.{name}_asgi", asgi, "us CPU per delivery")
        return
    floor = median(floors)
    ratio = raw / floor
    unit = "us CPU per delivery"
    figure(
        f"fanout.{name}", raw, unit, baseline=floor, ratio=ratio, target="<= 1.25", ok=ratio <= 1.25
    )
    figure(f"fanout.{name}_asgi", asgi, unit, baseline=floor, ratio=asgi / floor)


def handshake(port: int) -> socket.socket:
    """An open connection with the headers a browser's has, about 1 KB of them."""
    one = socket.create_connection(("127.0.0.1", port))
    one.sendall(
        b"GET /raw HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n"
        b"Origin: http://127.0.0.1\r\nAccept-Language: zh-CN,zh;q=0.9,en;q=0.8\r\n"
        b"User-Agent: Mozilla/5.0 (X11; Linux x86_64) " + b"x" * 600 + b"\r\n"
        b"Cookie: session=" + b"0123456789abcdef" * 8 + b"\r\n\r\n"
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        answer += one.recv(1)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return one


def resident_kib(pid: int) -> float:
    """Memory of a process that is in RAM."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return pages * 4.0


def idle_memory() -> None:
    """What 2,000 connections that do nothing cost the server process each."""
    with application() as (port, pid):
        for one in [handshake(port) for _ in range(100)]:
            one.close()
        time.sleep(0.5)
        before = resident_kib(pid)
        crowd = [handshake(port) for _ in range(IDLE)]
        time.sleep(0.5)
        each = (resident_kib(pid) - before) / IDLE
        for one in crowd:
            one.close()
    figure("fanout.idle_connection", each, "KiB", target="<= 32", ok=each <= 32)


def main() -> None:
    """Print every figure."""
    allow_open_files()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        client = compiled(ROOT / "benchmarks" / "native" / "client.c", folder, "client")
        if floor_program(folder, 1024) is None:
            print("fanout: no ../shared/proofs/websocket/floor.c, no floor beside", file=sys.stderr)
        for payload, pace_us in PAYLOADS.items():
            measure(client, folder, payload, pace_us)
    idle_memory()


if __name__ == "__main__":
    main()
