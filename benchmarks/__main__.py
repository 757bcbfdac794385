"""Every benchmark, one after the other: `python -m benchmarks [--json | --markdown] [NAME ...]`."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
NAMES = (
    "binning", "gcj", "geofence", "photo_hash", "photo_search", "photo_verdict", "photo_reuse",
    "hostile", "city", "assign", "insert",
    "replan", "what_if", "trsp", "fanout", "stall", "ingest", "intake", "contradictions",
    "address", "commit_to_screen", "screen", "start",
)  # fmt: skip


def lines_of(name: str) -> tuple[list[dict[str, Any]], bool]:
    """The figures of one benchmark, and whether it came to its end; if not, stderr says why."""
    command = [sys.executable, "-m", f"benchmarks.{name}", "--json"]
    print(f"benchmarks: {name}", file=sys.stderr)
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=False)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    return lines, done.returncode == 0


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
    notes = dict.fromkeys(f"`{one['figure']}`: {one['note']}." for one in lines if one["note"])
    return "\n".join([*rows, "", f"Measured on {lines[0]['machine']}.", *notes])


def main() -> None:
    """Run those that are named, or all."""
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    unknown = set(words) - set(NAMES)
    if unknown:
        sys.exit(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    lines: list[dict[str, Any]] = []
    failed = []
    for name in words or NAMES:
        found, whole = lines_of(name)
        lines += found
        if not whole:
            failed.append(name)
        if "--markdown" not in sys.argv:
            print("\n".join(json.dumps(line) for line in found), flush=True)
    if "--markdown" in sys.argv and lines:
        print(markdown(lines))
    if failed:
        sys.exit(f"benchmarks: {', '.join(failed)} failed; what they say is above")


if __name__ == "__main__":
    main()
