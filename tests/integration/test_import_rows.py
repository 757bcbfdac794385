"""Rows that do not fit, addresses that wait, and imports that are broken off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from path_imports import HOMES, TREE, House, Story, codes, counts, player, register

from dispatch_core.errors import Conflict
from server.adapters.accounts import Principal
from server.adapters.imports.rows import Wish
from server.settings import UserError


@pytest.fixture
def play(fresh_database: str, engines: Any, tmp_path: Path) -> Callable[[Story], None]:
    return player(fresh_database, engines.data, tmp_path)


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
