"""What the core's child processes do: take a piece of work, compute, answer; nothing else."""

from __future__ import annotations

import contextlib
import faulthandler
import logging
import os
import resource
import socket
import time
from collections.abc import Callable, Mapping

from dispatch_core.errors import Refused
from server.adapters import frames
from server.jobs.worker import Done, Work

log = logging.getLogger(__name__)

Compute = Callable[[bytes], bytes]


def serve(fd: int, computations: Mapping[str, Compute], *, nice: int, memory_mb: int) -> None:
    """Say that it is there, then answer until the other side is gone. What takes more CPU than it
    was given is ended by the kernel, and so is what takes more memory where the system can say
    so. A crash says where it was."""
    faulthandler.enable()
    with contextlib.suppress(OSError):  # a nicer process than this account may make is no reason
        os.nice(nice)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_AS, (memory_mb << 20, memory_mb << 20))
    with socket.socket(fileno=fd) as door:
        door.sendall(frames.framed(Done()))  # everything is loaded: from now on it may be asked
        while True:
            try:
                work = frames.decode(frames.read_blocking(door), Work)
            except frames.Broken:
                return
            _limit_cpu(work.cpu_s)
            door.sendall(frames.framed(_done(work, computations)))


def _done(work: Work, computations: Mapping[str, Compute]) -> Done:
    began = time.process_time()
    try:
        body = computations[work.what](work.body)
    except Refused as refused:
        return Done(refused=frames.Refusal.of(refused))
    except MemoryError:
        return Done(failed="out of memory")
    except Exception as error:
        log.exception("the work %s failed", work.what)
        return Done(failed=f"{type(error).__name__}: {error}")
    return Done(body=body, cpu_ms=round((time.process_time() - began) * 1000))


def _limit_cpu(seconds: float) -> None:
    """From now on so much more, in the kernel's whole seconds."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    soft = int(used.ru_utime + used.ru_stime + seconds) + 2
    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_CPU, (soft, hard))
