"""Files into the register: every row counted, nothing dropped, doing it twice changes nothing, and
an export imported elsewhere gives the same export."""

from __future__ import annotations

import csv
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from path_imports import HOMES, TREE, House, Story, codes, counts, player, register

from server.adapters.imports.rows import ImportKind
from server.sources.tables import export


@pytest.fixture
def play(fresh_database: str, engines: Any, tmp_path: Path) -> Callable[[Story], None]:
    return player(fresh_database, engines.data, tmp_path)


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
            ["crew", "name", "trades", "certificates", "members", "vehicle", "shift", "技能等级",
             "责任区", "lon", "lat", "datum", "休息", "随车设备", "随车备件"],
            ["C01", "道里一班", "二次网;室内", "焊工;confined space", "3", "暖抢-1", "6:00-18:00",
             "4级", "道里区;道外区", "126.6", "45.7", "wgs84", "11:00-13:00/40",
             "pump", "闸阀 DN80:2;放气阀：5"],
        ])  # fmt: skip
        await house.take("stores", [
            ["仓库编号", "名称", "lon", "lat", "datum", "备件", "库存数量"],
            ["W1", "道里备件库", "126.6", "45.7", "wgs84", "闸阀 DN80", "6"],
            ["W1", "", "", "", "", "放气阀", "40个"],
            ["W2", "空库", "126.7", "45.7", "wgs84", "", ""],
        ])  # fmt: skip
        await house.take("accounts", [
            ["户号", "采暖季", "欠费(元)", "计费方式", "应收(元)", "入网状态", "阀门状态",
             "截止时间"],
            ["H1", "2025-2026", "1,832.55", "全额", "2400", "在网", "开", "2026-01-10"],
            ["H1", "2024-2025", "", "基础热费", "700", "脱网", "关", "2025-01-10"],
            ["H2", "", "0", "", "", "", "", ""],
        ])  # fmt: skip
        kinds: list[ImportKind] = [
            "heat_tree", "households", "crews", "stores", "points", "accounts",
        ]  # fmt: skip
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
