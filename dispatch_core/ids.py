"""The names of things: identifiers, streams, and the small words that all capabilities share."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Literal, NewType, get_args

import msgspec

CompanyId = NewType("CompanyId", int)
TicketId = NewType("TicketId", str)
CrewId = NewType("CrewId", str)
BuildingId = NewType("BuildingId", str)
PointId = NewType("PointId", str)
CommunityId = NewType("CommunityId", str)
OutageId = NewType("OutageId", str)
HouseholdId = NewType("HouseholdId", str)
ApplicationId = NewType("ApplicationId", str)
VisitId = NewType("VisitId", str)
CaseId = NewType("CaseId", str)
CampaignId = NewType("CampaignId", str)
PhotoId = NewType("PhotoId", str)
StoreId = NewType("StoreId", str)
HandoverId = NewType("HandoverId", str)
ValveId = NewType("ValveId", str)

StreamKind = Literal[
    "ticket", "crew", "point", "cell", "community", "outage", "heating", "visit", "case",
    "campaign", "store", "handover", "report", "evidence",
]  # fmt: skip
STREAM_KINDS: tuple[StreamKind, ...] = get_args(StreamKind)

Level = Literal["red", "yellow", "blue"]
Clock = Literal["first_contact", "respond", "on_site", "solved"]
NodeKind = Literal["plant", "substation", "building"]
Trade = Literal["plant", "primary", "substation", "secondary", "indoor"]
TicketState = Literal[
    "received",
    "accepted",
    "dispatched",
    "confirmed",
    "handling",
    "verifying",
    "closed",
    "cancelled",
]
CrewState = Literal["off", "free", "dispatched", "en_route", "on_site"]
RequestKind = Literal[
    "repair", "not_warm", "leak", "complaint", "question", "suspension", "temporary_stop",
    "resume", "new_connection", "refund", "temperature_adjustment", "change_of_data",
    "contract_closing",
]  # fmt: skip

RedispatchReason = Literal[
    "crew_unavailable", "wrong_trade", "nearer_crew", "higher_priority", "no_answer",
    "knows_better", "resident_asked", "crew_asked", "training", "other",
]  # fmt: skip
"""Why a crew other than the one that has it, or than the best proposed."""
CancelReason = Literal[
    "duplicate", "wrong_address", "not_ours", "caller_withdrew", "outage_ended", "test", "other"
]
ReopenReason = Literal["dissatisfied", "fault_returned", "closed_by_mistake", "other"]
LevelReason = Literal[
    "danger", "vulnerable_household", "many_reports", "repeated_fault", "less_severe", "other"
]
IntakeReason = Literal[
    "as_given", "danger", "vulnerable_household", "many_reports", "repeated_fault",
    "kind_of_request", "outage",
]  # fmt: skip
KindReason = Literal["misheard", "found_on_site", "caller_corrected", "other"]
OutageCause = Literal["burst", "pump", "power", "valve", "plant", "planned_work", "other"]

StopKind = Literal["suspension", "temporary_stop", "resume"]
"""What a household may apply for: heating stopped for the season, for a while, or again."""
ApplicationState = Literal[
    "referred", "approved", "refused", "withdrawn", "completed", "closed"
]  # fmt: skip
Standing = Literal["heated", "suspended", "temporary_stop"]
Valve = Literal["open", "closed", "sealed", "unknown"]
Department = Literal["service", "operations", "finance"]
DEPARTMENTS: tuple[Department, ...] = get_args(Department)
CheckCode = Literal[
    "deadline", "owner", "arrears", "valve", "gable", "ground_floor", "top_floor", "warranty",
    "already_suspended", "not_suspended", "temporary_days", "proof", "resume_deadline",
    "visit_missed",
]  # fmt: skip
CheckVerdict = Literal["pass", "fail", "unknown"]
CaseState = Literal["received", "signed", "contacted", "replied", "returned", "closed"]
CaseClock = Literal["sign_for", "contact", "reply"]
Precision = Literal["flat", "unit", "building", "street", "community", "area", "none"]
ContradictionKind = Literal[
    "suspended_yet_connected", "marked_without_application", "suspended_yet_billed", "valve_open"
]
FaultOwner = Literal["company", "property_firm", "resident"]
"""Whose fault it is to mend (责任归属)."""
PermitKind = Literal["confined_space", "hot_work"]
DayPart = Literal["day", "night"]
RuleCode = Literal[
    "off_duty", "no_shift", "crew_stopped", "trade", "fault_owner", "certificate", "skill",
    "guard", "permit", "territory", "district_closed", "vehicle", "parts", "shift_end",
    "home_hours", "appointment", "break", "position_lost", "on_site", "full", "second_crew",
    "pinned_elsewhere", "out_of_time", "after_plan", "no_place", "no_crew",
]  # fmt: skip
"""The hard rules of dispatch, each the reason why a crew, or every crew, was left out."""
ScorePart = Literal[
    "travel", "lateness", "level", "load", "continuity", "skill_margin", "parts", "impact", "churn"
]
"""The parts of the score vector; each counts in seconds of travel, less is better."""
DisplaceReason = Literal["red", "crew_stopped", "by_hand"]
StopReason = Literal["breakdown", "accident", "sick", "no_answer", "other"]
Slot = Literal[
    "fault_point", "in_progress", "user_confirmation", "room", "thermometer", "windows",
    "signature", "second_person", "door", "notice",
]  # fmt: skip
"""What a photo is to show."""
Trust = Literal["a", "b", "c"]
PhotoSource = Literal["camera", "gallery"]
"""a: taken in the app, nonce and signature hold; b: its own records are whole; c: nothing says."""
CheckOutcome = Literal["pass", "warn", "fail", "unknown"]
PhotoVerdict = Literal["accept", "review", "block"]
EvidenceVerdict = Literal["not_owed", "missing", "pending", "accept", "review", "block"]
"""What all of a ticket's evidence comes to."""
EvidenceNeed = Literal["review", "block"]
"""Why evidence waits for a person."""
SiteVerdict = Literal["in", "out", "uncertain"]
SiteResult = Literal["done", "no_answer", "to_be_continued", "given_back"]
FixDoubt = Literal[
    "no_fix", "no_place", "zero_accuracy", "inaccurate", "repeated", "too_fast", "outlier",
    "clock_skew", "stale", "datum_suspect", "mock_location",
]  # fmt: skip
"""Why a fix is not taken at its word."""
PhotoCheckCode = Literal[
    "file_whole", "decodes", "seen_bytes", "seen_eye", "seen_site", "three_scenes", "in_window",
    "in_fence", "clocks_agree", "sharp", "lit", "nonce", "device_signature", "exif_intact",
    "credentials", "recapture", "trust",
]  # fmt: skip
UnjudgedReason = Literal["killed", "too_slow", "too_large", "unreadable", "defect"]
EvidenceReason = Literal[
    "seen_by_phone", "same_site_again", "known_good", "reused_photo", "wrong_place", "wrong_scene",
    "unreadable", "not_there", "no_resident", "not_applicable", "other",
]  # fmt: skip
DeclineReason = Literal[
    "wrong_trade", "too_far", "unsafe", "no_parts", "shift_ends", "crew_short", "other"
]
Hazard = Literal["gas", "scald", "electric", "collapse", "dog", "violence", "other"]
Support = Literal["second_crew", "tools", "parts", "desk"]
ValveTurn = Literal["closed", "open"]
TravelSource = Literal["great_circle", "roads", "osrm", "valhalla"]

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """Where something is, no closer than its building: `address` never names a flat. WGS-84."""

    building: BuildingId | None
    lon: float
    lat: float
    address: str
    community: CommunityId | None
    community_name: str | None = None
    district: str | None
    precision: Precision = "building"
    """How well the place is known; below `street` its coordinate only stands for an area."""
    node: NodeKind | None = None
    """What stands there where it is no building: a plant or a substation."""


class Words(msgspec.Struct, frozen=True, kw_only=True):
    """Free text that may name a resident: where it is kept encrypted, and a keyed digest of it."""

    id: str
    digest: str


def stream_of(kind: StreamKind, name: str) -> str:
    """The journal stream of one thing, e.g. `ticket:260114-000123`.

    Raises ValueError for a name that is empty or has control characters: nothing is called so.
    """
    if not name or not name.isprintable():
        raise ValueError(f"{name!r} is no identifier of a {kind}")
    return f"{kind}:{name}"


def split_stream(stream: str) -> tuple[StreamKind, str]:
    """The kind and name of a stream; names may hold colons. Raises ValueError if it is none."""
    head, _, name = stream.partition(":")
    for kind in STREAM_KINDS:
        if head == kind and name:
            return kind, name
    raise ValueError(f"{stream!r} is no stream: these read kind:name")


def micros(at: datetime) -> int:
    """Microseconds since the Unix epoch, exact. Raises ValueError for a time without a zone."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone means nothing here")
    return (at - EPOCH) // timedelta(microseconds=1)


def unix(at: datetime) -> int:
    """Whole seconds since the Unix epoch, rounded down. Raises ValueError without a zone."""
    return micros(at) // 1_000_000
