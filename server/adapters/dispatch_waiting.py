"""Which tickets wait for a crew, looked at several times a second."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import asyncpg

from dispatch_core.ids import CrewId, Level, TicketId, TicketState
from server.adapters.plan_store import plan_version


class Waiting(NamedTuple):
    """A ticket that is to have a proposal beside it."""

    version: int
    level: Level


def waits(state: TicketState, level: Level) -> bool:
    """Whether a ticket in this state is to have a proposal: one that was accepted and has no crew,
    and a red one already before anybody has accepted it."""
    return state == "accepted" or (state == "received" and level == "red")


class Look(NamedTuple):
    """What proposals hang on."""

    waiting: dict[TicketId, Waiting]
    crews: dict[CrewId, int]
    """Crew -> version of its stream."""
    plan: int
    open: int
    """Open tickets on which there is still work."""


async def look(c: asyncpg.Connection, company: int) -> Look:
    """As it is now."""
    rows = await c.fetch(
        "SELECT ticket_id, version, level, state FROM ticket"
        " WHERE company_id = $1 AND open AND state <> 'verifying'",
        company,
    )
    crews = await c.fetch(
        "SELECT substr(stream, 6), version FROM stream_head"
        " WHERE company_id = $1 AND stream >= 'crew:' AND stream < 'crew;'",
        company,
    )
    return Look(
        {TicketId(r[0]): Waiting(r[1], r[2]) for r in rows if waits(r[3], r[2])},
        {CrewId(r[0]): r[1] for r in crews},
        await plan_version(c, company),
        len(rows),
    )


async def still_waiting(
    c: asyncpg.Connection, company: int, tickets: Collection[TicketId]
) -> dict[TicketId, int]:
    """Those of the tickets that wait now, with their versions."""
    return {
        TicketId(r[0]): r[1]
        for r in await c.fetch(
            "SELECT ticket_id, version, state, level FROM ticket WHERE company_id = $1 AND open"
            " AND ticket_id = ANY($2::text[])",
            company,
            list(tickets),
        )
        if waits(r[2], r[3])
    }


class Present(NamedTuple):
    """What of a ticket matters to a plan."""

    state: TicketState
    level: Level
    crew: CrewId | None
    with_crew: CrewId | None


async def present(c: asyncpg.Connection, company: int) -> dict[TicketId, Present]:
    """Open tickets as they are now."""
    rows = await c.fetch(
        "SELECT ticket_id, state, level, crew_id, with_crew_id FROM ticket"
        " WHERE company_id = $1 AND open",
        company,
    )
    return {TicketId(r[0]): Present(r[1], r[2], r[3], r[4]) for r in rows}
