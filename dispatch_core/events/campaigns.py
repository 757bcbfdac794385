"""Events of a campaign: a message to many households, with proof of who was reached."""

from __future__ import annotations

from dispatch_core.events.base import Body
from dispatch_core.ids import Words


class CampaignStarted(Body, frozen=True, kw_only=True):
    """A campaign begins: it goes out until `deadline_at`; its words are kept apart."""

    purpose: str
    season: str
    days_before: int
    deadline_at: int
    words: Words
    by: str
    policy: str


class CampaignGathered(Body, frozen=True, kw_only=True):
    """Who is written to stands fixed: so many residents, so many of them without a phone."""

    recipients: int
    without_phone: int


class CampaignProgressed(Body, frozen=True, kw_only=True):
    """What the gateways have reported so far: counts of residents."""

    sent: int
    delivered: int
    failed: int


class CampaignEnded(Body, frozen=True, kw_only=True):
    """Every message has an outcome; `never_reached` includes those without a phone."""

    sent: int
    delivered: int
    failed: int
    never_reached: int
