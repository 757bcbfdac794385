"""`heatops source-token`: lets a source push into a company."""

from __future__ import annotations

import asyncio

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, show, show_json
from server.settings import from_env


@click.command("source-token")
@click.argument("name")
@click.option("--company", required=True, help="Code of the company it pushes into.")
@json_option
def source_token(name: str, company: str, *, as_json: bool) -> None:
    """Make a bearer token for the source NAME; an earlier one of that name ends."""
    settings = from_env()
    from server.adapters.accounts import new_source_token
    from server.adapters.cities import company_id

    async def make(dsn: str) -> str:
        await company_id(dsn, company)
        return await new_source_token(dsn, company, name)

    with prepared(settings) as engines:
        token = asyncio.run(make(engines.database_url))
    if as_json:
        show_json(company=company, source=name, token=token)
    else:
        show(token)
