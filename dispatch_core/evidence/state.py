"""What stands of the work on site of one ticket: who was there when, which photo is in which slot,
which valves are shut."""

from __future__ import annotations

import msgspec

from dispatch_core.events import Twin
from dispatch_core.ids import (
    CrewId,
    FixDoubt,
    OutageId,
    PhotoId,
    PhotoVerdict,
    SiteResult,
    SiteVerdict,
    Slot,
    Support,
    Trust,
    ValveId,
)


class SiteVisit(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One time that a crew was there; times are Unix seconds of the server."""

    visit: int
    round: int
    crew: CrewId
    crew_name: str
    in_at: int
    verdict: SiteVerdict
    needs_review: bool
    distance_m: float | None = None
    doubts: list[FixDoubt] = msgspec.field(default_factory=list)
    out_at: int | None = None
    result: SiteResult | None = None
    key: str | None = None
    """The digest of the key under which the phone said that it is there."""
    settled: bool = False
    """A person has said whether the crew was there."""

    @property
    def refused(self) -> bool:
        """A person has said that the crew was not there: it counts as no visit."""
        return self.settled and self.verdict == "out"

    @property
    def goes_on(self) -> bool:
        """The crew is there."""
        return self.out_at is None and not self.refused


class SlotPhoto(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The photo that a slot holds now."""

    photo: PhotoId
    round: int
    crew: CrewId
    taken_at: int
    trust: Trust
    visit: int | None = None
    verdict: PhotoVerdict | None = None
    """None: not judged yet, or it could not be."""
    unjudged: bool = False
    overruled: bool = False
    again: bool = False
    """A person asked for another one."""
    twin: Twin | None = None
    nth: int = 1
    """Counts the photos of this slot in this round."""


class ShutValve(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A valve as its last turn left it."""

    name: str
    closed: bool
    vented: bool | None = None
    outage: OutageId | None = None
    at: int = 0


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """What a crew asked the desk for, and when (Unix s)."""

    what: Support
    crew: CrewId
    at: int


class SiteRecord(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The work on site of a ticket after `version` facts."""

    version: int = 0
    visits: list[SiteVisit] = msgspec.field(default_factory=list)
    photos: dict[Slot, SlotPhoto] = msgspec.field(default_factory=dict)
    valves: dict[ValveId, ShutValve] = msgspec.field(default_factory=dict)
    asked: Asked | None = None
    """The last word for help, until its crew leaves or gives the ticket back."""
    unanswered: int = 0
    doors: list[PhotoId] = msgspec.field(default_factory=list)
    """The photos of the door that the times nobody opened went by: none serves twice."""
    waived_round: int | None = None
    """The round that a person let close without its photos."""
    second_person_round: int | None = None
    """The last round in which a second person confirmed by name."""
    declined: list[CrewId] = msgspec.field(default_factory=list)
    held: bool = False
    """Its photos are kept whatever their age."""

    @property
    def there(self) -> SiteVisit | None:
        """The latest visit that goes on."""
        return next((visit for visit in reversed(self.visits) if visit.goes_on), None)

    def there_of(self, crew: CrewId) -> SiteVisit | None:
        """The visit of a crew that goes on: work for two crews has two."""
        on = (v for v in reversed(self.visits) if v.goes_on and v.crew == crew)
        return next(on, None)

    @property
    def shut(self) -> dict[ValveId, ShutValve]:
        """Valves that are closed."""
        return {valve: v for valve, v in self.valves.items() if v.closed}

    @property
    def unvented(self) -> dict[ValveId, ShutValve]:
        """Valves that are open again without the pipe having been vented."""
        return {valve: v for valve, v in self.valves.items() if not v.closed and not v.vented}

    def present(self) -> dict[str, object]:
        """The present state as JSON-ready facts, for a refusal."""
        there = self.there
        return {
            "version": self.version,
            "on_site": None if there is None else there.crew,
            "photos": {slot: photo.verdict for slot, photo in self.photos.items()},
            "shut": [valve.name for valve in self.shut.values()],
        }
