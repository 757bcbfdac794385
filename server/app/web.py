"""What a web process is made of: everything it holds, its routes, its server."""

from __future__ import annotations

import asyncio
import gc
import logging
import signal
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvicorn
from litestar import Litestar, Response, Router, get
from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.openapi.config import OpenAPIConfig

from dispatch_core.errors import NotFound, Unavailable
from geo.datums import Datums
from realtime.broker import Broker, connect
from realtime.hub import Hub
from realtime.layers.rows import TOPICS
from realtime.reader import Reader
from server import __version__
from server.adapters.accounts import Accounts
from server.adapters.address_book import AddressBooks
from server.adapters.address_questions import AddressQuestions
from server.adapters.calls import Calls
from server.adapters.campaigns import CampaignReads
from server.adapters.case_reads import CaseReads
from server.adapters.certificates import LocalAuthority
from server.adapters.cities import Cities
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.contradictions import Contradictions
from server.adapters.crew_devices import CrewDevices
from server.adapters.feed_reads import FeedReads
from server.adapters.keys import Keys
from server.adapters.message_reads import Messages
from server.adapters.migrate import app_dsn, feed_dsn
from server.adapters.numbers import Numbers
from server.adapters.photo_blobs import open_blobs
from server.adapters.photos import Photos
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.previews import Previews
from server.adapters.records import Records
from server.adapters.suspension_reads import SuspensionReads
from server.adapters.telemetry import Telemetry
from server.adapters.ticket_reads import TicketReads
from server.adapters.traces import Traces
from server.adapters.vault import Vault
from server.api import (
    addresses,
    batches,
    ca_page,
    calls,
    campaigns,
    cases,
    contradictions,
    crew_devices,
    crew_fixes,
    crews,
    docs,
    imports,
    layers,
    live,
    messages,
    outages,
    pages,
    photos,
    policy,
    records,
    requests,
    session,
    stores,
    suspensions,
    tickets,
    visits,
)
from server.api.audience import Audience
from server.api.case_intake import CaseIntake
from server.api.gate import Gate
from server.api.problems import HANDLERS
from server.api.rawws import RawWebSocketProtocol, send_at_once
from server.api.ticket_commands import Writing
from server.api.ticket_rows import TicketRows
from server.api.tiles import create_tiles_handler
from server.api.wishes import Wishes
from server.app import shift, site
from server.app.desk import Desk
from server.app.process import many_files, start_logging
from server.app.tls import Tls
from server.settings import Settings
from server.sources.tables.files import TableFiles
from server.sources.tables.run import Importer

log = logging.getLogger(__name__)

MAX_BODY = 8 << 20


class Web:
    """Everything one web process holds."""

    def __init__(self, settings: Settings, tls: Tls | None) -> None:
        self.tls = tls
        assert settings.database_url is not None  # noqa: S101 - the CLI attaches the engines first
        assert settings.redis_url is not None  # noqa: S101
        keys = Keys(settings.keys)
        self.pool = Pool(app_dsn(settings.database_url, keys))
        self.feed_pool = Pool(
            feed_dsn(settings.database_url, keys), size=3, name="heatops-web-feed"
        )
        self.clock = BusinessClock()
        self.vault = Vault(keys)
        self.policies = Policies(self.pool, settings.data / "policies")
        self.datums = Datums(gcj02_enabled=settings.gcj02)
        self.accounts = Accounts(self.pool)
        self.gate = Gate(self.accounts)
        self.cities = Cities(self.pool, settings.data / "cities")
        self.books = AddressBooks(self.pool, self.vault)
        self.questions = AddressQuestions(self.pool, self.vault)
        self.commits = Commits(
            self.pool, self.clock, self.vault, keys.get("journal"), self.books.ask
        )
        self.telemetry = Telemetry(self.pool, self.clock, self.vault)
        self.numbers = Numbers(self.pool)
        self.wishes = Wishes(
            self.vault, self.datums, self.policies, self.clock, self.books, self.cities
        )
        self.requests = requests.Intake(
            self.commits, self.wishes, Previews(self.pool, self.clock), self.policies,
            self.numbers, self.clock,
        )  # fmt: skip
        self.traces = Traces(self.pool, keys.get("journal"))
        self.case_intake = CaseIntake(
            self.commits, self.vault, self.policies, self.clock, self.wishes, self.numbers
        )
        self.contradictions = Contradictions(self.pool, self.clock, self.vault, self.policies)
        self.campaigns = CampaignReads(self.pool)
        self.suspensions = SuspensionReads(self.pool, self.traces, self.vault)
        self.tickets = TicketReads(self.pool, self.traces, self.policies, self.vault)
        self.calls = Calls(self.pool, self.vault)
        self.photos = Photos(
            self.pool, self.vault, open_blobs(settings.photos_url, settings.data / "photos")
        )
        self.cases = CaseReads(self.pool, self.traces, self.vault)
        self.messages = Messages(self.pool, self.clock, self.vault)
        self.records = Records(self.pool, self.traces)
        self.reads = FeedReads(self.feed_pool)
        self.hub = Hub(Audience)
        self.connections = live.Connections(self.hub, self.accounts)
        self.broker = Broker(connect(settings.redis_url))
        self.desk = Desk(self.pool, connect(settings.redis_url))
        self.reader = Reader(self.hub, self.broker, self.reads, list(TOPICS))

    def files(self, folder: Path) -> imports.ImportDoor:
        """The way of files into the register and out of it."""
        importer = Importer(
            self.pool, self.vault, self.clock, self.commits, self.books, self.policies,
            self.datums, folder,
        )  # fmt: skip
        files = TableFiles(importer, TicketRows(self.requests).sender)
        return imports.ImportDoor(self.gate, files, self.pool, self.vault, folder)

    async def tick(self) -> None:
        """Every second: the clients' tick."""
        while True:
            started = time.monotonic()
            self.hub.tick(time.time(), self.clock.wire())  # noqa: TID251 - system time, for freshness
            await asyncio.sleep(max(0.05, 1.0 - (time.monotonic() - started)))

    async def follow_clock(self) -> None:
        """The business clock may be moved; it is taken up within a quarter of a second."""
        while True:
            await asyncio.sleep(0.25)
            try:
                await self.clock.load(self.pool)
            except Unavailable:
                await asyncio.sleep(1.0)

    @asynccontextmanager
    async def lifespan(self, _: Litestar) -> AsyncIterator[None]:
        """Listens once every layer has its first picture; a part that fails ends the process."""
        try:
            async with asyncio.TaskGroup() as tasks:
                await self._open()
                running = [
                    tasks.create_task(work)
                    for work in (
                        self.commits.run(), self.reader.run(), self.reader.probe(),
                        self.connections.tend(), self.tick(), self.follow_clock(), self.books.run(),
                    )
                ]  # fmt: skip
                if self.tls is not None:
                    running.append(tasks.create_task(self.tls.keep()))
                await self.reader.ready.wait()
                try:
                    yield
                finally:
                    await self.connections.shut_down()
                    for task in running:
                        task.cancel()
                    self.desk.engine.close()
                    await self.pool.close()
                    await self.feed_pool.close()
        except BaseExceptionGroup:
            # The server would go on to accept requests that nobody carries out.
            log.critical("a part of this web process failed; it ends", exc_info=True)
            signal.raise_signal(signal.SIGTERM)
            raise

    async def _open(self) -> None:
        while True:
            try:
                await self.clock.load(self.pool)
                return
            except Exception as error:  # noqa: BLE001 - also one that is not migrated yet
                log.warning("waiting for the database: %s", error)
                await asyncio.sleep(0.3)


def create_app(settings: Settings, tls: Tls | None = None) -> Litestar:
    """The web application."""
    web = Web(settings, tls)
    local = LocalAuthority(settings.keys) if settings.tls and not settings.tls_cert else None

    @get("/health", include_in_schema=False)
    async def health() -> Response[dict[str, bool]]:
        ready = web.reader.ready.is_set()
        headers = {"Cache-Control": "no-store"}
        return Response({"ready": ready}, status_code=200 if ready else 503, headers=headers)

    async def tiles_of(company: str, name: str) -> Path | None:
        return web.cities.tiles(company, name)

    async def signed_in(
        connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler
    ) -> None:
        principal = await web.gate.principal(connection)
        company = await web.cities.company(principal.company)
        if company is None or connection.path_params.get("company") != company.code:
            raise NotFound("no_such_map", "This map is of another company.", "Use your own.")

    return Litestar(
        route_handlers=[
            health,
            *pages.create_handlers(),
            *ca_page.create_handlers(local, settings.tls_port),
            *session.create_handlers(
                web.accounts, web.gate, web.cities, web.clock, web.connections
            ),
            *layers.create_handlers(web.hub, web.gate),
            *requests.create_handlers(web.gate, web.requests),
            *addresses.create_handlers(
                web.gate,
                web.books,
                web.questions,
                web.commits,
                web.clock,
                web.datums,
                web.policies,
            ),
            *calls.create_handlers(web.gate, web.calls, web.accounts, web.policies, web.clock),
            *photos.create_handlers(web.gate, web.photos),
            *tickets.create_handlers(
                web.gate,
                web.commits,
                web.tickets,
                web.clock,
                Writing(web.vault, web.policies, web.accounts),
            ),
            *outages.create_handlers(
                web.gate, web.commits, web.vault, web.records, web.numbers, web.clock
            ),
            *suspensions.create_handlers(
                web.gate,
                web.commits,
                web.vault,
                web.numbers,
                web.clock,
                web.policies,
                web.suspensions,
            ),
            *visits.create_handlers(
                web.gate, web.commits, web.clock, web.policies, web.suspensions
            ),
            *policy.create_handlers(web.gate, web.clock, web.policies),
            *contradictions.create_handlers(web.gate, web.contradictions),
            *campaigns.create_handlers(
                web.gate,
                web.campaigns,
                campaigns.Writing(web.commits, web.vault, web.policies, web.clock),
            ),
            *cases.create_handlers(
                web.gate,
                web.commits,
                web.vault,
                web.cases,
                web.policies,
                web.clock,
                web.case_intake,
            ),
            *messages.create_handlers(web.gate, web.messages),
            *shift.create_handlers(
                shift.Parts(web.gate, web.pool, web.commits, web.vault, web.policies, web.clock)
            ),
            *web.desk.create_handlers(
                web.gate, web.commits, web.vault, web.policies, web.clock, web.records
            ),
            *site.create_handlers(
                site.Parts(
                    web.gate,
                    web.pool,
                    web.commits,
                    web.vault,
                    web.policies,
                    web.clock,
                    web.numbers,
                    web.datums,
                    web.photos,
                    settings.data / "uploads",
                )
            ),
            *crews.create_handlers(web.gate, web.commits, web.records, web.datums),
            *crew_devices.create_handlers(
                web.gate, CrewDevices(web.pool, web.vault), web.records, web.connections
            ),
            *crew_fixes.create_handlers(
                web.gate, web.telemetry, web.clock, web.policies, web.datums
            ),
            *stores.create_handlers(web.gate, web.commits, web.records, web.datums),
            *imports.create_handlers(web.files(settings.data / "imports")),
            *records.create_handlers(web.gate, web.records),
            *batches.create_handlers(
                web.gate, web.telemetry, web.vault, web.pool, web.clock, web.policies, web.datums
            ),
            live.create_live_handler(web.hub, web.reads, web.accounts, web.connections),
            Router("/", route_handlers=[create_tiles_handler(tiles_of)], guards=[signed_in]),
        ],
        exception_handlers=HANDLERS,
        after_request=pages.secure,
        lifespan=[web.lifespan],
        openapi_config=OpenAPIConfig(
            title="heatops",
            version=__version__,
            path="/docs",
            render_plugins=docs.plugins(),
            use_handler_docstrings=True,
        ),
        request_max_body_size=MAX_BODY,
        logging_config=None,
    )


def run_web(settings: Settings) -> None:
    """One web process; returns when it is told to stop."""
    start_logging(settings)
    many_files()
    tls = Tls(settings) if settings.speaks_tls else None
    app = create_app(settings, tls)
    gc.freeze()  # what is here now stays for ever: no collection need look at it
    if settings.listen_fd is not None:
        send_at_once(settings.listen_fd)
    config = uvicorn.Config(
        app,
        host=settings.host,
        port=settings.port,
        fd=settings.listen_fd,
        loop="uvloop",
        http="httptools",
        ws=RawWebSocketProtocol,
        ws_per_message_deflate=False,
        ws_ping_interval=20,
        ws_ping_timeout=20,
        ws_max_size=64 * 1024,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
        backlog=4096,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=list(settings.trusted_proxies),
        ssl_context_factory=(lambda *_: tls.context) if tls else None,
    )
    uvicorn.Server(config).run()
