"""Carries messages out of the house and tells what they are about what became of them.

Claimed in one transaction, sent in none, recorded in another: what a killed core had under way is
sent again with the same number. Each lane works by itself, so that a slow receiver delays nobody
else's messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

import msgspec

from dispatch_core.errors import Unavailable
from realtime.reader import Gone
from server.adapters import message_store
from server.adapters.engine_store import EngineStore, EngineTransaction
from server.adapters.feed_reads import FeedReads
from server.adapters.gateways import Gateways
from server.adapters.lease import Lost
from server.adapters.message_store import Claimed, Lane, NotNow, Outcome, Told
from server.jobs import cases, reminders, suspensions

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.5
AWAY = (Lost, Unavailable, Gone)
TOLD_AT_ONCE = 200

Hear = Callable[[EngineTransaction, Sequence[Told]], Awaitable[int]]
HEARS: Mapping[str, Hear] = {
    "case": cases.delivered,
    "department": suspensions.delivered,
    "resident": reminders.delivered,
}
"""Who hears the news of a channel's messages; returns how many facts it appended."""


def give_up(
    claimed: Sequence[Claimed], outcomes: Sequence[Outcome], attempts_max: int
) -> list[Outcome]:
    """The outcomes, where what a receiver did not take for the last time that the city's policy
    allows has failed. A disk of our own that is full is waited for."""
    last = {m.message_id for m in claimed if m.attempts >= attempts_max}
    return [
        msgspec.structs.replace(o, state="failed")
        if o.message_id in last and o.state == "waiting" and o.way == "webhook"
        else o
        for o in outcomes
    ]


class Delivery:
    """All messages of all companies; runs where the core leads."""

    def __init__(self, store: EngineStore, reads: FeedReads, gateways: Gateways) -> None:
        self._store = store
        self._reads = reads
        self._gateways = gateways
        self._busy: set[tuple[int, Lane]] = set()

    async def run(self) -> None:
        """Until cancelled. Raises lease.Lost, in a group, when another core leads."""
        async with asyncio.TaskGroup() as lanes:
            while True:
                try:
                    companies = await self._reads.companies()
                except (Unavailable, Gone):
                    companies = {}
                except Exception:
                    log.exception("messages are looked at again in a moment")
                    companies = {}
                for company, code in companies.items():  # the trouble of one is not the others'
                    try:
                        await self._look(lanes, company, code)
                    except Lost:
                        raise
                    except (Unavailable, Gone):
                        pass
                    except Exception:
                        log.exception("messages of %s are looked at again in a moment", code)
                await asyncio.sleep(LOOK_EVERY_S)

    async def _look(self, tasks: asyncio.TaskGroup, company: int, code: str) -> None:
        async with self._store.company(company) as tx:
            work = await message_store.work(tx.connection, company)
        for lane in work.lanes:
            if (company, lane) not in self._busy:
                self._busy.add((company, lane))
                tasks.create_task(self._lane(company, code, lane))
        for channel in work.news:
            await self._tell(company, channel)

    # ---------------------------------------------------------------- sending

    async def _lane(self, company: int, code: str, lane: Lane) -> None:
        """Until nothing is due in it."""
        try:
            while await self._carry(company, code, lane):
                pass
        except Lost:
            raise
        except (Unavailable, Gone):
            pass  # what was claimed comes due again with the end of its lease
        except Exception:
            log.exception("messages of %s to %s failed and are tried again", lane.channel, code)
        finally:
            self._busy.discard((company, lane))

    async def _carry(self, company: int, code: str, lane: Lane) -> int:
        gateway = self._gateways.of(code, lane)
        async with self._store.company(company) as tx:
            if lane.channel == "resident" and not await reminders.may_go_out(tx):
                return 0
            claimed = await message_store.claim(
                tx.connection, company, tx.vault, lane, gateway.at_most
            )
        if not claimed:
            return 0
        outcomes = await gateway.carry(code, claimed)
        async with self._store.company(company) as tx:
            if lane.channel == "resident":
                outcomes = give_up(claimed, outcomes, (await tx.policy()).reminders.attempts_max)
            await message_store.record(tx.connection, company, tx.now, outcomes)
        return len(claimed)

    # ---------------------------------------------------------------- telling
    async def _tell(self, company: int, channel: str) -> None:
        try:
            while await self._tell_some(company, channel, TOLD_AT_ONCE) == TOLD_AT_ONCE:
                pass
        except AWAY:
            raise
        except Exception:  # noqa: BLE001 - said below, for the message that it is about
            # One of them cannot be heard now: the others do not wait for it.
            await self._tell_each(company, channel)

    async def _tell_some(self, company: int, channel: str, most: int) -> int:
        async with self._store.company(company) as tx:
            news = await message_store.untold(tx.connection, company, channel, most)
            await self._hear(tx, channel, news)
        return len(news)

    async def _hear(self, tx: EngineTransaction, channel: str, news: Sequence[Told]) -> None:
        if not news:
            return
        hear = HEARS.get(channel)
        if hear is not None and await hear(tx, news):
            await tx.flush()
        await message_store.mark_told(tx.connection, tx.company, [m.message_id for m in news])

    async def _tell_each(self, company: int, channel: str) -> None:
        after = 0
        for _ in range(TOLD_AT_ONCE):
            try:
                async with self._store.company(company) as tx:
                    news = await message_store.untold(tx.connection, company, channel, 1, after)
                    if not news:
                        return
                    after = news[0].message_id
                    await self._hear(tx, channel, news)
            except NotNow:
                continue
            except AWAY:
                raise
            except Exception:
                log.exception("the news of message %s of company %s cannot be told", after, company)
