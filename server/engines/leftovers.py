"""What a killed PostgreSQL leaves behind: orphaned processes and a pid file that names nobody's
process."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

PATIENCE = 3.0
"""Seconds in which orphans end by themselves, after which they are made to."""


def clear(cluster: Path) -> None:
    """Wait for, then end, the processes of an earlier server on `cluster`, then remove its stale
    pid file.

    The caller holds the data folder's lock, so whoever still works on the cluster is an orphan.
    PostgreSQL itself would refuse to start when the number in the pid file belongs to another
    program by now, as it does in a restarted container.
    """
    pid_file = cluster / "postmaster.pid"
    if not pid_file.exists():
        return
    began = time.monotonic()
    while pids := _processes_on(cluster, pid_file):
        waited = time.monotonic() - began
        number = (
            0 if waited < PATIENCE else signal.SIGQUIT if waited < 2 * PATIENCE else signal.SIGKILL
        )
        for pid in pids:
            try:
                os.kill(pid, number)
            except ProcessLookupError:
                continue
        time.sleep(0.05)
    pid_file.unlink(missing_ok=True)


def _processes_on(cluster: Path, pid_file: Path) -> list[int]:
    """Every process of a server on this cluster: they all work inside its folder."""
    proc = Path("/proc")
    if proc.is_dir():
        return [int(entry.name) for entry in proc.glob("[0-9]*") if _works_in(entry, cluster)]
    try:
        pid = int(pid_file.read_text("utf-8").split()[0])
    except (OSError, ValueError, IndexError):
        return []
    command = subprocess.run(  # noqa: S603
        ["/bin/ps", "-o", "command=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout
    return [pid] if str(cluster) in command else []


def _works_in(process: Path, cluster: Path) -> bool:
    try:
        return (process / "cwd").samefile(cluster)
    except OSError:  # gone meanwhile, or not ours
        return False
