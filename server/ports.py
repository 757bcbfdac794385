"""What use cases ask for, and what they answer: the seam between decisions and the database."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import msgspec

from dispatch_core.events import Event
from dispatch_core.ids import Words


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


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a use case needs loaded before it decides. Streams are also locked."""

    streams: Collection[str] = ()
    buildings: Collection[str] = ()
    nodes: Collection[str] = ()
    spots: Collection[Spot] = ()
    """Places in WGS-84 whose nearest building names them."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was loaded. A missing stream, building or node is absent; the use case refuses."""

    heads: Mapping[str, tuple[Any, int]]
    """stream -> (state, version)"""
    buildings: Mapping[str, Building] = field(default_factory=dict)
    nodes: Mapping[str, Node] = field(default_factory=dict)
    nearest: Mapping[Spot, Building] = field(default_factory=dict)
    """The nearest building within 60 m; absent where there is none."""

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
