"""Events of the work on site: check-ins, photos and their verdicts, valves, and what people said of
them. They stand in the stream `evidence:<ticket>`, beside the ticket's own."""

from __future__ import annotations

from typing import Literal

import msgspec

from dispatch_core.events.base import Body
from dispatch_core.events.tickets import TicketLabel
from dispatch_core.ids import (
    CheckOutcome,
    CrewId,
    DeclineReason,
    EvidenceNeed,
    EvidenceReason,
    EvidenceVerdict,
    FixDoubt,
    Hazard,
    OutageId,
    PhotoCheckCode,
    PhotoId,
    PhotoSource,
    PhotoVerdict,
    SiteResult,
    SiteVerdict,
    Slot,
    Support,
    TicketId,
    Trust,
    UnjudgedReason,
    ValveId,
    ValveTurn,
    Words,
)


class SiteFix(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where a phone said it was. WGS-84 degrees, metres, milliseconds since the Unix epoch."""

    lon: float
    lat: float
    accuracy_m: float
    at_ms: int
    """By the phone's clock."""
    battery_pct: int | None = None
    mock: bool = False
    """The phone said that this place is made up."""


class PhotoCheck(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check of a photo: what was measured against what; the sentence is made from it."""

    code: PhotoCheckCode
    outcome: CheckOutcome
    value: str | int | float | None = None
    threshold: str | int | float | None = None
    measure: str | None = None
    """The unit of both."""


class Twin(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The photo that another one shows again."""

    photo: PhotoId
    ticket: TicketId
    slot: Slot
    bits: int | None = None
    """Hamming distance of the perceptual hashes, 0 to 256; None: found by its features."""
    inliers: int | None = None
    """Matched points that agree on one transformation."""


class SiteFact(Body, frozen=True, kw_only=True):
    """A fact of the work on site; `ticket` is what one line about it needs."""

    ticket: TicketLabel


class _Presence(SiteFact, frozen=True, kw_only=True):
    visit: int
    """Counts the check-ins of a ticket from 1."""
    crew: CrewId
    crew_name: str
    device: str
    at_device_ms: int
    """By the phone's clock, which may be wrong; the fact's own time is the server's."""
    fix: SiteFix | None
    verdict: SiteVerdict
    distance_m: float | None
    """From the fix to the building's outline, 0 inside it; None without a fix or a place."""
    doubts: list[FixDoubt]
    needs_review: bool
    by: str


class CheckedIn(_Presence, frozen=True, kw_only=True):
    """A crew said that it is there. Nobody is locked out: a doubt goes to a person."""

    round: int
    """How often the ticket had been reopened: evidence of an earlier round does not count."""
    key: str | None = None
    """The digest of the key under which the phone said so; its photos name it."""


class CheckedOut(_Presence, frozen=True, kw_only=True):
    """A crew said that it leaves, and with what result."""

    result: SiteResult


class PhotoTaken(SiteFact, frozen=True, kw_only=True):
    """A photo is kept, and waits to be judged."""

    visit: int | None
    """The check-in under which it was taken; None: before any."""
    round: int
    crew: CrewId
    slot: Slot
    photo: PhotoId
    bytes: int
    captured_at_ms: int | None
    trust: Trust
    nonce_holds: bool | None
    """None: none was sent."""
    signature_holds: bool | None
    device: str
    fix: SiteFix | None
    by: str
    source: PhotoSource | None = None
    """As the phone said; None: not known."""
    session_skew_s: int | None = None
    """The phone's clock minus the server's as it announced the photo; None: it did not say."""


class PhotoJudged(SiteFact, frozen=True, kw_only=True):
    """The verdict on a photo, check by check, under the policy named in the trace."""

    slot: Slot
    photo: PhotoId
    verdict: PhotoVerdict
    checks: list[PhotoCheck]
    twin: Twin | None
    trust: Trust
    """As the whole file showed it; it may be lower than at first sight."""
    camera_at_ms: int | None = None
    """By the camera's own clock, as the file says; in UTC."""
    gps_at_ms: int | None = None
    """By the satellites, as the file says."""


class PhotoUnjudged(SiteFact, frozen=True, kw_only=True):
    """A photo could not be judged: a person must look at it."""

    slot: Slot
    photo: PhotoId
    why: UnjudgedReason
    tries: int
    twin: Twin | None = None
    """An earlier use of these very bytes."""


class PhotoOverruled(SiteFact, frozen=True, kw_only=True):
    """A person decided on a photo; the verdict before stays in the trace."""

    slot: Slot
    photo: PhotoId
    was: PhotoVerdict
    to: PhotoVerdict
    """`accept` or `block`."""
    reason_code: EvidenceReason
    reason: Words | None
    by: str


class PhotoAskedAgain(SiteFact, frozen=True, kw_only=True):
    """A person wants another photo for this slot."""

    slot: Slot
    photo: PhotoId
    reason_code: EvidenceReason
    reason: Words | None
    by: str


class CheckInOverruled(SiteFact, frozen=True, kw_only=True):
    """A person decided whether a crew had been there."""

    visit: int
    was: SiteVerdict
    to: SiteVerdict
    """`in` or `out`."""
    reason_code: EvidenceReason
    reason: Words | None
    by: str


class SecondPersonNamed(SiteFact, frozen=True, kw_only=True):
    """Where no resident is, a second person of the crew confirms, by name."""

    name: Words
    by: str
    round: int = 0
    """How often the ticket had been reopened."""


class DoorUnanswered(SiteFact, frozen=True, kw_only=True):
    """Nobody opened: the door's photo, the calls made, the notice left, what was agreed instead."""

    visit: int | None
    crew: CrewId
    count: int
    """Which time it is; from the policy's number on the desk takes over."""
    photo: PhotoId | None
    called_at: list[int]
    notice_left: bool
    rebooked_from: int | None
    rebooked_until: int | None
    to_desk: bool
    by: str


class PartsUsed(SiteFact, frozen=True, kw_only=True):
    """Parts were built in: part -> pieces."""

    crew: CrewId
    parts: dict[str, int]
    by: str


class ValveTurned(SiteFact, frozen=True, kw_only=True):
    """A valve was closed or opened again; opened ones say whether the pipe was vented."""

    valve: ValveId
    name: str
    to: ValveTurn
    vented: bool | None
    outage: OutageId | None
    """The outage that closing opened, or that opening ended."""
    crew: CrewId
    fix: SiteFix | None
    by: str


class HazardReported(SiteFact, frozen=True, kw_only=True):
    """A crew met a danger on site."""

    hazard: Hazard
    crew: CrewId
    words: Words | None
    fix: SiteFix | None
    by: str


class SupportAsked(SiteFact, frozen=True, kw_only=True):
    """A crew asks for help."""

    what: Support
    crew: CrewId
    words: Words | None
    by: str


class VisitDeclined(SiteFact, frozen=True, kw_only=True):
    """A crew gave a ticket back, with its reason."""

    crew: CrewId
    reason_code: DeclineReason
    words: Words | None
    by: str


class EvidenceWaived(SiteFact, frozen=True, kw_only=True):
    """A person lets this round of the ticket close without its photos; the sham report counts
    it."""

    round: int
    missing: list[Slot]
    reason_code: EvidenceReason
    reason: Words | None
    by: str


class PhotosHeld(SiteFact, frozen=True, kw_only=True):
    """The ticket's photos are kept whatever their age, or no longer."""

    held: bool
    reason_code: EvidenceReason
    reason: Words | None
    by: str


class EvidenceStands(SiteFact, frozen=True, kw_only=True):
    """How the evidence of a ticket stands under the policy; told whenever that changes."""

    verdict: EvidenceVerdict
    slots: dict[Slot, Literal["owed", "again", "pending", "accept", "review", "block"]]
    needs: EvidenceNeed | None
    """Why a person must look at it; None: nobody must."""
    unjudged: bool
    since: int | None
    """Since when it waits for a person."""
    asks: Support | None = None
    """What the crew on site asks the desk for."""
    asks_since: int | None = None
    unanswered: int = 0
    """So often nobody opened."""
    to_desk: bool = False
    """So often that the desk has to reach the resident before a crew goes again."""


class EvidenceSettled(Body, frozen=True, kw_only=True):
    """The ticket is over: its evidence waits for nobody."""
