"""One line per figure that the product claims: JSON with --json, else to be read."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path


def machine() -> str:
    """Processor, cores and memory of this machine, in words."""
    name = platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                name = line.partition(":")[2].strip()
                break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()}"


def figure(
    name: str,
    value: float | None,
    unit: str,
    *,
    baseline: float | None = None,
    ratio: float | None = None,
    target: str | None = None,
    ok: bool | None = None,
    note: str | None = None,
) -> None:
    """Print one figure, `name` being "benchmark.what"; `ok` is None where nothing is judged.
    `value` is None for one that could not be measured: `note` says why."""
    line = {
        "figure": name,
        "value": None if value is None else _short(value),
        "unit": unit,
        "baseline": None if baseline is None else _short(baseline),
        "ratio": None if ratio is None else _short(ratio),
        "target": target,
        "ok": ok,
        "note": note,
        "machine": machine(),
    }
    if "--json" in sys.argv:
        print(json.dumps(line), flush=True)
        return
    words = [f"{name}: {'not measured' if value is None else line['value']} {unit}"]
    words += [
        f"{key} {line[key]}"
        for key in ("baseline", "ratio", "target", "ok", "note")
        if line[key] is not None
    ]
    print(", ".join(words), flush=True)


def _short(value: float) -> float:
    return float(f"{value:.4g}")
