"""The pictures of all topics in this process and the clients that watch them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

import msgspec

from realtime.messages import BusinessTime, Resumed, Tick
from realtime.picture import Picture, keys_of

_json = msgspec.json.Encoder().encode
RESUME_BYTES = 160 * 1024
"""What a resume may queue at once; with the pause threshold it stays below 256 KiB a connection."""

AHEAD = 300
"""By how many batches a client may know more than this process, having come from a quicker one."""


class Outbound(Protocol):
    """A connection's one ordered way out."""

    @property
    def paused(self) -> bool:
        """True while the client does not keep up: merge instead of queueing."""

    def send(self, payload: bytes, *, binary: bool) -> None:
        """Queue one message, in order."""


class Audience(Protocol):
    """Connections that get the same bytes."""

    def add(self, out: Outbound, /) -> None:
        """Count it in."""

    def discard(self, out: Outbound, /) -> None:
        """Count it out."""

    def paused(self) -> list[Outbound]:
        """Members that do not keep up."""

    def send(self, payload: bytes, *, binary: bool) -> None:
        """The same message to every member."""

    def __contains__(self, out: object, /) -> bool: ...
    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[Outbound]: ...


class Watcher:
    """One client: what it watches and how far it is in each topic."""

    __slots__ = ("behind", "company", "crew", "out", "topics")

    def __init__(self, company: int, out: Outbound, crew: str | None = None) -> None:
        self.company = company
        self.out = out
        self.crew = crew
        """The crew whose phone this is: of the topics of crews it gets its own row, and no other
        topic. None: a screen, which gets whole topics."""
        self.topics: set[str] = set()
        self.behind: dict[str, tuple[int, int]] = {}
        """Topic -> (epoch, seq) it has: to be caught up by one merged batch when the client reads
        again. A topic that is not in here stands where the picture stands."""


class Hub:
    """Pictures by (company, topic), and who watches them."""

    def __init__(self, new_audience: Callable[[], Audience]) -> None:
        self._new_audience = new_audience
        self.pictures: dict[tuple[int, str], Picture] = {}
        self.codes: dict[int, str] = {}
        """Company -> its code, for the tick."""
        self._watchers: dict[int, dict[Outbound, Watcher]] = {}
        self._everyone: dict[int, Audience] = {}
        self._current: dict[tuple[int, str], Audience] = {}
        """Who has every batch so far: the next goes to all of them as the same bytes."""
        self._phones: dict[tuple[int, str], set[Watcher]] = {}
        """Phones of crews by topic: each gets its own row anew whenever that has changed."""
        self._late: set[Watcher] = set()
        """Who is behind in some topic."""

    def add(self, watcher: Watcher) -> None:
        """A client is here."""
        self._watchers.setdefault(watcher.company, {})[watcher.out] = watcher
        if watcher.company not in self._everyone:
            self._everyone[watcher.company] = self._new_audience()
        self._everyone[watcher.company].add(watcher.out)

    def remove(self, watcher: Watcher) -> None:
        """A client is gone."""
        self._watchers.get(watcher.company, {}).pop(watcher.out, None)
        if watcher.company in self._everyone:
            self._everyone[watcher.company].discard(watcher.out)
        for topic in list(watcher.topics):
            self.unsubscribe(watcher, topic)
        self._late.discard(watcher)

    # ---------------------------------------------------------------- subscriptions
    def resume(self, watcher: Watcher, topic: str, epoch: int, seq: int) -> bool:
        """Go on from the client's position if our ring reaches back to it.
        False: it needs more than that."""
        return self.resume_with(watcher, topic, epoch, seq, [], seq)

    def resume_with(
        self, watcher: Watcher, topic: str, epoch: int, seq: int, log: list[bytes], upto: int
    ) -> bool:
        """Go on from the client's position with batches from the feed log up to `upto`,
        then from our ring."""
        picture = self.pictures[watcher.company, topic]
        rest = picture.since(upto)
        if epoch != picture.epoch or rest is None or upto > picture.seq + AHEAD:
            return False
        sealed = [*log, *(batch.sealed for batch in rest)]
        if sum(map(len, sealed)) > RESUME_BYTES:
            return False  # one snapshot is less than all that happened since
        watcher.out.send(_json(Resumed(topic=topic, epoch=epoch, seq=seq)), binary=False)
        for payload in sealed:
            watcher.out.send(payload, binary=True)
        self._follow(watcher, topic)
        return True

    def snapshot(self, watcher: Watcher, topic: str) -> None:
        """Give the client the whole topic, a crew's phone its own row."""
        picture = self.pictures[watcher.company, topic]
        if watcher.crew is not None:
            watcher.out.send(picture.snapshot_of(watcher.crew), binary=True)
            watcher.topics.add(topic)
            watcher.behind.pop(topic, None)
            self._phones.setdefault((watcher.company, topic), set()).add(watcher)
            return
        watcher.out.send(picture.snapshot(), binary=True)
        self._follow(watcher, topic)

    def wait(self, watcher: Watcher, topic: str) -> None:
        """The topic has no picture yet: the client gets it whole when there is one."""
        watcher.topics.add(topic)
        self._mark(watcher, topic, 0, -1)

    def _mark(self, watcher: Watcher, topic: str, epoch: int, seq: int) -> None:
        watcher.behind[topic] = (epoch, seq)
        self._late.add(watcher)

    def _follow(self, watcher: Watcher, topic: str) -> None:
        watcher.topics.add(topic)
        watcher.behind.pop(topic, None)
        at = (watcher.company, topic)
        if at not in self._current:
            self._current[at] = self._new_audience()
        self._current[at].add(watcher.out)

    def unsubscribe(self, watcher: Watcher, topic: str) -> None:
        """The client no longer wants the topic."""
        watcher.topics.discard(topic)
        watcher.behind.pop(topic, None)
        self._phones.get((watcher.company, topic), set()).discard(watcher)
        current = self._current.get((watcher.company, topic))
        if current is not None:
            current.discard(watcher.out)

    # ---------------------------------------------------------------- what the reader brings
    def forward(self, picture: Picture, sealed: bytes, before: int) -> None:
        """A batch was applied to the picture, which stood at seq `before`: the same bytes to
        everyone who stood there too; the slow are marked and get what they missed as one batch
        later. Crews' phones whose row it touches get that."""
        phones = self._phones.get((picture.company, picture.topic))
        if phones:
            touched = keys_of(sealed)
            for phone in phones:
                if phone.crew in touched:
                    self._mark(phone, picture.topic, 0, -1)
        current = self._current.get((picture.company, picture.topic))
        if not current:
            return
        for out in current.paused():
            current.discard(out)
            watcher = self._watchers[picture.company][out]
            self._mark(watcher, picture.topic, picture.epoch, before)
        current.send(sealed, binary=True)

    def reloaded(self, picture: Picture) -> None:
        """The picture was loaded anew: everyone who watches it gets it whole."""
        current = self._current.get((picture.company, picture.topic))
        for watcher in self._watchers.get(picture.company, {}).values():
            if picture.topic in watcher.topics:
                if current is not None:
                    current.discard(watcher.out)
                self._mark(watcher, picture.topic, 0, -1)
        self.catch_up()

    def catch_up(self) -> None:
        """Bring those who read again up to date:
        one merged batch, or a snapshot if they missed too much."""
        for watcher in list(self._late):
            for topic in sorted(watcher.behind):
                if watcher.out.paused:
                    break
                picture = self.pictures[watcher.company, topic]
                if picture.loaded:
                    self._catch_up(watcher, picture, *watcher.behind[topic])
            if not watcher.behind:
                self._late.discard(watcher)

    def _catch_up(self, watcher: Watcher, picture: Picture, epoch: int, seq: int) -> None:
        if (epoch, seq) == (picture.epoch, picture.seq):
            self._follow(watcher, picture.topic)
            return
        merged = picture.merged_since(seq) if epoch == picture.epoch else None
        if merged is None:
            self.snapshot(watcher, picture.topic)
            return
        watcher.out.send(merged, binary=True)
        self._follow(watcher, picture.topic)

    def tick(self, server_time: float, business: BusinessTime) -> None:
        """Every second: time and the state of every topic, to each company's clients.
        A client that does not keep up misses ticks: what it shows grows old by its own clock."""
        for company, audience in self._everyone.items():
            if not audience:
                continue
            slow = audience.paused()
            for out in slow:
                audience.discard(out)
            topics = {
                t: p.tick() for (c, t), p in self.pictures.items() if c == company and p.loaded
            }
            audience.send(
                _json(
                    Tick(
                        company=self.codes.get(company, ""),
                        server_time=server_time,
                        business=business,
                        topics=topics,
                    )
                ),
                binary=False,
            )
            for out in slow:
                audience.add(out)
