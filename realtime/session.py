"""One screen's conversation: what each of its messages does. Knows nothing of sockets."""

from __future__ import annotations

from typing import Protocol

import msgspec

from realtime.close import PROTOCOL, Close
from realtime.hub import Hub, Watcher
from realtime.messages import Hello, LiveError, Sub, Unsub
from realtime.reader import Gone

MESSAGES_PER_10_S = 200
CREW_TOPICS = frozenset({"rounds"})
"""What a crew's phone may watch, by its own key."""

_decode = msgspec.json.Decoder(Hello | Sub | Unsub).decode
_json = msgspec.json.Encoder().encode


class Log(Protocol):
    """Batches older than the ring."""

    async def between(
        self, company: int, topic: str, epoch: int, seq: int, upto: int
    ) -> list[tuple[int, bytes]]:
        """Sealed batches after `seq` up to `upto`; raises Gone."""


class Session:
    """A client after its hello."""

    def __init__(self, hub: Hub, log: Log, watcher: Watcher) -> None:
        self._hub = hub
        self._log = log
        self._watcher = watcher
        self._window = (0.0, 0)

    async def receive(self, text: str | bytes, now: float) -> Close | None:
        """Handle one message; a Close says that the connection ends."""
        started, count = self._window
        self._window = (now, 1) if now - started > 10 else (started, count + 1)
        if self._window[1] > MESSAGES_PER_10_S:
            self._error("too_many_messages")
            return PROTOCOL
        try:
            message = _decode(text)
        except msgspec.DecodeError:
            self._error("bad_message")
            return PROTOCOL
        if isinstance(message, Hello):
            self._error("bad_message")
            return PROTOCOL
        picture = self._hub.pictures.get((self._watcher.company, message.topic))
        if picture is None or not self._may_watch(message.topic):
            self._error("unknown_topic", message.topic)
        elif isinstance(message, Unsub):
            self._hub.unsubscribe(self._watcher, message.topic)
        elif not picture.loaded:
            self._hub.wait(self._watcher, message.topic)
        else:
            await self._subscribe(message)
        return None

    def _may_watch(self, topic: str) -> bool:
        return self._watcher.crew is None or topic in CREW_TOPICS

    async def _subscribe(self, message: Sub) -> None:
        self._hub.unsubscribe(self._watcher, message.topic)
        if message.since is not None and self._watcher.crew is None:
            epoch, seq = message.since.epoch, message.since.seq
            if self._hub.resume(self._watcher, message.topic, epoch, seq):
                return
            if await self._resume_from_log(message.topic, epoch, seq):
                return
        self._hub.snapshot(self._watcher, message.topic)

    async def _resume_from_log(self, topic: str, epoch: int, seq: int) -> bool:
        """Older than the ring: the feed log has it, or it is a snapshot.
        A hole is never bridged."""
        picture = self._hub.pictures[self._watcher.company, topic]
        if epoch != picture.epoch or seq >= picture.seq:
            return False
        upto = picture.seq
        try:
            rows = await self._log.between(self._watcher.company, topic, epoch, seq, upto)
        except Gone:
            return False
        whole = (
            bool(rows) and rows[0][0] == seq + 1 and rows[-1][0] == upto and len(rows) == upto - seq
        )
        return whole and self._hub.resume_with(
            self._watcher, topic, epoch, seq, [sealed for _, sealed in rows], upto
        )

    def _error(self, code: str, topic: str | None = None) -> None:
        self._watcher.out.send(
            _json(msgspec.convert({"t": "error", "code": code, "topic": topic}, LiveError)),
            binary=False,
        )
