"""What a crew is after the facts so far."""

from __future__ import annotations

import msgspec

from dispatch_core.commands import Base
from dispatch_core.events import (
    CrewAssigned,
    CrewBack,
    CrewEnRoute,
    CrewOnSite,
    CrewRegistered,
    CrewReleased,
    CrewShiftEnded,
    CrewShiftStarted,
    CrewStocked,
    CrewStopped,
    Event,
    Pause,
    PositionLost,
    PositionRegained,
)
from dispatch_core.ids import CrewState, StopReason, TicketId


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How many tickets a crew may have in hand, and for how long it may send no fix on duty."""

    version: str = "crews-1"
    in_hand: int = 6
    silent_s: int = 300


POLICY = Policy()

STAGES: tuple[CrewState, ...] = ("dispatched", "en_route", "on_site")


class Stopped(msgspec.Struct, frozen=True, kw_only=True):
    """Why a crew can take no work, since when, and until when if that is known (Unix seconds)."""

    reason_code: StopReason
    since: int
    until_at: int | None


class Crew(msgspec.Struct, frozen=True, kw_only=True):
    """A crew after `version` facts. `tickets` is in order of assignment, with how far each is."""

    version: int
    name: str
    trades: list[str]
    certificates: list[str]
    members: int
    vehicle: str
    shift: str
    on_duty: bool = False
    shift_started_at: int | None = None
    shift_ends_at: int | None = None
    tickets: dict[TicketId, CrewState] = {}
    position_lost_since: int | None = None
    skill: int = 3
    """1 to 5."""
    territory: list[str] = []
    """Districts it serves by day; empty: the whole city."""
    base: Base | None = None
    breaks: list[Pause] = []
    equipment: list[str] = []
    """What the van carries for good."""
    parts: dict[str, int] | None = None
    """What lies on the van now, part -> pieces; None: nobody has said."""
    stopped: Stopped | None = None
    """It can take no work for now."""

    @property
    def doing(self) -> tuple[CrewState, TicketId | None]:
        """What the crew is doing, and on which ticket."""
        return doing(self.tickets, on_duty=self.on_duty)

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        state, current = self.doing
        return {
            "state": state,
            "current": current,
            "tickets": list(self.tickets),
            "stopped": self.stopped is not None,
            "version": self.version,
        }


def doing(
    tickets: dict[TicketId, CrewState], *, on_duty: bool
) -> tuple[CrewState, TicketId | None]:
    """The furthest stage among the tickets in hand and the oldest ticket in it."""
    for stage in reversed(STAGES):
        for ticket, reached in tickets.items():
            if reached == stage:
                return stage, ticket
    return ("free" if on_duty else "off"), None


def apply(crew: Crew | None, event: Event, at: int) -> Crew:
    """The crew after one more fact. Raises ValueError for one that cannot be the next of a crew."""
    replace = msgspec.structs.replace
    if isinstance(event, CrewRegistered):
        old = crew or Crew(
            version=0, name="", trades=[], certificates=[], members=0, vehicle="", shift=""
        )
        return replace(
            old, version=old.version + 1, name=event.name, trades=event.trades,
            certificates=event.certificates, members=event.members, vehicle=event.vehicle,
            shift=event.shift, skill=event.skill, territory=event.territory, base=_base(event),
            breaks=event.breaks, equipment=event.equipment,
        )  # fmt: skip
    if crew is None:
        raise ValueError(f"{type(event).__name__} cannot be the first fact of a crew")
    crew = replace(crew, version=crew.version + 1)
    match event:
        case CrewShiftStarted():
            crew = replace(crew, on_duty=True, shift_started_at=at, shift_ends_at=event.ends_at)
        case CrewShiftEnded():
            crew = replace(
                crew, on_duty=False, shift_started_at=None, shift_ends_at=None,
                position_lost_since=None,
            )  # fmt: skip
        case CrewStocked():
            crew = replace(crew, parts=event.parts)
        case CrewStopped():
            since = crew.stopped.since if crew.stopped else at
            stopped = Stopped(reason_code=event.reason_code, since=since, until_at=event.until_at)
            crew = replace(crew, stopped=stopped)
        case CrewBack():
            crew = replace(crew, stopped=None)
        case PositionLost():
            crew = replace(crew, position_lost_since=event.since)
        case PositionRegained():
            crew = replace(crew, position_lost_since=None)
        case _:
            crew = replace(crew, tickets=_in_hand(crew.tickets, event))
    return crew


def _in_hand(tickets: dict[TicketId, CrewState], event: Event) -> dict[TicketId, CrewState]:
    match event:
        case CrewAssigned():
            return {**tickets, event.ticket: STAGES[0]}
        case CrewEnRoute():
            return {**tickets, event.ticket: STAGES[1]}
        case CrewOnSite():
            return {**tickets, event.ticket: STAGES[2]}
        case CrewReleased():
            return {t: s for t, s in tickets.items() if t != event.ticket}
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of a crew")


def _base(event: CrewRegistered) -> Base | None:
    if event.base_lon is None or event.base_lat is None:
        return None
    return Base(lon=event.base_lon, lat=event.base_lat)
