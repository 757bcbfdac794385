"""Who a campaign goes to, what became of each message, and the campaigns themselves."""

from __future__ import annotations

from typing import Literal, NamedTuple

import asyncpg
import msgspec

from dispatch_core.campaigns import Campaign, Count, Gather
from dispatch_core.errors import Invalid
from dispatch_core.ids import CampaignId
from server.adapters import journal
from server.adapters.clock import system_now
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.usecases.campaigns import CampaignAnswer, answer_of

MOST = 500

# Residents with a heated flat for which nobody has applied: each once, for all such flats.
_RECIPIENTS = (
    " FROM household h"
    " LEFT JOIN household_standing s ON s.company_id = h.company_id AND s.season = $2"
    "  AND s.household_id = h.household_id"
    " LEFT JOIN person p ON p.company_id = h.company_id AND p.pseudonym = h.pseudonym"
    " WHERE h.company_id = $1 AND coalesce(s.service, 'heated') = 'heated'"
    " AND NOT EXISTS (SELECT FROM application a WHERE a.company_id = h.company_id"
    "  AND a.household_id = h.household_id AND a.season = $2"
    "  AND a.action IN ('suspension', 'temporary_stop')"
    "  AND a.state IN ('referred', 'approved', 'completed', 'closed'))"
)
# A resident gets one message of a campaign, so the two name it.
_OUTCOMES = (
    " FROM campaign_recipient r LEFT JOIN message m ON m.company_id = r.company_id"
    "  AND m.about = 'campaign:' || $2 AND m.target = r.pseudonym"
    " WHERE r.company_id = $1 AND r.campaign_id = $2"
)

Why = Literal["no_phone", "failed", "not_sent"]


class Addressee(NamedTuple):
    """A resident that is written to, in plain: for a sealed message only."""

    pseudonym: str
    name: str | None
    phone: str


class NeverReached(msgspec.Struct, frozen=True, kw_only=True):
    """A household whose owner was not reached."""

    household: str
    why: Why


class NeverReachedPage(msgspec.Struct, frozen=True, kw_only=True):
    """Households whose owners were not reached, by number."""

    items: list[NeverReached]
    next: str | None
    total: int


class CampaignDetail(CampaignAnswer, frozen=True, kw_only=True):
    """A campaign with its counts as the records have them now."""

    waiting: int
    households_never_reached: NeverReachedPage


class CampaignPage(msgspec.Struct, frozen=True, kw_only=True):
    """Campaigns, newest first."""

    items: list[CampaignAnswer]
    next: str | None
    total: int


# ---------------------------------------------------------------- in the caller's transaction
async def count_recipients(c: asyncpg.Connection, company: int, season: str) -> Gather:
    """How many residents would be written to, and how many of them without a phone."""
    row = await c.fetchrow(
        "SELECT count(*) AS recipients, count(*) FILTER (WHERE NOT phone) AS without_phone"
        " FROM (SELECT bool_or(p.phone_index IS NOT NULL) AS phone"
        + _RECIPIENTS
        + " GROUP BY h.pseudonym) AS r",
        company,
        season,
    )
    return Gather(**row)


async def gather(c: asyncpg.Connection, company: int, campaign: CampaignId, season: str) -> Gather:
    """Fix who is written to."""
    await c.execute(
        "INSERT INTO campaign_recipient (company_id, campaign_id, pseudonym, households, phone)"
        " SELECT $1, $3, h.pseudonym, array_agg(h.household_id ORDER BY h.household_id),"
        " bool_or(p.phone_index IS NOT NULL)" + _RECIPIENTS + " GROUP BY h.pseudonym",
        company,
        season,
        campaign,
    )
    count = await outcomes(c, company, campaign)
    return Gather(
        recipients=count.unwritten + count.without_phone, without_phone=count.without_phone
    )


async def next_addressees(
    c: asyncpg.Connection, company: int, vault: Vault, campaign: CampaignId, most: int
) -> list[Addressee]:
    """The next residents to be written to; whoever asks writes to them in this transaction.

    One whose data is gone by now counts as without a phone.
    """
    # In three steps, each by its key: one statement would be planned on statistics that are older
    # than the campaign.
    rows = await c.fetch(
        "SELECT pseudonym FROM campaign_recipient WHERE company_id = $1 AND campaign_id = $2"
        " AND phone AND NOT written ORDER BY pseudonym LIMIT $3",
        company,
        campaign,
        most,
    )
    wanted = [r[0] for r in rows]
    if not wanted:
        return []
    people = await c.fetch(
        "SELECT pseudonym, body FROM person WHERE company_id = $1 AND pseudonym = ANY($2::text[])"
        " AND phone_index IS NOT NULL ORDER BY pseudonym",
        company,
        wanted,
    )
    await c.execute(
        "UPDATE campaign_recipient SET written = pseudonym = ANY($4::text[]),"
        " phone = pseudonym = ANY($4::text[])"
        " WHERE company_id = $1 AND campaign_id = $2 AND pseudonym = ANY($3::text[])",
        company,
        campaign,
        wanted,
        [r["pseudonym"] for r in people],
    )
    found = []
    for pseudonym, body in people:
        person = vault.open_person(company, pseudonym, body)
        found.append(Addressee(pseudonym, person.name, person.phone or ""))
    return found


async def give_up_waiting(c: asyncpg.Connection, company: int, campaign: CampaignId) -> None:
    """Messages that no gateway has taken, nor is trying to take just now, have failed."""
    await c.execute(
        "UPDATE message SET state = 'failed', error = 'not taken before the deadline'"
        " WHERE company_id = $1 AND about = $2 AND state = 'waiting' AND next_at <= $3",
        company,
        f"campaign:{campaign}",
        system_now(),
    )


async def outcomes(c: asyncpg.Connection, company: int, campaign: CampaignId) -> Count:
    """What the records say of a campaign."""
    people = await c.fetchrow(
        "SELECT count(*) FILTER (WHERE phone AND NOT written) AS unwritten,"
        " count(*) FILTER (WHERE NOT phone) AS without_phone"
        " FROM campaign_recipient WHERE company_id = $1 AND campaign_id = $2",
        company,
        campaign,
    )
    messages = await c.fetchrow(
        "SELECT count(*) FILTER (WHERE state IN ('sent', 'delivered')) AS sent,"
        " count(*) FILTER (WHERE state = 'delivered') AS delivered,"
        " count(*) FILTER (WHERE state = 'failed') AS failed,"
        " count(*) FILTER (WHERE state = 'waiting') AS waiting"
        " FROM message WHERE company_id = $1 AND about = $2",
        company,
        f"campaign:{campaign}",
    )
    return Count(**people, **messages)


# ---------------------------------------------------------------- reading
class CampaignReads:
    """Reads of one company's campaigns."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def preview(self, company: int, season: str) -> Gather:
        """Who would be written to if a campaign started now."""
        async with self._pool.company(company, readonly=True) as c:
            return await count_recipients(c, company, season)

    async def page(self, company: int, limit: int, after: str | None) -> CampaignPage:
        """Campaigns, newest first, as far as they have been told. Raises Invalid `bad_limit`,
        `bad_page`."""
        _check(limit)
        seconds, dot, last = (after or f"{10**11}.").partition(".")
        if not dot or not seconds.isdecimal() or len(seconds) > 12:
            raise Invalid(
                "bad_page", f"after={after!r} is no page.", "Give back `next` as it was answered."
            )
        async with self._pool.company(company, readonly=True) as c:
            rows = await c.fetch(
                "SELECT k.campaign_id, h.state FROM campaign k JOIN stream_head h"
                " ON h.company_id = k.company_id AND h.stream = 'campaign:' || k.campaign_id"
                " WHERE k.company_id = $1"
                " AND (extract(epoch FROM k.started_at)::bigint, k.campaign_id) < ($2, $3)"
                " ORDER BY k.started_at DESC, k.campaign_id DESC LIMIT $4",
                company,
                int(seconds),
                last,
                limit + 1,
            )
            total = await c.fetchval("SELECT count(*) FROM campaign WHERE company_id = $1", company)
        items = [
            answer_of(CampaignId(name), msgspec.json.decode(state, type=Campaign))
            for name, state in rows[:limit]
        ]
        following = f"{items[-1].started_at}.{items[-1].id}" if len(rows) > limit else None
        return CampaignPage(items=items, next=following, total=total)

    async def detail(
        self, company: int, campaign: CampaignId, limit: int, after: str | None
    ) -> CampaignDetail | None:
        """A campaign counted from its messages, and a page of the households that were never
        reached, by number. Raises Invalid `bad_limit`."""
        _check(limit)
        stream = f"campaign:{campaign}"
        async with self._pool.company(company, readonly=True) as c:
            head = (await journal.load_heads(c, [stream])).get(stream)
            if head is None:
                return None
            state: Campaign = head.state
            count = await outcomes(c, company, campaign)
            ended = state.ended_at is not None
            never = count.failed + count.without_phone + (count.unwritten if ended else 0)
            page = await _never_reached(c, company, campaign, (ended, limit, after or ""))
        told = answer_of(campaign, state)
        return CampaignDetail(
            **{
                **msgspec.structs.asdict(told),
                "without_phone": count.without_phone,
                "sent": count.sent,
                "delivered": count.delivered,
                "failed": count.failed,
                "never_reached": never,
            },
            waiting=count.waiting + (0 if ended else count.unwritten),
            households_never_reached=page,
        )


def _check(limit: int) -> None:
    if not 1 <= limit <= MOST:
        raise Invalid("bad_limit", f"limit is {limit}.", f"Ask for 1 to {MOST} at a time.")


async def _never_reached(
    c: asyncpg.Connection, company: int, campaign: CampaignId, page: tuple[bool, int, str]
) -> NeverReachedPage:
    ended, limit, after = page
    those = (
        "WITH never AS (SELECT unnest(r.households) AS household,"
        " CASE WHEN NOT r.phone THEN 'no_phone' WHEN m.state = 'failed' THEN 'failed'"
        "  ELSE 'not_sent' END AS why"
        + _OUTCOMES
        + " AND (NOT r.phone OR m.state = 'failed' OR $3 AND NOT r.written))"
    )
    rows = await c.fetch(
        those + " SELECT household, why FROM never WHERE household > $4"
        " ORDER BY household LIMIT $5",
        company, campaign, ended, after, limit + 1,
    )  # fmt: skip
    total = await c.fetchval(those + " SELECT count(*) FROM never", company, campaign, ended)
    items = [NeverReached(household=r[0], why=r[1]) for r in rows[:limit]]
    following = items[-1].household if len(rows) > limit else None
    return NeverReachedPage(items=items, next=following, total=total)
