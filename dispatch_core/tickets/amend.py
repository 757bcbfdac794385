"""What later calls and people mend: repeats, kind, owner, place, photos, and merging."""

from __future__ import annotations

import msgspec

from dispatch_core import levels
from dispatch_core.commands import (
    Absorb,
    AddPhotos,
    Amendment,
    ChangeKind,
    ChangeOwner,
    ChangePlace,
    Merge,
    Repeat,
)
from dispatch_core.errors import Invalid
from dispatch_core.events import (
    Event,
    TicketAbsorbed,
    TicketAccepted,
    TicketKindChanged,
    TicketMerged,
    TicketOwned,
    TicketPhotosAdded,
    TicketPlaced,
    TicketRepeated,
)
from dispatch_core.ids import Level, LevelReason, Words
from dispatch_core.tickets.applied import apply
from dispatch_core.tickets.levelling import level_changed
from dispatch_core.tickets.state import Ticket


def reasoned(code: str, reason: Words | None) -> None:
    """Raises Invalid `reason_needed` for an “other” without words."""
    if code == "other" and reason is None:
        raise Invalid(
            "reason_needed", "“Other” says nothing by itself.", "Write the reason in a few words."
        )


def repeat(ticket: Ticket, command: Repeat, at: int, policy: levels.Policy) -> list[Event]:
    """The call is counted; it may be the first contact too, and make the ticket more urgent."""
    if command.reports < 1:
        raise Invalid(
            "bad_reports", f"{command.reports} reports repeat nothing.", "Give 1 or more reports."
        )
    repeated = TicketRepeated(
        ticket=ticket.label,
        due=ticket.due,
        reports=ticket.reports + command.reports,
        source=command.source,
        resident=command.resident,
        words=command.words,
        photos=[p for p in command.photos if p not in ticket.photos],
        said=command.said,
        duplicate=command.duplicate,
    )
    events: list[Event] = [repeated]
    ticket = apply(ticket, repeated, at)
    if command.accepted and ticket.state == "received":
        due = levels.due("accepted", ticket.clocks, ticket.warned)
        accepted = TicketAccepted(ticket=ticket.label, due=due, by=command.by)
        events.append(accepted)
        ticket = apply(ticket, accepted, at)
    return [*events, *_raised(ticket, command.raise_to, command.raise_reason, at, policy)]


def absorb(ticket: Ticket, command: Absorb, at: int, policy: levels.Policy) -> list[Event]:
    """The other ticket's reports are counted here."""
    absorbed = TicketAbsorbed(
        ticket=ticket.label,
        due=ticket.due,
        other=command.other,
        reports=ticket.reports + command.reports,
    )
    ticket = apply(ticket, absorbed, at)
    return [absorbed, *_raised(ticket, command.raise_to, "many_reports", at, policy)]


def _raised(
    ticket: Ticket, level: Level | None, reason: LevelReason, at: int, policy: levels.Policy
) -> list[Event]:
    if level is None or levels.SEVERITY[level] >= levels.SEVERITY[ticket.level]:
        return []
    return [level_changed(ticket, level, reason, None, at, policy)]


def amend(ticket: Ticket, command: Amendment) -> Event:
    """The fact that a person's amendment makes.

    Raises Invalid `same_kind`, `same_owner`, `same_ticket`, `no_photos`, `reason_needed`.
    """
    match command:
        case ChangeKind():
            return _kind(ticket, command)
        case ChangeOwner():
            if command.owner == ticket.owner:
                raise Invalid("same_owner", "This person owns the ticket.", "Name another one.")
            return TicketOwned(
                ticket=ticket.label, due=ticket.due, owner=command.owner, from_owner=ticket.owner,
                by=command.by,
            )  # fmt: skip
        case ChangePlace():
            label = msgspec.structs.replace(ticket.label, address=command.place.address)
            return TicketPlaced(
                ticket=label, due=ticket.due, place=command.place, household=command.household,
                green_channel=command.green_channel, by=command.by,
            )  # fmt: skip
        case Merge():
            return TicketMerged(
                ticket=ticket.label, due=None, into=command.into, by=command.by,
                reason=command.reason,
            )  # fmt: skip
        case AddPhotos():
            return _photos(ticket, command)


def _kind(ticket: Ticket, command: ChangeKind) -> TicketKindChanged:
    if command.kind == ticket.kind:
        raise Invalid("same_kind", f"The ticket is {ticket.kind} already.", "Choose another kind.")
    reasoned(command.reason_code, command.reason)
    return TicketKindChanged(
        ticket=msgspec.structs.replace(ticket.label, kind=command.kind),
        due=ticket.due,
        from_kind=ticket.kind,
        reason_code=command.reason_code,
        reason=command.reason,
        by=command.by,
    )


def _photos(ticket: Ticket, command: AddPhotos) -> TicketPhotosAdded:
    new = [p for p in dict.fromkeys(command.photos) if p not in ticket.photos]
    if not new:
        raise Invalid("no_photos", "None of these photos is new here.", "Choose other photos.")
    return TicketPhotosAdded(ticket=ticket.label, due=ticket.due, photos=new, by=command.by)
