"""A child that computes: asked, refused, killed, started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import msgspec
import pytest

from server.jobs.worker import Died, Worker

NO_INPUTS = msgspec.msgpack.encode({"inputs": None, "tickets": []})


def with_worker(use: Callable[[Worker], Awaitable[None]]) -> None:
    async def run() -> None:
        worker = Worker("test", nice=5, memory_mb=4096)
        try:
            await use(worker)
        finally:
            await worker.close()

    asyncio.run(run())


def test_work_that_it_does_not_know_or_cannot_read_is_a_failure_and_it_lives_on() -> None:
    async def use(worker: Worker) -> None:
        pids = set()
        for _ in range(2):
            with pytest.raises(RuntimeError, match="ValidationError"):
                await worker.ask("proposals", NO_INPUTS, cpu_s=5, within_s=60)
            pids.add(worker.pid)
        with pytest.raises(RuntimeError, match="KeyError"):
            await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        assert len(pids) == 1
        assert pids == {worker.pid}

    with_worker(use)


def test_a_child_that_is_killed_or_late_is_another_one_next_time() -> None:
    async def use(worker: Worker) -> None:
        with pytest.raises(RuntimeError):
            await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        first = worker.pid
        assert first is not None
        os.kill(first, signal.SIGKILL)
        for _ in range(2):  # whether its death is noticed before it is asked, or by asking
            with pytest.raises((RuntimeError, Died)):
                await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        second = worker.pid
        assert second not in {None, first}
        os.kill(second or 0, signal.SIGSTOP)
        with pytest.raises(Died):
            await worker.ask("dreams", b"", cpu_s=5, within_s=0.5)
        assert worker.pid is None
        with pytest.raises(RuntimeError):
            await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        assert worker.pid not in {None, second}

    with_worker(use)


def test_it_ends_with_its_core() -> None:
    pids: list[int] = []

    async def use(worker: Worker) -> None:
        with pytest.raises(RuntimeError):
            await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        pids.append(worker.pid or 0)

    with_worker(use)
    with pytest.raises(ProcessLookupError):
        os.kill(pids[0], 0)


def test_a_caller_that_gives_up_does_not_end_it() -> None:
    async def use(worker: Worker) -> None:
        with pytest.raises(RuntimeError):
            await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        child = worker.pid
        assert child is not None
        os.kill(child, signal.SIGSTOP)
        began, waits = (
            asyncio.ensure_future(worker.ask("dreams", b"", cpu_s=5, within_s=60)) for _ in range(2)
        )
        await asyncio.sleep(0.05)
        for asked in (waits, began):
            asked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await asked
        os.kill(child, signal.SIGCONT)
        with pytest.raises(RuntimeError):
            await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        assert worker.pid == child

    with_worker(use)
