"""Campaigns: reminders to residents, started by hand or looked at."""

from __future__ import annotations

from typing import Annotated, Any, NamedTuple
from zoneinfo import ZoneInfo

import msgspec
from litestar import Request, Response, get, post
from litestar.handlers import BaseRouteHandler
from litestar.params import Parameter

from dispatch_core import campaigns
from dispatch_core.campaigns import Purpose, Start
from dispatch_core.ids import CampaignId, unix
from server.adapters.campaigns import CampaignDetail, CampaignPage, CampaignReads
from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.policies import Policies
from server.adapters.vault import Vault
from server.api.documents import body_hash, decode_body, described, found
from server.api.gate import Gate, idempotency_key
from server.usecases.campaigns import CampaignAnswer, StartCampaign

DAYS_MOST = 366


class CampaignBody(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """A reminder; `days_before` names it and need not be today's: a reminder goes out once."""

    purpose: Purpose
    days_before: Annotated[int, msgspec.Meta(ge=0, le=DAYS_MOST)]


class CampaignPreview(msgspec.Struct, frozen=True, kw_only=True):
    """What a campaign would be if it started now."""

    purpose: Purpose
    season: str
    days_before: int
    recipients: int
    without_phone: int
    text_zh: str
    text_en: str
    deadline: str
    due: bool
    """It is this reminder's time: it starts by itself, if it has not."""


class Writing(NamedTuple):
    """What starting a campaign needs."""

    commits: Commits
    vault: Vault
    policies: Policies
    clock: BusinessClock


EXAMPLE = {
    "id": "suspension_deadline-2026-2027-15", "version": 1, "purpose": "suspension_deadline",
    "season": "2026-2027", "days_before": 15, "recipients": None, "sent": 0,
}  # fmt: skip


def create_handlers(gate: Gate, reads: CampaignReads, writing: Writing) -> list[BaseRouteHandler]:
    """Preview, start, look."""
    commits, vault, policies, clock = writing

    @get("/api/campaigns", tags=["campaigns"])
    async def listed(
        request: Request[Any, Any, Any], limit: int = 100, after: str | None = None
    ) -> CampaignPage:
        """Campaigns, newest first."""
        principal = await gate.principal(request)
        return await reads.page(principal.company, limit, after)

    @get("/api/campaigns/preview", tags=["campaigns"])
    async def preview(
        request: Request[Any, Any, Any],
        purpose: Purpose,
        days_before: Annotated[int, Parameter(ge=0, le=DAYS_MOST)],
    ) -> CampaignPreview:
        """Who a reminder would go to now, and what it would say."""
        principal = await gate.principal(request)
        now = clock.now()
        policy = await policies.at(principal.company, now)
        local, deadline = now.astimezone(ZoneInfo(policy.timezone)), policy.suspension.deadline
        count = await reads.preview(principal.company, policy.season)
        return CampaignPreview(
            purpose=purpose,
            season=policy.season,
            days_before=days_before,
            recipients=count.recipients,
            without_phone=count.without_phone,
            text_zh=campaigns.text(policy.reminders, deadline, local, "zh"),
            text_en=campaigns.text(policy.reminders, deadline, local, "en"),
            deadline=deadline,
            due=campaigns.due(policy.reminders, deadline, local) == days_before,
        )

    @get("/api/campaigns/{campaign_id:str}", tags=["campaigns"])
    async def one(
        request: Request[Any, Any, Any],
        campaign_id: str,
        limit: int = 100,
        after: str | None = None,
    ) -> CampaignDetail:
        """A campaign counted from its messages, and the households that were never reached."""
        principal = await gate.principal(request)
        name = CampaignId(campaign_id)
        detail = await reads.detail(principal.company, name, limit, after)
        return found(detail, "campaign", campaign_id)

    @post(
        "/api/campaigns",
        status_code=201,
        tags=["campaigns"],
        operation_class=described(
            CampaignBody, {"purpose": "suspension_deadline", "days_before": 15},
            CampaignAnswer, EXAMPLE, status="201",
        ),
    )  # fmt: skip
    async def start(request: Request[Any, Any, Any]) -> Response[bytes]:
        """Start a reminder by hand, on any day before the deadline: managers only."""
        principal = await gate.person(request, "administrator", "manager")
        key = idempotency_key(request)
        raw = await request.body()
        body = decode_body(raw, CampaignBody)
        now = clock.now()
        policy = await policies.at(principal.company, now)
        local, deadline = now.astimezone(ZoneInfo(policy.timezone)), policy.suspension.deadline
        text = vault.words(
            principal.company, campaigns.text(policy.reminders, deadline, local, "zh")
        )
        command = Start(
            purpose=body.purpose,
            season=policy.season,
            days_before=body.days_before,
            deadline_at=unix(campaigns.deadline_ends(deadline, local.tzinfo)),
            words=text.words,
            by=principal.actor,
            policy=policy.version,
        )
        use_case = StartCampaign(
            campaign=campaigns.name_of(body.purpose, policy.season, body.days_before),
            command=command,
            text=text,
        )
        answer = await commits.submit(
            principal, "POST /api/campaigns", key, body_hash(raw), use_case
        )
        return Response(answer.body, status_code=answer.status, media_type="application/json")

    return [listed, preview, one, start]
