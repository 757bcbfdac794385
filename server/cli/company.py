"""`heatops company`: what belongs to a company rather than to the installation."""

from __future__ import annotations

import asyncio

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, show, show_json
from server.settings import from_env


@click.group()
def company() -> None:
    """What belongs to one company."""


@company.command("policy")
@click.option("--company", "code", help="Code of the company, if there is more than one.")
@click.option("--set", "new", help="Name of the policy that is to hold, e.g. harbin.")
@json_option
def policy(code: str | None, new: str | None, *, as_json: bool) -> None:
    """Show which city's policy holds for a company, or choose another with --set.

    Files of the company's own in <data>/policies/<company>/ come before it.
    """
    settings = from_env()
    from server.work import company_policy

    with prepared(settings) as engines:
        ready = settings.with_engines(engines.database_url, engines.redis_url)
        found = asyncio.run(company_policy(ready, code, new))
    if as_json:
        show_json(**found)
    else:
        show(f"{found['company']}: {found['policy']} ({', '.join(found['known'])} are known)")
