"""What the fan-out benchmarks share: the server under test and the programs in C."""

from __future__ import annotations

import json
import re
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).resolve().parent.parent
FLOOR = ROOT.parent / "shared" / "proofs" / "websocket" / "floor.c"


class Run(TypedDict):
    """What native/client.c prints."""

    got: int
    want: int
    broken: int
    cpu_ns: int
    rss_kib: tuple[int, int]


def allow_open_files() -> None:
    """As many descriptors as we may have: 2,000 connections have both ends on this machine."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def compiled(source: Path, folder: Path, name: str) -> Path:
    """Compile one C file into the folder."""
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        sys.exit("no C compiler: install gcc, then run the benchmark again")
    program = folder / name
    subprocess.run([compiler, "-O2", "-w", "-o", program, source], check=True)
    return program


def floor_program(folder: Path, payload: int) -> Path | None:
    """The raw send loop as it was measured first, with another size of frame; None without it."""
    if not FLOOR.exists():
        return None
    # Its frame is 300 bytes and a header of 4; the number is all that changes.
    source = FLOOR.read_text(encoding="utf-8")
    source = re.sub(r"\b304\b", str(payload + 4), source)
    source = re.sub(r"\b300\b", str(payload), source)
    copy = folder / f"floor_{payload}.c"
    copy.write_text(source, encoding="utf-8")
    return compiled(copy, folder, f"floor_{payload}")


@contextmanager
def application() -> Iterator[tuple[int, int]]:
    """A fresh server process: its port and pid."""
    command = [sys.executable, "-m", "benchmarks.fanout_app"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            yield int(process.stdout.readline()), process.pid
        finally:
            process.kill()


def run_client(
    client: Path, port: int, path: str, plan: tuple[int, int, int, int], pid: int
) -> Run:
    """One run of native/client.c; the plan is clients, messages, interval in us, payload bytes."""
    clients, count, interval_us, payload = plan
    words = [client, port, path, clients, count, interval_us, payload, pid]
    done = subprocess.run(
        [str(word) for word in words], check=True, capture_output=True, text=True, timeout=120
    )
    run: Run = json.loads(done.stdout)
    if run["broken"]:
        sys.exit(f"{run['broken']} connections to {path} broke: the figures would mean nothing")
    return run
