"""`heatops addresses match`: try a file's addresses against the register."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import rich_click as click

from server.cli.attach import prepared
from server.cli.output import json_option, show, show_json
from server.settings import from_env


@click.group()
def addresses() -> None:
    """Typed addresses and the register's doors."""


@addresses.command("match")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--company", help="Code of the company, if there is more than one.")
@click.option("--column", help="Column of a CSV file.  [default: by the header, else the first]")
@click.option(
    "--output", type=click.Path(path_type=Path), help="Write the answers as CSV to this file."
)
@json_option
def match(
    file: Path, company: str | None, column: str | None, output: Path | None, *, as_json: bool
) -> None:
    """Look up every line of FILE (text or CSV): verdict, building, unit, flat, score and reasons.
    Nothing is written to the database."""
    settings = from_env()
    from server.work.addresses import match_file, write_answers

    with prepared(settings) as engines:
        ready = settings.with_engines(engines.database_url, engines.redis_url)
        answers = match_file(ready, file, company=company, column=column)
    if output is not None:
        write_answers(answers, output)
    for line, text, a in answers if output is None or as_json else ():
        if as_json:
            show_json(
                line=line, text=text, verdict=a.verdict, score=a.score, precision=a.precision,
                building=a.building.id if a.building else None,
                address=a.building.address if a.building else None, unit=a.unit, floor=a.floor,
                flat=a.flat, household=a.household, reasons=a.reasons,
                candidates=[c.building for c in a.candidates],
            )  # fmt: skip
            continue
        door = a.building.address if a.building else "-"
        inside = " ".join(str(part) for part in (a.unit, a.flat) if part is not None)
        show(f"{a.verdict:9} {a.score:.2f}  {text}  ->  {door} {inside} ({', '.join(a.reasons)})")
    if not as_json:
        counts = Counter(a.verdict for _, _, a in answers)
        show(", ".join(f"{n:,} {verdict}" for verdict, n in counts.most_common()) or "No address.")
