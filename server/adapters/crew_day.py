"""What a crew's phone is told of its day, and how it is put together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import msgspec

from dispatch_core.crews import Crew
from dispatch_core.events import PlannedVisit
from dispatch_core.evidence import SiteRecord, SiteVisit, SlotState, Standing
from dispatch_core.ids import (
    Clock,
    CrewId,
    Hazard,
    Level,
    RequestKind,
    Slot,
    TicketId,
    TicketState,
    ValveId,
)
from dispatch_core.tickets import Appointment, PartsWait, Ticket
from server.ports import CityPolicy
from server.usecases.ticket_answer import PermitAnswer, answer_of


class Resident(msgspec.Struct, frozen=True, kw_only=True):
    """Whom to call: who called about it, else the flat's owner."""

    name: str | None
    phone: str | None


class Flat(msgspec.Struct, frozen=True, kw_only=True):
    """The door."""

    household: str
    unit: int
    floor: int
    flat: str


class ValveNear(msgspec.Struct, frozen=True, kw_only=True):
    """A valve that cuts the site off, nearest first; `kind` None: one that the crew named."""

    id: str
    kind: str | None
    name: str
    lon: float | None
    lat: float | None
    state: str
    """`open`, `closed`, or `unvented`: opened again, and not vented since."""
    homes: int | None
    """So many are without heat while it is shut; None: not known."""
    until_at: int | None
    """Where it is shut, when its outage is expected to end; Unix seconds."""


class DaySlot(msgspec.Struct, frozen=True, kw_only=True):
    """A photo that is owed, and how it stands; `why`: codes of checks that were not passed, of a
    person's reason, or of what kept it from being judged."""

    slot: Slot
    state: SlotState
    why: list[str]


class Earlier(msgspec.Struct, frozen=True, kw_only=True):
    """An earlier ticket of the flat or the building. Unix seconds."""

    ticket: TicketId
    kind: RequestKind
    state: TicketState
    received_at: int
    closed_at: int | None
    same_flat: bool


class DayVisit(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket in the crew's hands. Unix seconds, WGS-84 degrees."""

    ticket: TicketId
    version: int
    state: TicketState
    kind: RequestKind
    level: Level
    order: int
    """Of the day, from 1."""
    start_at: int | None
    until_at: int | None
    with_crew: CrewId | None
    """The other crew of a job for two."""
    address: str
    precision: str
    flat: Flat | None
    lon: float
    lat: float
    words: list[str]
    """What was said of it, the latest last."""
    resident: Resident | None
    """Only while the crew has work there."""
    received_at: int
    due_at: int | None
    due_clock: Clock | None
    appointed: Appointment | None
    green_channel: bool
    reasons: list[str]
    """What spoke for its level, e.g. `danger:爆管`."""
    dangers: list[Hazard]
    """What crews met at this building."""
    permits: list[PermitAnswer]
    work_trade: str
    work_minutes: int
    parts: dict[str, int]
    """What the work is expected to need."""
    parts_wait: PartsWait | None
    valves: list[ValveNear]
    verdict: str
    slots: list[DaySlot]
    missing: list[Slot]
    nonces: dict[Slot, list[str]]
    """One-time words for photos that are owed, and for those of a door that nobody opened: one a
    photo, and never again."""
    unnamed: bool
    """A second person's name is owed."""
    check_in: SiteVisit | None
    """The crew's visit that goes on."""
    unanswered: int
    photos_waived: bool
    history: list[Earlier]


class NextVisit(msgspec.Struct, frozen=True, kw_only=True):
    """What the plan has for the crew next and nobody has given it yet: nothing of a resident."""

    kind: RequestKind
    level: Level
    address: str
    start_at: int


class CrewDay(msgspec.Struct, frozen=True, kw_only=True):
    """The crew, its shift and its visits in order."""

    crew: CrewId
    name: str
    members: int
    vehicle: str
    on_duty: bool
    stopped: bool
    shift_starts_at: int | None
    shift_ends_at: int | None
    van: dict[str, int]
    """Parts on the van."""
    visits: list[DayVisit]
    next: NextVisit | None
    """Told once no visit is left."""


class Said(NamedTuple):
    """What the journal says of a ticket and no state does."""

    words: list[str]
    why: dict[tuple[Slot, str], list[str]]
    """(slot, photo) -> the last word about it."""


class Beside(NamedTuple):
    """What a visit shows beside its ticket and its record."""

    flat: Flat | None
    resident: Resident | None
    planned: PlannedVisit | None
    valves: list[ValveNear]
    said: Said
    dangers: list[Hazard]
    nonces: dict[Slot, list[str]]
    history: list[Earlier]


class Node(NamedTuple):
    """A node of the heat tree."""

    id: str
    kind: str
    name: str
    lon: float | None
    lat: float | None


def visit_of(
    name: TicketId, ticket: Ticket, site: SiteRecord, stands: Standing, city: CityPolicy,
    crew: CrewId, beside: Beside,
) -> DayVisit:  # fmt: skip
    """A ticket as its crew sees it; its order in the day is found later."""
    shown = answer_of(name, ticket, city)
    plan, agreed, pinned = beside.planned, ticket.appointed, ticket.pinned
    start = plan.start_at if plan else pinned.start_at if pinned else None
    start = start or (agreed.from_at if agreed else ticket.arrive_at)
    other = next((c for c in ticket.crews if c != crew), None)
    return DayVisit(
        ticket=name, version=ticket.version, state=ticket.state, kind=ticket.kind,
        level=ticket.level, order=0, start_at=start,
        until_at=plan.end_at if plan else agreed.until_at if agreed else None, with_crew=other,
        address=ticket.place.address, precision=ticket.place.precision, flat=beside.flat,
        lon=ticket.place.lon, lat=ticket.place.lat, words=beside.said.words,
        resident=beside.resident, received_at=ticket.received_at, due_at=shown.due_at,
        due_clock=shown.due_clock, appointed=agreed, green_channel=ticket.green_channel,
        reasons=ticket.reasons, dangers=beside.dangers, permits=shown.permits,
        work_trade=shown.work.trade if shown.work else "",
        work_minutes=shown.work.minutes if shown.work else 0,
        parts=dict(shown.work.parts) if shown.work else {}, parts_wait=ticket.parts_wait,
        valves=beside.valves, verdict=stands.verdict,
        slots=[
            DaySlot(slot=slot, state=state, why=_why(site, slot, state, beside.said))
            for slot, state in stands.slots.items()
        ],
        missing=stands.missing, nonces=beside.nonces, unnamed=stands.unnamed,
        check_in=site.there_of(crew), unanswered=site.unanswered,
        photos_waived=site.waived_round == ticket.reopened, history=beside.history,
    )  # fmt: skip


def _why(site: SiteRecord, slot: Slot, state: SlotState, said: Said) -> list[str]:
    held = site.photos.get(slot)
    if held is None or state in {"owed", "accept", "pending"}:
        return []
    return said.why.get((slot, held.photo), [])


def valves_of(
    building: Node | None, above: Sequence[Node], site: SiteRecord, homes: Mapping[str, int],
    ends: Mapping[str, int],
) -> list[ValveNear]:  # fmt: skip
    """What cuts the site off, nearest first, then what the crew named itself; `homes` by node,
    `ends` by outage."""
    nodes = [*((building,) if building else ()), *above]
    own = [
        Node(valve, "", held.name, None, None)
        for valve, held in site.valves.items()
        if valve not in {node.id for node in nodes}
    ]
    return [
        ValveNear(
            id=n.id, kind=n.kind or None, name=n.name, lon=n.lon, lat=n.lat,
            state=_turned(site, ValveId(n.id)), homes=homes.get(n.id),
            until_at=_ends(site, ValveId(n.id), ends),
        )
        for n in [*nodes, *own]
    ]  # fmt: skip


def _turned(site: SiteRecord, valve: ValveId) -> str:
    if valve in site.shut:
        return "closed"
    return "unvented" if valve in site.unvented else "open"


def _ends(site: SiteRecord, valve: ValveId, ends: Mapping[str, int]) -> int | None:
    shut = site.shut.get(valve)
    return None if shut is None or shut.outage is None else ends.get(shut.outage)


def day_of(
    crew: CrewId, who: Crew, visits: Sequence[DayVisit], planned: Mapping[TicketId, PlannedVisit]
) -> CrewDay:
    """The visits in order, and what comes next once there is none."""
    ordered = sorted(visits, key=lambda v: (v.start_at or v.due_at or v.received_at, v.ticket))
    upcoming = min(planned.values(), key=lambda v: v.start_at, default=None)
    after: dict[str, Any] = {}
    if upcoming is not None and not visits:
        after = {name: getattr(upcoming, name) for name in NextVisit.__struct_fields__}
    return CrewDay(
        crew=crew, name=who.name, members=who.members, vehicle=who.vehicle, on_duty=who.on_duty,
        stopped=who.stopped is not None, shift_starts_at=who.shift_started_at,
        shift_ends_at=who.shift_ends_at, van=who.parts or {},
        visits=[msgspec.structs.replace(v, order=n) for n, v in enumerate(ordered, 1)],
        next=NextVisit(**after) if after else None,
    )  # fmt: skip
