"""The commands about a ticket's visit: what each one's body says, and the use case it becomes."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from dispatch_core import commands
from dispatch_core.events import Gas
from dispatch_core.ids import CrewId, DisplaceReason, PermitKind, StoreId
from server.api.spots import Name
from server.api.ticket_commands import Command, Context, Seen, Text
from server.ports import UseCase
from server.usecases.field import (
    AgreeTicket,
    DisplaceTicket,
    PartsTicket,
    PinTicket,
    WorkTicket,
)

Names = Annotated[list[Name], msgspec.Meta(max_length=50)]
Pieces = Annotated[int, msgspec.Meta(le=1_000_000)]
Parts = Annotated[dict[Name, Pieces], msgspec.Meta(max_length=100)]
Time = Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)]
"""Unix seconds, up to the year 9999."""


class WorkBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """What the work is; what is left away stays as it holds."""

    trade: Name | UnsetType = UNSET
    owner: Name | UnsetType = UNSET
    certificates: Names | UnsetType = UNSET
    permits: Names | UnsetType = UNSET
    skill: int | UnsetType = UNSET
    minutes: int | UnsetType = UNSET
    crews: int | UnsetType = UNSET
    parts: Parts | UnsetType = UNSET
    vehicle: Names | UnsetType = UNSET
    home_visit: bool | UnsetType = UNSET
    equipment: Name | UnsetType | None = UNSET


class AppointBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """The window that was agreed with the resident; null on both sides calls the visit off."""

    from_at: Time | None
    until_at: Time | None
    night_agreed: bool = False


class PermitBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """A permit as it was written; a confined space needs a gas reading and a guard."""

    permit: PermitKind
    number: Name
    valid_until: Time
    gas: Gas | None = None
    guard: Name | None = None


class PartsBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """The parts that it waits for; with `store` they are kept there for it."""

    parts: Parts
    expected_at: Time
    store: Name | None = None


class PinBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """The crew, and the start if it is to be kept too."""

    crew: Name
    start_at: Time | None = None


class DisplaceBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Why its crew is taken away; from the site only once the place was made safe."""

    reason_code: DisplaceReason
    reason: Text | None = None
    made_safe: bool = False


def _work(b: WorkBody, x: Context) -> UseCase:
    told = {name: getattr(b, name) for name in b.__struct_fields__ if name != "version"}
    given = {name: value for name, value in told.items() if value is not UNSET}
    return WorkTicket(
        ticket=x.ticket, city=x.city, version=b.version, given=given, by=x.principal.actor
    )


def _appoint(b: AppointBody, x: Context) -> UseCase:
    command = commands.Appoint(
        version=b.version, from_at=b.from_at, until_at=b.until_at, night_agreed=b.night_agreed,
        by=x.principal.actor,
    )  # fmt: skip
    return AgreeTicket(ticket=x.ticket, city=x.city, command=command)


def _permit(b: PermitBody, x: Context) -> UseCase:
    command = commands.Permit(
        version=b.version, permit=b.permit, number=b.number, valid_until=b.valid_until, gas=b.gas,
        guard=b.guard, by=x.principal.actor, limits=x.city.dispatch.gas,
    )  # fmt: skip
    return AgreeTicket(ticket=x.ticket, city=x.city, command=command)


def _parts(b: PartsBody, x: Context) -> UseCase:
    command = commands.AwaitParts(
        version=b.version, parts=dict(b.parts), expected_at=b.expected_at,
        store=StoreId(b.store) if b.store else None, by=x.principal.actor,
    )  # fmt: skip
    return PartsTicket(ticket=x.ticket, city=x.city, command=command)


def _parts_ready(b: Seen, x: Context) -> UseCase:
    command = commands.PartsReady(version=b.version, by=x.principal.actor)
    return AgreeTicket(ticket=x.ticket, city=x.city, command=command)


def _pin(b: PinBody, x: Context) -> UseCase:
    return PinTicket(
        ticket=x.ticket, city=x.city, version=b.version, crew=CrewId(b.crew), start_at=b.start_at,
        by=x.principal.actor,
    )  # fmt: skip


def _unpin(b: Seen, x: Context) -> UseCase:
    command = commands.Unpin(version=b.version, by=x.principal.actor)
    return AgreeTicket(ticket=x.ticket, city=x.city, command=command)


def _displace(b: DisplaceBody, x: Context) -> UseCase:
    return DisplaceTicket(
        ticket=x.ticket, city=x.city, version=b.version, reason_code=b.reason_code,
        by=x.principal.actor, made_safe=b.made_safe, reason=x.text(b.reason),
    )  # fmt: skip


_GAS: dict[str, Any] = {
    "oxygen_pct": 20.9, "lel_pct": 0.0, "co_ppm": 2.0, "h2s_ppm": 0.0, "read_at": 1768356000,
}  # fmt: skip
FIELD_COMMANDS: dict[str, Command] = {
    "work": Command(
        WorkBody, _work, {"version": 2, "trade": "secondary", "minutes": 90, "crews": 2},
        "What the work is: what is left away stays as it holds",
    ),
    "appoint": Command(
        AppointBody, _appoint, {"version": 2, "from_at": 1768359600, "until_at": 1768366800},
        "A visit was agreed with the resident, or called off",
    ),
    "permit": Command(
        PermitBody, _permit,
        {"version": 2, "permit": "confined_space", "number": "YX-0114-3", "guard": "赵师傅",
         "valid_until": 1768370400, "gas": _GAS},
        "A permit for dangerous work was written",
    ),
    "parts": Command(
        PartsBody, _parts,
        {"version": 2, "parts": {"闸阀 DN80": 1}, "store": "W1", "expected_at": 1768359600},
        "The work waits for parts",
    ),
    "parts-ready": Command(Seen, _parts_ready, {"version": 3}, "The parts are there"),
    "pin": Command(
        PinBody, _pin, {"version": 2, "crew": "C07", "start_at": 1768359600},
        "Lock the visit to a crew, and to a start",
    ),
    "unpin": Command(Seen, _unpin, {"version": 3}, "Take the lock off"),
    "displace": Command(
        DisplaceBody, _displace, {"version": 4, "reason_code": "by_hand"},
        "Take the ticket from its crew: it waits again",
    ),
}  # fmt: skip
