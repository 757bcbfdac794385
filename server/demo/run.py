"""Runs the demo's day against a live API: the past in fast motion, then at the clock's pace."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from server.demo.calls import Body, Call
from server.demo.client import ApiClient
from server.demo.faults import FIRST_DAY
from server.demo.phones import phone_of
from server.demo.simulate import Day
from server.demo.weather import CITY_OFFSET_S, DAY

OPENING_AT = FIRST_DAY * DAY - CITY_OFFSET_S + 7 * 3600 + 5 * 60
"""07:05 on 14 January 2026 by the city's clock, Unix seconds: the live day begins."""
HISTORY_S = 26 * 3600
STEPS: tuple[tuple[float, int], ...] = ((6 * 3600, 1800), (2 * 3600, 900), (0, 240))
"""How far back from the opening a length of step holds, seconds: the nearer, the finer. The last
one is shorter than the time after which a crew without a fix counts as lost."""
ROUND_S = 300
"""Within one step of the past people act, and wait for answers, about this often."""
CATCH_UP_STEP_S = 300
LIVE_STEP_S = 1.0
LISTEN_S = 5.0
"""By the real clock, not the business one: presence ends after three times as long."""
URGENT_ROUNDS = 2
"""So often does an act on a red ticket follow at once on an answer."""
BEHIND_S = 1200.0
"""What is caught up from longer ago than this goes out by hand."""
PAGE = 500

log = logging.getLogger(__name__)

Clock = Callable[[datetime, float], Awaitable[None]]
Progress = Callable[[str, float], None]


async def backfill(
    client: ApiClient,
    day: Day,
    clock: Clock,
    progress: Progress = lambda _what, _done: None,
    *,
    until: float = OPENING_AT,
    history_s: float = HISTORY_S,
) -> int:
    """Live through the past: move the business clock in steps, send what falls into each.

    `clock(at, rate)` moves the clock and returns once every process follows it. Ends with the clock
    at `until` (Unix seconds), rate 1. Returns how many calls were sent. Raises UserError when the
    API stays away.
    """
    start = at = until - history_s
    sent = 0
    await clock(datetime.fromtimestamp(at, UTC), 1.0)
    sent += await _play(client, day, list(day.opening(int(at))))
    while at < until:
        span = next(step for back, step in STEPS if until - at > back)
        after = min(until, at + span)
        await clock(datetime.fromtimestamp(after, UTC), 1.0)
        while at < after:
            soon = min(after, at + ROUND_S)
            sent += await _play(client, day, day.step(at, soon))
            at = soon
        progress("history", (at - start) / history_s)
    await clock(datetime.fromtimestamp(until, UTC), 1.0)
    return sent


async def _play(client: ApiClient, day: Day, calls: list[Call]) -> int:
    for call, status, body in await client.send_all(calls):
        day.answer(call, status, body)
        refused = body.get("refused") or []
        if refused or (status >= 400 and not call.ticket):
            why = refused[0] if refused else body
            log.warning("%s: status %d, %d refused: %s", call.path, status, len(refused), why)
    return len(calls)


async def resume(client: ApiClient, day: Day, at: float) -> None:
    """Show the day what is open: it goes on where another process stopped. Raises UserError."""
    day.adopt(
        await _all(client, "/api/tickets", state="open"),
        await _all(client, "/api/outages"),
        await _all(client, "/api/cases", open="true"),
        await _places(client),
        at,
    )


async def _all(client: ApiClient, path: str, **query: str) -> list[Body]:
    """Every item of a list, page after page."""
    items: list[Body] = []
    after: str | None = None
    while True:
        page = await client.get(path, limit=PAGE, **query, **({"after": after} if after else {}))
        items += page.get("items", [])
        after = page.get("next")
        if not after:
            return items


async def _places(client: ApiClient) -> dict[str, tuple[float, float]]:
    layer = await client.get("/api/layers/positions")
    return {r["key"]: (r["row"]["lon"], r["row"]["lat"]) for r in layer.get("rows", [])}


async def live(client: ApiClient, day: Day) -> None:
    """Follow the business clock until cancelled, catching up what was missed. Raises UserError."""
    at, _ = await _business(client)
    await resume(client, day, at)
    if client.sessions:
        day.go_live([name for name in client.sessions if not name.startswith(phone_of(""))])
    listens, clock = 0.0, asyncio.get_running_loop().time
    while True:
        await asyncio.sleep(LIVE_STEP_S)
        now, pace = await _business(client)
        # the clock was set back: begin again from there
        at = min(at, now)
        if now - at > HISTORY_S:
            at = now - CATCH_UP_STEP_S
        if client.sessions and clock() >= listens:
            listens = clock() + LISTEN_S
            heard = day.listen(now, behind=now - at > BEHIND_S, pace=pace)
            await _play(client, day, heard)
        while at < now:
            after = min(now, at + CATCH_UP_STEP_S)
            await _play(client, day, day.step(at, after))
            for _ in range(URGENT_ROUNDS if client.sessions else 0):
                await _play(client, day, day.urgent(after))
            at = after


async def _business(client: ApiClient) -> tuple[float, float]:
    """Business time, and its seconds in a real one."""
    clock = (await client.get("/api/session"))["business"]
    return float(clock["at"]), float(clock["rate"])
