"""Workers and photo processes that are killed or hang: no photo is lost, none is judged twice."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import psutil
import pytest
from photo_house import PhotoHouse, jpeg, scene, soon

from server.jobs import photo_judge
from server.jobs.worker import Worker

pytestmark = pytest.mark.fault

Use = Callable[[PhotoHouse], Awaitable[None]]


@pytest.fixture
def housed(fresh_database: str, engines: Any, tmp_path: Path) -> Callable[[Use], None]:
    def run(use: Use) -> None:
        async def whole() -> None:
            house = PhotoHouse(fresh_database, engines.redis_url, engines.keys, tmp_path)
            await house.open()
            try:
                await use(house)
            finally:
                await house.close()

        asyncio.run(whole())

    return run


async def unjudged(house: PhotoHouse, ticket: str) -> dict[str, Any]:
    async def look() -> dict[str, Any] | None:
        found = await house.told(ticket, "photo_unjudged")
        return found[-1] if found else None

    return await soon(look, f"{ticket} goes to a person")


async def _with_worker(house: PhotoHouse, use: Callable[[Worker], Awaitable[None]]) -> None:
    worker = Worker("test", part="photo-worker")
    await worker.begin()
    judging = asyncio.ensure_future((await house.judge([worker])).run())
    try:
        await use(worker)
    finally:
        judging.cancel()
        await asyncio.gather(judging, return_exceptions=True)
        await worker.close()


def test_a_worker_that_is_killed_is_another_and_the_photo_is_judged(
    housed: Callable[[Use], None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        async def meanwhile(worker: Worker) -> None:
            first = worker.pid
            assert first is not None
            os.kill(first, signal.SIGSTOP)  # it will be at work on the photo when it dies
            ticket = await house.on_site()
            await house.take(ticket, "fault_point", jpeg(scene(1)))

            async def taken() -> bool:
                rows = await house.sql("SELECT state FROM evidence_job")
                return rows[0]["state"] == "taken"

            await soon(taken, "the photo is taken up")
            await asyncio.sleep(0.2)
            os.kill(first, signal.SIGKILL)
            assert (await house.judged(ticket, "fault_point"))["verdict"] == "accept"
            assert worker.pid != first
            (row,) = await house.sql("SELECT state, tries FROM evidence_job")
            assert (row["state"], row["tries"]) == ("done", 2)
            assert len(await house.told(ticket, "photo_judged")) == 1

        await _with_worker(house, meanwhile)

    housed(use)


def test_a_photo_that_hangs_goes_to_a_person_and_holds_up_no_other(
    housed: Callable[[Use], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # sooner than any picture is opened: whoever looks at this one never comes back in time
    monkeypatch.setattr(photo_judge, "LOOK_WITHIN_S", 0.001)
    monkeypatch.setattr(photo_judge, "SOON_S", 0.1)

    async def use(house: PhotoHouse) -> None:
        async def meanwhile(worker: Worker) -> None:
            first = worker.pid
            assert first is not None
            os.kill(first, signal.SIGSTOP)
            ticket = await house.on_site()
            await house.take(ticket, "fault_point", jpeg(scene(1)))
            fact = await unjudged(house, ticket)
            assert (fact["why"], fact["tries"]) == ("too_slow", 2)
            held = (await house.record(ticket)).photos["fault_point"]
            assert held.unjudged
            assert held.verdict is None
            assert not psutil.pid_exists(first)
            monkeypatch.setattr(photo_judge, "LOOK_WITHIN_S", 30.0)
            await house.take(ticket, "in_progress", jpeg(scene(2)))
            assert (await house.judged(ticket, "in_progress"))["verdict"] == "accept"

        await _with_worker(house, meanwhile)

    housed(use)


def test_a_store_that_lost_a_photo_says_so_to_a_person(
    housed: Callable[[Use], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(photo_judge, "SOON_S", 0.1)

    async def use(house: PhotoHouse) -> None:
        async def meanwhile(worker: Worker) -> None:
            del worker
            ticket = await house.on_site()
            photo = (await house.photos.take_in(house.company, "crew", jpeg(scene(1)))).id
            for file in (house.data / "photos").rglob(f"{photo}.sealed"):
                file.write_bytes(b"not what was sealed")
            await house.take(ticket, "fault_point", jpeg(scene(1)))
            assert (await unjudged(house, ticket))["why"] == "unreadable"

        await _with_worker(house, meanwhile)

    housed(use)


def test_a_photo_that_took_the_process_down_twice_goes_to_a_person(
    housed: Callable[[Use], None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        ticket = await house.on_site()
        await house.take(ticket, "fault_point", jpeg(scene(1)))
        # as two processes leave it that died with it
        await house.sql("UPDATE evidence_job SET state = 'taken', taken_by = 0, tries = 2")

        async def meanwhile(worker: Worker) -> None:
            del worker
            fact = await unjudged(house, ticket)
            assert (fact["why"], fact["tries"]) == ("killed", 2)
            assert (await house.record(ticket)).photos["fault_point"].unjudged

        await _with_worker(house, meanwhile)

    housed(use)


def test_a_verdict_that_cannot_be_written_goes_to_a_person_and_keeps_no_other_waiting(
    housed: Callable[[Use], None],
) -> None:
    async def use(house: PhotoHouse) -> None:
        odd, plain = await house.on_site(), await house.on_site()
        await house.take(odd, "fault_point", jpeg(scene(1)))
        await house.take(plain, "fault_point", jpeg(scene(2)))
        # a record without its photo's fact: a defect, wherever it came from
        await house.sql("UPDATE evidence_job SET round = 9 WHERE ticket_id = $1", odd)

        async def meanwhile(worker: Worker) -> None:
            del worker
            assert (await house.judged(plain, "fault_point"))["verdict"] == "accept"
            (row,) = await house.sql("SELECT * FROM evidence_job WHERE ticket_id = $1", odd)
            assert (row["state"], row["tries"]) == ("waiting", 1)
            assert "no fact says" in row["said"]
            await house.sql("UPDATE evidence_job SET due_at = now() WHERE ticket_id = $1", odd)
            (fact,) = await soon(
                lambda: house.told(odd, "photo_unjudged"), "a person is asked to look"
            )
            assert (fact["why"], fact["tries"]) == ("defect", 2)

        await _with_worker(house, meanwhile)

    housed(use)


def _leader(processes: list[subprocess.Popen[bytes]], holder: str | None) -> Any:
    pids = {process.pid: process for process in processes if process.poll() is None}
    return pids.get(int((holder or "/0").rpartition("/")[2]))


def test_a_photo_process_that_is_killed_leaves_its_photos_to_the_next(
    housed: Callable[[Use], None], tmp_path: Path
) -> None:
    async def use(house: PhotoHouse) -> None:
        processes = [house.process(tmp_path / f"photo-{n}.log") for n in range(2)]
        try:

            async def leader() -> Any:
                (row,) = await house.sql("SELECT holder FROM lease WHERE name = 'photo'")
                return _leader(processes, row["holder"])

            tickets = []
            for n in range(6):
                ticket = await house.on_site(f"K{n % 3}", f"B{n % 4 + 1}")
                await house.take(
                    ticket, "fault_point", jpeg(scene(60 + n)), crew=f"K{n % 3}",
                    building=f"B{n % 4 + 1}",
                )  # fmt: skip
                tickets.append(ticket)
                if n == 2:
                    first = await soon(leader, "one of the two judges")
                    children = psutil.Process(first.pid).children(recursive=True)
                    first.kill()
                    first.wait()
            verdicts = [(await house.judged(t, "fault_point"))["verdict"] for t in tickets]
            assert verdicts == ["accept"] * 6
            assert (await leader()).pid != first.pid
            counts = [len(await house.told(t, "photo_judged")) for t in tickets]
            assert counts == [1] * 6

            async def gone() -> bool:
                return not any(child.is_running() for child in children)

            await soon(gone, "the children of the dead process are gone")
            again = await house.on_site("K9", "B4")
            await house.take(again, "fault_point", jpeg(scene(60), 50), crew="K9", building="B4")
            fact = await house.judged(again, "fault_point")
            assert (fact["verdict"], fact["twin"]["ticket"]) == ("block", tickets[0])
        finally:
            for process in processes:
                process.terminate()
            for process in processes:
                process.wait(20)

    housed(use)
