"""`heatops import KIND FILE`: register data and tickets from CSV or Excel."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, progress_bar, show, show_json
from server.settings import from_env

_HELP = {
    "households": "Flats with their owners: household number, building or address, unit, floor,"
    " flat, area, ...",
    "heat_tree": "Communities, plants down to risers, and buildings with their substation.",
    "crews": "Crews with trades, certificates, vehicle and shift.",
    "stores": "Spare-parts stores: store, part, pieces.",
    "points": "Room-temperature points: sensor number, household or building.",
    "accounts": "What households owe, and what operations and finance hold true of them.",
}
_COMMON = (
    click.argument("file", type=click.Path(path_type=Path)),
    click.option(
        "--company", help="Code of the company that receives them, if there is more than one."
    ),
    click.option("--new-company", help="Make the company under this name if it is missing."),
    click.option(
        "--mapping",
        metavar="NAME|FILE.toml",
        help="Which column holds which field: a saved mapping, or a file with [columns]."
        "  [default: by the header]",
    ),
    click.option("--save-mapping", metavar="NAME", help="Save the mapping of this run."),
    click.option("--sheet", help="Which sheet of a workbook.  [default: the first]"),
    click.option("--dry-run", "dry", is_flag=True, help="Count only, write nothing."),
    json_option,
)


def _common(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_COMMON):
        command = option(command)
    return command


@click.group("import")
def import_() -> None:
    """Take in data from files: .csv, .csv.gz or .xlsx, in UTF-8 or GB18030.

    Doing it twice changes nothing the second time; rows that are missing from a file stay as they
    are. Refused rows go to a file of their own, with what to do.
    """


@import_.command("tickets")
@_common
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
def tickets(
    *,
    preset: str | None,
    limit: int | None,
    per_minute: int | None,
    **common: Any,  # noqa: ANN401 - the options of all kinds
) -> None:
    """Complaints and requests, each taken in as it would be by the API."""
    _run("tickets", common, preset=preset, limit=limit, per_minute=per_minute)


def _register(kind: str) -> None:
    @import_.command(kind, help=_HELP[kind])
    @_common
    def command(**common: Any) -> None:  # noqa: ANN401 - the options of all kinds
        _run(kind, common)


for _kind in _HELP:
    _register(_kind)


def _run(kind: Any, common: dict[str, Any], **pace: Any) -> None:  # noqa: ANN401 - of ImportKind, Pace
    settings, as_json = from_env(), common.pop("as_json")
    from server.sources.tables.ticket_run import Pace
    from server.work.imports import FileMeant, import_file

    meant = FileMeant(common.pop("file"), **common)
    with prepared(settings) as engines, progress_bar(as_json=as_json) as progress:
        ready = settings.with_engines(engines.database_url, engines.redis_url)
        done = import_file(ready, kind, meant, Pace(**pace), progress)
    if as_json:
        show_json(**done)
        return
    _tell(done)


def _tell(done: dict[str, Any]) -> None:
    would = "Would be: " if done["dry"] else ""
    show(
        f"{would}{done['rows']:,} rows: {done['added']:,} added, {done['changed']:,} changed,"
        f" {done['unchanged']:,} unchanged, {done['refused']:,} refused."
    )
    for code, count in done["notes"].items():
        show(f"  {code.replace('_', ' ')}: {count:,}")
    for warning in done["warnings"][:5]:
        show(f"  row {warning['row']}: {warning['detail']}")
    if done["ignored_columns"]:
        show(f"Columns that were not read: {', '.join(done['ignored_columns'])}")
    for reject in done["rejects"][:5]:
        show(f"  row {reject['row']}: {reject['detail']} {reject['what_to_do']}")
    if done["rejects_file"]:
        show(f"The refused rows and why: {done['rejects_file']}")
