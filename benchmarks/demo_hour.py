"""An hour of the demo day at sixty times the pace: what becomes of every red ticket.

Works on the `heatops up` that runs on HEATOPS_DATA with the demo in it: it sets the pace of that
installation's clock, waits until the hour is over and every clock to respond with it, and reads the
journal. `python -m benchmarks.demo_hour [--rate 60] [--hours 1]`.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg
import msgspec

from benchmarks._figure import figure
from server.adapters.clock import set_clock
from server.cli.attach import attached
from server.demo.run import OPENING_AT
from server.settings import from_env

RATE, HOUR_S, RESPOND_S = 60.0, 3600.0, 1800.0
PARTS = ("core", "planner", "serve", "demo")


class Fact(NamedTuple):
    """A fact of a ticket."""

    ticket: str
    kind: str
    at: float
    body: dict[str, Any]


class Red(NamedTuple):
    """What became of a red ticket: a crew that took it in time, else a reason, else nothing."""

    ticket: str
    address: str
    in_time: bool
    reason: str | None


def reds(facts: Iterable[Fact], begin: float, end: float) -> list[Red]:
    """Of each ticket that became red in (begin, end], mostly as it came in; `facts` in the order
    of streams."""
    streams: dict[str, list[Fact]] = {}
    for fact in facts:
        streams.setdefault(fact.ticket, []).append(fact)
    found = []
    for ticket, told in streams.items():
        red = next((f for f in told if f.body["ticket"]["level"] == "red"), None)
        if red is not None and begin < red.at <= end:
            found.append(_fate(ticket, red, told))
    return found


def _fate(ticket: str, red: Fact, told: Sequence[Fact]) -> Red:
    accepted = [f.at for f in told if f.kind == "ticket_accepted"]
    respond_by = max([red.at, *accepted[:1]]) + RESPOND_S
    confirmed = [f.at for f in told if f.kind == "ticket_confirmed"]
    in_time = bool(confirmed) and confirmed[0] <= respond_by
    reason = next(filter(None, map(_reason, told)), None)
    return Red(ticket, red.body["ticket"]["address"], in_time, reason)


def _reason(fact: Fact) -> str | None:
    """Why nobody came, in the words of the fact that says so."""
    match fact.kind:
        case "ticket_unproposed":
            return "no crew: " + ", ".join(f"{r} {n}" for r, n in fact.body["rules"].items())
        case "ticket_escalated":
            return f"carried up: {fact.body['clock'] or 'no crew can be proposed'}"
        case "ticket_cancelled" | "ticket_merged":
            return f"{fact.kind}: {fact.body.get('reason_code', 'joined another')}"
        case _:
            return None


async def read(dsn: str, company: int) -> list[Fact]:
    """Every fact of the company's tickets."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT stream, kind, business_at, body FROM journal"
            " WHERE company_id = $1 AND stream LIKE 'ticket:%' ORDER BY stream, version",
            company,
        )
    finally:
        await connection.close()
    return [
        Fact(r["stream"][7:], r["kind"], r["business_at"].timestamp(), _decoded(r["body"]))
        for r in rows
    ]


def _decoded(body: Any) -> dict[str, Any]:
    made: dict[str, Any] = (
        msgspec.json.decode(body) if isinstance(body, (str, bytes)) else dict(body)
    )
    return made


def processes() -> dict[str, float]:
    """CPU seconds of each part of the installation on HEATOPS_DATA so far (Linux)."""
    spent = dict.fromkeys(PARTS, 0.0)
    mine = f"HEATOPS_DATA={os.environ['HEATOPS_DATA']}".encode()
    for proc in Path("/proc").glob("[0-9]*"):
        try:
            words = (proc / "cmdline").read_bytes().split(b"\0")
            env = (proc / "environ").read_bytes().split(b"\0")
            stat = (proc / "stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        except OSError:
            continue
        part = next((p for p in PARTS if p.encode() in words), None)
        if part and mine in env:
            spent[part] += (int(stat[11]) + int(stat[12])) / os.sysconf("SC_CLK_TCK")
    return spent


def _asked(option: str, usual: float) -> float:
    return float(sys.argv[sys.argv.index(option) + 1]) if option in sys.argv else usual


async def main() -> None:
    """Play the hour and print what became of the reds, and what it cost."""
    dsn = str(attached(from_env()).database_url)
    rate, hour_s = _asked("--rate", RATE), _asked("--hours", 1.0) * HOUR_S
    connection = await asyncpg.connect(dsn)
    company = await connection.fetchval("SELECT company_id FROM demo_run LIMIT 1")
    row = await connection.fetchrow("SELECT * FROM business_clock")
    await connection.close()
    elapsed = (datetime.now(UTC) - row["anchor_system"]).total_seconds()
    begin = max(OPENING_AT, row["anchor_business"].timestamp() + elapsed * row["rate"])
    before = processes()
    await set_clock(dsn, datetime.fromtimestamp(begin, UTC), rate)
    wall = (hour_s + RESPOND_S) / rate + 5
    await asyncio.sleep(wall)
    after = processes()
    end = begin + hour_s + RESPOND_S
    await set_clock(dsn, datetime.fromtimestamp(end, UTC), 1.0)
    found = reds(await read(dsn, company), begin, begin + hour_s)
    for red in () if "--json" in sys.argv else found:
        print(red.ticket, red.address, "in time" if red.in_time else red.reason or "NOTHING")
    neither = [r for r in found if not r.in_time and not r.reason]
    figure("demo_hour.reds", len(found), "tickets")
    figure("demo_hour.in_time", sum(r.in_time for r in found), "tickets")
    named = sum(bool(r.reason) and not r.in_time for r in found)
    figure("demo_hour.with_reason", named, "tickets")
    figure("demo_hour.neither", len(neither), "tickets", target="0", ok=not neither)
    for part in PARTS:
        share = 100 * (after[part] - before[part]) / wall
        figure(f"demo_hour.cpu_{part}", share, f"% of one core at rate {rate:g}")


if __name__ == "__main__":
    asyncio.run(main())
