"""`heatops serve`, `heatops core` and what the core starts: one process of an installation each."""

from __future__ import annotations

import rich_click as click

from server.cli.attach import attached
from server.settings import from_env


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on.  [default: 8700]")
@click.option("--fd", type=int, hidden=True, help="A listening socket inherited from `up`.")
def serve(host: str | None, port: int | None, fd: int | None) -> None:
    """Run one web process: HTTP, websocket and the screens.

    Any number of them may run on one database. HEATOPS_DATABASE_URL and HEATOPS_REDIS_URL name the
    engines, or a `heatops up` runs on the same data folder.
    """
    settings = attached(from_env(host=host, port=port, listen_fd=fd))
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


@click.command(hidden=True)
@click.option("--fd", type=int, required=True, help="The socket over which the core asks.")
@click.option("--nice", type=click.IntRange(0, 19), default=0)
@click.option("--memory-mb", type=click.IntRange(256), required=True)
def planner(fd: int, nice: int, memory_mb: int) -> None:
    """Compute for a core process, which starts and ends this one."""
    from server.jobs.planner_child import serve as serve_core
    from server.jobs.planning import computations

    serve_core(fd, computations(), nice=nice, memory_mb=memory_mb)
