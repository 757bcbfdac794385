"""What crews do on site and what people decide about their evidence."""

from __future__ import annotations

import msgspec

from dispatch_core.events import PhotoCheck, SiteFix, TicketLabel, Twin
from dispatch_core.ids import (
    CrewId,
    DeclineReason,
    EvidenceReason,
    FixDoubt,
    Hazard,
    OutageId,
    PhotoId,
    PhotoSource,
    PhotoVerdict,
    SiteResult,
    SiteVerdict,
    Slot,
    Support,
    Trust,
    UnjudgedReason,
    ValveId,
    ValveTurn,
    Words,
)


class _OnSite(msgspec.Struct, frozen=True, kw_only=True):
    ticket: TicketLabel
    by: str


class _ByCrew(_OnSite, frozen=True, kw_only=True):
    crew: CrewId


class _Presence(_ByCrew, frozen=True, kw_only=True):
    crew_name: str
    device: str
    at_device_ms: int
    fix: SiteFix | None
    verdict: SiteVerdict
    distance_m: float | None
    doubts: list[FixDoubt]
    needs_review: bool


class CheckIn(_Presence, frozen=True, kw_only=True):
    """The crew is there; `round`: how often the ticket was reopened."""

    round: int
    key: str | None = None
    """The digest of the key under which the phone said so; photos name it."""


class CheckOut(_Presence, frozen=True, kw_only=True):
    """The crew leaves."""

    result: SiteResult


class TakePhoto(_ByCrew, frozen=True, kw_only=True):
    """A photo has arrived whole."""

    round: int
    slot: Slot
    photo: PhotoId
    bytes: int
    captured_at_ms: int | None
    trust: Trust
    nonce_holds: bool | None
    signature_holds: bool | None
    device: str
    fix: SiteFix | None
    source: PhotoSource | None = None
    visit_key: str | None = None
    """The digest of the check-in's key, as the phone names it."""
    session_skew_s: int | None = None
    most: int | None = None
    """So many photos a slot takes in a round; None: any number."""


class JudgePhoto(_OnSite, frozen=True, kw_only=True):
    """The checks of a photo are done."""

    slot: Slot
    photo: PhotoId
    verdict: PhotoVerdict
    checks: list[PhotoCheck]
    twin: Twin | None
    trust: Trust
    camera_at_ms: int | None = None
    gps_at_ms: int | None = None


class GiveUpPhoto(_OnSite, frozen=True, kw_only=True):
    """A photo could not be judged."""

    slot: Slot
    photo: PhotoId
    why: UnjudgedReason
    tries: int
    twin: Twin | None = None


class _Reasoned(_OnSite, frozen=True, kw_only=True):
    version: int | None
    """Of the record as the person saw it."""
    reason_code: EvidenceReason
    reason: Words | None


class OverrulePhoto(_Reasoned, frozen=True, kw_only=True):
    """A person decides on a photo: `accept` or `block`."""

    slot: Slot
    photo: PhotoId
    to: PhotoVerdict


class AskPhotoAgain(_Reasoned, frozen=True, kw_only=True):
    """A person wants another photo."""

    slot: Slot
    photo: PhotoId


class OverruleCheckIn(_Reasoned, frozen=True, kw_only=True):
    """A person decides whether a crew was there: `in` or `out`."""

    visit: int
    to: SiteVerdict


class WaiveEvidence(_Reasoned, frozen=True, kw_only=True):
    """A person lets the round close without its photos; a written reason is owed."""

    round: int
    slots: tuple[Slot, ...]


class HoldPhotos(_Reasoned, frozen=True, kw_only=True):
    """The ticket's photos are to be kept whatever their age, or no longer; a written reason is
    owed."""

    held: bool


class NameSecondPerson(_ByCrew, frozen=True, kw_only=True):
    """Who confirms where no resident is."""

    name: Words
    round: int


class DoorNotOpened(_ByCrew, frozen=True, kw_only=True):
    """Nobody opened."""

    round: int
    called_at: list[int]
    notice_left: bool
    rebooked_from: int | None
    rebooked_until: int | None
    most: int
    """From this time on the desk takes over."""


class UseParts(_ByCrew, frozen=True, kw_only=True):
    """Parts were built in."""

    parts: dict[str, int]


class TurnValve(_ByCrew, frozen=True, kw_only=True):
    """A valve is closed or opened again."""

    valve: ValveId
    name: str
    to: ValveTurn
    vented: bool | None
    outage: OutageId | None
    fix: SiteFix | None


class ReportHazard(_ByCrew, frozen=True, kw_only=True):
    """There is danger on site."""

    hazard: Hazard
    words: Words | None
    fix: SiteFix | None


class AskSupport(_ByCrew, frozen=True, kw_only=True):
    """The crew asks for help."""

    what: Support
    words: Words | None


class DeclineVisit(_ByCrew, frozen=True, kw_only=True):
    """The crew gives the ticket back."""

    reason_code: DeclineReason
    words: Words | None


SiteCommand = (
    CheckIn | CheckOut | TakePhoto | JudgePhoto | GiveUpPhoto | OverrulePhoto | AskPhotoAgain
    | OverruleCheckIn | WaiveEvidence | HoldPhotos | NameSecondPerson | DoorNotOpened | UseParts
    | TurnValve | ReportHazard | AskSupport | DeclineVisit
)  # fmt: skip
