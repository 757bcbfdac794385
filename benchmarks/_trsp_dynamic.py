"""Dynamic days of the technician problem, judged by a checker of others, beside published runs."""

from __future__ import annotations

import csv
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from itertools import product
from pathlib import Path
from statistics import mean
from typing import NamedTuple

from benchmarks._figure import figure
from benchmarks._trsp import read
from benchmarks._trsp_day import Ways, live

DYNAMISMS = (10, 30, 70)
ALL_DYNAMISMS = (10, 30, 50, 70, 90)


class Lived(NamedTuple):
    """One day; `duration` is None where the checker found a rule broken."""

    instance: str
    dynamism: int
    duration: float | None
    rejected: int
    seconds: list[float]
    """Of one core, at each event."""
    words: str


def releases(path: Path) -> dict[int, float]:
    """When each request becomes known, by node; -1: before the day."""
    rows = path.read_text("utf-8", "replace").partition("ID")[2].splitlines()[1:]
    found = (row.split() for row in rows)
    return {int(row[0]): float(row[1]) for row in found if len(row) == 2}


def lived(data: Path, checker: Path, name: str, dynamism: int, seed: int) -> Lived:
    """A day from its files, judged."""
    instance, day = data / f"{name}.txt", data / f"dynamic/{name}_dod{dynamism}.txt"
    log, seconds = live(read(instance), releases(day), Ways(), seed)
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write(log)
        file.flush()
        command = [sys.executable, str(checker), str(instance), file.name, "--release", str(day)]
        words = subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
    found = re.match(r"duration (\S+) distance \S+ rejected (\d+)$", words)
    duration = float(found[1]) if found else None
    return Lived(name, dynamism, duration, int(found[2]) if found else 0, seconds, words)


def published(data: Path) -> dict[tuple[str, int], tuple[float, float]]:
    """(duration, rejected) of the author's runs by instance and dynamism."""
    with (data / "published_dynamic.csv").open() as file:
        return {
            (row["instance"], int(row["degree_of_dynamism_pct"])): (
                float(row["mean_duration"]), float(row["mean_rejected"]),
            )
            for row in csv.DictReader(file)
        }  # fmt: skip


def dynamic(
    data: Path,
    checker: Path,
    names: list[str] | None,
    dynamisms: tuple[int, ...],
    jobs: int,
    seed: int,
) -> None:
    """Rejections, and our duration to the author's, per class and dynamism; an event's time."""
    theirs = published(data)
    wanted = names or sorted({name for name, _ in theirs})
    with ProcessPoolExecutor(jobs) as pool:
        asked = [
            pool.submit(lived, data, checker, name, dynamism, seed)
            for name, dynamism in product(wanted, dynamisms)
        ]
        days = [job.result() for job in asked]
    broken = "; ".join(
        f"{d.instance} {d.dynamism} %: {d.words}" for d in days if d.duration is None
    )
    ratios = {
        (d.instance, d.dynamism): d.duration / theirs[d.instance, d.dynamism][0]
        for d in days
        if d.duration is not None and (d.instance, d.dynamism) in theirs
    }
    for kind, dynamism in product(sorted({d.instance[:-2] for d in days}), dynamisms):
        _figures(kind, dynamism, days, ratios, theirs, None, broken)
    for series, most in (("1", 1.0), ("2", 0.9)):
        for dynamism in dynamisms:
            _figures(
                f"{series}xx",
                dynamism,
                days,
                ratios,
                theirs,
                most if dynamism in DYNAMISMS else None,
                broken,
            )
    spent = sorted(s for d in days for s in d.seconds)
    p99 = 1000 * spent[min(len(spent) * 99 // 100, len(spent) - 1)]
    figure(
        "trsp.dynamic_event_p99", p99, "ms", target="<= 100", ok=p99 <= 100,
        note=f"{len(spent)} events, one core each; {Ways().first_seconds:g} s before each day",
    )  # fmt: skip


def _figures(
    kind: str, dynamism: int, days: list[Lived], ratios: dict[tuple[str, int], float],
    theirs: dict[tuple[str, int], tuple[float, float]], most: float | None, broken: str,
) -> None:  # fmt: skip
    """Both figures of a class (or of all of a series, as "1xx") at one dynamism."""
    of_kind = [
        d for d in days
        if d.dynamism == dynamism and (d.instance, dynamism) in ratios
        and (d.instance[:-2] == kind or kind == f"{d.instance[-3]}xx")
    ]  # fmt: skip
    if not of_kind:
        return
    rejected = sum(d.rejected for d in of_kind)
    allowed = sum(theirs[d.instance, dynamism][1] for d in of_kind)
    ratio = mean(ratios[d.instance, dynamism] for d in of_kind)
    figure(
        f"trsp.dynamic_{kind}_{dynamism}_rejected", rejected, "requests", baseline=allowed,
        target=None if most is None else "<= published" if kind == "1xx" else "0",
        ok=None if most is None else not broken and rejected <= (allowed if kind == "1xx" else 0),
        note=broken or f"{len(of_kind)} instances",
    )  # fmt: skip
    figure(
        f"trsp.dynamic_{kind}_{dynamism}_ratio", ratio, "of published", ratio=ratio,
        target=None if most is None else f"<= {most:g}",
        ok=None if most is None else not broken and ratio <= most, note=broken or None,
    )  # fmt: skip
