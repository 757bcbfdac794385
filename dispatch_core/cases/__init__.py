"""External cases (12345, property firms) hung on a ticket: own number, own clocks."""

from dispatch_core.cases.commands import (
    NAMES,
    CaseCommand,
    CaseStep,
    CloseCase,
    ContactCitizen,
    ExtendReply,
    ReceiveCase,
    Reply,
    ReturnForRework,
    SignFor,
)
from dispatch_core.cases.decide import decide, move, origin_of
from dispatch_core.cases.policy import Origin, Policy
from dispatch_core.cases.state import (
    POSSIBLE,
    RUNNING,
    Case,
    Due,
    Status,
    StatusSent,
    apply,
    case_id,
    plain_number,
)
from dispatch_core.cases.watch import next_look, watch

__all__ = [
    "NAMES",
    "POSSIBLE",
    "RUNNING",
    "Case",
    "CaseCommand",
    "CaseStep",
    "CloseCase",
    "ContactCitizen",
    "Due",
    "ExtendReply",
    "Origin",
    "Policy",
    "ReceiveCase",
    "Reply",
    "ReturnForRework",
    "SignFor",
    "Status",
    "StatusSent",
    "apply",
    "case_id",
    "decide",
    "move",
    "next_look",
    "origin_of",
    "plain_number",
    "watch",
]
