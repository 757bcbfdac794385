"""`heatops demo`: fills an empty company, lives through its past, goes on with the live day."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from server.adapters import seeding
from server.adapters.accounts import ensure_company, new_source_token
from server.adapters.cities import (
    City,
    StoredBuilding,
    StoredPlace,
    imported_buildings,
    tiles_folder,
)
from server.adapters.clock import set_clock
from server.adapters.keys import Keys
from server.adapters.vault import Vault
from server.demo.calls import Call
from server.demo.city import make_city
from server.demo.client import ApiClient
from server.demo.records import Crew, Options, Register
from server.demo.register import fill, fill_city
from server.demo.run import Clock, backfill, live
from server.demo.simulate import Day
from server.settings import Settings, UserError
from server.sources.city_tiles import write_city
from server.work.company import Progress, owner_dsn
from server.work.tables import demo_tables

COMPANY_NAME = "暖城热力"


def run_demo(
    settings: Settings,
    *,
    url: str,
    company: str,
    city: str,
    points: int,
    seed: int,
    feed: bool,
    progress: Progress,
) -> dict[str, Any]:
    """Fill a company that is empty, live through its past, go on with the live day if `feed`.

    `url`: of a running web process; `city`: `generated` or `imported`.

    Raises:
        UserError: `demo_refused`, `demo_crew`, `clock_stuck`, `no_city`, `api_unreachable`.
    """
    return asyncio.run(
        _run(_Wish(settings, company, city, Options(points=points), seed, progress), url, feed=feed)
    )


@dataclass(frozen=True)
class _Wish:
    settings: Settings
    company: str
    city: str
    options: Options
    seed: int
    progress: Progress


class _Made(NamedTuple):
    """What the company is to be filled with; `city` is None where one was imported."""

    city: City | None
    register: Register
    kept: Sequence[StoredBuilding]


async def _run(wish: _Wish, url: str, *, feed: bool) -> dict[str, Any]:
    dsn = owner_dsn(wish.settings)
    number = await ensure_company(dsn, wish.company, COMPANY_NAME, demo=True)
    state = await seeding.state(dsn, number)
    if state == "others":
        raise seeding.refusal(wish.company)
    wish.progress("city", 0.0)
    if wish.city == "imported":
        made = await _imported(wish, dsn, first=state == "empty")
    else:
        made = await asyncio.to_thread(_generated, wish, draw=state == "empty")
    register = made.register
    if state == "empty":
        wish.progress("register", 0.0)
        vault = Vault(Keys(wish.settings.keys))
        run = seeding.DemoRun(wish.company, wish.city, wish.seed, wish.options.points)
        tables = demo_tables(register, vault, number, made.kept)
        await seeding.fill(dsn, number, made.city, tables, run)
        wish.progress("register", 1.0)
    token = await new_source_token(dsn, wish.company, "demo")
    day = Day(register, wish.seed)
    async with ApiClient(url, token) as client:
        if state != "seeded":
            await _enter_crews(client, register, wish.seed)
            if await seeding.alone(dsn):
                await backfill(client, day, _mover(dsn, client), wish.progress)
            else:  # others live by this clock: the demo joins them where they are
                await client.send_all(list(day.opening(int(await _business_now(client)))))
            await seeding.finish(dsn, number)
        if feed:
            await live(client, day)
    return {
        "company": wish.company,
        "buildings": len(register.buildings),
        "tickets": len(day.desk.jobs),
    }


class _Source(msgspec.Struct, frozen=True):
    """The imported city as it was before the demo moved in: the same register comes of it again."""

    buildings: list[StoredBuilding]
    places: list[StoredPlace]
    name: str


async def _imported(wish: _Wish, dsn: str, *, first: bool) -> _Made:
    """A register in the company's own imported city."""
    folder = tiles_folder(wish.settings.data / "cities", wish.company)
    file = folder / f"demo-{wish.seed}-source.msgpack"
    if not first and file.exists():
        source = msgspec.msgpack.decode(file.read_bytes(), type=_Source)
    else:
        source = _Source(*await imported_buildings(dsn, wish.company))
        folder.mkdir(parents=True, exist_ok=True)
        draft = file.with_suffix(".draft")
        draft.write_bytes(msgspec.msgpack.encode(source))
        draft.replace(file)
    register = await asyncio.to_thread(
        fill, source.buildings, source.places, wish.seed, wish.options, source.name
    )
    return _Made(None, register, source.buildings)


def _generated(wish: _Wish, *, draw: bool) -> _Made:
    """A city from the seed and its register; its map is written if `draw`."""
    city = make_city(wish.seed, wish.options)
    register = fill_city(city, wish.seed, wish.options)
    tiles = f"demo-{wish.seed}"
    if draw:
        folder = tiles_folder(wish.settings.data / "cities", wish.company)
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"{tiles}.pmtiles"
        write_city(city.features, city.bounds, file, city.name, "", wish.progress, 2)
    stored = City(city.name, "generated", tiles, "", city.bounds, city.bounds.center)
    return _Made(stored, register, ())


async def _enter_crews(client: ApiClient, register: Register, seed: int) -> None:
    calls = [_crew_call(c, seed) for c in register.crews]
    for call, status, body in await client.send_all(calls):
        if status not in {200, 201}:
            raise UserError(
                "demo_crew", f"{call.path} was refused: {body.get('detail')}", "Report this."
            )


def _crew_call(c: Crew, seed: int) -> Call:
    body = {
        "name": c.name,
        "trades": list(c.trades),
        "certificates": list(c.certificates),
        "members": c.members,
        "vehicle": c.vehicle,
        "shift": f"{_hhmm(c.shift_start_min)}-{_hhmm(c.shift_end_min)}",
    }
    return Call("POST", f"/api/crews/{c.id}", body, f"demo-{seed}-crew-{c.id}", 0.0)


def _hhmm(minutes: int) -> str:
    return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"


async def _business_now(client: ApiClient) -> float:
    session = await client.get("/api/session")
    return float(session["business"]["at"])


def _mover(dsn: str, client: ApiClient) -> Clock:
    async def move(at: datetime, rate: float) -> None:
        """Move the business clock and return once the web follows it."""
        await set_clock(dsn, at, rate)
        for _ in range(100):
            if abs(await _business_now(client) - at.timestamp()) < 60:
                return
            await asyncio.sleep(0.05)
        raise UserError(
            "clock_stuck", "The web process does not follow the business clock.", "See its log."
        )

    return move
