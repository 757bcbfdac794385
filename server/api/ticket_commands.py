"""The commands on a ticket: what each one's body says, and the use case it becomes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import msgspec

from dispatch_core import commands
from dispatch_core.errors import NotFound
from dispatch_core.ids import (
    CancelReason,
    KindReason,
    Level,
    LevelReason,
    PhotoId,
    ReopenReason,
    RequestKind,
    TicketId,
    Words,
)
from server.adapters.accounts import Accounts, Principal
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.wishes import Name, PhotoName
from server.ports import CityPolicy, SecretText, UseCase
from server.usecases.merging import MergeTicket
from server.usecases.placing import PlaceTicket
from server.usecases.tickets import Step, StepTicket

Text = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Seen(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The version of the ticket that the caller saw."""

    version: Annotated[int, msgspec.Meta(ge=1)]


class CloseBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """What the call-back brought; null when nobody could be reached."""

    satisfied: bool | None


class CancelBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Why there is no work; in words too once a crew was on site."""

    reason_code: CancelReason
    reason: Text | None = None


class ReopenBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Why it is not over."""

    reason_code: ReopenReason
    reason: Text | None = None


class LevelBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """The new level and why."""

    level: Level
    reason_code: LevelReason
    reason: Text | None = None


class KindBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """What it really is, and how that was found out."""

    kind: RequestKind
    reason_code: KindReason
    reason: Text | None = None


class OwnerBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Who owns the ticket until the call-back: a name of GET /api/people."""

    owner: Name


class MergeBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """The open ticket that is the same piece of work; a reason is owed once a crew was on site."""

    into: Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
    reason: Text | None = None


class PhotosBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """Photos that were sent before."""

    photos: Annotated[list[PhotoName], msgspec.Meta(min_length=1, max_length=20)]


class PlaceBody(Seen, kw_only=True, forbid_unknown_fields=True):
    """The door that was found."""

    household: Name | None = None
    building: Name | None = None


class Writing(NamedTuple):
    """What making a command needs."""

    vault: Vault
    policies: Policies
    accounts: Accounts


class Context(NamedTuple):
    """Who commands which ticket, under which rules."""

    principal: Principal
    ticket: TicketId
    vault: Vault
    city: CityPolicy

    def text(self, reason: str | None) -> SecretText | None:
        """A written reason, to be sealed."""
        return self.vault.words(self.principal.company, reason) if reason else None

    def step(self, command: Step, reason: SecretText | None = None) -> UseCase:
        """A step of the ticket."""
        return StepTicket(
            ticket=self.ticket, command=command, by=self.principal.actor, reason=reason,
            city=self.city,
        )  # fmt: skip


class Command(NamedTuple):
    """A command: its body, what it makes of it, an example and a line for the documentation."""

    body: type
    make: Callable[[Any, Context], UseCase]
    example: dict[str, Any]
    summary: str


def _close(b: CloseBody, x: Context) -> UseCase:
    return x.step(commands.Close(version=b.version, satisfied=b.satisfied))


def reasoned(
    make: Callable[[Any, Context, Words | None], Step],
) -> Callable[[Any, Context], UseCase]:
    """A step with a written reason: the text is sealed, the command knows it by its digest."""

    def made(b: Any, x: Context) -> UseCase:  # noqa: ANN401 - a body with `reason`
        text = x.text(b.reason)
        return x.step(make(b, x, text.words if text else None), text)

    return made


def _cancel(b: CancelBody, _: Context, words: Words | None) -> Step:
    return commands.Cancel(version=b.version, reason_code=b.reason_code, reason=words)


def _reopen(b: ReopenBody, _: Context, words: Words | None) -> Step:
    return commands.Reopen(version=b.version, reason_code=b.reason_code, reason=words)


def _level(b: LevelBody, _: Context, words: Words | None) -> Step:
    return commands.ChangeLevel(
        version=b.version, level=b.level, reason_code=b.reason_code, reason=words
    )


def _kind(b: KindBody, x: Context, words: Words | None) -> Step:
    return commands.ChangeKind(
        version=b.version, kind=b.kind, by=x.principal.actor, reason_code=b.reason_code,
        reason=words,
    )  # fmt: skip


def _owner(b: OwnerBody, x: Context) -> UseCase:
    command = commands.ChangeOwner(
        version=b.version, owner=f"person:{b.owner}", by=x.principal.actor
    )
    return x.step(command)


def _merge(b: MergeBody, x: Context) -> UseCase:
    return MergeTicket(
        ticket=x.ticket, into=TicketId(b.into), version=b.version, by=x.principal.actor,
        city=x.city, reason=x.text(b.reason),
    )  # fmt: skip


def _photos(b: PhotosBody, x: Context) -> UseCase:
    photos = [PhotoId(p) for p in b.photos]
    return x.step(commands.AddPhotos(version=b.version, photos=photos, by=x.principal.actor))


def _place(b: PlaceBody, x: Context) -> UseCase:
    return PlaceTicket(
        ticket=x.ticket, version=b.version, household=b.household, building=b.building,
        by=x.principal.actor, city=x.city,
    )  # fmt: skip


async def check_people(accounts: Accounts, company: int, body: object) -> None:
    """Raises NotFound `no_such_person` for an owner who does not work here."""
    if not isinstance(body, OwnerBody):
        return
    if body.owner not in {person.name for person in await accounts.people(company)}:
        raise NotFound(
            "no_such_person",
            f"Nobody here is called {body.owner}.",
            "Choose somebody of GET /api/people.",
        )


def _step(make: Callable[[Seen, Context], Step]) -> Callable[[Seen, Context], UseCase]:
    return lambda b, x: x.step(make(b, x))


COMMANDS: dict[str, Command] = {
    "accept": Command(
        Seen, _step(lambda b, x: commands.Accept(version=b.version, by=x.principal.actor)),
        {"version": 1}, "A seat takes the ticket on: first contact",
    ),
    "confirm": Command(
        Seen, _step(lambda b, _: commands.Confirm(version=b.version)), {"version": 3},
        "The crew takes the ticket"
    ),
    "handle": Command(
        Seen, _step(lambda b, _: commands.Handle(version=b.version)), {"version": 4},
        "The crew checks in on site"
    ),
    "verify": Command(
        Seen, _step(lambda b, _: commands.Verify(version=b.version)), {"version": 5},
        "The crew has finished; the call-back is next",
    ),
    "close": Command(
        CloseBody, _close, {"version": 6, "satisfied": True}, "The call-back was made",
    ),
    "cancel": Command(
        CancelBody, reasoned(_cancel), {"version": 2, "reason_code": "duplicate"},
        "End the ticket without work, with a reason"
    ),
    "reopen": Command(
        ReopenBody, reasoned(_reopen), {"version": 7, "reason_code": "dissatisfied"},
        "It is not over, with a reason"
    ),
    "level": Command(
        LevelBody, reasoned(_level), {"version": 2, "level": "red", "reason_code": "danger"},
        "Raise or lower the response level"
    ),
    "kind": Command(
        KindBody, reasoned(_kind), {"version": 2, "kind": "leak", "reason_code": "found_on_site"},
        "It is another kind of request than was heard"
    ),
    "owner": Command(
        OwnerBody, _owner, {"version": 2, "owner": "admin"},
        "Another person owns the ticket until the call-back"
    ),
    "merge": Command(
        MergeBody, _merge, {"version": 2, "into": "260114-004711"},
        "The ticket ends in another one; its external cases go along"
    ),
    "photos": Command(
        PhotosBody, _photos, {"version": 2, "photos": ["0" * 64]}, "Hang photos on the ticket"
    ),
    "place": Command(
        PlaceBody, _place, {"version": 2, "building": "B01"}, "The door was found: move the ticket"
    ),
}  # fmt: skip
