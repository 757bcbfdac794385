"""Child processes that never outlive the process that started them."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from server.engines.places import Account

_PR_SET_PDEATHSIG = 1
WATCHDOG = Path(__file__).with_name("watchdog.py")
_watchdogs: list[subprocess.Popen[bytes]] = []  # they end by themselves


def spawn(
    command: Sequence[str | Path],
    *,
    death_signal: signal.Signals,
    account: Account | None = None,
    folder: Path = Path("/"),
    output: IO[bytes] | None = None,
    env: Mapping[str, str] | None = None,
    pass_fds: Sequence[int] = (),
) -> subprocess.Popen[bytes]:
    """Start a child in a session of its own, so that a terminal's Ctrl-C reaches only us, and
    `death_signal` reaches it when we die, even by SIGKILL. Call it from the main thread: Linux
    ties the signal to the starting thread.

    `output` takes standard output and error; None leaves them as ours. It runs as `account` when
    given, and in `folder`. Raises OSError.
    """
    child = subprocess.Popen(  # noqa: S603 - commands come from server.engines and server.cli only
        [os.fspath(part) for part in command],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=output,
        cwd=folder,
        env=env,
        pass_fds=pass_fds,
        start_new_session=True,
        # It calls nothing but prctl, getppid and _exit: safe also where threads exist.
        preexec_fn=_bind_to_parent(death_signal)  # noqa: PLW1509
        if sys.platform == "linux"
        else None,
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
    )
    if sys.platform != "linux":
        _watchdogs.append(watch(child.pid, death_signal))
    return child


def watch(pid: int, death_signal: signal.Signals) -> subprocess.Popen[bytes]:
    """Start a watchdog that sends `death_signal` to `pid` when we are gone; for systems without
    PR_SET_PDEATHSIG."""
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-ISs", WATCHDOG, str(os.getpid()), str(pid), str(int(death_signal))],
        stdin=subprocess.DEVNULL,
        start_new_session=True,
    )


def _bind_to_parent(death_signal: signal.Signals) -> Callable[[], None]:
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getpid()

    def bind() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0)
        if os.getppid() != parent:  # we died before the kernel knew
            os._exit(1)

    return bind
