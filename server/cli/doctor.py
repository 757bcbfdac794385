"""`heatops doctor`: looks at everything an installation needs and says what to do about what is
missing."""

from __future__ import annotations

import asyncio
import os
import resource
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from server.cli.attach import opened
from server.cli.output import json_option, show_json
from server.engines import Engines, running
from server.settings import CHECKOUT, Settings, UserError, from_env

LEAST_FREE_GB = 2.0
LEAST_FILES = 4096
LARGEST_OFFSET_S = 2.0
OLDEST_TIME = datetime(2025, 1, 1, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Finding:
    """One check: what was found, and what to do when it is not as it should be."""

    name: str
    ok: bool
    found: str
    what_to_do: str = ""


@click.command()
@json_option
def doctor(*, as_json: bool) -> None:
    """Check engines, schema, keys, disk, clock and the built pages. Exit code 1 when something is
    wrong."""
    findings = list(examine(from_env()))
    ok = all(finding.ok for finding in findings)
    if as_json:
        show_json(ok=ok, checks=[asdict(finding) for finding in findings])
    else:
        show_table(findings)
    sys.exit(0 if ok else 1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Every finding, the engines' first."""
    state = running(settings.data)
    yield Finding("running", ok=True, found=f"at {state['url']}" if state else "no")
    try:
        with opened(settings) as engines:
            yield from examine_engines(engines)
    except UserError as error:
        yield Finding("engines", ok=False, found=error.message, what_to_do=error.what_to_do)
    yield from examine_machine(settings)
    yield from examine_pages(CHECKOUT / "web" / "dist")


def examine_engines(engines: Engines) -> Iterator[Finding]:
    """PostgreSQL, its schema and clock, and Valkey."""
    import asyncpg
    import redis

    from server.adapters.health import database_health, redis_version

    try:
        before = time.time()  # noqa: TID251 - the machine's clock is what is examined
        health = asyncio.run(database_health(engines.database_url))
    except (OSError, TimeoutError, asyncpg.PostgresError) as error:
        yield Finding(
            "PostgreSQL", ok=False, found=str(error), what_to_do="Check HEATOPS_DATABASE_URL."
        )
    else:
        origin = engines.postgres.origin
        new_enough = int(health.version.split(".")[0]) >= 15
        yield Finding("PostgreSQL", new_enough, f"{health.version} ({origin})", "Use 15 or newer.")
        yield Finding(
            "durability",
            health.durable,
            "every commit is on disk" if health.durable else "commits can be lost with the power",
            "Set fsync, full_page_writes and synchronous_commit to on.",
        )
        yield Finding(
            "Chinese text",
            health.likeness,
            "compared by letters" if health.likeness else "the database's LC_CTYPE is C",
            "Create the database with LC_CTYPE C.UTF-8.",
        )
        pending = ", ".join(health.pending)
        yield Finding("schema", not pending, pending or "up to date", "Run `heatops migrate`.")
        offset = abs(health.at.timestamp() - before)
        yield Finding(
            "clock",
            offset < LARGEST_OFFSET_S and before > OLDEST_TIME,
            f"{datetime.fromtimestamp(before, UTC):%Y-%m-%d %H:%M:%S} UTC,"
            f" {offset:.1f} s from the database's",
            "Keep both machines on network time: timedatectl set-ntp true.",
        )
    try:
        version = asyncio.run(redis_version(engines.redis_url))
    except (OSError, redis.RedisError) as error:
        yield Finding("Valkey", ok=False, found=str(error), what_to_do="Check HEATOPS_REDIS_URL.")
    else:
        yield Finding(
            "Valkey", ok=True, found=f"{engines.valkey.name} {version} ({engines.valkey.origin})"
        )


def examine_machine(settings: Settings) -> Iterator[Finding]:
    """Keys, disk space, open files and the map vendors' datums."""
    from geo.datums import GCJ02_NOTE

    loose = [
        path.name
        for path in settings.keys.glob("*.key")
        if stat.S_IMODE(path.stat().st_mode) & 0o077
    ]
    found = f"readable by others: {', '.join(loose)}" if loose else str(settings.keys)
    yield Finding("keys", not loose, found, f"chmod 600 {settings.keys}/*.key")
    free = shutil.disk_usage(settings.data if settings.data.is_dir() else Path("/")).free / 1e9
    yield Finding(
        "disk",
        free >= LEAST_FREE_GB,
        f"{free:.1f} GB free at {settings.data}",
        f"Keep at least {LEAST_FREE_GB:g} GB free, or move the data with HEATOPS_DATA.",
    )
    files = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    unlimited = files == resource.RLIM_INFINITY
    yield Finding(
        "open files",
        unlimited or files >= LEAST_FILES,
        "no limit" if unlimited else f"at most {files}",
        "One is needed per screen: raise it with ulimit -Hn 65536.",
    )
    vendors = "taken in" if settings.gcj02 else "refused; HEATOPS_GCJ02=1 takes them in"
    yield Finding("GCJ-02, BD-09", ok=True, found=f"{vendors}. {GCJ02_NOTE}")
    yield Finding("Python", ok=True, found=f"{sys.version.split()[0]}, {os.cpu_count()} cores")


def examine_pages(dist: Path) -> Iterator[Finding]:
    """The built screens and their font, which walls without Chinese fonts depend on."""
    pages = [name for name in ("wall.html", "sign-in.html") if not (dist / name).exists()]
    missing = f"missing: {', '.join(pages)}"
    yield Finding(
        "pages", not pages, missing if pages else str(dist), "Run ./run, which builds them."
    )
    fonts = sorted(path.name for path in dist.rglob("*.woff2"))
    found = f"{len(fonts)} bundled" if fonts else "none bundled"
    yield Finding("fonts", bool(fonts), found, "Run ./run, which builds them.")


def show_table(findings: list[Finding]) -> None:
    """As a table; what to do only where it is needed."""
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    for column in ("", "check", "found", "what to do"):
        table.add_column(column)
    for finding in findings:
        mark = "[green]ok[/]" if finding.ok else "[bold red]!![/]"
        table.add_row(mark, finding.name, finding.found, "" if finding.ok else finding.what_to_do)
    Console().print(table)
