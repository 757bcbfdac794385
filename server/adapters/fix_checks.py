"""Every fix of a crew kept with its verdict, and what the ground and the fixes before say of one
that a crew checks in with."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

import asyncpg
import msgspec

from dispatch_core import tickets
from dispatch_core.events import CrewPositions, SiteFix
from dispatch_core.events import Fix as ToldFix
from dispatch_core.evidence import NO_FIX, Fence, Measured, Whereabouts, whereabouts
from dispatch_core.ids import CrewId, unix
from geo.fixes import BELIEVED, JUMPS, Fix, FixVerdict, Limits, judged, pace_mps, repeats
from geo.outlines import Outline
from server.adapters.pool import Pool

GOOD = sorted(BELIEVED)
"""Verdicts of fixes that say where a crew was."""
MOST_AFTER = 600
"""Known fixes of a crew that late ones are sorted in among."""
SPARE = 4
KNOWN = {"flat", "unit", "building"}
"""Places that are known well enough to be measured to."""
MINUTES_MS = 600_000
"""A speed is told from a fix of these last minutes only."""

_ticket = msgspec.json.Decoder(tickets.Ticket).decode
_AROUND = (
    "SELECT n.crew_id, f.fixed_at, f.lon, f.lat, f.accuracy_m::float8, f.speed_mps::float8,"
    " f.verdict FROM unnest($2::text[], $3::timestamptz[]) AS n(crew_id, since)"
    " CROSS JOIN LATERAL ((SELECT * FROM crew_fix f"
    " WHERE f.company_id = $1 AND f.crew_id = n.crew_id"
    " AND f.fixed_at < n.since AND f.received_at > now() - interval '2 days'"
    " ORDER BY f.fixed_at DESC LIMIT $4) UNION ALL "
    "(SELECT * FROM crew_fix f WHERE f.company_id = $1 AND f.crew_id = n.crew_id"
    " AND f.fixed_at >= n.since AND f.received_at > now() - interval '2 days'"
    " ORDER BY f.fixed_at LIMIT $5)) f"
)
"""Two days of arrivals tell the partitions: what was offline for longer is judged by itself."""


class Row(NamedTuple):
    """One fix as it is stored, before its verdict."""

    crew_id: str
    fixed_at: datetime
    lon: float
    lat: float
    datum: str
    """As it was sent; the degrees are WGS-84."""
    accuracy_m: float
    heading_deg: float | None
    speed_mps: float | None
    battery_pct: int | None

    @property
    def fix(self) -> Fix:
        """What is judged of it."""
        return Fix(_ms(self.fixed_at), self.lon, self.lat, self.accuracy_m, self.speed_mps)


class Kept(NamedTuple):
    """Rows with verdict and device behind them, and what the screens are told: each crew's newest
    believed fix."""

    rows: list[tuple[Any, ...]]
    told: CrewPositions | None


def limits_of(fence: Fence) -> Limits:
    """What the pipeline measures against, by a city's rules."""
    return Limits(
        accuracy_most_m=fence.accuracy_most_m,
        speed_most_mps=fence.speed_most_mps,
        skew_most_s=fence.skew_most_s,
        repeated_most=fence.repeated_most,
        anchor_after=fence.anchor_after,
        datum_m=fence.within_m,
    )


async def judge(
    c: asyncpg.Connection,
    company: int,
    rows: Sequence[Row],
    heard_at: datetime,
    device: str | None,
    fence: Fence,
) -> Kept:
    """Verdicts on fixes of many crews, in any order, that arrived just now. Until the transaction
    ends no other judges fixes of these crews."""
    limits = limits_of(fence)
    of_crew: defaultdict[str, list[int]] = defaultdict(list)
    for i, row in enumerate(rows):
        of_crew[row.crew_id].append(i)
    since = {crew: min(rows[i].fixed_at for i in which) for crew, which in of_crew.items()}
    await c.execute(
        "SELECT FROM crew_last_fix WHERE company_id = $1 AND crew_id = ANY($2)"
        " ORDER BY crew_id FOR UPDATE",
        company,
        sorted(since),
    )
    known = await _known(c, company, since, limits)

    def all_of_them() -> list[FixVerdict]:
        found: list[FixVerdict] = ["ok"] * len(rows)
        for crew, which in of_crew.items():
            new = [rows[i].fix for i in which]
            for i, verdict in zip(
                which, judged(known[crew], new, _ms(heard_at), limits), strict=True
            ):
                found[i] = verdict
        return found

    verdicts = await asyncio.to_thread(all_of_them)  # a batch may hold tens of thousands
    pairs = list(zip(rows, verdicts, strict=True))
    return Kept([(*row, verdict, device) for row, verdict in pairs], _told(pairs))


async def keep_last(c: asyncpg.Connection, company: int, heard_at: datetime) -> None:
    """Move the crews' last fixes to the newest believed ones of the batch in pg_temp.in_crew_fix;
    a crew of which nothing is believed is not heard of."""
    await c.execute(
        "INSERT INTO crew_last_fix (company_id, crew_id, fixed_at, heard_at, lon, lat)"
        " SELECT DISTINCT ON (crew_id) $1, crew_id, fixed_at, $2, lon, lat"
        " FROM pg_temp.in_crew_fix WHERE verdict = ANY($3) ORDER BY crew_id, fixed_at DESC"
        " ON CONFLICT (company_id, crew_id) DO UPDATE"
        " SET fixed_at = greatest(crew_last_fix.fixed_at, excluded.fixed_at),"
        " heard_at = excluded.heard_at,"
        " lon = CASE WHEN excluded.fixed_at >= crew_last_fix.fixed_at THEN excluded.lon"
        " ELSE crew_last_fix.lon END,"
        " lat = CASE WHEN excluded.fixed_at >= crew_last_fix.fixed_at THEN excluded.lat"
        " ELSE crew_last_fix.lat END",
        company,
        heard_at,
        GOOD,
    )


class Site(NamedTuple):
    """Where the work is: a building, else a place in WGS-84 degrees."""

    building: str | None
    lon: float
    lat: float
    exact: bool
    """Whether the place is known to the door and not by its street or area."""


class Pressed(NamedTuple):
    """The crew's press of the button; milliseconds since the Unix epoch."""

    crew: CrewId
    fix: SiteFix
    at_device_ms: int
    heard_ms: int
    """When it arrived, by the server's clock."""
    sent_at_ms: int | None = None
    """The phone's clock as it sent this, however long it had waited for a signal; None: it does not
    say, and its clock is seen to be wrong only where it pressed in the future."""
    mock: bool = False
    """The phone said that its place is made up."""

    @property
    def skew_s(self) -> int:
        """The phone's clock minus the server's."""
        if self.sent_at_ms is not None:
            ahead = round((self.sent_at_ms - self.heard_ms) / 1000)
            if ahead:
                return ahead
        return max(0, round((self.at_device_ms - self.heard_ms) / 1000))


class FixChecks:
    """Where a crew is that presses a button of a ticket."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def found(
        self, company: int, ticket: str, fence: Fence, pressed: Pressed | None
    ) -> Whereabouts:
        """The verdict; None: the phone had no fix. A ticket that is not there has no place: its use
        case refuses."""
        if pressed is None:
            return NO_FIX
        async with self._pool.company(company, readonly=True) as c:
            site = await _site(c, company, ticket)
            measured = await measure(c, company, site, pressed, fence)
        return whereabouts(pressed.fix, measured, fence)


async def measure(
    c: asyncpg.Connection, company: int, site: Site, pressed: Pressed, fence: Fence
) -> Measured:
    """What the ground and the crew's fixes say of a check-in or check-out."""
    sent, limits = pressed.fix, limits_of(fence)
    fix = Fix(sent.at_ms, sent.lon, sent.lat, sent.accuracy_m)
    at = datetime.fromtimestamp(sent.at_ms / 1000, UTC)
    found = (await _known(c, company, {pressed.crew: at}, limits))[pressed.crew]
    # the phone may have sent the same fix along the way: it is no second one, and proves nothing
    known = sorted((k for k in found if k[0].at_ms != fix.at_ms), key=lambda k: k[0].at_ms)
    before = [f for f, _ in known if f.at_ms < fix.at_ms]
    good = [f for f, verdict in known if verdict in BELIEVED and f.at_ms < fix.at_ms]
    near = good and fix.at_ms - good[-1].at_ms <= MINUTES_MS
    (verdict,) = judged(known, [fix], pressed.heard_ms, limits)
    outline = await _outline(c, company, site)
    return Measured(
        distance_m=None if outline is None else outline.metres_to(fix.lon, fix.lat),
        as_gcj_m=None if outline is None else outline.as_gcj02().metres_to(fix.lon, fix.lat),
        speed_mps=pace_mps(good[-1], fix) if near else None,
        repeated=repeats(before, fix),
        outlier=verdict in JUMPS,
        skew_s=pressed.skew_s,
        age_s=max(0, (pressed.at_device_ms - sent.at_ms) // 1000),
        mock=pressed.mock,
    )


async def outline_at(c: asyncpg.Connection, company: int, ticket: str) -> Outline | None:
    """Where the work of a ticket is: the building's outline, else its place; None where that is
    known by its street or area only."""
    return await _outline(c, company, await _site(c, company, ticket))


async def _site(c: asyncpg.Connection, company: int, ticket: str) -> Site:
    row = await c.fetchrow(
        "SELECT h.state, t.building_id FROM stream_head h LEFT JOIN ticket t"
        " ON t.company_id = h.company_id AND t.ticket_id = $2"
        " WHERE h.company_id = $1 AND h.stream = 'ticket:' || $2",
        company,
        ticket,
    )
    if row is None:
        return Site(None, 0.0, 0.0, exact=False)
    place = _ticket(row["state"]).place
    exact = place.precision in KNOWN or place.node is not None
    return Site(row["building_id"], place.lon, place.lat, exact)


async def _outline(c: asyncpg.Connection, company: int, site: Site) -> Outline | None:
    if site.building is not None:
        row = await c.fetchrow(
            "SELECT outline, lon, lat FROM building WHERE company_id = $1 AND building_id = $2",
            company,
            site.building,
        )
        if row is not None:
            drawn = None if row["outline"] is None else Outline.of_wkb(row["outline"])
            return drawn or Outline.of_place(row["lon"], row["lat"])
    return Outline.of_place(site.lon, site.lat) if site.exact else None


async def _known(
    c: asyncpg.Connection, company: int, since: dict[str, datetime], limits: Limits
) -> defaultdict[str, list[tuple[Fix, FixVerdict]]]:
    """Of each crew its last fix, some fixes right before a time, and those from then on."""
    crews = sorted(since)
    last = await c.fetch(
        "SELECT crew_id, fixed_at, lon, lat FROM crew_last_fix"
        " WHERE company_id = $1 AND crew_id = ANY($2)",
        company,
        crews,
    )
    found: defaultdict[str, list[tuple[Fix, FixVerdict]]] = defaultdict(list)
    before = max(limits.repeated_most, limits.anchor_after) + SPARE
    times = [since[crew] for crew in crews]
    for row in await c.fetch(_AROUND, company, crews, times, before, MOST_AFTER):
        fix = Fix(_ms(row[1]), row[2], row[3], row[4], row[5])
        found[row[0]].append((fix, row[6]))
    for row in last:
        at_ms = _ms(row["fixed_at"])
        # the tables of fixes are emptied in time; the last one stands
        if all(fix.at_ms != at_ms for fix, _ in found[row["crew_id"]]):
            found[row["crew_id"]].append((Fix(at_ms, row["lon"], row["lat"], 0.0), "ok"))
    return found


def _told(pairs: Sequence[tuple[Row, FixVerdict]]) -> CrewPositions | None:
    newest: dict[str, Row] = {}
    for row, verdict in pairs:
        if verdict in BELIEVED and verdict != "late":
            held = newest.get(row.crew_id)
            if held is None or row.fixed_at >= held.fixed_at:
                newest[row.crew_id] = row
    if not newest:
        return None
    return CrewPositions(
        fixes=[
            ToldFix(
                crew=CrewId(row.crew_id), lon=row.lon, lat=row.lat, accuracy_m=row.accuracy_m,
                heading_deg=row.heading_deg, speed_mps=row.speed_mps, fixed_at=unix(row.fixed_at),
            )
            for row in newest.values()
        ]
    )  # fmt: skip


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)
