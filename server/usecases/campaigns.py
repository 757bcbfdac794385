"""A campaign started by hand: the core gathers who it goes to, and writes to them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import msgspec

from dispatch_core import campaigns
from dispatch_core.campaigns import Campaign, Start
from dispatch_core.ids import CampaignId, unix
from server.ports import Decision, Loaded, SecretText, Wanted
from server.usecases.streams import named


class CampaignAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """A campaign as callers are told it. Counts are residents; times are Unix seconds."""

    id: CampaignId
    version: int
    purpose: str
    season: str
    days_before: int
    by: str
    recipients: int | None
    """None until it is gathered who is written to: a moment."""
    without_phone: int
    sent: int
    delivered: int
    failed: int
    never_reached: int
    started_at: int
    deadline_at: int
    ended_at: int | None


def answer_of(campaign_id: CampaignId, campaign: Campaign) -> CampaignAnswer:
    """What a caller is told of a campaign."""
    return CampaignAnswer(
        id=campaign_id,
        version=campaign.version,
        purpose=campaign.purpose,
        season=campaign.season,
        days_before=campaign.days_before,
        by=campaign.by,
        recipients=campaign.recipients,
        without_phone=campaign.without_phone,
        sent=campaign.sent,
        delivered=campaign.delivered,
        failed=campaign.failed,
        never_reached=campaign.never_reached,
        started_at=campaign.started_at,
        deadline_at=campaign.deadline_at,
        ended_at=campaign.ended_at,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StartCampaign:
    """Start a reminder; `text` is what stands behind the command's words."""

    campaign: CampaignId
    command: Start
    text: SecretText

    def wanted(self) -> Wanted:
        """The campaign's stream."""
        return Wanted(streams=(named("campaign", self.campaign),))

    def more(self, loaded: Loaded, /) -> Wanted:
        """Nothing."""
        del loaded
        return Wanted()

    def decide(self, loaded: Loaded, now: datetime, /) -> Decision:
        """Its first fact."""
        stream = named("campaign", self.campaign)
        before: Campaign | None = loaded.state(stream)[0]
        (started,) = campaigns.decide(before, self.command, now)
        campaign = campaigns.apply(None, started, unix(now))
        return Decision(
            appends={stream: [started]},
            answer=answer_of(self.campaign, campaign),
            status=201,
            grounds="started by hand",
            policy=self.command.policy,
            texts=(self.text,),
        )
