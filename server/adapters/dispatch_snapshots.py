"""The inputs of dispatch as they are now, for whoever is about to decide."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from dispatch_core import dispatch
from dispatch_core.dispatch import Inputs
from dispatch_core.ids import TicketId
from dispatch_core.tickets import Ticket
from server.adapters import dispatch_reads
from server.adapters.clock import BusinessClock, monotonic
from server.adapters.dispatch_inputs import inputs_of, with_travel
from server.adapters.dispatch_reads import Impact, States
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.travel import Travel

IMPACT_EVERY_S = 60.0
encode = msgspec.msgpack.Encoder(order="deterministic").encode


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """Inputs, ready to be sent to a child, beside the tickets that they came from."""

    inputs: Inputs
    body: bytes
    tickets: Mapping[TicketId, Ticket]
    travel_because: str | None
    """Why travel times do not come from where they should."""


class Snapshots:
    """Takes the inputs of any company; keeps of each what is slow to read and slow to change."""

    def __init__(
        self, pool: Pool, clock: BusinessClock, policies: Policies, travel: Travel
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._policies = policies
        self._travel = travel
        self._impact: dict[int, Impact] = {}
        self._states: dict[int, States] = {}

    async def take(self, company: int) -> Taken:
        """The inputs of this moment. Raises Unavailable."""
        now = self._clock.now()
        city = await self._policies.at(company, now)
        model = await self._travel.model(company)
        async with self._pool.company(company, isolation="repeatable_read", readonly=True) as c:
            states = self._states.setdefault(company, States())
            snapshot = await dispatch_reads.read_snapshot(c, company, now, city, model, states)
        impact = self._impact.get(company) or Impact()
        if monotonic() - impact.read_at > IMPACT_EVERY_S:
            async with self._pool.company(company, readonly=True) as c:
                cold = await dispatch_reads.read_impact(
                    c, company, now, city.dispatch.impact_window_s
                )
            impact = self._impact[company] = Impact(monotonic(), cold)
        inputs = inputs_of(snapshot, city, model, impact)
        spots = dispatch.places_of(inputs)
        table = await self._travel.table(company, spots, spots, inputs.at)
        inputs = with_travel(inputs, table)
        return Taken(
            inputs=inputs,
            body=encode(inputs),
            tickets=snapshot.tickets,
            travel_because=f"{table.note.wanted}: {table.note.detail}" if table.note else None,
        )
