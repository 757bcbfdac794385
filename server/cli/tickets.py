"""`heatops import tickets`: complaints and requests from a CSV file become tickets."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, progress_bar, show, show_json
from server.settings import from_env


@click.group("import")
def import_() -> None:
    """Take in data from files."""


@import_.command("tickets")
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--company", help="Code of the company that receives them, if there is more than one."
)
@click.option("--new-company", help="Make the company under this name if it is missing.")
@click.option(
    "--preset",
    type=click.Choice(["generic", "nyc"]),
    help="How to read the columns.  [default: by the header]",
)
@click.option("--limit", type=click.IntRange(1), help="Take in at most this many rows.")
@click.option(
    "--per-minute",
    type=click.IntRange(1),
    help="Let them flow in at this rate.  [default: at once]",
)
@json_option
def tickets(
    file: Path,
    company: str | None,
    new_company: str | None,
    preset: str | None,
    limit: int | None,
    per_minute: int | None,
    *,
    as_json: bool,
) -> None:
    """Read FILE.csv or FILE.csv.gz. Doing it twice makes no ticket twice; refused rows go to a file
    beside it."""
    settings = from_env()
    from server.work import import_tickets as run

    with prepared(settings) as engines, progress_bar(as_json=as_json) as progress:
        ready = settings.with_engines(engines.database_url, engines.redis_url)
        result = run(
            ready,
            file,
            company=company,
            new_company=new_company,
            preset=preset,
            limit=limit,
            per_minute=per_minute,
            progress=progress,
        )
    if as_json:
        show_json(**result)
        return
    show(f"{result['accepted']:,} tickets taken in, {result['refused']:,} rows refused.")
    if result.get("rejects"):
        show(f"The refused rows and why: {result['rejects']}")
