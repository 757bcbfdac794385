"""`heatops up`: starts and owns everything, and takes everything down with it."""

from __future__ import annotations

import asyncio
import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from socket import socket
from types import FrameType
from typing import NamedTuple, NoReturn
from urllib.parse import urlsplit

import rich_click as click

from server import __version__
from server.cli.family import Child, Family
from server.cli.listening import crew_urls, listen, urls
from server.cli.output import json_option, show, show_json
from server.engines import Engines, open_engines
from server.settings import Settings, UserError, from_env

TEND_EVERY = 0.25
CHILDREN_WITHIN = 0.7
ENGINES_WITHIN = 0.8
"""Seconds: with the children's, less than the two in which everything is gone."""
READY_WITHIN = 90.0
HOPELESS = 4
"""Deaths of the web process before it has answered once, after which we give up."""


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    help="Port; the next free one if taken.  [default: 8700]",
)
@click.option("--demo/--no-demo", default=None, help="Fill an empty database with the demo city.")
@click.option("--tls/--no-tls", default=None, help="Listen for the crews' phones, over TLS.")
@click.option(
    "--tls-port",
    type=click.IntRange(0, 65535),
    help="Their port; the next free one if taken.  [default: 8443]",
)
@click.option("--tls-cert", help="Your own certificate with its chain, a PEM file.")
@click.option("--tls-key", help="Its key, a PEM file.")
@click.option(
    "--tls-name",
    "tls_names",
    multiple=True,
    callback=lambda _context, _option, names: names or None,
    help="A name by which phones reach this machine.",
)
@json_option
def up(*, as_json: bool, **chosen: str | int | tuple[str, ...] | None) -> None:
    """Start everything: engines, web, core and, on an empty database, the demo city."""
    settings = from_env(**chosen)
    with interruptible(), open_engines(settings) as engines:
        from server.adapters.accounts import first_company
        from server.adapters.migrate import migrate

        asyncio.run(migrate(engines.database_url, settings.keys))
        asyncio.run(first_company(engines.database_url, demo=settings.demo))
        with listen(settings.host, settings.port) as listener, secure(settings) as phones:
            engines.announce(urls(listener)[0])
            own(settings, engines, Doors(listener, phones), as_json=as_json)


class Doors(NamedTuple):
    """The listening sockets."""

    plain: socket
    phones: socket | None
    """Over TLS; None: the installer wants none."""


@contextmanager
def secure(settings: Settings) -> Iterator[socket | None]:
    """The socket of the TLS listener, behind which a good certificate is ready."""
    if not settings.tls:
        yield None
        return
    from server.app.tls import certificate_of

    certificate_of(settings)
    with listen(settings.host, settings.tls_port, "--tls-port") as listener:
        yield listener


def own(settings: Settings, engines: Engines, doors: Doors, *, as_json: bool) -> None:
    """Run the children until somebody ends us."""
    listener, phones = doors
    family = Family(child_env(settings, engines, phones))
    try:
        fd = listener.fileno()
        serve = ("serve", "--fd", str(fd))
        names = ["web", *(f"web {number}" for number in range(2, settings.web_workers + 1))]
        webs = [family.add(Child(name, serve, (fd,))) for name in names]
        if phones is not None:
            fd = phones.fileno()
            family.add(Child("web over TLS", ("serve", "--tls", "--fd", str(fd)), (fd,)))
        family.add(Child("core", ("core",)))
        family.add(Child("photo", ("photo",)))
        wait_until_ready(family, webs[0], listener)
        tell(settings, engines, doors, as_json=as_json)
        for child in demos(settings, engines, urls(listener)[0]):
            family.add(child)
        while True:
            time.sleep(TEND_EVERY)
            tend(engines, family, as_json=as_json)
    except KeyboardInterrupt:
        hold_signals()
        if not as_json:
            show("Stopping.")
    finally:
        hold_signals()
        family.stop(CHILDREN_WITHIN)
        engines.stop(ENGINES_WITHIN)


def demos(settings: Settings, engines: Engines, url: str) -> list[Child]:
    """A feed for each company the demo lives in; on an empty installation the standard one."""
    if not settings.demo:
        return []
    from server.adapters import seeding

    runs = asyncio.run(seeding.runs(engines.database_url, begin=True))
    return [
        Child(
            f"demo of {run.company}",
            ("demo", "--feed", "--url", url, "--company", run.company, "--city", run.city,
             "--seed", str(run.seed), "--points", str(run.points)),
            may_end=True,
        )
        for run in runs
    ]  # fmt: skip


def child_env(settings: Settings, engines: Engines, phones: socket | None) -> dict[str, str]:
    """The environment from which a child reads these very settings."""
    port = settings.tls_port if phones is None else phones.getsockname()[1]
    return {
        **os.environ,
        "HEATOPS_DATA": str(settings.data),
        "HEATOPS_DATABASE_URL": engines.database_url,
        "HEATOPS_REDIS_URL": engines.redis_url,
        "HEATOPS_DEMO": "yes" if settings.demo else "no",
        "HEATOPS_HOST": settings.host,
        "HEATOPS_TLS": "no" if phones is None else "yes",
        "HEATOPS_TLS_PORT": str(port),
        "HEATOPS_TLS_CERT": settings.tls_cert or "",
        "HEATOPS_TLS_KEY": settings.tls_key or "",
        "HEATOPS_TLS_NAMES": ",".join(settings.tls_names),
        "PYTHONUNBUFFERED": "1",
    }


def wait_until_ready(family: Family, web: Child, listener: socket) -> None:
    """Return when GET /health has answered 200.

    Raises:
        UserError: `web_failed`, it died again and again or took too long.
    """
    host, port = listener.getsockname()[:2]
    address = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - compared, not bound
    deadline = time.monotonic() + READY_WITHIN
    while not healthy(address, port):
        family.tend()
        if web.deaths >= HOPELESS or time.monotonic() > deadline:
            raise UserError(
                "web_failed",
                "The web process does not start; what it says is above.",
                "Mend what it names, or see what `heatops doctor` finds.",
            )


def healthy(host: str, port: int) -> bool:
    """Whether the web answers now. A dead web leaves the request waiting in the backlog: the
    time-out is short."""
    connection = http.client.HTTPConnection(host, port, timeout=1.0)
    try:
        connection.request("GET", "/health")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        time.sleep(0.02)
        return False
    finally:
        connection.close()


def tell(settings: Settings, engines: Engines, doors: Doors, *, as_json: bool) -> None:
    """Where everything is, and how to get in."""
    from server.adapters.accounts import new_link

    listener = doors.plain
    crew = crews_way(settings, doors)
    bases = urls(listener)
    token = asyncio.run(new_link(engines.database_url))
    sign_in = f"{bases[0]}/sign-in?token={token}"
    port = listener.getsockname()[1]
    if as_json:
        show_json(
            event="ready",
            version=__version__,
            pid=os.getpid(),
            data=settings.data,
            port=port,
            wall=f"{bases[0]}/wall",
            docs=f"{bases[0]}/docs",
            sign_in=sign_in,
            crew=crew and crew._asdict(),
            engines={"postgres": words(engines)[0], "valkey": words(engines)[1]},
        )
        return
    taken = settings.port not in {0, port}
    lines = [
        f"heatops {__version__} is open for business.",
        *([f"Port {settings.port} was taken, so this is port {port}."] if taken else []),
        "",
        *(f"  Wall      {base}/wall" for base in bases),
        f"  API docs  {bases[0]}/docs",
        f"  Sign in   {sign_in}",
        "            (once, within 24 hours)",
        *words_for_crews(crew),
        f"  Data      {settings.data}",
        f"  Engines   {', '.join(words(engines))}",
        "",
        "Ctrl-C stops everything.",
    ]
    show("\n".join(lines))


class CrewsWay(NamedTuple):
    """How a crew's phone comes in."""

    urls: list[str]
    ca: str | None
    """The page that installs the local authority; None: phones know the certificate."""
    fingerprint: str | None


def crews_way(settings: Settings, doors: Doors) -> CrewsWay | None:
    """Where the app is, and what a phone must trust before."""
    if doors.phones is None:
        return None
    from server.adapters.addresses_here import addresses
    from server.adapters.certificates import LocalAuthority

    apps = crew_urls(doors.phones, settings.tls_names, addresses()[0])
    known = None if settings.tls_cert else LocalAuthority(settings.keys).authority()
    if known is None:
        return CrewsWay(apps, None, None)
    host = urlsplit(apps[0]).netloc.rpartition(":")[0]
    page = f"http://{host}:{doors.plain.getsockname()[1]}/ca"
    return CrewsWay(apps, page, known.fingerprint)


def words_for_crews(crew: CrewsWay | None) -> list[str]:
    """The same for people."""
    if crew is None:
        return []
    lines = [f"  Crews     {url}" for url in crew.urls]
    if crew.ca is not None:
        lines += [f"            before that, once a phone: {crew.ca}"]
        lines += [f"            its SHA-256: {crew.fingerprint}"]
    return lines


def words(engines: Engines) -> list[str]:
    """Each engine and where it came from."""
    sources = {"url": "given by URL", "wheel": "from pip's wheel", "PATH": "from this machine"}
    return [
        " ".join(filter(None, (info.name, info.version, f"({sources[info.origin]})")))
        for info in (engines.postgres, engines.valkey)
    ]


def tend(engines: Engines, family: Family, *, as_json: bool) -> None:
    """Restart what has died; an engine that cannot start is tried again, as a disk that is full
    gets emptied."""
    try:
        restarted = engines.restart_dead()
    except UserError as error:
        report("engine_down", f"{error.message} {error.what_to_do} Trying again.", as_json=as_json)
        time.sleep(2)
        return
    for name in restarted:
        report("restarted", f"{name} had stopped and was started again.", as_json=as_json)
    for name, code in family.tend():
        report(
            "restarted", f"The {name} process ended ({code}) and is started again.", as_json=as_json
        )


def report(event: str, text: str, *, as_json: bool) -> None:
    """Something that happened while running."""
    if as_json:
        show_json(event=event, detail=text)
    else:
        show(text)


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGTERM and a closed terminal end us as Ctrl-C does; an interruption before we are up ends
    quietly."""

    def interrupt(_number: int, _frame: FrameType | None) -> NoReturn:
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)  # a shell's background job starts with it ignored
    signal.signal(signal.SIGTERM, interrupt)
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup stays nohup
        signal.signal(signal.SIGHUP, interrupt)
    try:
        yield
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def hold_signals() -> None:
    """No further signal disturbs the stop, which ends by itself."""
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
