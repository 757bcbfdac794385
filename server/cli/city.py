"""`heatops city import`: OpenStreetMap becomes the wall's own basemap and the register of
buildings."""

from __future__ import annotations

from pathlib import Path

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, progress_bar, show, show_json
from server.settings import from_env


@click.group()
def city() -> None:
    """The city on the map."""


@city.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--company", help="Code of the company whose city it is, if there is more than one.")
@click.option("--new-company", help="Make the company under this name if it is missing.")
@click.option("--name", help="What to call the city.  [default: its name on the map]")
@json_option
def import_city(
    file: Path, company: str | None, new_company: str | None, name: str | None, *, as_json: bool
) -> None:
    """Read FILE.osm.pbf. The old city stays until the new one is complete."""
    settings = from_env()
    from server.work import import_city as run

    with prepared(settings) as engines, progress_bar(as_json=as_json) as progress:
        ready = settings.with_engines(engines.database_url, engines.redis_url)
        result = run(
            ready, file, company=company, new_company=new_company, name=name, progress=progress
        )
    if as_json:
        show_json(**result)
    else:
        show(f"{result['name']}: {result['buildings']:,} buildings, map {result['tiles']}.")
