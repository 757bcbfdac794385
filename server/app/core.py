"""What a core process is made of: it stands by or leads."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket

import asyncpg
import uvloop

from realtime.broker import Broker, connect
from realtime.layers import LAYERS, happenings
from realtime.layers.rows import TOPICS
from server.adapters import feed_store
from server.adapters.clock import BusinessClock, system_now
from server.adapters.engine_store import Beside, EngineStore
from server.adapters.feed_reads import FeedReads
from server.adapters.feed_session import FeedSession
from server.adapters.gateways import Gateways
from server.adapters.keys import Keys
from server.adapters.leadership import Leadership
from server.adapters.migrate import app_dsn, feed_dsn
from server.adapters.photo_blobs import open_blobs
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.upload_parts import UploadParts
from server.adapters.vault import Vault
from server.app.engine import Engine
from server.app.process import many_files, start_logging
from server.jobs import feed as feed_job
from server.jobs.core import Core
from server.jobs.delivery import Delivery
from server.jobs.publisher import Publisher
from server.settings import Settings

log = logging.getLogger(__name__)


def run_core(settings: Settings) -> None:
    """One core process: stands by or leads; returns when it is told to stop."""
    start_logging(settings)
    many_files()
    gc.freeze()
    uvloop.run(_core(settings))


async def _core(settings: Settings) -> None:
    assert settings.database_url is not None  # noqa: S101 - the CLI attaches the engines first
    assert settings.redis_url is not None  # noqa: S101
    keys = Keys(settings.keys)
    pool = Pool(app_dsn(settings.database_url, keys), size=4, name="heatops-core-jobs")
    engine_pool = Pool(app_dsn(settings.database_url, keys), size=4, name="heatops-core-dispatch")
    reads = FeedReads(Pool(feed_dsn(settings.database_url, keys), size=2, name="heatops-core-feed"))
    clock = BusinessClock()
    broker = Broker(connect(settings.redis_url))
    gateways = Gateways(settings.data)
    # asked in the midst of others' transactions: of the same pool each would wait for the next
    rules = Pool(app_dsn(settings.database_url, keys), size=1, name="heatops-core-policies")
    policies = Policies(rules, settings.data / "policies")
    beside = Beside(Vault(keys), policies)
    blobs = open_blobs(settings.photos_url, settings.data / "photos")
    parts = UploadParts(settings.data / "uploads", beside.vault)
    engine = Engine(settings, engine_pool, clock, policies, reads)

    async def lead(connection: asyncpg.Connection, generation: int) -> None:
        store = EngineStore(pool, clock, keys.get("journal"), generation, beside)
        await feed_store.ensure_partitions(connection, system_now().date())
        await store.reload_clock()
        feed_session = FeedSession(connection, generation, LAYERS, happenings.line, list(TOPICS))
        await feed_session.open()
        publisher = Publisher(broker, reads)
        deciding = EngineStore(engine_pool, clock, keys.get("journal"), generation, beside)
        opened = engine.opened(deciding, connection, generation)
        async with opened as decide, asyncio.TaskGroup() as tasks:
            tasks.create_task(feed_job.run(feed_session, publisher))
            tasks.create_task(publisher.run())
            tasks.create_task(Core(store, reads, parts, blobs).run())
            tasks.create_task(Delivery(store, reads, gateways).run())
            tasks.create_task(decide())

    holder = f"{socket.gethostname()}/{os.getpid()}"
    leadership = Leadership(feed_dsn(settings.database_url, keys), holder, lead)
    running = asyncio.ensure_future(leadership.run())
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, running.cancel)
    try:
        await running
    except asyncio.CancelledError:
        log.info("stopped")
