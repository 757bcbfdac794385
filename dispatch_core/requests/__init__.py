"""Requests as they come in: their kind and level and why, and which open ticket they belong to."""

from dispatch_core.requests.assess import (
    Assessment,
    Facts,
    Raise,
    assess,
    merged_level,
    raise_by_repeat,
)
from dispatch_core.requests.doors import (
    Call,
    Door,
    Known,
    OpenRequest,
    apart_m,
    belongs,
    candidates,
    is_duplicate,
    located,
    repeated,
)
from dispatch_core.requests.policy import Policy
from dispatch_core.requests.propose import Proposal, fault_of, propose
from dispatch_core.requests.spoken import address_pieces

__all__ = [
    "Assessment",
    "Call",
    "Door",
    "Facts",
    "Known",
    "OpenRequest",
    "Policy",
    "Proposal",
    "Raise",
    "address_pieces",
    "apart_m",
    "assess",
    "belongs",
    "candidates",
    "fault_of",
    "is_duplicate",
    "located",
    "merged_level",
    "propose",
    "raise_by_repeat",
    "repeated",
]
