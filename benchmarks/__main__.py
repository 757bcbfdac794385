"""Every benchmark, one after the other: `python -m benchmarks [--json | --markdown] [NAME ...]`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "binning", "city", "fanout", "stall", "ingest", "commit_to_screen", "screen", "start",
)  # fmt: skip


def lines_of(name: str) -> list[dict[str, Any]]:
    """The figures of one benchmark; one that fails says why on stderr and ends the whole."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json"]
    print(f"benchmarks: {name}", file=sys.stderr)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        sys.exit(f"benchmarks: {name} ended with {done.returncode}; what it says is above")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def markdown(lines: list[dict[str, Any]]) -> str:
    """A table of the figures: those with a target first, then what stands beside them."""
    rows = ["| figure | value | unit | target | ok |", "| --- | --- | --- | --- | --- |"]
    for line in sorted(lines, key=lambda one: one["target"] is None):
        value = "not measured" if line["value"] is None else f"{line['value']:g}"
        if line["ratio"] is not None:
            value += f" (beside {line['baseline']:g}: {line['ratio']:g} x)"
        judged = {True: "yes", False: "**no**", None: ""}[line["ok"]]
        target = line["target"] or ""
        rows.append(f"| `{line['figure']}` | {value} | {line['unit']} | {target} | {judged} |")
    return "\n".join([*rows, "", f"Measured on {lines[0]['machine']}."])


def main() -> None:
    """Run those that are named, or all."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    unknown = set(words) - set(NAMES)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    lines = []
    for name in words or NAMES:
        lines += (found := lines_of(name))
        if "--markdown" not in sys.argv:
            print("\n".join(json.dumps(line) for line in found), flush=True)
    if "--markdown" in sys.argv:
        print(markdown(lines))


if __name__ == "__main__":
    main()
