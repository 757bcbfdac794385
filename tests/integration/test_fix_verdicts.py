"""Fixes of crews: each kept with its verdict, the good ones shown, and a check-in measured against
the building and the fixes before it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from math import cos, radians
from random import Random
from typing import Any

import numpy as np
import pytest
import shapely
from path_house import LAT, LON, Caller, House, eventually, run
from path_work import batch, fix, register_crew
from test_crew_phones import phone

from dispatch_core.events import SiteFix
from dispatch_core.evidence import POLICY, Measured, whereabouts
from dispatch_core.ids import CrewId
from geo.fixes import BELIEVED, Fix, FixVerdict, judged
from geo.gcj02 import gcj02_of_wgs84
from server.adapters.fix_checks import Pressed, Site, limits_of, measure
from server.adapters.pool import Pool

EAST = 1 / (111_195 * cos(radians(LAT)))
NORTH = 1 / 111_195


@dataclass
class Van:
    """A crew of one test, at a place of its own time; metres east of the city's middle."""

    house: House
    crew: str
    at: int
    sent: list[dict[str, Any]] = field(default_factory=list)

    def fix(self, since_s: float, east_m: float, **more: Any) -> dict[str, Any]:
        place = {"lon": LON + east_m * EAST, "lat": LAT + 1e-6 * (round(since_s) % 7)}
        return fix(self.crew, self.at + round(since_s), **place) | more

    def send(self, *items: dict[str, Any]) -> None:
        answer = batch(self.house.source, "crew-positions", *items)
        assert answer == {"accepted": len(items), "refused": []}, "kept, whatever it is worth"

    def verdicts(self) -> list[str]:
        """In order of when they were taken."""
        rows = self.house.sql(
            "SELECT verdict FROM crew_fix WHERE company_id = $1 AND crew_id = $2 ORDER BY fixed_at",
            self.house.company, self.crew,
        )  # fmt: skip
        return [r[0] for r in rows]

    def last(self) -> tuple[int, int]:
        """(seconds since the van's time, metres east) of the last fix that is believed."""
        (row,) = self.house.sql(
            "SELECT floor(extract(epoch FROM fixed_at))::bigint, lon FROM crew_last_fix"
            " WHERE company_id = $1 AND crew_id = $2",
            self.house.company, self.crew,
        )  # fmt: skip
        return row[0] - self.at, round((row[1] - LON) / EAST)

    def shown(self) -> int | None:
        """Metres east on the map."""
        rows = self.house.person.get("/api/layers/positions")["rows"]
        row = {r["key"]: r for r in rows}.get(self.crew)
        return None if row is None else round((row["row"]["lon"] - LON) / EAST)


@pytest.fixture
def van(house: House) -> Van:
    name = f"F{uuid.uuid4().hex[:8]}"
    register_crew(house.source, name)
    return Van(house, name, int(house.business_now().timestamp()) - 600)


def test_bad_ones_are_kept_and_not_shown(van: Van) -> None:
    van.send(van.fix(0, 0), van.fix(10, 60), van.fix(20, 4_000), van.fix(30, 0, accuracy_m=0))
    van.send(van.fix(40, 900, accuracy_m=400), van.fix(50, 50, speed_mps=70.0))
    assert van.verdicts() == ["ok", "ok", "too_fast", "zero_accuracy", "inaccurate", "too_fast"]
    assert van.last() == (10, 60)
    eventually(lambda: van.shown() == 60, "the map shows the last good one")
    van.send(van.fix(60, 100))
    assert van.last() == (60, 100)
    eventually(lambda: van.shown() == 100, "and goes on")


def test_a_crew_of_bad_fixes_alone_is_nowhere(van: Van) -> None:
    van.send(van.fix(0, 0, accuracy_m=0), van.fix(10, 0, accuracy_m=9_000))
    assert van.verdicts() == ["zero_accuracy", "inaccurate"]
    kept = van.house.sql("SELECT FROM crew_last_fix WHERE crew_id = $1", van.crew)
    assert kept == []


def test_three_jumps_that_agree_move_the_crew_batch_by_batch(van: Van) -> None:
    van.send(van.fix(0, 0))
    for n in range(1, 5):
        van.send(van.fix(10 * n, 5_000 + 20 * n))
    assert van.verdicts() == ["ok", "too_fast", "too_fast", "ok", "ok"]
    assert van.last() == (40, 5_080)


def test_late_ones_are_sorted_in_and_move_nothing(van: Van) -> None:
    van.send(van.fix(0, 0), van.fix(120, 960))
    van.send(van.fix(90, 720), van.fix(30, 240), van.fix(60, 9_000))
    assert van.verdicts() == ["ok", "late", "too_fast", "late", "ok"]
    assert van.last() == (120, 960)


def test_a_clock_ahead(van: Van) -> None:
    van.send(van.fix(0, 0), van.fix(600 + 400, 50), van.fix(590, 20))
    assert van.verdicts() == ["ok", "ok", "clock_skew"]
    assert van.last() == (590, 20)


def test_a_van_in_the_datum_of_a_vendor(van: Van) -> None:
    lon, lat = gcj02_of_wgs84(np.array([LON]), np.array([LAT]))
    there = {"lon": float(lon[0]), "lat": float(lat[0])}
    van.send(van.fix(0, 0), van.fix(5, 0) | there)
    assert van.verdicts() == ["ok", "datum_suspect"]


@pytest.mark.parametrize("seed", range(3))
def test_what_is_stored_is_enough_to_judge_by(van: Van, seed: int) -> None:
    """One by one, or a few at a time: the verdicts are those of somebody who remembers it all."""
    random = Random(seed)
    remembered: list[tuple[Fix, FixVerdict]] = []
    times = random.sample(range(590), 60)
    times.sort(key=lambda at: at + random.choice([0, 0, 0, 120]))  # some come two minutes late
    while times:
        lot = [
            van.fix(
                times.pop(0), random.choice([0, 0, 0, 40, 5_000, 5_000, 9_000]), lat=LAT,
                accuracy_m=random.choice([0, 8, 8, 8, 60, 400]),
                speed_mps=random.choice([None, 1.5, 60.0]) if random.random() < 0.2 else None,
            )
            for _ in range(min(len(times), random.choice([1, 1, 4])))
        ]  # fmt: skip
        van.send(*lot)
        new = [
            Fix(f["fixed_at"] * 1000, f["lon"], f["lat"], f["accuracy_m"], f["speed_mps"])
            for f in lot
        ]
        heard = (van.at + 600) * 1000
        found = judged(remembered, new, heard, limits_of(POLICY.fence))
        remembered += zip(new, found, strict=True)
    remembered.sort(key=lambda entry: entry[0].at_ms)
    assert van.verdicts() == [verdict for _, verdict in remembered]
    assert len({verdict for _, verdict in remembered}) >= 5
    newest = [f for f, verdict in remembered if verdict in BELIEVED][-1]
    assert van.last()[0] == newest.at_ms // 1000 - van.at


def phone_fix(van: Van, since_s: float, east_m: float, **more: Any) -> dict[str, Any]:
    return {
        "lon": LON + east_m * EAST, "lat": LAT, "datum": "wgs84", "accuracy_m": 9.5,
        "at_ms": round((van.at + since_s) * 1000), "battery_pct": 71,
    } | more  # fmt: skip


def test_a_phone_sends_what_it_kept_while_it_was_offline(van: Van) -> None:
    caller = phone(van.house, van.crew)
    van.send(van.fix(300, 2_400))
    late = [phone_fix(van, s + 0.25, 8 * s) for s in (200, 100, 150)]
    bad = [
        phone_fix(van, 310, 2_480, datum="mars"), phone_fix(van, 310, 0, lat=95.0),
        phone_fix(van, -90 * 86_400, 0), phone_fix(van, 7_000, 2_480),
    ]  # fmt: skip
    items = [*late, *bad, phone_fix(van, 320.5, 2_500)]
    first = caller.post("/api/crew/fixes", {"items": items}, key="drained-once-0001")
    assert first.json()["accepted"] == 5
    refused = {r["index"]: r["code"] for r in first.json()["refused"]}
    assert refused == {3: "datum_unknown", 4: "coordinate_out_of_range", 5: "too_old"}
    again = caller.post("/api/crew/fixes", {"items": items}, key="drained-once-0001")
    assert again.json() == first.json()
    assert van.verdicts() == ["late", "late", "late", "ok", "ok", "clock_skew"]
    assert van.last() == (320, 2_500)
    eventually(lambda: van.shown() == 2_500, "the phone moves the crew on the map")
    rows = van.house.sql(
        "SELECT device, battery_pct, (extract(epoch FROM fixed_at) * 1000)::bigint % 1000 AS ms"
        " FROM crew_fix WHERE crew_id = $1 AND verdict = 'late' LIMIT 1", van.crew,
    )  # fmt: skip
    device = caller.get("/api/session")["device"]
    assert tuple(rows[0]) == (device, 71, 250)


def test_fixes_are_a_crews_phones_own_affair(house: House, van: Van) -> None:
    body = {"items": [phone_fix(van, 0, 0)]}
    for caller in (house.person, house.source, Caller(house.url)):
        answer = caller.post("/api/crew/fixes", body)
        assert answer.status_code in {401, 403}, answer.text
    caller = phone(house, van.crew)
    assert caller.post("/api/crew/fixes", {"items": body["items"] * 501}).status_code == 422
    missing = {k: v for k, v in body["items"][0].items() if k != "datum"}
    assert caller.post("/api/crew/fixes", {"items": [missing]}).status_code == 422
    assert van.verdicts() == []


@pytest.fixture
def measured(house: House, van: Van) -> Callable[..., Measured]:
    """What a press of the button at (metres east, metres north) comes to; the building is 40 m long
    from west to east, 10 m wide, around the city's middle."""
    shape = shapely.box(LON - 20 * EAST, LAT - 5 * NORTH, LON + 20 * EAST, LAT + 5 * NORTH)
    house.sql("UPDATE building SET outline = $1 WHERE building_id = 'B12'", shape.wkb)

    def press(
        since_s: float, east_m: float, north_m: float = 0.0, *, site: Site | None = None,
        accuracy_m: float = 8.0, pressed_s: float | None = None, heard_s: float | None = None,
        **more: Any,
    ) -> Measured:  # fmt: skip
        pressed_s = since_s if pressed_s is None else pressed_s
        pressed = Pressed(
            crew=CrewId(van.crew),
            fix=SiteFix(lon=LON + east_m * EAST, lat=LAT + north_m * NORTH, accuracy_m=accuracy_m,
                        at_ms=round((van.at + since_s) * 1000)),
            at_device_ms=round((van.at + pressed_s) * 1000),
            heard_ms=round((van.at + (pressed_s if heard_s is None else heard_s)) * 1000),
            **more,
        )  # fmt: skip

        async def ask() -> Measured:
            pool = Pool(house.app_url)
            try:
                async with pool.company(house.company, readonly=True) as c:
                    where = site or Site("B12", LON, LAT, exact=True)
                    return await measure(c, house.company, where, pressed, POLICY.fence)
            finally:
                await pool.close()

        return run(ask())

    return press


def test_the_distance_is_to_the_outline(measured: Callable[..., Measured]) -> None:
    assert measured(0, 10, 3).distance_m == 0, "inside"
    assert measured(0, 120).distance_m == pytest.approx(100, rel=5e-3)
    assert measured(0, 0, 65).distance_m == pytest.approx(60, rel=5e-3)
    nowhere = Site(None, LON, LAT, exact=False)
    assert measured(0, 10, site=nowhere).distance_m is None
    place = Site(None, LON, LAT, exact=True)
    assert measured(0, 100, site=place).distance_m == pytest.approx(100, rel=5e-3)
    bare = Site("B01", 0.0, 0.0, exact=False)
    assert measured(0, 100, site=bare).distance_m == pytest.approx(100, rel=5e-3), "no outline"


def test_a_place_that_only_fits_in_the_other_datum(measured: Callable[..., Measured]) -> None:
    lon, lat = gcj02_of_wgs84(np.array([LON]), np.array([LAT]))
    found = measured(0, (float(lon[0]) - LON) / EAST, (float(lat[0]) - LAT) / NORTH)
    assert found.distance_m is not None
    assert found.distance_m > 400
    assert found.as_gcj_m == 0
    fix = SiteFix(lon=float(lon[0]), lat=float(lat[0]), accuracy_m=8, at_ms=0)
    said = whereabouts(fix, found, POLICY.fence)
    assert (said.verdict, said.doubts) == ("uncertain", ["datum_suspect"])


def test_what_the_fixes_before_say_of_it(van: Van, measured: Callable[..., Measured]) -> None:
    assert measured(0, 0).speed_mps is None, "nothing is known"
    van.send(van.fix(0, 3_000), van.fix(5, 2_950))
    flown = measured(15, 0)
    assert flown.speed_mps == pytest.approx((2_950 - 16) / 10, rel=5e-3)
    assert flown.outlier
    driven = measured(305, 0)
    assert driven.speed_mps == pytest.approx((2_950 - 16) / 300, rel=5e-3)
    assert not driven.outlier
    assert measured(700, 0).speed_mps is None, "too long ago to say"
    (own,) = [measured(5, 2_950)]
    assert (own.outlier, own.repeated) == (False, 1), "the fix that was sent along the way"


def test_a_cached_place(van: Van, measured: Callable[..., Measured]) -> None:
    still = {"lon": LON, "lat": LAT}
    van.send(*[van.fix(10 * n, 0) | still for n in range(5)])
    assert measured(60, 0).repeated == 6
    assert measured(60, 1).repeated == 1


def test_clocks(van: Van, measured: Callable[..., Measured]) -> None:
    found = measured(0, 0, pressed_s=400, heard_s=100)
    assert (found.skew_s, found.age_s) == (300, 400)
    assert measured(0, 0, pressed_s=0, heard_s=3_600).skew_s == 0, "it waited for a signal"
    sent = round((van.at + 3_000) * 1000)
    assert measured(0, 0, pressed_s=0, heard_s=3_600, sent_at_ms=sent).skew_s == -600
    assert measured(30, 0, pressed_s=0).age_s == 0
    assert measured(0, 0, mock=True).mock
