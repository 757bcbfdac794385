"""`heatops serve`, `heatops core` and what the core starts: one process of an installation each."""

from __future__ import annotations

from dataclasses import replace

import rich_click as click

from server.cli.attach import attached
from server.settings import from_env


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: 8700]")
@click.option("--fd", type=int, hidden=True, help="A listening socket inherited from `up`.")
@click.option("--tls", is_flag=True, help="Answer over TLS.  [default port: 8443]")
def serve(host: str | None, port: int | None, fd: int | None, *, tls: bool) -> None:
    """Run one web process: HTTP, websocket and the screens.

    Any number of them may run on one database. HEATOPS_DATABASE_URL and HEATOPS_REDIS_URL name the
    engines, or a `heatops up` runs on the same data folder.
    """
    settings = attached(from_env(host=host, port=port, listen_fd=fd, speaks_tls=tls))
    if tls and port is None:
        settings = replace(settings, port=settings.tls_port)
    from server.app.web import run_web

    run_web(settings)


@click.command()
def core() -> None:
    """Run one core process: feed, deadlines, alarms.

    One leads, others stand by and take over after 4 seconds.
    """
    settings = attached(from_env())
    from server.app.core import run_core

    run_core(settings)


@click.command()
@click.option(
    "--workers", type=click.IntRange(1, 16), default=1, help="Children that open photos.",
    show_default=True,
)  # fmt: skip
def photo(workers: int) -> None:
    """Run one photo process: judges the photos of the work on site.

    One works, others stand by and take over after 4 seconds.
    """
    settings = attached(from_env())
    from server.app.photo import run_photo

    run_photo(settings, workers)


@click.command("photo-worker", hidden=True)
@click.option("--fd", type=int, required=True, help="The socket over which the photo process asks.")
def photo_worker(fd: int) -> None:
    """Look at photos for a photo process, which starts and ends this one."""
    from server.jobs.photo_worker import run_worker

    run_worker(fd)


@click.command("photo-viewer", hidden=True)
@click.option("--fd", type=int, required=True, help="The socket over which the web process asks.")
def photo_viewer(fd: int) -> None:
    """Draw photos again for people, for a web process, which starts and ends this one."""
    from server.jobs.photo_viewer import run_viewer

    run_viewer(fd)


@click.command(hidden=True)
@click.option("--fd", type=int, required=True, help="The socket over which the core asks.")
@click.option("--nice", type=click.IntRange(0, 19), default=0)
@click.option("--memory-mb", type=click.IntRange(256), required=True)
def planner(fd: int, nice: int, memory_mb: int) -> None:
    """Compute for a core process, which starts and ends this one."""
    from server.jobs.planner_child import serve as serve_core
    from server.jobs.planning import computations

    serve_core(fd, computations(), nice=nice, memory_mb=memory_mb)
