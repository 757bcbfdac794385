"""The trace of a stream for people: every fact with who, when, where and on what grounds."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from dispatch_core import trace
from server.adapters import journal
from server.adapters.pool import Pool


class TraceStep(msgspec.Struct, frozen=True, kw_only=True):
    """One fact of a trace; `stream` is the kind of record that it is of, e.g. `ticket`."""

    stream: str
    version: int
    kind: str
    actor: str
    business_at: int
    system_at: float
    lon: float | None
    lat: float | None
    grounds: str | None
    policy: str | None
    hash: str
    event: dict[str, Any]


class ChainView(msgspec.Struct, frozen=True, kw_only=True):
    """Whether the trace is whole and unchanged."""

    holds: bool
    broken_at: int | None


class Trace(NamedTuple):
    """A stream's state and everything that led there."""

    state: Any
    steps: list[TraceStep]
    chain: ChainView


class Traces:
    """Reads traces of one company's streams."""

    def __init__(self, pool: Pool, journal_key: bytes) -> None:
        self._pool = pool
        self._key = journal_key

    async def read(self, company: int, stream: str) -> Trace | None:
        """The trace of a stream; None if it has no facts."""
        async with self._pool.company(company, isolation="repeatable_read", readonly=True) as c:
            heads = await journal.load_heads(c, [stream])
            if stream not in heads:
                return None
            facts = await journal.read_trace(c, company, stream)
        head = heads[stream]
        chain = trace.verify(self._key, company, stream, facts, head.version)
        steps = [_step(fact) for fact in facts]
        return Trace(head.state, steps, ChainView(holds=chain.holds, broken_at=chain.broken_at))


def _step(fact: trace.Sealed) -> TraceStep:
    r = fact.record
    return TraceStep(
        stream=r.stream.partition(":")[0],
        version=r.version,
        kind=r.kind,
        actor=r.actor,
        business_at=int(r.business_at.timestamp()),
        system_at=r.system_at.timestamp(),
        lon=r.place.lon if r.place else None,
        lat=r.place.lat if r.place else None,
        grounds=r.grounds,
        policy=r.policy_version,
        hash=fact.hash.hex(),
        event=msgspec.json.decode(r.body),
    )
