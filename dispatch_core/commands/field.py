"""What people agree, permit and lock about a ticket's visit, and what the core says of it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from dispatch_core.events import Gas, Work
from dispatch_core.ids import (
    Clock,
    CrewId,
    DisplaceReason,
    PermitKind,
    RuleCode,
    StoreId,
    TicketId,
    Words,
)


class GasLimits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The air in which people may work in a confined space (GBZ 2.1, GB 30871)."""

    oxygen_min_pct: Annotated[float, msgspec.Meta(ge=0, le=100)]
    oxygen_max_pct: Annotated[float, msgspec.Meta(ge=0, le=100)]
    lel_max_pct: Annotated[float, msgspec.Meta(ge=0, le=100)]
    """At this much of the lower explosive limit, and above, nobody goes in; so with the others."""
    co_max_ppm: Annotated[float, msgspec.Meta(ge=0, le=10_000)]
    h2s_max_ppm: Annotated[float, msgspec.Meta(ge=0, le=10_000)]
    valid_s: Annotated[int, msgspec.Meta(ge=1, le=86_400)]
    """A reading holds for so long."""


class SetWork(msgspec.Struct, frozen=True, kw_only=True):
    """A person says what the work is: all of it."""

    version: int
    work: Work
    by: str


class Appoint(msgspec.Struct, frozen=True, kw_only=True):
    """A visit is agreed for a window (Unix seconds); both None: there is none any more."""

    version: int
    from_at: int | None
    until_at: int | None
    by: str
    night_agreed: bool = False


class Permit(msgspec.Struct, frozen=True, kw_only=True):
    """A permit was written for dangerous work."""

    version: int
    permit: PermitKind
    number: str
    valid_until: int
    by: str
    limits: GasLimits
    gas: Gas | None = None
    guard: str | None = None


class AwaitParts(msgspec.Struct, frozen=True, kw_only=True):
    """The work waits for parts until `expected_at`; `store`: they are kept there for it."""

    version: int
    parts: dict[str, int]
    expected_at: int
    by: str
    store: StoreId | None = None


class PartsReady(msgspec.Struct, frozen=True, kw_only=True):
    """The parts are there."""

    version: int
    by: str


class Pin(msgspec.Struct, frozen=True, kw_only=True):
    """Lock the visit to a crew, and to a start if one is given."""

    version: int
    crew: CrewId
    crew_name: str
    by: str
    start_at: int | None = None


class Unpin(msgspec.Struct, frozen=True, kw_only=True):
    """Take the lock off."""

    version: int
    by: str


class Displace(msgspec.Struct, frozen=True, kw_only=True):
    """Take the ticket from its crew: it waits for one again, because of something more urgent.

    From the site only a person takes a crew, and only once the place was made safe.
    """

    version: int
    reason_code: DisplaceReason
    by: str
    because: TicketId | None = None
    next_crew: CrewId | None = None
    next_at: int | None = None
    made_safe: bool = False
    reason: Words | None = None


class Link(msgspec.Struct, frozen=True, kw_only=True):
    """A link for the resident was made; one made before has ended."""

    version: int
    digest: str
    """Of the token."""
    by: str


class Escalate(msgspec.Struct, frozen=True, kw_only=True):
    """The core carries it to the duty manager; `clock` None: no crew can be proposed."""

    clock: Clock | None
    deadline: int | None
    to: str


class MarkUnproposed(msgspec.Struct, frozen=True, kw_only=True):
    """The core has found no crew since `since`; `rules`: rule -> crews that it left out."""

    since: int
    rules: dict[RuleCode, int]
    settled_s: int = 0
    """Only after so long with a crew to propose is it another matter than the last time."""


class ProposedAgain(msgspec.Struct, frozen=True, kw_only=True):
    """The core has found a crew after all."""


FieldStep = SetWork | Appoint | Permit | AwaitParts | PartsReady | Pin | Unpin
"""What the visit is changes, not how far the ticket has come."""
FieldWatch = Escalate | MarkUnproposed | ProposedAgain
"""What the core says of an open ticket, as it is now; once each."""
