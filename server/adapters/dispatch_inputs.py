"""A snapshot as the inputs of dispatch: integers and words, without a resident."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from dispatch_core import dispatch
from dispatch_core.dispatch import InHand, Inputs, Permitted, Spot, Stage, Store, Task, Team
from dispatch_core.events import Work
from dispatch_core.ids import CrewId, CrewState, StoreId, TicketId, unix
from dispatch_core.tickets import Ticket
from geo.travel import MICRO, TravelModel, TravelTable, great_circle_table
from server import __version__
from server.adapters.dispatch_reads import Impact, Snapshot
from server.ports import CityPolicy
from server.usecases.work import work_for

LOCATED = frozenset({"flat", "unit", "building", "street"})
"""Precisions that a van can be sent to."""
AREAS = frozenset({"community", "area"})
"""Precisions whose coordinate is the middle of where it may be."""
_NOWHERE = np.zeros((0, 2), np.int32)


def inputs_of(s: Snapshot, city: CityPolicy, model: TravelModel, impact: Impact) -> Inputs:
    """The inputs, with travel times by great circle alone; `with_travel` puts others in."""
    at = unix(s.at)
    offset = s.at.astimezone(ZoneInfo(city.timezone)).utcoffset() or timedelta()
    return Inputs(
        at=at,
        utc_offset_s=int(offset.total_seconds()),
        policy=city.dispatch,
        policy_version=city.version,
        position_discount_s=city.travel.position_discount_s,
        position_exclude_s=city.travel.position_exclude_s,
        travel=great_circle_table(model, _NOWHERE, _NOWHERE, at).stored(),
        teams=[_team(crew_id, s) for crew_id in sorted(s.crews)],
        tasks=[_task(ticket_id, s, city, impact) for ticket_id in sorted(s.tickets)],
        stores=[_store(name, s) for name in sorted(s.stores)],
        plan=s.plan,
        held=sorted(s.held, key=lambda held: held.crew),
        seed=s.plan,
        program=__version__,
    )


def with_travel(inputs: Inputs, table: TravelTable) -> Inputs:
    """The same with a table of travel times."""
    return msgspec.structs.replace(inputs, travel=table.stored())


def _spot(lon: float, lat: float) -> Spot:
    return Spot(round(lon * MICRO), round(lat * MICRO))


def _team(crew_id: CrewId, s: Snapshot) -> Team:
    crew, where = s.crews[crew_id], s.places.get(crew_id)
    _, current = crew.doing
    on_site = where is not None and where.state == "on_site"
    return Team(
        crew=crew_id,
        name=crew.name,
        version=crew.version,
        trades=crew.trades,
        certificates=crew.certificates,
        skill=crew.skill,
        members=crew.members,
        equipment=crew.equipment,
        parts=crew.parts,
        territory=crew.territory,
        base=_spot(crew.base.lon, crew.base.lat) if crew.base else None,
        shift=crew.shift,
        on_duty=crew.on_duty,
        shift_ends_at=crew.shift_ends_at,
        breaks=crew.breaks,
        stopped=crew.stopped is not None,
        stopped_until=crew.stopped.until_at if crew.stopped else None,
        place=Spot(*where.place) if where and where.place else None,
        fix_age_s=None if where is None or on_site else where.age_s,
        in_hand=[
            InHand(ticket=t, stage=_stage(stage, t, current), since_at=s.tickets[t].heard_at)
            for t, stage in crew.tickets.items()
            if t in s.tickets
        ],
    )


def _stage(stage: CrewState, ticket: TicketId, current: TicketId | None) -> Stage:
    """The crew drives to one ticket; others that it has taken wait."""
    match stage:
        case "on_site":
            return "on_site"
        case "en_route":
            return "en_route" if ticket == current else "confirmed"
        case _:
            return "dispatched"


def _task(ticket_id: TicketId, s: Snapshot, city: CityPolicy, impact: Impact) -> Task:
    t = s.tickets[ticket_id]
    place = t.place
    building = place.building or ""
    pipe = s.risers.get(t.household) if t.household else s.substations.get(building)
    return Task(
        ticket=ticket_id,
        version=t.version,
        kind=t.kind,
        level=t.level,
        state=t.state,
        address=place.address,
        received_at=t.received_at,
        due_at=_due(t),
        work=_with_parts(ticket_id, work_for(t, city), s),
        place=_spot(place.lon, place.lat) if place.precision in LOCATED else None,
        area=_spot(place.lon, place.lat) if place.precision in AREAS else None,
        precision=place.precision,
        building=place.building,
        district=place.district,
        pipe=pipe,
        crew=t.crew,
        with_crew=t.with_crew,
        pinned=t.pinned.crew if t.pinned else None,
        pinned_at=t.pinned.start_at if t.pinned else None,
        appointed_from=t.appointed.from_at if t.appointed else None,
        appointed_until=t.appointed.until_at if t.appointed else None,
        night_agreed=t.appointed.night_agreed if t.appointed else False,
        permits=[
            Permitted(
                permit=kind,
                valid_until=held.valid_until,
                guard=held.guard is not None,
                gas_at=held.gas.read_at if held.gas else None,
            )
            for kind, held in sorted(t.permits.items())
        ],
        parts_at=t.parts_wait.expected_at if t.parts_wait else None,
        parts_store=t.reserved,
        degree_hours_m=impact.degree_hours_m.get(building, 0),
        visits_by=s.visits.get(building, {}),
        danger=dispatch.in_danger(t.reasons),
    )


def _with_parts(ticket_id: TicketId, work: Work, s: Snapshot) -> Work:
    """The work with the parts that are awaited, or kept in a store, for its ticket: found on site,
    no policy may have foreseen them."""
    t = s.tickets[ticket_id]
    parts = Counter(work.parts)
    if t.parts_wait is not None:
        parts |= Counter(t.parts_wait.parts)
    if t.reserved is not None and t.reserved in s.stores:
        parts |= Counter(s.stores[t.reserved].reserved.get(ticket_id, {}))
    return msgspec.structs.replace(work, parts=dict(parts)) if parts != work.parts else work


def _due(t: Ticket) -> int:
    """The earliest clock that field work can still meet: first contact is made by telephone."""
    running = [t.clocks.solved]
    if t.state in {"received", "accepted", "dispatched"}:
        running.append(t.clocks.respond)
    elif t.state == "confirmed" and t.clocks.on_site is not None:
        running.append(t.clocks.on_site)
    return min(running)


def _store(name: StoreId, s: Snapshot) -> Store:
    store = s.stores[name]
    return Store(store=name, place=_spot(store.lon, store.lat), parts=store.free())
