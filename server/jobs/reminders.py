"""Reminders before a deadline: started on their day, written to residents in small lots, counted
until every message has an outcome."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from dispatch_core import campaigns
from dispatch_core.campaigns import Campaign, Start
from dispatch_core.ids import CampaignId, stream_of, unix
from server.adapters import campaigns as records
from server.adapters.engine_store import ACTOR, EngineTransaction
from server.adapters.message_store import Told
from server.adapters.residents import save_secrets
from server.ports import CityPolicy, OutMessage

LOT = 500
"""Residents that are written to in one transaction: some 20 ms of work."""


async def start_due(tx: EngineTransaction) -> int:
    """Start the reminder that is due, if it has not been; a core that was down catches it up."""
    policy = await tx.policy()
    local = tx.now.astimezone(ZoneInfo(policy.timezone))
    deadline = policy.suspension.deadline
    days = campaigns.due(policy.reminders, deadline, local)
    if days is None:
        return 0
    stream = stream_of("campaign", campaigns.name_of("suspension_deadline", policy.season, days))
    if (await tx.heads([stream])).get(stream, "busy") is not None:
        return 0
    text = tx.vault.words(tx.company, campaigns.text(policy.reminders, deadline, local, "zh"))
    start = Start(
        purpose="suspension_deadline",
        season=policy.season,
        days_before=days,
        deadline_at=unix(campaigns.deadline_ends(deadline, local.tzinfo)),
        words=text.words,
        by=ACTOR,
        policy=policy.version,
    )
    await save_secrets(tx.connection, tx.company, tx.vault, (), [text])
    tx.append(
        stream,
        campaigns.decide(None, start, tx.now),
        grounds=f"{days} days before the deadline {deadline}",
        policy=policy.version,
    )
    return 1


async def write(tx: EngineTransaction) -> int:
    """Carry the oldest campaign under way one lot further: gather who it goes to, then write to the
    next of them, within the hours of the policy and never after the deadline."""
    under_way = await _under_way(tx)
    for stream, campaign in (await tx.heads(under_way)).items():
        name = CampaignId(stream.removeprefix("campaign:"))
        policy = await tx.policy()
        if campaign.recipients is None:
            found = await records.gather(tx.connection, tx.company, name, campaign.season)
            tx.append(
                stream,
                campaigns.decide(campaign, found, tx.now),
                grounds="heated households without an application",
                policy=policy.version,
            )
            return 1
        if await _write_lot(tx, name, campaign, policy):
            return 0
    return 0


async def may_go_out(tx: EngineTransaction) -> bool:
    """Whether residents may be written to now; what a gateway did not take in time waits for the
    morning."""
    policy = await tx.policy()
    return campaigns.within_hours(policy.reminders, tx.now.astimezone(ZoneInfo(policy.timezone)))


async def _under_way(tx: EngineTransaction) -> list[str]:
    found: dict[str, Campaign] = await tx.streams_like("campaign:")
    open_ones = [(c.started_at, s) for s, c in found.items() if c.ended_at is None]
    return [stream for _, stream in sorted(open_ones)]


async def _write_lot(
    tx: EngineTransaction, name: CampaignId, campaign: Campaign, policy: CityPolicy
) -> int:
    local = tx.now.astimezone(ZoneInfo(policy.timezone))
    if unix(tx.now) >= campaign.deadline_at or not campaigns.within_hours(policy.reminders, local):
        return 0
    to = await records.next_addressees(tx.connection, tx.company, tx.vault, name, LOT)
    text = campaigns.text(policy.reminders, _last_day(campaign, local), local, "zh")
    await tx.send(
        [
            OutMessage(
                channel="resident",
                target=person.pseudonym,
                kind="reminder",
                about=stream_of("campaign", name),
                body={"text": text, "phone": person.phone, "name": person.name},
            )
            for person in to
        ]
    )
    return len(to)


def _last_day(campaign: Campaign, local: datetime) -> str:
    """The deadline's local day; `deadline_at` is the midnight that ends it."""
    ends = datetime.fromtimestamp(campaign.deadline_at - 1, local.tzinfo)
    return ends.date().isoformat()


async def count(tx: EngineTransaction) -> int:
    """Tell the progress and the end of campaigns under way."""
    return await _count(tx, await _under_way(tx))


async def delivered(tx: EngineTransaction, messages: Sequence[Told]) -> int:
    """Gateways have outcomes: tell the progress of their campaigns. What is in use elsewhere is
    told by `count` a little later."""
    return await _count(tx, {m.about for m in messages if m.about.startswith("campaign:")})


async def _count(tx: EngineTransaction, streams: Collection[str]) -> int:
    said = 0
    for stream, campaign in (await tx.heads(streams)).items():
        if campaign is None or not campaigns.countable(campaign, tx.now):
            continue
        name = CampaignId(stream.removeprefix("campaign:"))
        if unix(tx.now) >= campaign.deadline_at:
            await records.give_up_waiting(tx.connection, tx.company, name)
        found = await records.outcomes(tx.connection, tx.company, name)
        events = campaigns.decide(campaign, found, tx.now)
        if events:
            tx.append(
                stream,
                events,
                grounds="counted from the records of its messages",
                policy=(await tx.policy()).version,
            )
            said += len(events)
    return said
