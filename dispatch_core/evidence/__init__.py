"""The work on site and its evidence: check-ins, three photos, valves, verdicts with reasons.

A record is decided from its state and from what was measured elsewhere; it stands beside its
ticket, whose closing asks it. Nothing in it is ever rewritten: a person who overrules adds a fact.
"""

from dispatch_core.evidence.applied import apply
from dispatch_core.evidence.checks import (
    Judgement,
    Likeness,
    PhotoFacts,
    SiteWindow,
    judge,
    trust_of,
)
from dispatch_core.evidence.decide import decide
from dispatch_core.evidence.desk import DeskView, desk_view
from dispatch_core.evidence.kept import begun, check_kept
from dispatch_core.evidence.policy import POLICY, Fence, Owed, Photos, Policy, check, owed_by
from dispatch_core.evidence.standing import (
    SlotState,
    Standing,
    check_close,
    check_done,
    check_valves,
    standing,
)
from dispatch_core.evidence.state import Asked, ShutValve, SiteRecord, SiteVisit, SlotPhoto
from dispatch_core.evidence.whereabouts import NO_FIX, Measured, Whereabouts, whereabouts

__all__ = [
    "NO_FIX", "POLICY", "Asked", "DeskView", "Fence", "Judgement", "Likeness", "Measured", "Owed",
    "PhotoFacts", "Photos", "Policy", "ShutValve", "SiteRecord", "SiteVisit", "SiteWindow",
    "SlotPhoto", "SlotState", "Standing", "Whereabouts", "apply", "begun", "check", "check_close",
    "check_done", "check_kept", "check_valves", "decide", "desk_view", "judge", "owed_by",
    "standing", "trust_of", "whereabouts",
]  # fmt: skip
