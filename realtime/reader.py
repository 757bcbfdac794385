"""Keeps this process's pictures true:
a snapshot from PostgreSQL, batches from Redis, or from the feed log when Redis is silent."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from typing import Protocol

import msgspec

from realtime.broker import AWAY, Broker, beat_key, stream_key
from realtime.hub import Hub
from realtime.messages import TopicTick
from realtime.picture import Picture

log = logging.getLogger(__name__)

SILENCE_S = 1.2
POLL_S = 0.2
PAUSE_S = 0.05
COMPANIES_S = 5.0
NO_MESSAGE = (msgspec.DecodeError, UnicodeDecodeError)


class Gone(Exception):  # noqa: N818 - a state of the store, no defect
    """The store does not answer now; try again."""


class FeedReads(Protocol):
    """What the reader asks PostgreSQL for. Every method raises Gone when it does not answer."""

    async def companies(self) -> dict[int, str]:
        """Every company and its code."""

    async def snapshot(self, company: int, topic: str) -> bytes | None:
        """A `snap` message read in one REPEATABLE READ snapshot;
        None before the feed's first round."""

    async def after(
        self, company: int, topic: str, epoch: int, seq: int
    ) -> list[tuple[int, bytes]]:
        """Sealed batches after a position."""

    async def heads(self, company: int) -> dict[str, TopicTick]:
        """Where every topic of a company stands."""


class BeatTopics(msgspec.Struct, frozen=True):
    """A beat as the feed publishes it."""

    topics: dict[str, TopicTick]


_decode_beat = msgspec.msgpack.Decoder(BeatTopics).decode


class Reader:
    """One per web process. `ready` is set when every topic of every company
    has its first picture."""

    def __init__(self, hub: Hub, broker: Broker, reads: FeedReads, topics: list[str]) -> None:
        self._hub = hub
        self._broker = broker
        self._reads = reads
        self._topics = topics
        self.ready = asyncio.Event()
        self.redis_away = False
        self._heard_at = time.monotonic()
        self._beat_ids: dict[int, str] = {}
        self._wrong: dict[tuple[int, str], int] = {}
        self._retry_at: dict[tuple[int, str], float] = {}

    async def run(self) -> None:
        """For ever. PostgreSQL and Redis may each be away;
        what is shown grows old visibly and is mended later."""
        companies_at = float("-inf")
        while True:
            try:
                if time.monotonic() - companies_at > COMPANIES_S or not self.ready.is_set():
                    await self._companies()
                    companies_at = time.monotonic()
                await self._load_missing()
                if self._hub.pictures and all(p.loaded for p in self._hub.pictures.values()):
                    self.ready.set()
                await self._read_once()
            except Gone:
                await asyncio.sleep(random.uniform(0.2, 0.5))  # noqa: S311 - jitter

    async def _companies(self) -> None:
        self._hub.codes = await self._reads.companies()
        for company in self._hub.codes:
            for topic in self._topics:
                self._hub.pictures.setdefault((company, topic), Picture(company, topic))
            self._beat_ids.setdefault(company, "$")

    async def _load_missing(self) -> None:
        now = time.monotonic()
        for picture in list(self._hub.pictures.values()):
            if (
                not picture.loaded
                and self._retry_at.get((picture.company, picture.topic), 0) <= now
            ):
                await self._load(picture)

    async def _load(self, picture: Picture) -> None:
        sealed = await self._reads.snapshot(picture.company, picture.topic)
        if sealed is None:
            return
        at = (picture.company, picture.topic)
        if picture.load(sealed):
            self._wrong.pop(at, None)
            self._hub.reloaded(picture)
            return
        times = self._wrong[at] = self._wrong.get(at, 0) + 1
        self._retry_at[at] = time.monotonic() + min(0.1 * 2 ** min(times, 6), 5)
        log.error("the stored rows of %s do not give its hash (%s times)", picture.topic, times)

    async def _read_once(self) -> None:
        if not any(p.loaded for p in self._hub.pictures.values()):
            await asyncio.sleep(0.1)
            return
        if self.redis_away:
            await self._poll_postgres()
            await asyncio.sleep(POLL_S)
            return
        try:
            found = await self._broker.read(self._positions())
        except AWAY as error:
            log.warning(
                "Redis is away (%s): reading the feed from PostgreSQL", type(error).__name__
            )
            self.redis_away = True
            return
        behind = self._take(found)
        if behind or time.monotonic() - self._heard_at > SILENCE_S:
            await self._poll_postgres()
        if behind:
            await asyncio.sleep(PAUSE_S)  # what cannot be applied is read again and again

    def _positions(self) -> dict[str, str]:
        positions = {
            stream_key(c, t): f"{p.epoch}-{p.seq}"
            for (c, t), p in self._hub.pictures.items()
            if p.loaded
        }
        positions.update({beat_key(c): i for c, i in self._beat_ids.items()})
        return positions

    def _take(self, found: list[tuple[str, str, bytes]]) -> bool:
        """Apply what Redis brought. True if something is missing in between."""
        by_key = {stream_key(c, t): p for (c, t), p in self._hub.pictures.items()}
        by_beat = {beat_key(c): c for c in self._beat_ids}
        behind = False
        for key, entry, payload in found:
            self._heard_at = time.monotonic()
            if key in by_beat:
                self._beat_ids[by_beat[key]] = entry
                behind |= self._take_beat(by_beat[key], payload)
            elif by_key[key].loaded:
                behind |= self._take_batch(by_key[key], payload)
        return behind

    def _take_batch(self, picture: Picture, sealed: bytes) -> bool:
        before = picture.seq
        try:
            outcome = picture.apply(sealed)
        except NO_MESSAGE as error:
            log.error("%s: bytes that are no batch are passed over: %s", picture.topic, error)
            return True
        if outcome == "applied":
            self._hub.forward(picture, sealed, before)
        return outcome in {"gap", "epoch", "wrong"}

    def _take_beat(self, company: int, payload: bytes) -> bool:
        try:
            return self._compare(company, _decode_beat(payload).topics)
        except NO_MESSAGE as error:
            log.error("bytes that are no beat are passed over: %s", error)
            return True

    def _compare(self, company: int, topics: dict[str, TopicTick]) -> bool:
        behind = False
        for topic, tick in topics.items():
            picture = self._hub.pictures.get((company, topic))
            if picture is None or not picture.loaded:
                continue
            if not picture.refresh(tick):
                log.error(
                    "%s differs from the feed at %s-%s: loading it again",
                    topic,
                    tick.epoch,
                    tick.seq,
                )
                picture.seq = -1
                behind = True
            elif (tick.epoch, tick.seq) > (picture.epoch, picture.seq):
                behind = True
        return behind

    async def _poll_postgres(self) -> None:
        """Read what is new from the feed log and the heads;
        a different epoch or a hole loads the topic again."""
        for company in list(self._beat_ids):
            heads = await self._reads.heads(company)
            for topic, head in heads.items():
                picture = self._hub.pictures.get((company, topic))
                if picture is None or not picture.loaded:
                    continue
                if head.epoch != picture.epoch:
                    await self._load(picture)
                elif head.seq > picture.seq:
                    await self._follow_log(picture)
            self._compare(company, heads)
        # while Redis is silent, look again in half a second
        self._heard_at = time.monotonic() - SILENCE_S + 0.5

    async def _follow_log(self, picture: Picture) -> None:
        for _, sealed in await self._reads.after(
            picture.company, picture.topic, picture.epoch, picture.seq
        ):
            if self._take_batch(picture, sealed):
                await self._load(picture)
                return

    async def probe(self) -> None:
        """Ask Redis now and then whether it is back;
        a task of its own, so that polling never waits for it."""
        while True:
            await asyncio.sleep(0.5)
            if self.redis_away and await self._broker.ping():
                log.info("Redis is back")
                self._heard_at = time.monotonic()
                self.redis_away = False
