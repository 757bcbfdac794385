"""What a command makes of a crew, or why it is refused."""

from __future__ import annotations

from datetime import datetime

from dispatch_core.commands import (
    ArriveAtTicket,
    AssignTicket,
    CrewBackToWork,
    CrewCommand,
    EndShift,
    RegisterCrew,
    ReleaseTicket,
    StartShift,
    StockCrew,
    StopCrew,
    TakeTicket,
    WorkCommand,
)
from dispatch_core.crews.register import register
from dispatch_core.crews.state import POLICY, STAGES, Crew, Policy, doing
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import (
    CrewAssigned,
    CrewBack,
    CrewEnRoute,
    CrewOnSite,
    CrewReleased,
    CrewShiftEnded,
    CrewShiftStarted,
    CrewStocked,
    CrewStopped,
    Event,
)
from dispatch_core.ids import CrewState, TicketId, unix


def decide(
    crew: Crew | None, command: CrewCommand, now: datetime, policy: Policy = POLICY
) -> list[Event]:
    """The facts that a command makes; none where everything already is as it asks.

    Raises NotFound `no_such_crew`; Conflict `crew_off_duty`, `crew_full`, `not_with_crew`,
    `crew_stopped`, `crew_has_tickets`; Invalid `bad_crew`, `bad_shift`, `bad_parts`, `bad_time`.
    """
    if isinstance(command, RegisterCrew):
        return register(crew, command)
    if crew is None:
        raise NotFound("no_such_crew", "There is no such crew.", "Check its identifier.")
    match command:
        case StockCrew():
            return _stock(crew, command)
        case StopCrew():
            return _stop(crew, command, unix(now))
        case CrewBackToWork():
            return [CrewBack(name=crew.name, by=command.by)] if crew.stopped else []
        case StartShift():
            if command.ends_at <= unix(now):
                raise Invalid("bad_shift", "The shift would be over already.", "Give a later end.")
            state, current = doing(crew.tickets, on_duty=True)
            return [CrewShiftStarted(state=state, current=current, ends_at=command.ends_at)]
        case EndShift():
            return _end_shift(crew)
        case _:
            return _work(crew, command, policy)


def _work(crew: Crew, command: WorkCommand, policy: Policy) -> list[Event]:
    match command:
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


def _stock(crew: Crew, command: StockCrew) -> list[Event]:
    if not all(name and pieces >= 0 for name, pieces in command.parts.items()):
        raise Invalid(
            "bad_parts", "A part without a name, or fewer than none of it.", "Count the van again."
        )
    parts = {name: pieces for name, pieces in command.parts.items() if pieces}
    return [] if parts == crew.parts else [CrewStocked(parts=parts, by=command.by)]


def _stop(crew: Crew, command: StopCrew, at: int) -> list[Event]:
    """The crew keeps the tickets in its hands until a person or the plan moves them."""
    if command.until_at is not None and command.until_at <= at:
        raise Invalid("bad_time", "This time has passed already.", "Give a later time, or none.")
    now = crew.stopped
    if now and (now.reason_code, now.until_at) == (command.reason_code, command.until_at):
        return []
    return [
        CrewStopped(
            name=crew.name, reason_code=command.reason_code, until_at=command.until_at,
            by=command.by,
        )
    ]  # fmt: skip


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
    if crew.stopped is not None:
        raise Conflict(
            "crew_stopped",
            f"{crew.name} can take no work: {crew.stopped.reason_code}.",
            "Choose another crew, or tell first that this one is back at work.",
            crew.present(),
        )
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
