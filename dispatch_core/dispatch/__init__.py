"""Dispatch: which crew for which ticket and why, the plan of all crews' days, and what if.

Pure: the same `Inputs` give the same answers, bit for bit.
"""

from dispatch_core.dispatch.answers import (
    CrewDay,
    CrewRule,
    Figures,
    Moved,
    Outcome,
    Plan,
    Priced,
    Proposal,
    Unplanned,
)
from dispatch_core.dispatch.daytime import next_window
from dispatch_core.dispatch.desk import Desk, price, propose
from dispatch_core.dispatch.digest import address, compare, digest, joined, pieces
from dispatch_core.dispatch.explain import SAID, explain, may_confirm_itself
from dispatch_core.dispatch.inputs import (
    Change,
    Held,
    InHand,
    Inputs,
    MoreOf,
    Permitted,
    Slot,
    Spot,
    Stage,
    Store,
    Task,
    Team,
)
from dispatch_core.dispatch.places import places_of
from dispatch_core.dispatch.planner import Planner, make_plan
from dispatch_core.dispatch.policy import Job, Policy, check
from dispatch_core.dispatch.telling import in_force
from dispatch_core.dispatch.what_if import what_if
from dispatch_core.dispatch.work import in_danger, work_of

__all__ = [
    "SAID",
    "Change",
    "CrewDay",
    "CrewRule",
    "Desk",
    "Figures",
    "Held",
    "InHand",
    "Inputs",
    "Job",
    "MoreOf",
    "Moved",
    "Outcome",
    "Permitted",
    "Plan",
    "Planner",
    "Policy",
    "Priced",
    "Proposal",
    "Slot",
    "Spot",
    "Stage",
    "Store",
    "Task",
    "Team",
    "Unplanned",
    "address",
    "check",
    "compare",
    "digest",
    "explain",
    "in_danger",
    "in_force",
    "joined",
    "make_plan",
    "may_confirm_itself",
    "next_window",
    "pieces",
    "places_of",
    "price",
    "propose",
    "what_if",
    "work_of",
]
