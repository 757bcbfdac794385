"""Which ticket each dispatcher has open: kept in Redis for seconds, per process while it is
away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import msgspec
from redis.asyncio import Redis

from realtime.broker import AWAY
from server.adapters.clock import monotonic, system_now

GONE_S = 15.0
"""Who has not said a word for so long has gone."""
Doing = Literal["looking", "choosing", "calling"]


class Hand(msgspec.Struct, frozen=True, kw_only=True):
    """A dispatcher's hand on a ticket."""

    who: str
    ticket: str
    doing: Doing
    since: float
    """System time since when it is this ticket and this doing, Unix seconds."""


class _Said(msgspec.Struct, frozen=True, kw_only=True):
    hand: Hand
    heard: float


class Presence:
    """The hands of all desks of a company."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._own: dict[tuple[int, str], _Said] = {}
        self._away_until = float("-inf")

    async def say(
        self, company: int, desk: str, who: str, ticket: str | None, doing: Doing
    ) -> list[Hand]:
        """Say what a desk (one session) has open, None for nothing; the hands of all others."""
        now = system_now().timestamp()
        known = await self._known(company)
        before = known.get(desk)
        said: _Said | None = None
        if ticket is not None:
            same = before is not None and (before.hand.ticket, before.hand.doing) == (ticket, doing)
            since = before.hand.since if same and before else now
            said = _Said(hand=Hand(who=who, ticket=ticket, doing=doing, since=since), heard=now)
        await self._keep(company, desk, said)
        return sorted(
            (s.hand for other, s in known.items() if other != desk and now - s.heard <= GONE_S),
            key=lambda hand: (hand.since, hand.who),
        )

    async def _known(self, company: int) -> dict[str, _Said]:
        now = system_now().timestamp()
        for at, said in list(self._own.items()):
            if now - said.heard > GONE_S:
                del self._own[at]
        own = {desk: said for (of, desk), said in self._own.items() if of == company}
        found = await self._asked(lambda: self._redis.hgetall(_key(company)))
        told: dict[str, _Said] = {}
        for desk, body in (found or {}).items():
            try:
                told[desk.decode()] = msgspec.json.decode(body, type=_Said)
            except (msgspec.DecodeError, UnicodeDecodeError):
                continue
        gone = [desk for desk, said in told.items() if now - said.heard > 4 * GONE_S]
        if gone:
            await self._asked(lambda: self._redis.hdel(_key(company), *gone))
        return own | told

    async def _keep(self, company: int, desk: str, said: _Said | None) -> None:
        if said is None:
            self._own.pop((company, desk), None)
            await self._asked(lambda: self._redis.hdel(_key(company), desk))
            return
        self._own[company, desk] = said
        body = msgspec.json.encode(said)
        await self._asked(lambda: self._redis.hset(_key(company), desk, body.decode()))

    async def _asked(self, ask: Callable[[], Any]) -> Any:  # noqa: ANN401 - as Redis answers
        """Redis's answer; None while it is away, which is not found out by every question anew."""
        if monotonic() < self._away_until:
            return None
        try:
            return await ask()
        except AWAY:
            self._away_until = monotonic() + 2.0
            return None


def _key(company: int) -> str:
    return f"{{{company}}}:presence"
