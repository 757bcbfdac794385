"""Messages to many households, with proof of who was reached."""

from dispatch_core.campaigns.days import deadline_ends, due, text, within_hours
from dispatch_core.campaigns.policy import Policy
from dispatch_core.campaigns.state import (
    PURPOSES,
    Campaign,
    Count,
    Gather,
    Purpose,
    Start,
    apply,
    countable,
    decide,
    name_of,
)

__all__ = [
    "PURPOSES",
    "Campaign",
    "Count",
    "Gather",
    "Policy",
    "Purpose",
    "Start",
    "apply",
    "countable",
    "deadline_ends",
    "decide",
    "due",
    "name_of",
    "text",
    "within_hours",
]
