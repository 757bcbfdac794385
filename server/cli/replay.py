"""`heatops replay TICKET`: the decisions of a ticket, made again from their stored inputs."""

from __future__ import annotations

import asyncio
import sys

import msgspec
import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, show, show_json
from server.settings import from_env


@click.command()
@click.argument("ticket")
@click.option("--company", "code", help="Code of the company, if there is more than one.")
@json_option
def replay(ticket: str, code: str | None, *, as_json: bool) -> None:
    """Compute the proposals and prices of a TICKET again and compare them, bit for bit.

    Exit code 1 where an answer is another one, or an input is gone or changed: it is named.
    """
    settings = from_env()
    from server.work import replay_ticket

    with prepared(settings) as engines:
        ready = settings.with_engines(engines.database_url, engines.redis_url)
        found = asyncio.run(replay_ticket(ready, code, ticket))
    good = all(f.verdict == "same" for f in found)
    if as_json:
        show_json(ticket=ticket, same=good, decisions=[msgspec.to_builtins(f) for f in found])
    else:
        for f in found:
            named = ", the dispatch names it" if f.dispatched else ""
            differs = f": {', '.join(f.differs)}" if f.differs else ""
            show(f"{f.decision[:12]} {f.kind} on plan {f.plan}{named}: {f.verdict}{differs}")
    if not good:
        sys.exit(1)
