"""The technician problem of Pillac, Gueret and Medaglia, solved by the product's planner, judged by
a checker of others.

Static: every instance for `--seconds` (60) of one core, reading and checking included, against the
best known total duration. `--instances C101,R103` takes some of them, `--jobs 1` one at a time (the
cores are used otherwise), `--data` another folder, `--seed` another search. Each solution is
written to a file that the checker reads.
Dynamic (`--part dynamic`): days at 10, 30 and 70 % of dynamism (`--all`: 50 and 90, too), against
the author's runs.
"""

from __future__ import annotations

import argparse
import csv
import os
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from statistics import mean

from benchmarks._figure import figure
from benchmarks._slices import run, steps_in
from benchmarks._trsp import CREWS, problem, read
from benchmarks._trsp_dynamic import ALL_DYNAMISMS, DYNAMISMS, dynamic
from ext.planner import STORE, Planner

SHARED = Path(__file__).resolve().parents[2] / "shared"
DATA = SHARED / "data/dispatch/trsp"
CHECKER = SHARED / "tools/trsp_check.py"
CLASSES = ("C1", "C2", "R1", "R2", "RC1", "RC2")


def solution(plan: Planner) -> str:
    """The plan as the checker reads it: a line a technician, nodes of the instance, 0 the depot."""
    first, visit, _ = plan.routes()
    rows = (visit[first[k] : first[k + 1]] for k in range(CREWS))
    return "".join(
        f"{k + 1}: {' '.join('0' if v == STORE else str(v + CREWS + 1) for v in row)}\n"
        for k, row in enumerate(rows)
    )


def solved(path: Path, seconds: float, seed: int) -> tuple[str, float | None, int, str]:
    """(instance, total duration as the checker says or None, steps, the checker's words)."""
    begin = time.process_time()
    arguments = problem(read(path))
    rest = seconds - (time.process_time() - begin)
    steps = steps_in(arguments, rest)
    plan = Planner(**arguments, budget=int(steps * 0.97), seed=seed)
    run(plan, begin + seconds)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(solution(plan))
        file.flush()
        command = [sys.executable, str(CHECKER), str(path), file.name]
        words = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    found = re.match(r"duration (\S+) distance \S+ rejected 0$", words)
    return path.stem, float(found[1]) if found else None, plan.iterations, words


def class_of(name: str) -> str:
    """C101 is of class C1."""
    return name[:-2]


def static(arguments: argparse.Namespace) -> None:
    """Gaps to the best known, per instance, class and in all."""
    with (arguments.data / "best_known_static.csv").open() as file:
        best = {
            row["instance"]: float(row["best_known_total_duration"]) for row in csv.DictReader(file)
        }
    names = arguments.instances or sorted(best)
    gaps: dict[str, float] = {}
    broken = []
    with ProcessPoolExecutor(arguments.jobs) as pool:
        jobs = [
            pool.submit(solved, arguments.data / f"{name}.txt", arguments.seconds, arguments.seed)
            for name in names
        ]
        for job in jobs:
            name, duration, steps, words = job.result()
            if duration is None:
                broken.append(f"{name}: {words}")
                continue
            gaps[name] = 100 * (duration / best[name] - 1)
            figure(
                f"trsp.static_{name}", duration, "time units", baseline=best[name],
                ratio=duration / best[name],
                note=f"{gaps[name]:+.2f} % in {arguments.seconds:g} s and {steps} steps",
            )  # fmt: skip
    for kind in CLASSES:
        of_kind = [gap for name, gap in gaps.items() if class_of(name) == kind]
        if of_kind:
            figure(f"trsp.static_gap_{kind}", mean(of_kind), "%", note=f"{len(of_kind)} instances")
    note = "; ".join(broken) or None
    if gaps:
        worst = max(gaps.values())
        total = mean(gaps.values())
        ok = not broken
        figure("trsp.static_gap", total, "%", target="<= -0.3", ok=ok and total <= -0.3, note=note)
        figure("trsp.static_worst_gap", worst, "%", target="<= 1", ok=ok and worst <= 1, note=note)
    else:
        figure("trsp.static_gap", None, "%", target="<= -0.3", ok=False, note=note)


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.trsp")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--instances", type=lambda text: text.split(","), default=None)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--part", choices=("static", "dynamic", "both"), default="both")
    parser.add_argument("--all", action="store_true", help="50 and 90 %% of dynamism, too")
    arguments = parser.parse_args()
    if not (arguments.data / "best_known_static.csv").exists() or not CHECKER.exists():
        figure(
            "trsp.static_gap", None, "%", note=f"no instances in {arguments.data}, or no checker"
        )
        return
    if arguments.part != "dynamic":
        static(arguments)
    if arguments.part != "static":
        dynamic(
            arguments.data,
            CHECKER,
            arguments.instances,
            ALL_DYNAMISMS if arguments.all else DYNAMISMS,
            arguments.jobs,
            arguments.seed,
        )


if __name__ == "__main__":
    main()
