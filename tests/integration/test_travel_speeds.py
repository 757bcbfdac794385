"""Speeds learnt from stored fixes hour by hour, and where the crews are, on a real PostgreSQL."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import asyncpg
import msgspec
import pytest
from path_house import run

from dispatch_core.crews import Crew
from dispatch_core.ids import CrewId, TicketId, unix
from geo.travel import TravelModel, between
from geo.travel_policy import TravelPolicy
from server.adapters import accounts, clock, travel_store
from server.adapters.clock import BusinessClock
from server.adapters.engine_store import Beside, EngineStore
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.travel import Travel
from server.adapters.travel_positions import crew_places
from server.adapters.vault import Vault
from server.jobs import speeds

EIGHT = datetime(2026, 1, 14, 0, tzinfo=UTC)
"""A Wednesday, 08:00 in the city."""
LON, LAT = 126.63, 45.75
EAST_M = 111_195 * math.cos(math.radians(LAT))


class Depot:
    """A company, its fixes, and the job that learns from them."""

    def __init__(self, url: str, company: int, store: EngineStore, travel: Travel) -> None:
        self.url, self.company, self.store, self.travel = url, company, store, travel

    async def at(self, now: datetime) -> None:
        await clock.set_clock(self.url, now, 1.0)
        await self.store.reload_clock()

    async def learn(self) -> TravelModel:
        """Look until everything is learnt; the model then in force."""
        for _ in range(10):
            async with self.store.company(self.company) as tx:
                assert await speeds.learn(tx) == 0
        return await self.travel.model(self.company)

    async def batch(self, heard: datetime, rows: list[tuple[object, ...]]) -> None:
        """(crew, fixed_at, lon, lat, accuracy) as they are stored."""
        c = await asyncpg.connect(self.url)
        try:
            batch = await c.fetchval(
                "INSERT INTO telemetry_batch (company_id, kind, items, business_at)"
                " VALUES ($1, 'crew-positions', $2, $3) RETURNING batch_id",
                self.company, len(rows), heard,
            )  # fmt: skip
            await c.executemany(
                "INSERT INTO crew_fix (company_id, received_at, batch_id, crew_id, fixed_at, lon,"
                " lat, datum, accuracy_m) VALUES ($1, now(), $2, $3, $4, $5, $6, 'wgs84', $7)",
                [(self.company, batch, *row) for row in rows],
            )
            await c.executemany(
                "INSERT INTO crew_last_fix VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT"
                " (company_id, crew_id) DO UPDATE SET fixed_at = excluded.fixed_at,"
                " heard_at = excluded.heard_at, lon = excluded.lon, lat = excluded.lat",
                [(self.company, r[0], r[1], heard, r[2], r[3]) for r in rows],
            )
        finally:
            await c.close()

    async def drive(
        self, crew: str, start: datetime, speed_mps: float, *, minutes: int = 20
    ) -> None:
        """Stand five minutes, drive east for `minutes`, stand five."""
        rows: list[tuple[object, ...]] = []
        for step in range(0, 60 * (minutes + 10), 15):
            gone = speed_mps * min(max(0, step - 300), 60 * minutes)
            fixed = start + timedelta(seconds=step)
            rows.append((crew, fixed, LON + gone / EAST_M, LAT, 9.0))
        await self.batch(start + timedelta(minutes=minutes + 10), rows)

    async def fetch(self, query: str) -> list[asyncpg.Record]:
        c = await asyncpg.connect(self.url)
        try:
            return list(await c.fetch(query, self.company))
        finally:
            await c.close()


@pytest.fixture
def play(fresh_database, engines, tmp_path, monkeypatch):
    """Runs a story told to a depot."""
    monkeypatch.setattr("server.adapters.travel.LOOK_AGAIN_S", 0.0)

    def tell(story: Callable[[Depot], Awaitable[None]]) -> None:
        async def whole() -> None:
            keys = Keys(engines.keys)
            company = await accounts.ensure_company(fresh_database, "warm", "暖")
            await clock.set_clock(fresh_database, EIGHT, 1.0)
            pool = Pool(app_dsn(fresh_database, keys), size=2)
            time = BusinessClock()
            await time.load(pool)
            policies = Policies(pool, tmp_path / "policies")
            store = EngineStore(pool, time, keys.get("journal"), 0, Beside(Vault(keys), policies))
            travel = Travel(pool, tmp_path, time, policies)
            try:
                await story(Depot(fresh_database, company, store, travel))
            finally:
                await travel.close()
                await pool.close()

        run(whole())

    return tell


PRIOR = TravelPolicy().prior(28_800)


def test_a_company_without_fixes_runs_on_its_policy(play):
    async def story(depot: Depot) -> None:
        assert await depot.learn() == PRIOR
        assert await depot.fetch("SELECT FROM travel_model WHERE company_id = $1") == []
        status = await depot.travel.status(depot.company)
        assert (status.version, status.journeys) == (0, 0)

    play(story)


def test_an_ended_hour_is_learnt_from_once(play):
    async def story(depot: Depot) -> None:
        for n in range(12):
            await depot.drive(f"C-{n:02d}", EIGHT + timedelta(minutes=n), 4.0)
        await depot.at(EIGHT + timedelta(minutes=55))
        assert (await depot.learn()).version == 0, "the hour has not ended"
        await depot.at(EIGHT + timedelta(minutes=75))
        model = await depot.learn()
        assert (model.version, model.observed[8], sum(model.observed)) == (1, 12, 12)
        expected = (PRIOR.speed_mmps[8] * 40 + 4_000 * 12) / 52
        assert model.speed_mmps[8] == pytest.approx(expected, abs=60)
        assert model.speed_mmps[9] == PRIOR.speed_mmps[9]
        assert await depot.learn() == model
        status = await depot.travel.status(depot.company)
        assert (status.version, status.journeys) == (1, 12)
        rows = await depot.fetch("SELECT * FROM travel_speed WHERE company_id = $1")
        assert [(r["hour_at"], r["slot"], r["journeys"]) for r in rows] == [(EIGHT, 8, 12)]

    play(story)


def test_more_hours_weigh_more_and_old_ones_are_forgotten(play):
    async def story(depot: Depot) -> None:
        for day in range(3):
            for n in range(12):
                await depot.drive(f"C-{n:02d}", EIGHT + timedelta(days=day, minutes=n), 4.0)
        await depot.at(EIGHT + timedelta(days=2, hours=2))
        model = await depot.learn()
        assert model.observed[8] == 36
        assert len(await depot.fetch("SELECT FROM travel_model WHERE company_id = $1")) >= 1
        await depot.at(EIGHT + timedelta(days=80))
        await depot.drive("C-00", EIGHT + timedelta(days=79), 9.0)
        late = await depot.learn()
        assert late.version == model.version + 1
        assert sum(late.observed) == 1
        assert len(await depot.fetch("SELECT FROM travel_speed WHERE company_id = $1")) == 1

    play(story)


def test_bad_fixes_are_counted_and_teach_nothing(play):
    async def story(depot: Depot) -> None:
        await depot.drive("C-01", EIGHT, 5.0)
        half = EIGHT + timedelta(minutes=14, seconds=58)
        bad: list[tuple[object, ...]] = [
            ("C-01", half, LAT, LON, 9.0),
            ("C-01", half, LON + 2.0, LAT, 9.0),
            ("C-01", half, LON, LAT, 900.0),
            ("C-01", half, float("nan"), LAT, 9.0),
            ("C-01", EIGHT + timedelta(minutes=15), LON + 0.001, LAT, 9.0),
        ]
        await depot.batch(EIGHT + timedelta(minutes=40), bad)
        ahead = EIGHT + timedelta(minutes=50)
        await depot.batch(EIGHT + timedelta(minutes=41), [("C-01", ahead, LON, LAT, 9.0)])
        await depot.at(EIGHT + timedelta(hours=2))
        model = await depot.learn()
        assert sum(model.observed) == 1
        assert model.speed_mmps[8] == pytest.approx((PRIOR.speed_mmps[8] * 40 + 5_000) / 41, abs=20)
        async with depot.store.company(depot.company) as tx:
            found = await travel_store.left_out(tx.connection, depot.company)
        assert found == {
            "swapped": 1, "far_away": 1, "inaccurate": 1, "off_the_earth": 1, "clock_ahead": 1,
            "duplicate": 1,
        }  # fmt: skip

    play(story)


def test_another_company_learns_nothing_of_it(play):
    async def story(depot: Depot) -> None:
        other = await accounts.ensure_company(depot.url, "cold", "寒")
        await depot.drive("C-01", EIGHT, 5.0)
        await depot.at(EIGHT + timedelta(hours=2))
        await depot.learn()
        async with depot.store.company(other) as tx:
            await speeds.learn(tx)
            assert await travel_store.newest_model(tx.connection, other) is None
            assert await tx.connection.fetchval("SELECT count(*) FROM travel_speed") == 0
        assert (await depot.travel.model(other)).version == 0

    play(story)


# ---------------------------------------------------------------- crews
def crew(stage: str | None, ticket: str = "T-1", **more: object) -> Crew:
    bare = Crew(
        version=1, name="一班", trades=["indoor"], certificates=[], members=2, vehicle="v",
        shift="00:00-24:00", on_duty=stage is not None,
        tickets={TicketId(ticket): stage} if stage not in {None, "free"} else {},
    )  # fmt: skip
    return msgspec.structs.replace(bare, **more)


def test_where_the_crews_are_and_will_be(play):
    async def story(depot: Depot) -> None:
        now = EIGHT + timedelta(hours=1)
        to = (126_700_000, 45_760_000)
        c = await asyncpg.connect(depot.url)
        await c.execute(
            "INSERT INTO ticket (company_id, ticket_id, version, state, open, level, kind, source,"
            " lon, lat, address, reports, near, overdue, lost_contact, received_at, solved_due_at)"
            " VALUES ($1, 'T-1', 1, 'confirmed', true, 'blue', 'repair', 'call', 126.7, 45.76,"
            " 'a', 1, false, false, false, $2, $2)", depot.company, now,
        )  # fmt: skip
        await c.close()

        async def seen(name: str, *, ago_s: int, apart_m: float, heard_ago_s: int | None = None):
            for n in range(13):
                at = now - timedelta(seconds=ago_s + 10 * (12 - n))
                heard = now - timedelta(seconds=ago_s if heard_ago_s is None else heard_ago_s)
                await depot.batch(heard, [(name, at, LON + apart_m * n / EAST_M, LAT, 9.0)])

        await seen("C-drives", ago_s=20, apart_m=80.0)
        await seen("C-stands", ago_s=5, apart_m=0.4)
        await seen("C-basement", ago_s=2_000, apart_m=0.0)
        await seen("C-silent", ago_s=900, apart_m=80.0)
        await seen("C-ahead", ago_s=-3_000, apart_m=0.0, heard_ago_s=30)
        register = {
            CrewId("C-drives"): crew("en_route"),
            CrewId("C-stands"): crew("free"),
            CrewId("C-basement"): crew("on_site"),
            CrewId("C-silent"): crew("en_route", position_lost_since=unix(now) - 600),
            CrewId("C-ahead"): crew("free"),
            CrewId("C-never"): crew("dispatched"),
            CrewId("C-off"): crew(None),
        }
        async with depot.store.company(depot.company) as tx:
            places = await crew_places(tx.connection, depot.company, now, PRIOR, register)
        assert [p.crew for p in places] == sorted(register)
        by = {p.crew: p for p in places}
        drives, fix = by["C-drives"], by["C-drives"].fix
        assert fix is not None
        assert (drives.state, drives.age_s, drives.standing) == ("en_route", 20, False)
        way = between(PRIOR, fix.place, to, fix.fixed_at)
        assert drives.arrives_at == fix.fixed_at + way
        assert drives.arrives_late_at is not None
        assert drives.arrives_late_at - fix.fixed_at == pytest.approx(1.4 * way, abs=1)
        assert drives.place == fix.place
        assert (by["C-stands"].standing, by["C-stands"].arrives_at) == (True, None)
        assert (by["C-basement"].place, by["C-basement"].age_s) == (to, 2_000)
        silent = by["C-silent"]
        assert (silent.age_s, silent.lost_since) == (900, unix(now) - 600)
        since = unix(now) - 900
        assert silent.arrives_at == max(unix(now), since + between(PRIOR, fix.place, to, since))
        assert by["C-ahead"].age_s == 30
        for name in ("C-never", "C-off"):
            assert (by[name].fix, by[name].place, by[name].age_s) == (None, None, None)
            assert not by[name].standing

    play(story)
