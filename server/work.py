"""What the commands do beside serving: importing a city, importing tickets, filling and living the demo."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec

from dispatch_core.errors import Refused, Unavailable
from dispatch_core.ids import TicketId
from server.adapters.accounts import Principal, company_codes, ensure_company, new_source_token
from server.adapters.cities import (
    BUILDING_COLUMNS,
    City,
    company_id,
    imported_buildings,
    tiles_folder,
    write_register,
)
from server.adapters.clock import BusinessClock, set_clock
from server.adapters.commits import Commits
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.numbers import Numbers
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.api.documents import body_hash
from server.api.requests import ServiceRequest, use_case_of
from server.settings import Settings, UserError

Progress = Callable[[str, float], None]
IN_FLIGHT = 64


def _dsn(settings: Settings) -> str:
    assert settings.database_url is not None  # noqa: S101 - the CLI attaches the engines first
    return settings.database_url


async def _company(dsn: str, code: str | None, new_name: str | None) -> tuple[int, str]:
    """The company meant: by code, made under `new_name` if it is missing, or the only one there is."""
    if code is None:
        code = await only_company(dsn)
    if new_name is not None:
        return await ensure_company(dsn, code, new_name), code
    return await company_id(dsn, code), code


async def only_company(dsn: str) -> str:
    """The code of the only company.

    Raises:
        UserError: `which_company`.
    """
    codes = await company_codes(dsn)
    if len(codes) == 1:
        return codes[0]
    raise UserError(
        "which_company",
        f"There are {len(codes)} companies: {', '.join(codes)}."
        if codes
        else "There is no company yet.",
        "Name one with --company CODE, or make one with --company CODE --new-company NAME.",
    )


# ---------------------------------------------------------------- a city from OpenStreetMap


def import_city(
    settings: Settings,
    file: Path,
    *,
    company: str | None,
    new_company: str | None,
    name: str | None,
    progress: Progress,
) -> dict[str, Any]:
    """Import FILE as the city of a company; the old city stays until the new one is stored whole."""
    from server.sources import city_import

    dsn = _dsn(settings)
    _, code = asyncio.run(_importable(dsn, company, new_company))
    folder = tiles_folder(settings.data / "cities", code)
    folder.mkdir(parents=True, exist_ok=True)
    city = city_import.import_city(file, folder, name, progress)
    communities = {
        p.name: p
        for p in city.places
        if p.cls in {"neighbourhood", "quarter", "suburb", "village", "town"}
    }
    rows = [
        (
            b.id, b.name or "", b.street or "", b.house_number or "", b.address, b.lon, b.lat, b.outline_wkb, b.levels,
            b.area_m2, b.use, b.district or "", f"place:{b.community}" if b.community in communities else None, None,
        )
        for b in city.buildings
    ]  # fmt: skip
    districts = {b.community: b.district or "" for b in city.buildings if b.community}
    tables = [
        ("building", BUILDING_COLUMNS, rows),
        (
            "community",
            ("community_id", "name", "district", "lon", "lat", "radius_m"),
            [
                (f"place:{p.name}", p.name, districts.get(p.name, ""), p.lon, p.lat, 500.0)
                for p in communities.values()
            ],
        ),
    ]
    stored = City(
        city.name, "imported", city.tiles.stem, city.attribution, city.bounds, city.center
    )
    asyncio.run(_store(dsn, code, new_company, stored, tables))
    progress("store", 1.0)
    return {"name": city.name, "company": code, "buildings": len(rows), "tiles": str(city.tiles)}


async def _importable(dsn: str, company: str | None, new_company: str | None) -> tuple[int, str]:
    from server.adapters import seeding

    number, code = await _company(dsn, company, new_company)
    if await seeding.state(dsn, number) in {"seeded", "started"}:
        raise UserError(
            "demo_city",
            f"Company {code!r} lives in the demo's city; another map under it would make nonsense of its data.",
            "Import into a company of your own: --company CODE --new-company NAME.",
        )
    return number, code


async def _store(
    dsn: str, code: str, new_company: str | None, city: City, tables: Sequence[Any]
) -> None:
    number, _ = await _company(dsn, code, new_company)
    await write_register(dsn, number, city, tables)


# ---------------------------------------------------------------- tickets from a file


def import_tickets(  # noqa: PLR0913 - the command's options
    settings: Settings, file: Path, *, company: str | None, new_company: str | None, preset: str | None,
    limit: int | None, per_minute: int | None, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Take in a file's rows as requests, each by the same use case as the API's."""
    import uvloop

    return uvloop.run(
        _import_tickets(settings, file, company, new_company, preset, limit, per_minute, progress)
    )


async def _import_tickets(  # noqa: PLR0913
    settings: Settings, file: Path, company: str | None, new_company: str | None, preset: str | None,
    limit: int | None, per_minute: int | None, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    from server.sources import tickets_csv

    dsn = _dsn(settings)
    tickets_csv.read_tickets(file, preset)
    number, code = await _company(dsn, company, new_company)
    keys = Keys(settings.keys)
    pool, clock, vault = (
        Pool(app_dsn(dsn, keys), name="heatops-import"),
        BusinessClock(),
        Vault(keys),
    )
    await clock.load(pool)
    commits, numbers = Commits(pool, clock, vault, keys.get("journal")), Numbers(pool)
    principal = Principal(number, "file", "source", b"")

    async def one(row: Any) -> Any:
        try:
            wish = msgspec.convert(row.body, ServiceRequest)
            use_case = use_case_of(
                wish, principal, TicketId(await numbers.next(number, clock.now())), vault
            )
        except msgspec.ValidationError as error:
            return tickets_csv.Refusal(
                "bad_row", str(error), "Mend the row and import the file again."
            )
        except Refused as refused:
            return tickets_csv.Refusal(refused.code, refused.detail, refused.what_to_do)
        hashed = body_hash(msgspec.json.encode(row.body))
        while True:
            try:
                await commits.submit(principal, "POST /api/requests", row.key, hashed, use_case)
            except Unavailable:
                await asyncio.sleep(1.0)
                continue
            except Refused as refused:
                return tickets_csv.Refusal(refused.code, refused.detail, refused.what_to_do)
            return None

    async def send(rows: Sequence[Any]) -> list[Any]:
        return list(await asyncio.gather(*(one(row) for row in rows)))

    working = asyncio.ensure_future(commits.run())
    try:
        done = await tickets_csv.import_tickets(
            file, send, preset=preset, limit=limit, per_minute=per_minute, progress=progress
        )
    finally:
        working.cancel()
        await pool.close()
    return {
        "company": code,
        "accepted": done.accepted,
        "refused": done.refused,
        "rejects": str(done.rejects) if done.rejects else None,
        "ignored_columns": done.ignored_columns,
    }


# ---------------------------------------------------------------- the demo


def run_demo(  # noqa: PLR0913 - the command's options
    settings: Settings, *, url: str, company: str, city: str, points: int, seed: int, feed: bool, progress: Progress,
) -> dict[str, Any]:  # fmt: skip
    """Fill a company that is empty, live through its past, and go on with the live day if `feed`."""
    return asyncio.run(
        _run_demo(settings, url, company, city, points, seed, feed=feed, progress=progress)
    )


async def _run_demo(  # noqa: PLR0913
    settings: Settings,
    url: str,
    code: str,
    city: str,
    points: int,
    seed: int,
    *,
    feed: bool,
    progress: Progress,
) -> dict[str, Any]:
    from server.adapters import seeding
    from server.demo.client import ApiClient
    from server.demo.records import Options
    from server.demo.run import backfill, live
    from server.demo.simulate import Day

    dsn = _dsn(settings)
    number = await ensure_company(dsn, code, "暖城热力", demo=True)
    state = await seeding.state(dsn, number)
    if state == "others":
        raise seeding.refusal(code)
    progress("city", 0.0)
    made, register, writes = await asyncio.to_thread(
        _register, settings, code, city, seed, Options(points=points), dsn, state, progress
    )
    if state == "empty":
        progress("register", 0.0)
        await seeding.fill(dsn, number, made, writes(Vault(Keys(settings.keys)), number))
        progress("register", 1.0)
    token = await new_source_token(dsn, code, "demo")
    day = Day(register, seed)
    async with ApiClient(url, token) as client:
        if state != "seeded":
            await _crews(client, register, seed)
            if await seeding.alone(dsn, number):
                await backfill(client, day, _mover(dsn, client), progress)
            else:  # others live by this clock: the demo joins them where they are
                await client.send_all(list(day.opening(await _business_now(client))))
            await seeding.finish(dsn, number)
        if feed:
            await live(client, day)
    return {"company": code, "buildings": len(register.buildings), "tickets": len(day.desk.jobs)}


def _register(  # noqa: PLR0913
    settings: Settings,
    code: str,
    kind: str,
    seed: int,
    options: Any,
    dsn: str,
    state: str,
    progress: Progress,
) -> tuple[City | None, Any, Callable[[Vault, int], list[Any]]]:
    """The city's row (None for an imported one), the register, and how it is written."""
    from server.demo.city import make_city
    from server.demo.register import fill, fill_city

    if kind == "imported":
        buildings, places, name = asyncio.run(imported_buildings(dsn, code))
        register = fill(buildings, places, seed, options, name)
        return (
            None,
            register,
            lambda vault, company: _tables(register, vault, company, keep_buildings=buildings),
        )
    city = make_city(seed, options)
    register = fill_city(city, seed, options)
    stored = City(city.name, "generated", f"demo-{seed}", "", city.bounds, city.bounds.center)
    if state == "empty":
        from server.sources.city_import import write_city

        folder = tiles_folder(settings.data / "cities", code)
        folder.mkdir(parents=True, exist_ok=True)
        write_city(
            city.features, city.bounds, folder / f"demo-{seed}.pmtiles", city.name, "", progress, 2
        )
    return (
        stored,
        register,
        lambda vault, company: _tables(register, vault, company, keep_buildings=()),
    )


def _tables(r: Any, vault: Vault, company: int, *, keep_buildings: Sequence[Any]) -> list[Any]:
    """The register as rows of tables; resident data only in `person`, sealed."""
    home = {b.id: (b.lon, b.lat) for b in r.buildings}
    heated = {b.id for b in r.buildings}
    persons, households = [], []
    for h in r.households:
        person = vault.person(company, h.owner_name, h.owner_phone)
        persons.append(
            (
                person.pseudonym, vault.seal_person(company, person), vault.blind(company, h.owner_name),
                vault.blind(company, h.owner_phone),
            )
        )  # fmt: skip
        households.append(
            (
                h.id, h.building, h.unit, h.floor, h.flat, list(h.risers), h.area_m2, h.gable, h.ground, h.top,
                h.has_valve, h.green_channel is not None, person.pseudonym, *home[h.building],
            )
        )  # fmt: skip
    buildings = [
        (
            b.id, b.name, b.street, b.house_number, b.address, b.lon, b.lat, b.outline_wkb, b.levels, b.area_m2, b.use,
            b.district, b.community, b.substation,
        )
        for b in r.buildings
    ]  # fmt: skip
    buildings += [
        (
            b.id, b.name or "", b.street or "", b.house_number or "", b.address, b.lon, b.lat, b.outline_wkb, b.levels,
            b.area_m2, b.use, b.district or "", None, None,
        )
        for b in keep_buildings
        if b.id not in heated
    ]  # fmt: skip
    return [
        (
            "community", ("community_id", "name", "district", "lon", "lat", "radius_m"),
            [(c.id, c.name, c.district, c.lon, c.lat, c.radius_m) for c in r.communities],
        ),
        ("building", BUILDING_COLUMNS, buildings),
        (
            "node", ("node_id", "kind", "parent_id", "name", "lon", "lat", "supply_low_c"),
            [(n.id, "primary" if n.kind == "section" else n.kind, n.parent, n.name, n.lon, n.lat, n.supply_low_c) for n in r.nodes],
        ),
        ("person", ("pseudonym", "body", "name_index", "phone_index"), {p[0]: p for p in persons}.values()),
        (
            "household",
            (
                "household_id", "building_id", "unit", "floor", "flat", "riser_ids", "area_m2", "gable", "ground_floor",
                "top_floor", "valve", "green_channel", "pseudonym", "lon", "lat",
            ),
            households,
        ),
        ("point", ("point_id", "household_id", "building_id"), [(p.id, p.household, p.building) for p in r.points]),
        (
            "usual_hour", ("day_type", "hour", "low", "usual", "high"),
            [(u.day_type, u.hour, u.low, u.usual, u.high) for u in r.usual_hours],
        ),
    ]  # fmt: skip


async def _crews(client: Any, register: Any, seed: int) -> None:
    from server.demo.calls import Call

    def clock(minutes: int) -> str:
        return f"{minutes // 60 % 24:02d}:{minutes % 60:02d}"

    calls = [
        Call(
            "POST",
            f"/api/crews/{c.id}",
            {
                "name": c.name, "trades": list(c.trades), "certificates": list(c.certificates), "members": c.members,
                "vehicle": c.vehicle, "shift": f"{clock(c.shift_start_min)}-{clock(c.shift_end_min)}",
            },
            f"demo-{seed}-crew-{c.id}",
            0.0,
        )
        for c in register.crews
    ]  # fmt: skip
    for call, status, body in await client.send_all(calls):
        if status not in {200, 201}:
            raise UserError(
                "demo_crew", f"{call.path} was refused: {body.get('detail')}", "Report this."
            )


async def _business_now(client: Any) -> int:
    session = await client.get("/api/session")
    return int(session["business"]["at"])


def _mover(dsn: str, client: Any) -> Callable[[datetime, float], Any]:
    async def move(at: datetime, rate: float) -> None:
        """Move the business clock and return once the web follows it."""
        await set_clock(dsn, at, rate)
        for _ in range(100):
            session = await client.get("/api/session")
            if abs(session["business"]["at"] - at.timestamp()) < 60:
                return
            await asyncio.sleep(0.05)
        raise UserError(
            "clock_stuck", "The web process does not follow the business clock.", "See its log."
        )

    return move
