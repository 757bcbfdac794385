"""A scan of 1,000,000 households' records for the four kinds of contradiction, against reading the
same records and applying the pure rules to them.

Seeded are defects of each kind, and as many look-alikes that are none: grace not over, a stop not
carried out yet, an application refused, a valve merely closed, a flat resumed.
"""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import asyncpg

from benchmarks._figure import figure
from dispatch_core.contradictions import Records, find
from server.adapters import contradictions
from server.adapters.accounts import ensure_company
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn, migrate
from server.adapters.pool import Pool
from server.engines import open_engines
from server.settings import Settings

HOUSEHOLDS = 1_000_000
OF_EACH = 500
"""Defects of each sort below, and look-alikes of each."""
SUSPENDED = 0.09
NOW = datetime(2026, 11, 22, 2, 30, tzinfo=UTC)
SEASON = "2026-2027"
TARGET_S = 5.0

STANDING = (
    "company_id", "season", "household_id", "service", "application_id", "network", "network_at",
    "valve", "valve_at", "billing", "billed_fen", "billed_at",
)  # fmt: skip
APPLICATION = (
    "company_id", "application_id", "household_id", "building_id", "season", "action",
    "state", "source", "address", "times", "because", "applied_at", "known", "late", "known_by",
)  # fmt: skip


class Sort(NamedTuple):
    """A household's records, and what contradicts in them."""

    service: str
    applications: tuple[tuple[str, str, int], ...]
    """(action, state, known_by in hours from now), the newest last"""
    network: str | None
    valve: str
    billing: str | None
    kinds: tuple[str, ...] = ()


DONE = (("suspension", "closed", -200),)
FRESH = (("suspension", "completed", 5),)
RESUMED = (*DONE, ("resume", "closed", -30))
AWAY = (("temporary_stop", "closed", -100),)
HEATED = Sort("heated", (), "connected", "open", "full")
STOPPED = Sort("suspended", DONE, "disconnected", "sealed", "base")
MARKED, CONNECTED = "marked_without_application", "suspended_yet_connected"
BILLED, OPEN = "suspended_yet_billed", "valve_open"
ODD = (
    Sort("suspended", DONE, "connected", "sealed", "base", (CONNECTED,)),
    Sort("temporary_stop", AWAY, "connected", "closed", "full", (CONNECTED, BILLED)),
    Sort("suspended", DONE, "disconnected", "sealed", "full", (BILLED,)),
    Sort("suspended", DONE, "disconnected", "open", "base", (OPEN,)),
    Sort("suspended", FRESH, "connected", "open", "full", (OPEN,)),
    Sort("suspended", (), "connected", "open", "full", (MARKED,)),
    Sort("heated", (), "disconnected", "unknown", "full", (MARKED,)),
    Sort("heated", (), "connected", "sealed", "full", (MARKED,)),
    Sort("heated", (), "connected", "open", "none", (MARKED,)),
    Sort("heated", (("suspension", "refused", 0),), "connected", "open", "base", (MARKED,)),
    Sort("heated", RESUMED, "disconnected", "open", "base", (MARKED,)),
    Sort("suspended", FRESH, "connected", "sealed", "full"),
    Sort("heated", (("suspension", "approved", 0),), "connected", "open", "full"),
    Sort("heated", (("suspension", "approved", 0),), "disconnected", "closed", "base"),
    Sort("suspended", (*DONE, ("resume", "approved", 0)), "connected", "open", "full"),
    Sort("heated", RESUMED, "connected", "open", "base"),
    Sort("heated", (), "connected", "closed", "full"),
    Sort("heated", (), None, "unknown", None),
    Sort("heated", (("suspension", "withdrawn", 0),), "connected", "open", "full"),
)


def seeded(company: int) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]], set[Any]]:
    """Standings, applications, and the (kind, household) that must be found."""
    chance = random.Random(20261122)
    order = chance.sample(range(HOUSEHOLDS), OF_EACH * len(ODD))
    odd = {number: ODD[i // OF_EACH] for i, number in enumerate(order)}
    standings: list[tuple[Any, ...]] = []
    applications: list[tuple[Any, ...]] = []
    truth: set[Any] = set()
    for number in range(HOUSEHOLDS):
        sort = odd.get(number) or (STOPPED if chance.random() < SUSPENDED else HEATED)
        household = f"H-{number:07d}"
        for n, (action, state, hours) in enumerate(sort.applications):
            known_by = NOW + timedelta(hours=hours) if state in ("completed", "closed") else None
            applications.append((
                company, f"A-{number:07d}-{n}", household, "B-1", SEASON, action, state, "app",
                "经纬街 1 号", 1, [], NOW - timedelta(days=40 - n), [], False, known_by,
            ))  # fmt: skip
        at = NOW - timedelta(hours=chance.randrange(1, 2000))
        standings.append((
            company, SEASON, household, sort.service,
            f"A-{number:07d}-{len(sort.applications) - 1}" if sort.applications else None,
            sort.network, at if sort.network else None, sort.valve, at, sort.billing, 91_968, at,
        ))  # fmt: skip
        truth |= {(kind, household) for kind in sort.kinds}
    return standings, applications, truth


async def measure(dsn: str, keys: Path) -> None:
    """Seed a database, scan it three times, compare."""
    await migrate(dsn, keys)
    company = await ensure_company(dsn, "bench", "Bench")
    owner = await asyncpg.connect(dsn)
    standings, applications, truth = seeded(company)
    for table, columns, rows in (
        ("household_standing", STANDING, standings),
        ("application", APPLICATION, applications),
    ):
        await owner.copy_records_to_table(table, columns=columns, records=rows)
        await owner.execute(f"ANALYZE {table}")  # as autovacuum does after such a load
    del standings, applications
    pool = Pool(app_dsn(dsn, Keys(keys)))
    try:
        scans, waits = [], []
        for _ in range(3):
            scan, waited = await scan_beside_a_writer(pool, company)
            scans.append(scan)
            waits += waited
        rows = await owner.fetch(
            "SELECT kind, household_id FROM contradiction WHERE gone_at IS NULL"
        )
        found = {(r[0], r[1]) for r in rows}
        by_rules, rules_s = await apply_rules(pool, company)
    finally:
        await pool.close()
        await owner.close()
    slowest = max(scans)
    missed, invented = len(truth - found), len(found - truth)
    figure(
        "contradictions.scan_s", slowest, "s", baseline=rules_s, ratio=rules_s / slowest,
        target=f"<= {TARGET_S:g}", ok=slowest <= TARGET_S,
        note=f"slowest of {len(scans)} scans of {HOUSEHOLDS:,} households; beside it the rules in"
        " Python over the same records",
    )  # fmt: skip
    figure(
        "contradictions.found_pct", 100 * (len(truth) - missed) / len(truth), "%", target="100",
        ok=not missed, note=f"{len(truth):,} seeded",
    )  # fmt: skip
    figure(
        "contradictions.invented", invented, "found", target="0", ok=not invented,
        note=f"{len(found ^ by_rules)} judged otherwise by the rules in Python",
    )  # fmt: skip
    figure(
        "contradictions.write_beside_ms", median(waits), "ms",
        note=f"a report committed during a scan; longest {max(waits):.0f} ms of {len(waits)}",
    )  # fmt: skip


async def scan_beside_a_writer(pool: Pool, company: int) -> tuple[float, list[float]]:
    """Seconds of a scan, and milliseconds that each report took which was written meanwhile."""

    async def scan() -> float:
        began = time.perf_counter()
        async with pool.company(company) as c:
            await contradictions.scan(c, company, SEASON, NOW, "benchmark")
        return time.perf_counter() - began

    running = asyncio.ensure_future(scan())
    waits = []
    while not running.done():
        began = time.perf_counter()
        async with pool.company(company) as c:
            await c.execute(
                "UPDATE household_standing SET billed_fen = billed_fen WHERE company_id = $1"
                " AND season = $2 AND household_id = $3",
                company, SEASON, f"H-{random.randrange(HOUSEHOLDS):07d}",
            )  # fmt: skip
        waits.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.02)
    return await running, waits


async def apply_rules(pool: Pool, company: int) -> tuple[set[Any], float]:
    """What the pure rules find in the same records, and the seconds to read and judge them."""
    began = time.perf_counter()
    at = int(NOW.timestamp())
    found = set()
    async with pool.company(company, readonly=True) as c:
        granted = {
            r["household_id"]: r
            for r in await c.fetch(
                "SELECT household_id, application_id, action, state,"
                " extract(epoch FROM known_by)::bigint AS known_by FROM application"
                " WHERE company_id = $1 AND season = $2"
                " AND state IN ('approved', 'completed', 'closed') ORDER BY applied_at",
                company,
                SEASON,
            )
        }
        cursor = c.cursor(
            "SELECT household_id, service, network, valve, billing FROM household_standing"
            " WHERE company_id = $1 AND season = $2",
            company,
            SEASON,
            prefetch=10_000,
        )
        async for household, service, network, valve, billing in cursor:
            grant = granted.get(household)
            records = Records(
                service=service, network=network, valve=valve, billing=billing,
                application=grant["application_id"] if grant else None,
                action=grant["action"] if grant else None,
                state=grant["state"] if grant else None,
                known_by=grant["known_by"] if grant else None,
            )  # fmt: skip
            found |= {(kind, household) for kind in find(records, at)}
    return found, time.perf_counter() - began


def main() -> None:
    """Print every figure."""
    folder = Path(tempfile.mkdtemp(prefix="heatops-bench-"))
    folder.chmod(0o711)  # as root the engines' account passes through
    try:
        settings = Settings(data=folder / "data", demo=False)
        with open_engines(settings) as engines:
            asyncio.run(measure(engines.database_url, settings.keys))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
