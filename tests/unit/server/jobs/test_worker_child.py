"""A child that computes: asked, refused, killed, started again."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable

import msgspec
import numpy as np
import pytest

from dispatch_core.dispatch import Inputs, Policy, Spot, Task, Team
from dispatch_core.events import Work
from dispatch_core.ids import CrewId, TicketId
from geo.travel import TravelModel, great_circle_table
from server.jobs.planning_asks import AskPlan
from server.jobs.worker import Died, Worker
from server.settings import CHECKOUT

AT = 1_768_356_000  # Wednesday 14 January 2026, 10:00 at UTC+8
NO_INPUTS = msgspec.msgpack.encode({"inputs": None, "tickets": []})


class _File(msgspec.Struct):
    dispatch: Policy


def endless_plan() -> bytes:
    """A plan of one visit that is searched for longer than anybody waits."""
    shipped = (CHECKOUT / "server" / "policies" / "default" / "default.toml").read_bytes()
    model, here = TravelModel(utc_offset_s=28_800), Spot(126_600_000, 45_750_000)
    nowhere = np.zeros((0, 2), np.int32)
    moment = Inputs(
        at=AT, utc_offset_s=28_800, policy=msgspec.toml.decode(shipped, type=_File).dispatch,
        policy_version="test", position_discount_s=300, position_exclude_s=1_800,
        travel=great_circle_table(model, nowhere, nowhere, AT).stored(),
        teams=[
            Team(
                crew=CrewId("C1"), name="一班", version=1, trades=["indoor"], on_duty=True,
                shift="06:00-18:00", shift_ends_at=AT + 28_800, place=here, fix_age_s=9,
            )
        ],
        tasks=[
            Task(
                ticket=TicketId("260114-000001"), version=1, kind="repair", level="blue",
                state="accepted", address="1 号楼", received_at=AT, due_at=AT + 86_400,
                work=Work(trade="indoor"), place=here,
            )
        ],
    )  # fmt: skip
    encoded = msgspec.Raw(msgspec.msgpack.encode(moment))
    return msgspec.msgpack.encode(AskPlan(inputs=encoded, iterations=10**12, cpu_s=None))


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
        with pytest.raises(Died, match="no answer in time"):
            await worker.ask("dreams", b"", cpu_s=5, within_s=0.5)
        assert worker.pid is None
        with pytest.raises(RuntimeError):
            await worker.ask("dreams", b"", cpu_s=5, within_s=60)
        assert worker.pid not in {None, second}

    with_worker(use)


def test_a_death_says_how_it_came() -> None:
    async def use(worker: Worker) -> None:
        await worker.begin()
        asked = asyncio.ensure_future(worker.ask("plan", endless_plan(), cpu_s=60, within_s=60))
        await asyncio.sleep(0.5)
        os.kill(worker.pid or 0, signal.SIGKILL)
        with pytest.raises(Died, match="plan, with 60 s of CPU and 60 s: ended by SIGKILL"):
            await asked
        with pytest.raises(Died, match="it took more CPU than it may"):
            await worker.ask("plan", endless_plan(), cpu_s=0.1, within_s=200)

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
