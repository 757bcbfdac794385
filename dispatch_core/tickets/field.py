"""Commands about the visit: the work, what is agreed and permitted, parts, locks, displacement."""

from __future__ import annotations

from msgspec.structs import replace

from dispatch_core import levels
from dispatch_core.commands import (
    Appoint,
    AwaitParts,
    Displace,
    Escalate,
    FieldStep,
    FieldWatch,
    MarkUnproposed,
    PartsReady,
    Permit,
    Pin,
    ProposedAgain,
    SetWork,
    Unpin,
)
from dispatch_core.errors import Conflict, Invalid
from dispatch_core.events import (
    Event,
    TicketAppointed,
    TicketDisplaced,
    TicketEscalated,
    TicketPartsAwaited,
    TicketPartsReady,
    TicketPermitted,
    TicketPinned,
    TicketProposedAgain,
    TicketUnpinned,
    TicketUnproposed,
    TicketWorkSet,
    Work,
)
from dispatch_core.tickets.applied import apply
from dispatch_core.tickets.permits import check_permit
from dispatch_core.tickets.state import OPEN, Ticket, crew_of, unwarned
from dispatch_core.tickets.visit import escalation

WINDOW_S = 24 * 3600
"""The longest window that may be agreed for a visit."""
SKILL = range(1, 6)
MINUTES = range(1, 24 * 60 + 1)


def agree(ticket: Ticket, command: FieldStep, at: int, policy: levels.Policy) -> Event:
    """The fact that a command about the visit makes.

    Raises Invalid `impossible_work`, `same_work`, `bad_window`, `not_appointed`, `bad_permit`,
    `bad_gas`, `permit_expired`, `bad_parts`, `bad_time`, `no_parts_awaited`, `not_pinned`;
    Conflict `with_other_crew`.
    """
    label, due = ticket.label, ticket.due
    match command:
        case SetWork():
            _check_work(command.work)
            if command.work == ticket.work:
                raise Invalid("same_work", "The work is written down so.", "Change something.")
            return TicketWorkSet(ticket=label, due=due, work=command.work, by=command.by)
        case Appoint():
            return _appoint(ticket, command, at, policy)
        case Permit():
            check_permit(command, at)
            return TicketPermitted(
                ticket=label, due=due, permit=command.permit, number=command.number,
                gas=command.gas, guard=command.guard, valid_until=command.valid_until,
                by=command.by,
            )  # fmt: skip
        case AwaitParts():
            check_parts(command.parts)
            _check_future(command.expected_at, at)
            return TicketPartsAwaited(
                ticket=label, due=due, parts=command.parts, store=command.store,
                expected_at=command.expected_at, by=command.by,
            )  # fmt: skip
        case PartsReady():
            if ticket.parts_wait is None:
                raise Invalid(
                    "no_parts_awaited", "The ticket waits for no parts.", "Look at it as it is now."
                )
            return TicketPartsReady(ticket=label, due=due, by=command.by)
        case Pin():
            return _pin(ticket, command, at)
        case Unpin():
            if ticket.pinned is None:
                raise Invalid("not_pinned", "Nothing is locked.", "Look at the ticket as it is.")
            return TicketUnpinned(ticket=label, due=due, by=command.by)


def _check_work(work: Work) -> None:
    found = next(
        (
            told
            for fits, told in (
                (work.skill in SKILL, f"skill {work.skill} is not 1 to 5"),
                (work.minutes in MINUTES, f"{work.minutes} minutes on site are not 1 to 1440"),
                (work.crews in (1, 2), f"{work.crews} crews cannot begin together: 1 or 2"),
                (
                    all(name and pieces > 0 for name, pieces in work.parts.items()),
                    "a part has no name, or no pieces",
                ),
                (all(work.certificates), "a certificate has no name"),
                (all(work.vehicle), "something that the van must carry has no name"),
            )
            if not fits
        ),
        None,
    )
    if found is not None:
        raise Invalid("impossible_work", f"No crew can do this: {found}.", "Correct the work.")


def check_parts(parts: dict[str, int]) -> None:
    """Raises Invalid `bad_parts` where nothing is named, or a part without pieces."""
    if not parts or not all(name and pieces > 0 for name, pieces in parts.items()):
        raise Invalid(
            "bad_parts", "A part without a name or pieces is none.", "Name parts, 1 piece or more."
        )


def _check_future(when: int, at: int) -> None:
    if when <= at:
        raise Invalid("bad_time", "This time has passed already.", "Give a later time.")


def _appoint(ticket: Ticket, command: Appoint, at: int, policy: levels.Policy) -> TicketAppointed:
    first, last = command.from_at, command.until_at
    if first is None and last is None:
        if ticket.appointed is None:
            raise Invalid("not_appointed", "No visit is agreed.", "Look at the ticket as it is.")
    elif first is None or last is None or not first < last <= first + WINDOW_S or last <= at:
        raise Invalid(
            "bad_window",
            "A window begins before it ends, ends in the future, and is 24 hours long at most.",
            "Give another window, or none on both sides to call the visit off.",
        )
    on_site_by = None
    if ticket.state == "confirmed":
        on_site_by = last if last is not None else at + policy.on_site_s
    event = TicketAppointed(
        ticket=ticket.label, due=None, from_at=first, until_at=last,
        night_agreed=command.night_agreed and first is not None, by=command.by,
        on_site_by=on_site_by,
    )  # fmt: skip
    return replace(event, due=apply(ticket, event, at).due)


def _pin(ticket: Ticket, command: Pin, at: int) -> TicketPinned:
    if command.start_at is not None:
        _check_future(command.start_at, at)
    if ticket.crew is not None and command.crew not in ticket.crews:
        raise Conflict(
            "with_other_crew",
            f"{ticket.crew_name} has this ticket; it cannot be locked to another crew.",
            "Give it to the other crew first, or lock it to the one that has it.",
            ticket.present(),
        )
    return TicketPinned(
        ticket=ticket.label, due=ticket.due, crew=command.crew, crew_name=command.crew_name,
        start_at=command.start_at, by=command.by,
    )  # fmt: skip


def displace(ticket: Ticket, command: Displace, at: int) -> list[Event]:
    """The ticket waits again; a lock is off, since its crew is gone.

    Raises Conflict `on_site` where a crew is at work and no person says that all is safe.
    """
    crew, name = crew_of(ticket)
    safe = command.made_safe and command.by.startswith(("person:", "crew:"))
    if ticket.state == "handling" and not safe:
        raise Conflict(
            "on_site",
            f"{name} is at work on this ticket.",
            "A person has the place made safe first, and says so.",
            ticket.present(),
        )
    events: list[Event] = []
    if ticket.pinned is not None:
        unpinned = TicketUnpinned(ticket=ticket.label, due=ticket.due, by=command.by)
        events.append(unpinned)
        ticket = apply(ticket, unpinned, at)
    clocks = replace(ticket.clocks, on_site=None)
    due = levels.due("accepted", clocks, unwarned(ticket.warned, "on_site"))
    displaced = TicketDisplaced(
        ticket=ticket.label, due=due, crew=crew,
        crew_name=name, was=ticket.state, reason_code=command.reason_code,
        because=command.because, next_crew=command.next_crew, next_at=command.next_at,
        made_safe=command.made_safe, by=command.by, reason=command.reason,
    )  # fmt: skip
    return [*events, displaced]


def watched(ticket: Ticket, command: FieldWatch, at: int) -> list[Event]:
    """What the core says of an open ticket; nothing where it was said, or is over."""
    label, due = ticket.label, ticket.due
    if ticket.state not in OPEN:
        return []
    match command:
        case Escalate():
            if escalation(command.clock) in ticket.escalated:
                return []
            return [
                TicketEscalated(
                    ticket=label, due=due, clock=command.clock, deadline=command.deadline,
                    to=command.to,
                )
            ]  # fmt: skip
        case MarkUnproposed():
            if ticket.unproposed_since is not None or ticket.crew is not None:
                return []
            back = ticket.proposed_at
            return [
                TicketUnproposed(
                    ticket=label, due=due, since=command.since, rules=command.rules,
                    again=back is not None and at < back + command.settled_s,
                )
            ]  # fmt: skip
        case ProposedAgain():
            if ticket.unproposed_since is None:
                return []
            return [TicketProposedAgain(ticket=label, due=due)]
