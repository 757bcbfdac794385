"""The feed's loop: seal at most every 100 ms, publish behind it."""

from __future__ import annotations

import asyncio
import time

import msgspec

from realtime.messages import TopicTick
from server.adapters.feed_session import FeedSession, Round
from server.jobs.publisher import Beat, Publisher

SEAL_EVERY_S = 0.1


class BeatPayload(msgspec.Struct, frozen=True):
    """Where every topic of a company stands, once a second."""

    topics: dict[str, TopicTick]


def beats_of(round_: Round) -> list[Beat]:
    """One beat per company from the renewed heads."""
    by_company: dict[int, dict[str, TopicTick]] = {}
    for head in round_.heads:
        by_company.setdefault(head["company_id"], {})[head["topic"]] = TopicTick(
            epoch=head["epoch"],
            seq=head["seq"],
            hash=head["hash"],
            as_of=head["as_of"],
            source_at=head["source_at"],
            cadence_s=head["cadence_s"],
        )
    return [
        Beat(c, msgspec.msgpack.encode(BeatPayload(topics))) for c, topics in by_company.items()
    ]


async def run(session: FeedSession, publisher: Publisher) -> None:
    """Seal until the lease is lost or the connection goes; the caller decides what then."""
    due = time.monotonic()
    while True:
        more = False
        if publisher.fork:
            await session.fork(publisher.fork)
            publisher.fork = 0
            publisher.clear()
        if await session.work():
            round_ = await session.seal()
            publisher.put(round_.sealed, beats_of(round_))
            more = round_.more
        now = time.monotonic()
        due = now if more else max(due + SEAL_EVERY_S, now + 0.005)
        await asyncio.sleep(due - now)
