"""`heatops demo`: the generated city, its season so far, and a live January day."""

from __future__ import annotations

import asyncio

import rich_click as click

from server.cli.attach import attached
from server.cli.output import json_option, progress_bar, show, show_json
from server.engines import running
from server.settings import Settings, UserError, from_env


@click.command()
@click.option("--company", default="demo", show_default=True, help="Code of the company to fill.")
@click.option("--end", is_flag=True, help="End every demo: business time is real time again.")
@click.option("--feed", is_flag=True, help="Go on with the live day until stopped.")
@click.option(
    "--city", type=click.Choice(["generated", "imported"]), default="generated", show_default=True
)
@click.option("--points", type=click.IntRange(100, 26_000), default=2_400, show_default=True,
              help="Room-temperature points.")  # fmt: skip
@click.option("--seed", type=int, default=1, show_default=True, help="Same seed, same city.")
@click.option("--url", help="Where the web is.  [default: of the `heatops up` that runs here]")
@json_option
def demo(
    *,
    company: str,
    end: bool,
    feed: bool,
    city: str,
    points: int,
    seed: int,
    url: str | None,
    as_json: bool,
) -> None:
    """Fill an empty company through the API, as real sources would. `up` does this by itself."""
    settings = attached(from_env())
    if end:
        end_demos(settings, as_json=as_json)
        return
    state = running(settings.data)
    base = url or (state and state["url"])
    if not base:
        raise UserError(
            "no_web",
            "The demo speaks to a running web process.",
            "Start `heatops up`, or name it with --url.",
        )
    from server.work import run_demo

    with progress_bar(as_json=as_json) as progress:
        result = run_demo(
            settings,
            url=str(base),
            company=company,
            city=city,
            points=points,
            seed=seed,
            feed=feed,
            progress=progress,
        )
    if as_json:
        show_json(**result)
    else:
        show(f"{result['buildings']:,} buildings and {result['tickets']:,} tickets are in.")


def end_demos(settings: Settings, *, as_json: bool) -> None:
    """Stop feeding from the next start on, and give the clock back at once."""
    from server.adapters import seeding

    asyncio.run(seeding.end(str(settings.database_url)))
    if as_json:
        show_json(ended=True)
    else:
        show("Business time is real time again. Restart `heatops up` to stop the demo's feed.")
