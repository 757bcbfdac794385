"""Hands sealed batches to Redis, behind the feed's back:
sealing never waits for it, and a late entry is harmless."""

from __future__ import annotations

import asyncio
import logging
from collections import deque

import msgspec

from realtime.broker import AWAY, Broker, Position
from realtime.feed import Sealed
from realtime.reader import Gone
from server.adapters.feed_reads import FeedReads

log = logging.getLogger(__name__)

KEEP = 300


class Beat(msgspec.Struct, frozen=True):
    """How fresh every topic of a company is; published each second."""

    company: int
    payload: bytes


class Publisher:
    """A bounded queue towards Redis:
    what it drops stands in the feed log, from which it refills."""

    def __init__(self, broker: Broker, feed_log: FeedReads) -> None:
        self._broker = broker
        self._log = feed_log
        self._queue: deque[Sealed] = deque()
        self._beats: dict[int, Beat] = {}
        self._wake = asyncio.Event()
        self.fork = 0
        """An epoch seen in Redis that this feed did not write; the feed goes on above it."""

    def put(self, sealed: list[Sealed], beats: list[Beat]) -> None:
        """Queue committed batches and the newest beats."""
        self._queue.extend(sealed)
        while len(self._queue) > KEEP:
            self._queue.popleft()
        self._beats.update({beat.company: beat for beat in beats})
        self._wake.set()

    def clear(self) -> None:
        """Forget what waits: the epoch has changed."""
        self._queue.clear()

    async def run(self) -> None:
        """Publish for ever; Redis may come and go."""
        away = False
        while True:
            await self._wake.wait()
            self._wake.clear()
            try:
                while self._queue:
                    await self._publish(self._queue[0])
                    if self._queue:
                        self._queue.popleft()
                for company in list(self._beats):
                    beat = self._beats.pop(company)
                    await self._broker.beat(company, beat.payload)
                if away:
                    log.info("Redis is back")
                    away = False
            except (*AWAY, Gone) as error:
                if not away:
                    log.warning(
                        "Redis is away (%s): screens read from PostgreSQL", type(error).__name__
                    )
                    away = True
                await asyncio.sleep(0.2)
                self._wake.set()

    async def _publish(self, s: Sealed) -> None:
        here = Position(s.epoch, s.seq_to)
        before = Position(s.epoch, s.seq_from) if s.seq_from else None
        added, at = await self._broker.add(s.company, s.topic, before, [(here, s.sealed)])
        if added:
            return
        if at >= here:
            if at.epoch > s.epoch or await self._broker.entry(s.company, s.topic, here) != s.sealed:
                log.warning("Redis holds another past of %s at %s: a new epoch begins", s.topic, at)
                self.fork = max(self.fork, at.epoch + 1)
            return
        await self._refill(s, at)

    async def _refill(self, s: Sealed, at: Position) -> None:
        have = at.seq if at.epoch == s.epoch else 0
        start = max(have, s.seq_to - KEEP)
        rows = await self._log.after(s.company, s.topic, s.epoch, start, s.seq_to)
        entries = [(Position(s.epoch, seq), sealed) for seq, sealed in rows]
        if entries:
            await self._broker.add(s.company, s.topic, at if at.seq or at.epoch else None, entries)
