"""`heatops demo`: fills an empty company, lives through its past, goes on with the live day."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from geo.road_graph import build
from geo.road_lines import ways_of
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
from server.adapters.demo_people import sessions
from server.adapters.keys import Keys
from server.adapters.policies import SHIPPED, choose_policy, read_policy
from server.adapters.road_files import roads_beside, write_roads
from server.adapters.vault import Vault
from server.demo.autumn import SEASON
from server.demo.calls import Call
from server.demo.city import make_city
from server.demo.client import ApiClient
from server.demo.phones import phone_of
from server.demo.proofs import proofs
from server.demo.records import Options, Register
from server.demo.register import fill, fill_city
from server.demo.run import HISTORY_S, OPENING_AT, Clock, backfill, live
from server.demo.simulate import Day
from server.demo.standings import Stopped, reports
from server.demo.supply import register_calls
from server.settings import Settings, UserError
from server.sources.city_tiles import write_city
from server.work.autumn import Ground, live_autumn
from server.work.company import Progress, owner_dsn
from server.work.tables import demo_tables

COMPANY_NAME = "暖城热力"
SOURCE, POLICY = "demo", "harbin"
PEOPLE = ("李调度", "王调度")
"""The demo's dispatchers."""


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
    token = await new_source_token(dsn, wish.company, SOURCE)
    day = await asyncio.to_thread(Day, register, wish.seed)
    people = await sessions(dsn, number, PEOPLE)
    async with ApiClient(url, token, sessions=people) as client:
        if state != "seeded":
            alone = await seeding.alone(dsn)
            lived = await _settle(wish, dsn, number, client, made, day, past=alone, state=state)
            await _enter_crews(client, register, wish.seed)
            await _hand_out_phones(client, register, day)
            if alone:
                await _report(client, lived, register, wish.seed)
                await backfill(client, day, _mover(dsn, client), wish.progress)
                await _scan(client, wish.seed)
            else:  # others live by this clock: the demo joins them where they are
                await client.send_all(list(day.opening(int(await _business_now(client)))))
            await seeding.finish(dsn, number)
        if feed:
            if not day.desk.phones.keys:
                await _hand_out_phones(client, register, day)
            await live(client, day)
    return {
        "company": wish.company,
        "buildings": len(register.buildings),
        "tickets": len(day.desk.jobs),
    }


async def _settle(
    wish: _Wish, dsn: str, number: int, client: ApiClient, made: _Made, day: Day, *, past: bool,
    state: str,
) -> Sequence[Stopped]:  # fmt: skip
    """Fill an empty company with the register and, with `past`, the autumn; the stopped flats."""
    vault = Vault(Keys(wish.settings.keys))
    for photo, picture in proofs():
        await client.send(Call("POST", "/api/photos", None, f"demo-{photo}", 0.0, photo=picture))
    lived = None
    if past:
        # Before there is anything that jobs could look at: autumn must be the past for them too.
        begin = datetime.fromtimestamp(OPENING_AT - HISTORY_S, UTC)
        await _mover(dsn, client)(begin, 1.0)
        wish.progress("autumn", 0.0)
        asked = sum(1 + (w.again_at is not None) for w in day.autumn.wishes)
        numbers = await seeding.numbers(dsn, asked)
        keys = Keys(wish.settings.keys)
        file = SHIPPED / POLICY / "default.toml"
        ground = Ground(
            company=number,
            policy=read_policy(file, SEASON, await seeding.timezone(dsn, number)),
            vault=vault,
            journal_key=keys.get("journal"),
            actor=f"source:{SOURCE}",
            photos=[photo for photo, _ in proofs()],
            numbers=iter(numbers),
        )
        wishes = day.autumn.wishes
        lived = await asyncio.to_thread(
            live_autumn, made.register, wishes, ground, begin.timestamp()
        )
        wish.progress("autumn", 1.0)
    if state == "empty":
        wish.progress("register", 0.0)
        await choose_policy(dsn, number, POLICY)
        run = seeding.DemoRun(wish.company, wish.city, wish.seed, wish.options.points)
        tables = demo_tables(made.register, vault, number, made.kept)
        handed = (lived.past, vault) if lived else None
        await seeding.fill(dsn, number, made.city, tables, run, handed)
        wish.progress("register", 1.0)
    return lived.stopped if lived else ()


async def _report(
    client: ApiClient, stopped: Sequence[Stopped], register: Register, seed: int
) -> None:
    """What operations and finance hold true of the season's stopped flats, some of it wrong."""
    known = {s.household for s in stopped}
    heated = [h for h in register.households if h.id not in known]
    items = list(reports(stopped, heated, seed, OPENING_AT - HISTORY_S))
    call = Call(
        "POST", "/api/batches/household-standings", {"items": items}, f"demo-{seed}-standings", 0.0
    )
    await _must(client, call)


async def _scan(client: ApiClient, seed: int) -> None:
    await _must(client, Call("POST", "/api/contradictions/scan", {}, f"demo-{seed}-scan", 0.0))


async def _must(client: ApiClient, call: Call) -> None:
    """Raises UserError `demo_refused_by_api`."""
    status, body = await client.send(call)
    refused = body.get("refused")
    if status not in {200, 201} or refused:
        why = refused[0] if refused else body.get("detail")
        raise UserError("demo_refused_by_api", f"{call.path} was refused: {why}", "Report this.")


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
        roads = build(*ways_of([(f.cls, f.geometry) for f in city.features if f.layer == "road"]))
        if roads is not None:
            write_roads(roads, roads_beside(file))
    stored = City(city.name, "generated", tiles, "", city.bounds, city.bounds.center)
    return _Made(stored, register, ())


async def _enter_crews(client: ApiClient, register: Register, seed: int) -> None:
    calls = list(register_calls(register, seed))
    for call, status, body in await client.send_all(calls):
        if status not in {200, 201}:
            raise UserError(
                "demo_crew", f"{call.path} was refused: {body.get('detail')}", "Report this."
            )


async def _hand_out_phones(client: ApiClient, register: Register, day: Day) -> None:
    """Each crew signs a phone in, with a code from the desk and a key that is new each time."""
    keys: dict[str, ec.EllipticCurvePrivateKey] = {}
    for crew in register.crews:
        asked = Call("POST", f"/api/crews/{crew.id}/code", {}, "", 0.0, by=PEOPLE[0])
        status, told = await client.send(asked)
        if status != 201:
            raise UserError(
                "demo_crew", f"{asked.path} was refused: {told.get('detail')}", "Report this."
            )
        key = ec.generate_private_key(ec.SECP256R1())
        body = {"code": told["code"], "device_key": _jwk(key), "device_name": f"{crew.name}手机"}
        client.sessions[phone_of(crew.id)] = await client.sign_in("/api/crew/sign-in", body)
        keys[crew.id] = key
    day.desk.phones.keys = keys


def _jwk(key: ec.EllipticCurvePrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    parts = {"x": numbers.x.to_bytes(32), "y": numbers.y.to_bytes(32)}
    text = {n: base64.urlsafe_b64encode(raw).decode().rstrip("=") for n, raw in parts.items()}
    return {"kty": "EC", "crv": "P-256", **text}


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
