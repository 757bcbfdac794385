"""What use cases ask for, and what they answer: the seam between decisions and the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Literal, Protocol

import msgspec

from dispatch_core import campaigns, cases, dispatch, evidence, requests, suspensions
from dispatch_core.events import Event
from dispatch_core.ids import OutageId, TicketId, Words
from geo.travel_policy import TravelPolicy


class Clock(Protocol):
    """The injected business clock."""

    def now(self) -> datetime:
        """Business time, UTC."""


# ---------------------------------------------------------------- use cases: load, decide, save


Spot = tuple[float, float]
"""Longitude and latitude, WGS-84 degrees."""


class Building(msgspec.Struct, frozen=True, kw_only=True):
    """A building of the register, as decisions need it."""

    id: str
    lon: float
    lat: float
    address: str
    community: str | None
    community_name: str | None
    district: str | None
    substation: str | None


class Node(msgspec.Struct, frozen=True, kw_only=True):
    """A node of the heat tree with what hangs below it."""

    id: str
    kind: str
    name: str
    lon: float
    lat: float
    buildings: list[str]
    households: int


class CityPolicy(msgspec.Struct, frozen=True, kw_only=True):
    """A city's rules of one season, as read from its policy file."""

    version: str
    """City, season and a digest of the file, e.g. `harbin/2026-2027@1f3a9c2e`: stands with every
    decision."""
    season: str
    """Two years, e.g. `2026-2027`."""
    timezone: str
    requests: requests.Policy
    suspension: suspensions.Policy
    """Its days are full dates `YYYY-MM-DD`."""
    cases: cases.Policy
    reminders: campaigns.Policy
    dispatch: dispatch.Policy
    evidence: evidence.Policy = evidence.POLICY
    travel: TravelPolicy = TravelPolicy()


class Household(msgspec.Struct, frozen=True, kw_only=True):
    """A flat of the register as decisions need it."""

    id: str
    building: Building
    unit: int
    floor: int
    flat: str
    risers: list[str]
    area_m2: float
    """The area that is billed: the heated one where it is known."""
    gable: bool
    ground_floor: bool
    top_floor: bool
    valve: bool
    """It has a valve of its own outside the door."""
    green_channel: bool
    warranty_until: date | None
    """The household's own, else its building's."""
    resident: str
    """Pseudonym of the registered owner."""
    owner_name: bytes | None
    """Blind index of the owner's name."""
    owner_certificate: bytes | None = None
    """Keyed digest of the owner's identity number."""
    unpaid_fen: int | None
    """None: billing has said nothing."""


OpenRequest = requests.OpenRequest
Door = requests.Door


Channel = Literal["department", "case", "resident", "duty"]


class OutMessage(msgspec.Struct, frozen=True, kw_only=True):
    """A message that is to leave the house: stored with the facts, carried out by a gateway."""

    channel: Channel
    target: str
    """`operations` or `finance`; an origin of cases; a resident's pseudonym; `manager`."""
    kind: str
    """e.g. `valve_set`, `case_replied`, `reminder`."""
    about: str
    """The stream that the outcome is told to."""
    body: dict[str, Any]
    """JSON-ready; sealed at rest."""


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """A proposal or a price as a person saw it."""

    decision: str
    ticket: TicketId
    ticket_version: int
    plan: int
    policy: str
    made_at: int
    proposal: dispatch.Proposal | None = None
    priced: dispatch.Priced | None = None


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a use case needs loaded before it decides. Streams are also locked."""

    streams: Collection[str] = ()
    buildings: Collection[str] = ()
    nodes: Collection[str] = ()
    spots: Collection[Spot] = ()
    """Places in WGS-84 whose nearest building names them."""
    households: Collection[str] = ()
    doors: Collection[Door] = ()
    """Whose open and past requests are to be compared; locked like streams."""
    outages: bool = False
    """The open outages over the buildings, the nearest ones and those of the households too."""
    cases_of: Collection[str] = ()
    """Tickets whose external cases are asked for; their streams are named by `more`."""
    photos: Collection[str] = ()
    """Photos that are to be attached."""
    decision: str | None = None
    """The proposal or price that a person saw; with it comes the plan in force."""
    pinned_to: Collection[str] = ()
    """Crews whose locked open tickets are asked for; their streams are named by `more`."""
    stock: bool = False
    """Which parts there are in any store or on any van."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded. A missing stream, building or node is absent; the use case refuses."""

    heads: Mapping[str, tuple[Any, int]]
    """stream -> (state, version)"""
    buildings: Mapping[str, Building] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    nearest: Mapping[Spot, Building] = field(default_factory=dict)
    """The nearest building within 60 m; absent where there is none."""
    households: Mapping[str, Household] = field(default_factory=dict)
    requests: Mapping[Door, Sequence[OpenRequest]] = field(default_factory=dict)
    """The latest tickets of the door's household or resident, newest first; those decided earlier
    in the same group are among them."""
    cases: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """The streams of the external cases that hang on a ticket now, whatever their state."""
    photos: Collection[str] = ()
    """Those of the wanted photos that have been taken in."""
    outages: Mapping[str, OutageId] = field(default_factory=dict)
    """Building -> the open outage that it lies under."""
    decisions: Mapping[str, Seen] = field(default_factory=dict)
    """Those of the wanted decisions that are there."""
    plan: int = 0
    """Version of the plan in force; loaded where a decision is wanted."""
    pinned: Mapping[str, Sequence[TicketId]] = field(default_factory=dict)
    """Crew -> the open tickets that are locked to it."""
    stocked: Collection[str] = ()
    """The parts that lie in a store or on a van."""

    def state(self, stream: str) -> tuple[Any | None, int]:
        """(state, version) of a stream; (None, 0) if it has no facts."""
        return self.heads.get(stream, (None, 0))


@dataclass(frozen=True, slots=True)
class SecretText:
    """Free text that may name a resident: the adapter stores it encrypted under `words.id`."""

    words: Words
    text: str
    pseudonym: str | None = None


@dataclass(frozen=True, slots=True)
class SecretPerson:
    """A caller or resident: stored encrypted under a pseudonym, with blind indexes for look-up."""

    pseudonym: str
    name: str | None
    phone: str | None


@dataclass(frozen=True, slots=True)
class Unplaced:
    """A typed address that no rule could place: it waits for a person in the address queue."""

    reference: str
    """What asks, e.g. `ticket:<id>`."""
    text: str
    found: Any
    """The address book's answer, as the queue takes it."""


@dataclass(frozen=True, slots=True)
class Placed:
    """A door that was found without the queue: what asks for it there is answered."""

    reference: str
    building: str | None
    household: str | None
    by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What is to be written, in one commit, and what is answered."""

    appends: Mapping[str, Sequence[Event]]
    """stream -> its new facts, in order"""
    answer: Any
    """JSON-ready; `version` of a stream's new state is filled in by the use case itself."""
    status: int = 200
    grounds: str
    """Why, in plain words without residents: stands in the trace."""
    policy: str
    """Version of the policy that decided."""
    texts: Sequence[SecretText] = ()
    persons: Sequence[SecretPerson] = ()
    messages: Sequence[OutMessage] = ()
    asks: Sequence[Unplaced] = ()
    placed: Placed | None = None
    keeps: Collection[str] = ()
    """Decisions that the facts name: they are kept for ever."""
    told: Sequence[tuple[str, Event]] = ()
    """(stream, event) for the screens, in the same commit, not journalled."""
    source: str | None = None
    """The topic whose source has spoken by this command, e.g. `tickets` for an intake."""


class UseCase(Protocol):
    """One command. Frozen data; the same object may be decided again after a lost race."""

    def wanted(self) -> Wanted:
        """What to load and lock."""

    def more(self, loaded: Loaded, /) -> Wanted:
        """A second round, known only after the first; empty for most."""

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """Pure. Raises dispatch_core.errors.Refused; then nothing is written."""
