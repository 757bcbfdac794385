"""The doors of the desk's own day: handover, morning report, and the resident's link."""

from __future__ import annotations

from typing import NamedTuple

from litestar.handlers import BaseRouteHandler

from server.adapters.clock import BusinessClock
from server.adapters.commits import Commits
from server.adapters.follow import Follow
from server.adapters.handover_reads import HandoverReads
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.report_reads import ReportReads
from server.adapters.vault import Vault
from server.api import follow, handovers, reports
from server.api.gate import Gate


class Parts(NamedTuple):
    """What these doors are made of."""

    gate: Gate
    pool: Pool
    commits: Commits
    vault: Vault
    policies: Policies
    clock: BusinessClock


def create_handlers(parts: Parts) -> list[BaseRouteHandler]:
    """All of them."""
    gate, pool, commits, vault, policies, clock = parts
    return [
        *handovers.create_handlers(
            gate, HandoverReads(pool, vault), handovers.Writing(commits, vault, policies, clock)
        ),
        *reports.create_handlers(gate, ReportReads(pool, vault), reports.Writing(commits, vault)),
        *follow.create_handlers(gate, Follow(pool, vault), follow.Writing(commits, vault, clock)),
    ]
