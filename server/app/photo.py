"""What a photo process is made of: it stands by or judges."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import socket

import asyncpg
import uvloop

from server.adapters import lease
from server.adapters.clock import BusinessClock
from server.adapters.evidence_jobs import LEASE, EvidenceJobs
from server.adapters.feed_reads import FeedReads
from server.adapters.keys import Keys
from server.adapters.leadership import Leadership
from server.adapters.migrate import app_dsn, feed_dsn
from server.adapters.photo_blobs import open_blobs
from server.adapters.photos import Photos
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.app.process import start_logging
from server.jobs.photo_judge import PhotoJudge
from server.jobs.worker import Worker
from server.settings import Settings

log = logging.getLogger(__name__)

RENEW_S = 0.9


def run_photo(settings: Settings, workers: int) -> None:
    """One photo process: stands by or judges; returns when it is told to stop."""
    start_logging(settings)
    uvloop.run(_photo(settings, workers))


async def _photo(settings: Settings, count: int) -> None:
    assert settings.database_url is not None  # noqa: S101 - the CLI attaches the engines first
    keys = Keys(settings.keys)
    pool = Pool(app_dsn(settings.database_url, keys), size=2 + 2 * count, name="heatops-photo")
    feed = feed_dsn(settings.database_url, keys)
    reads = FeedReads(Pool(feed, size=1, name="heatops-photo-companies"))
    photos = Photos(pool, Vault(keys), open_blobs(settings.photos_url, settings.data / "photos"))
    # asked in the midst of a verdict's transaction: of the same pool each would wait for the next
    rules = Pool(app_dsn(settings.database_url, keys), size=1, name="heatops-photo-policies")
    policies = Policies(rules, settings.data / "policies")
    clock = BusinessClock()
    workers = [Worker(f"photo {n}", part="photo-worker") for n in range(1, count + 1)]

    async def judge(connection: asyncpg.Connection, generation: int) -> None:
        jobs = EvidenceJobs(pool, clock, keys.get("journal"), policies, generation)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_renewed(connection, generation))
            tasks.create_task(PhotoJudge(jobs, photos, reads.companies, workers).run())

    holder = f"{socket.gethostname()}/{os.getpid()}"
    leadership = Leadership(feed, holder, judge, LEASE)
    running = asyncio.ensure_future(leadership.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        log.info("stopped")
    finally:
        for worker in workers:
            await worker.close()


async def _renewed(connection: asyncpg.Connection, generation: int) -> None:
    while True:
        await lease.renew(connection, generation, LEASE)
        await asyncio.sleep(RENEW_S)
