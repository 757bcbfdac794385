"""Whose requests are compared: open and recent tickets of a door, and outages over a building."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence

import asyncpg
from typing_extensions import override

from dispatch_core import tickets
from dispatch_core.ids import OutageId
from dispatch_core.tickets import Ticket
from server.adapters import journal
from server.ports import Door, Household, OpenRequest

MOST = 200
"""Tickets looked at for one door, newest first."""


def door_locks(door: Door) -> list[str]:
    """What is locked like streams while a door's requests are compared: two requests that could
    belong together share a household or a caller."""
    return [
        *([f"door:household:{door.household}"] if door.household else ()),
        *([f"door:resident:{door.resident}"] if door.resident else ()),
    ]


class Doors(Mapping[Door, Sequence[OpenRequest]]):
    """Tickets per door, newest first, among them those that this group has decided."""

    def __init__(
        self,
        stored: Mapping[Door, Sequence[OpenRequest]],
        homes: Mapping[str, Household],
        heads: Mapping[str, journal.StreamHead],
    ) -> None:
        self._stored = stored
        self._homes = homes
        self._heads = heads

    @classmethod
    async def load(
        cls,
        c: asyncpg.Connection,
        company: int,
        doors: Collection[Door],
        homes: Mapping[str, Household],
        heads: Mapping[str, journal.StreamHead],
    ) -> Doors:
        """Of these doors; their locks must be held while what is decided must not race."""
        wanted = list(doors)
        stored: dict[Door, list[OpenRequest]] = {door: [] for door in wanted}
        if wanted:
            rows = await c.fetch(
                _OF_DOORS,
                company,
                [d.household for d in wanted],
                [d.resident for d in wanted],
            )
            for row in rows:
                stored[wanted[row["i"] - 1]].append(_request(row))
        return cls(stored, homes, heads)

    @override
    def __getitem__(self, door: Door) -> Sequence[OpenRequest]:
        found = {r.ticket: r for r in self._stored[door]}
        for stream, head in self._heads.items():
            kind, _, name = stream.partition(":")
            if kind == "ticket" and isinstance(head.state, Ticket):
                now = _as_request(name, head.state)
                if self._of(door, now):
                    found[name] = now
        return sorted(found.values(), key=lambda r: (r.received_at, r.ticket), reverse=True)

    @staticmethod
    def _of(door: Door, request: OpenRequest) -> bool:
        same_home = door.household is not None and door.household == request.household
        same_caller = door.resident is not None and door.resident == request.resident
        return same_home or same_caller

    @override
    def __iter__(self) -> Iterator[Door]:
        return iter(self._stored)

    @override
    def __len__(self) -> int:
        return len(self._stored)


_COLUMNS = (
    "t.ticket_id, t.kind, t.state, t.open, t.level, t.household_id, t.resident, t.building_id,"
    " extract(epoch FROM t.received_at)::bigint AS received_at, t.reports"
)
_OF_DOORS = (
    "SELECT d.i, t.* FROM unnest($2::text[], $3::text[]) WITH ORDINALITY AS d(home, caller, i)"
    f" CROSS JOIN LATERAL (SELECT {_COLUMNS} FROM ticket t"
    "  WHERE t.company_id = $1 AND t.household_id = d.home"
    f" UNION SELECT {_COLUMNS} FROM ticket t WHERE t.company_id = $1 AND t.resident = d.caller"
    f" ORDER BY received_at DESC LIMIT {MOST}) AS t"
)


def _request(row: asyncpg.Record) -> OpenRequest:
    return OpenRequest(
        ticket=row["ticket_id"],
        kind=row["kind"],
        state=row["state"],
        open=row["open"],
        level=row["level"],
        household=row["household_id"],
        resident=row["resident"],
        building=row["building_id"],
        received_at=row["received_at"],
        reports=row["reports"],
    )


def _as_request(ticket_id: str, t: Ticket) -> OpenRequest:
    return OpenRequest(
        ticket=ticket_id,
        kind=t.kind,
        state=t.state,
        open=t.state in tickets.OPEN,
        level=t.level,
        household=t.household,
        resident=t.resident,
        building=t.place.building,
        received_at=t.received_at,
        reports=t.reports,
    )


async def load_outages(
    c: asyncpg.Connection, company: int, buildings: Collection[str]
) -> dict[str, OutageId]:
    """The open outage over each of these buildings that lies under one; of several the newest."""
    if not buildings:
        return {}
    rows = await c.fetch(
        "SELECT b.building, o.outage_id FROM outage o"
        " CROSS JOIN LATERAL unnest(o.buildings) AS b(building)"
        " WHERE o.company_id = $1 AND o.open AND b.building = ANY($2::text[])"
        " ORDER BY o.opened_at, o.outage_id",
        company,
        list(buildings),
    )
    return {row[0]: OutageId(row[1]) for row in rows}
