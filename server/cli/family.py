"""The child processes of `heatops up`: started together, restarted when they die, stopped in a
bounded time."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from server.engines.children import spawn
from server.settings import CHECKOUT

FIRST_DELAY = 0.2
LONGEST_DELAY = 10.0
SETTLED = 30.0
"""Seconds after which a child counts as healthy and its next death is restarted without delay."""


@dataclass(slots=True)
class Child:
    """One process of the family: `python -m server <arguments>`."""

    name: str
    arguments: Sequence[str]
    pass_fds: Sequence[int] = ()
    may_end: bool = False
    """Exit code 0 means that its work is done."""
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    """Since it last ran for long."""
    started: float = 0.0
    due: float = 0.0
    delay: float = field(default=FIRST_DELAY)
    done: bool = False


class Family:
    """Children that share an environment."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._env = env
        self._children: list[Child] = []

    def add(self, child: Child) -> Child:
        """Start a child and keep it alive from now on."""
        self._children.append(child)
        self._start(child)
        return child

    def _start(self, child: Child) -> None:
        child.process = spawn(
            [sys.executable, "-m", "server", *child.arguments],
            death_signal=signal.SIGKILL,
            folder=CHECKOUT,  # where `-m server` is ours
            env=self._env,
            pass_fds=child.pass_fds,
        )
        child.started = time.monotonic()

    def tend(self) -> list[tuple[str, int]]:
        """Notice deaths, and restart what is due: at once the first time, then later and later up
        to 10 s.

        Returns (name, exit code) of those that have died since the last call.
        """
        now = time.monotonic()
        died = []
        for child in self._children:
            if child.process is not None and (code := child.process.poll()) is not None:
                child.process = None
                if code == 0 and child.may_end:
                    child.done = True
                    continue
                died.append((child.name, code))
                if now - child.started > SETTLED:
                    child.deaths, child.delay = 0, FIRST_DELAY
                child.deaths += 1
                child.due = now + (0 if child.deaths == 1 else child.delay)
                child.delay = min(child.delay * 2, LONGEST_DELAY)
            if child.process is None and not child.done and now >= child.due:
                self._start(child)
        return died

    def stop(self, within: float) -> None:
        """Ask all to end, and make those that have not after `within` seconds."""
        alive = [child.process for child in self._children if child.process is not None]
        for process in alive:
            process.terminate()
        deadline = time.monotonic() + within
        for process in alive:
            try:
                process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
        for process in alive:
            process.wait(5)
        self._children.clear()
