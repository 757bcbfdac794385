"""What a command makes of a ticket, or why it is refused."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import msgspec

from dispatch_core import levels
from dispatch_core.commands import (
    Absorb,
    Accept,
    AddPhotos,
    Amendment,
    Appoint,
    AwaitParts,
    Cancel,
    ChangeKind,
    ChangeLevel,
    ChangeOwner,
    ChangePlace,
    Close,
    Confirm,
    Dispatch,
    Displace,
    FieldStep,
    FieldWatch,
    Handle,
    Link,
    Merge,
    PartsReady,
    Permit,
    Pin,
    ReceiveRequest,
    Reopen,
    Repeat,
    SetWork,
    TicketCommand,
    TicketStep,
    Unpin,
    Verify,
)
from dispatch_core.errors import Conflict, Invalid, NotFound
from dispatch_core.events import (
    ContactRegained,
    Due,
    Event,
    TicketAccepted,
    TicketCancelled,
    TicketClosed,
    TicketConfirmed,
    TicketDispatched,
    TicketHandling,
    TicketLabel,
    TicketLinked,
    TicketReceived,
    TicketReopened,
    TicketUnpinned,
    TicketVerifying,
)
from dispatch_core.ids import TicketState, unix
from dispatch_core.tickets.amend import absorb, amend, reasoned, repeat
from dispatch_core.tickets.applied import apply
from dispatch_core.tickets.field import agree, displace, watched
from dispatch_core.tickets.levelling import level_changed
from dispatch_core.tickets.state import OPEN, POSSIBLE, Ticket, crew_of

_Step = (
    Accept | Dispatch | Confirm | Handle | Verify | Close | Cancel | Reopen | ChangeLevel | Displace
)  # fmt: skip


def decide(
    ticket: Ticket | None,
    command: TicketCommand,
    now: datetime,
    policy: levels.Policy = levels.POLICY,
) -> list[Event]:
    """The facts that a command makes, oldest first.

    Raises Conflict `already_exists`, `version_conflict` or `wrong_state` with the present state,
    NotFound `no_such_ticket`, Invalid `reason_needed`, `bad_reports`, `same_crew`, `same_level`,
    `not_satisfied`, `same_kind`, `same_owner`, `same_ticket` or `no_photos`, and what `agree` and
    `displace` of the visit raise.
    """
    at = unix(now)
    if isinstance(command, ReceiveRequest):
        if ticket is not None:
            raise Conflict(
                "already_exists", "There is such a ticket already.", "Look at it.", ticket.present()
            )
        return _receive(command, at, policy)
    if ticket is None:
        raise NotFound("no_such_ticket", "There is no such ticket.", "Check its number.")
    if isinstance(command, Repeat | Absorb):
        _check_state(ticket, "repeat" if isinstance(command, Repeat) else "absorb", OPEN)
        if isinstance(command, Repeat):
            return repeat(ticket, command, at, policy)
        return absorb(ticket, command, at, policy)
    if isinstance(command, FieldWatch):
        return watched(ticket, command, at)
    _check(ticket, command)
    if isinstance(command, Link):
        return [
            TicketLinked(
                ticket=ticket.label, due=ticket.due, digest=command.digest, by=command.by
            )
        ]  # fmt: skip
    if isinstance(command, Amendment):
        return [amend(ticket, command)]
    if isinstance(command, FieldStep):
        return [agree(ticket, command, at, policy)]
    events: list[Event] = []
    if ticket.lost_contact and not isinstance(command, ChangeLevel | Close | Cancel):
        regained = ContactRegained(ticket=ticket.label, due=ticket.due)
        events.append(regained)
        ticket = apply(ticket, regained, at)
    return [*events, *_step(ticket, command, at, policy)]


def _receive(command: ReceiveRequest, at: int, policy: levels.Policy) -> list[Event]:
    if command.reports < 1:
        raise Invalid(
            "bad_reports", f"{command.reports} reports make no ticket.", "Give 1 or more reports."
        )
    label = TicketLabel(level=command.level, kind=command.kind, address=command.place.address)
    clocks = levels.start(command.level, at, policy)
    received = TicketReceived(
        ticket=label,
        due=levels.due("received", clocks, {}),
        level_reason=command.level_reason,
        source=command.source,
        place=command.place,
        reports=command.reports,
        resident=command.resident,
        words=command.words,
        outage=command.outage,
        clocks=clocks,
        policy=policy.version,
        household=command.household,
        green_channel=command.green_channel,
        photos=command.photos,
        reasons=command.reasons,
        said=command.said,
    )
    if not command.accepted:
        return [received]
    due = levels.due("accepted", clocks, {})
    return [received, TicketAccepted(ticket=label, due=due, by=command.by)]


def _check(ticket: Ticket, command: TicketStep) -> None:
    name, version = NAMES[type(command)], command.version
    if version is not None and not ticket.decided <= version <= ticket.version:
        raise Conflict(
            "version_conflict",
            f"The ticket has changed: it is {ticket.state} at version {ticket.version}.",
            "Look at the ticket as it is now and decide again.",
            ticket.present(),
        )
    states = [state for state, names in POSSIBLE.items() if name in names]
    _check_state(ticket, name, states)


def _check_state(ticket: Ticket, name: str, states: Collection[TicketState]) -> None:
    if ticket.state not in states:
        possible = ", ".join(POSSIBLE[ticket.state]) or "nothing"
        raise Conflict(
            "wrong_state",
            f"A ticket that is {ticket.state} cannot take the step {name}.",
            f"Possible now: {possible}.",
            ticket.present(),
        )


def _step(  # noqa: PLR0911 - one answer per command
    ticket: Ticket, command: _Step, at: int, policy: levels.Policy
) -> list[Event]:
    label = ticket.label
    match command:
        case Accept():
            return [TicketAccepted(ticket=label, due=_due_in(ticket, "accepted"), by=command.by)]
        case Dispatch():
            return _dispatch(ticket, command)
        case Displace():
            return displace(ticket, command, at)
        case Confirm():
            return [_confirm(ticket, at, policy)]
        case Handle():
            crew, name = crew_of(ticket)
            due = _due_in(ticket, "handling")
            return [TicketHandling(ticket=label, due=due, crew=crew, crew_name=name)]
        case Verify():
            crew, name = crew_of(ticket)
            return [TicketVerifying(ticket=label, due=None, crew=crew, crew_name=name)]
        case Close():
            return [_close(ticket, command, at)]
        case Cancel():
            code, reason = command.reason_code, command.reason
            reasoned(code, reason)
            return [TicketCancelled(ticket=label, due=None, reason_code=code, reason=reason)]
        case Reopen():
            return [_reopen(ticket, command, at, policy)]
        case ChangeLevel():
            if command.level == ticket.level:
                raise Invalid(
                    "same_level", f"The ticket is {ticket.level} already.", "Choose another level."
                )
            reasoned(command.reason_code, command.reason)
            return [
                level_changed(
                    ticket, command.level, command.reason_code, command.reason, at, policy
                )
            ]


def _confirm(ticket: Ticket, at: int, policy: levels.Policy) -> TicketConfirmed:
    crew, name = crew_of(ticket)
    window = ticket.appointed
    by = window.until_at if window and window.until_at > at else at + policy.on_site_s
    clocks = msgspec.structs.replace(ticket.clocks, on_site=by)
    due = levels.due("confirmed", clocks, ticket.warned)
    return TicketConfirmed(ticket=ticket.label, due=due, crew=crew, crew_name=name, on_site_by=by)


def _due_in(ticket: Ticket, state: TicketState) -> Due | None:
    return levels.due(state, ticket.clocks, ticket.warned)


def _dispatch(ticket: Ticket, command: Dispatch) -> list[Event]:
    """A lock to another crew is off: the person who gives the ticket away has seen it."""
    if command.crew == command.with_crew:
        raise Invalid("same_crew", "Two crews are needed, not one twice.", "Name another crew.")
    if (ticket.crew, ticket.with_crew) == (command.crew, command.with_crew):
        raise Invalid(
            "same_crew", f"{command.crew_name} already has this ticket.", "Choose another crew."
        )
    if ticket.crew not in {None, command.crew} and command.reason_code is None:
        raise Invalid(
            "reason_needed",
            f"{ticket.crew_name} has this ticket; taking it away needs a reason.",
            "Give the reason for choosing another crew.",
        )
    if command.reason_code is not None:
        reasoned(command.reason_code, command.reason)
    due, label = _due_in(ticket, "dispatched"), ticket.label
    events: list[Event] = []
    if ticket.pinned is not None and ticket.pinned.crew != command.crew:
        events.append(TicketUnpinned(ticket=label, due=ticket.due, by=command.by))
    dispatched = TicketDispatched(
        ticket=label, due=due, crew=command.crew, crew_name=command.crew_name,
        from_crew=ticket.crew, by=command.by, reason_code=command.reason_code,
        reason=command.reason, with_crew=command.with_crew, plan=command.plan,
        decision=command.decision, rank=command.rank, price=command.price,
        arrive_at=command.arrive_at, auto=command.auto,
    )  # fmt: skip
    return [*events, dispatched]


def _close(ticket: Ticket, command: Close, at: int) -> TicketClosed:
    if command.satisfied is False:
        raise Invalid(
            "not_satisfied",
            "A ticket whose resident is not satisfied is not closed.",
            "Reopen it with the reason “dissatisfied”.",
        )
    return TicketClosed(
        ticket=ticket.label,
        due=None,
        satisfied=command.satisfied,
        took_s=max(0, at - ticket.received_at),
        crew_name=ticket.crew_name,
    )


def _reopen(ticket: Ticket, command: Reopen, at: int, policy: levels.Policy) -> TicketReopened:
    reasoned(command.reason_code, command.reason)
    clocks = levels.start(ticket.level, at, policy)
    return TicketReopened(
        ticket=ticket.label,
        due=levels.due("accepted", clocks, {}),
        reason_code=command.reason_code,
        reason=command.reason,
        source=ticket.source,
        place=ticket.place,
        reports=ticket.reports,
        outage=ticket.outage,
        received_at=ticket.received_at,
        clocks=clocks,
        policy=policy.version,
    )


NAMES: dict[type, str] = {
    Accept: "accept",
    Dispatch: "dispatch",
    Confirm: "confirm",
    Handle: "handle",
    Verify: "verify",
    Close: "close",
    Cancel: "cancel",
    Reopen: "reopen",
    ChangeLevel: "change_level",
    ChangeKind: "change_kind",
    ChangeOwner: "change_owner",
    ChangePlace: "change_place",
    Merge: "merge",
    AddPhotos: "add_photos",
    SetWork: "set_work",
    Appoint: "appoint",
    Permit: "permit",
    AwaitParts: "await_parts",
    PartsReady: "parts_ready",
    Pin: "pin",
    Unpin: "unpin",
    Displace: "displace",
    Link: "link",
}
