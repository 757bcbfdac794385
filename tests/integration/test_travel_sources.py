"""Travel times from routers that answer, are silent or talk nonsense, from roads, from nothing."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from path_house import run

from geo import roads as roads_module
from geo.road_graph import Way, build
from geo.travel import places, seconds
from server.adapters import accounts, travel, travel_settings
from server.adapters.clock import BusinessClock
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.road_files import roads_beside, write_roads
from server.adapters.travel import Travel

AT = 1_768_345_200
LON, LAT = 126.6, 45.7
WHERE = places(LON + 0.004 * np.arange(7), LAT + 0.003 * np.arange(7))
FROM, TO = WHERE[:3], WHERE[3:]
Answer = Callable[[str, bytes], Awaitable[bytes | None]]


class Installation:
    """A company and the travel times of one process, asked through `table`."""

    def __init__(self, pool: Pool, data: Path, company: int, serving: Travel) -> None:
        self.pool, self.data, self.company, self.travel = pool, data, company, serving

    def settings(self, text: str) -> None:
        (self.data / "travel.toml").write_text(text)

    async def table(self) -> Any:
        return await self.travel.table(self.company, FROM, TO, AT)

    async def city(self, *, roads: bool) -> Path:
        """Give the company a city, and its roads."""
        async with self.pool.company(self.company) as c:
            await c.execute(
                "INSERT INTO city VALUES ($1, '城', 'imported', 'city-1', '', 126, 45, 127, 46,"
                " 126.6, 45.7) ON CONFLICT DO NOTHING",
                self.company,
            )
        folder = self.data / "cities" / "warm"
        folder.mkdir(parents=True, exist_ok=True)
        file = roads_beside(folder / "city-1.pmtiles")
        if roads:
            ways = [Way(list(range(7)), "residential", 0, None)]
            graph = build(ways, {n: (p[0] / 1e6, p[1] / 1e6) for n, p in enumerate(WHERE.tolist())})
            assert graph is not None
            write_roads(graph, file)
        return file


@asynccontextmanager
async def installed(
    url: str, keys: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Installation]:
    monkeypatch.setattr(travel, "LOOK_AGAIN_S", 0.0)
    monkeypatch.setattr(travel, "ASK_AGAIN_S", 0.0)
    monkeypatch.setattr(travel_settings, "LOOK_AGAIN_S", 0.0)
    company = await accounts.ensure_company(url, "warm", "暖")
    pool = Pool(app_dsn(url, Keys(keys)), size=2)
    clock = BusinessClock()
    await clock.load(pool)
    serving = Travel(pool, data, clock, Policies(pool, data / "policies"))
    try:
        yield Installation(pool, data, company, serving)
    finally:
        await serving.close()
        await pool.close()


@pytest.fixture
def play(fresh_database, engines, tmp_path, monkeypatch):
    """Runs a story told to an installation."""

    def tell(story: Callable[[Installation], Awaitable[None]]) -> None:
        async def whole() -> None:
            async with installed(fresh_database, engines.keys, tmp_path, monkeypatch) as house:
                await story(house)

        run(whole())

    return tell


class Router:
    """A router on loopback; what it answers can be changed."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, bytes]] = []
        self.url = ""
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Router:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._server is not None
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while line := await reader.readline():
                length = 0
                while (head := await reader.readline()) not in {b"\r\n", b""}:
                    name, _, value = head.decode().partition(":")
                    length = int(value) if name.lower() == "content-length" else length
                target, body = line.decode().split()[1], await reader.readexactly(length)
                self.asked.append((target, body))
                said = await self.answer(target, body)
                if said is None:
                    break
                writer.write(said)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()


def http(body: bytes, status: str = "200 OK") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


def metres_apart(a: tuple[float, float], b: tuple[float, float]) -> float:
    return abs(a[0] - b[0]) * 80_000 + abs(a[1] - b[1]) * 111_000


async def osrm(target: str, _: bytes) -> bytes:
    """A table at 10 m/s over blocks, with no way to the last place."""
    parts, query = urlsplit(target), parse_qs(urlsplit(target).query)
    assert parts.path.startswith("/table/v1/driving/")
    spots = [
        (float(p.split(",")[0]), float(p.split(",")[1]))
        for p in parts.path.rpartition("/")[2].split(";")
    ]
    ends = [[spots[int(i)] for i in query[k][0].split(";")] for k in ("sources", "destinations")]
    last = tuple((TO[-1] / 1e6).tolist())
    rows = [[None if b == last else metres_apart(a, b) / 10 for b in ends[1]] for a in ends[0]]
    return http(json.dumps({"code": "Ok", "durations": rows}).encode())


async def valhalla(target: str, body: bytes) -> bytes:
    assert target == "/valley/sources_to_targets"
    asked = json.loads(body)
    assert asked["costing"] == "truck"
    a, b = ([(p["lon"], p["lat"]) for p in asked[k]] for k in ("sources", "targets"))
    rows = [[{"time": metres_apart(p, q) / 10, "distance": 1.0} for q in b] for p in a]
    return http(json.dumps({"sources_to_targets": rows}).encode())


def expected() -> np.ndarray:
    return np.ceil([[metres_apart(tuple(p), tuple(q)) / 10 for q in TO / 1e6] for p in FROM / 1e6])


def test_an_osrm_is_asked_in_small_requests(play):
    async def story(house: Installation) -> None:
        async with Router(osrm) as router:
            house.settings(f'[[router]]\nkind = "osrm"\nurl = "{router.url}"\nplaces = 4\n')
            table = await house.table()
            assert (table.source, table.note, table.patched) == ("osrm", None, 3)
            assert np.abs(table.seconds[:, :-1] - expected()[:, :-1]).max() <= 1
            straight = seconds(table.model, FROM, TO, AT)
            assert (table.seconds[:, -1] == straight[:, -1]).all(), "no way: by great circle"
            assert len(router.asked) == 2 * 2
            status = await house.travel.status(house.company)
            assert (status.source, status.wanted, status.note) == ("osrm", "osrm", None)

    play(story)


def test_a_valhalla_is_asked_with_its_costing(play):
    async def story(house: Installation) -> None:
        async with Router(valhalla) as router:
            house.settings(
                f'[[router]]\nkind = "valhalla"\nurl = "{router.url}/valley/"\nprofile = "truck"\n'
                'company = "warm"\n'
            )
            table = await house.table()
            assert (table.source, table.note, table.patched) == ("valhalla", None, 0)
            assert np.abs(table.seconds - expected()).max() <= 1

    play(story)


async def hangs(_: str, __: bytes) -> bytes:
    await asyncio.sleep(60)
    return b""


async def drips(_: str, __: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"


async def hangs_up(_: str, __: bytes) -> None:
    return None


def says(body: str, status: str = "200 OK") -> Answer:
    async def answer(_: str, __: bytes) -> bytes:
        return http(body.encode(), status)

    return answer


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (hangs, "not_answering"),
        (drips, "not_answering"),
        (hangs_up, "not_answering"),
        (says("oh no", "503 Service Unavailable"), "bad_answer"),
        (says("", "302 Found"), "bad_answer"),
        (says("<html>"), "bad_answer"),
        (says('{"code": "TooBig"}'), "bad_answer"),
        (says('{"code": "Ok", "durations": [[1, 2]]}'), "bad_answer"),
        (says('{"code": "Ok", "durations": [["soon"]]}'), "bad_answer"),
        (says('{"code":"Ok","durations":[[1,2,3,-4],[1,2,3,4],[1,2,3,4]]}'), "bad_answer"),
        (says('{"code":"Ok","durations":[[1,2,3,1e999],[1,2,3,4],[1,2,3,4]]}'), "bad_answer"),
        (says("[" * 100_000), "bad_answer"),
    ],
    ids=["hangs", "drips", "hangs up", "503", "302", "html", "too big", "few", "words", "negative",
         "infinite", "deep"],
)  # fmt: skip
def test_a_router_that_fails_gives_way_with_a_note(play, answer, why):
    async def story(house: Installation) -> None:
        async with Router(answer) as router:
            house.settings(
                f'[[router]]\nkind = "osrm"\nurl = "{router.url}"\nanswer_s = 0.3\ntable_s = 0.5\n'
            )
            table = await house.table()
            assert (table.source, table.note.wanted, table.note.why) == (
                "great_circle",
                "osrm",
                why,
            )
            assert table.note.detail
            assert (table.seconds == seconds(table.model, FROM, TO, AT)).all()
            again = await house.table()
            assert again.note.since == table.note.since
            router.answer = osrm
            mended = await house.table()
            assert (mended.source, mended.note) == ("osrm", None)
            asked = len(router.asked)
            router.answer = answer
            assert (await house.table()).digest == mended.digest, "it need not be asked again"
            assert len(router.asked) == asked

    play(story)


def test_nobody_waits_twice_for_a_silent_router(play, monkeypatch):
    async def story(house: Installation) -> None:
        monkeypatch.setattr(travel, "ASK_AGAIN_S", 3_600.0)
        async with Router(hangs_up) as router:
            house.settings(f'[[router]]\nkind = "osrm"\nurl = "{router.url}"\n')
            for _ in range(3):
                assert (await house.table()).note.why == "not_answering"
            assert len(router.asked) == 1

    play(story)


def test_a_bad_file_keeps_the_last_good_one_and_is_told(play):
    async def story(house: Installation) -> None:
        async with Router(osrm) as router:
            good = f'[[router]]\nkind = "osrm"\nurl = "{router.url}"\n'
            house.settings(good)
            assert (await house.table()).note is None
            for bad in ("kind = ", "[[router]]\nkind = 'osrm'\n", good + "speed = 3\n",
                        good.replace("http://", "ftp://"), good + "table_s = 0.1\n"):  # fmt: skip
                house.settings(bad)
                table = await house.table()
                assert (table.source, table.note.why) == ("osrm", "bad_settings")
                assert "travel.toml" in table.note.detail
            (house.data / "travel.toml").unlink()
            gone = await house.table()
            assert (gone.source, gone.note) == ("great_circle", None)

    play(story)


def test_another_companys_router_is_not_asked(play):
    async def story(house: Installation) -> None:
        async with Router(osrm) as router:
            house.settings(f'[[router]]\nkind = "osrm"\nurl = "{router.url}"\ncompany = "cold"\n')
            table = await house.table()
            assert (table.source, table.note, router.asked) == ("great_circle", None, [])

    play(story)


@pytest.mark.skipif(roads_module.pyroutingkit is None, reason="no road library here")
def test_roads_of_the_imported_city_serve_when_there_are_any(play):
    async def story(house: Installation) -> None:
        file = await house.city(roads=False)
        table = await house.table()
        assert (table.source, table.note) == ("great_circle", None), "nothing better was promised"
        await house.city(roads=True)
        table = await house.table()
        assert (table.source, table.note, table.patched) == ("roads", None, 0)
        assert (await house.travel.status(house.company)).road_nodes == 7 + 6 * 4
        async with Router(hangs_up) as router:
            house.settings(f'[[router]]\nkind = "osrm"\nurl = "{router.url}"\n')
            table = await house.table()
            assert (table.source, table.note.wanted) == ("roads", "osrm")
        house.settings("")
        table = await house.table()
        again = await house.travel.found_again(house.company, table.slim())
        assert again == table
        assert (again.seconds == table.seconds).all()
        assert await house.travel.found_again(house.company, table) is table
        many = await asyncio.gather(*(house.table() for _ in range(20)))
        assert len({t.digest for t in many}) == 1
        whole = file.read_bytes()
        for spoilt in (
            b"",
            whole[: len(whole) // 2],
            b"no roads at all",
            whole[:-9] + b"123456789",
        ):
            file.write_bytes(spoilt)
            table = await house.table()
            assert (table.source, table.note.why) == ("great_circle", "bad_roads")
            with pytest.raises(LookupError, match="gone"):
                await house.travel.found_again(house.company, again.slim())
        file.write_bytes(whole)
        assert (await house.table()).source == "roads"

    play(story)


@pytest.mark.skipif(roads_module.pyroutingkit is None, reason="no road library here")
def test_who_gives_up_waiting_does_the_others_no_harm(play):
    async def story(house: Installation) -> None:
        await house.city(roads=True)
        whole = (await house.table()).digest
        hasty = [asyncio.create_task(house.table()) for _ in range(40)]
        for task in hasty[::2]:
            await asyncio.sleep(0)
            task.cancel()
        done = await asyncio.gather(*hasty, return_exceptions=True)
        assert {t.digest for t in done[1::2] if not isinstance(t, BaseException)} == {whole}
        assert (await house.table()).digest == whole

    play(story)


def test_without_the_library_the_note_says_so(play, monkeypatch):
    async def story(house: Installation) -> None:
        monkeypatch.setattr(roads_module, "pyroutingkit", None)
        await house.city(roads=True)
        table = await house.table()
        assert (table.source, table.note.why) == ("great_circle", "no_library")

    play(story)
