"""What time alone makes true, committed as facts:
warnings of tickets, lost positions, spikes, rounds of the arrears map."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from dispatch_core import arrears, crews, levels, sentiment, tickets
from dispatch_core.commands import EndShift, StartShift
from dispatch_core.events import LostContact
from dispatch_core.ids import unix
from geo.grid import Cell as GridCell
from geo.grid import Grid
from server.adapters.engine_store import ACTOR, EngineTransaction
from server.jobs import escalation


async def ticket_warnings(tx: EngineTransaction) -> int:
    """Node warnings, passed deadlines and lost contact of every ticket whose time has come;
    returns how many facts."""
    heads = await tx.heads(await tx.tickets_to_check())
    said = 0
    for stream, ticket in heads.items():
        if ticket is None:
            continue
        events = tickets.watch(ticket, tx.now)
        if ticket.state == "confirmed" and any(isinstance(e, LostContact) for e in events):
            since = tx.now - timedelta(seconds=levels.POLICY.silent_past_arrival_s)
            crew = ticket.crew
            if await tx.moved(crew, since) or await tx.at_work(crew):
                # no check-in here, but it drives, or works elsewhere: it is looked at again
                events = [e for e in events if not isinstance(e, LostContact)]
        if events:
            tx.append(
                stream, events, grounds="a clock reached its time", policy=levels.POLICY.version
            )
            said += len(events)
        said += await escalation.carry_up(tx, stream)
    return said


async def lost_positions(tx: EngineTransaction) -> int:
    """Crews on duty that stopped sending fixes, and those that are back."""
    known = await tx.streams_like("crew:")
    fixes = await tx.last_fixes()
    due = [
        stream
        for stream, crew in known.items()
        if crews.watch(crew, fixes.get(stream.removeprefix("crew:")), tx.now)
    ]
    said = 0
    for stream, crew in (await tx.heads(due)).items():
        if crew is None:
            continue
        events = crews.watch(crew, fixes.get(stream.removeprefix("crew:")), tx.now)
        if events:
            tx.append(
                stream,
                events,
                grounds="no position for too long, or one again",
                policy=crews.POLICY.version,
            )
            said += len(events)
    return said


async def stops_over(tx: EngineTransaction) -> int:
    """Stopped crews whose time to be back has come."""
    known = await tx.streams_like("crew:")
    due = [s for s, crew in known.items() if crews.stop_over(crew, tx.now, ACTOR)]
    said = 0
    for stream, crew in (await tx.heads(due)).items():
        events = crews.stop_over(crew, tx.now, ACTOR) if crew is not None else []
        if events:
            tx.append(stream, events, grounds="the stop was over", policy=crews.POLICY.version)
            said += len(events)
    return said


async def shifts(tx: EngineTransaction) -> int:
    """Crews come on duty and go off it by the shift in their register;
    who still has tickets stays until they are done."""
    zone = ZoneInfo(await tx.timezone())
    known = await tx.streams_like("crew:")
    due = {
        stream: command
        for stream, crew in known.items()
        if (command := _shift(crew, tx.now, zone)) is not None
    }
    said = 0
    for stream, crew in (await tx.heads(due)).items():
        if crew is None:
            continue
        events = crews.decide(crew, due[stream], tx.now)
        tx.append(stream, events, grounds="the shift of the register", policy=crews.POLICY.version)
        said += len(events)
    return said


def _shift(crew: crews.Crew, now: datetime, zone: ZoneInfo) -> StartShift | EndShift | None:
    start, end = _shift_around(crew.shift, now.astimezone(zone))
    inside = start is not None and end is not None
    if inside and end is not None and (not crew.on_duty or crew.shift_ends_at != unix(end)):
        runs = crew.on_duty and (crew.shift_ends_at or 0) > unix(now)
        return None if runs and crew.tickets else StartShift(ends_at=unix(end))
    if not inside and crew.on_duty and not crew.tickets:
        return EndShift()
    return None


def _shift_around(shift: str, local: datetime) -> tuple[datetime | None, datetime | None]:
    """Start and end of the daily shift `HH:MM-HH:MM` that `local` lies in, else (None, None)."""
    try:
        first, last = (time.fromisoformat(part) for part in shift.split("-"))
    except ValueError:
        return None, None
    for days in (0, 1):
        day = local.date() - timedelta(days=days)
        start = datetime.combine(day, first, local.tzinfo)
        end = datetime.combine(day, last, local.tzinfo)
        if end <= start:
            end += timedelta(days=1)
        if start <= local < end:
            return start, end
    return None, None


async def moods(tx: EngineTransaction) -> int:
    """The mood of every community that is spoken of, or was."""
    window_s = sentiment.POLICY.window_s
    windows = await tx.sentiment.windows(tx.now - timedelta(seconds=window_s))
    told = await tx.streams_like("community:")
    concerned = {f"community:{c}" for c in windows} | set(told)
    if not concerned:
        return 0
    sites = await tx.community_sites()
    usual = await tx.sentiment.usual_negative(window_s)
    empty = sentiment.Window(mentions=0, negative=0, mean_value=0.0, topics={}, negative_topics={})
    said = 0
    for stream, community in (await tx.heads(concerned)).items():
        name = stream.removeprefix("community:")
        site = sites.get(name)
        if site is None:
            continue
        events = sentiment.decide(
            community, site, windows.get(name, empty), usual.get(name, 0.0), tx.now
        )
        if events:
            tx.append(
                stream,
                events,
                grounds="mentions of the last three hours",
                policy=sentiment.POLICY.version,
            )
            said += len(events)
    return said


async def arrears_round(tx: EngineTransaction) -> int:
    """A round of the heat map if one is due:
    looks only at cells of which enough households changed."""
    now = int(tx.now.timestamp())
    if not arrears.round_is_due(await tx.arrears.last_round(), now):
        return 0
    origin = await tx.arrears.grid_origin()
    rows = await tx.arrears.household_standing()
    if origin is None or not rows:
        return 0
    grid = Grid(*origin)
    size = arrears.SIZES[0]
    xs, ys = grid.cells_of(np.array([r[1] for r in rows]), np.array([r[2] for r in rows]), size)
    leaves: dict[arrears.Cell, tuple[int, int]] = {}
    changes = []
    for row, x, y in zip(rows, xs.tolist(), ys.tolist(), strict=True):
        cell = arrears.Cell(size, x, y)
        households, owing = leaves.get(cell, (0, 0))
        leaves[cell] = (households + 1, owing + bool(row[3]))
        changes.append(arrears.Change(household=row[0], leaf=cell, at=row[4]))
    looks = await tx.arrears.looks()
    outcome = arrears.publish(
        leaves, looks, arrears.count_changed(changes, looks), now, _bounds(grid)
    )
    await tx.own_heads({f"cell:{cell.name()}" for cell, _ in outcome.events})
    for cell, event in outcome.events:
        tx.append(
            f"cell:{cell.name()}",
            [event],
            grounds="round of the arrears map",
            policy=arrears.POLICY.version,
        )
    changed = {c: look for c, look in outcome.looks.items() if looks.get(c) != look}
    await tx.arrears.save_round(changed)
    return len(outcome.events)


def _bounds(grid: Grid) -> Callable[[arrears.Cell], arrears.Bounds]:
    def bounds_of(cell: arrears.Cell) -> arrears.Bounds:
        b = grid.cell_bounds(GridCell(cell.size_m, cell.x, cell.y))
        return arrears.Bounds(west=b.west, south=b.south, east=b.east, north=b.north)

    return bounds_of
