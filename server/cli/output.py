"""What commands say: plain lines and progress bars for people, JSON lines for machines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import rich_click as click

from server.settings import UserError

json_option = click.option(
    "--json", "as_json", is_flag=True, help="One JSON object a line, for machines."
)

Progress = Callable[[str, float], None]
"""progress(what is being done, share of the whole from 0 to 1)"""


def show(text: str) -> None:
    """A line for people, at once."""
    click.echo(text)
    sys.stdout.flush()


def show_json(**fields: Any) -> None:  # noqa: ANN401 - whatever JSON holds
    """A JSON object on a line of its own, at once."""
    click.echo(json.dumps(fields, ensure_ascii=False, default=str))
    sys.stdout.flush()


def show_error(error: UserError) -> None:
    """What went wrong and what to do; as JSON when the command was asked for JSON."""
    if "--json" in sys.argv:
        fields = {"code": error.code, "detail": error.message, "what_to_do": error.what_to_do}
        click.echo(json.dumps({"error": fields}, ensure_ascii=False), err=True)
        return
    click.echo(f"heatops: {error.message}\n{error.what_to_do}", err=True)


@contextmanager
def progress_bar(*, as_json: bool) -> Iterator[Progress]:
    """A bar on standard error, or {"step", "done"} lines (at most one per percent) with --json."""
    if as_json:
        yield _json_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeElapsedColumn
    from rich.progress import Progress as Bar

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TimeElapsedColumn(),
    )
    with Bar(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=1.0)
        yield lambda step, done: bar.update(task, description=step, completed=done)


def _json_progress() -> Progress:
    last: tuple[str, int] | None = None

    def progress(step: str, done: float) -> None:
        nonlocal last
        now = (step, int(done * 100))
        if now != last:
            last = now
            show_json(step=step, done=round(done, 2))

    return progress
