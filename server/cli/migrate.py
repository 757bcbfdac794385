"""`heatops migrate`: bring the database to the newest schema."""

from __future__ import annotations

import asyncio

import rich_click as click

from server.cli.attach import opened
from server.cli.output import json_option, show, show_json
from server.settings import from_env


@click.command()
@json_option
def migrate(*, as_json: bool) -> None:
    """Bring the database to the newest schema. `up` does this by itself."""
    settings = from_env()
    from server.adapters.migrate import migrate as apply

    with opened(settings) as engines:
        applied = asyncio.run(apply(engines.database_url, settings.keys))
    if as_json:
        show_json(applied=applied)
    else:
        show("\n".join(["Applied:", *applied]) if applied else "The database is up to date.")
