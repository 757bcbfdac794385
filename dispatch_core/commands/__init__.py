"""What people and sources may ask for: each command names the version its sender saw."""

from __future__ import annotations

from dispatch_core.commands.crews import (
    ArriveAtTicket,
    AssignTicket,
    Base,
    CrewBackToWork,
    CrewCommand,
    EndShift,
    RegisterCrew,
    ReleaseTicket,
    StartShift,
    StockCrew,
    StopCrew,
    TakeTicket,
    WorkCommand,
)
from dispatch_core.commands.field import (
    Appoint,
    AwaitParts,
    Displace,
    Escalate,
    FieldStep,
    FieldWatch,
    GasLimits,
    Link,
    MarkUnproposed,
    PartsReady,
    Permit,
    Pin,
    ProposedAgain,
    SetWork,
    Unpin,
)
from dispatch_core.commands.outages import (
    EndOutage,
    ExtendOutage,
    OpenOutage,
    OutageCommand,
)
from dispatch_core.commands.stores import (
    IssueParts,
    ReleaseParts,
    ReserveParts,
    StockStore,
    StoreCommand,
)
from dispatch_core.commands.tickets import (
    Absorb,
    Accept,
    AddPhotos,
    Amendment,
    Cancel,
    ChangeKind,
    ChangeLevel,
    ChangeOwner,
    ChangePlace,
    Close,
    Confirm,
    Dispatch,
    Handle,
    Merge,
    ReceiveRequest,
    Reopen,
    Repeat,
    TicketCommand,
    TicketStep,
    Verify,
)

__all__ = [
    "Absorb", "Accept", "AddPhotos", "Amendment", "Appoint", "ArriveAtTicket", "AssignTicket",
    "AwaitParts", "Base", "Cancel", "ChangeKind", "ChangeLevel", "ChangeOwner", "ChangePlace",
    "Close", "Confirm", "CrewBackToWork", "CrewCommand", "Dispatch", "Displace", "EndOutage",
    "EndShift", "Escalate", "ExtendOutage", "FieldStep", "FieldWatch", "GasLimits", "Handle",
    "IssueParts", "Link", "MarkUnproposed", "Merge", "OpenOutage", "OutageCommand", "PartsReady",
    "Permit", "Pin", "ProposedAgain", "ReceiveRequest", "RegisterCrew", "ReleaseParts",
    "ReleaseTicket", "Reopen", "Repeat", "ReserveParts", "SetWork", "StartShift", "StockCrew",
    "StockStore", "StopCrew", "StoreCommand", "TakeTicket", "TicketCommand", "TicketStep",
    "Unpin", "Verify", "WorkCommand",
]  # fmt: skip
