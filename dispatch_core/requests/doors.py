"""Which open ticket a request belongs to: same household, or same caller at the same place."""

from __future__ import annotations

from collections.abc import Sequence
from math import cos, hypot, radians

import msgspec

from dispatch_core.ids import Place, RequestKind
from dispatch_core.requests.policy import Policy
from dispatch_core.requests.propose import fault_of

SAME_SPOT_M = 60.0
MOST_CANDIDATES = 3
_M_PER_DEGREE = 111_320.0


class OpenRequest(msgspec.Struct, frozen=True, kw_only=True):
    """An open ticket that a new request might belong to, or a past one of the same door."""

    ticket: str
    kind: RequestKind
    state: str
    open: bool
    level: str
    household: str | None
    resident: str | None
    building: str | None
    received_at: int
    reports: int


class Door(msgspec.Struct, frozen=True, kw_only=True):
    """Who and where a request comes from: what it is compared by. Serialised while decided."""

    household: str | None
    resident: str | None
    building: str | None


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """An open ticket as it stands, to compare a request with."""

    household: str | None
    resident: str | None
    place: Place
    said: str | None
    """Keyed digest of its caller's last words."""
    heard_at: int
    """When somebody last called about it."""


class Call(msgspec.Struct, frozen=True, kw_only=True):
    """A request as it is compared with open tickets."""

    household: str | None
    resident: str | None
    place: Place
    said: str | None
    at: int


def candidates(
    door: Door, kind: RequestKind, requests: Sequence[OpenRequest], policy: Policy
) -> list[str]:
    """Open tickets of the same fault that might be the same, newest first, a few at most."""
    fault = fault_of(kind, policy)
    found = [
        r.ticket
        for r in requests
        if r.open and fault_of(r.kind, policy) == fault and _may_match(door, r)
    ]
    return found[:MOST_CANDIDATES]


def _may_match(door: Door, r: OpenRequest) -> bool:
    if door.household is not None and r.household is not None:
        return door.household == r.household
    if door.resident is None or door.resident != r.resident:
        return False
    return door.building is None or r.building is None or door.building == r.building


def belongs(call: Call, ticket: Known, policy: Policy) -> bool:
    """Whether the call is about the ticket: the same household, or the same caller and one place.

    A caller whose place nobody could find is only known again by the very same words within
    minutes.
    """
    if call.household is not None and ticket.household is not None:
        return call.household == ticket.household
    if call.resident is None or call.resident != ticket.resident:
        return False
    if call.place.building is not None and ticket.place.building is not None:
        return call.place.building == ticket.place.building
    if located(call.place) and located(ticket.place):
        return apart_m(call.place, ticket.place) <= SAME_SPOT_M
    return is_duplicate(call, ticket, policy)


def is_duplicate(call: Call, ticket: Known, policy: Policy) -> bool:
    """The very same caller and words within minutes: one call that was sent twice."""
    return (
        call.said is not None
        and call.said == ticket.said
        and call.at - ticket.heard_at <= policy.duplicate_within_s
    )


def located(place: Place) -> bool:
    """Its coordinate is where it is, not the middle of an area."""
    return place.precision in {"flat", "unit", "building"}


def repeated(
    door: Door, kind: RequestKind, requests: Sequence[OpenRequest], at: int, policy: Policy
) -> int:
    """Tickets of the same fault at the same door that are over and came within the policy's time;
    cancelled ones say nothing."""
    fault = fault_of(kind, policy)
    return sum(
        not r.open
        and r.state == "closed"
        and at - r.received_at <= policy.repeated_within_s
        and fault_of(r.kind, policy) == fault
        and _same_door(door, r)
        for r in requests
    )


def _same_door(door: Door, r: OpenRequest) -> bool:
    if door.household is not None and r.household is not None:
        return door.household == r.household
    same = door.building is not None and door.building == r.building
    return same and door.resident is not None and door.resident == r.resident


def apart_m(one: Place, other: Place) -> float:
    """Metres between two places of one city."""
    east = (one.lon - other.lon) * cos(radians(one.lat))
    return hypot(east, one.lat - other.lat) * _M_PER_DEGREE
