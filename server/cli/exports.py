"""`heatops export KIND FILE`: the register given back, in the columns that an import takes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, show, show_json
from server.settings import from_env

KINDS = ("households", "heat_tree", "crews", "stores", "points", "accounts", "tickets")


@click.command("export")
@click.argument("kind", type=click.Choice(KINDS))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--company", help="Code of the company, if there is more than one.")
@json_option
def export(kind: Any, file: Path, company: str | None, *, as_json: bool) -> None:  # noqa: ANN401 - one of KINDS
    """Write all records of a kind to FILE.csv or FILE.xlsx, owners' names and phones included.

    The file is readable by its owner only. Taking it is written down.
    """
    settings = from_env()
    from server.work.imports import export_file

    with prepared(settings) as engines:
        ready = settings.with_engines(engines.database_url, engines.redis_url)
        done = export_file(ready, kind, file, company)
    if as_json:
        show_json(**done)
        return
    show(f"{done['rows']:,} rows written to {done['file']}.")
