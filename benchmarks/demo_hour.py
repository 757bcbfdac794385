"""An hour of the demo day at sixty times the pace: what becomes of every red ticket.

Works on the `heatops up` that runs on HEATOPS_DATA with the demo in it: it sets the pace of that
installation's clock, waits until the hour is over and every clock to respond with it, and reads the
journal. `python -m benchmarks.demo_hour [--rate 60] [--hours 1]`; with `--browser [FOLDER]` one
dispatcher more works at the desk in Chromium meanwhile, and FOLDER gets a picture every 30 seconds.
"""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import asyncpg
import msgspec

from benchmarks._figure import figure
from server.adapters.clock import set_clock
from server.adapters.demo_people import sessions
from server.cli.attach import attached
from server.demo.run import OPENING_AT
from server.demo.weather import CITY_OFFSET_S
from server.engines import running
from server.settings import from_env

if TYPE_CHECKING:
    from benchmarks._desk_hand import DeskHand

RATE, HOUR_S, RESPOND_S = 60.0, 3600.0, 1800.0
PARTS = ("core", "planner", "serve", "demo")
PERSON = "周调度"
"""Who works at the desk in the browser."""


class Fact(NamedTuple):
    """A fact of a ticket."""

    ticket: str
    kind: str
    at: float
    body: dict[str, Any]
    actor: str = ""


class Red(NamedTuple):
    """What became of a red ticket: a crew that took it in time, else a reason, else nothing."""

    ticket: str
    address: str
    in_time: bool
    reason: str | None
    at: float
    given_s: float | None = None
    """From red to a crew that has been given it, and to one that took it."""
    taken_s: float | None = None
    by: str = ""


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
    given = next((f for f in told if f.kind == "ticket_dispatched"), None)
    taken = next((f.at for f in told if f.kind == "ticket_confirmed"), None)
    return Red(
        ticket,
        red.body["ticket"]["address"],
        taken is not None and taken <= respond_by,
        next(filter(None, map(_reason, told)), None),
        red.at,
        None if given is None else given.at - red.at,
        None if taken is None else taken - red.at,
        "" if given is None else given.actor,
    )


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
            "SELECT stream, kind, business_at, body, actor FROM journal"
            " WHERE company_id = $1 AND stream LIKE 'ticket:%' ORDER BY stream, version",
            company,
        )
    finally:
        await connection.close()
    return [
        Fact(
            r["stream"][7:],
            r["kind"],
            r["business_at"].timestamp(),
            _decoded(r["body"]),
            r["actor"],
        )
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


async def _first_proposals(dsn: str, company: int) -> dict[str, float]:
    """When each ticket had its first proposal that is still kept."""
    connection = await asyncpg.connect(dsn)
    try:
        rows = await connection.fetch(
            "SELECT ticket_id, min(made_at) AS at FROM decision"
            " WHERE company_id = $1 AND kind = 'proposal' GROUP BY ticket_id",
            company,
        )
    finally:
        await connection.close()
    return {r["ticket_id"]: r["at"].timestamp() for r in rows}


def _told(red: Red, proposed: float | None) -> str:
    """A red ticket's line: what was done and after how many minutes."""

    def after(said: str, seconds: float | None) -> str:
        return f"{said} -" if seconds is None else f"{said} {seconds / 60:.1f} min"

    steps = (
        after("proposed", None if proposed is None else max(0.0, proposed - red.at)),
        after("given", red.given_s) + (f" ({red.by})" if red.by else ""),
        after("taken", red.taken_s),
        "in time" if red.in_time else red.reason or "NOTHING",
    )
    at = datetime.fromtimestamp(red.at + CITY_OFFSET_S, UTC)
    return f"{at:%d. %H:%M} {red.ticket} {red.address}: {', '.join(steps)}"


def _use(
    url: str, session: str, pictures: Path | None, for_s: float, there: threading.Event
) -> DeskHand:
    """One person at the desk for so many seconds, `there` once it is open."""
    from benchmarks._desk_hand import desk  # Chromium's driver only where it is asked for

    with desk(url, session, pictures) as hand:
        there.set()
        hand.work(for_s)
    return hand


def _folder() -> Path | None:
    """Where the pictures go."""
    after = sys.argv[sys.argv.index("--browser") + 1 :][:1]
    if not after or after[0].startswith("-"):
        return None
    Path(after[0]).mkdir(parents=True, exist_ok=True)
    return Path(after[0])


async def main() -> None:
    """Play the hour and print what became of the reds, and what it cost."""
    settings = from_env()
    dsn = str(attached(settings).database_url)
    rate, hour_s = _asked("--rate", RATE), _asked("--hours", 1.0) * HOUR_S
    connection = await asyncpg.connect(dsn)
    company = await connection.fetchval("SELECT company_id FROM demo_run LIMIT 1")
    row = await connection.fetchrow("SELECT * FROM business_clock")
    await connection.close()
    wall = (hour_s + RESPOND_S) / rate + 5
    hand = None
    if "--browser" in sys.argv:
        url = str((running(settings.data) or {})["url"])
        session = (await sessions(dsn, company, [PERSON]))[PERSON]
        there = threading.Event()
        hand = asyncio.create_task(asyncio.to_thread(_use, url, session, _folder(), wall, there))
        await asyncio.to_thread(there.wait, 120)
    elapsed = (datetime.now(UTC) - row["anchor_system"]).total_seconds()
    begin = max(OPENING_AT, row["anchor_business"].timestamp() + elapsed * row["rate"])
    before = processes()
    await set_clock(dsn, datetime.fromtimestamp(begin, UTC), rate)
    await asyncio.sleep(wall)
    after = processes()
    end = begin + hour_s + RESPOND_S
    await set_clock(dsn, datetime.fromtimestamp(end, UTC), 1.0)
    found = reds(await read(dsn, company), begin, begin + hour_s)
    proposed = await _first_proposals(dsn, company)
    for red in () if "--json" in sys.argv else found:
        print(_told(red, proposed.get(red.ticket)))
    neither = [r for r in found if not r.in_time and not r.reason]
    figure("demo_hour.reds", len(found), "tickets")
    figure("demo_hour.in_time", sum(r.in_time for r in found), "tickets")
    named = sum(bool(r.reason) and not r.in_time for r in found)
    figure("demo_hour.with_reason", named, "tickets")
    figure("demo_hour.neither", len(neither), "tickets", target="0", ok=not neither)
    for part in PARTS:
        share = 100 * (after[part] - before[part]) / wall
        figure(f"demo_hour.cpu_{part}", share, f"% of one core at rate {rate:g}")
    if hand is not None:
        used = await hand
        for (level, outcome), n in sorted(used.looked.items()):
            figure(f"demo_hour.desk_{level}_{outcome.replace(' ', '_')}", n, "looks")
        figure("demo_hour.desk_errors", len(used.errors), "lines", target="0", ok=not used.errors)
        print(*used.errors[:20], sep="\n", file=sys.stderr)


if __name__ == "__main__":
    asyncio.run(main())
