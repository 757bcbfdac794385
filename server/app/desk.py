"""The doors of the desk: proposals, prices, confirmation, plan, what if, presence."""

from __future__ import annotations

from litestar.handlers import BaseRouteHandler
from redis.asyncio import Redis

from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.decision_reads import DecisionReads
from server.adapters.engine_client import EngineClient
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.presence import Presence
from server.adapters.records import Records
from server.adapters.vault import Vault
from server.api import dispatch, dispatch_confirm, presence
from server.api.gate import Gate


class Desk:
    """What these doors are made of."""

    def __init__(self, pool: Pool, redis: Redis) -> None:
        self.engine = EngineClient(pool)
        self.decisions = DecisionReads(pool)
        self.presence = Presence(redis)

    def create_handlers(
        self, gate: Gate, commits: Commits, vault: Vault, policies: Policies, clock: BusinessClock,
        records: Records,
    ) -> list[BaseRouteHandler]:  # fmt: skip
        """All of them."""
        confirming = dispatch_confirm.Confirming(
            commits, self.engine, self.decisions, vault, policies, clock
        )
        reading = dispatch.Reading(self.engine, self.decisions, records, policies, clock)
        return [
            *dispatch_confirm.create_handlers(gate, confirming),
            *dispatch.create_handlers(gate, reading),
            *presence.create_handlers(gate, self.presence),
        ]
