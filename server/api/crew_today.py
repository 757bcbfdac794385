"""A crew's day over HTTP: asked for again and again, and answered only when it has changed."""

from __future__ import annotations

import hashlib
from typing import Any, NamedTuple

import msgspec
from litestar import Request, Response, get
from litestar.handlers import BaseRouteHandler

from server.adapters.clock import BusinessClock, system_now
from server.adapters.crew_day import CrewDay
from server.adapters.crew_day_reads import CrewDayReads
from server.adapters.policies import Policies
from server.api.documents import found
from server.api.gate import Gate

CLOCK_STEP_MS = 10_000


class DayClock(msgspec.Struct, frozen=True, kw_only=True):
    """Business time `at_ms` at the system time `system_ms`, and how fast it goes: what a phone
    stamps by, also offline. Milliseconds since the Unix epoch."""

    at_ms: int
    system_ms: int
    rate: float


class TodayAnswer(CrewDay, frozen=True, kw_only=True):
    """The day; `server_at` in Unix seconds of business time."""

    server_at: int
    clock: DayClock


class Parts(NamedTuple):
    """What the day needs."""

    days: CrewDayReads
    policies: Policies
    clock: BusinessClock


def create_handlers(gate: Gate, parts: Parts) -> list[BaseRouteHandler]:
    """`GET /api/crew/today`."""

    @get("/api/crew/today", tags=["crew"])
    async def today(request: Request[Any, Any, Any]) -> Response[bytes]:
        """The crew's visits in order, with all that a phone needs of them while it has no signal.
        304 while it is as the ETag says."""
        phone = await gate.crew(request)
        company, now = phone.who.company, parts.clock.now()
        clock = DayClock(
            at_ms=round(now.timestamp() * 1000),
            system_ms=round(system_now().timestamp() * 1000),
            rate=parts.clock.wire().rate,
        )
        city = await parts.policies.at(company, now)
        day = found(
            await parts.days.day(company, phone.crew, phone.device, city, now), "crew", phone.crew
        )
        etag = f'"{_tag(day, clock, city.version)}"'
        headers = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Cookie"}
        if etag in [tag.strip() for tag in request.headers.get("if-none-match", "").split(",")]:
            return Response(b"", status_code=304, headers=headers)
        whole = msgspec.structs.asdict(day) | {"server_at": clock.at_ms // 1000, "clock": clock}
        return Response(
            msgspec.json.encode(TodayAnswer(**whole)), media_type="application/json",
            headers=headers,
        )  # fmt: skip

    return [today]


def _tag(day: CrewDay, clock: DayClock, policy: str) -> str:
    """Of all but the time itself; a clock that was moved is another day."""
    anchor = round((clock.at_ms - clock.system_ms * clock.rate) / CLOCK_STEP_MS)
    told = msgspec.json.encode((day, anchor, clock.rate, policy))
    return hashlib.blake2b(told, digest_size=12).hexdigest()
