"""How a command finds the installation it works on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from server.engines import Engines, open_engines, running
from server.settings import Settings, UserError


def attached(settings: Settings) -> Settings:
    """`settings` with the engines of the environment, or of the `heatops up` that runs on the data
    folder.

    Raises:
        UserError: `no_engines`.
    """
    if settings.database_url and settings.redis_url:
        return settings
    if running(settings.data) is None:
        raise UserError(
            "no_engines",
            f"No heatops runs on the data in {settings.data}; this command starts no engines.",
            "Start everything with `heatops up`, or set HEATOPS_DATABASE_URL and"
            " HEATOPS_REDIS_URL.",
        )
    with open_engines(settings, share=True) as engines:
        return settings.with_engines(engines.database_url, engines.redis_url)


def opened(settings: Settings) -> Engines:
    """The engines of the environment or of a running `heatops up`, else started for as long as they
    are held."""
    return open_engines(settings, share=True)


@contextmanager
def prepared(settings: Settings) -> Iterator[Engines]:
    """The engines as `opened` gives them, with the newest schema: a command may come before the
    first `up`."""
    from server.adapters.migrate import migrate

    with opened(settings) as engines:
        asyncio.run(migrate(engines.database_url, settings.keys))
        yield engines
