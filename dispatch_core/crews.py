"""A crew: register, shift, the tickets it has in hand, and whether its position is known.

A crew may have several tickets in hand; the one it is furthest on is its current one.
"""

from __future__ import annotations

from datetime import datetime

import msgspec

from dispatch_core.commands import (
    ArriveAtTicket,
    AssignTicket,
    CrewCommand,
    EndShift,
    RegisterCrew,
    ReleaseTicket,
    StartShift,
    TakeTicket,
)
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import (
    CrewAssigned,
    CrewEnRoute,
    CrewOnSite,
    CrewRegistered,
    CrewReleased,
    CrewShiftEnded,
    CrewShiftStarted,
    Event,
    PositionLost,
    PositionRegained,
)
from dispatch_core.ids import CrewState, TicketId, unix

MEMBERS_MIN = 2


class Policy(msgspec.Struct, frozen=True, kw_only=True):
    """How many tickets a crew may have in hand, and for how long it may send no fix on duty."""

    version: str = "crews-1"
    in_hand: int = 6
    silent_s: int = 300


POLICY = Policy()

STAGES: tuple[CrewState, ...] = ("dispatched", "en_route", "on_site")


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


def decide(
    crew: Crew | None, command: CrewCommand, now: datetime, policy: Policy = POLICY
) -> list[Event]:
    """The facts that a command makes; none where everything already is as it asks.

    Raises NotFound `no_such_crew`; Conflict `crew_off_duty`, `crew_full`, `not_with_crew`,
    `crew_has_tickets`; Invalid `bad_crew`, `bad_shift`.
    """
    if isinstance(command, RegisterCrew):
        return _register(crew, command)
    if crew is None:
        raise NotFound("no_such_crew", "There is no such crew.", "Check its identifier.")
    match command:
        case StartShift():
            if command.ends_at <= unix(now):
                raise Invalid("bad_shift", "The shift would be over already.", "Give a later end.")
            state, current = doing(crew.tickets, on_duty=True)
            return [CrewShiftStarted(state=state, current=current, ends_at=command.ends_at)]
        case EndShift():
            return _end_shift(crew)
        case AssignTicket():
            return _assign(crew, command, policy)
        case TakeTicket():
            tickets = _at_stage(crew, command.ticket, "en_route")
            state, current = doing(tickets, on_duty=crew.on_duty)
            return [CrewEnRoute(state=state, current=current, ticket=command.ticket)]
        case ArriveAtTicket():
            tickets = _at_stage(crew, command.ticket, "on_site")
            state, current = doing(tickets, on_duty=crew.on_duty)
            return [CrewOnSite(state=state, current=current, ticket=command.ticket)]
        case ReleaseTicket():
            if command.ticket not in crew.tickets:
                return []
            left = {t: s for t, s in crew.tickets.items() if t != command.ticket}
            state, current = doing(left, on_duty=crew.on_duty)
            return [CrewReleased(state=state, current=current, ticket=command.ticket)]


def _register(crew: Crew | None, command: RegisterCrew) -> list[Event]:
    if command.members < MEMBERS_MIN or not command.name or not command.trades:
        raise Invalid(
            "bad_crew",
            "A crew has a name, a trade, and two or more people.",
            "Complete the crew's data.",
        )
    event = CrewRegistered(
        name=command.name,
        trades=list(command.trades),
        certificates=command.certificates,
        members=command.members,
        vehicle=command.vehicle,
        shift=command.shift,
    )
    if crew is not None and apply(crew, event, 0) == msgspec.structs.replace(
        crew, version=crew.version + 1
    ):
        return []
    return [event]


def _end_shift(crew: Crew) -> list[Event]:
    if crew.tickets:
        raise Conflict(
            "crew_has_tickets",
            f"{crew.name} still has {len(crew.tickets)} tickets in hand.",
            "Finish them or give them to another crew first.",
            crew.present(),
        )
    return [CrewShiftEnded(state="off", current=None)] if crew.on_duty else []


def _assign(crew: Crew, command: AssignTicket, policy: Policy) -> list[Event]:
    if not crew.on_duty:
        raise Conflict(
            "crew_off_duty",
            f"{crew.name} is off duty.",
            "Choose a crew on duty, or start this crew's shift.",
            crew.present(),
        )
    if command.ticket in crew.tickets:
        return []
    if len(crew.tickets) >= policy.in_hand:
        raise Conflict(
            "crew_full",
            f"{crew.name} has {len(crew.tickets)} tickets in hand, the most a crew may have.",
            "Choose another crew, or take a ticket from this one first.",
            crew.present(),
        )
    tickets = {**crew.tickets, command.ticket: STAGES[0]}
    state, current = doing(tickets, on_duty=True)
    return [CrewAssigned(state=state, current=current, ticket=command.ticket)]


def _at_stage(crew: Crew, ticket: TicketId, stage: CrewState) -> dict[TicketId, CrewState]:
    if ticket not in crew.tickets:
        raise Conflict(
            "not_with_crew",
            f"{crew.name} does not have ticket {ticket}.",
            "Look at the ticket as it is now.",
            crew.present(),
        )
    return {**crew.tickets, ticket: stage}


def watch(
    crew: Crew, last_fix_at: int | None, now: datetime, policy: Policy = POLICY
) -> list[Event]:
    """Whether the crew's position has been lost or regained since the last look.

    `last_fix_at` is the latest accepted fix, Unix seconds. A crew off duty owes no fixes.
    """
    at = unix(now)
    if crew.position_lost_since is not None:
        if last_fix_at is not None and last_fix_at > crew.position_lost_since:
            return [PositionRegained(name=crew.name, lost_s=max(0, at - crew.position_lost_since))]
        return []
    if not crew.on_duty:
        return []
    since = max(last_fix_at or 0, crew.shift_started_at or 0)
    return [PositionLost(name=crew.name, since=since)] if at - since >= policy.silent_s else []


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
            shift=event.shift,
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
        case CrewAssigned():
            crew = replace(crew, tickets={**crew.tickets, event.ticket: STAGES[0]})
        case CrewEnRoute():
            crew = replace(crew, tickets={**crew.tickets, event.ticket: STAGES[1]})
        case CrewOnSite():
            crew = replace(crew, tickets={**crew.tickets, event.ticket: STAGES[2]})
        case CrewReleased():
            left = {t: s for t, s in crew.tickets.items() if t != event.ticket}
            crew = replace(crew, tickets=left)
        case PositionLost():
            crew = replace(crew, position_lost_since=event.since)
        case PositionRegained():
            crew = replace(crew, position_lost_since=None)
        case _:
            raise ValueError(f"{type(event).__name__} is no fact of a crew")
    return crew
