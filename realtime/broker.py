"""Redis Streams as the fast path: sealed bytes in, sealed bytes out.
Everything here may be lost at any time."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any, NamedTuple, cast

from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from typing_extensions import override

MAXLEN = 3000
BLOCK_MS = 500
AWAY = (RedisError, OSError, TimeoutError)
"""What a Redis that is gone, stopped or starting raises."""

# Adds only if the last id is the one before; else says what the last id is.
# KEYS[1] stream; ARGV: previous id, maxlen, (id, bytes)...
_ADD = """
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)
local at = last[1] and last[1][1] or ''
if at ~= ARGV[1] then return {0, at} end
for i = 3, #ARGV, 2 do
    redis.call('XADD', KEYS[1], 'MAXLEN', '~', ARGV[2], ARGV[i], 'b', ARGV[i + 1])
end
return {1, at}
"""


class Position(NamedTuple):
    """An entry of a topic's stream."""

    epoch: int
    seq: int

    @override
    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"


def connect(url: str) -> Redis:
    """A client that never retries by itself: a retry after a time-out doubled an XADD."""
    return Redis.from_url(
        url, retry=Retry(NoBackoff(), 0), socket_timeout=1, socket_connect_timeout=1
    )


def stream_key(company: int, topic: str) -> str:
    """The stream of a topic; the hash tag keeps a company's keys together in a cluster."""
    return f"{{{company}}}:feed:{topic}"


def beat_key(company: int) -> str:
    """The stream of a company's beats."""
    return f"{{{company}}}:beat"


def _position(raw: bytes) -> Position:
    if not raw:
        return Position(0, 0)
    epoch, seq = raw.split(b"-")
    return Position(int(epoch), int(seq))


class Broker:
    """The feed's and the web's door to Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._add = redis.register_script(_ADD)

    async def add(
        self,
        company: int,
        topic: str,
        before: Position | None,
        entries: list[tuple[Position, bytes]],
    ) -> tuple[bool, Position]:
        """Append `entries` if the stream ends at `before` (None: it is empty).
        Returns (added, where it ended)."""
        args: list[Any] = [str(before) if before else "", MAXLEN]
        for position, sealed in entries:
            args += (str(position), sealed)
        added, at = await self._add(keys=[stream_key(company, topic)], args=args)
        return bool(added), _position(at)

    async def entry(self, company: int, topic: str, position: Position) -> bytes | None:
        """The bytes stored under `position`."""
        key = stream_key(company, topic)
        found = await self._redis.xrange(key, str(position), str(position))
        fields = found[0][1] if found else None
        return cast("bytes", fields[b"b"]) if fields else None

    async def beat(self, company: int, payload: bytes) -> None:
        """Publish a beat; only the latest matters."""
        await self._redis.xadd(beat_key(company), {"b": payload}, maxlen=2, approximate=False)

    async def read(
        self, after: dict[str, str], *, block_ms: int | None = BLOCK_MS
    ) -> list[tuple[str, str, bytes]]:
        """(stream key, id, bytes) of what follows the ids in `after`;
        empty after `block_ms` of silence."""
        answer = await cast(
            "Awaitable[Any]", self._redis.xread(cast("Any", after), count=500, block=block_ms)
        )
        found: list[tuple[str, str, bytes]] = []
        for key, entries in answer.items() if isinstance(answer, dict) else answer or []:
            for batch in entries if answer and isinstance(answer, dict) else [entries]:
                found += [(key.decode(), i.decode(), f.get(b"b", b"")) for i, f in batch]
        return found

    async def ping(self) -> bool:
        """Whether Redis answers now."""
        try:
            return bool(await self._redis.ping())
        except AWAY:
            return False

    async def close(self) -> None:
        """Close the connections."""
        await self._redis.aclose()
