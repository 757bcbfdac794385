"""The city's rules in force, for everybody who decides or asks by them."""

from __future__ import annotations

from typing import Any

import msgspec
from litestar import Request, get
from litestar.handlers import BaseRouteHandler

from dispatch_core import campaigns, cases, requests, suspensions
from server.adapters.clock import BusinessClock
from server.adapters.policies import Policies
from server.api.gate import Gate


class PolicyAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the present season; `origin` is the file they come from."""

    version: str
    season: str
    timezone: str
    origin: str
    requests: requests.Policy
    suspension: suspensions.Policy
    cases: cases.Policy
    reminders: campaigns.Policy


def create_handlers(gate: Gate, clock: BusinessClock, policies: Policies) -> list[BaseRouteHandler]:
    """`/api/policy`."""

    @get("/api/policy", tags=["policy"])
    async def policy(request: Request[Any, Any, Any]) -> PolicyAnswer:
        """The rules that decide now, with their version and where they come from."""
        principal = await gate.principal(request)
        found, origin = await policies.with_origin(principal.company, clock.now())
        return PolicyAnswer(
            version=found.version,
            season=found.season,
            timezone=found.timezone,
            origin=origin,
            requests=found.requests,
            suspension=found.suspension,
            cases=found.cases,
            reminders=found.reminders,
        )

    return [policy]
