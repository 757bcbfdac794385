"""Stopping and resuming the heating of a flat: checked by policy, visited, made known, closed.

A household's applications are one stream, so that two can never be open against each other; a visit
is a stream of its own.
"""

from dispatch_core.suspensions import visits
from dispatch_core.suspensions.checks import Applicant, Flat
from dispatch_core.suspensions.commands import (
    ApplicationCommand,
    Apply,
    Approve,
    GiveBack,
    MakeKnown,
    RecordResults,
    Refuse,
    Result,
    Schedule,
    SetValve,
    Step,
    Terms,
    Withdraw,
)
from dispatch_core.suspensions.decide import BY_POLICY, decide, no_such_application, receive
from dispatch_core.suspensions.policy import Policy, check_order, check_texts
from dispatch_core.suspensions.state import (
    OPEN,
    POSSIBLE,
    Application,
    Heating,
    SeasonStanding,
    apply,
)
from dispatch_core.suspensions.visits import Visit
from dispatch_core.suspensions.watch import watch

__all__ = [
    "BY_POLICY",
    "OPEN",
    "POSSIBLE",
    "Applicant",
    "Application",
    "ApplicationCommand",
    "Apply",
    "Approve",
    "Flat",
    "GiveBack",
    "Heating",
    "MakeKnown",
    "Policy",
    "RecordResults",
    "Refuse",
    "Result",
    "Schedule",
    "SeasonStanding",
    "SetValve",
    "Step",
    "Terms",
    "Visit",
    "Withdraw",
    "apply",
    "check_order",
    "check_texts",
    "decide",
    "no_such_application",
    "receive",
    "visits",
    "watch",
]
