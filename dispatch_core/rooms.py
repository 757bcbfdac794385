"""Room-temperature points: what one reading means for the alarm of its point.

An alarm rises below the bound and clears at the bound plus a margin, so that a room at the bound
does not flicker. Readings count by the time they were taken: an older one than the last changes
nothing, and an impossible one is a matter for whoever mends sensors, never an alarm.
"""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from dispatch_core.events import Event, RoomAlarmChanged, RoomAlarmCleared, RoomAlarmRaised
from dispatch_core.ids import BuildingId, CommunityId

Verdict = Literal["taken", "older", "impossible"]


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """Bounds in degrees Celsius: raise below `raise_c`, clear at or above `clear_c`."""

    version: str = "rooms-1"
    raise_c: float = 18.0
    clear_c: float = 18.5
    told_step_c: float = 0.5
    least_c: float = -40.0
    most_c: float = 60.0


POLICY = Policy()


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """Where a point hangs, no closer than its building, and what heats it."""

    building: BuildingId
    lon: float
    lat: float
    address: str
    community: CommunityId | None
    substation: str | None
    substation_name: str | None
    substation_lon: float | None
    substation_lat: float | None


class Point(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a point: the last reading that counted, and its alarm if it has one."""

    celsius: float
    read_at: int
    alarm_since: int | None = None
    told_c: float | None = None
    """The temperature that was last told in a fact of the alarm."""


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """The point after a reading, how the reading counted, and the fact it makes, if any."""

    point: Point | None
    verdict: Verdict
    event: Event | None = None


def possible(celsius: float, policy: Policy = POLICY) -> bool:
    """Whether a room can have this temperature at all."""
    return math.isfinite(celsius) and policy.least_c <= celsius <= policy.most_c


def decide(
    point: Point | None, celsius: float, read_at: int, site: Site, policy: Policy = POLICY
) -> Outcome:
    """What one reading (degrees Celsius, taken at Unix second `read_at`) means."""
    if not possible(celsius, policy):
        return Outcome(point=point, verdict="impossible")
    if point is not None and read_at <= point.read_at:
        return Outcome(point=point, verdict="older")
    since = point.alarm_since if point else None
    event: Event | None = None
    if point is None or since is None or point.told_c is None:
        if celsius < policy.raise_c:
            event = _raised(celsius, read_at, site, policy)
    elif celsius >= policy.clear_c:
        event = RoomAlarmCleared(celsius=celsius, read_at=read_at)
    elif abs(celsius - point.told_c) >= policy.told_step_c or (
        (celsius < policy.raise_c) != (point.told_c < policy.raise_c)
    ):
        event = RoomAlarmChanged(celsius=celsius, read_at=read_at)
    return Outcome(point=_after(point, celsius, read_at, event), verdict="taken", event=event)


def _raised(celsius: float, read_at: int, site: Site, policy: Policy) -> RoomAlarmRaised:
    return RoomAlarmRaised(
        celsius=celsius,
        bound_c=policy.raise_c,
        read_at=read_at,
        building=site.building,
        lon=site.lon,
        lat=site.lat,
        address=site.address,
        community=site.community,
        substation=site.substation,
        substation_name=site.substation_name,
        substation_lon=site.substation_lon,
        substation_lat=site.substation_lat,
    )


def _after(point: Point | None, celsius: float, read_at: int, event: Event | None) -> Point:
    if event is not None:
        return apply(point, event, read_at)
    return Point(
        celsius=celsius,
        read_at=read_at,
        alarm_since=point.alarm_since if point else None,
        told_c=point.told_c if point else None,
    )


def apply(point: Point | None, event: Event, at: int) -> Point:
    """The point after one fact of its alarm; the reading's time counts, not the fact's (`at`).

    Raises ValueError for a fact that is not a point's.
    """
    del at
    match event:
        case RoomAlarmRaised():
            return Point(
                celsius=event.celsius,
                read_at=event.read_at,
                alarm_since=event.read_at,
                told_c=event.celsius,
            )
        case RoomAlarmChanged() if point is not None:
            return msgspec.structs.replace(
                point, celsius=event.celsius, read_at=event.read_at, told_c=event.celsius
            )
        case RoomAlarmCleared():
            return Point(celsius=event.celsius, read_at=event.read_at)
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of this point")
