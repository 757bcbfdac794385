"""What the fan-out benchmarks share: the server under test and the programs in C."""

from __future__ import annotations

import json
import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple, TypedDict

ROOT = Path(__file__).resolve().parent.parent
NATIVE = ROOT / "benchmarks" / "native"
MEASURED_FIRST = ROOT.parent / "shared" / "proofs" / "websocket" / "floor.c"
"""The send loop against which the way to the screens was designed; not in every checkout."""


class Run(TypedDict):
    """What native/client.c prints."""

    got: int
    want: int
    other: int
    broken: int
    cpu_ns: int


class Plan(NamedTuple):
    """What one run sends."""

    clients: int
    messages: int
    interval_us: int
    payload: int


class Floor(NamedTuple):
    """The raw send loop, compiled, and which one it is."""

    command: tuple[str, ...]
    name: str


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


def floor_command(folder: Path, port: int, payload: int) -> Floor:
    """The raw send loop for a size of frame: the one measured first where it is, else ours."""
    source = MEASURED_FIRST.read_text(encoding="utf-8") if MEASURED_FIRST.exists() else ""
    # Its frame is 300 bytes and a header of 4; these two numbers are all that changes.
    if (source.count("304"), source.count("300")) == (4, 2):
        copy = folder / f"floor_{payload}.c"
        copy.write_text(
            source.replace("304", str(payload + 4)).replace("300", str(payload)), encoding="utf-8"
        )
        program = compiled(copy, folder, f"floor_{payload}")
        return Floor((str(program), str(port)), "proofs/websocket/floor.c")
    program = compiled(NATIVE / "floor.c", folder, "floor")
    return Floor((str(program), str(port), str(payload)), "benchmarks/native/floor.c")


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


def run_client(client: Path, port: int, way: str, plan: Plan, pid: int) -> Run:
    """One run of native/client.c; the way is `live`, `asgi` or `floor`."""
    control = "-" if way == "floor" else f"/feed/{way}/{plan.messages}/{plan.payload}"
    path, topic = f"/{way}", "tickets" if way == "live" else "-"
    words = [client, port, path, *plan, pid, control, topic]
    done = subprocess.run(
        [str(word) for word in words], capture_output=True, text=True, timeout=120, check=False
    )
    if done.returncode:
        sys.exit(f"the clients of {path} failed: {done.stderr}")
    run: Run = json.loads(done.stdout)
    if run["broken"]:
        sys.exit(f"{run['broken']} connections to {path} broke: the figures would mean nothing")
    return run
