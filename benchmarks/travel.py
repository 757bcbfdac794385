"""Travel times: the matrix of a whole day's plan by great circle, and along the roads of Harbin.

The baseline of the matrix is the haversine formula over arrays, float64, as one writes it with
numpy, rounded up to whole seconds as ours is; same process, same places.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

import numpy as np
import psutil
from numpy.typing import NDArray

from benchmarks._figure import figure
from geo import roads as roads_module
from geo.roads import Roads
from geo.travel import MICRO, UNKNOWN, Places, TravelModel, places, seconds
from geo.travel_learn import Fixes, journeys
from server.adapters.road_files import read_roads, write_roads

HARBIN = Path(__file__).resolve().parents[2] / "shared/data/city/harbin.osm.pbf"
AT = 1_768_345_200
CREWS, VISITS = 200, 2_000
ROUNDS = 5
MODEL = TravelModel()


def took(work: Callable[[], object], rounds: int = ROUNDS) -> float:
    """The middle of a few runs on this process's own clock, seconds of CPU."""
    times = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return median(times)


def haversine(a: Places, b: Places) -> NDArray[np.int32]:
    """The usual way."""
    x, y = np.radians(a / MICRO), np.radians(b / MICRO)
    east, north = x[:, None, 0] - y[None, :, 0], x[:, None, 1] - y[None, :, 1]
    half = (
        np.sin(north / 2) ** 2
        + np.cos(x[:, None, 1]) * np.cos(y[None, :, 1]) * np.sin(east / 2) ** 2
    )
    metres = 2 * 6_371_008.8 * np.arcsin(np.sqrt(half))
    speed = MODEL.speed_mmps[MODEL.slot(AT)]
    return np.ceil(metres * MODEL.detour_pm / speed).astype(np.int32)


def great_circle() -> None:
    """All crews and visits of a day, each to each."""
    chance = np.random.default_rng(1)
    n = CREWS + VISITS
    where = places(chance.uniform(126.4, 126.9, n), chance.uniform(45.6, 45.95, n))
    ours, theirs = seconds(MODEL, where, where, AT), haversine(where, where)
    assert np.abs(ours - theirs).max() <= 1
    assert (ours == ours.T).all()
    mine, usual = (
        took(lambda: seconds(MODEL, where, where, AT)),
        took(lambda: haversine(where, where)),
    )
    figure(
        "travel.great_circle", mine, "s", baseline=usual, ratio=usual / mine,
        target="<= 0.5 s", ok=mine <= 0.5, note=f"{n:,} x {n:,} places, the same bits everywhere",
    )  # fmt: skip


def along_roads() -> None:
    """Harbin: from its extract to the times from every crew to every visit."""
    names = ("load", "memory", "customise", "many_to_many", "one_ticket")
    why = "no extract of Harbin beside the checkout" if not HARBIN.exists() else None
    if roads_module.pyroutingkit is None:
        why = "no road library for this platform"
    if why is not None:
        for name in names:
            figure(f"travel.roads_{name}", None, "MiB" if name == "memory" else "s", note=why)
        return
    from server.sources import osm_roads

    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "harbin.roads"
        start = time.process_time()
        graph = osm_roads.read_roads(HARBIN)
        assert graph is not None
        write_roads(graph, file)
        figure(
            "travel.roads_import", time.process_time() - start, "s",
            note=f"{len(graph.places):,} nodes, {len(graph.tail):,} arcs,"
            f" a file of {file.stat().st_size / 2**20:.1f} MiB",
        )  # fmt: skip
        grown = subprocess.run(
            [sys.executable, "-m", "benchmarks.travel", "--memory-of", str(file)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        load = took(lambda: Roads(read_roads(file)), 3)
        figure("travel.roads_load", load, "s", target="<= 5 s", ok=load <= 5)
        memory = float(grown.stdout)
        figure("travel.roads_memory", memory, "MiB", target="<= 200 MiB", ok=memory <= 200)
        roads = Roads(read_roads(file))
    hours = iter(range(4_000, 5_000))
    customise = took(lambda: roads._metric(next(hours)))
    figure("travel.roads_customise", customise, "s", target="<= 0.2 s", ok=customise <= 0.2)
    chance = np.random.default_rng(2)
    stops = graph.places[chance.choice(np.flatnonzero(graph.stops), CREWS + VISITS)]
    where = (stops + chance.integers(-300, 300, stops.shape)).astype(np.int32)
    crews, visits = where[:CREWS], where[CREWS:]
    unknown = int((roads.times(MODEL, crews, visits, AT, 300) == UNKNOWN).sum())
    for name, a, b, target in (
        ("many_to_many", crews, visits, 1.0),
        ("one_ticket", crews, visits[:1], 0.2),
        ("whole_day", where, where, None),
    ):
        mine = took(lambda a=a, b=b: roads.times(MODEL, a, b, AT, 300), 3)
        figure(
            f"travel.roads_{name}", mine, "s", target=target and f"<= {target:g} s",
            ok=None if target is None else mine <= target,
            note=f"{len(a):,} x {len(b):,}; {unknown} pairs without a way",
        )  # fmt: skip


def memory_of(file: Path) -> None:
    """Print by how many MiB a process grows that loads a road file and makes two hours ready."""
    process = psutil.Process()
    before = process.memory_info().rss
    roads = Roads(read_roads(file))
    roads._metric(5_000)
    roads._metric(7_000)
    print((process.memory_info().rss - before) / 2**20)


def learning() -> None:
    """An hour of fixes of all crews, one each ten seconds."""
    chance = np.random.default_rng(3)
    steps = 360
    crew = np.repeat(np.arange(CREWS), steps)
    at = AT + 10 * np.tile(np.arange(steps), CREWS)
    drives = (np.arange(steps) // 60) % 2 == 0  # ten minutes on the road, ten at a door
    moved = np.where(drives, chance.uniform(3, 12, (CREWS, steps)) * 10, 0.0).cumsum(axis=1)
    heading = chance.uniform(0, 6.28, (CREWS, 1))
    lon = 126.6 + (moved * np.cos(heading)).ravel() / 77_600
    lat = 45.75 + (moved * np.sin(heading)).ravel() / 111_195
    fixes = Fixes(
        crew=crew, at=at, heard_at=at, lon=lon, lat=lat, accuracy_m=np.full(len(at), 9.0),
        datum=np.zeros(len(at), np.int64),
    )  # fmt: skip
    found = journeys(fixes, (126.6, 45.75))
    assert found.journeys > CREWS
    mine = took(lambda: journeys(fixes, (126.6, 45.75)))
    figure(
        "travel.learn_an_hour", mine, "s", target="<= 1 s", ok=mine <= 1,
        note=f"{len(at):,} fixes, {found.journeys} journeys",
    )  # fmt: skip


def main() -> None:
    """Print every figure."""
    great_circle()
    along_roads()
    learning()


if __name__ == "__main__":
    if "--memory-of" in sys.argv:
        memory_of(Path(sys.argv[-1]))
    else:
        main()
