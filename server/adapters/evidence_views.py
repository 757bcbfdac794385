"""What one record of the work on site shows: visits with their fixes, photos with their checks in
words, clocks, twins, and what may be done."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events import (
    CheckedIn,
    CheckedOut,
    CheckInOverruled,
    Event,
    PhotoAskedAgain,
    PhotoJudged,
    PhotoOverruled,
    PhotoTaken,
    PhotoUnjudged,
    SiteFix,
    Twin,
)
from dispatch_core.evidence import ShutValve, SiteVisit, SlotPhoto, SlotState
from dispatch_core.evidence.words import DOUBTS, SITE, SLOTS, UNJUDGED, CheckSaid, said_of
from dispatch_core.ids import (
    CrewId,
    EvidenceReason,
    EvidenceVerdict,
    FixDoubt,
    PhotoId,
    SiteVerdict,
    Slot,
    TicketId,
    UnjudgedReason,
    ValveId,
)
from server.usecases.ticket_answer import TicketAnswer

Allowed = Literal["accept", "refuse", "again", "check-in", "waive"]
Told = tuple[Event, int]
"""A fact and when it was written, Unix seconds of the server."""


class DoubtSaid(msgspec.Struct, frozen=True, kw_only=True):
    """Why a fix is not taken at its word."""

    code: FixDoubt
    zh: str
    en: str


class Pressed(msgspec.Struct, frozen=True, kw_only=True):
    """A check-in or check-out as it was said."""

    at: int
    at_device_ms: int
    fix: SiteFix | None
    verdict: SiteVerdict
    zh: str
    en: str
    distance_m: float | None
    doubts: list[DoubtSaid]


class Decided(msgspec.Struct, frozen=True, kw_only=True):
    """What a person decided, and why; the words stand with the ticket's trace."""

    what: str
    at: int
    by: str
    reason_code: EvidenceReason


class RawFix(msgspec.Struct, frozen=True, kw_only=True):
    """A fix as the phone sent it, and what was made of it."""

    at_ms: int
    lon: float
    lat: float
    accuracy_m: float
    verdict: str


class VisitView(SiteVisit, frozen=True, kw_only=True, omit_defaults=True):
    """A visit with what both its ends said."""

    entered: Pressed | None = None
    left: Pressed | None = None
    decided: list[Decided] = msgspec.field(default_factory=list)
    fixes: list[RawFix] = msgspec.field(default_factory=list)
    """The crew's fixes around its time, oldest first."""
    fixes_cut: bool = False
    """There are more than are given."""


class Clock(msgspec.Struct, frozen=True, kw_only=True):
    """What one clock says of when the photo was taken; None: it says nothing."""

    clock: Literal["server", "session", "camera", "satellites"]
    at_ms: int | None


class TwinView(Twin, frozen=True, kw_only=True, omit_defaults=True):
    """The suspected twin, with whose it is."""

    crew: CrewId | None = None
    at: int | None = None
    same_ticket: bool = False


class UnjudgedSaid(msgspec.Struct, frozen=True, kw_only=True):
    """Why the checks came to nothing."""

    code: UnjudgedReason
    zh: str
    en: str


class PhotoView(SlotPhoto, frozen=True, kw_only=True, omit_defaults=True):
    """The photo of a slot, with everything that was found."""

    slot_zh: str
    slot_en: str
    bytes: int = 0
    fix: SiteFix | None = None
    checks: list[CheckSaid] = msgspec.field(default_factory=list)
    checked_verdict: str | None = None
    """What the checks alone came to."""
    why_unjudged: UnjudgedSaid | None = None
    clocks: list[Clock] = msgspec.field(default_factory=list)
    suspect: TwinView | None = None
    decided: list[Decided] = msgspec.field(default_factory=list)
    gone: int | None = None
    """Since when the picture is kept no longer; what was found of it stays."""
    may: list[Allowed] = msgspec.field(default_factory=list)


class Fence(msgspec.Struct, frozen=True, kw_only=True):
    """Where the work is."""

    lon: float
    lat: float
    within_m: float
    outline: msgspec.Raw | None
    """The building's, GeoJSON in WGS-84."""
    border: msgspec.Raw
    """The fence itself: so far from the outline, or from the place where there is none."""


class EvidenceView(msgspec.Struct, frozen=True, kw_only=True):
    """All rounds of the work on site, and how the present one stands. Times are Unix seconds."""

    ticket: TicketAnswer
    version: int
    """What a decision names; 0: nothing was said of the work on site yet."""
    round: int
    """How often the ticket was reopened; what is of an earlier round does not count."""
    verdict: EvidenceVerdict
    slots: dict[Slot, SlotState]
    missing: list[Slot]
    site_review: bool
    """A person must say whether the crew was there."""
    waived: bool
    held: bool
    """Its photos are kept whatever their age."""
    visits: list[VisitView]
    photos: dict[Slot, PhotoView]
    fence: Fence
    valves: dict[ValveId, ShutValve]
    unanswered: int
    to_desk: bool
    """So often nobody opened that the desk takes over."""
    declined: list[CrewId]
    may: list[Allowed]
    """What the person who asks may do about the record as a whole."""


def visit_view(visit: SiteVisit, told: list[Told], fixes: list[RawFix], *, cut: bool) -> VisitView:
    """A visit with its facts."""
    entered = left = None
    decided = []
    for event, at in told:
        match event:
            case CheckedIn() if event.visit == visit.visit:
                entered = _pressed(event, at)
            case CheckedOut() if event.visit == visit.visit:
                left = _pressed(event, at)
            case CheckInOverruled() if event.visit == visit.visit:
                decided.append(_decided(f"check-in {event.to}", event, at))
            case _:
                pass
    own = {name: getattr(visit, name) for name in visit.__struct_fields__}
    return VisitView(
        **own, entered=entered, left=left, decided=decided, fixes=fixes, fixes_cut=cut
    )  # fmt: skip


def _pressed(event: CheckedIn | CheckedOut, at: int) -> Pressed:
    said = SITE[event.verdict]
    return Pressed(
        at=at, at_device_ms=event.at_device_ms, fix=event.fix, verdict=event.verdict,
        zh=said.zh, en=said.en, distance_m=event.distance_m,
        doubts=[
            DoubtSaid(code=code, zh=DOUBTS[code].zh, en=DOUBTS[code].en) for code in event.doubts
        ],
    )  # fmt: skip


def _decided(what: str, event: PhotoOverruled | PhotoAskedAgain | CheckInOverruled, at: int) -> (
    Decided
):  # fmt: skip
    return Decided(what=what, at=at, by=event.by, reason_code=event.reason_code)


def photo_view(
    ticket: TicketId, slot: Slot, held: SlotPhoto, told: list[Told], *, gone: int | None,
    may: list[Allowed],
) -> PhotoView:  # fmt: skip
    """The photo with the facts of its latest taking."""
    of_it = [(e, at) for e, at in told if _about(e, slot, held.photo)]
    begins = max((n for n, (e, _) in enumerate(of_it) if isinstance(e, PhotoTaken)), default=0)
    taken: Told | None = None
    judged: PhotoJudged | None = None
    twin: Twin | None = None
    why: UnjudgedSaid | None = None
    decided: list[Decided] = []
    for event, at in of_it[begins:]:
        match event:
            case PhotoTaken():
                taken = event, at
            case PhotoJudged():
                judged, why, twin = event, None, event.twin
            case PhotoUnjudged():
                said = UNJUDGED[event.why]
                why = UnjudgedSaid(code=event.why, zh=said.zh, en=said.en)
                twin = event.twin
            case PhotoOverruled():
                what = "accept" if event.to == "accept" else "refuse"
                decided.append(_decided(what, event, at))
            case PhotoAskedAgain():
                decided.append(_decided("again", event, at))
            case _:
                pass
    own = {name: getattr(held, name) for name in held.__struct_fields__}
    fact = taken[0] if taken is not None and isinstance(taken[0], PhotoTaken) else None
    words = SLOTS[slot]
    return PhotoView(
        **own, slot_zh=words.zh, slot_en=words.en, bytes=0 if fact is None else fact.bytes,
        fix=None if fact is None else fact.fix,
        checks=[] if judged is None else [said_of(check) for check in judged.checks],
        checked_verdict=None if judged is None else judged.verdict, why_unjudged=why,
        clocks=_clocks(fact, taken[1] if taken else held.taken_at, judged),
        suspect=None if twin is None else _twin(ticket, twin),
        decided=decided, gone=gone, may=may,
    )  # fmt: skip


def _about(event: Event, slot: Slot, photo: PhotoId) -> bool:
    of_photo = PhotoTaken | PhotoJudged | PhotoUnjudged | PhotoOverruled | PhotoAskedAgain
    return isinstance(event, of_photo) and (event.slot, event.photo) == (slot, photo)


def _clocks(taken: PhotoTaken | None, arrived: int, judged: PhotoJudged | None) -> list[Clock]:
    return [
        Clock(clock="server", at_ms=arrived * 1000),
        Clock(clock="session", at_ms=None if taken is None else taken.captured_at_ms),
        Clock(clock="camera", at_ms=None if judged is None else judged.camera_at_ms),
        Clock(clock="satellites", at_ms=None if judged is None else judged.gps_at_ms),
    ]


def _twin(ticket: TicketId, twin: Twin) -> TwinView:
    own = {name: getattr(twin, name) for name in twin.__struct_fields__}
    return TwinView(**own, same_ticket=twin.ticket == ticket)
