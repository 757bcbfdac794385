"""Everything that a decision of dispatch follows from, in integers and words.

The same inputs give the same answer, bit for bit; whoever stores them can replay it.
"""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec

from dispatch_core.dispatch.policy import Policy
from dispatch_core.events import Pause, Span, Work
from dispatch_core.ids import (
    CrewId,
    Level,
    PermitKind,
    Precision,
    RequestKind,
    StoreId,
    TicketId,
    TicketState,
)
from geo.travel import TravelTable

Stage = Literal["dispatched", "confirmed", "en_route", "on_site"]
"""How far a crew is with a ticket: given, taken, being driven to, being worked on."""


class Spot(msgspec.Struct, frozen=True, order=True):
    """A place in WGS-84, millionths of a degree."""

    lon_u: int
    lat_u: int


class InHand(msgspec.Struct, frozen=True, kw_only=True):
    """A ticket that a crew has, and how far it is."""

    ticket: TicketId
    stage: Stage
    since_at: int
    """When it got so far; on site: when work began."""


class Team(msgspec.Struct, frozen=True, kw_only=True):
    """A crew as it stands."""

    crew: CrewId
    name: str
    version: int
    """Of its stream."""
    trades: list[str]
    certificates: list[str] = []
    skill: int = 3
    members: int = 2
    equipment: list[str] = []
    """What the van carries for good."""
    parts: dict[str, int] | None = None
    """What lies on the van, part -> pieces; None: nobody has said."""
    territory: list[str] = []
    """Districts by day; empty: the whole city."""
    base: Spot | None = None
    shift: str = ""
    """HH:MM-HH:MM by the city's clock."""
    on_duty: bool = False
    shift_ends_at: int | None = None
    """When on duty."""
    breaks: list[Pause] = []
    stopped: bool = False
    stopped_until: int | None = None
    """When it is thought to be back; nothing is planned on that."""
    place: Spot | None = None
    """Where it counts from: its ticket when on site, else its last fix; None: no fix at all."""
    fix_age_s: int | None = None
    """How long ago that fix was heard; None: none was, or it is on site."""
    in_hand: list[InHand] = []
    """In order of assignment."""


class Permitted(msgspec.Struct, frozen=True, kw_only=True):
    """A permit of a ticket."""

    permit: PermitKind
    valid_until: int
    guard: bool = False
    """A guard is named."""
    gas_at: int | None = None
    """When the gas was read, within the limits."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """An open ticket as it stands; one whose work on site is over is none."""

    ticket: TicketId
    version: int
    kind: RequestKind
    level: Level
    state: TicketState
    """received to handling."""
    address: str
    received_at: int
    due_at: int
    """The earliest running clock of respond, on site and solved."""
    work: Work
    """As a person set it, else as the policy says it: `work_of`."""
    place: Spot | None
    """None: no place is known that a van can be sent to."""
    area: Spot | None = None
    """The middle of the area that it is in, where no more is known."""
    precision: Precision = "building"
    building: str | None = None
    district: str | None = None
    pipe: str | None = None
    """The riser or circuit that it hangs on."""
    crew: CrewId | None = None
    """Who has it."""
    with_crew: CrewId | None = None
    pinned: CrewId | None = None
    pinned_at: int | None = None
    appointed_from: int | None = None
    appointed_until: int | None = None
    night_agreed: bool = False
    permits: list[Permitted] = []
    parts_at: int | None = None
    """It waits for parts on order, which are expected then."""
    parts_store: StoreId | None = None
    """Where its parts are reserved, to be fetched on the way."""
    degree_hours_m: int = 0
    """Thousandths of a degree-hour below 18 degC that its building's points add up to each hour."""
    visits_by: dict[CrewId, int] = {}
    """Crew -> how often it has worked in this building."""
    danger: bool = False
    """Words of danger were heard, or a person said so."""

    @property
    def target(self) -> Spot | None:
        """Where a crew is sent: a red ticket's to its area while its place is being asked for."""
        return self.area if self.place is None and self.level == "red" else self.place


class Store(msgspec.Struct, frozen=True, kw_only=True):
    """A store as it stands."""

    store: StoreId
    place: Spot
    parts: dict[str, int]
    """What is free, part -> pieces."""


class Slot(msgspec.Struct, frozen=True, kw_only=True):
    """A visit of the plan in force."""

    tickets: list[TicketId]
    start_at: int


class Held(msgspec.Struct, frozen=True, kw_only=True):
    """A crew's part of the plan in force."""

    crew: CrewId
    visits: list[Slot]
    breaks: list[Span] = []
    """Told to it; one that has begun is not given again."""


class Inputs(msgspec.Struct, frozen=True, kw_only=True):
    """All of it. Lists are in order of their ids; business times are Unix seconds."""

    at: int
    utc_offset_s: int
    policy: Policy
    policy_version: str
    position_discount_s: int
    position_exclude_s: int
    """Ages of a fix, from the city's travel policy."""
    travel: TravelTable
    """From each place of `places_of` to each; a pair that it lacks is taken by great circle."""
    teams: list[Team]
    tasks: list[Task]
    stores: list[Store] = []
    plan: int = 0
    """The plan in force; 0: none yet."""
    held: list[Held] = []
    closed_districts: list[str] = []
    seed: int = 0
    program: str = ""
    """The release that decides: another one may answer otherwise."""


class MoreOf(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """More crews like one that there is."""

    like: CrewId
    n: Annotated[int, msgspec.Meta(ge=1, le=50)]


class Change(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What if: asked, never done."""

    crews_down: Annotated[list[CrewId], msgspec.Meta(max_length=1_000)] = []
    districts_closed: Annotated[list[str], msgspec.Meta(max_length=1_000)] = []
    extra_crews: Annotated[list[MoreOf], msgspec.Meta(max_length=20)] = []
    at: Annotated[int, msgspec.Meta(ge=0, le=253_402_300_799)] | None = None
