"""Files into the register: every row counted, nothing dropped, doing it twice changes nothing, and
an export imported elsewhere gives the same export."""

from __future__ import annotations

import asyncio
import csv
import stat
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import asyncpg
import openpyxl
import pytest

from dispatch_core.errors import Conflict
from geo.datums import Datums
from server.adapters import accounts, clock
from server.adapters.accounts import Principal
from server.adapters.address_book import AddressBooks
from server.adapters.commits import Commits
from server.adapters.exports import Exports
from server.adapters.imports.rows import Imported, ImportKind, Wish
from server.adapters.keys import Keys
from server.adapters.migrate import app_dsn
from server.adapters.policies import Policies
from server.adapters.pool import Pool
from server.adapters.vault import Vault
from server.settings import UserError
from server.sources.tables import export
from server.sources.tables.run import Importer

TREE = [
    ["node", "kind", "parent", "name", "lon", "lat", "datum", "address", "community", "levels"],
    ["K1", "小区", "", "阳光小区", "126.60", "45.70", "wgs84", "", "", ""],
    ["P1", "热源厂", "", "东厂", "126.61", "45.71", "wgs84", "", "", ""],
    ["G1", "一次网", "P1", "南线", "", "", "", "", "", ""],
    ["S1", "换热站", "G1", "一站", "126.62", "45.72", "wgs84", "", "", ""],
    ["C1", "circuit", "S1", "低区", "", "", "", "", "", ""],
    ["E1", "entrance", "C1", "1 栋", "", "", "", "", "", ""],
    ["U1", "unit", "E1", "1 单元", "", "", "", "", "", ""],
    ["R1", "riser", "U1", "1 号立管", "", "", "", "", "", ""],
    ["B1", "楼栋", "S1", "1 栋", "126.63", "45.73", "wgs84", "经纬街 128 号", "阳光小区", "6"],
    ["B2", "楼栋", "S1", "2 栋", "126.64", "45.73", "cgcs2000", "经纬街 130 号", "K1", ""],
]
HOMES = [
    ["户号", "楼栋编号", "单元", "楼层", "房号", "立管", "建筑面积(㎡)", "冷山", "户阀", "质保期至",
     "业主姓名", "联系电话", "身份证号"],
    ["H1", "B1", "1单元", "1", "101", "R1", "80.5", "是", "有", "2027-10-31", "王伟",
     "138-0000-0001", "230101199001011234"],
    ["H2", "B1", "1", "6", "602室", "R1", "60", "否", "无", "", "李芳", "138-0000-0002", ""],
    ["H3", "B2", "2", "3", "301", "", "70", "", "", "", "王伟", "13800000001", ""],
    ["H4", "B2", "2", "4", "401", "", "70", "", "", "", "张强", "13800000001", ""],
    ["H5", "B2", "2", "5", "501", "", "70", "", "", "", "无电话", "", ""],
]  # fmt: skip


class House:
    """Two companies on a database of the test's own, and the ways in and out."""

    def __init__(self, dsn: str, data: Path, folder: Path) -> None:
        self.dsn, self.folder = dsn, folder
        keys = Keys(data / "keys")
        self.pool = Pool(app_dsn(dsn, keys), name="test-imports")
        self.vault = Vault(keys)
        self.clock = clock.BusinessClock()
        books = AddressBooks(self.pool, self.vault)
        self.commits = Commits(self.pool, self.clock, self.vault, keys.get("journal"), books.ask)
        self.importer = Importer(
            self.pool, self.vault, self.clock, self.commits, books,
            Policies(self.pool, folder / "policies"), Datums(), folder / "imports",
        )  # fmt: skip
        self.exports = Exports(self.pool, self.vault)
        self.company = self.other = 0

    def file(self, rows: list[list[str]], name: str = "in.csv") -> Path:
        path = self.folder / name
        if name.endswith(".xlsx"):
            book = openpyxl.Workbook()
            for row in rows:
                book.active.append(row)
            book.save(path)
            return path
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return path

    async def take(
        self, kind: ImportKind, source: list[list[str]] | Path, company: int = 0, **options: Any
    ) -> Imported:
        path = source if isinstance(source, Path) else self.file(source)
        principal = Principal(company or self.company, "file", "source", b"")
        wish = Wish(principal=principal, kind=kind, path=path, file_name=path.name, **options)
        done = await self.importer.run(wish)
        assert done.rows == done.added + done.changed + done.unchanged + done.refused
        return done

    async def written(self, kind: ImportKind, company: int, name: str) -> bytes:
        path = self.folder / name
        await export.write_csv(self.exports, company, kind, path)
        return path.read_bytes()

    async def sql(self, query: str, *args: Any) -> list[asyncpg.Record]:
        c = await asyncpg.connect(self.dsn)
        try:
            return await c.fetch(query, *args)
        finally:
            await c.close()


Story = Callable[[House], Awaitable[None]]


@pytest.fixture
def play(fresh_database: str, engines: Any, tmp_path: Path) -> Callable[[Story], None]:
    """Plays a story in a house of its own."""

    async def run(story: Story) -> None:
        house = House(fresh_database, engines.data, tmp_path)
        house.company = await accounts.ensure_company(fresh_database, "one", "一")
        house.other = await accounts.ensure_company(fresh_database, "two", "二")
        await clock.set_clock(fresh_database, datetime(2026, 1, 14, 2, tzinfo=UTC), 1.0)
        await house.clock.load(house.pool)
        working = asyncio.ensure_future(house.commits.run())
        try:
            await story(house)
        finally:
            working.cancel()
            await house.pool.close()

    return lambda story: asyncio.run(run(story))


def counts(done: Imported) -> tuple[int, int, int, int]:
    return done.added, done.changed, done.unchanged, done.refused


def codes(done: Imported) -> list[tuple[int, str]]:
    return [(r.row, r.code) for r in done.rejects]


async def register(house: House) -> None:
    assert counts(await house.take("heat_tree", TREE)) == (10, 0, 0, 0)
    assert counts(await house.take("households", HOMES)) == (5, 0, 0, 0)


def test_a_register_comes_in_once_and_changes_only_what_changed(play: Any) -> None:
    async def story(house: House) -> None:
        dry = await house.take("heat_tree", TREE, dry=True)
        assert counts(dry) == (10, 0, 0, 0)
        assert not await house.sql("SELECT FROM node")
        await register(house)
        for kind, rows in (("heat_tree", TREE), ("households", HOMES)):
            again = await house.take(kind, rows)
            assert counts(again) == (0, 0, len(rows) - 1, 0)
        more = [row.copy() for row in HOMES]
        more[2][6] = "61"
        more.append(["H6", "B1", "2", "2", "201", "R1", "50", "", "", "", "赵敏", "138", ""])
        before = await house.sql("SELECT xmin, household_id FROM household ORDER BY 2")
        done = await house.take("households", more)
        assert counts(done) == (1, 1, 4, 0)
        after = await house.sql("SELECT xmin, household_id FROM household ORDER BY 2")
        assert [a == b for a, b in zip(after, before, strict=False)] == [True, False] + [True] * 3
        left = await house.take("households", more[:2])
        assert left.notes["not_in_the_file"] == 5
        assert len(await house.sql("SELECT FROM household")) == 6

    play(story)


def test_what_a_household_is_after_its_import(play: Any) -> None:
    async def story(house: House) -> None:
        await register(house)
        rows = await house.sql("SELECT * FROM household ORDER BY household_id")
        first, second, third = rows[:3]
        assert (first["unit"], first["ground_floor"], first["top_floor"]) == (1, True, False)
        assert (first["gable"], first["valve"]) == (True, True)
        assert first["owner_certificate"] == house.vault.certificate(
            house.company, "230101199001011234"
        )
        assert (second["flat"], second["top_floor"], second["riser_ids"]) == ("602", True, ["R1"])
        # nobody says how high building B2 is: the highest flat of the file is its top
        assert [r["top_floor"] for r in rows[2:]] == [False, False, True]
        # one phone is one person; two names behind it are two
        assert first["pseudonym"] == third["pseudonym"] != rows[3]["pseudonym"]
        people = await house.sql("SELECT body FROM person")
        assert len(people) == 4
        for word in ("王伟", "138", "2301"):
            assert all(word.encode() not in p["body"] for p in people)
            assert not await house.sql(
                "SELECT FROM household h WHERE h::text LIKE '%' || $1 || '%'", word
            )
        b2 = (await house.sql("SELECT * FROM building WHERE building_id = 'B2'"))[0]
        assert (b2["substation_id"], b2["community_id"]) == ("S1", "K1")

    play(story)


def test_bad_rows_are_refused_by_row_with_their_cells(play: Any) -> None:
    async def story(house: House) -> None:
        await register(house)
        head = [*HOMES[0], "lon", "lat", "datum"]
        bad = [
            ["N1", "B9", "1", "1", "101", "", "80"],
            ["N2", "B1", "1", "1", "101", "R9", "80"],
            ["N3", "B1", "x", "1", "101", "", "80"],
            ["N4", "", "1", "1", "101", "", "80"],
            ["", "B1", "1", "1", "101", "", "80"],
            ["N6", "B1", "1", "1", "101", "", ""],
            ["N7", "B1", "1", "2", "201", "", "80", "", "", "31.02.2026"],
            ["N8", "B1", "1", "2", "202", "", "80", "", "", "", "=cmd()", "+86 138"],
            ["N8", "B1", "1", "2", "203", "", "90"],
            ["N9", "B1", "1", "2", "204", "", "80", *[""] * 6, "126.6", "45.7", ""],
            ["N10", "B1", "1", "2", "204", "", "80", *[""] * 6, "226.6", "45.7", "wgs84"],
            ["N11", "B1", "1", "2", "x" * 100_000, "", "80"],
            ["1.23E+15", "B1", "1", "2", "205", "", "80"],
        ]
        rows = [head] + [row + [""] * (len(head) - len(row)) for row in bad] + [["H9", "B1"]]
        done = await house.take("households", rows)
        assert counts(done) == (1, 0, 0, 13)
        assert sorted(codes(done)) == [
            (2, "unknown_building"), (3, "unknown_riser"), (4, "bad_number"), (5, "no_place"),
            (6, "missing_field"), (7, "missing_field"), (8, "bad_date"), (10, "duplicate_key"),
            (11, "datum_missing"), (12, "coordinate_out_of_range"), (13, "too_long"),
            (14, "digits_lost"), (15, "bad_line"),
        ]  # fmt: skip
        assert "Row 9" in next(r.detail for r in done.rejects if r.code == "duplicate_key")
        assert done.rejects_file is not None
        path = Path(done.rejects_file)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = list(csv.reader(file))
        assert lines[0] == ["row", "code", "detail", "what_to_do", *head]
        told = {int(line[0]): line for line in lines[1:]}
        assert len(told) == 13
        assert all(line[2] and line[3] for line in lines[1:])
        assert told[2][4:11] == bad[0]
        assert told[15][4:] == ["H9", "B1"]
        # mended in that file and imported again
        lines[1][5] = "B1"
        again = await house.take("households", house.file(lines[:2], "mended.csv"))
        assert counts(again) == (1, 0, 0, 0)
        assert again.ignored_columns == []

    play(story)


def test_nothing_that_a_spreadsheet_would_run_leaves_the_house(play: Any) -> None:
    async def story(house: House) -> None:
        await register(house)
        row = ["H1", "B1", "1", "1", "101", "R1", "80", "", "", "", "=1+1", "", ""]
        assert counts(await house.take("households", [HOMES[0], row])) == (0, 1, 0, 0)
        told = (await house.written("households", house.company, "x.csv")).decode("utf-8-sig")
        assert "'=1+1" in told
        assert "138-0000-0001" in told  # a phone that a row leaves out stays
        await house.take("households", house.folder / "x.csv")
        again = (await house.written("households", house.company, "y.csv")).decode("utf-8-sig")
        assert again == told
        bad = ["H1", "B9", "1", "1", "=HYPERLINK(1)", "", "-5", "", "", "", "@x", "+86 138", ""]
        done = await house.take("households", [HOMES[0], bad])
        text = Path(done.rejects_file or "").read_text("utf-8-sig")
        assert all(f"'{cell}" in text for cell in ("=HYPERLINK(1)", "@x", "+86 138"))
        assert ",-5," in text

    play(story)


def test_the_export_of_an_import_of_an_export_is_the_same(play: Any) -> None:
    async def story(house: House) -> None:
        await register(house)
        await house.take("points", [["point", "household", "building"], ["W1", "H1", ""],
                                    ["W2", "", "B2"]])  # fmt: skip
        await house.take("crews", [
            ["crew", "name", "trades", "certificates", "members", "vehicle", "shift"],
            ["C01", "道里一班", "二次网;室内", "焊工;confined space", "3", "暖抢-1", "6:00-18:00"],
        ])  # fmt: skip
        await house.take("accounts", [
            ["户号", "采暖季", "欠费(元)", "计费方式", "应收(元)", "入网状态", "阀门状态",
             "截止时间"],
            ["H1", "2025-2026", "1,832.55", "全额", "2400", "在网", "开", "2026-01-10"],
            ["H1", "2024-2025", "", "基础热费", "700", "脱网", "关", "2025-01-10"],
            ["H2", "", "0", "", "", "", "", ""],
        ])  # fmt: skip
        kinds: list[ImportKind] = ["heat_tree", "households", "crews", "points", "accounts"]
        for kind in kinds:
            first = await house.written(kind, house.company, f"{kind}.csv")
            done = await house.take(kind, house.folder / f"{kind}.csv", house.other)
            assert (done.refused, done.ignored_columns) == (0, []), done
            assert await house.written(kind, house.other, f"{kind}-2.csv") == first, kind
            assert len(first.splitlines()) == done.rows + 1 > 1
            book = house.folder / f"{kind}.xlsx"
            await export.write_xlsx(house.exports, house.company, kind, book)
            same = await house.take(kind, book, house.other)
            assert counts(same)[:2] == (0, 0), (kind, same)
            assert await house.written(kind, house.other, f"{kind}-3.csv") == first, kind
        text = (house.folder / "households.csv").read_text("utf-8-sig")
        assert all(word in text for word in ("王伟", "138-0000-0001", "张强", "13800000001"))
        assert "2301" not in text  # of an identity number only a keyed digest is kept

    play(story)


def test_places_in_the_heat_tree_that_cannot_be(play: Any) -> None:
    async def story(house: House) -> None:
        await house.take("heat_tree", TREE)
        rows = [
            ["node", "kind", "parent", "name", "address", "community"],
            ["X1", "circuit", "X2", "a", "", ""],
            ["X2", "circuit", "X1", "b", "", ""],
            ["X3", "entrance", "X1", "c", "", ""],
            ["X4", "riser", "none", "d", "", ""],
            ["X5", "plant", "S1", "e", "", ""],
            ["X6", "riser", "", "f", "", ""],
            ["X7", "entrance", "C1", "", "", ""],
            ["X8", "unit", "X7", "h", "", ""],
            ["B3", "building", "C1", "i", "k", ""],
            ["B1", "building", "S1", "", "", "nowhere"],
            ["X9", "castle", "S1", "j", "", ""],
            ["X10", "unit", "X11", "later", "", ""],
            ["X11", "entrance", "C1", "parent", "", ""],
            ["G1", "primary", "G1", "", "", ""],
        ]
        dry = await house.take("heat_tree", rows, dry=True)
        done = await house.take("heat_tree", rows)
        assert counts(dry) == counts(done) == (2, 0, 0, 12)
        assert sorted(codes(done)) == [
            (2, "cycle"), (3, "cycle"), (4, "unknown_parent"), (5, "unknown_parent"),
            (6, "wrong_parent"), (7, "parent_missing"), (8, "missing_field"),
            (9, "unknown_parent"), (10, "wrong_parent"), (11, "unknown_community"),
            (12, "bad_value"), (15, "cycle"),
        ]  # fmt: skip
        g1 = await house.sql("SELECT parent_id FROM node WHERE node_id = 'G1'")
        assert g1[0][0] == "P1"

    play(story)


def test_a_community_that_is_none_or_was_refused(play: Any) -> None:
    async def story(house: House) -> None:
        await house.take("heat_tree", TREE)
        rows = [
            ["node", "kind", "parent", "name", "address", "community", "lon", "lat", "datum"],
            ["S9", "substation", "P1", "s", "", "nowhere", "", "", ""],
            ["K9", "community", "", "nameless place", "", "", "", "", ""],
            ["B9", "building", "S1", "", "和平路 99 号", "K9", "126.6", "45.7", "wgs84"],
        ]
        done = await house.take("heat_tree", rows)
        assert counts(done) == (1, 0, 0, 2)  # what a substation says of a community says nothing
        assert sorted(codes(done)) == [(3, "missing_field"), (4, "unknown_community")]

    play(story)


def test_owners_without_a_phone_are_not_one_person(play: Any) -> None:
    async def story(house: House) -> None:
        await register(house)
        rows = [
            ["户号", "楼栋编号", "单元", "楼层", "房号", "面积", "业主姓名", "联系电话"],
            ["W1", "B1", "9", "1", "101", "80", "王一", "无"],
            ["W2", "B1", "9", "2", "201", "80", "王二", "无"],
            ["W3", "B1", "9", "3", "301", "80", "", "0"],
            ["W4", "B1", "9", "4", "401", "80", "", "0"],
        ]
        done = await house.take("households", rows)
        assert (counts(done), done.notes["phone_is_none"]) == ((4, 0, 0, 0), 4)
        assert "same_person_several_households" not in done.notes
        people = await house.sql(
            "SELECT DISTINCT pseudonym FROM household WHERE household_id LIKE 'W_'"
        )
        assert len(people) == 4
        assert counts(await house.take("households", rows)) == (0, 0, 4, 0)

    play(story)


def test_a_quote_that_is_never_closed_hides_no_line(play: Any) -> None:
    async def story(house: House) -> None:
        path = house.folder / "open.csv"
        path.write_text('point,household\nW1,\nW2,"\nW3,\nW4,\n', "utf-8")
        done = await house.take("points", path)
        [refused] = [r for r in done.rejects if r.code == "bad_line"]
        assert "lines 3 to 5" in refused.detail
        assert done.rejects_file is not None
        kept = Path(done.rejects_file).read_text("utf-8-sig")
        assert all(name in kept for name in ("W2", "W3", "W4"))

    play(story)


def test_addresses_find_their_building_or_wait_for_a_person(play: Any) -> None:
    async def story(house: House) -> None:
        await house.take("heat_tree", TREE)
        rows = [
            ["户号", "地址", "单元", "楼层", "房号", "面积"],
            ["H1", "经纬街128号", "1", "2", "201", "80"],
            ["H2", "某某大街 9999 号", "1", "2", "202", "80"],
        ]
        dry = await house.take("households", rows, dry=True)
        assert (counts(dry), codes(dry)) == ((1, 0, 0, 1), [(3, "address_unclear")])
        assert not await house.sql("SELECT FROM address_question")
        done = await house.take("households", rows)
        assert (counts(done), codes(done)) == ((1, 0, 0, 1), [(3, "address_unclear")])
        (home,) = await house.sql("SELECT household_id, building_id FROM household")
        assert tuple(home) == ("H1", "B1")
        (asked,) = await house.sql("SELECT origin, reference FROM address_question")
        assert tuple(asked) == ("import", "household:H2")
        assert counts(await house.take("households", rows)) == (0, 0, 1, 1)
        assert len(await house.sql("SELECT FROM address_question")) == 1
        alone = [rows[0], ["H3", "无此街 7 号", "1", "2", "203", "80"]]
        assert codes(await house.take("households", alone)) == [(2, "address_unclear")]
        gone = "DELETE FROM address_question WHERE reference LIKE '%H3' RETURNING 1"
        assert len(await house.sql(gone)) == 1
        await house.sql("UPDATE address_question SET answered_at = now(), building_id = 'B2'")
        assert counts(await house.take("households", rows)) == (1, 0, 1, 0)
        await house.sql("UPDATE address_question SET building_id = NULL, no_such_door = true")
        rows[2][5] = "81"
        again = await house.take("households", rows)
        assert (counts(again), codes(again)) == ((0, 0, 1, 1), [(3, "no_such_door")])

    play(story)


def test_points_crews_and_accounts_that_do_not_fit(play: Any) -> None:
    async def story(house: House) -> None:
        await register(house)
        done = await house.take("points", [
            ["测点编号", "户号", "楼栋编号"],
            ["W1", "H9", ""], ["W2", "", "B9"], ["W3", "H1", "B2"], ["W4", "", ""],
            ["W5", "H1", "B1"],
        ])  # fmt: skip
        assert codes(done) == [
            (2, "unknown_household"), (3, "unknown_building"), (4, "building_mismatch"),
            (5, "no_place"),
        ]  # fmt: skip
        crews = [
            ["班组", "名称", "工种", "人数", "车辆", "班次"],
            ["C1", "一班", "二次网", "1", "车", "06:00-18:00"],
            ["C2", "二班", "木工", "2", "车", "06:00-18:00"],
            ["C3", "三班", "室内", "2", "车", "morning"],
            ["C4", "四班", "室内", "2", "", "06:00-18:00"],
            ["C5", "五班", "室内", "2", "车", "06:00-18:00"],
        ]
        dry = await house.take("crews", crews, dry=True)
        assert not await house.sql("SELECT FROM stream_head WHERE stream LIKE 'crew:%'")
        done = await house.take("crews", crews)
        assert counts(dry) == counts(done) == (1, 0, 0, 4)
        assert codes(done) == [
            (2, "bad_number"), (3, "bad_value"), (4, "bad_shift"), (5, "missing_field"),
        ]  # fmt: skip
        assert counts(await house.take("crews", crews)) == (0, 0, 1, 4)
        renamed = [crews[0], ["C5", "第五班", "", "", "", ""]]
        assert counts(await house.take("crews", renamed)) == (0, 1, 0, 0)
        done = await house.take("accounts", [
            ["household", "unpaid_fen", "billed_fen", "at"],
            ["H9", "5", "", ""], ["H1", "-5", "", ""], ["H1", "5", "", "2026-01-15"],
            ["H2", "", "5", ""], ["H3", "700", "", "2026-01-10"],
        ])  # fmt: skip
        assert sorted(codes(done)) == [
            (2, "unknown_household"), (3, "negative_amount"), (4, "future_time"),
            (5, "missing_field"),
        ]  # fmt: skip
        older = await house.take("accounts", [
            ["household", "unpaid_fen", "at"], ["H3", "900", "2026-01-09"],
        ])  # fmt: skip
        assert (counts(older), older.notes["older_than_known"]) == ((0, 0, 1, 0), 1)
        owed = await house.sql("SELECT unpaid_fen FROM account_balance")
        assert [r[0] for r in owed] == [700]

    play(story)


def test_information_that_refuses_nothing(play: Any) -> None:
    async def story(house: House) -> None:
        await house.take("heat_tree", TREE)
        twice = [*HOMES, ["H7", "B1", "1", "1", "101", "R1", "80", "", "", "", "孙", "1", ""]]
        dry = await house.take("households", twice, dry=True)
        done = await house.take("households", twice)
        assert dry.notes == done.notes
        assert done.notes["same_door_twice"] == 2
        assert done.notes["same_person_several_households"] == 3
        assert done.notes["gable_not_told"] == 4
        assert [(w.row, w.code) for w in done.warnings] == [
            (2, "same_door_twice"), (7, "same_door_twice"),
        ]  # fmt: skip

    play(story)


def test_a_broken_off_import_is_run_again_and_one_runs_at_a_time(
    play: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("server.sources.tables.run.PIECE", 2)

    async def story(house: House) -> None:
        await house.take("heat_tree", TREE)
        seen = []

        class PulledOutError(Exception):
            pass

        def stop(what: str, done: float) -> None:
            seen.append((what, done))
            if len(seen) == 2:
                raise PulledOutError

        path = house.file(HOMES)
        principal = Principal(house.company, "file", "source", b"")
        wish = Wish(principal=principal, kind="households", path=path, file_name="in.csv")
        with pytest.raises(PulledOutError):
            await house.importer.run(wish, stop)
        assert len(await house.sql("SELECT FROM household")) == 4
        async with house.importer.runs.alone(house.company):
            with pytest.raises(Conflict) as refused:
                await house.take("households", HOMES)
            assert refused.value.code == "import_running"
        assert counts(await house.take("households", HOMES)) == (1, 0, 4, 0)
        runs = await house.importer.runs.latest(house.company, 10, None)
        assert [r.ended_at is None for r in runs] == [False, True, False]
        assert runs[0].by == "source:file"

    play(story)


def test_mappings_are_saved_by_company_kind_and_name(play: Any) -> None:
    async def story(house: House) -> None:
        rows = [["Nr", "Art", "Name", "X", "Y"], ["P1", "plant", "Werk", "126.6", "45.7"]]
        mapping = {"node": "nr", "kind": "Art", "name": "Name", "lon": "X", "lat": "Y"}
        toml = house.folder / "m.toml"
        lines = "\n".join(f'{k} = "{v}"' for k, v in {**mapping, "datum": "=wgs84"}.items())
        toml.write_text(f"[columns]\n{lines}\n")
        options = {"mapping": str(toml), "files": True, "save_mapping": "german"}
        done = await house.take("heat_tree", rows, **options)
        assert counts(done) == (1, 0, 0, 0)
        assert done.mapping["datum"] == "=wgs84"
        assert counts(await house.take("heat_tree", rows, mapping="german")) == (0, 0, 1, 0)
        for options in ({"company": house.other}, {"kind": "points"}):
            with pytest.raises(UserError) as refused:
                await house.take(**{"kind": "heat_tree", "source": rows, "mapping": "german",
                                    **options})  # fmt: skip
            assert refused.value.code == "no_such_mapping"

    play(story)
