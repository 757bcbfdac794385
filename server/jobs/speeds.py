"""Travel speeds learnt from the crews' fixes, hour by hour of business time."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import msgspec

from dispatch_core.ids import unix
from geo.travel_learn import journeys, learnt_model
from server.adapters import travel_store
from server.adapters.engine_store import EngineTransaction

LAG = timedelta(minutes=10)
"""Phones without signal send an hour's last fixes late."""
HOURS_AT_ONCE = 6
"""Of one transaction; what is left is taken at the next look."""


async def learn(tx: EngineTransaction) -> int:
    """Take up hours that have ended, then put the model that follows in force if it is another; no
    facts: both have tables of their own. A company without fixes keeps its policy's figures."""
    c, company = tx.connection, tx.company
    policy = await tx.policy()
    prior = policy.travel.prior(travel_store.offset_s(tx.now, policy.timezone))
    taken = 0
    while taken < HOURS_AT_ONCE:
        hour = await travel_store.next_hour(c, company, tx.now - LAG)
        if hour is None:
            break
        fixes = await travel_store.fixes_of(c, company, hour)
        centre = await travel_store.city_centre(c, company)
        found = await asyncio.to_thread(journeys, fixes, centre)
        slot = prior.slot(unix(hour))
        await travel_store.add_hour(c, company, hour, slot, len(fixes.at), found)
        taken += 1
    if not taken:
        return 0
    since = tx.now - timedelta(days=policy.travel.learn_days)
    await travel_store.forget(c, company, since)
    in_force = await travel_store.newest_model(c, company)
    seen = await travel_store.hours(c, company, since)
    version = 0 if in_force is None else in_force.version
    new = learnt_model(prior, policy.travel.prior_journeys, seen.speeds, seen.detours, version)
    if seen.speeds.any() and new != in_force:
        new = msgspec.structs.replace(new, version=version + 1)
        await travel_store.add_model(c, company, tx.now, new)
    return 0
