"""What intake costs: a suspension application from the POST to its written answer, every check
included, in a burst like the last day's; and a company's households from a file."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks._applications import Burst, households, until_visited
from benchmarks._figure import figure
from benchmarks._register_file import write_households
from benchmarks._stack import ROOT, Stack, stack
from benchmarks.ingest import quantile

HOUSEHOLDS = 8000
WARM_UP = 600
IDLE = 150
BURST = 4000
IN_FLIGHT = 128
FILE_ROWS = 60_000


def cpu_ms(running: Stack, burst: Burst, numbers: range, in_flight: int) -> dict[str, float]:
    """CPU-ms per application of every part and in `all`, visits planned included; and the rate."""
    before = running.cpu_s()
    answered = burst.run(numbers, in_flight)
    until_visited(running)
    after = running.cpu_s()
    each = {name: (after[name] - before[name]) * 1000 / len(numbers) for name in after}
    return {**each, "all": sum(each.values()), "rate": len(numbers) / answered}


def suspensions(running: Stack) -> None:
    """The cost of an application answered automatically, in a burst and alone."""
    households(running, HOUSEHOLDS)
    burst = Burst(running)
    burst.run(range(WARM_UP), IN_FLIGHT)
    until_visited(running)
    idle = cpu_ms(running, burst, range(WARM_UP, WARM_UP + IDLE), 1)
    alone = quantile(burst.answered_in, 0.5)
    first = WARM_UP + IDLE
    busy = cpu_ms(running, burst, range(first, first + BURST), IN_FLIGHT)
    states = dict(burst.states)
    note = ", ".join(f"{n} {state}" for state, n in sorted(states.items()))
    figure(
        "intake.suspension_cpu",
        busy["all"],
        "CPU-ms",
        baseline=idle["all"],
        ratio=busy["all"] / idle["all"],
        target="<= 2.0",
        ok=busy["all"] <= 2.0,
        note=f"{note}; until each approved one has its visit",
    )
    for part in ("web", "core", "postgres", "valkey"):
        figure(f"intake.suspension_cpu_{part}", busy[part], "CPU-ms", baseline=idle[part])
    figure("intake.suspension_rate", busy["rate"], "applications/s")
    figure("intake.suspension_answer_p99", quantile(burst.answered_in, 0.99), "s")
    figure("intake.suspension_answered_alone", alone, "s")
    repeats = cpu_ms(running, burst, range(first, first + BURST // 4), IN_FLIGHT)
    figure(
        "intake.suspension_repeat_cpu",
        repeats["all"],
        "CPU-ms",
        note=f"the same applications again: {burst.states['duplicate']} of {BURST // 4} duplicates",
    )


def _imported(running: Stack, file: Path) -> tuple[dict[str, Any], float]:
    """What `heatops import households` says of a file, and its seconds, start-up included."""
    env = {
        **os.environ,
        "HEATOPS_DATA": str(running.data),
        "HEATOPS_DATABASE_URL": running.engines.database_url,
        "HEATOPS_REDIS_URL": running.engines.redis_url,
    }
    command = [sys.executable, "-m", "server", "import", "households", str(file), "--json"]
    began = time.perf_counter()
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    took = time.perf_counter() - began
    if done.returncode:
        sys.exit(f"the import failed: {done.stderr}")
    return json.loads(done.stdout.splitlines()[-1]), took


def imports(running: Stack) -> None:
    """A company's households from a file, and the same file once more."""
    with tempfile.TemporaryDirectory(prefix="heatops-bench-") as folder:
        file = Path(folder) / "households.csv"
        write_households(file, FILE_ROWS)
        first, took = _imported(running, file)
        again, took_again = _imported(running, file)
    whole = first["added"] == FILE_ROWS and again["unchanged"] == FILE_ROWS
    figure(
        "intake.import_households",
        took,
        "s",
        target="<= 60",
        ok=took <= 60 and whole,
        note=f"{first['added']:,} of {FILE_ROWS:,} added, {first['refused']} refused;"
        " owners sealed, start-up of the command included",
    )
    figure(
        "intake.import_households_again",
        took_again,
        "s",
        baseline=took,
        ratio=took_again / took,
        note=f"the same file: {again['unchanged']:,} unchanged, {again['changed']} changed",
    )


def main() -> None:
    """Print every figure."""
    with stack() as running:
        suspensions(running)
        imports(running)


if __name__ == "__main__":
    main()
