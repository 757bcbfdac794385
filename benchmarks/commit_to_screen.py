"""From a commit to the frame in a client: 200 commits a second, 200 screens."""

from __future__ import annotations

import json
import secrets
import sys
import time
from functools import partial

from benchmarks._clients import Loop, Sender, Wall
from benchmarks._fanout import allow_open_files
from benchmarks._figure import figure
from benchmarks._stack import Stack, stack

SCREENS = 200
PER_SECOND = 200
SECONDS = 15
WARM_UP_S = 3
CONNECTIONS = 64
WITHIN_S = 20.0
REACHED = 0.98
"""The share of the rate asked for that must have been committed."""


class Watch:
    """When each ticket was answered, and when it stood on each screen."""

    def __init__(self) -> None:
        self.answered: dict[str, float] = {}
        self.arrived: dict[str, dict[int, float]] = {}
        """Ticket -> screen -> when it first stood there."""

    def shown(self, screen: int, keys: list[str], at: float) -> None:
        """A frame with these tickets has come to one screen."""
        for key in keys:
            self.arrived.setdefault(key, {}).setdefault(screen, at)

    def complete(self) -> bool:
        """Every answered ticket stands on every screen."""
        return all(len(self.arrived.get(key, ())) == SCREENS for key in self.answered)


def run(running: Stack, watch: Watch) -> None:
    """Send at an even pace while every screen reads."""
    loop = Loop()
    walls = [
        Wall(running.port, running.live_pass(), ["tickets"], partial(watch.shown, screen))
        for screen in range(SCREENS)
    ]
    for wall in walls:
        loop.add(wall)
    while not all(wall.ready for wall in walls):
        loop.turn(0.1)
    free: list[Sender] = []
    busy: dict[int, Sender] = {}

    def answered(number: int, status: int, body: bytes, at: float) -> None:
        if status != 201:
            sys.exit(f"request {number} was answered {status}: {body[:300]!r}")
        free.append(busy.pop(number))
        watch.answered[json.loads(body)["id"]] = at

    for _ in range(CONNECTIONS):
        sender = Sender(running.port, answered)
        loop.add(sender)
        free.append(sender)
    total = PER_SECOND * (WARM_UP_S + SECONDS)
    requests = [running.request(f"{n}-{secrets.token_hex(8)}", n) for n in range(total)]
    began, sent = time.time(), 0
    while sent < total or busy or not watch.complete():
        while sent < total and time.time() >= began + sent / PER_SECOND:
            # A commit that is due is never left out: without a free connection it opens one.
            if not free:
                loop.add(extra := Sender(running.port, answered))
                free.append(extra)
            sender = busy[sent] = free.pop(0)
            sender.send(sent, requests[sent])
            sent += 1
        next_at = began + sent / PER_SECOND if sent < total else time.time() + 0.05
        loop.turn(max(0.0, next_at - time.time()))
        if time.time() > began + WARM_UP_S + SECONDS + WITHIN_S:
            sys.exit("not every ticket came to every screen")
    loop.close()


def quantile(ordered: list[float], q: float) -> float:
    """The q-quantile of ordered values, 0 to 1."""
    return ordered[min(len(ordered) - 1, int(q * len(ordered)))]


def main() -> None:
    """Print every figure."""
    allow_open_files()
    watch = Watch()
    # PostgreSQL notes each commit's time before it makes it durable: the longest way to measure.
    with stack(conf={"track_commit_timestamp": "on"}) as running:
        before = running.cpu_s()
        run(running, watch)
        after = running.cpu_s()
        rows = running.sql(
            "SELECT split_part(stream, ':', 2),"
            " extract(epoch FROM pg_xact_commit_timestamp(xmin))::float8"
            " FROM journal WHERE version = 1 AND stream LIKE 'ticket:%'"
        )
    committed = {row[0]: row[1] for row in rows}
    start = min(committed.values()) + WARM_UP_S
    measured = [ticket for ticket in watch.answered if committed[ticket] >= start]
    waits = sorted(
        at - committed[ticket] for ticket in measured for at in watch.arrived[ticket].values()
    )
    since_answer = sorted(
        at - watch.answered[t] for t in measured for at in watch.arrived[t].values()
    )
    span = max(committed[t] for t in measured) - start
    p99, rate = quantile(waits, 0.99), len(measured) / span
    # A slower stream would be an easier one: then the wait says nothing.
    reached = rate >= REACHED * PER_SECOND
    figure("commit_to_screen.p50", quantile(waits, 0.5), "s")
    figure(
        "commit_to_screen.p99",
        p99,
        "s",
        target=f"<= 0.25 at {PER_SECOND} commits/s",
        ok=p99 <= 0.25 and reached,
    )
    figure("commit_to_screen.max", waits[-1], "s")
    figure("commit_to_screen.p99_since_the_answer", quantile(since_answer, 0.99), "s")
    least = REACHED * PER_SECOND
    figure("commit_to_screen.commits", rate, "commits/s", target=f">= {least:g}", ok=reached)
    figure("commit_to_screen.arrivals", len(waits), f"tickets on {SCREENS} screens")
    for part in before:
        used = (after[part] - before[part]) / (WARM_UP_S + SECONDS)
        figure(f"commit_to_screen.cpu_{part}", used, "cores")


if __name__ == "__main__":
    main()
