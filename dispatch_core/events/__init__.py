"""The catalogue of events: every fact that is written down or told, its version and upcasters.

Times are whole Unix seconds of the business clock, coordinates WGS-84 degrees. No event has a field
for a resident's name, phone, flat or words: only a pseudonym, or an id with a keyed digest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_args

import msgspec

from dispatch_core.errors import Invalid
from dispatch_core.events.base import Body
from dispatch_core.events.campaigns import (
    CampaignEnded,
    CampaignGathered,
    CampaignProgressed,
    CampaignStarted,
)
from dispatch_core.events.cases import (
    CaseClocks,
    CaseClosed,
    CaseContacted,
    CaseExtended,
    CaseFact,
    CaseMoved,
    CaseNear,
    CasePassed,
    CaseReceived,
    CaseReplied,
    CaseReturned,
    CaseSigned,
    CaseStatusSent,
)
from dispatch_core.events.crews import (
    CrewAssigned,
    CrewBack,
    CrewEnRoute,
    CrewFact,
    CrewOnSite,
    CrewRegistered,
    CrewReleased,
    CrewShiftEnded,
    CrewShiftStarted,
    CrewStocked,
    CrewStopped,
    Pause,
    PositionLost,
    PositionRegained,
)
from dispatch_core.events.evidence import (
    CheckedIn,
    CheckedOut,
    CheckInOverruled,
    DoorUnanswered,
    EvidenceSettled,
    EvidenceStands,
    EvidenceWaived,
    HazardReported,
    PartsUsed,
    PhotoAskedAgain,
    PhotoCheck,
    PhotoJudged,
    PhotoOverruled,
    PhotosHeld,
    PhotoTaken,
    PhotoUnjudged,
    SecondPersonNamed,
    SiteFact,
    SiteFix,
    SupportAsked,
    Twin,
    ValveTurned,
    VisitDeclined,
)
from dispatch_core.events.marks import (
    CellHidden,
    CellPublished,
    CommunityMood,
    OutageEnded,
    OutageExtended,
    OutageOpened,
    RoomAlarmChanged,
    RoomAlarmCleared,
    RoomAlarmRaised,
    SpikeEnded,
    SpikeStarted,
)
from dispatch_core.events.plans import (
    Choice,
    CrewDayPlanned,
    Displacement,
    PlanFigures,
    PlannedVisit,
    ProposalWithdrawn,
    RoundChanged,
    Span,
    TicketProposed,
    VisitState,
)
from dispatch_core.events.shifts import (
    HandedCrew,
    HandedOutage,
    HandedPromise,
    HandedTicket,
    HandoverDrawn,
    HandoverSide,
    HandoverSigned,
    ReportCorrected,
    ReportFrozen,
)
from dispatch_core.events.stores import (
    PartsIssued,
    PartsReleased,
    PartsReserved,
    StoreStocked,
)
from dispatch_core.events.suspensions import (
    Check,
    StopApplied,
    StopApproved,
    StopClosed,
    StopFact,
    StopLate,
    StopMadeKnown,
    StopOver,
    StopReferred,
    StopRefused,
    StopRepeated,
    StopScheduled,
    StopWithdrawn,
    ValveSet,
    VisitJoined,
    VisitLeft,
    VisitMade,
    VisitMissed,
    VisitPlanned,
    VisitSettled,
)
from dispatch_core.events.telemetry import (
    ClosingCounted,
    CrewPositions,
    Fix,
    HourUsual,
    NetworkState,
    RequestsCounted,
    RoomsCounted,
    SourceHeartbeat,
    SupplyMeasured,
    WeatherObserved,
)
from dispatch_core.events.tickets import (
    Clocks,
    ContactRegained,
    DeadlineNear,
    DeadlinePassed,
    Due,
    LostContact,
    Price,
    TicketAbsorbed,
    TicketAccepted,
    TicketCancelled,
    TicketClosed,
    TicketConfirmed,
    TicketDispatched,
    TicketFact,
    TicketHandling,
    TicketKindChanged,
    TicketLabel,
    TicketLevelChanged,
    TicketMerged,
    TicketOwned,
    TicketPhotosAdded,
    TicketPlaced,
    TicketReceived,
    TicketReopened,
    TicketRepeated,
    TicketVerifying,
    Warned,
)
from dispatch_core.events.work import (
    Gas,
    TicketAppointed,
    TicketDisplaced,
    TicketEscalated,
    TicketLinked,
    TicketPartsAwaited,
    TicketPartsLate,
    TicketPartsReady,
    TicketPermitted,
    TicketPinned,
    TicketProposedAgain,
    TicketUnpinned,
    TicketUnproposed,
    TicketWorkSet,
    Work,
)
from dispatch_core.ids import CancelReason, LevelReason, OutageCause, RedispatchReason, ReopenReason

__all__ = [
    "CATALOGUE", "TELEMETRY", "UPCASTERS", "Body", "CampaignEnded", "CampaignGathered",
    "CampaignProgressed", "CampaignStarted", "CancelReason", "CaseClocks", "CaseClosed",
    "CaseContacted", "CaseExtended", "CaseFact", "CaseMoved", "CaseNear", "CasePassed",
    "CaseReceived", "CaseReplied", "CaseReturned", "CaseSigned", "CaseStatusSent", "CellHidden",
    "CellPublished", "Check", "CheckInOverruled", "CheckedIn", "CheckedOut", "Choice", "Clocks",
    "ClosingCounted", "CommunityMood", "ContactRegained", "CrewAssigned", "CrewBack",
    "CrewDayPlanned", "CrewEnRoute", "CrewFact", "CrewOnSite", "CrewPositions", "CrewRegistered",
    "CrewReleased", "CrewShiftEnded", "CrewShiftStarted", "CrewStocked", "CrewStopped",
    "DeadlineNear", "DeadlinePassed", "Displacement", "DoorUnanswered", "Due", "Entry", "Event",
    "EvidenceSettled", "EvidenceStands", "EvidenceWaived", "Fix", "Gas", "HandedCrew",
    "HandedOutage", "HandedPromise", "HandedTicket",
    "HandoverDrawn", "HandoverSide", "HandoverSigned", "HazardReported", "HourUsual", "LevelReason",
    "LostContact", "NetworkState", "OutageCause", "OutageEnded", "OutageExtended", "OutageOpened",
    "PartsIssued", "PartsReleased", "PartsReserved", "PartsUsed", "Pause", "PhotoAskedAgain",
    "PhotoCheck", "PhotoJudged", "PhotoOverruled", "PhotoTaken", "PhotoUnjudged", "PhotosHeld",
    "PlanFigures",
    "PlannedVisit", "PositionLost", "PositionRegained", "Price", "ProposalWithdrawn",
    "RedispatchReason", "ReopenReason", "ReportCorrected", "ReportFrozen", "RequestsCounted",
    "RoomAlarmChanged", "RoomAlarmCleared", "RoomAlarmRaised", "RoomsCounted", "RoundChanged",
    "SecondPersonNamed",
    "SiteFact", "SiteFix", "SourceHeartbeat", "Span", "SpikeEnded", "SpikeStarted", "StopApplied",
    "StopApproved", "StopClosed", "StopFact", "StopLate", "StopMadeKnown", "StopOver",
    "StopReferred", "StopRefused", "StopRepeated", "StopScheduled", "StopWithdrawn", "StoreStocked",
    "SupplyMeasured", "SupportAsked", "TicketAbsorbed", "TicketAccepted", "TicketAppointed",
    "TicketCancelled", "TicketClosed", "TicketConfirmed", "TicketDispatched", "TicketDisplaced",
    "TicketEscalated", "TicketFact", "TicketHandling", "TicketKindChanged", "TicketLabel",
    "TicketLevelChanged", "TicketLinked", "TicketMerged", "TicketOwned", "TicketPartsAwaited",
    "TicketPartsLate", "TicketPartsReady", "TicketPermitted", "TicketPhotosAdded", "TicketPinned",
    "TicketPlaced", "TicketProposed", "TicketProposedAgain", "TicketReceived", "TicketReopened",
    "TicketRepeated", "TicketUnpinned", "TicketUnproposed", "TicketVerifying", "TicketWorkSet",
    "Twin", "Upcaster", "ValveSet", "ValveTurned", "VisitDeclined", "VisitJoined", "VisitLeft",
    "VisitMade", "VisitMissed", "VisitPlanned", "VisitSettled", "VisitState", "Warned",
    "WeatherObserved", "Work", "decode", "encode", "kind_of",
]  # fmt: skip

Event = (
    TicketReceived | TicketAccepted | TicketDispatched | TicketConfirmed | TicketHandling
    | TicketVerifying | TicketClosed | TicketCancelled | TicketReopened | TicketLevelChanged
    | DeadlineNear | DeadlinePassed | LostContact | ContactRegained
    | CrewRegistered | CrewShiftStarted | CrewShiftEnded | CrewAssigned | CrewEnRoute | CrewOnSite
    | CrewReleased | PositionLost | PositionRegained
    | RoomAlarmRaised | RoomAlarmChanged | RoomAlarmCleared | CellPublished | CellHidden
    | CommunityMood | SpikeStarted | SpikeEnded | OutageOpened | OutageExtended | OutageEnded
    | CrewPositions | NetworkState | WeatherObserved | RequestsCounted | ClosingCounted
    | RoomsCounted | SupplyMeasured | SourceHeartbeat
    | CampaignEnded | CampaignGathered | CampaignProgressed | CampaignStarted | CaseClosed
    | CaseContacted
    | CaseExtended | CaseMoved | CaseNear | CasePassed | CaseReceived | CaseReplied | CaseReturned
    | CaseSigned | CaseStatusSent | StopApplied | StopApproved | StopClosed | StopLate
    | StopMadeKnown | StopReferred | StopRefused | StopRepeated | StopWithdrawn | ValveSet
    | StopOver | StopScheduled | VisitSettled
    | VisitJoined | VisitLeft | VisitMade | VisitMissed | VisitPlanned | TicketAbsorbed
    | TicketKindChanged | TicketMerged | TicketOwned | TicketPhotosAdded | TicketPlaced
    | TicketRepeated
    | CrewBack | CrewDayPlanned | CrewStocked | CrewStopped | HandoverDrawn | HandoverSigned
    | PartsIssued | PartsReleased | PartsReserved | PlanFigures | ProposalWithdrawn
    | ReportCorrected | ReportFrozen | RoundChanged | StoreStocked | TicketAppointed
    | TicketDisplaced
    | TicketEscalated | TicketLinked | TicketPartsAwaited | TicketPartsLate | TicketPartsReady
    | TicketPermitted | TicketPinned | TicketProposed | TicketProposedAgain | TicketUnpinned
    | TicketUnproposed | TicketWorkSet
    | CheckInOverruled | CheckedIn | CheckedOut | DoorUnanswered | EvidenceSettled | EvidenceStands
    | EvidenceWaived
    | HazardReported | PartsUsed | PhotoAskedAgain | PhotoJudged | PhotoOverruled
    | PhotoTaken | PhotoUnjudged | PhotosHeld | SecondPersonNamed | SupportAsked | ValveTurned
    | VisitDeclined
)  # fmt: skip

Upcaster = Callable[[dict[str, Any]], dict[str, Any]]

TELEMETRY: tuple[type[Event], ...] = (
    CrewPositions, NetworkState, WeatherObserved, RequestsCounted, ClosingCounted,
    RoomsCounted, SupplyMeasured, SourceHeartbeat,
    CrewDayPlanned, TicketProposed, ProposalWithdrawn, PlanFigures, RoundChanged,
    EvidenceStands, EvidenceSettled,
)  # fmt: skip
"""Events that are told but not journalled: their records are in the telemetry tables."""

UPCASTERS: dict[str, Sequence[Upcaster]] = {}
"""By kind: the i-th function turns a body of version i + 1 into one of version i + 2."""


class Entry(msgspec.Struct, frozen=True):
    """One kind of event, the version `v` written today, and how older bodies become it."""

    struct: type[Event]
    v: int
    upcasters: Sequence[Upcaster]
    journalled: bool


def kind_of(struct: type[Event]) -> str:
    """The name under which an event is written, e.g. `ticket_received`."""
    return str(struct.__struct_config__.tag)


CATALOGUE: dict[str, Entry] = {
    kind_of(struct): Entry(
        struct=struct,
        v=len(UPCASTERS.get(kind_of(struct), ())) + 1,
        upcasters=UPCASTERS.get(kind_of(struct), ()),
        journalled=struct not in TELEMETRY,
    )
    for struct in get_args(Event)
}

_encoder = msgspec.json.Encoder()
_decoders = {kind: msgspec.json.Decoder(entry.struct) for kind, entry in CATALOGUE.items()}


def encode(event: Event) -> bytes:
    """The body of an event as JSON, to be stored and hashed as these very bytes."""
    return _encoder.encode(event)


def decode(kind: str, v: int, body: bytes, catalogue: Mapping[str, Entry] = CATALOGUE) -> Event:
    """The event in a stored body, brought up to today's schema.

    Raises Invalid: `unknown_event` for a kind or version that this release does not know,
    `bad_event` for a body that does not fit its schema.
    """
    entry = catalogue.get(kind)
    if entry is None or not 1 <= v <= entry.v:
        raise Invalid(
            "unknown_event",
            f"An event of kind {kind}, version {v}, is not known to this release.",
            "Start the release that wrote it, or a newer one.",
        )
    try:
        if v == entry.v:
            decoder = _decoders.get(kind) if catalogue is CATALOGUE else None
            return decoder.decode(body) if decoder else msgspec.json.decode(body, type=entry.struct)
        raw = msgspec.json.decode(body, type=dict[str, Any])
        for upcast in entry.upcasters[v - 1 :]:
            raw = upcast(raw)
        return msgspec.convert(raw, entry.struct)
    except msgspec.MsgspecError as error:
        raise Invalid(
            "bad_event",
            f"A stored {kind} cannot be read: {error}",
            "Check the journal's trace of this stream.",
        ) from error
